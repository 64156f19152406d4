"""Scores of a test set that follow from sums over its records.

Micro-, macro- and weighted F1, means, Pearson's r and what protocols add up in `Score.sums` all do. Ranks do too:
Spearman's rho sums up how often each pair of grades occurs. So the value of a test set, its bootstrap interval and the
paired comparison of two systems are one computation for all of them (see metrics.bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taiyi.metrics import f1
from taiyi.metrics.f1 import total
from taiyi.schema import Counts, Score

# Below this share of the squares that they are the difference of, variances are rounding.
_ROUNDING = 1e-12

Array = NDArray[np.float64]


class Sums(NamedTuple):
    """What a measure adds up, and what it makes of the sums.

    Attributes:
        records: the addends of each record, as [record, column].
        value: from sums, as [resample, column], the values, as [resample]; NaN where there is none.
    """

    records: Array
    value: Callable[[Array], Array]


class Rates(NamedTuple):
    """The precision and recall that an F1 is of; None where they are undefined."""

    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Measure:
    """A score of a test set that follows from sums over its records.

    Attributes:
        name: as in results and options, such as `micro_f1`.
        title: as reports show it.
        sums: what it adds up over the scores of records. Raises ValueError where a score lacks what it needs.
        rates: of an F1, what it is of; None for other scores.
    """

    name: str
    title: str
    sums: Callable[[Sequence[Score]], Sums]
    rates: Callable[[Sequence[Score]], Rates] | None = None

    def of(self, scores: Sequence[Score]) -> float | None:
        """Return the value over records; None where it is undefined."""
        addends, value = self.sums(scores)
        found = float(value(addends.sum(axis=0, keepdims=True))[0])
        return None if np.isnan(found) else found


def _micro_f1(scores: Sequence[Score]) -> Sums:
    counts = [total(score.counts.values()) for score in scores]
    return Sums(_array([(2 * c.tp, 2 * c.tp + c.fp + c.fn) for c in counts], 2), _ratio)


def _macro_f1(scores: Sequence[Score]) -> Sums:
    """The mean F1 of the types; one with neither gold nor prediction does not take part."""

    def value(sums: Array) -> Array:
        f1, _ = _by_type(sums)
        there = ~np.isnan(f1)
        return _divided(np.where(there, f1, 0.0).sum(axis=1), there.sum(axis=1).astype(np.float64))

    return Sums(_counts_by_type(scores), value)


def _weighted_f1(scores: Sequence[Score]) -> Sums:
    """The mean F1 of the types, each as often as there is gold of it."""

    def value(sums: Array) -> Array:
        f1, gold = _by_type(sums)
        return _divided((np.nan_to_num(f1) * gold).sum(axis=1), gold.sum(axis=1))

    return Sums(_counts_by_type(scores), value)


def _mean(scores: Sequence[Score]) -> Sums:
    """The mean of the records' values; an unparsable answer has 0."""
    return Sums(_array([(_value(score), 1.0) for score in scores], 2), _ratio)


def _pearson(scores: Sequence[Score]) -> Sums:
    """Pearson's correlation of the grades with the gold ones; that of fewer than two, or of equal grades, is none."""
    graded = [_grades(score) for score in scores]
    g, p = (_standard([pair[side] for pair in graded]) for side in (0, 1))
    return Sums(np.stack([np.ones_like(g), g, p, g * g, p * p, g * p], axis=1), _correlation)


def _spearman(scores: Sequence[Score]) -> Sums:
    """Spearman's correlation, Pearson's of ranks, equal grades sharing their mean rank.

    Ranks change with what is drawn; how often each distinct pair of grades is drawn adds up, and ranks follow from it.
    """
    graded = [_grades(score) for score in scores]
    pairs = sorted(set(graded))
    places = {pair: place for place, pair in enumerate(pairs)}
    records = np.zeros((len(graded), len(pairs)))
    records[np.arange(len(graded)), [places[pair] for pair in graded]] = 1.0
    gold, answers = (np.array([pair[side] for pair in pairs]) for side in (0, 1))

    def value(sums: Array) -> Array:
        if not len(pairs):
            return np.full(len(sums), np.nan)
        middle = (sums.sum(axis=1, keepdims=True) + 1) / 2
        g, a = (_ranks(sums, grades) - middle for grades in (gold, answers))
        squares = (sums * g * g).sum(axis=1) * (sums * a * a).sum(axis=1)
        return np.clip(_divided((sums * g * a).sum(axis=1), np.sqrt(squares)), -1.0, 1.0)

    return Sums(records, value)


def _micro_rates(scores: Sequence[Score]) -> Rates:
    found = total(count for score in scores for count in score.counts.values())
    return Rates(f1.precision(found), f1.recall(found))


def ratio_of(name: str, title: str, top: int, bottom: int) -> Measure:
    """Return the measure that is the ratio of two columns of `Score.sums`, such as a mean, whose second are ones."""
    return Measure(name, title, lambda scores: Sums(columns_of(scores, (top, bottom)), _ratio))


