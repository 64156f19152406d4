"""CHIP-CDN: a term is a document that one mention fills; standard terms are joined by `##`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import texts
from taiyi.errors import FormatError
from taiyi.formats import cdn
from taiyi.schema import Concept, Document, Entity, Reject, Span

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}
OPTIONS: dict[str, Any] = {"type": "诊断", "db": "ICD"}


def put(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def term(id: str, text: str, *standard: str) -> Document:
    concepts = tuple(Concept(db="ICD", id=name) for name in standard)
    mention = Entity(id="T1", type="诊断", text=text, spans=(Span(0, len(text)),), concepts=concepts)
    return Document(**HERE, id=id, text=text, entities=(mention,))


def test_terms_keep_their_order_and_repetitions(tmp_path: Path) -> None:
    items = [
        {"text": " 肺Ca术后", "normalized_result": "肺癌##术后##肺癌"},
        {"text": "胃炎", "normalized_result": "胃炎"},
    ]
    found = list(cdn.read(put(tmp_path, json.dumps(items)), **HERE, **OPTIONS))
    assert found == [term("0", " 肺Ca术后", "肺癌", "术后", "肺癌"), term("1", "胃炎", "胃炎")]


def test_tables_are_read_by_their_columns(tmp_path: Path) -> None:
    path = put(tmp_path, "原始词,标准词\r\n阑尾切除,阑尾切除术##探查\r\n")
    assert list(cdn.read(path, **HERE, **OPTIONS, text_key="原始词", target_key="标准词")) == [
        term("0", "阑尾切除", "阑尾切除术", "探查")
    ]


def test_terms_without_answer_are_rejected(tmp_path: Path) -> None:
    items = [{"text": "胃炎"}, {"text": " ", "normalized_result": "x"}, {"text": 1, "normalized_result": "x"}]
    found = list(cdn.read(put(tmp_path, json.dumps(items)), **HERE, **OPTIONS))
    assert all(isinstance(item, Reject) and item.reason == "malformed line" for item in found)
    assert len(found) == 3


def test_empty_standard_terms_are_rejected_and_the_others_kept(tmp_path: Path) -> None:
    reject, document = cdn.read(
        put(tmp_path, json.dumps([{"text": "胃炎", "normalized_result": "胃炎##"}])), **HERE, **OPTIONS
    )
    assert isinstance(reject, Reject)
    assert reject.reason == "empty standard term"
    assert document == term("0", "胃炎", "胃炎")


@pytest.mark.parametrize("standard", [(), ("a##b",), (" a",), ("a#", "b")])
def test_what_cannot_be_told_apart_is_not_written(tmp_path: Path, standard: tuple[str, ...]) -> None:
    with pytest.raises(FormatError):
        cdn.write([term("0", "胃炎", *standard)], tmp_path / "some")


standard_terms = st.lists(texts.map(str.strip).filter(lambda name: name and "#" not in name), min_size=1, max_size=4)


@given(st.lists(st.tuples(texts, standard_terms), max_size=4))
def test_written_terms_are_read_again(found: list[tuple[str, list[str]]]) -> None:
    records = [term(str(index), text, *names) for index, (text, names) in enumerate(found)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.json"
        cdn.write(records, path)
        assert list(cdn.read(path, **HERE, **OPTIONS)) == records
