"""DrugEHRQA: questions of two files, joined by their wording, with the notes of the admission that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import drugehrqa
from taiyi.schema import Question, Reject

HEAD: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}
NOTES = (
    "HADM_ID,CATEGORY,TEXT\n900101,Discharge summary,One.\n900101,Nursing,Two.\n900101.0,Discharge summary ,Three.\n"
    "900102,Discharge summary,Four.\n,Radiology,Five.\n"
)


def put(path: Path, from_notes: str, from_tables: str) -> Path:
    for name, text in (("notes/query1.xlsx", from_notes), ("structured_queries/query1.csv", from_tables)):
        (path / name).parent.mkdir()
        (path / name).write_text(text)
    (path / "NOTEEVENTS.csv").write_text(NOTES)
    return path / "notes"


def test_answers_of_notes_go_before_those_of_tables(tmp_path: Path) -> None:
    folder = put(
        tmp_path,
        "NL_Question,Answer_Unstructured\nDOSE FOR 900101,(20 MG)\nFORM FOR 900101,TABLET(S)\nROUTE FOR 900199,PO\n"
        "DOSE FOR 900101,(5)\n",
        'NL_Question,SQL_Query,Answer_Structured\nDOSE FOR 900101,SELECT,(20)\nDOSE FOR 900102,SELECT,"(1,2)"\n'
        "WHY FOR 900102,SELECT,\n,SELECT,1\n",
    )
    items = list(drugehrqa.read(folder, **HEAD, notes="../NOTEEVENTS.csv"))
    questions = [item for item in items if isinstance(item, Question)]
    assert [(q.id, q.question, q.answers, q.contexts) for q in questions] == [
        ("query1-1", "DOSE FOR 900101", ("20 MG",), ("One.", "Three.")),
        ("query1-2", "FORM FOR 900101", ("TABLET(S)",), ("One.", "Three.")),
        ("query1-4", "DOSE FOR 900102", ("1,2",), ("Four.",)),
    ]
    assert [item.reason for item in items if isinstance(item, Reject)] == [
        "repeated question",
        "malformed line",
        "question without a note",
        "question without an answer",
    ]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("structured_queries/query1.csv", r"query1.csv: the questions are missing"),
        ("NOTEEVENTS.csv", "the notes are missing"),
        ("notes/query1.xlsx", "the folder has no questions"),
    ],
)
def test_files_that_are_missing(tmp_path: Path, missing: str, said: str) -> None:
    folder = put(tmp_path, "NL_Question,Answer_Unstructured\n", "NL_Question,Answer_Structured\n")
    (tmp_path / missing).unlink()
    with pytest.raises(FormatError, match=said):
        list(drugehrqa.read(folder, **HEAD, notes="../NOTEEVENTS.csv"))
