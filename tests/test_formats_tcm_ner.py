"""TCM-NER's JSON: mentions as lists, ends exclusive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from taiyi.formats import tcm_ner
from taiyi.schema import Document, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}


def test_labels_are_mentions_and_candidates_are_not(tmp_path: Path) -> None:
    labels = [["T1", "SYMPTOM", 1, 3, "头痛"], ["T2", "SYMPTOM", 1, 3, "胃痛"], ["T3", "SYMPTOM", 1], {"id": "T4"}]
    item = {"id": 5, "text": " 头痛", "labels": labels, "pseudo": 0, "candidate_entities": ["头"]}
    (tmp_path / "some").write_text(json.dumps([item]), encoding="utf-8")
    mismatch, short, mapping, document = tcm_ner.read(tmp_path / "some", **HERE)
    assert isinstance(mismatch, Reject)
    assert mismatch.reason == "mention does not match the text"
    assert [reject.reason for reject in (short, mapping) if isinstance(reject, Reject)] == ["malformed mention"] * 2
    assert isinstance(document, Document)
    assert (document.id, document.text) == ("5", " 头痛")
    assert [(e.id, e.type, e.text, e.spans[0]) for e in document.entities] == [("T1", "SYMPTOM", "头痛", (1, 3))]


def test_unlabelled_items_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "some").write_text(json.dumps([{"id": 5, "text": "头痛"}]), encoding="utf-8")
    (reject,) = tcm_ner.read(tmp_path / "some", **HERE)
    assert isinstance(reject, Reject)
