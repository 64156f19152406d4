"""MedDialog's text files, ids of dialogues and questions of several files, and GSM8K's reasoning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import dialogue, gsm8k, meddialog, qa, utterances
from taiyi.schema import Dialogue, Question, Reject, Turn

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}


def put(tmp_path: Path, value: Any, name: str = "some.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


CONSULTATIONS = """id=0
https://example.org/0
Description
Q. May I fly with a cold?

Dialogue
Patient:
Hello,

I have a cold.

Doctor:
Do your ears hurt?

Patient:
No.
Patient:
Not now.

Doctor:
Then you may.


id=1
https://example.org/1
Description
Patient: not a turn

Dialogue
Patient:
Is anyone there?

id=2
https://example.org/2
Description
Nothing.

Dialogue
Doctor:
Hello.
Patient:
Hello.
"""


def test_meddialog_turns_run_to_the_next_speaker(tmp_path: Path) -> None:
    first, unanswered, opening, unasked = meddialog.read(put(tmp_path, CONSULTATIONS, "some.txt"), **HERE)
    assert first == Dialogue(
        id="some-0",
        turns=(
            Turn(role="user", text="Hello,\n\nI have a cold."),
            Turn(role="assistant", text="Do your ears hurt?"),
            Turn(role="user", text="No.\nNot now."),
            Turn(role="assistant", text="Then you may."),
        ),
        **HERE,
    )
    assert isinstance(unanswered, Reject)
    assert (unanswered.where, unanswered.reason) == ("some.txt:24", utterances.UNANSWERED)
    assert isinstance(opening, Reject)
    assert isinstance(unasked, Reject)
    assert (opening.reason, unasked.reason) == (utterances.OPENING, utterances.UNANSWERED)


def test_meddialog_rejects_what_nobody_says(tmp_path: Path) -> None:
    text = "id=3\nDialogue\nstray\nPatient:\nMay I?\nDoctor:\nYou may.\n"
    stray, record = meddialog.read(put(tmp_path, text, "some.txt"), **HERE)
    assert stray == Reject(where="some.txt:1", reason=meddialog.UNSPOKEN, detail="['stray']")
    assert isinstance(record, Dialogue)
    assert [turn.text for turn in record.turns] == ["May I?", "You may."]


def test_meddialog_reads_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(CONSULTATIONS.replace("\n", "\r\n").encode())
    first, *_ = meddialog.read(path, **HERE)
    assert isinstance(first, Dialogue)
    assert first.turns[0].text == "Hello,\n\nI have a cold."


@pytest.mark.parametrize("text", ["", "\n\n", "Patient:\nHello.\n", "prose\n"])
def test_other_files_are_no_consultations(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=r"some\.txt"):
        list(meddialog.read(put(tmp_path, text, "some.txt"), **HERE))


LINE = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=12)


@given(st.lists(st.lists(LINE, min_size=1, max_size=3), min_size=2, max_size=6))
def test_meddialog_loses_nothing_that_is_said(tmp_path_factory: pytest.TempPathFactory, said: list[list[str]]) -> None:
    said = [[f"x{line}" for line in lines] for lines in said]
    speakers = ("Patient:", "Doctor:")
    turns = "\n".join("\n".join((speakers[n % 2], *lines, "")) for n, lines in enumerate(said))
    path = put(tmp_path_factory.mktemp("meddialog"), f"id=5\nDescription\nd\n\nDialogue\n{turns}", "some.txt")
    (record,) = meddialog.read(path, **HERE)
    assert isinstance(record, Dialogue)
    assert [turn.text for turn in record.turns] == ["\n".join(lines) for lines in said]


def test_a_prefix_keeps_ids_of_several_files_apart(tmp_path: Path) -> None:
    turns = [{"role": "user", "text": "a"}, {"role": "assistant", "text": "b"}]
    (record,) = dialogue.read(put(tmp_path, [{"turns": turns}]), id_prefix="tools-", **HERE)
    assert isinstance(record, Dialogue)
    assert record.id == "tools-0"
    (question,) = qa.read(put(tmp_path, [{"id": 4, "question": "Q?", "answer": "x"}]), id_prefix="one-", **HERE)
    assert isinstance(question, Question)
    assert question.id == "one-4"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("", "no answer"), (None, "no answer"), ([], "no answer"), (" ", "no answer"), (7, "malformed line")],
)
def test_questions_without_an_answer_have_their_reason(tmp_path: Path, answer: Any, reason: str) -> None:
    items = [{"question": "Q?", "answer": answer}, {"question": "Q?"}]
    first, second = qa.read(put(tmp_path, items), without_answer="no answer", **HERE)
    assert isinstance(first, Reject)
    assert isinstance(second, Reject)
    assert (first.reason, second.reason) == (reason, "no answer")


def test_gsm8k_reasoning_is_apart_from_the_answer(tmp_path: Path) -> None:
    rows = [
        {"question": "How many?", "answer": "3*4 = <<3*4=12>>12 cups.\nThat is $<<1200=1200>>1,200.\n#### 1,200"},
        {"question": "How many?", "answer": "12"},
        {"question": "How many?", "answer": "None.\n#### "},
    ]
    first, unmarked, empty = gsm8k.read(put(tmp_path, "\n".join(map(json.dumps, rows))), **HERE)
    assert first == Question(
        id="0",
        kind="simple",
        question="How many?",
        answers=("1,200",),
        long_answer="3*4 = 12 cups.\nThat is $1,200.",
        **HERE,
    )
    assert [r.reason for r in (unmarked, empty) if isinstance(r, Reject)] == ["malformed line", "invalid record"]
