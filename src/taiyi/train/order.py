"""The order of a stage: which rows make each micro-batch, and which micro-batches each step, fixed before it begins.

Rows of an epoch are shuffled, then packed whole into bins of a fixed number of tokens. What is packed is a unit: one
row, or the two answers of a pair. The order of each epoch is a file, so that a stage that was killed goes on with it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from taiyi.errors import TrainError
from taiyi.train.settings import StageSettings

Bins = list[list[int]]


class Planned(NamedTuple):
    """A step before it is taken: its epoch, from 0, and the rows of its micro-batches."""

    epoch: int
    bins: Bins


def planned(lengths: npt.NDArray[np.integer], settings: StageSettings, out: Path | None = None) -> list[Planned]:
    """Return the steps of a stage.

    Args:
        lengths: tokens of each row; of a stage of kind `dpo` rows 2i and 2i + 1 are a pair.
        settings: of the stage.
        out: folder that the order of each epoch is written into, and read from where it is there.
    """
    whole = _units(lengths, settings)
    sizes = lengths[whole].sum(axis=1)
    steps: list[Planned] = []
    seen = 0
    for epoch in _epochs(settings):
        bins = _order(sizes, settings, epoch, out)
        for at in range(0, len(bins), settings.accumulation):
            units = bins[at : at + settings.accumulation]
            steps.append(Planned(epoch, [whole[of].flatten().tolist() for of in units]))
            seen += sum(int(sizes[of].sum()) for of in units)
            if len(steps) == settings.max_steps or (
                settings.total_tokens is not None and seen >= settings.total_tokens
            ):
                return steps
    return steps


def _units(lengths: npt.NDArray[np.integer], settings: StageSettings) -> npt.NDArray[np.int64]:
    """Return the rows of each unit, as [unit, row]."""
    rows = np.arange(len(lengths))
    return rows.reshape(-1, 2) if settings.kind == "dpo" else rows.reshape(-1, 1)


def _epochs(settings: StageSettings) -> Iterator[int]:
    epoch = 0
    while settings.total_tokens is not None or epoch < settings.epochs:
        yield epoch
        epoch += 1


def _order(sizes: npt.NDArray[np.integer], settings: StageSettings, epoch: int, out: Path | None) -> Bins:
    most = settings.max_tokens * (2 if settings.kind == "dpo" else 1)
    path = out / f"order-{epoch}.npy" if out is not None else None
    if path is not None and path.exists():
        return _checked(path, len(sizes))
    bins = pack(sizes, most, settings.batch_tokens, seed=settings.seed, epoch=epoch)
    if path is not None:
        partial = path.with_suffix(".partial")
        save_order(bins, partial)
        partial.rename(path)
    return bins


def _checked(path: Path, num_units: int) -> Bins:
    """Read an order that has each unit once; raises TrainError where it does not."""
    try:
        bins = load_order(path)
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise TrainError(
            "the order of an epoch cannot be read", where=path, got=error, mend="remove it: it is then made anew"
        ) from error
    if sorted(unit for members in bins for unit in members) != list(range(num_units)):
        raise TrainError("the order of an epoch is not of these rows", where=path, mend="remove it")
    return bins


def pack(
    lengths: Sequence[int] | npt.NDArray[np.integer],
    max_tokens: int,
    batch_tokens: int,
    *,
    seed: int,
    epoch: int,
) -> Bins:
    """Return the units of each bin: shuffled by (seed, epoch), then each into the fullest bin that still takes it.

    Args:
        lengths: tokens of each unit, none above `max_tokens`.
        max_tokens: the longest unit there may be.
        batch_tokens: the size of a bin.
    """
    if batch_tokens < max_tokens:
        raise TrainError("a bin cannot take the longest row", got=batch_tokens, expected=f"at least {max_tokens}")
    sizes = np.asarray(lengths, dtype=np.int64)
    if len(sizes) and int(sizes.max()) > max_tokens:
        longest = int(sizes.argmax())
        raise TrainError("a row is too long", where=f"row {longest}", got=int(sizes[longest]), expected=f"{max_tokens}")
    random = np.random.default_rng([seed, epoch])
    bins: Bins = []
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


def save_order(bins: Bins, path: Path) -> None:
    """Write the order of an epoch: rows one after another, with the number of their bin."""
    pairs = [(number, row) for number, rows in enumerate(bins) for row in rows]
    with path.open("wb") as file:
        np.save(file, np.asarray(pairs, dtype=np.int64).reshape(-1, 2))


def load_order(path: Path) -> Bins:
    """Read the order of an epoch."""
    pairs = np.load(path)
    edges = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    return [part.tolist() for part in np.split(pairs[:, 1], edges)]
