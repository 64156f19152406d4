from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi import catalogue, tasks
from taiyi.errors import RecipeError
from taiyi.evaluate import paper, suites
from taiyi.evaluate.aggregate import evaluate, missing, verdict
from taiyi.schema import Counts, Score

NER = suites.get("taiyi13")[0]
PUBMED_QA = next(s for s in suites.get("taiyi13") if s.name == "pubmed_qa")
COUNTS = st.builds(Counts, tp=st.integers(0, 9), fp=st.integers(0, 9), fn=st.integers(0, 9))


def test_micro_f1_by_hand_with_an_unparsable_answer() -> None:
    scores = [
        Score(record="1", counts={"Chemical": Counts(tp=2, fp=1), "Disease": Counts(fn=1)}),
        Score(record="2", counts={"Chemical": Counts(fn=3)}, state="unparsable", reason="no closing tag"),
        Score(record="3"),
    ]
    result = evaluate(NER, scores)
    assert result.value == pytest.approx(4 / 9)
    assert result.precision == pytest.approx(2 / 3)
    assert result.recall == pytest.approx(2 / 6)
    assert result.macro_f1 == pytest.approx((4 / 8 + 0) / 2)
    assert (result.num_records, result.num_unparsable) == (3, 1)
    assert result.parse_failure_rate == pytest.approx(1 / 3)
    assert result.unparsable_reasons == {"no closing tag": 1}
    assert list(result.per_type) == ["Chemical", "Disease"]
    assert (result.per_type["Chemical"].tp, result.per_type["Chemical"].fn) == (2, 3)
    assert result.per_type["Disease"].precision is None
    assert result.paper == paper.TABLE_2["bc5cdr_chemical"]


def test_accuracy_counts_unparsable_answers_as_wrong() -> None:
    scores = [
        Score(record="1", value=1.0),
        Score(record="2", value=1.0),
        Score(record="3", value=0.0),
        Score(record="4", state="unparsable", reason="empty"),
    ]
    result = evaluate(PUBMED_QA, scores)
    assert result.value == 0.5
    assert result.num_unparsable == 1
    assert result.ci_low is not None
    assert result.ci_high is not None
    assert result.ci_low <= 0.5 <= result.ci_high


def test_the_rate_of_unparsable_answers_is_per_answer() -> None:
    scores = [
        Score(record="1", counts={"a": Counts(tp=3, fn=1)}, num_answers=6, unparsable={"empty": 1, "no bracket": 2}),
        Score(record="2", counts={"a": Counts(fn=1)}, state="unparsable", reason="empty", num_answers=2),
        Score(record="3", counts={"a": Counts(tp=1)}, num_answers=4),
    ]
    result = evaluate(NER, scores)
    assert (result.num_records, result.num_answers, result.num_unparsable) == (3, 12, 5)
    assert result.parse_failure_rate == pytest.approx(5 / 12)
    assert result.unparsable_reasons == {"empty": 3, "no bracket": 2}
    assert (result.per_type["a"].tp, result.per_type["a"].fn) == (4, 2)


def test_scores_of_one_record_are_drawn_together() -> None:
    turns = [Score(record="dialogue", value=v) for v in (0.0, 1.0, 1.0)]
    result = evaluate(PUBMED_QA, turns)
    assert result.num_records == 1
    assert result.value == pytest.approx(2 / 3)
    assert result.ci_low is None  # one record says nothing about the spread


def test_records_of_one_cluster_are_drawn_together() -> None:
    scores = [Score(record=f"{i:02}", value=float(i % 8 < 4)) for i in range(40)]
    alone = evaluate(PUBMED_QA, scores)
    fours = evaluate(PUBMED_QA, scores, clusters=[f"pmid:{i // 4}" for i in range(40)])
    assert (alone.value, fours.value) == (0.5, 0.5)
    assert (alone.num_records, alone.num_clusters) == (40, 40)
    assert (fours.num_records, fours.num_clusters) == (40, 10)
    assert alone.ci_low is not None
    assert fours.ci_low is not None
    assert fours.ci_low < alone.ci_low, "ten documents that are right or wrong as a whole say less than forty records"
    assert evaluate(PUBMED_QA, scores, clusters=[f"pmid:{i}" for i in range(40)]) == alone
    whole = evaluate(PUBMED_QA, scores, clusters=["pmid:1"] * 40)
    assert (whole.ci_low, whole.ci_high) == (None, None)


def test_clusters_stand_beside_scores() -> None:
    with pytest.raises(ValueError, match="shorter"):
        evaluate(PUBMED_QA, [Score(record="1", value=1.0), Score(record="2", value=1.0)], clusters=["a"])


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.dictionaries(st.sampled_from("ab"), COUNTS)), max_size=12))
@settings(max_examples=30, deadline=None)
def test_clusters_do_not_depend_on_the_order_of_records(drawn: list[tuple[str, dict[str, Counts]]]) -> None:
    scores = [Score(record=str(i), counts=c) for i, (_, c) in enumerate(drawn)]
    clusters = [cluster for cluster, _ in drawn]
    one = evaluate(NER, scores, clusters=clusters, resamples=20)
    assert one == evaluate(NER, scores[::-1], clusters=clusters[::-1], resamples=20)
    assert one.value == evaluate(NER, scores, resamples=20).value


