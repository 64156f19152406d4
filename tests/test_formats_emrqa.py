"""emrQA: wordings, answers of one part, of several and of none, and notes as text or lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import emrqa
from taiyi.schema import Question, Reject

HEAD: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}


def read(path: Path, qas: object, context: object = "He takes oxil .", **options: Any) -> list[Any]:
    note = {"note_id": "7", "context": context, "qas": qas}
    (path / "data.json").write_text(json.dumps({"data": [{"title": "med", "paragraphs": [note]}]}))
    return list(emrqa.read(path / "data.json", **HEAD, **options))


def asked(*answers: dict[str, Any], question: object = ("What ?", "Which ?")) -> list[dict[str, Any]]:
    return [{"question": question, "answers": list(answers)}]


@pytest.mark.parametrize(
    ("answers", "expected", "longer"),
    [
        ([{"text": "oxil", "evidence": "He takes oxil .\n"}], ("oxil",), "He takes oxil ."),
        ([{"text": "", "evidence": "He takes oxil ."}], ("He takes oxil .",), ""),
        ([{"text": ["a", "b"], "evidence": ["x", "y"]}], ("a, b",), "x\ny"),
        ([{"text": "a", "evidence": "x"}, {"text": "b", "evidence": "x"}, {"text": "a"}], ("a", "b"), "x"),
    ],
)
def test_answers(tmp_path: Path, answers: list[dict[str, Any]], expected: tuple[str, ...], longer: str) -> None:
    assert read(tmp_path, asked(*answers)) == [
        Question(
            id="med-7-0",
            **HEAD,
            kind="context",
            question="What ?",
            answers=expected,
            contexts=("He takes oxil .",),
            long_answer=longer,
        )
    ]


def test_every_wording_can_be_a_question(tmp_path: Path) -> None:
    records = read(tmp_path, asked({"text": "oxil"}), wordings="all")
    assert [(record.id, record.question) for record in records] == [("med-7-0-0", "What ?"), ("med-7-0-1", "Which ?")]


@pytest.mark.parametrize(("lines", "text"), [(["a\n", "b"], "a\nb"), (["a", "b"], "a\nb"), ("a b", "a b")])
def test_notes_are_texts_or_lines(tmp_path: Path, lines: object, text: str) -> None:
    (record,) = read(tmp_path, asked({"text": "oxil"}), lines)
    assert record.contexts == (text,)


@pytest.mark.parametrize(
    ("qas", "context", "reason"),
    [
        (asked(), "x", "question without an answer"),
        (asked({"text": "a"}, question=[]), "x", "malformed question"),
        ([7], "x", "malformed line"),
        ({}, "x", "malformed question"),
        ("what", "x", "malformed line"),
        (asked({"text": "a"}), ["x", 7], "malformed question"),
        (asked({"text": "a"}), "", "invalid record"),
    ],
)
def test_faults_are_rejected(tmp_path: Path, qas: object, context: object, reason: str) -> None:
    items = read(tmp_path, qas, context)
    assert [item.reason for item in items if isinstance(item, Reject)] == ([reason] if context else [])


def test_an_answer_that_is_none_is_rejected_and_the_others_are_kept(tmp_path: Path) -> None:
    reject, record = read(tmp_path, [{"question": ["What ?"], "answers": [["x"], {"text": "oxil"}]}])
    assert (reject.where, reject.reason) == ("data.json:data[0]/0/0", "malformed line")
    assert record.answers == ("oxil",)


def test_a_file_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('{"paragraphs": []}')
    with pytest.raises(FormatError, match="no questions under data"):
        list(emrqa.read(tmp_path / "data.json", **HEAD))
