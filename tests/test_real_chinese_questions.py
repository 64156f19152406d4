"""Facts of the real Chinese corpora of questions, queries and pairs, beyond their counts."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from taiyi import catalogue
from taiyi.formats import json_lines, tables
from taiyi.schema import Dialogue, Labelled, Question, Record, Reject, Split

pytestmark = pytest.mark.real
ROOT = catalogue.corpora_dir()


def records(name: str, split: Split = "train") -> list[Record]:
    items = catalogue.load(catalogue.get(name), split, ROOT)
    return [item for item in items if not isinstance(item, Reject)]


def test_the_names_of_chip_ctc_are_those_of_its_categories() -> None:
    rows = [row for _, row in tables.items(ROOT / "chip_ctc" / "category.xlsx") if not isinstance(row, Reject)]
    labels = catalogue.get("chip_ctc").labels
    assert {row["Label Name"] for row in rows} == set(labels)
    for row in rows:
        assert row["Chinese Label Name"].startswith(labels[row["Label Name"]].zh)


def test_the_finer_intent_of_cmid_tells_the_coarser_but_for_one() -> None:
    pairs = Counter(
        (item["label_36class"][0].strip("'"), item["label_4class"][0].strip("'"))
        for _, item in json_lines.items(ROOT / "cmid" / "CMID.json")
        if not isinstance(item, Reject)
    )
    fine = Counter(label for label, _ in pairs)
    assert [label for label, coarse in fine.items() if coarse > 1] == ["禁忌"]
    assert pairs["禁忌", "病症"] == 166
    assert pairs["禁忌", "药物"] == 210


def test_texts_and_ids_of_cblue_are_as_given() -> None:
    given = json.loads((ROOT / "kuake_qic" / "KUAKE-QIC_dev.json").read_text(encoding="utf-8"))
    found = [(r.id, r.text, r.labels) for r in records("kuake_qic", "dev") if isinstance(r, Labelled)]
    assert found == [(item["id"], item["query"], (item["label"],)) for item in given]


def test_the_ids_of_the_dialogues_about_liver_cancer_repeat() -> None:
    items = [item for _, item in json_lines.items(ROOT / "bentsao_livercancer" / "liver_cancer.json")]
    ids = [item["id"] for item in items if not isinstance(item, Reject) and "id" in item]
    assert (len(ids), len(set(ids))) == (211, 181)
    read = records("bentsao_livercancer")
    assert [record.id for record in read] == [str(index) for index in range(1000)]
    assert not any("<user>" in turn.text for record in read if isinstance(record, Dialogue) for turn in record.turns)


def test_the_questions_of_bentsao_are_nearly_all_different() -> None:
    assert len({record.question for record in records("bentsao_llamadata") if isinstance(record, Question)}) == 8651


def test_the_diseases_in_utf8_are_the_first_of_those_in_gb18030() -> None:
    corpus = catalogue.get("xywy_disease_subset")
    (copy,) = corpus.copies
    (source,) = copy.files["train"]
    path = ROOT / corpus.folder / source.path
    items = list(source.read(path, corpus=corpus.name, split="train", lang="zh"))
    assert items == records("xywy_disease_subset")[:20]
    counts = catalogue.count(iter(items))
    assert {key: counts[key] for key in copy.counts["train"]} == copy.counts["train"]
