"""IMCS-V2: one file, four tasks; and the aligned files of its authors' baseline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import imcs, imcs_aligned
from taiyi.schema import Concept, Document, Labelled, Record, Reject, TextToText

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}
NAMES: dict[str, Any] = {**HERE, "db": "norms"}
ASKED: dict[str, Any] = {
    "sentence_id": "1",
    "speaker": "医生",
    "sentence": "发烧吗",
    "dialogue_act": "Request-Symptom",
    "BIO_label": "B-Symptom I-Symptom O",
    "symptom_norm": ["发热"],
    "symptom_type": ["2"],
}
TOLD: dict[str, Any] = {
    "sentence_id": "2",
    "speaker": "患者",
    "sentence": "吃了美林,不烧",
    "dialogue_act": "Inform-Symptom",
    "BIO_label": "O O B-Drug I-Drug O O B-Symptom",
    "symptom_norm": ["发热"],
    "symptom_type": [0],
}


def put(tmp_path: Path, *utterances: Any, **more: Any) -> Path:
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"77": {"dialogue": utterances, **more}}, ensure_ascii=False), encoding="utf-8")
    return path


def only(found: list[Record | Reject]) -> Document:
    (document,) = found
    assert isinstance(document, Document)
    return document


def test_a_dialogue_is_a_document(tmp_path: Path) -> None:
    document = only(list(imcs.read(put(tmp_path, ASKED, TOLD), **NAMES)))
    assert document.text == "医生：发烧吗\n患者：吃了美林,不烧"
    assert (document.id, document.document_ids) == ("77", ("imcs:77",))
    assert [(p.type, document.text[slice(*p.span)]) for p in document.passages] == [
        ("医生", "发烧吗"),
        ("患者", "吃了美林,不烧"),
    ]
    assert [(e.id, e.type, e.text, e.attributes) for e in document.entities] == [
        ("T1", "Symptom", "发烧", {"status": "uncertain"}),
        ("T2", "Drug", "美林", {}),
        ("T3", "Symptom", "烧", {"status": "absent"}),
    ]
    assert document.entities[2].concepts == (Concept(db="norms", id="发热"),)


def test_symptoms_of_the_whole_dialogue_are_events(tmp_path: Path) -> None:
    path = put(tmp_path, ASKED, TOLD, implicit_info={"Symptom": {"发热": "0", "咳嗽": "1", "吐": "9"}})
    reject, document = imcs.read(path, **NAMES, symptoms_only=True)
    assert isinstance(reject, Reject)
    assert isinstance(document, Document)
    assert [entity.text for entity in document.entities] == ["发烧", "烧"]
    assert [(e.id, e.trigger, e.attributes) for e in document.events] == [
        ("E1", "发热", {"status": "absent"}),
        ("E2", "咳嗽", {"status": "present"}),
    ]


@pytest.mark.parametrize("labels", ["O O", "O O O O", "X-Symptom O O", "B- O O", "B-Symptom  O", "", None, 5])
def test_labels_that_do_not_fit_leave_the_text_without_entities(tmp_path: Path, labels: Any) -> None:
    reject, document = imcs.read(put(tmp_path, {**ASKED, "BIO_label": labels}), **NAMES)
    assert isinstance(reject, Reject)
    assert reject.reason == "labels do not fit the text"
    assert isinstance(document, Document)
    assert (document.text, document.entities) == ("医生：发烧吗", ())


@pytest.mark.parametrize("norms", [[], ["发热", "咳嗽"], [1], "发热"])
def test_symptoms_that_do_not_fit_stay_without_names(tmp_path: Path, norms: Any) -> None:
    reject, document = imcs.read(put(tmp_path, {**ASKED, "symptom_norm": norms}), **NAMES)
    assert isinstance(reject, Reject)
    assert reject.reason == "symptoms do not fit the labels"
    assert isinstance(document, Document)
    assert [(e.text, e.concepts, e.attributes) for e in document.entities] == [("发烧", (), {})]


def test_an_inside_without_a_beginning_begins_a_mention(tmp_path: Path) -> None:
    path = put(tmp_path, {**ASKED, "BIO_label": "I-Drug B-Drug I-Operation", "symptom_norm": [], "symptom_type": []})
    assert [(e.type, e.text) for e in only(list(imcs.read(path, **NAMES))).entities] == [
        ("Drug", "发"),
        ("Drug", "烧"),
        ("Operation", "吗"),
    ]


def test_utterances_have_acts(tmp_path: Path) -> None:
    first, second, reject = imcs.read_acts(put(tmp_path, ASKED, TOLD, {**TOLD, "dialogue_act": None}), **HERE)
    assert isinstance(first, Labelled)
    assert (first.id, first.text, first.labels) == ("77.1", "医生：发烧吗", ("Request-Symptom",))
    assert isinstance(second, Labelled)
    assert isinstance(reject, Reject)


def test_each_report_is_a_record(tmp_path: Path) -> None:
    reports = [{"主诉": "发热。", "建议": ""}, {"主诉": "烧"}, {}, None]
    path = put(tmp_path, ASKED, **{"self-report": "烧了", "report": reports})
    one, other, *rejects = imcs.read_reports(path, **HERE)
    assert isinstance(one, TextToText)
    assert (one.id, one.source, one.target) == ("77.1", "自述：烧了\n医生：发烧吗", "主诉：发热。\n建议：")
    assert isinstance(other, TextToText)
    assert (other.id, other.kind, other.target) == ("77.2", "report", "主诉：烧")
    assert [reject.reason for reject in rejects if isinstance(reject, Reject)] == ["malformed report"] * 2


@pytest.mark.parametrize("read", [imcs.read_acts, imcs.read_reports])
def test_malformed_parts_are_rejected(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"1": None, "2": {"dialogue": 5}, "3": {"dialogue": [7]}}), encoding="utf-8")
    found = list(read(path, **HERE))
    assert [item.reason for item in found][:3] == ["malformed dialogue", "malformed dialogue", "malformed utterance"]


# --- Aligned files ----------------------------------------------------------------------------------------------------


def aligned(tmp_path: Path, characters: str, labels: str) -> list[Record | Reject]:
    (tmp_path / "in").write_text(characters, encoding="utf-8")
    (tmp_path / "out").write_text(labels, encoding="utf-8")
    return list(imcs_aligned.read(tmp_path / "in", **HERE, labels="out"))


def test_lines_of_characters_and_labels_go_together(tmp_path: Path) -> None:
    document = only(aligned(tmp_path, "患 者 ： 咳 嗽\n", "O O O B-Symptom I-Symptom\n"))
    assert document.text == "患者：咳嗽"
    assert [(e.id, e.text, e.spans[0]) for e in document.entities] == [("T1", "咳嗽", (3, 5))]


def test_a_line_with_other_labels_keeps_its_text(tmp_path: Path) -> None:
    reject, document = aligned(tmp_path, "咳 嗽\n", "O\n")
    assert isinstance(reject, Reject)
    assert isinstance(document, Document)
    assert (document.text, document.entities) == ("咳嗽", ())


@pytest.mark.parametrize(("characters", "labels"), [("咳\n嗽\n", "O\n"), ("咳\n", "O\nO\n")])
def test_files_of_different_length_are_refused(tmp_path: Path, characters: str, labels: str) -> None:
    with pytest.raises(FormatError, match="differ in length"):
        aligned(tmp_path, characters, labels)


@given(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=12))
def test_spans_say_what_the_labels_say(labels: list[str]) -> None:
    found = imcs_aligned.spans(labels, len(labels))
    assert found is not None
    types = [""] * len(labels)
    for type, start, end in found:
        assert start < end
        assert types[start:end] == [""] * (end - start)
        types[start:end] = [type] * (end - start)
    assert types == [label[2:] for label in labels]
    begins = {start for _, start, _ in found}
    assert {at for at, label in enumerate(labels) if label.startswith("B")} <= begins
