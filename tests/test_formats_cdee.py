"""CHIP-CDEE: events without offsets, their tendency, and blank arguments."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import names, texts
from taiyi.errors import FormatError
from taiyi.formats import cdee
from taiyi.schema import Argument, Document, Event, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}


def put(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "some.json"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def finding(core: str | None, tendency: str | None = "", character: Any = (), anatomy: Any = ()) -> dict[str, Any]:
    return {"core_name": core, "tendency": tendency, "character": character, "anatomy_list": anatomy}


def test_findings_are_events_with_texts_as_arguments(tmp_path: Path) -> None:
    event = finding("疼痛", "不确定 ", ["隐隐"], ["左腹", "后背"])
    (document,) = cdee.read(
        put(tmp_path, [{"id": 7, "text": "腹痛。", "event": [event, finding("发热", "否定")]}]), **HERE
    )
    assert isinstance(document, Document)
    assert document.id == "7"
    assert document.events == (
        Event(
            id="E1",
            type="临床发现",
            trigger="疼痛",
            arguments=(
                Argument(role="character", kind="text", ref="隐隐"),
                Argument(role="anatomy", kind="text", ref="左腹"),
                Argument(role="anatomy", kind="text", ref="后背"),
            ),
            attributes={"tendency": "不确定"},
        ),
        Event(id="E2", type="临床发现", trigger="发热", attributes={"tendency": "否定"}),
    )


def test_blank_arguments_and_malformed_events_are_rejected(tmp_path: Path) -> None:
    events = [
        finding("食欲", "", [" ", "尚可"]),
        finding("食欲", "", "尚可"),
        finding("食欲", "", [1]),
        {"core_name": "x"},
        5,
    ]
    *rejects, document = cdee.read(put(tmp_path, [{"id": 7, "text": "食欲尚可。", "event": events}]), **HERE)
    assert [reject.reason for reject in rejects if isinstance(reject, Reject)] == [
        "empty argument",
        *["malformed event"] * 4,
    ]
    assert isinstance(document, Document)
    assert [[a.ref for a in event.arguments] for event in document.events] == [["尚可"]]


def test_missing_values_are_empty_ones(tmp_path: Path) -> None:
    (document,) = cdee.read(put(tmp_path, [{"id": "a", "text": "甲", "event": [finding(None, None)]}]), **HERE)
    assert isinstance(document, Document)
    assert document.events == (Event(id="E1", type="临床发现"),)


def test_unlabelled_texts_are_rejected(tmp_path: Path) -> None:
    (reject,) = cdee.read(put(tmp_path, [{"id": 1, "text": "甲"}]), **HERE)
    assert isinstance(reject, Reject)


def test_other_events_are_not_written(tmp_path: Path) -> None:
    entity = Argument(role="theme", kind="text", ref="甲")
    document = Document(**HERE, id="1", text="甲", events=(Event(id="E1", type="临床发现", arguments=(entity,)),))
    with pytest.raises(FormatError, match="findings"):
        cdee.write([document], tmp_path / "some.json")


words = st.lists(texts, max_size=3)
events = st.tuples(texts, st.sampled_from(["", "否定", "不确定"]), words, words)


@given(st.lists(st.tuples(st.integers(0, 99).map(str) | names, texts, st.lists(events, max_size=3)), max_size=3))
def test_written_documents_are_read_again(
    found: list[tuple[str, str, list[tuple[str, str, list[str], list[str]]]]],
) -> None:
    records = [
        Document(
            **HERE,
            id=id,
            text=text,
            events=tuple(
                Event(
                    id=f"E{number}",
                    type="临床发现",
                    trigger=core,
                    arguments=(
                        *(Argument(role="character", kind="text", ref=word) for word in character),
                        *(Argument(role="anatomy", kind="text", ref=word) for word in anatomy),
                    ),
                    attributes={"tendency": tendency} if tendency else {},
                )
                for number, (core, tendency, character, anatomy) in enumerate(each, start=1)
            ),
        )
        for id, text, each in found
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.json"
        cdee.write(records, path)
        assert list(cdee.read(path, **HERE)) == records