def test_a_parsed_answer_needs_a_value_where_the_metric_does() -> None:
    with pytest.raises(ValueError, match="1: a parsed answer was given no value"):
        evaluate(PUBMED_QA, [Score(record="1")])


@pytest.mark.parametrize("test_set", [NER, PUBMED_QA])
def test_no_records(test_set: suites.TestSet) -> None:
    result = evaluate(test_set, [])
    assert (result.value, result.ci_low, result.parse_failure_rate, result.num_records) == (None, None, None, 0)


def test_no_gold_and_no_predictions() -> None:
    nothing = evaluate(NER, [Score(record="1"), Score(record="2", counts={"Chemical": Counts()})])
    assert (nothing.value, nothing.precision, nothing.recall, nothing.macro_f1) == (None, None, None, None)
    no_predictions = evaluate(NER, [Score(record=str(i), counts={"Chemical": Counts(fn=2)}) for i in range(3)])
    assert (no_predictions.value, no_predictions.precision, no_predictions.recall) == (0.0, None, 0.0)
    assert (no_predictions.ci_low, no_predictions.ci_high) == (0.0, 0.0)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), COUNTS), max_size=12))
@settings(max_examples=50, deadline=None)
def test_does_not_depend_on_the_order_of_records(counts: list[dict[str, Counts]]) -> None:
    scores = [Score(record=str(i), counts=c) for i, c in enumerate(counts)]
    one, other = evaluate(NER, scores, resamples=20), evaluate(NER, scores[::-1], resamples=20)
    assert one == other
    assert one.value is None or 0 <= one.value <= 1


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.builds(Counts, tp=st.integers(1, 9)), min_size=1), min_size=2)
)
@settings(max_examples=30, deadline=None)
def test_gold_scores_1(counts: list[dict[str, Counts]]) -> None:
    result = evaluate(NER, [Score(record=str(i), counts=c) for i, c in enumerate(counts)], resamples=20)
    assert (result.value, result.ci_low, result.ci_high, result.macro_f1) == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (Score(record="1", counts={"a": Counts(tp=2)}), "right"),
        (Score(record="1"), "right"),
        (Score(record="1", counts={"a": Counts(tp=1, fn=1)}), "partly right: 1 of 2 found, 0 too many"),
        (Score(record="1", counts={"a": Counts(fp=1, fn=2)}), "wrong: 0 of 2 found, 1 too many"),
        (Score(record="1", value=1.0), "right"),
        (Score(record="1", value=0.0), "wrong"),
        (Score(record="1", value=0.314), "scores 0.31"),
        (Score(record="1", state="unparsable", reason="empty"), "unparsable: empty"),
    ],
)
def test_verdict(score: Score, expected: str) -> None:
    assert verdict(score) == expected


def test_missing_set_says_why() -> None:
    chemdner = next(s for s in suites.get("taiyi13") if s.name == "chemdner")
    assert missing(chemdner).missing == "corpus not at hand"
    assert missing(NER, "cut short").missing == "cut short"


def test_suites_hold_the_papers_table_2_in_its_order() -> None:
    assert [s.name for s in suites.get("taiyi13")] == list(paper.TABLE_2)
    assert all(s.paper == paper.TABLE_2[s.name] for s in suites.get("taiyi13"))
    for name in suites.SUITES:
        names = [s.name for s in suites.get(name)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", suites.SUITES)
def test_test_sets_are_what_the_catalogue_declares(name: str) -> None:
    for test_set in suites.get(name):
        corpus = catalogue.get(test_set.corpus)
        assert tasks.listed_as(test_set.task) in corpus.tasks
        assert test_set.split in corpus.splits
        assert set(test_set.langs) <= set(corpus.langs)
        types = corpus.relation_types if test_set.task == "re" else corpus.entity_types
        assert {*(test_set.types or ()), *test_set.merge_types} <= set(types)
        if test_set.missing and test_set.paper:
            checked = {layout.verified for layout in corpus.layouts if test_set.split in layout.files}
            assert checked == {"fixture"}, "the set can be had"


def test_unknown_suite_is_met_with_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'taiyi13'"):
        suites.get("taiyi3")


def test_the_papers_averages_and_totals_follow_from_its_rows() -> None:
    for column in ("taiyi", "chatgpt", "sota"):
        mean = sum(getattr(row, column) for row in paper.TABLE_2.values()) / len(paper.TABLE_2)
        assert mean == pytest.approx(getattr(paper.TABLE_2_AVERAGE, column), abs=0.001)
    total = sum(n or 0 for row in paper.TABLE_1.values() for n in (row.english, row.chinese, row.both))
    assert total == paper.TABLE_1_TOTAL
    for numbers in (*paper.TABLE_3.values(), paper.TABLE_3_ALL):
        harmonic = 2 * numbers.precision * numbers.recall / (numbers.precision + numbers.recall)
        assert harmonic == pytest.approx(numbers.f1, abs=0.0011)
