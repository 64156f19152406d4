"""What the real corpora of labelled texts and pairs hold beyond their counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taiyi import catalogue
from taiyi.schema import Labelled, Pair, Record, Reject, Split

pytestmark = pytest.mark.real


def items(name: str, split: Split) -> list[Record | Reject]:
    return list(catalogue.load(catalogue.get(name), split, catalogue.corpora_dir()))


def folder(name: str) -> Path:
    return catalogue.corpora_dir() / name


def test_hallmarks_labelled_null_are_none() -> None:
    null = {
        f"{path.stem}_{index}"
        for path in folder("hallmarks_of_cancer").glob("labels/*.txt")
        for index, mark in enumerate(path.read_text(encoding="utf-8").split("<")[1:])
        if re.fullmatch(r"\s*NULL\s*", mark)
    }
    splits: tuple[Split, ...] = ("train", "dev", "test")
    found = {
        item.id: item.labels for s in splits for item in items("hallmarks_of_cancer", s) if isinstance(item, Labelled)
    }
    assert len(null) == 11
    assert {found[key] for key in null} == {("none",)}
    assert len(found) == 17464


def test_texts_of_samples_are_unchanged() -> None:
    lines = (folder("geokhoj_v1") / "geokhoj_v1/data/test/geo_samples_test.csv").read_text(encoding="utf-8").split("\n")
    one = items("geokhoj_v1", "test")[0]
    assert isinstance(one, Labelled)
    assert lines[0] == f"{one.document_ids[0].removeprefix('geo:')},0,{one.text}"


def test_the_question_pair_without_a_question() -> None:
    rejects = [item.detail for item in items("mediqa_rqe", "train") if isinstance(item, Reject)]
    assert rejects == ["pair 5860"]


def test_questions_have_a_similar_and_a_different_one() -> None:
    found: dict[str, list[str | None]] = {}
    for item in items("mqp", "train"):
        assert isinstance(item, Pair)
        found.setdefault(item.first, []).append(item.label)
    assert all(labels.count("similar") == labels.count("different") for labels in found.values())


def test_a_sentence_with_a_tab_is_whole() -> None:
    pairs = [item for item in items("biosses", "train") if isinstance(item, Pair) and "\t" in item.second]
    assert [(item.id, item.value) for item in pairs] == [("27", 1.4)]
