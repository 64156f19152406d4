"""What the real relation corpora hold beyond the counts of their entries."""

from __future__ import annotations

from collections import Counter

import pytest

from taiyi import catalogue
from taiyi.schema import Document, Reject, Split

pytestmark = pytest.mark.real


def documents(name: str, split: Split) -> list[Document]:
    items = catalogue.load(catalogue.get(name), split, catalogue.corpora_dir())
    return [item for item in items if isinstance(item, Document)]


@pytest.mark.parametrize(
    ("name", "split", "sentences"),
    [
        ("cpi", "train", 2613),
        ("hprd50", "train", 111),
        ("hprd50", "test", 34),
        ("iepa", "train", 391),
        ("iepa", "test", 95),
        ("lll", "train", 65),
        ("lll", "test", 12),
        ("ddi_corpus", "test", 1299),
    ],
)
def test_sentences_are_passages(name: str, split: Split, sentences: int) -> None:
    assert sum(len(document.passages) for document in documents(name, split)) == sentences


@pytest.mark.parametrize(
    ("split", "entities", "labels"),
    [
        ("train", 5520, {"bind": 1989, "bind_negated": 122, "bind_unlabelled": 115}),
        ("dev", 742, {"bind": 263, "bind_negated": 10, "bind_unlabelled": 21}),
    ],
)
def test_entities_and_labels_of_biorelex(split: Split, entities: int, labels: dict[str, int]) -> None:
    found = documents("biorelex", split)
    repeats = sum(len(chain.entities) - 1 for document in found for chain in document.coreferences)
    assert sum(len(document.entities) for document in found) - repeats == entities
    assert Counter(r.type for document in found for r in document.relations) == labels


def test_chia_keeps_line_ends_and_groups() -> None:
    found = documents("chia", "train")
    assert sum("\r\n" in document.text for document in found) == 1603
    assert sum(len(r.arguments) > 2 for document in found for r in document.relations if r.type == "OR") > 1000
    assert len({document.id for document in found}) == len(found)


def test_the_untyped_interaction_of_ddi_is_in_general_terms() -> None:
    (relation,) = (
        relation
        for document in documents("ddi_corpus", "train")
        for relation in document.relations
        if relation.id == "DDI-DrugBank.d236.s29.p0"
    )
    assert relation.type == "int"


def test_the_agent_comes_first_in_lll() -> None:
    for split in ("train", "test"):
        for document in documents("lll", split):
            roles = {entity.id: entity.attributes["role"] for entity in document.entities}
            for relation in document.relations:
                agent, target = (roles[argument.ref] for argument in relation.arguments)
                assert "agent" in agent
                assert "target" in target


def test_sections_of_cellfinder_hold_what_the_articles_hold() -> None:
    corpus = catalogue.get("cellfinder")
    (sections,) = corpus.copies
    for split in corpus.splits:
        whole = Counter((e.type, e.text) for document in documents("cellfinder", split) for e in document.entities)
        parts: Counter[tuple[str, str]] = Counter()
        for source in sections.files[split]:
            for path in source.paths(corpus.location(catalogue.corpora_dir())):
                for item in source.read(path, corpus="cellfinder", split=split, lang="en", **source.options):
                    if not isinstance(item, Reject):
                        assert isinstance(item, Document)
                        parts.update((e.type, e.text) for e in item.entities)
        assert parts == whole
