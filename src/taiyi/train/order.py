"""The order of a stage: which rows make each micro-batch, and which micro-batches each step, fixed before it begins.

Rows of an epoch are shuffled, then packed whole into bins of a fixed number of tokens. What is packed is a unit: one
row, or the two answers of a pair. The order of each epoch is a file, so that a stage that was killed goes on with it;
it is mapped rather than read, so that however many epochs there are, their orders take no memory.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from itertools import count, islice, pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from taiyi.errors import TrainError
from taiyi.train.settings import StageSettings
from taiyi.train.state import save_file

_READ_BINS = 1024
"""How many bins are lists at a time while all are gone through."""


class Bins:
    """Bins of units, of which lists are made as they are asked for.

    Attributes:
        pairs: the number of its bin and a unit, bin after bin, as [unit, 2]; it may lie in a file.
    """

    def __init__(self, pairs: npt.NDArray[np.int64]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return int(self.pairs[-1, 0]) + 1 if len(self.pairs) else 0

    def __iter__(self) -> Iterator[list[int]]:
        for begin in range(0, len(self), _READ_BINS):
            yield from self.part(begin, begin + _READ_BINS)

    def part(self, begin: int, end: int) -> list[list[int]]:
        """Return the units of bins `begin` to `end`, or to the last."""
        edges = self.edges(np.arange(begin, min(end, len(self)) + 1)).tolist()
        return [self.pairs[of:to, 1].tolist() for of, to in pairwise(edges)]

    def edges(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return where bins begin in the array."""
        return np.searchsorted(self.pairs[:, 0], numbers)


class Planned(NamedTuple):
    """A step before it is taken: its epoch, from 0, and the rows of its micro-batches."""

    epoch: int
    bins: list[list[int]]


class Plan(Sequence[Planned]):
    """The steps of a stage, each made as it is asked for.

    Args:
        orders: of the epochs.
        steps: how many steps are taken of each; the last may be left before its end.
        accumulation: bins of a step.
        unit: rows of a unit.
    """

    def __init__(self, orders: Sequence[Bins], steps: Sequence[int], accumulation: int, unit: int) -> None:
        self._orders, self._accumulation, self._unit = orders, accumulation, unit
        self._begins = [sum(steps[:epoch]) for epoch in range(len(steps) + 1)]

    def __len__(self) -> int:
        return self._begins[-1]

    def __iter__(self) -> Iterator[Planned]:
        for epoch, (begin, end) in enumerate(pairwise(self._begins)):
            bins = iter(self._orders[epoch])
            for _ in range(begin, end):
                yield self._planned(epoch, list(islice(bins, self._accumulation)))

    @overload
    def __getitem__(self, index: int) -> Planned: ...
    @overload
    def __getitem__(self, index: slice) -> list[Planned]: ...
    def __getitem__(self, index: int | slice) -> Planned | list[Planned]:
        step = range(len(self))[index]
        if isinstance(step, range):
            return [self[number] for number in step]
        epoch = bisect_right(self._begins, step) - 1
        at = (step - self._begins[epoch]) * self._accumulation
        return self._planned(epoch, self._orders[epoch].part(at, at + self._accumulation))

    def _planned(self, epoch: int, bins: list[list[int]]) -> Planned:
        size = self._unit
        return Planned(epoch, [[size * unit + row for unit in units for row in range(size)] for units in bins])


def planned(lengths: npt.NDArray[np.integer], settings: StageSettings, out: Path | None = None) -> Plan:
    """Return the steps of a stage.

    Args:
        lengths: tokens of each row; of a stage of kind `dpo` rows 2i and 2i + 1 are a pair.
        settings: of the stage.
        out: folder that the order of each epoch is written into, and read from where it is there.
    """
    unit = 2 if settings.kind == "dpo" else 1
    sizes = lengths.reshape(-1, unit).sum(axis=1)
    orders: list[Bins] = []
    steps: list[int] = []
    seen = 0
    for epoch in count() if settings.total_tokens is not None else range(settings.epochs):
        bins = _order(sizes, settings, epoch, out)
        begins = np.arange(0, len(bins), settings.accumulation)
        most = len(begins)
        if settings.total_tokens is not None:
            tokens = seen + np.add.reduceat(sizes[bins.pairs[:, 1]], bins.edges(begins)).cumsum()
            # The step that reaches the budget is the last.
            most = min(most, 1 + int(np.searchsorted(tokens, settings.total_tokens)))
            seen = int(tokens[-1])
        if settings.max_steps is not None:
            most = min(most, settings.max_steps - sum(steps))
        orders.append(bins)
        steps.append(most)
        if seen >= (settings.total_tokens or math.inf) or sum(steps) == settings.max_steps:
            break
    return Plan(orders, steps, settings.accumulation, unit)


def _order(sizes: npt.NDArray[np.integer], settings: StageSettings, epoch: int, out: Path | None) -> Bins:
    most = settings.max_tokens * (2 if settings.kind == "dpo" else 1)
    path = out / f"order-{epoch}.npy" if out is not None else None
    if path is not None and path.exists():
        return _checked(path, len(sizes))
    bins = pack(sizes, most, settings.batch_tokens, seed=settings.seed, epoch=epoch)
    if path is None:
        return bins
    save_order(bins, path)
    return load_order(path)


def _checked(path: Path, num_units: int) -> Bins:
    """Return an order that has each unit once; raises TrainError where it does not."""
    try:
        bins = load_order(path)
        numbers, units = bins.pairs[:, 0], bins.pairs[:, 1]
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise TrainError(
            "the order of an epoch cannot be read", where=path, got=error, mend="remove it: it is then made anew"
        ) from error
    steps = np.diff(numbers, prepend=-1)
    if not np.array_equal(np.sort(units), np.arange(num_units)) or steps.min() < 0 or steps.max() > 1:
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
    order = random.permutation(len(sizes))
    numbers = np.empty_like(order)  # of the bin that each unit goes into, in this order
    num_bins = 0
    spaces: list[int] = []  # the distinct spaces that open bins have, sorted
    open_bins: dict[int, list[int]] = {}
    for place, size in enumerate(sizes[order].data):
        at = bisect_left(spaces, size)
        if at == len(spaces):
            chosen, space = num_bins, batch_tokens
            num_bins += 1
        else:
            space = spaces[at]
            chosen = open_bins[space].pop()
            if not open_bins[space]:
                del open_bins[space], spaces[at]
        numbers[place] = chosen
        left = space - size
        if left:
            if left not in open_bins:
                insort(spaces, left)
                open_bins[left] = []
            open_bins[left].append(chosen)
    # Bins filled late hold what fitted nowhere else: shuffle them, so that no part of an epoch is special.
    numbers = np.argsort(random.permutation(num_bins))[numbers]
    by_bin = np.argsort(numbers, kind="stable")
    return Bins(np.stack([numbers[by_bin], order[by_bin]], axis=1))


def save_order(bins: Bins, path: Path) -> None:
    """Write the order of an epoch: units one after another, with the number of their bin."""
    save_file(path, lambda file: np.save(file, bins.pairs))


def load_order(path: Path) -> Bins:
    """Return the order of an epoch, mapped into memory."""
    return Bins(np.asarray(np.load(path, mmap_mode="r")))
