"""Percentile bootstrap over records: how far a score would move on another sample of records of the same kind.

Where several records come from one document, the document is what is drawn. All measures are made of sums over records
(metrics.measures), so a resample is a row of weights (how often each document was drawn), and all resamples together
are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from taiyi.metrics.measures import Array, Measure, Sums
from taiyi.schema import Score

# Weights are made for this many cells at a time, so that memory stays at some tens of MB for any number of records.
_CELLS = 2_000_000
_ROUNDING = 1e-12
# So many swaps for each resample: p-values of many test sets are multiplied by how many these are, and the smallest has
# to stay below 0.05.
_SWAPS = 10


class Interval(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


def interval(
    sums: Sums, clusters: Sequence[Hashable], *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval | None:
    """Return the interval that holds the middle `level` of a measure's values over resamples.

    Args:
        sums: the measure's sums over records.
        clusters: for each record, what it is drawn with: its document, or itself.

    Resamples in which the measure is undefined are left out. None where there are fewer than two clusters, or no
    resample has a value: then nothing can be said about the spread.
    """
    return intervals([sums], clusters, resamples=resamples, level=level, seed=seed)[0]


def intervals(
    measures: Sequence[Sums],
    clusters: Sequence[Hashable],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Interval | None]:
    """Return the intervals of several measures of the same records, on the same resamples (see `interval`)."""
    drawn = [by_cluster(sums.records, clusters) for sums in measures]
    if not drawn or len(drawn[0]) < 2:
        return [None] * len(measures)
    values: list[list[Array]] = [[] for _ in measures]
    for weights in _weights(len(drawn[0]), resamples, seed):
        for found, sums, records in zip(values, measures, drawn, strict=True):
            found.append(sums.value(weights @ records))
    together = [np.concatenate(found) for found in values]
    return [percentiles(found[~np.isnan(found)], level) for found in together]


class Difference(NamedTuple):
    """How much higher one system scores than another on the same records.

    Attributes:
        value: the difference; None where either score is undefined.
        interval: its percentile interval over resamples.
        p: how probable a difference of this size or more is if the two systems were the same.
    """

    value: float | None
    interval: Interval | None
    p: float | None


def difference(
    measure: Measure,
    ours: Sequence[Score],
    theirs: Sequence[Score],
    clusters: Sequence[Hashable],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Compare two systems on the same records, given in the same order.

    The interval is a paired bootstrap: each resample has the same documents of both systems. The p-value is that of
    approximate randomisation, in which the answers to each document are swapped by chance (Noreen 1989; Yeh,
    COLING 2000), two-sided: (1 + as large) / (1 + swaps), with ten times as many swaps as resamples.
    """
    if not len(ours) == len(theirs) == len(clusters):
        raise ValueError(f"{len(ours)} and {len(theirs)} scores for {len(clusters)} clusters")
    # Over both at once, so that columns mean the same of both.
    records, value = measure.sums([*ours, *theirs])
    left, right = (by_cluster(half, clusters) for half in (records[: len(ours)], records[len(ours) :]))
    found = float((value(left.sum(axis=0, keepdims=True)) - value(right.sum(axis=0, keepdims=True)))[0])
    if np.isnan(found):
        return Difference(None, None, None)
    if len(left) < 2:
        return Difference(found, None, None)
    drawn = np.concatenate([value(w @ left) - value(w @ right) for w in _weights(len(left), resamples, seed)])
    generator = np.random.default_rng(seed)
    swaps = _SWAPS * resamples
    swapped = np.concatenate([_swapped(left, right, value, generator, rows) for rows in _rows_of(len(left), swaps)])
    # What is equal but for rounding is as large.
    as_large = int((np.abs(swapped) >= abs(found) - _ROUNDING).sum())
    return Difference(found, percentiles(drawn[~np.isnan(drawn)], level), (1 + as_large) / (1 + swaps))


def _swapped(
    left: Array, right: Array, value: Callable[[Array], Array], generator: np.random.Generator, rows: int
) -> Array:
    """Return differences after swapping the two systems' answers to each cluster by chance, as [resample]."""
    swaps = generator.integers(0, 2, size=(rows, len(left))).astype(np.float64)
    moved = swaps @ (right - left)
    return value(left.sum(axis=0) + moved) - value(right.sum(axis=0) - moved)


def by_cluster(records: Array, clusters: Sequence[Hashable]) -> Array:
    """Add up the rows of each cluster, in the order in which the clusters first occur."""
    numbers: dict[Hashable, int] = {}
    places = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    if len(places) != len(records):
        raise ValueError(f"{len(places)} clusters for {len(records)} records")
    found = np.zeros((len(numbers), records.shape[1]))
    np.add.at(found, places, records)
    return found


def percentiles(values: Array, level: float) -> Interval | None:
    """Return the interval that holds the middle `level` of values; None where there are none."""
    if not len(values):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _weights(size: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield rows of how often each of `size` clusters was drawn in `size` draws with replacement.

    The rows are multinomial. Counting uniform draws is about four times as fast as numpy's own multinomial.
    """
    generator = np.random.default_rng(seed)
    for rows in _rows_of(size, resamples):
        draws = generator.integers(0, size, size=(rows, size)) + np.arange(rows)[:, None] * size
        yield np.bincount(draws.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def _rows_of(size: int, resamples: int) -> Iterator[int]:
    """Cut resamples of `size` clusters into as many at a time as memory is given to."""
    step = max(1, _CELLS // size)
    return (min(step, resamples - start) for start in range(0, resamples, step))
