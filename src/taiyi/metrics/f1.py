"""Precision, recall and F1 from counts: micro, and macro over types.

A ratio whose denominator is 0 is undefined and comes out as None, never as a silent 0 or 1: precision where nothing
was predicted, recall where there is no gold, F1 where there is neither. Where there is gold but no prediction, or the
reverse, F1 is 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from taiyi.schema import Counts


def total(counts: Iterable[Counts]) -> Counts:
    """Sum counts."""
    tp = fp = fn = 0
    for count in counts:
        tp, fp, fn = tp + count.tp, fp + count.fp, fn + count.fn
    return Counts(tp=tp, fp=fp, fn=fn)


def total_by_type(counts: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    """Sum counts type by type, in the order in which the types first occur."""
    grouped: dict[str, list[Counts]] = {}
    for mapping in counts:
        for name, count in mapping.items():
            grouped.setdefault(name, []).append(count)
    return {name: total(group) for name, group in grouped.items()}


def precision(counts: Counts) -> float | None:
    """Return the share of what was predicted that is right; None where nothing was predicted."""
    return _ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: Counts) -> float | None:
    """Return the share of the gold that was found; None where there is no gold."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def f1(counts: Counts) -> float | None:
    """Return the harmonic mean of precision and recall, 2tp / (2tp + fp + fn); None where there is nothing to count."""
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def macro_f1(counts: Mapping[str, Counts]) -> float | None:
    """Return the mean F1 of the types; a type with neither gold nor prediction does not take part."""
    values = [value for count in counts.values() if (value := f1(count)) is not None]
    return math.fsum(values) / len(values) if values else None


def _ratio(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None
