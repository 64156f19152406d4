"""CHIP-MDCFNPC: dialogues with findings and their polarity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from taiyi.formats import mdcfnpc
from taiyi.schema import Document, Record, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}


def finding(mention: str, start: int, name: str, attr: str = "阳性") -> dict[str, Any]:
    end = start + len(mention)
    return {"name": name, "mention": mention, "range": [start, end], "type": "clinical_findings", "attr": attr}


def read(tmp_path: Path, *utterances: Any) -> list[Record | Reject]:
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps({"dialog_id": 8, "dialog_info": utterances}) + "\n", encoding="utf-8")
    return list(mdcfnpc.read(path, **HERE))


def test_a_dialogue_is_a_document_with_findings(tmp_path: Path) -> None:
    first = {
        "sentence_id": "1",
        "sender": "患者",
        "text": "头晕想吐",
        "ner": [finding("头晕", 0, "头晕"), finding("想吐", 2, "恶心", "其他")],
    }
    second = {"sentence_id": "2", "sender": "医生", "text": "咳嗽吗", "ner": [finding("咳嗽", 0, "咳嗽", "阴性")]}
    (document,) = read(tmp_path, first, second, {"sender": "患者", "text": ""})
    assert isinstance(document, Document)
    assert (document.id, document.text) == ("8", "患者：头晕想吐\n医生：咳嗽吗\n患者：")
    assert [(e.id, e.text, e.spans[0], e.attributes) for e in document.entities] == [
        ("T1", "头晕", (3, 5), {"polarity": "阳性"}),
        ("T2", "想吐", (5, 7), {"polarity": "其他", "name": "恶心"}),
        ("T3", "咳嗽", (11, 13), {"polarity": "阴性"}),
    ]
    assert [(p.type, document.text[slice(*p.span)]) for p in document.passages] == [
        ("患者", "头晕想吐"),
        ("医生", "咳嗽吗"),
    ]


def test_what_cannot_be_kept_is_rejected(tmp_path: Path) -> None:
    wrong = {"sender": "患者", "text": "头晕", "ner": [finding("头", 1, "头"), {"mention": "晕"}, None]}
    *rejects, document = read(tmp_path, wrong, "患者", {"sender": "医生", "text": "好", "ner": 5})
    assert [reject.reason for reject in rejects if isinstance(reject, Reject)] == [
        "mention does not match the text",
        "malformed mention",
        "malformed mention",
        "malformed utterance",
        "malformed mention",
    ]
    assert isinstance(document, Document)
    assert (document.text, document.entities) == ("患者：头晕\n医生：好", ())


def test_a_dialogue_without_utterances_is_rejected(tmp_path: Path) -> None:
    (reject,) = read(tmp_path)
    assert isinstance(reject, Reject)
