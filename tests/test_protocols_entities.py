"""Protocols of named entities: cases worked by hand, and the scorers that others publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nervaluate.evaluator import Evaluator
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from answers import a_set, asked, mentions, record, spans, together, value, values
from taiyi import tasks
from taiyi.evaluate import protocols
from taiyi.evaluate.protocols import entities
from taiyi.evaluate.run import Answered
from taiyi.metrics.spans import Typed, flat, semeval
from taiyi.schema import Mention, Mentions, Span

NER = a_set("ner")
TYPES = st.sampled_from("ab")
LENGTH = 24
SPANS = st.builds(
    lambda start, size, type: (type, start, min(LENGTH, start + size)),
    st.integers(0, LENGTH - 1),
    st.integers(1, 8),
    TYPES,
)
SETS = st.lists(st.tuples(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6)), min_size=1, max_size=5)


def tagged(number: int, gold: Mentions, answer: Mentions | None, source: str = "x" * LENGTH) -> Answered:
    return record(number, "ner", gold, answer, source=source, tagged=True)


def documents(drawn: Sequence[tuple[Sequence[tuple[str, int, int]], Sequence[tuple[str, int, int]]]]) -> list[Answered]:
    return [
        tagged(n, spans(*dict.fromkeys(gold)), spans(*dict.fromkeys(given))) for n, (gold, given) in enumerate(drawn)
    ]


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_each_mention_counts_by_itself_where_texts_are_one_for_the_paper() -> None:
    # aspirin stands twice in the gold and is found once: for the paper it is found, by spans half of it is.
    gold = mentions(("a", "aspirin", 0), ("a", "aspirin", 10))
    given = mentions(("a", "aspirin", 0))
    records = [tagged(0, gold, given)]
    assert value(NER, "own", records) == 1.0
    found = values(NER, "strict", records)["micro_f1"]
    assert (found.precision, found.recall) == (1.0, 0.5)
    assert found.value == pytest.approx(2 / 3)


def test_a_nested_mention_counts_as_strict_and_not_as_flat() -> None:
    # The gold has [0, 9) and [0, 4) in it; the answer has the inner one and a wrong one. Strict: 1 of 2, 1 of 2 found.
    # Flat: the gold is [0, 9) alone, and both answers are wrong.
    records = [tagged(0, spans(("a", 0, 9), ("a", 0, 4)), spans(("a", 0, 4), ("a", 12, 14)))]
    assert value(NER, "strict", records) == 0.5
    assert value(NER, "blurb", records) == 0.0
    # The outer one alone is right as flat, and half of the gold as strict.
    records = [tagged(0, spans(("a", 0, 9), ("a", 0, 4)), spans(("a", 0, 9)))]
    assert value(NER, "blurb", records) == 1.0
    assert value(NER, "strict", records) == pytest.approx(2 / 3)


def test_a_mention_of_several_parts_is_missed_as_strict_and_left_out_as_flat() -> None:
    gold = Mentions(items=(Mention(type="a", text="left lung"), Mention(type="a", text="lung", span=Span(5, 9))))
    records = [tagged(0, gold, mentions(("a", "lung", 5)))]
    strict = values(NER, "strict", records)["micro_f1"]
    assert (strict.precision, strict.recall) == (1.0, 0.5)
    assert value(NER, "blurb", records) == 1.0
    assert values(NER, "relaxed", records)["overlap_f1"].recall == 0.5
    assert values(NER, "semeval", records)["semeval_strict_f1"].recall == 0.5


def test_a_mention_that_another_window_has_whole_is_one() -> None:
    # Windows [0, 20) and [10, 30) share ten characters. The mention [15, 25) begins in both; the first cuts it.
    cut, whole = Mention(type="a", text="0123456789"), Mention(type="a", text="0123456789", span=Span(5, 15))
    one = asked(0, "ner", Mentions(items=(cut,)), source="x" * 20, tagged=True)
    two = asked(0, "ner", Mentions(items=(whole,)), source="x" * 20, tagged=True, offset=10, part=1)
    answers = [Mentions(), Mentions(items=(whole,))]
    task = tasks.get("ner")
    gold = task.merge([(one, one.gold), (two, two.gold)])
    given = task.merge([(one, answers[0]), (two, answers[1])])
    records = [together([one, two], answers, gold, given)]
    assert entities.unplaced(records[0]) == set()
    assert value(NER, "strict", records) == 1.0
    # Alone, the first window has a mention that no answer can give.
    alone = [together([one], [Mentions()], one.gold, Mentions())]
    assert entities.unplaced(alone[0]) == {("a", "0123456789")}
    assert value(NER, "strict", alone) == 0.0


def test_an_overlap_is_right_and_one_answer_may_find_several() -> None:
    # [0, 10) overlaps the gold [0, 3) and [5, 8); [20, 22) overlaps gold of another type; [12, 14) is not found.
    gold, given = spans(("a", 0, 3), ("a", 5, 8), ("b", 20, 22), ("a", 12, 14)), spans(("a", 0, 10), ("a", 20, 22))
    found = values(NER, "relaxed", [tagged(0, gold, given)])["overlap_f1"]
    assert (found.precision, found.recall) == (0.5, 0.5)
    assert found.value == 0.5


def test_the_schemes_of_semeval_by_hand() -> None:
    # Gold: [0, 4) a, [6, 10) a, [12, 16) b, [20, 22) a. Answers: [0, 4) a is right in all; [6, 9) a has the type and a
    # part; [12, 16) a has the span; [17, 18) a has nothing.
    gold = spans(("a", 0, 4), ("a", 6, 10), ("b", 12, 16), ("a", 20, 22))
    given = spans(("a", 0, 4), ("a", 6, 9), ("a", 12, 16), ("a", 17, 18))
    found = values(NER, "semeval", [tagged(0, gold, given)])
    # 1 of 4; 2 of 4; 2.5 of 4; 2 of 4 (of 4 gold each).
    assert [found[f"semeval_{scheme}_f1"].value for scheme in ("strict", "exact", "partial", "type")] == [
        0.25,
        0.5,
        0.625,
        0.5,
    ]


def test_texts_are_compared_as_uniner_and_instructuie_do() -> None:
    assert entities.uniner("The B-cell  (CD4+)") == "bcell cd4"
    assert entities.uniner("a gene of THE virus.") == "gene of virus"
    assert entities.instructuie(" IL - 2 ,, receptor ") == "il-2,receptor"
    gold, given = mentions(("a", "The B-cell"), ("a", "IL - 2")), mentions(("a", "b-cell"), ("a", "il-2"))
    records = [record(0, "ner", gold, given)]
    assert value(NER, "own", records) == 0.0
    # UniNER: bcell and il 2 in the gold, bcell and il2 in the answer. InstructUIE: the b-cell is not b-cell.
    assert value(NER, "uniner", records) == 0.5
    assert value(NER, "instructuie", records) == 0.5


def test_cblue_takes_the_same_spans_and_promptcblue_the_papers_pairs() -> None:
    test_set = a_set("ner", corpus="cmeee_v2")
    records = [tagged(0, spans(("dis", 0, 2), ("sym", 0, 5)), spans(("dis", 0, 2), ("dis", 3, 5)))]
    assert value(test_set, "cblue", records) == value(test_set, "strict", records) == 0.5
    assert value(test_set, "promptcblue", records) == value(test_set, "own", records)
    assert "cblue" not in [protocol.name for protocol in protocols.of(NER)]


def test_answers_without_offsets_are_not_scored_by_spans() -> None:
    listed = [record(0, "ner", mentions(("a", "x")), mentions(("a", "x")))]
    nothing_answered = [record(0, "ner", mentions(("a", "x")), mentions())]
    unparsable = [record(0, "ner", mentions(("a", "x")), None)]
    for protocol in ("strict", "blurb", "relaxed", "semeval"):
        for records in (listed, nothing_answered, unparsable):
            assert protocols.get(NER, protocol).unfit(records) == entities.NO_OFFSETS
        assert protocols.get(NER, protocol).unfit([tagged(0, spans(), spans())]) == ""
    assert value(NER, "uniner", listed) == 1.0


@pytest.mark.parametrize("protocol", [p.name for p in protocols.of(a_set("ner", corpus="cmeee_v2"))])
def test_no_gold_no_answers_and_unparsable_ones(protocol: str) -> None:
    test_set = a_set("ner", corpus="cmeee_v2")
    nothing = [tagged(0, spans(), spans())]
    assert value(test_set, protocol, nothing) is None
    assert value(test_set, protocol, [tagged(0, spans(), spans(("a", 0, 2)))]) == 0.0
    missed = [tagged(0, spans(("a", 0, 2)), spans())]
    assert value(test_set, protocol, missed) == 0.0
    broken = [tagged(0, spans(("a", 0, 2)), None)]
    assert value(test_set, protocol, broken) == 0.0
    [score] = protocols.get(test_set, protocol).scores(broken).scores
    assert (score.state, score.reason, score.unparsable) == ("unparsable", "empty", {"empty": 1})


# --- beside the scorers that others publish --------------------------------------------------------------------------


STRICT: dict[str, Any] = {"mode": "strict", "scheme": IOB2, "zero_division": 0}


def bio(found: Sequence[Typed]) -> list[str]:
    tags = ["O"] * LENGTH
    for span in found:
        tags[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return tags


@given(SETS)
@settings(max_examples=40)
def test_flat_spans_score_as_seqeval_in_strict_iob2(drawn: list[Any]) -> None:
    assume(any(gold or given for gold, given in drawn))
    gold, given = (
        [bio(flat([Typed(start, end, type) for type, start, end in pair[side]])) for pair in drawn] for side in (0, 1)
    )
    found = values(NER, "blurb", documents(drawn))
    for measure, average in (("micro_f1", "micro"), ("macro_f1", "macro"), ("weighted_f1", "weighted")):
        theirs = f1_score(gold, given, average=average, **STRICT)
        assert (found[measure].value or 0.0) == pytest.approx(theirs, abs=1e-12)
    assert (found["micro_f1"].precision or 0.0) == pytest.approx(precision_score(gold, given, **STRICT), abs=1e-12)
    assert (found["micro_f1"].recall or 0.0) == pytest.approx(recall_score(gold, given, **STRICT), abs=1e-12)


@given(SETS)
@settings(max_examples=40)
def test_each_type_scores_as_seqeval_has_it(drawn: list[Any]) -> None:
    assume(any(gold or given for gold, given in drawn))
    gold, given = (
        [bio(flat([Typed(start, end, type) for type, start, end in pair[side]])) for pair in drawn] for side in (0, 1)
    )
    theirs = classification_report(gold, given, output_dict=True, **STRICT)
    scores = protocols.get(NER, "blurb").scores(documents(drawn)).scores
    for type in "ab":
        counts = [score.counts[type] for score in scores if type in score.counts]
        tp, fp, fn = (sum(getattr(count, kind) for count in counts) for kind in ("tp", "fp", "fn"))
        if tp + fp + fn:
            assert theirs[type]["f1-score"] == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-12)
            assert theirs[type]["support"] == tp + fn


@given(SETS)
def test_the_schemes_of_semeval_are_those_of_nervaluate(drawn: list[Any]) -> None:
    def prodigy(found: list[tuple[str, int, int]]) -> list[dict[str, Any]]:
        # Their ends are inclusive, and the order in which answers are taken decides; ours is that of the text.
        kept = sorted((start, end, type) for type, start, end in dict.fromkeys(found))
        return [{"label": type, "start": start, "end": end - 1} for start, end, type in kept]

    gold, given = ([prodigy(pair[side]) for pair in drawn] for side in (0, 1))
    theirs = Evaluator(gold, given, tags=["a", "b"], loader="dict").evaluate()["overall"]
    found = values(NER, "semeval", documents(drawn))
    for ours, scheme in (("strict", "strict"), ("exact", "exact"), ("partial", "partial"), ("type", "ent_type")):
        result = found[f"semeval_{ours}_f1"]
        assert (result.value or 0.0) == pytest.approx(theirs[scheme].f1, abs=1e-12)
        assert (result.precision or 0.0) == pytest.approx(theirs[scheme].precision, abs=1e-12)
        assert (result.recall or 0.0) == pytest.approx(theirs[scheme].recall, abs=1e-12)


def test_an_overlap_of_less_than_a_hundredth_is_none() -> None:
    gold = [Typed(0, 200, "a")]
    for end, credit in ((1, 0.0), (2, 0.5)):
        assert semeval(gold, [Typed(0, end, "a")])[2] == credit
        answers = [[{"label": "a", "start": 0, "end": end - 1}]]
        theirs = Evaluator([[{"label": "a", "start": 0, "end": 199}]], answers, tags=["a"], loader="dict").evaluate()
        assert theirs["overall"]["partial"].precision == credit


@given(SETS)
def test_scores_are_in_order_of_how_strict_they_are(drawn: list[Any]) -> None:
    records = documents(drawn)
    strict, relaxed = (value(NER, name, records) or 0.0 for name in ("strict", "relaxed"))
    assert strict <= relaxed + 1e-12
    gold = [tagged(n, r.gold, r.gold) for n, r in enumerate(records) if isinstance(r.gold, Mentions)]
    for name in ("own", "strict", "blurb", "relaxed", "semeval", "uniner", "instructuie"):
        assert value(NER, name, gold) in (1.0, None)
