from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi.metrics.bootstrap import Difference, Interval, difference, interval
from taiyi.metrics.f1 import total
from taiyi.metrics.measures import ACCURACY, MACRO_F1, MICRO_F1, PEARSON
from taiyi.schema import Counts, Score

COUNTS = st.builds(Counts, tp=st.integers(0, 9), fp=st.integers(0, 9), fn=st.integers(0, 9))


def valued(values: Sequence[float]) -> list[Score]:
    return [Score(record=str(i), value=value) for i, value in enumerate(values)]


def counted(records: Sequence[Sequence[Counts]]) -> list[Score]:
    return [Score(record=str(i), counts={"a": total(record)}) for i, record in enumerate(records)]


def mean_interval(values: list[float], **options: int) -> Interval | None:
    return interval(ACCURACY.sums(valued(values)), range(len(values)), **options)


def micro_f1_interval(records: Sequence[Sequence[Counts]], **options: int) -> Interval | None:
    return interval(MICRO_F1.sums(counted(records)), range(len(records)), **options)


def test_mean_interval_is_that_of_the_normal_approximation() -> None:
    values = [1.0] * 300 + [0.0] * 700
    found = mean_interval(values, resamples=4000)
    assert found is not None
    half = 1.96 * (0.3 * 0.7 / 1000) ** 0.5
    assert found.low == pytest.approx(0.3 - half, abs=0.004)
    assert found.high == pytest.approx(0.3 + half, abs=0.004)


def test_micro_f1_agrees_with_a_plain_loop() -> None:
    generator = np.random.default_rng(7)
    records = [Counts(tp=int(a), fp=int(b), fn=int(c)) for a, b, c in generator.integers(0, 6, size=(80, 3))]
    found = micro_f1_interval([[record] for record in records], resamples=2000)
    values: list[float] = []
    for _ in range(2000):
        drawn = [records[i] for i in generator.integers(0, 80, size=80)]
        tp = sum(c.tp for c in drawn)
        values.append(2 * tp / sum(2 * c.tp + c.fp + c.fn for c in drawn))
    assert found is not None
    assert found == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.01)


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    hits = 0
    for trial in range(200):
        found = mean_interval((generator.random(200) < 0.6).astype(float).tolist(), resamples=300, seed=trial)
        assert found is not None
        hits += found.low <= 0.6 <= found.high
    assert 180 <= hits <= 199


@given(st.lists(st.lists(COUNTS, max_size=3), max_size=30), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_interval_is_ordered_within_0_and_1_and_repeatable(records: list[list[Counts]], seed: int) -> None:
    found = micro_f1_interval(records, resamples=100, seed=seed)
    assert found == micro_f1_interval(records, resamples=100, seed=seed)
    if found is not None:
        assert 0 <= found.low <= found.high <= 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_interval_of_a_mean_lies_between_the_extremes(values: list[float]) -> None:
    found = mean_interval(values, resamples=100)
    assert found is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


@given(st.floats(0, 1), st.integers(2, 20))
@settings(deadline=None)
def test_records_that_all_score_the_same_give_no_width(value: float, size: int) -> None:
    assert mean_interval([value] * size, resamples=50) == pytest.approx((value, value))


def test_nothing_to_say_is_none() -> None:
    assert mean_interval([]) is None
    assert mean_interval([1.0]) is None
    assert micro_f1_interval([[], []]) is None
    with pytest.raises(ValueError, match="1 clusters for 2 records"):
        interval(ACCURACY.sums(valued([1, 0])), ["a"])


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


def test_records_of_one_cluster_are_drawn_together() -> None:
    gold, answers = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0]
    sums = PEARSON.sums([Score(record="", grades=pair) for pair in zip(gold, answers, strict=True)])
    assert interval(sums, "aaaa") is None
    # Both clusters have a slope of their own, so that each resample is one of three sets, each with a correlation.
    found = interval(sums, "aabb")
    assert found is not None
    assert found == (pytest.approx(-1.0), pytest.approx(1.0))


