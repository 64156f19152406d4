"""Percentile bootstrap over records: how far a score would move on another sample of records of the same kind.

Where several records come from one document, the document is what is drawn: here `records` are then its records
together.

Micro-F1 and means are both ratios of two sums over records, so one function serves both: a resample is a row of weights
(how often each record was drawn), and all resamples together are one matrix product. Correlation is made of such sums
too (see metrics.correlation).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taiyi.metrics.f1 import total
from taiyi.schema import Counts

# Weights are made for this many cells at a time, so that memory stays at some tens of MB for any number of records.
_CELLS = 2_000_000


class Interval(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


def ratio_interval(
    numerators: Sequence[float],
    denominators: Sequence[float],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Return the percentile interval of sum(numerators) / sum(denominators) over records drawn with replacement.

    Resamples in which the denominator is 0 have no value and are left out. None where there are fewer than two records,
    or no resample has a value: then nothing can be said about the spread.
    """
    if len(numerators) != len(denominators):
        raise ValueError(f"{len(numerators)} numerators for {len(denominators)} denominators")
    size = len(numerators)
    if size < 2:
        return None
    values = np.stack([np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)], axis=1)
    both = resampled_sums(values, resamples, seed)
    defined = both[both[:, 1] != 0]
    return percentiles(defined[:, 0] / defined[:, 1], level)


def resampled_sums(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Return, for each resample of the rows of values, drawn with replacement, the sums of their columns."""
    generator = np.random.default_rng(seed)
    size = len(values)
    rows = max(1, _CELLS // size)
    return np.concatenate(
        [_weights(generator, min(rows, resamples - start), size) @ values for start in range(0, resamples, rows)]
    )


def percentiles(values: NDArray[np.float64], level: float) -> Interval | None:
    """Return the interval that holds the middle `level` of values; None where there are none."""
    if not len(values):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def micro_f1_interval(
    records: Sequence[Sequence[Counts]], *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval | None:
    """Return the interval of micro-F1, given each record's counts (one for each type, in any order)."""
    sums = [total(record) for record in records]
    return ratio_interval(
        [2 * c.tp for c in sums],
        [2 * c.tp + c.fp + c.fn for c in sums],
        resamples=resamples,
        level=level,
        seed=seed,
    )


def _weights(generator: np.random.Generator, rows: int, size: int) -> NDArray[np.float64]:
    """Return, in each row, how often each of `size` records was drawn in `size` draws with replacement.

    The rows are multinomial. Counting uniform draws is about four times as fast as numpy's own multinomial.
    """
    draws = generator.integers(0, size, size=(rows, size)) + np.arange(rows)[:, None] * size
    return np.bincount(draws.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)
