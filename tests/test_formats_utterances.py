"""Dialogues as utterances with marks, as lists of objects, as plain text; and the arrays that they stand in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import json_stream, meddg, meddialog, utterances
from taiyi.schema import Dialogue, Question, Record, Reject

Read = Callable[..., Iterator[Record | Reject]]


def read(reader: Read, path: Path, **options: Any) -> list[Record | Reject]:
    return list(reader(path, corpus="c", split="train", lang="zh", **options))


def of(reader: Read, tmp_path: Path, value: Any, **options: Any) -> list[Record | Reject]:
    path = tmp_path / "some.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return read(reader, path, **options)


def said(item: Record | Reject) -> list[tuple[str, str]]:
    assert isinstance(item, Dialogue)
    return [(turn.role, turn.text) for turn in item.turns]


def test_what_one_speaker_says_in_several_utterances_is_joined(tmp_path: Path) -> None:
    (item,) = of(utterances.read, tmp_path, [["病人：甲", "病人： 乙 ", "病人：", "医生：丙", "医生：丁"]])
    assert said(item) == [("user", "甲\n乙"), ("assistant", "丙\n丁")]


def test_what_the_doctor_says_first_is_rejected_on_its_own(tmp_path: Path) -> None:
    reject, item = of(utterances.read, tmp_path, [["医生：你好", "病人：甲", "医生：乙"]])
    assert reject == Reject(where="some.json[0]", reason=utterances.OPENING, detail="'你好'")
    assert said(item) == [("user", "甲"), ("assistant", "乙")]


@pytest.mark.parametrize("utterance", [["病人：甲"], ["医生：乙"], [], ["病人：", "医生：乙"]])
def test_a_dialogue_without_an_answer_is_rejected(tmp_path: Path, utterance: list[str]) -> None:
    *_, reject, item = of(utterances.read, tmp_path, [utterance, ["病人：甲", "医生：乙"]])
    assert isinstance(reject, Reject)
    assert reject.reason == utterances.UNANSWERED
    assert item.id == "1" if isinstance(item, Dialogue) else False


@pytest.mark.parametrize("item", [["谁：甲"], [7], {"x": 1}, "病人：甲", None])
def test_other_lists_are_malformed(tmp_path: Path, item: Any) -> None:
    (reject,) = of(utterances.read, tmp_path, [item])
    assert isinstance(reject, Reject)
    assert reject.reason == "malformed line"


def test_lists_under_a_key_may_be_questions(tmp_path: Path) -> None:
    items = [{"data": ["问：甲", "答：乙"]}, {"data": ["问：甲", "答：乙", "问：丙", "答：丁"]}]
    lines = "".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in items)
    marks = {"问：": "user", "答：": "assistant"}
    one, other = of(utterances.read, tmp_path, lines, key="data", marks=marks, questions=True)
    assert one == Question(id="0", corpus="c", split="train", lang="zh", kind="simple", question="甲", answers=("乙",))
    assert len(said(other)) == 4


def test_marks_within_a_text(tmp_path: Path) -> None:
    text = " <user>: 甲<3？ <bot>: 乙\n<user>: 丙"
    (item,) = of(utterances.read_inline, tmp_path, [{"instruction": text, "output": "丁"}])
    assert said(item) == [("user", "甲<3？"), ("assistant", "乙"), ("user", "丙"), ("assistant", "丁")]


@pytest.mark.parametrize(
    "item",
    [{"instruction": "甲 <user>: 乙", "output": "丙"}, {"instruction": "甲", "output": "丙"}, {"output": "丙"}, {}],
)
def test_a_text_that_does_not_begin_with_a_mark_is_malformed(tmp_path: Path, item: dict[str, str]) -> None:
    (reject,) = of(utterances.read_inline, tmp_path, [item])
    assert isinstance(reject, Reject)
    assert reject.reason == "malformed line"


# --- Arrays -----------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=8,
)


@settings(max_examples=60)
@given(values=st.lists(JSON, max_size=6), indent=st.sampled_from([None, 1]), block=st.integers(1, 9))
def test_elements_are_those_of_the_array(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int | None, block: int
) -> None:
    path = tmp_path_factory.mktemp("nested") / "some.json"
    path.write_text(json.dumps(values, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_BLOCK_CHARS", block)
        assert list(json_stream.elements(path)) == [(f"some.json[{n}]", value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a JSON array"), ("{}", "not a JSON array"), ("[1", "not whole JSON"), ("[1,", "not whole JSON"),
        ("[1 2]", "a comma was expected"), ("[,1]", "not whole JSON"), ("[1]x", "something stands behind"),
        ("[1,]", "not whole JSON"), (f"[{'[' * 5000}", "not whole JSON"), (f"[{'9' * 5000}]", "not whole JSON"),
    ],
)  # fmt: skip
def test_what_is_no_array_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=said):
        list(json_stream.elements(path))


def test_an_element_that_holds_no_text_is_rejected(tmp_path: Path) -> None:
    items = of(utterances.read, tmp_path, '[["病人：\\ud83d", "医生：乙"], ["病人：甲", "医生：乙"]]')
    assert isinstance(items[0], Reject)
    assert said(items[1]) == [("user", "甲"), ("assistant", "乙")]


@settings(max_examples=40)
@given(
    rows=st.lists(st.tuples(JSON, JSON), max_size=5),
    other=JSON,
    indent=st.sampled_from([None, 1]),
    block=st.integers(1, 9),
)
def test_columns_are_those_of_the_object(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, Any]], other: Any, indent: int | None, block: int
) -> None:
    path = tmp_path_factory.mktemp("columns") / "some.json"
    value = {"one": [a for a, _ in rows], "other": other, "two": [b for _, b in rows], "more": [1]}
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_BLOCK_CHARS", block)
        assert json_stream.first_key(path) == "one"
        found = list(json_stream.columns(path, ("two", "one")))
    assert found == [(f"some.json[{n}]", {"two": b, "one": a}) for n, (a, b) in enumerate(rows)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "not a JSON object"), ("", "not a JSON object"), ('{"a": [1]}', "a list is missing"), ("{}", "missing"),
        ('{"a": [1], "b": []}', "differ in length"), ('{"a": [1], "b": [2', "ends within"),
        ('{"a": [1] "b"}', "missing"),
        ('{"a" [1]}', "a colon was expected"), ('{"a"', "a colon was expected"), ('{"a": 1, "b":', "ends within"),
    ],
)  # fmt: skip
def test_objects_without_the_columns_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=said):
        list(json_stream.columns(path, ("a", "b")))


@pytest.mark.parametrize("text", ["", "[1]", "{}", "{7}", "x"])
def test_a_file_without_a_first_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text, encoding="utf-8")
    assert json_stream.first_key(path) == ""


# --- MedDG and MedDialog ----------------------------------------------------------------------------------------------


def test_utterances_as_objects(tmp_path: Path) -> None:
    dialogue = [{"id": "Patients", "Sentence": "甲", "Symptom": ["x"]}, {"id": "Doctor", "Sentence": "乙"}]
    (item,) = of(meddg.read, tmp_path, [dialogue])
    assert said(item) == [("user", "甲"), ("assistant", "乙")]


def test_a_history_with_its_response(tmp_path: Path) -> None:
    (item,) = of(
        meddg.read, tmp_path, [{"id": "d1", "history": ["患者：甲", "医生：乙", "患者：丙"], "response": "丁"}]
    )
    assert said(item) == [("user", "甲"), ("assistant", "乙"), ("user", "丙"), ("assistant", "丁")]


@pytest.mark.parametrize(
    "item", [[{"id": "Nurse", "Sentence": "甲"}], [{"id": "Doctor"}], {"history": ["甲"], "response": "乙"}, 7]
)
def test_other_dialogues_are_malformed(tmp_path: Path, item: Any) -> None:
    (reject,) = of(meddg.read, tmp_path, [item])
    assert isinstance(reject, Reject)
    assert reject.reason == "malformed line"


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new_train.pk"
    path.write_bytes(b"\x80\x04]\x94.")
    with pytest.raises(FormatError, match="could run any code"):
        read(meddg.read, path)


CONSULTATIONS = """id=1
https://x

Dialogue
病人：
甲
乙
医生：
丙

Diagnosis and suggestions
病人：
丁
id=2
Description
"""


def test_consultations_as_text(tmp_path: Path) -> None:
    path = tmp_path / "2019.txt"
    path.write_text(CONSULTATIONS, encoding="utf-8")
    item, reject = read(meddialog.read, path)
    assert said(item) == [("user", "甲\n乙"), ("assistant", "丙")]
    assert item.id == "2019-1" if isinstance(item, Dialogue) else False
    assert reject == Reject(where="2019.txt:14", reason=meddialog.WITHOUT_DIALOGUE, detail="consultation 2019-2")
