from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score, precision_score, recall_score

from taiyi.metrics import bootstrap
from taiyi.metrics.measures import (
    ACCURACY,
    MACRO_F1,
    MEASURES,
    MICRO_F1,
    PEARSON,
    SPEARMAN,
    WEIGHTED_F1,
    Measure,
    Rates,
    f1_of,
    ratio_of,
)
from taiyi.schema import Counts, Score

COUNTS = st.builds(Counts, tp=st.integers(0, 9), fp=st.integers(0, 9), fn=st.integers(0, 9))
OF_TYPES = st.lists(st.dictionaries(st.sampled_from("abc"), COUNTS), max_size=12)
GRADES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=2, max_size=30)
LABELS = st.sampled_from("abcd")


def counted(records: Sequence[dict[str, Counts]]) -> list[Score]:
    return [Score(record=str(i), counts=counts) for i, counts in enumerate(records)]


def graded(gold: Sequence[float], answers: Sequence[float]) -> list[Score]:
    return [Score(record=str(i), grades=pair) for i, pair in enumerate(zip(gold, answers, strict=True))]


def valued(values: Sequence[float]) -> list[Score]:
    return [Score(record=str(i), value=value) for i, value in enumerate(values)]


def test_f1s_worked_by_hand() -> None:
    scores = counted([{"a": Counts(tp=3, fp=1), "b": Counts(fn=2)}, {"a": Counts(fn=1), "b": Counts(tp=1, fp=1)}])
    # a: 2·3 / (2·3 + 1 + 1) = 3/4 of 4 gold; b: 2 / (2 + 1 + 2) = 2/5 of 3 gold.
    assert MICRO_F1.of(scores) == pytest.approx(8 / 13)
    assert MACRO_F1.of(scores) == pytest.approx((3 / 4 + 2 / 5) / 2)
    assert WEIGHTED_F1.of(scores) == pytest.approx((4 * 3 / 4 + 3 * 2 / 5) / 7)
    # A type with neither gold nor prediction takes no part, and one without gold has no weight.
    more = [*scores, *counted([{"c": Counts(), "d": Counts(fp=2)}])]
    assert MACRO_F1.of(more) == pytest.approx((3 / 4 + 2 / 5 + 0) / 3)
    assert WEIGHTED_F1.of(more) == pytest.approx((4 * 3 / 4 + 3 * 2 / 5) / 7)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=40))
@settings(deadline=None)
def test_f1s_of_labels_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    scores: list[Score] = []
    for i, (gold, answer) in enumerate(pairs):
        names = {gold, answer}
        counts = {n: Counts(int(gold == answer), int(n == answer != gold), int(n == gold != answer)) for n in names}
        scores.append(Score(record=str(i), counts=counts))
    gold, answers = zip(*pairs, strict=True)
    for measure, average in ((MICRO_F1, "micro"), (MACRO_F1, "macro"), (WEIGHTED_F1, "weighted")):
        assert measure.of(scores) == pytest.approx(f1_score(gold, answers, average=average, zero_division=0))


def test_an_unparsable_answer_has_the_value_0_and_one_without_value_is_an_error() -> None:
    scores = [*valued([1.0, 1.0, 0.0]), Score(record="3", state="unparsable", reason="empty")]
    assert ACCURACY.of(scores) == 0.5
    with pytest.raises(ValueError, match=r"^4: a parsed answer was given no value"):
        ACCURACY.of([*scores, Score(record="4")])
    with pytest.raises(ValueError, match=r"^4: an answer was given no grades"):
        PEARSON.of([Score(record="4", value=1.0)])


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda m: m.name)
def test_of_nothing_there_is_no_value(measure: Measure) -> None:
    assert measure.of([]) is None
    assert bootstrap.interval(measure.sums([]), []) is None


@pytest.mark.parametrize(
    ("gold", "answers", "r"),
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
    ],
)
def test_correlations_worked_by_hand(gold: list[float], answers: list[float], r: float | None) -> None:
    assert PEARSON.of(graded(gold, answers)) == (None if r is None else pytest.approx(r, abs=1e-12))


@given(GRADES)
def test_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    gold, answers = ([pair[side] / 100 for pair in pairs] for side in (0, 1))
    found = PEARSON.of(graded(gold, answers))
    if len(set(gold)) == 1 or len(set(answers)) == 1:
        assert found is None
        return
    assert found is not None
    assert found == pytest.approx(float(pearsonr(gold, answers).statistic), abs=1e-12)
    assert -1.0 <= found <= 1.0


@given(GRADES, st.floats(0.1, 100), st.floats(-100, 100))
def test_correlation_does_not_depend_on_the_scale_or_on_which_is_which(
    pairs: list[tuple[int, int]], factor: float, shift: float
) -> None:
    gold, answers = ([pair[side] / 100 for pair in pairs] for side in (0, 1))
    r = PEARSON.of(graded(gold, answers))
    assume(r is not None)
    assert PEARSON.of(graded(answers, gold)) == pytest.approx(r, abs=1e-9)
    assert PEARSON.of(graded(gold, [factor * a + shift for a in answers])) == pytest.approx(r, abs=1e-6)
    assert PEARSON.of(graded(gold, [-a for a in answers])) == pytest.approx(-r if r else 0.0, abs=1e-9)
    assert PEARSON.of(graded(gold, gold)) == pytest.approx(1.0)


