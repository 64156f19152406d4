"""Multiple-choice questions: under keys of a corpus's own, BioMRC's columns and lines, Evidence Inference's tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import biomrc, choice, evidence_inference
from taiyi.schema import Option, Question, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}


def put(tmp_path: Path, text: str, name: str = "some.json") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# --- Keys of a corpus's own ------------------------------------------------------------------------------------------

LETTERED: dict[str, Any] = {"option_keys": ("a", "b", "c"), "answer_key": "right", "answer_is": "number"}


def test_the_answer_is_a_number_from_one(tmp_path: Path) -> None:
    row = {"id": "q", "question": "Which?", "a": "x", "b": "y", "c": "y", "right": 3, "why": "So."}
    rows = [row, row | {"right": "2"}, row | {"right": 0}, row | {"right": True}, row | {"right": 4}]
    first, second, *others = choice.read(put(tmp_path, json.dumps(rows)), **HERE, **LETTERED, long_answer_key="why")
    assert isinstance(first, Question)
    # Two options have the same text; the key is the one that the file says.
    assert first.options == (Option(key="A", text="x"), Option(key="B", text="y"), Option(key="C", text="y"))
    assert (first.answers, first.long_answer, first.contexts) == (("C",), "So.", ())
    assert isinstance(second, Question)
    assert second.answers == ("B",)
    assert [item.reason for item in others if isinstance(item, Reject)] == ["answer is no option"] * 3


def test_options_without_an_order_are_sorted_and_the_answer_follows(tmp_path: Path) -> None:
    rows = [
        {"question": "Which gas?", "good": "oxygen", "bad1": "Argon", "bad2": "neon", "about": ""},
        {"question": "Which gas?", "good": "argon", "bad1": "neon", "bad2": "oxygen", "about": "Of gases."},
    ]
    first, second = choice.read(
        put(tmp_path, json.dumps(rows)),
        **HERE,
        option_keys=("good", "bad1", "bad2"),
        answer_key="good",
        ordered=False,
        context_key="about",
    )
    assert isinstance(first, Question)
    assert [o.text for o in first.options] == ["Argon", "neon", "oxygen"]
    assert (first.id, first.answers, first.contexts) == ("0", ("C",), ())
    assert isinstance(second, Question)
    assert (second.id, second.answers, second.contexts) == ("1", ("A",), ("Of gases.",))


def test_candidates_in_a_list_are_numbered(tmp_path: Path) -> None:
    row = {"id": "MH_0", "query": "with X?", "candidates": ["D1", "D2"], "answer": "D2", "supports": ["One.", "Two."]}
    rows = [row, row | {"answer": "D3"}, row | {"candidates": []}, row | {"candidates": [1, 2]}, row | {"answer": None}]
    first, none, *malformed, unanswered = choice.read(
        put(tmp_path, json.dumps(rows)),
        **HERE,
        question_key="query",
        options_key="candidates",
        context_key="supports",
        named="numbers",
        without_answer="no answer",
    )
    assert isinstance(first, Question)
    assert first.options == (Option(key="1", text="D1"), Option(key="2", text="D2"))
    assert (first.id, first.answers, first.contexts) == ("MH_0", ("2",), ("One.", "Two."))
    reasons = [item.reason for item in (none, *malformed, unanswered) if isinstance(item, Reject)]
    assert reasons == ["answer is no option", "malformed line", "malformed line", "no answer"]


def test_more_options_than_letters_are_numbered() -> None:
    assert choice.names(3) == ["A", "B", "C"]
    assert choice.names(26)[-1] == "Z"
    assert choice.names(27)[-1] == "27"


# --- BioMRC ----------------------------------------------------------------------------------------------------------

ENTITIES = ["@entity1 :: ('9', 'Species') :: ['patients', \"Down's\", 'patients']", "@entity2"]


def test_biomrc_columns_and_lines_say_the_same(tmp_path: Path) -> None:
    columns = {"abstracts": ["A @entity1 .", "B"], "titles": ["Of XXXX", "XXXX"], "entities_list": [ENTITIES] * 2}
    columns["answers"] = [ENTITIES[0], "@entity2"]
    lines = [
        dict(zip(("abstract", "title", "entities_list", "answer"), values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]
    one = list(biomrc.read(put(tmp_path, json.dumps(columns), "columns.json"), **HERE))
    assert one == list(biomrc.read(put(tmp_path, "\n".join(map(json.dumps, lines)), "lines.jsonl"), **HERE))
    first, second = one
    assert isinstance(first, Question)
    assert first.options == (Option(key="@entity1", text="patients, Down's"), Option(key="@entity2", text="@entity2"))
    assert (first.question, first.contexts, first.answers) == ("Of XXXX", ("A @entity1 .",), ("@entity1",))
    assert isinstance(second, Question)
    assert second.answers == ("@entity2",)


def test_biomrc_of_lists_that_differ_is_refused(tmp_path: Path) -> None:
    columns = {"abstracts": ["A"], "titles": ["T"], "entities_list": [ENTITIES], "answers": []}
    with pytest.raises(FormatError, match="differ in length"):
        list(biomrc.read(put(tmp_path, json.dumps(columns)), **HERE))


def test_biomrc_answers_are_among_the_entities(tmp_path: Path) -> None:
    item = {"abstract": "A", "title": "XXXX", "entities_list": ENTITIES, "answer": "@entity3 :: x :: ['y']"}
    rejects = list(biomrc.read(put(tmp_path, f"{json.dumps(item)}\n{json.dumps(item | {'title': 7})}\n"), **HERE))
    assert [r.reason for r in rejects if isinstance(r, Reject)] == ["invalid record", "malformed line"]


# --- Evidence Inference ----------------------------------------------------------------------------------------------

PROMPTS = """PromptID,PMCID,Outcome,Intervention,Comparator
1,77,pain,ice,heat
2,77,"cost, all",ice,heat
3,77,sleep,ice,heat
4,77,,ice,heat
5,77,mood,ice,heat
6,88,pain,ice,heat
"""
ANNOTATIONS = """UserID,PromptID,PMCID,Valid Label,Valid Reasoning,Label,Annotations,Label Code,In Abstract
0,1,77,True,True,significantly decreased,"Pain fell
2.1",-1,True
1,1,77,True,True,significantly decreased,Less pain,-1,True
2,1,77,True,True,no significant difference,The same pain,0,True
3,2,77,True,False,significantly increased,Costs rose,1,True
4,2,77,False,True,significantly increased,Costs rose,1,True
5,3,77,True,True,significantly increased,Slept more,1,True
6,3,77,True,True,no significant difference,Slept as much,0,True
7,5,77,True,True,significantly increased,Mood rose,1.0,True
8,6,88,True,True,significantly increased,Pain rose,1,True
"""


def evidence(tmp_path: Path, **options: Any) -> list[Any]:
    put(tmp_path, ANNOTATIONS, "annotations.csv")
    put(tmp_path, "77\n", "splits/train.txt")
    path = put(tmp_path, PROMPTS, "prompts.csv")
    named: dict[str, Any] = {"annotations": "annotations.csv", "articles": "splits/train.txt"} | options
    return list(evidence_inference.read(path, **HERE, **named))


def test_the_answer_is_that_of_most_valid_annotations(tmp_path: Path) -> None:
    first, unanswered, disagreed, incomplete, last = evidence(tmp_path)
    assert isinstance(first, Question)
    assert first == Question(
        id="1",
        kind="choice",
        question="What effect on pain does the trial report for ice, compared with heat?",
        document_ids=("pmcid:PMC77",),
        contexts=("Pain fell\n2.1", "Less pain"),
        options=(
            Option(key="A", text="significantly increased"),
            Option(key="B", text="no significant difference"),
            Option(key="C", text="significantly decreased"),
        ),
        answers=("C",),
        **HERE,
    )
    assert [r.reason for r in (unanswered, disagreed, incomplete)] == [
        "no valid answer", "annotators disagree", "incomplete prompt",
    ]  # fmt: skip
    assert disagreed.where == "prompts.csv:4"
    assert last.answers == ("A",)


def test_flagged_prompts_are_rejected_by_their_reason(tmp_path: Path) -> None:
    first = evidence(tmp_path, flagged={"wrong": (1, 999)})[0]
    assert (first.where, first.reason) == ("prompts.csv:2", "wrong")


def test_missing_lists_and_answers_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"dev\.txt: the list of the articles"):
        evidence(tmp_path, articles="splits/dev.txt")
    with pytest.raises(FormatError, match=r"other\.csv: the answers"):
        evidence(tmp_path, annotations="other.csv")
