"""The dev sample of a stage: how many records of which stratum, and which; before anything is cleaned.

Strata are a corpus under a task in a language. Their parts are in proportion to the square roots of their sizes:
between as they are, which would leave small ones out, and all alike (power allocation, Bankier 1988, of power 1/2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taiyi.build.mixture import allot, rank

LARGEST_SHARE = 10
"""Of a stage's own records one in so many may be kept out of training at most."""


class Stratum(NamedTuple):
    """Records that are drawn from together."""

    corpus: str
    task: str
    lang: str

    def __str__(self) -> str:
        return " ".join(self)


class Place(NamedTuple):
    """Where a record is: the number of the part that has it, and its row there."""

    part: int
    row: int


def num_drawn(sizes: Mapping[Stratum, int], records: int, *, own: bool) -> dict[Stratum, int]:
    """Return how many records are drawn of each stratum: one at least, so that they may be more than asked for.

    Args:
        own: whether they are the stage's own, of which no more than a tenth are drawn.
    """
    strata = sorted(name for name, size in sizes.items() if size)
    limits = [max(1, sizes[name] // LARGEST_SHARE) if own else sizes[name] for name in strata]
    numbers = allot([float(sizes[name]) ** 0.5 for name in strata], limits, records)
    for index, number in enumerate(numbers):
        if not number:
            numbers[index] = 1
            largest = max(range(len(numbers)), key=lambda i: (numbers[i], -i))
            numbers[largest] -= numbers[largest] > 1
    return dict(zip(strata, numbers, strict=True))


class Candidates:
    """The records of a stratum in the order in which the seed ranks them; of each a number is held.

    A record that several selections have is one, and is asked about under one of them, which the seed decides too.
    """

    def __init__(self, ranks: Sequence[NDArray[np.uint64]], parts: Sequence[int], rows: Sequence[NDArray[np.int64]]):
        """Give the ranks of records (`ranks_of`), a part after the other, and the rows that they have there."""
        together = np.concatenate(ranks)
        order = np.argsort(together, kind="stable")
        self._ranks = together[order]
        self._parts = np.repeat(np.array(parts), [len(of_part) for of_part in rows])[order]
        self._rows = np.concatenate(rows)[order]
        self._starts = np.flatnonzero(np.diff(self._ranks, prepend=self._ranks[:1] + np.uint64(1)))
        self._next = 0

    def __len__(self) -> int:
        return len(self._starts)

    def take(self, number: int) -> Iterator[Place]:
        """Yield the next records, so many or as many as are left."""
        first, self._next = self._next, min(self._next + number, len(self))
        for index in range(first, self._next):
            start = int(self._starts[index])
            end = int(self._starts[index + 1]) if index + 1 < len(self) else len(self._ranks)
            chosen = start + int(self._ranks[start]) % (end - start)
            yield Place(int(self._parts[chosen]), int(self._rows[chosen]))


def ranks_of(places: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return by which numbers records are drawn: in every stage alike, so that the stages keep out the same ones."""
    return np.fromiter((rank(seed, f"dev/{place}") for place in places), dtype=np.uint64, count=len(places))


def drawn(
    candidates: Mapping[Stratum, Candidates], numbers: Mapping[Stratum, int], fits: Callable[[list[Place]], list[bool]]
) -> dict[Stratum, list[Place]]:
    """Return so many records of each stratum that fit, those that the seed ranks first; fewer where it has no more.

    Args:
        fits: whether each of some records, of any strata, may be drawn.
    """
    kept: dict[Stratum, list[Place]] = {name: [] for name in numbers}
    while True:
        asked = [(name, place) for name in kept for place in candidates[name].take(numbers[name] - len(kept[name]))]
        if not asked:
            return kept
        for (name, place), fit in zip(asked, fits([place for _, place in asked]), strict=True):
            if fit:
                kept[name].append(place)