def f1_of(name: str, title: str, *columns: int) -> Measure:
    """Return the measure that is the F1 of columns of `Score.sums`.

    Args:
        columns: which are what is right of the answers, all of the answers, what is found of the gold, and all of the
            gold. Where there are eight or twelve, the measure is the mean of the F1s of each four.
    """

    def value(sums: Array) -> Array:
        fours = sums.reshape(len(sums), -1, 4)
        return np.stack([_harmonic(fours[:, place]) for place in range(fours.shape[1])]).mean(axis=0)

    def rates(scores: Sequence[Score]) -> Rates:
        right, answered, found, gold = columns_of(scores, columns).sum(axis=0).tolist()
        return Rates(right / answered if answered else None, found / gold if gold else None)

    return Measure(
        name, title, lambda scores: Sums(columns_of(scores, columns), value), rates if len(columns) == 4 else None
    )


MICRO_F1 = Measure("micro_f1", "micro-F1", _micro_f1, _micro_rates)
MACRO_F1 = Measure("macro_f1", "macro-F1", _macro_f1)
WEIGHTED_F1 = Measure("weighted_f1", "weighted F1", _weighted_f1)
ACCURACY = Measure("accuracy", "accuracy", _mean)
CHRF = Measure("chrf", "chrF", _mean)
PEARSON = Measure("pearson", "Pearson's r", _pearson)
SPEARMAN = Measure("spearman", "Spearman's rho", _spearman)

MEASURES = {m.name: m for m in (MICRO_F1, MACRO_F1, WEIGHTED_F1, ACCURACY, CHRF, PEARSON, SPEARMAN)}


def _array(rows: Sequence[tuple[float, ...]], width: int) -> Array:
    return np.asarray(rows, dtype=np.float64).reshape(-1, width)


def columns_of(scores: Sequence[Score], columns: Sequence[int]) -> Array:
    """Return some columns of what a protocol adds up, as [record, column]."""
    for score in scores:
        if len(score.sums) <= max(columns):
            raise ValueError(f"{score.record}: {len(score.sums)} sums were given, and this measure needs more")
    return _array([tuple(score.sums[column] for column in columns) for score in scores], len(columns))


def _ratio(sums: Array) -> Array:
    return _divided(sums[:, 0], sums[:, 1])


def _harmonic(sums: Array) -> Array:
    """Return the F1 of right, answered, found, gold; undefined where there is neither gold nor answer."""
    right, answered, found, gold = sums.T
    precision, recall = (np.nan_to_num(_divided(*pair)) for pair in ((right, answered), (found, gold)))
    there = (answered != 0) | (gold != 0)
    either = precision + recall
    return np.where(there, np.nan_to_num(_divided(2 * precision * recall, either)), np.nan)


def _ranks(counts: Array, values: Array) -> Array:
    """Return the mean ranks of values, as [resample, value], where each is there as often as its count says."""
    order = np.argsort(values, kind="stable")
    _, starts, numbers = np.unique(values[order], return_index=True, return_inverse=True)
    totals = np.add.reduceat(counts[:, order], starts, axis=1)
    ranks = np.empty_like(counts)
    ranks[:, order] = (np.cumsum(totals, axis=1) - totals + (totals + 1) / 2)[:, numbers]
    return ranks


def _divided(numerators: Array, denominators: Array) -> Array:
    return np.divide(numerators, denominators, out=np.full(len(numerators), np.nan), where=denominators != 0)


def _counts_by_type(scores: Sequence[Score]) -> Array:
    """Return true and false positives and false negatives of each type, as [record, 3 * type]."""
    names = sorted({name for score in scores for name in score.counts})
    nothing = Counts()
    rows = [tuple(x for name in names for x in _three(score.counts.get(name, nothing))) for score in scores]
    return _array(rows, 3 * len(names)) if names else np.zeros((len(scores), 0))


def _three(counts: Counts) -> tuple[int, int, int]:
    return counts.tp, counts.fp, counts.fn


def _by_type(sums: Array) -> tuple[Array, Array]:
    """Return the F1 of each type, NaN where it is undefined, and how much gold there is of it."""
    tp, fp, fn = sums.reshape(len(sums), -1, 3).transpose(2, 0, 1)
    found = 2 * tp + fp + fn
    return np.divide(2 * tp, found, out=np.full(tp.shape, np.nan), where=found != 0), tp + fn


def _value(score: Score) -> float:
    if score.state == "unparsable":
        return 0.0
    if score.value is None:
        raise ValueError(f"{score.record}: a parsed answer was given no value, which this measure needs")
    return score.value


def _grades(score: Score) -> tuple[float, float]:
    if score.grades is None:
        raise ValueError(f"{score.record}: an answer was given no grades, which this measure needs")
    return score.grades


def _standard(grades: Sequence[float]) -> Array:
    """Return grades less their mean, in parts of the largest: correlation does not change, and rounding is less."""
    values = np.asarray(grades, dtype=np.float64)
    if not len(values):
        return values
    centred = values - values.mean()
    # Equal grades differ from their mean by rounding, which is no variance.
    most = float(np.abs(centred).max())
    return centred / most if most > _ROUNDING * float(np.abs(values).max()) else np.zeros_like(values)


def _correlation(sums: Array) -> Array:
    n, g, p, gg, pp, gp = sums.T
    var_g, var_p = n * gg - g * g, n * pp - p * p
    there = (n >= 2) & (var_g > _ROUNDING * n * gg) & (var_p > _ROUNDING * n * pp)
    found = np.full(len(sums), np.nan)
    both = np.sqrt(var_g[there]) * np.sqrt(var_p[there])
    found[there] = np.clip((n * gp - g * p)[there] / both, -1.0, 1.0)
    return found
