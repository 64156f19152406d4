from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taiyi.metrics.correlation import pearson, pearson_interval

GRADES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=2, max_size=30)


def split(pairs: list[tuple[int, int]]) -> tuple[list[float], list[float]]:
    return [g / 100 for g, _ in pairs], [p / 100 for _, p in pairs]


@pytest.mark.parametrize(
    ("gold", "predicted", "r"),
    [
        ([1, 2, 3], [2, 4, 6], 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0),
        # Deviations -1 0 1 and -1 1 0: 1 / √(2 · 2).
        ([1, 2, 3], [1, 3, 2], 0.5),
        # Deviations -1 0 1 and 0 1 0 less a third: no part in common.
        ([1, 2, 3], [0, 1, 0], 0.0),
        ([1, 2, 3], [5, 5, 5], None),
        ([0.1, 0.1, 0.1], [1, 2, 3], None),
        ([1], [1], None),
        ([], [], None),
    ],
)
def test_worked_by_hand(gold: list[float], predicted: list[float], r: float | None) -> None:
    assert pearson(gold, predicted) == (None if r is None else pytest.approx(r, abs=1e-12))


@given(GRADES)
def test_it_is_that_of_the_standard_library(pairs: list[tuple[int, int]]) -> None:
    gold, predicted = split(pairs)
    found = pearson(gold, predicted)
    if len(set(gold)) == 1 or len(set(predicted)) == 1:
        assert found is None
        return
    expected = statistics.correlation(gold, predicted)
    assert found is not None
    assert found == pytest.approx(expected, abs=1e-9)
    assert -1.0 <= found <= 1.0


@given(GRADES, st.floats(0.1, 100), st.floats(-100, 100))
def test_it_does_not_depend_on_the_scale_or_on_which_is_which(
    pairs: list[tuple[int, int]], factor: float, shift: float
) -> None:
    gold, predicted = split(pairs)
    r = pearson(gold, predicted)
    assume(r is not None)
    assert pearson(predicted, gold) == pytest.approx(r, abs=1e-9)
    assert pearson(gold, [factor * p + shift for p in predicted]) == pytest.approx(r, abs=1e-6)
    assert pearson(gold, [-p for p in predicted]) == pytest.approx(-r if r else 0.0, abs=1e-9)
    assert pearson(gold, gold) == pytest.approx(1.0)


def test_sides_of_unequal_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 grades for 2 gold ones"):
        pearson([1, 2], [1])


def test_the_interval_holds_the_value_and_narrows_with_more_items() -> None:
    generator = np.random.default_rng(7)
    widths: list[float] = []
    for size in (20, 500):
        gold = generator.normal(size=size)
        predicted = gold + generator.normal(size=size)
        r = pearson(gold.tolist(), predicted.tolist())
        interval = pearson_interval(gold.tolist(), predicted.tolist(), range(size), seed=1)
        assert r is not None
        assert interval is not None
        assert interval.low < r < interval.high
        assert interval == pearson_interval(gold.tolist(), predicted.tolist(), range(size), seed=1)
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 2
    # Fisher's transformation gives the width in theory, for r about 0.7: 2 · 1.96 · (1 - r²) / √n.
    assert widths[1] == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(500), rel=0.3)


def test_items_of_one_cluster_are_drawn_together() -> None:
    gold, predicted = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0]
    assert pearson_interval(gold, predicted, [0, 0, 0, 0]) is None
    assert pearson_interval([], [], []) is None
    # Both clusters have a slope of their own, so that each resample is one of three sets, each with a correlation.
    interval = pearson_interval(gold, predicted, [0, 0, 1, 1])
    assert interval is not None
    assert (interval.low, interval.high) == (pytest.approx(-1.0), pytest.approx(1.0))
