"""Protocols together: which apply, what results and reports hold of them, and what is kept of each record."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from answers import a_set, asked, mentions, record, spans, together
from taiyi import storage, tasks
from taiyi.errors import RecipeError
from taiyi.evaluate import protocols, report, suites, ungrounded
from taiyi.evaluate.aggregate import SetResult, evaluate, missing
from taiyi.evaluate.protocol_tables import described, protocol_line, protocol_table
from taiyi.evaluate.report import RunResult
from taiyi.evaluate.run import Answered
from taiyi.evaluate.scoring import ScoreRow, score_set
from taiyi.evaluate.tables import outside_note, score_table, type_table, ungrounded_note
from taiyi.metrics.measures import Measure
from taiyi.schema import Choice, Labels, Triple, Triples

NER = a_set("ner")
SOURCE = "aspirin and codeine for headache"


def answered(number: int, *given: tuple[str, int, int], parsed: bool = True) -> Answered:
    gold = spans(("drug", 0, 7), ("drug", 12, 19), ("symptom", 24, 32))
    answer = spans(*given) if parsed else None
    return record(number, "ner", gold, answer, source=SOURCE, tagged=True, types=("drug", "symptom"))


RECORDS = [
    answered(0, ("drug", 0, 7), ("drug", 12, 19), ("symptom", 24, 32)),
    answered(1, ("drug", 0, 7), ("drug", 24, 32)),
    answered(2, ("drug", 0, 19)),
    answered(3, parsed=False),
]


# --- which apply -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", suites.SUITES)
def test_every_test_set_has_one_protocol_of_a_name_its_own_and_its_score_first(name: str) -> None:
    for test_set in suites.get(name):
        found = protocols.of(test_set)
        names = [protocol.name for protocol in found]
        assert len(set(names)) == len(names), test_set.name
        assert protocols.OWN in names
        assert found[0].name == (test_set.protocol or protocols.OWN)
        assert found[0].measures[0].name == test_set.metric
        for protocol in found:
            measures = [measure.name for measure in protocol.measures]
            assert len(set(measures)) == len(measures)
            assert protocol.about.endswith(".")
            assert protocol.title


@pytest.mark.parametrize("task", tasks.names())
def test_every_task_has_its_own_protocol_and_most_have_others(task: str) -> None:
    test_set = a_set(task, metric=tasks.get(task).metric)
    found = protocols.of(test_set)
    assert found[0].name == protocols.OWN
    assert len(found) > 1


def test_protocols_name_tasks_and_corpora_that_there_are() -> None:
    from taiyi import catalogue

    for protocol in protocols.PROTOCOLS:
        assert protocol.tasks <= set(tasks.names()), protocol.name
        assert protocol.corpora <= set(catalogue.names()), protocol.name


def test_grades_have_their_correlations_and_no_labels() -> None:
    [graded] = suites.get("biosses")
    [own] = protocols.of(graded)
    assert [measure.name for measure in own.measures] == ["pearson", "spearman"]
    [own] = protocols.of(msgspec_replaced(graded, metric="spearman"))
    assert own.measures[0].name == "spearman"


def msgspec_replaced(test_set: suites.TestSet, **changes: str) -> suites.TestSet:
    from dataclasses import replace

    return replace(test_set, **changes)  # pyright: ignore[reportArgumentType]


def test_what_a_set_does_not_have_is_met_with_a_suggestion() -> None:
    with pytest.raises(
        RecipeError, match=r"a_set: no such protocol for this test set; got strikt. Did you mean 'strict'"
    ):
        protocols.get(NER, "strikt")
    with pytest.raises(RecipeError, match=r"a_set: no such protocol .* got blub. Did you mean 'blurb'"):
        protocols.of(a_set("ner", protocol="blub"))
    with pytest.raises(RecipeError, match=r"the protocol own has no such metric; got acuracy"):
        protocols.of(a_set("ner", metric="acuracy"))


# --- results ---------------------------------------------------------------------------------------------------------


def test_a_set_is_scored_under_all_protocols_from_one_set_of_answers() -> None:
    result, rows, own = score_set(NER, RECORDS, resamples=20)
    names = [protocol.name for protocol in result.protocols]
    assert names == [protocol.name for protocol in protocols.of(NER)]
    assert {row.protocol for row in rows} == set(names)
    assert len(rows) == len(names) * len(RECORDS)
    alone = evaluate(NER, own, clusters=[r.cluster for r in RECORDS], resamples=20)
    assert (result.value, result.ci_low, result.ci_high) == (alone.value, alone.ci_low, alone.ci_high)
    assert (result.precision, result.recall, result.macro_f1) == (alone.precision, alone.recall, alone.macro_f1)
    assert result.per_type == alone.per_type
    assert (result.num_records, result.num_unparsable, result.parse_failure_rate) == (4, 1, 0.25)
    strict = next(protocol for protocol in result.protocols if protocol.name == "strict")
    assert [measure.name for measure in strict.measures] == ["micro_f1", "macro_f1", "weighted_f1"]
    # 4 of 6 answers are right, of 12 in the gold.
    assert (strict.measures[0].precision, strict.measures[0].recall) == (pytest.approx(4 / 6), pytest.approx(4 / 12))
    assert strict.per_type["drug"].tp == 3
    assert strict.measures[0].ci_low is not None


def test_the_score_of_a_set_is_that_of_its_protocol() -> None:
    test_set = a_set("ner", protocol="semeval", metric="semeval_partial_f1")
    result = score_set(test_set, RECORDS, resamples=20).result
    first = result.protocols[0]
    assert (first.name, first.measures[0].name) == ("semeval", "semeval_partial_f1")
    assert (result.metric, result.value) == ("semeval_partial_f1", first.measures[0].value)
    assert result.ci_low == first.measures[0].ci_low
    # Types and labels are those of the first protocol that counts them.
    assert list(result.per_type) == ["drug", "symptom"]
    [row] = [row for row in score_table([result]).rows if row.kind == "plain"]
    assert row.cells[0] == "ner, partial F1, SemEval-2013 (nervaluate)"


def test_answers_that_a_protocol_cannot_score_have_no_value_and_say_why() -> None:
    listed = [record(0, "ner", mentions(("a", "x")), mentions(("a", "x")))]
    result, rows, _ = score_set(NER, listed, resamples=5)
    strict = next(protocol for protocol in result.protocols if protocol.name == "strict")
    assert (strict.measures, strict.missing) == ((), "the form of the answers gives no offsets")
    assert "strict" not in {row.protocol for row in rows}
    assert result.value == 1.0
    # Where it is the set's own, the set has no score, and its note tells.
    official = score_set(a_set("ner", protocol="blurb"), listed, resamples=5).result
    assert official.value is None
    assert official.note == "not scored as flat spans (BLURB): the form of the answers gives no offsets"
    assert next(p for p in official.protocols if p.name == "own").measures[0].value == 1.0


def test_no_records_and_nothing_in_them() -> None:
    for records in ([], [record(0, "ner", spans(), spans(), source="x", tagged=True)]):
        result = score_set(NER, records, resamples=5).result
        assert result.value is None
        assert all(measure.value is None for protocol in result.protocols for measure in protocol.measures)


def test_results_do_not_depend_on_the_order_of_records() -> None:
    one, other = score_set(NER, RECORDS, resamples=20), score_set(NER, RECORDS[::-1], resamples=20)
    assert one.result == other.result


def test_scores_are_kept_so_that_two_systems_can_be_compared(tmp_path: Path) -> None:
    result, rows, _ = score_set(NER, RECORDS, resamples=5)
    storage.write_parquet(rows, tmp_path / "scores.parquet", ScoreRow)
    kept = list(storage.read_parquet(tmp_path / "scores.parquet", ScoreRow))
    assert [row.score() for row in kept] == [row.score() for row in rows]
    assert [(row.protocol, row.cluster, row.tp) for row in kept] == [
        (row.protocol, row.cluster, row.tp) for row in rows
    ]
    for protocol in protocols.of(NER):
        scores = [row.score() for row in kept if row.protocol == protocol.name]
        told = next(p for p in result.protocols if p.name == protocol.name)
        for measure, of in zip(protocol.measures, told.measures, strict=True):
            assert isinstance(measure, Measure)
            assert measure.of(scores) == of.value


# --- what answers say that nobody gave them to say -------------------------------------------------------------------


def triples(*items: tuple[str, str, str]) -> Triples:
    return Triples(items=tuple(Triple(head=head, tail=tail, type=type) for head, tail, type in items))


def test_mentions_that_the_source_does_not_have_are_counted() -> None:
    gold = triples(("aspirin", "headache", "treats"), ("codeine", "pain", "treats"))
    given = triples(("aspirin", "migraine", "treats"), ("Aspirin", "headache", "cures"))
    records = [
        record(0, "re", gold, given, source=SOURCE, types=("treats",)),
        record(1, "re", gold, None, source=SOURCE, types=("treats",)),
        record(2, "re", gold, given, types=("treats",)),
    ]
    # aspirin, migraine, Aspirin, headache: two are not in the source; of the gold, pain is not, twice. The last record
    # has no source.
    answers, of_gold = ungrounded.mentioned(records)
    assert answers == (4, 2)
    assert of_gold == (8, 2)
    result = score_set(a_set("re"), records, resamples=5).result
    assert ungrounded_note(result) == "mentions that the source does not have: 2 (50.0%; of the gold 25.0%)"
    assert result.outside == {"cures": 2}
    assert outside_note(result) == "types or labels of answers that are not in the set: 2"


def test_a_mention_of_any_window_is_in_the_source() -> None:
    windows = [asked(0, "ner", mentions(), source=text, part=n) for n, text in enumerate(("aspirin", "codeine"))]
    given = mentions(("drug", "codeine"), ("drug", "heroin"))
    records = [together(windows, [given, given], mentions(), given)]
    assert ungrounded.mentioned(records)[0] == (2, 1)


def test_a_label_outside_of_the_set_is_counted_wrong_and_named() -> None:
    records = [
        record(0, "tc", Labels(items=("a",)), Labels(items=("a", "weird")), types=("a", "b")),
        record(1, "tc", Labels(items=("b",)), Labels(items=("weird",)), types=("a", "b")),
    ]
    result = score_set(a_set("tc"), records, resamples=5).result
    assert result.outside == {"weird": 2}
    assert (result.precision, result.recall) == (pytest.approx(1 / 3), 1 / 2)
    assert [row.cells[0] for row in type_table(result).rows] == [
        "a",
        "b",
        "weird (not in the set)",
        "All (micro)",
        "All (macro)",
    ]


# --- reports ---------------------------------------------------------------------------------------------------------


def run_of(*results: SetResult) -> RunResult:
    return RunResult(name="r", title="R", description="d", results=results)


def results() -> list[SetResult]:
    chosen = [record(0, "qa_mc", Choice(key="A"), None, types="AB")]
    listed: Sequence[Answered] = [record(0, "ner", mentions(("a", "x")), mentions(("a", "x")))]
    return [
        score_set(NER, RECORDS, resamples=20).result,
        score_set(a_set("qa_mc", metric="accuracy"), chosen, resamples=20).result,
        score_set(msgspec_replaced(NER, title="Listed <b>"), listed, resamples=5).result,
    ]


def test_results_are_read_back_and_those_without_protocols_too(tmp_path: Path) -> None:
    run = run_of(*results(), missing(NER))
    paths = report.write(run, tmp_path)
    assert report.load(paths.json) == run
    old = json.loads(paths.json.read_text())
    for result in old["results"]:
        for key in (
            "protocols",
            "outside",
            "num_mentions",
            "num_ungrounded",
            "num_gold_mentions",
            "num_gold_ungrounded",
        ):
            result.pop(key, None)
    paths.json.write_text(json.dumps(old))
    read = report.load(paths.json)
    assert [result.protocols for result in read.results] == [()] * 4
    assert "Under other protocols" not in report.html(read)
    assert score_table(read.results).rows[0].cells[0] == "ner, micro-F1"


def test_a_table_shows_each_protocol_and_what_counts() -> None:
    first, questions, listed = results()
    table = protocol_table(first)
    names = [column.name for column in table.columns]
    assert names == ["Protocol", "Measure", "Value", "95% interval", "P", "R", "n", "What counts as right"]
    assert all(len(row.cells) == len(names) for row in table.rows)
    rows = [row.cells for row in table.rows]
    assert [cells[0] for cells in rows if cells[0]][:3] == ["own", "strict spans", "flat spans (BLURB)"]
    strict = next(cells for cells in rows if cells[0] == "strict spans")
    assert strict[1:3] == ("micro-F1", "44.4")
    assert strict[4:7] == ("66.7", "33.3", "4 records")
    assert strict[7].startswith("Each mention by itself")
    # Choices have no precision and recall.
    assert "P" not in [column.name for column in protocol_table(questions).columns]
    unfit = next(row for row in protocol_table(listed).rows if row.cells[0] == "strict spans")
    assert unfit.kind == "missing"
    assert unfit.cells[-1] == "not scored: the form of the answers gives no offsets"
    # Of one type there is nothing to take the mean of.
    assert "macro-F1" not in [row.cells[1] for row in protocol_table(listed).rows]


def test_the_summary_has_a_line_for_each_set_below_the_table() -> None:
    found = results()
    assert protocol_line(found[1]) == "MIRAGE 100.0, answers that can be read n/a"
    assert protocol_line(missing(NER)) == ""
    buffer = io.StringIO()
    report.print_summary(run_of(*found, missing(NER)), Console(file=buffer, width=200, color_system=None))
    shown = buffer.getvalue()
    assert shown.count("The same answers under other protocols") == 1
    assert "  A set: MIRAGE 100.0, answers that can be read n/a" in shown
    page, text = report.html(run_of(*found)), report.markdown(run_of(*found))
    assert page.count("<h2>Under other protocols</h2>") == text.count("## Under other protocols") == 1
    assert "Listed &lt;b&gt;" in page
    assert "not scored: the form of the answers gives no offsets" in text


def test_markdown_says_once_what_each_protocol_counts_and_folds_what_there_is_of_every_set() -> None:
    first, questions, listed = results()
    text = report.markdown(run_of(first, questions, msgspec.structs.replace(first, title="Another"), listed))
    about = next(protocol.about for protocol in first.protocols if protocol.name == "strict")
    assert text.count(about) == 1
    # Ways of one name that differ by task say which task they are of.
    assert "**own (ner)**" in text and "**own (qa\\_mc)**" in text and "**strict spans**:" in text
    assert described([first, first]) == [(p.title, p.about) for p in first.protocols]
    folded = text.partition("## Under other protocols")[2].partition("## By type")[0]
    assert re.findall(r"<summary>(.*)</summary>", folded) == ["A set", "A set", "Another", "Listed \\<b\\>"]
    assert folded.count("<details>") == folded.count("</details>") == 4
    # Why one cannot be scored so stays.
    assert "not scored: the form of the answers gives no offsets" in folded


def test_rows_of_a_protocol_are_scores_with_what_they_are_drawn_with() -> None:
    rows = score_set(NER, RECORDS, resamples=5).scores
    assert (rows[0].protocol, rows[0].cluster, rows[0].state) == ("own", "c/test/0", "parsed")
    assert [row.score() for row in rows if row.protocol == "own"] == [record.score() for record in RECORDS]
    assert [(row.tp, row.fp, row.fn) for row in rows if row.protocol == "own"] == [
        (3, 0, 0),
        (1, 1, 2),
        (0, 1, 3),
        (0, 0, 3),
    ]
    broken = [row for row in rows if row.record == "c/test/3"]
    assert {(row.state, row.reason, row.num_unparsable) for row in broken} == {("unparsable", "empty", 1)}
    assert all(math.isnan(row.value) for row in rows if row.protocol == "own")
    chosen = [record(0, "qa_mc", Choice(key="A"), Choice(key="A"), types="AB")]
    assert {row.value for row in score_set(a_set("qa_mc", metric="accuracy"), chosen, resamples=5).scores} >= {1.0}
