"""DiaKG: documents of paragraphs of sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from taiyi.formats import diakg
from taiyi.schema import Argument, Document, Record, Reject, Relation

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}
ENTITIES = [
    {"entity_id": "T1", "entity": "2型糖尿病", "entity_type": "Disease", "start_idx": 0, "end_idx": 5},
    {"entity_id": "T2", "entity": "2型", "entity_type": "Class", "start_idx": 0, "end_idx": 2},
]


def relation(head: str, tail: str) -> dict[str, str]:
    return {"relation_id": "R1", "relation_type": "Class_Disease", "head_entity_id": head, "tail_entity_id": tail}


def sentence(**more: Any) -> dict[str, Any]:
    return {"sentence_id": "3", "sentence": "2型糖尿病多见。", "entities": ENTITIES, "relations": [], **more}


def read(tmp_path: Path, *paragraphs: Any) -> list[Record | Reject]:
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"doc_id": "7", "paragraphs": paragraphs}, indent=1), encoding="utf-8")
    return list(diakg.read(path, **HERE))


def test_a_sentence_is_a_record(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        {"paragraph_id": "0", "sentences": [sentence(relations=[relation("T2", "T1")])]},
        {"paragraph_id": "1", "sentences": [{"sentence_id": "0", "sentence": "随访。"}]},
    )
    assert isinstance(first, Document)
    assert (first.id, first.document_ids) == ("7.0.3", ("diakg:7",))
    assert [(e.id, e.text) for e in first.entities] == [("T1", "2型糖尿病"), ("T2", "2型")]
    ends = (Argument(role="head", kind="entity", ref="T2"), Argument(role="tail", kind="entity", ref="T1"))
    assert first.relations == (Relation(id="R1", type="Class_Disease", arguments=ends),)
    assert isinstance(second, Document)
    assert (second.id, second.entities) == ("7.1.0", ())


def test_what_cannot_be_kept_is_rejected(tmp_path: Path) -> None:
    *rejects, document = read(
        tmp_path,
        None,
        {"paragraph_id": "0", "sentences": [5]},
        {"paragraph_id": "1", "sentences": [sentence(relations=[relation("T2", "T9"), 1], entities=[*ENTITIES, {}])]},
    )
    assert [(reject.where, reject.reason) for reject in rejects if isinstance(reject, Reject)] == [
        ("some.json[0]", "malformed paragraph"),
        ("some.json[0]", "malformed sentence"),
        ("some.json[0]/1.3", "malformed mention"),
        ("some.json[0]/1.3", "argument outside the sentence"),
        ("some.json[0]/1.3", "malformed relation"),
    ]
    assert isinstance(document, Document)
    assert len(document.entities) == 2