@given(OF_TYPES, st.sampled_from([MICRO_F1, MACRO_F1, WEIGHTED_F1]))
def test_values_are_between_0_and_1_and_follow_from_the_sums_alone(
    records: list[dict[str, Counts]], measure: Measure
) -> None:
    scores = counted(records)
    found = measure.of(scores)
    assert found is None or 0.0 <= found <= 1.0
    assert found == measure.of(scores[::-1])
    # Twice the same records, or all of them as one, is the same score.
    assert measure.of([*scores, *scores]) == (None if found is None else pytest.approx(found))
    addends, value = measure.sums(scores)
    joined = float(value(addends.sum(axis=0, keepdims=True))[0])
    assert (None if np.isnan(joined) else joined) == found


def test_ranks_worked_by_hand() -> None:
    # Ranks 1 2 3 4 and 1 2 4 3: d² = 0 0 1 1, rho = 1 - 6·2 / (4·15).
    assert SPEARMAN.of(graded([0, 1, 2, 9], [5, 6, 8, 7])) == pytest.approx(1 - 12 / 60)
    # Ties share their ranks: 1 2.5 2.5 and 1 2 3 have the covariance of 1.5 in roots of 1.5 and 2.
    assert SPEARMAN.of(graded([1, 2, 2], [1, 2, 3])) == pytest.approx(1.5 / (1.5 * 2) ** 0.5)
    assert SPEARMAN.of(graded([1, 1, 1], [1, 2, 3])) is None
    assert SPEARMAN.of(graded([1], [1])) is None


@given(GRADES)
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    gold, answers = ([pair[side] / 100 for pair in pairs] for side in (0, 1))
    found = SPEARMAN.of(graded(gold, answers))
    if len(set(gold)) == 1 or len(set(answers)) == 1:
        assert found is None
        return
    assert found == pytest.approx(float(spearmanr(gold, answers).statistic), abs=1e-12)


@given(GRADES, st.data())
def test_ranks_of_a_resample_are_those_of_what_is_in_it(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    scores = graded([g for g, _ in pairs], [a for _, a in pairs])
    drawn = data.draw(st.lists(st.integers(0, len(scores) - 1), min_size=1, max_size=20))
    addends, value = SPEARMAN.sums(scores)
    weights = np.bincount(drawn, minlength=len(scores)).astype(np.float64)[None]
    again = SPEARMAN.of([scores[place] for place in drawn])
    found = float(value(weights @ addends)[0])
    assert (None if np.isnan(found) else found) == (None if again is None else pytest.approx(again, abs=1e-12))


def test_rank_correlation_has_an_interval() -> None:
    generator = np.random.default_rng(0)
    gold = generator.normal(size=80)
    scores = graded(gold.tolist(), (gold + generator.normal(size=80)).tolist())
    found = bootstrap.interval(SPEARMAN.sums(scores), range(80))
    assert found is not None
    value = SPEARMAN.of(scores)
    assert value is not None
    assert found.low < value < found.high
    assert 0.1 < found.high - found.low < 0.5


@given(OF_TYPES)
def test_the_rates_of_micro_f1_are_precision_and_recall(records: list[dict[str, Counts]]) -> None:
    scores = counted(records)
    assert MICRO_F1.rates is not None
    precision, recall = MICRO_F1.rates(scores)
    tp, fp, fn = (sum(getattr(c, kind) for r in records for c in r.values()) for kind in ("tp", "fp", "fn"))
    assert precision == (tp / (tp + fp) if tp + fp else None)
    assert recall == (tp / (tp + fn) if tp + fn else None)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=20))
@settings(max_examples=40)
def test_rates_of_labels_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold, answers = ([pair[side] == "a" for pair in pairs] for side in (0, 1))
    scores = [
        Score(record=str(i), counts={"a": Counts(tp=int(g and a), fp=int(a and not g), fn=int(g and not a))})
        for i, (g, a) in enumerate(zip(gold, answers, strict=True))
    ]
    assert MICRO_F1.rates is not None
    precision, recall = MICRO_F1.rates(scores)
    assert (precision or 0.0) == pytest.approx(precision_score(gold, answers, zero_division=0))
    assert (recall or 0.0) == pytest.approx(recall_score(gold, answers, zero_division=0))


def test_measures_of_sums_worked_by_hand() -> None:
    scores = [Score(record="1", sums=(2, 4, 1, 2)), Score(record="2", sums=(1, 2, 1, 2))]
    # 3 of 6 answers right, 2 of 4 found.
    f1 = f1_of("f", "F", 0, 1, 2, 3)
    assert f1.of(scores) == 0.5
    assert f1.rates is not None
    assert f1.rates(scores) == Rates(0.5, 0.5)
    assert ratio_of("r", "R", 2, 3).of(scores) == 0.5
    # The mean of two F1s: of 3 of 6 and 2 of 4, and of 2 of 4 and 3 of 6 the other way.
    both = f1_of("b", "B", 0, 1, 2, 3, 2, 3, 0, 1)
    assert both.of(scores) == 0.5
    assert both.rates is None
    assert f1.of([Score(record="1", sums=(0, 0, 0, 3))]) == 0.0, "gold, and no answer"
    assert f1.of([Score(record="1", sums=(0, 3, 0, 0))]) == 0.0, "an answer, and no gold"
    assert f1.of([Score(record="1", sums=(0, 0, 0, 0))]) is None
    assert ratio_of("r", "R", 0, 1).of([Score(record="1", sums=(0, 0))]) is None


@given(OF_TYPES)
@settings(max_examples=40)
def test_intervals_of_several_measures_are_those_of_each(records: list[dict[str, Counts]]) -> None:
    scores = counted(records)
    measures = [MICRO_F1.sums(scores), MACRO_F1.sums(scores)]
    together = bootstrap.intervals(measures, range(len(scores)), resamples=20)
    assert together == [bootstrap.interval(sums, range(len(scores)), resamples=20) for sums in measures]
