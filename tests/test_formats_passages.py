"""Questions in several wordings, questions about passages, an encyclopaedia and books."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taiyi.formats import book, passage_qa, wordings, xywy
from taiyi.schema import Dialogue, Document, Question, Record, Reject

Read = Callable[..., Iterator[Record | Reject]]


def read(reader: Read, path: Path, **options: Any) -> list[Record | Reject]:
    return list(reader(path, corpus="c", split="train", lang="zh", **options))


def of(reader: Read, tmp_path: Path, *values: Any, encoding: str = "utf-8") -> list[Record | Reject]:
    path = tmp_path / "some.json"
    path.write_text("".join(f"{json.dumps(v, ensure_ascii=False)}\n" for v in values), encoding=encoding)
    return read(reader, path)


@pytest.mark.parametrize("questions", [["甲", "乙", "甲"], [["甲", "乙"]], [["甲"], ["", "乙"]]])
def test_each_wording_is_a_record(tmp_path: Path, questions: Any) -> None:
    items = of(wordings.read, tmp_path, {"questions": questions, "answers": ["答", "又答"]})
    assert [(i.id, i.question, i.answers) for i in items if isinstance(i, Question)] == [
        ("0", "甲", ("答", "又答")),
        ("0.1", "乙", ("答", "又答")),
    ]


@pytest.mark.parametrize(
    "item", [{"questions": [7], "answers": ["x"]}, {"questions": [], "answers": ["x"]}, {"questions": ["x"]}, {}]
)
def test_items_without_wordings_or_answers_are_malformed(tmp_path: Path, item: dict[str, Any]) -> None:
    (reject,) = of(wordings.read, tmp_path, item)
    assert isinstance(reject, Reject)
    assert reject.reason == "malformed line"


def test_questions_about_a_passage(tmp_path: Path) -> None:
    asked = [{"Q": "甲", "A": "乙"}, {"Q": "丙"}, 7]
    items = of(
        passage_qa.read, tmp_path, {"id": 3, "text": "文", "annotations": asked}, {"text": "无", "annotations": []}
    )
    assert items[0] == Question(
        id="3.0", corpus="c", split="train", lang="zh", kind="context", question="甲", contexts=("文",), answers=("乙",)
    )
    reasons = [item.reason for item in items[1:] if isinstance(item, Reject)]
    assert reasons == ["malformed line", "malformed line", passage_qa.WITHOUT_QUESTIONS]


DISEASE = {
    "_id": {"$oid": "5c01"},
    "name": " 某病 ",
    "symptom": ["痛", "", "痒"],
    "cause": " 受凉\n劳累 ",
    "prevent": "",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_disease_is_asked_about_attribute_by_attribute(tmp_path: Path, encoding: str) -> None:
    (item,) = of(xywy.read, tmp_path, DISEASE, encoding=encoding)
    assert isinstance(item, Dialogue)
    assert item.id == "5c01"
    assert [turn.text for turn in item.turns] == ["某病的病因是什么？", "受凉\n劳累", "某病有哪些症状？", "痛、痒"]


def test_diseases_that_say_nothing_are_rejected(tmp_path: Path) -> None:
    items = of(xywy.read, tmp_path, {"name": "甲"}, {"desc": "乙"}, DISEASE | {"desc": 7, "_id": 7})
    assert [item.reason for item in items if isinstance(item, Reject)] == [
        xywy.WITHOUT_ATTRIBUTES,
        "malformed line",
        "malformed line",
    ]
    assert [item.id for item in items if isinstance(item, Dialogue)] == ["2"]


def test_a_book_keeps_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "某书.txt"
    path.write_bytes("第一章\r\n正文\n".encode())
    assert read(book.read, path) == [Document(id="某书", corpus="c", split="train", lang="zh", text="第一章\r\n正文\n")]
    path.write_bytes(b" \n")
    (reject,) = read(book.read, path)
    assert isinstance(reject, Reject)