def test_the_interval_of_a_correlation_holds_it_and_narrows_with_more_items() -> None:
    generator = np.random.default_rng(7)
    widths: list[float] = []
    for size in (20, 500):
        gold = generator.normal(size=size)
        answers = gold + generator.normal(size=size)
        scores = [Score(record="", grades=pair) for pair in zip(gold.tolist(), answers.tolist(), strict=True)]
        r, found = PEARSON.of(scores), interval(PEARSON.sums(scores), range(size), seed=1)
        assert r is not None
        assert found is not None
        assert found.low < r < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2
    # Fisher's transformation gives the width in theory, for r about 0.7: 2 · 1.96 · (1 - r²) / √n.
    assert widths[1] == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(500), rel=0.3)


# --- two systems -----------------------------------------------------------------------------------------------------


def test_a_difference_worked_by_hand() -> None:
    # Right on all of four against none: only the two swaps that change nothing, or everything, are as large.
    found = difference(ACCURACY, valued([1, 1, 1, 1]), valued([0, 0, 0, 0]), range(4), resamples=4000)
    assert found.value == 1.0
    assert found.interval == (1.0, 1.0)
    assert found.p == pytest.approx(2 / 16, abs=0.02)


def test_a_system_does_not_differ_from_itself() -> None:
    scores = counted([[Counts(tp=2, fp=1)], [Counts(fn=2)], [Counts(tp=1, fn=1)]])
    for measure in (MICRO_F1, MACRO_F1):
        assert difference(measure, scores, scores, range(3)) == Difference(0.0, Interval(0.0, 0.0), 1.0)


def test_p_is_that_of_the_exact_sign_test() -> None:
    # 9 of 10 documents on which they differ are better: two-sided binomial, (1 + 10) · 2 / 2 ** 10.
    ours, theirs = valued([1.0] * 9 + [0.0] + [1.0] * 30), valued([0.0] * 9 + [1.0] + [1.0] * 30)
    found = difference(ACCURACY, ours, theirs, range(40), resamples=20_000)
    assert found.value == pytest.approx(8 / 40)
    assert found.p == pytest.approx(22 / 1024, abs=0.004)
    assert found.interval is not None
    assert 0 < found.interval.low < 8 / 40 < found.interval.high


def test_p_is_uniform_where_the_systems_are_the_same() -> None:
    generator = np.random.default_rng(5)
    small = 0
    for trial in range(200):
        ours, theirs = ((generator.random(60) < 0.7).astype(float).tolist() for _ in range(2))
        p = difference(ACCURACY, valued(ours), valued(theirs), range(60), resamples=200, seed=trial).p
        assert p is not None
        small += p <= 0.05
    assert small <= 20  # 10 are expected


def test_documents_that_go_together_say_less() -> None:
    ours, theirs = valued([1.0] * 12 + [0.0] * 4), valued([0.0] * 12 + [1.0] * 4)
    alone = difference(ACCURACY, ours, theirs, range(16), resamples=4000)
    fours = difference(ACCURACY, ours, theirs, [i // 4 for i in range(16)], resamples=4000)
    assert alone.value == fours.value == 0.5
    assert alone.p is not None
    assert fours.p is not None
    assert alone.p < 0.1 < fours.p


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=2, max_size=12))
@settings(max_examples=40, deadline=None)
def test_the_other_way_round_is_the_same_with_the_other_sign(pairs: list[tuple[Counts, Counts]]) -> None:
    ours, theirs = (counted([[pair[side]] for pair in pairs]) for side in (0, 1))
    one, other = (
        difference(MICRO_F1, *both, range(len(pairs)), resamples=50) for both in ((ours, theirs), (theirs, ours))
    )
    if one.value is None:
        assert other.value is None
        return
    assert other.value == pytest.approx(-one.value)
    assert one.p == other.p
    assert 0 < (one.p or 0) <= 1
    if one.interval is not None and other.interval is not None:
        assert one.interval == pytest.approx((-other.interval.high, -other.interval.low), abs=1e-9)


def test_scores_of_two_systems_are_of_the_same_records() -> None:
    with pytest.raises(ValueError, match="2 and 1 scores for 2 clusters"):
        difference(ACCURACY, valued([1, 0]), valued([1]), range(2))
