from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi.metrics.bootstrap import Interval, micro_f1_interval, ratio_interval
from taiyi.schema import Counts

COUNTS = st.builds(Counts, tp=st.integers(0, 9), fp=st.integers(0, 9), fn=st.integers(0, 9))


def mean_interval(values: list[float], **options: int) -> Interval | None:
    """The interval of a mean, such as accuracy."""
    return ratio_interval(values, [1.0] * len(values), **options)


def test_mean_interval_is_that_of_the_normal_approximation() -> None:
    values = [1.0] * 300 + [0.0] * 700
    interval = mean_interval(values, resamples=4000)
    assert interval is not None
    half = 1.96 * (0.3 * 0.7 / 1000) ** 0.5
    assert interval.low == pytest.approx(0.3 - half, abs=0.004)
    assert interval.high == pytest.approx(0.3 + half, abs=0.004)


def test_micro_f1_agrees_with_a_plain_loop() -> None:
    generator = np.random.default_rng(7)
    records = [Counts(tp=int(a), fp=int(b), fn=int(c)) for a, b, c in generator.integers(0, 6, size=(80, 3))]
    interval = micro_f1_interval([[record] for record in records], resamples=2000)
    values: list[float] = []
    for _ in range(2000):
        drawn = [records[i] for i in generator.integers(0, 80, size=80)]
        tp = sum(c.tp for c in drawn)
        values.append(2 * tp / sum(2 * c.tp + c.fp + c.fn for c in drawn))
    assert interval is not None
    assert interval == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.01)


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    hits = 0
    for trial in range(200):
        interval = mean_interval((generator.random(200) < 0.6).astype(float).tolist(), resamples=300, seed=trial)
        assert interval is not None
        hits += interval.low <= 0.6 <= interval.high
    assert 180 <= hits <= 199


@given(st.lists(st.lists(COUNTS, max_size=3), max_size=30), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_interval_is_ordered_within_0_and_1_and_repeatable(records: list[list[Counts]], seed: int) -> None:
    interval = micro_f1_interval(records, resamples=100, seed=seed)
    assert interval == micro_f1_interval(records, resamples=100, seed=seed)
    if interval is not None:
        assert 0 <= interval.low <= interval.high <= 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_interval_of_a_mean_lies_between_the_extremes(values: list[float]) -> None:
    interval = mean_interval(values, resamples=100)
    assert interval is not None
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


@given(st.floats(0, 1), st.integers(2, 20))
@settings(deadline=None)
def test_records_that_all_score_the_same_give_no_width(value: float, size: int) -> None:
    assert mean_interval([value] * size, resamples=50) == pytest.approx((value, value))


def test_nothing_to_say_is_none() -> None:
    assert mean_interval([]) is None
    assert mean_interval([1.0]) is None
    assert micro_f1_interval([[], []]) is None
    with pytest.raises(ValueError, match="2 numerators for 1 denominators"):
        ratio_interval([1, 2], [1])


def test_result_does_not_depend_on_how_the_resamples_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(50).tolist()
    whole = mean_interval(values)
    monkeypatch.setattr("taiyi.metrics.bootstrap._CELLS", 1000)
    assert mean_interval(values) == pytest.approx(whole)


def test_fast_enough_for_a_large_test_set() -> None:
    records = [[Counts(tp=1, fp=i % 3, fn=i % 2)] for i in range(6000)]
    start = time.perf_counter()
    micro_f1_interval(records)
    assert time.perf_counter() - start < 5  # 0.2 s on an idle machine; the bound leaves room for a busy one
