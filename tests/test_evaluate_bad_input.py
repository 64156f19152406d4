"""What goes wrong in an evaluation has its row in the report, or its error; and takes nothing from the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from answers import a_set, asked, mentions
from taiyi.evaluate import report
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.report import RunResult
from taiyi.evaluate.run import answered
from taiyi.evaluate.scoring import score_set
from taiyi.evaluate.suites import TestSet
from taiyi.evaluate.tables import score_table
from taiyi.generate.engine import NO_ROOM
from taiyi.schema import Example, Labels, Mentions, Prediction
from taiyi.steps import predictions
from taiyi.storage import StorageError

TEXT = "zinc and iron"
ZINC = "<drug>zinc</drug> and iron"
GOLD = mentions(("drug", "zinc", 0), ("drug", "iron", 9))
NER, LABELS = a_set("ner"), a_set("tc")


def tagged(number: int, gold: Mentions = GOLD) -> Example:
    example = asked(number, "ner", gold, source=TEXT, tagged=True, types=("drug",))
    assert example.tagging is not None
    return msgspec.structs.replace(example, tagging=msgspec.structs.replace(example.tagging, tags=("drug",)))


def labelled(number: int) -> Example:
    return msgspec.structs.replace(asked(number, "tc", Labels(items=("a",)), types=("a", "b")), form="list")


def given(example: Example, text: str, **more: Any) -> Prediction:
    return Prediction(**{"example": example.id, "text": text, "finish": "stop"} | more)


def result(test_set: TestSet, examples: Sequence[Example], told: Sequence[Prediction]) -> SetResult:
    return score_set(test_set, answered(examples, {p.example: p for p in told}), resamples=10).result


def shown(*results: SetResult) -> tuple[dict[str, str], str, str]:
    """The row of the first result, and the report as Markdown and as a page."""
    run = RunResult(name="r", title="r", description="d", results=results)
    table = score_table(results)
    row = dict(zip((column.name for column in table.columns), table.rows[0].cells, strict=True))
    return row, report.markdown(run), report.html(run)


# --- answers that are not those to the test set ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        (
            (0, 1),
            r"runs/p: s: examples without a prediction; got 1, such as c/test/2#ner@0; expected one for each of 3",
        ),
        ((0,), r"examples without a prediction; got 2, such as c/test/1#"),
        ((0, 1, 2, 2), r"examples with several predictions; got 1, such as c/test/2#"),
        # Those of another version of the suite, with records that this one does not have.
        ((0, 1, 2, 7), r"predictions for something else; got 1, such as c/test/7#"),
        ((7, 8, 9), r"examples without a prediction; got 3, such as c/test/0#"),
    ],
)
def test_predictions_that_are_not_one_for_each_example_are_refused(numbers: Sequence[int], fault: str) -> None:
    asked_for = [tagged(n) for n in range(3)]
    with pytest.raises(StorageError, match=fault):
        predictions.by_example("runs/p: s", asked_for, [given(tagged(n), ZINC) for n in numbers])
    whole = predictions.by_example("runs/p: s", asked_for, [given(example, ZINC) for example in reversed(asked_for)])
    assert [whole[example.id].example for example in asked_for] == [example.id for example in asked_for]


def test_predictions_that_are_damaged_are_named(tmp_path: Path) -> None:
    (tmp_path / "s.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match=r"s\.parquet: not what it should hold"):
        predictions.read(tmp_path, "s")


# --- answers that cannot be scored -----------------------------------------------------------------------------------


def test_a_context_that_is_too_short_has_its_row() -> None:
    examples = [tagged(n) for n in range(4)]
    told = [given(e, ZINC) for e in examples[:3]]
    told.append(given(examples[3], "", finish="refused", reason=NO_ROOM))
    found = result(NER, examples, told)
    # The others count: 3 of 8 found, none too many.
    assert (found.precision, found.recall) == (1.0, 3 / 8)
    assert found.unparsable_reasons == {NO_ROOM: 1}
    row, text, page = shown(found)
    assert (row["Unparsable"], row["n"], row["Ours"]) == ("1 (25.0%)", "4", "54.5")
    assert f"- A set, 1 of 4: {NO_ROOM}: 1" in text
    assert f"1 × {NO_ROOM}" in page


def test_answers_that_nobody_can_read_score_nothing_and_are_counted_by_reason() -> None:
    examples = [labelled(n) for n in range(4)]
    told = [given(examples[0], ""), given(examples[1], "a"), given(examples[2], " \n"), given(examples[3], "\x00{]")]
    found = result(LABELS, examples, told)
    row, text, _ = shown(found)
    assert row["Unparsable"].startswith(f"{found.num_unparsable:,} (")
    assert found.num_unparsable >= 2
    assert sum(found.unparsable_reasons.values()) == found.num_unparsable
    assert "## Answers that could not be parsed" in text
    assert found.recall == 1 / 4
    # All of them: a score of 0 and no crash under any protocol.
    every = result(LABELS, examples, [given(e, "") for e in examples])
    assert (every.value, every.parse_failure_rate) == (0.0, 1.0)
    assert {p.measures[0].value for p in every.protocols if p.measures} == {0.0}


def test_a_label_or_type_outside_of_the_set_is_wrong_and_noted() -> None:
    examples = [labelled(n) for n in range(2)]
    found = result(LABELS, examples, [given(examples[0], "a; weird"), given(examples[1], "weird; odd; a")])
    row, text, _ = shown(found)
    assert "types or labels of answers that are not in the set: 3" in row["Note"]
    assert found.outside == {"weird": 2, "odd": 1}
    assert "weird (not in the set)" in text
    assert (found.precision, found.recall) == (2 / 5, 1.0)


@pytest.mark.parametrize(
    ("gold", "text", "ours", "interval"),
    [
        (mentions(), TEXT, "n/a", "n/a"),
        (mentions(), ZINC, "0.0", "0.0 to 0.0"),
        (GOLD, TEXT, "0.0", "0.0 to 0.0"),
    ],
    ids=["no gold, no answers", "no gold", "no answers"],
)
def test_zero_gold_and_zero_predictions(gold: Mentions, text: str, ours: str, interval: str) -> None:
    examples = [tagged(n, gold) for n in range(3)]
    found = result(NER, examples, [given(e, text) for e in examples])
    row, told, page = shown(found)
    assert (row["Ours"], row["95% interval"], row["Unparsable"], row["n"]) == (ours, interval, "0", "3")
    assert found.per_type.keys() <= {"drug"}
    for protocol in found.protocols:
        assert protocol.measures[0].value in (None, 0.0), protocol.name
    assert not re.search(r"\bnan\b", told + page, re.IGNORECASE)


def test_a_test_set_without_records_is_reported_as_it_is() -> None:
    row, text, _ = shown(result(NER, [], []))
    assert (row["Ours"], row["95% interval"], row["Unparsable"], row["n"]) == ("n/a", "n/a", "n/a", "0")
    assert "A set" in text


def test_an_answer_that_was_cut_counts_as_far_as_it_is_whole_and_is_noted() -> None:
    examples = [
        asked(n, "ner", mentions(("drug", "zinc"), ("drug", "iron")), source=TEXT, types=("drug",)) for n in range(2)
    ]
    told = [given(examples[0], "drug: zinc; ir", finish="length"), given(examples[1], "dru", finish="length")]
    found = result(NER, examples, told)
    row, _, _ = shown(found)
    assert "answers cut at the limit of tokens: 2" in row["Note"]
    assert (found.precision, found.recall) == (1.0, 1 / 4)
    assert found.unparsable_reasons == {"the answer was cut within its first item": 1}
