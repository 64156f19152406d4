"""What the real files of the BioNLP shared tasks hold beyond their counts."""

from __future__ import annotations

from collections import Counter

import pytest

from taiyi import catalogue
from taiyi.schema import Document, Split

pytestmark = pytest.mark.real


def documents(name: str, split: Split = "train") -> list[Document]:
    items = catalogue.load(catalogue.get(name), split, catalogue.corpora_dir())
    return [item for item in items if isinstance(item, Document)]


def test_gro_relations_of_events_are_kept() -> None:
    kinds = Counter(a.kind for d in documents("bionlp_st_2013_gro") for r in d.relations for a in r.arguments)
    assert kinds == {"entity": 3517, "event": 411}


def test_gro_offsets_count_line_ends_of_two_characters() -> None:
    assert any("\r\n" in document.text for document in documents("bionlp_st_2013_gro"))


def test_negation_and_speculation_are_attributes_of_events() -> None:
    found = Counter(a for d in documents("bionlp_shared_task_2009") for e in d.events for a in e.attributes)
    assert found == {"Negation": 615, "Speculation": 455}


def test_parts_of_one_article_have_its_id() -> None:
    ids = Counter(d.document_ids[0].partition(":")[0] for d in documents("bionlp_st_2011_ge"))
    assert ids == {"pmid": 800, "pmcid": 108}
