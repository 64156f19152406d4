"""What the real corpora of named entities in formats of their own hold beyond the counts of their entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiyi import catalogue
from taiyi.catalogue.check import check
from taiyi.schema import Document, Split

pytestmark = pytest.mark.real


def documents(name: str, split: Split) -> list[Document]:
    items = catalogue.load(catalogue.get(name), split, catalogue.corpora_dir())
    return [item for item in items if isinstance(item, Document)]


def test_repeated_names_of_genetag_have_places_of_their_own() -> None:
    repeated = [
        [e.spans for e in document.entities if e.text == entity.text]
        for document in documents("genetag", "train")
        for entity in document.entities
        if sum(e.text == entity.text for e in document.entities) > 1
    ]
    assert repeated
    assert all(len(set(spans)) == len(spans) for spans in repeated)


def test_alternatives_of_genetag_are_spans_of_the_text_that_overlap_their_mention() -> None:
    spans = [
        (entity.spans[0], tuple(int(edge) for edge in pair.split("-")), len(document.text))
        for document in documents("genetag", "test")
        for entity in document.entities
        for pair in entity.attributes.get("alternatives", "").split(";")
        if pair
    ]
    assert len(spans) > 4000
    assert all(0 <= start < min(end, own.end) and own.start < end <= size for own, (start, end), size in spans)


def test_title_and_abstract_of_osiris_are_both_kept() -> None:
    found = documents("osiris", "train")
    assert all([passage.type for passage in document.passages] == ["title", "abstract"] for document in found)
    titles = [sum(e.spans[0].end <= d.passages[0].span.end for e in d.entities if e.type == "gene") for d in found]
    assert sum(titles) == 113


def test_the_revised_osiris_is_as_its_layout_says(tmp_path: Path) -> None:
    corpus = catalogue.get("osiris")
    (tmp_path / "osiris").mkdir()
    (tmp_path / "osiris/corpus.xml").symlink_to(corpus.location(catalogue.corpora_dir()) / "corpus.xml")
    result = check(corpus, tmp_path)
    assert (result.status, result.layouts) == ("ok", {"train": "seth"})


def test_the_first_sentences_of_pico_extraction_are_read() -> None:
    assert [document.id for document in documents("pico_extraction", "train")[:2]] == ["11317090:7", "12960652:2"]


def test_the_sentences_of_pico_extraction_are_of_test_abstracts_of_ebm_pico() -> None:
    ids = {id for document in documents("pico_extraction", "train") for id in document.document_ids}
    assert ids <= {id for document in documents("ebm_pico", "test") for id in document.document_ids}
