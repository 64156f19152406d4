from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from taiyi.metrics.f1 import f1, macro_f1, precision, recall, total, total_by_type
from taiyi.schema import Counts

COUNTS = st.builds(Counts, tp=st.integers(0, 50), fp=st.integers(0, 50), fn=st.integers(0, 50))
LABELS = ("a", "b", "c", "d")
LABEL_SETS = st.lists(
    st.tuples(st.sets(st.sampled_from(LABELS)), st.sets(st.sampled_from(LABELS))), min_size=1, max_size=20
)


def counts_of(gold: set[str], predicted: set[str]) -> dict[str, Counts]:
    return {
        name: Counts(
            tp=int(name in gold & predicted), fp=int(name in predicted - gold), fn=int(name in gold - predicted)
        )
        for name in sorted(gold | predicted)
    }


def test_worked_by_hand() -> None:
    counts = {"Chemical": Counts(tp=3, fp=1, fn=2), "Disease": Counts(tp=1, fp=0, fn=4)}
    assert precision(counts["Chemical"]) == pytest.approx(3 / 4)
    assert recall(counts["Chemical"]) == pytest.approx(3 / 5)
    assert f1(counts["Chemical"]) == pytest.approx(2 / 3)
    assert total(counts.values()) == Counts(tp=4, fp=1, fn=6)
    assert f1(total(counts.values())) == pytest.approx(8 / 15)  # precision 4/5, recall 4/10
    assert macro_f1(counts) == pytest.approx((2 / 3 + 1 / 3) / 2)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (Counts(), (None, None, None)),
        (Counts(fn=3), (None, 0.0, 0.0)),
        (Counts(fp=3), (0.0, None, 0.0)),
        (Counts(tp=3), (1.0, 1.0, 1.0)),
    ],
)
def test_nothing_to_divide_by_is_undefined(counts: Counts, expected: tuple[float | None, ...]) -> None:
    assert (precision(counts), recall(counts), f1(counts)) == expected


def test_macro_leaves_out_types_without_gold_and_prediction() -> None:
    assert macro_f1({"a": Counts(tp=1), "b": Counts()}) == 1.0
    assert macro_f1({"b": Counts()}) is None
    assert macro_f1({}) is None


def test_total_by_type_sums_each_type() -> None:
    summed = total_by_type([{"a": Counts(tp=1)}, {"b": Counts(fn=2), "a": Counts(fp=1)}])
    assert summed == {"a": Counts(tp=1, fp=1), "b": Counts(fn=2)}
    assert list(summed) == ["a", "b"]


@given(COUNTS)
def test_f1_is_within_0_and_1_and_between_precision_and_recall(counts: Counts) -> None:
    value, p, r = f1(counts), precision(counts), recall(counts)
    if value is None:
        assert counts == Counts()
        return
    assert 0 <= value <= 1
    if p is not None and r is not None:
        assert min(p, r) - 1e-12 <= value <= max(p, r) + 1e-12
        if p + r:
            assert value == pytest.approx(2 * p * r / (p + r))


@given(st.lists(st.sets(st.sampled_from(LABELS), min_size=1), min_size=1))
def test_gold_scores_1(gold: list[set[str]]) -> None:
    summed = total_by_type([counts_of(labels, labels) for labels in gold])
    assert f1(total(summed.values())) == macro_f1(summed) == 1.0


@given(LABEL_SETS)
def test_agrees_with_scikit_learn_on_multi_label(pairs: list[tuple[set[str], set[str]]]) -> None:
    summed = total_by_type([counts_of(gold, predicted) for gold, predicted in pairs])
    binarizer = MultiLabelBinarizer(classes=LABELS)
    gold = binarizer.fit_transform([g for g, _ in pairs])
    predicted = binarizer.transform([p for _, p in pairs])
    micro = f1(total(summed.values())) or 0.0
    assert micro == pytest.approx(f1_score(gold, predicted, average="micro", zero_division=0))
    used = [LABELS.index(name) for name in summed]  # scikit-learn gives a type that nobody uses a 0 of its own
    if used:
        assert macro_f1(summed) == pytest.approx(
            f1_score(gold, predicted, average="macro", labels=used, zero_division=0)
        )
