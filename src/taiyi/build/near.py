"""Near duplicates: MinHash signatures over character 5-grams, banded, verified by exact Jaccard similarity.

Broder 1997 (resemblance and MinHash); Indyk and Motwani 1998 (banding). With 21 bands of 6 rows, two texts of
similarity 0.8 are candidates with probability 0.998, of 0.7 with 0.93, of 0.5 with 0.28. What is decided rests on the
exact similarity alone; signatures say which pairs to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import sqrt
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from taiyi.build.shingles import Hashes, Points, jaccard, mixed, points, runs, runs_of_all

SHINGLE = 5
PERMUTATIONS, BANDS, ROWS = 128, 21, 6
SHORTEST = 40
"""Texts of fewer characters in their normal form have no near duplicates: one other letter asks another question."""
_SEED = 4
_NONE = 2**32 - 1
_CROWD = 256
_CHUNK = 1 << 15
_WAITING = 1 << 12

Signatures = NDArray[np.uint32]
Signature = NDArray[np.uint32]
UNSIGNED: Signature = np.full(PERMUTATIONS, _NONE, dtype=np.uint32)
"""The signature of a text that is too short to have one."""
Indices = NDArray[np.int64]


class NearMatch(msgspec.Struct, frozen=True):
    """A text, the one of its cluster that is kept, and how alike the two are.

    `similarity` may be below the threshold where a third text stands between them.
    """

    index: int
    kept: int
    similarity: float


def signatures(texts: Sequence[str | Points], *, shortest: int = SHORTEST) -> Signatures:
    """Return a row for each text, the same in every process; of ones alone where the text is too short."""
    letters = [points(text) if isinstance(text, str) else text for text in texts]
    rows = np.full((len(letters), PERMUTATIONS), _NONE, dtype=np.uint32)
    where = [i for i, text in enumerate(letters) if len(text) >= max(shortest, SHINGLE)]
    if where:
        hashes, bounds = runs_of_all([letters[i] for i in where], SHINGLE)
        matrix = cast(Any, RMinHash).digest_matrix_from_flat_token_hashes(hashes, bounds, PERMUTATIONS, _SEED)
        rows[where] = np.array(matrix.to_rows(), dtype=np.uint32)
    return rows


def band_keys(signatures: Signatures, band: int, rows: int = ROWS) -> Hashes:
    """Return a hash of what each signature has in a band."""
    keys = np.full(len(signatures), band, dtype=np.uint64)
    for column in range(band * rows, (band + 1) * rows):
        keys = mixed(keys + signatures[:, column])
    return keys


def signed(signatures: Signatures) -> NDArray[np.bool_]:
    """Return which rows are of texts that are long enough to have a signature."""
    return (signatures[:, :4] != _NONE).any(axis=1)


def hopeful(threshold: float) -> float:
    """Return how many values two signatures share at least, for their texts to be compared.

    Four standard deviations fewer than are expected: of pairs at the threshold, one in 30,000 is missed.
    """
    return threshold * PERMUTATIONS - 4 * sqrt(threshold * (1 - threshold) * PERMUTATIONS)


def near_duplicates(
    signatures: Signatures,
    texts_of: Callable[[Sequence[int]], Sequence[str]],
    threshold: float,
    *,
    rank: Indices | None = None,
    bands: int = BANDS,
    rows: int = ROWS,
) -> list[NearMatch]:
    """Return all but one of each cluster of texts that are alike to at least the threshold.

    The one that is kept has the smallest rank, which is the place of the text in any order that does not depend on the
    run (of its key, such as the item's place); its index where no ranks are given. Given ranks, the outcome is the same
    in whatever order the texts stand.

    Args:
        texts_of: the texts of some indices, which are in order; called for candidates only, some thousands at a time.
    """
    parent = np.arange(len(signatures), dtype=np.int64)
    ranks = parent.copy() if rank is None else rank
    least = hopeful(threshold)

    waiting: list[tuple[int, int]] = []

    def join() -> None:
        """Put together what is alike of the pairs that wait; pairs that others have put together need no look."""
        apart = [(a, b) for a, b in waiting if _root(parent, a) != _root(parent, b)]
        similarity = _similarities(apart, texts_of)
        for a, b in apart:
            one, other = _root(parent, a), _root(parent, b)
            if one != other and similarity(a, b) >= threshold:
                low, high = (one, other) if ranks[one] < ranks[other] else (other, one)
                parent[high] = low
        waiting.clear()

    for band, found in _candidates(signatures, bands, rows, rank):
        first, second = found[:, 0], found[:, 1]
        apart = _roots(parent, first) != _roots(parent, second)
        first, second = first[apart], second[apart]
        same = signatures[first] == signatures[second]
        look = same.sum(axis=1) >= least
        if band:
            look &= ~same[:, : band * rows].reshape(len(same), band, rows).all(axis=2).any(axis=1)
        waiting += zip(first[look].tolist(), second[look].tolist(), strict=True)
        if len(waiting) >= _WAITING:
            join()
    join()
    kept = _roots(parent, np.arange(len(parent), dtype=np.int64))
    gone = np.flatnonzero(kept != np.arange(len(parent)))
    pairs = list(zip(gone.tolist(), kept[gone].tolist(), strict=True))
    matches: list[NearMatch] = []
    for start in range(0, len(pairs), _WAITING):
        some = pairs[start : start + _WAITING]
        similarity = _similarities(some, texts_of)
        matches += (NearMatch(index=i, kept=k, similarity=similarity(i, k)) for i, k in some)
    return matches


def _similarities(
    pairs: Sequence[tuple[int, int]], texts_of: Callable[[Sequence[int]], Sequence[str]]
) -> Callable[[int, int], float]:
    """Return what tells the exact similarity of pairs, whose texts are got at once."""
    wanted = sorted({index for pair in pairs for index in pair})
    texts = dict(zip(wanted, texts_of(wanted), strict=True))

    @lru_cache(maxsize=256)
    def shingles(index: int) -> Hashes:
        return np.unique(runs(points(texts[index]), SHINGLE))

    return lambda one, other: jaccard(shingles(one), shingles(other))


def _candidates(signatures: Signatures, bands: int, rows: int, rank: Indices | None) -> Iterator[tuple[int, Indices]]:
    """Yield bands with the pairs of rows that agree in all of one, up to 32,768 at a time, in no particular order.

    A pair comes once for every band that it agrees in. Of a crowd of more than 256 rows that agree, each is paired
    with the 256 after it in order of rank only: near duplicates among them still hang together, by one another.
    """
    present = np.flatnonzero(signed(signatures))
    if rank is not None:
        present = present[np.argsort(rank[present], kind="stable")]
    for band in range(bands):
        keys = band_keys(signatures, band, rows)[present]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        at = np.arange(len(keys), dtype=np.int64)
        # Members of a bucket stand side by side: those at a distance of 1, of 2, ... as long as there are any.
        for distance in range(1, _CROWD + 1):
            at = at[: np.searchsorted(at, len(keys) - distance)]
            at = at[keys[at] == keys[at + distance]]
            if not len(at):
                break
            for start in range(0, len(at), _CHUNK):
                here = at[start : start + _CHUNK]
                yield band, np.stack([present[order[here]], present[order[here + distance]]], axis=1)


def _root(parent: Indices, index: int) -> int:
    while (above := int(parent[index])) != index:
        parent[index] = parent[above]
        index = above
    return index


def _roots(parent: Indices, indices: Indices) -> Indices:
    roots = parent[indices]
    while (parent[roots] != roots).any():
        roots = parent[roots]
    return roots
