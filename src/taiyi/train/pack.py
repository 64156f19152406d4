"""Packing: rows of an epoch, shuffled, into bins of a fixed number of tokens, without cutting any."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from taiyi.errors import TrainError


def pack(
    lengths: Sequence[int] | npt.NDArray[np.integer],
    max_tokens: int,
    batch_tokens: int,
    *,
    seed: int,
    epoch: int,
) -> list[list[int]]:
    """Return the rows of each bin: shuffled by (seed, epoch), then each into the fullest bin that still takes it.

    Args:
        lengths: tokens of each row, none above `max_tokens`.
        max_tokens: the longest row there may be.
        batch_tokens: the size of a bin.
    """
    if batch_tokens < max_tokens:
        raise TrainError("a bin cannot take the longest row", got=batch_tokens, expected=f"at least {max_tokens}")
    sizes = np.asarray(lengths, dtype=np.int64)
    if len(sizes) and int(sizes.max()) > max_tokens:
        longest = int(sizes.argmax())
        raise TrainError("a row is too long", where=f"row {longest}", got=int(sizes[longest]), expected=f"{max_tokens}")
    random = np.random.default_rng([seed, epoch])
    bins: list[list[int]] = []
    spaces: list[int] = []  # the distinct spaces that open bins have, sorted
    open_bins: dict[int, list[int]] = {}
    for row in random.permutation(len(sizes)).tolist():
        size = int(sizes[row])
        at = bisect_left(spaces, size)
        if at == len(spaces):
            chosen, space = len(bins), batch_tokens
            bins.append([])
        else:
            space = spaces[at]
            chosen = open_bins[space].pop()
            if not open_bins[space]:
                del open_bins[space], spaces[at]
        bins[chosen].append(row)
        left = space - size
        if left:
            if left not in open_bins:
                insort(spaces, left)
                open_bins[left] = []
            open_bins[left].append(chosen)
    # Bins filled late hold what fitted nowhere else: shuffle them, so that no part of an epoch is special.
    return [bins[i] for i in random.permutation(len(bins)).tolist()]


def save_order(bins: list[list[int]], path: Path) -> None:
    """Write the order of an epoch: rows one after another, with the number of their bin."""
    pairs = [(number, row) for number, rows in enumerate(bins) for row in rows]
    with path.open("wb") as file:
        np.save(file, np.asarray(pairs, dtype=np.int64).reshape(-1, 2))


def load_order(path: Path) -> list[list[int]]:
    """Read the order of an epoch."""
    pairs = np.load(path)
    edges = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    return [part.tolist() for part in np.split(pairs[:, 1], edges)]
