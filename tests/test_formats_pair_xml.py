"""Sentence/entity/pair XML: offsets of either kind, sentences joined to documents, pairs that are relations and not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import pair_xml
from taiyi.schema import Argument, Concept, Document, Reject, Span


def read(tmp_path: Path, text: str, name: str = "some.xml", **options: Any) -> list[Any]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(pair_xml.read(path, corpus="c", split="train", lang="en", **options))


def one(tmp_path: Path, text: str, **options: Any) -> Document:
    (document,) = read(tmp_path, text, **options)
    assert isinstance(document, Document)
    return document


def corpus(*sentences: str) -> str:
    return f'<corpus source="X"><document id="X.d0" origId="90000001">{"".join(sentences)}</document></corpus>'


FIRST = (
    '<sentence id="s0" charOffset="0-11" text="A binds BC.">'
    '<entity id="e0" charOffset="0-1" type="gene" text="A"/><entity id="e1" charOffset="8-10" type="gene" text="BC"/>'
    '<interaction id="i0" e1="e0" e2="e1" type="PPI"/></sentence>'
)
SECOND = (
    '<sentence id="s1" charOffset="12-17" text="No D.">'
    '<entity id="e2" charOffset="3-4" type="gene" text="D"/></sentence>'
)


def test_offsets_are_those_of_the_whole_document(tmp_path: Path) -> None:
    document = one(tmp_path, corpus(FIRST, SECOND), pmid="origId")
    assert document.text == "A binds BC. No D."
    assert document.document_ids == ("pmid:90000001",)
    assert [(e.id, e.spans) for e in document.entities] == [
        ("e0", (Span(0, 1),)),
        ("e1", (Span(8, 10),)),
        ("e2", (Span(15, 16),)),
    ]
    assert [p.span for p in document.passages] == [Span(0, 11), Span(12, 17)]
    (relation,) = document.relations
    assert (relation.id, relation.type) == ("i0", "PPI")
    assert relation.arguments == (
        Argument(role="head", kind="entity", ref="e0"),
        Argument(role="tail", kind="entity", ref="e1"),
    )


def test_a_sentence_can_be_a_record(tmp_path: Path) -> None:
    records = read(tmp_path, corpus(FIRST, SECOND), record="sentence")
    assert [(r.id, r.text, len(r.entities)) for r in records] == [("s0", "A binds BC.", 2), ("s1", "No D.", 1)]


@pytest.mark.parametrize(
    ("sentences", "text"),
    [
        (('<sentence text="One. "/>', '<sentence text="Two."/>'), "One. Two."),
        (('<sentence text="One."/>', '<sentence text="Two."/>'), "One. Two."),
        (('<sentence text="One.&#xd;&#xa;"/>', '<sentence text=""/>', '<sentence text="Two."/>'), "One.\r\nTwo."),
        (('<sentence charOffset="0-4" text="One."/>', '<sentence charOffset="4-8" text="Two."/>'), "One.Two."),
        (('<sentence charOffset="0-5" text="One. "/>', '<sentence charOffset="6-9" text="Two"/>'), "One.  Two"),
    ],
)
def test_how_sentences_are_joined(tmp_path: Path, sentences: tuple[str, ...], text: str) -> None:
    assert one(tmp_path, corpus(*sentences)).text == text


def test_inclusive_ends_and_several_spans(tmp_path: Path) -> None:
    text = (
        '<document id="d"><sentence id="s" text="Loop and thiazide diuretics">'
        '<entity id="e0" charOffset="0-3;18-26" type="group" text="Loop diuretics"/></sentence></document>'
    )
    (entity,) = one(tmp_path, text, end="inclusive").entities
    assert entity.spans == (Span(0, 4), Span(18, 27))
    rejects = read(tmp_path, text, end="exclusive")
    assert [(r.where, r.reason) for r in rejects[:-1]] == [("some.xml:1", "mention does not match the text")]


def test_parts_that_adjoin_in_the_given_text_are_kept_apart(tmp_path: Path) -> None:
    text = (
        '<document id="d"><sentence text="mu- and kappa-opioids">'
        '<entity id="e0" charOffset="0-3,14-21" type="group" text="mu-opioids"/></sentence></document>'
    )
    reject, document = read(tmp_path, text)
    assert reject.reason == "mention differs from the text in white space"
    assert [e.text for e in document.entities] == ["mu- opioids"]


def test_types_that_are_none(tmp_path: Path) -> None:
    sentence = '<sentence text="A"><entity id="e" charOffset="0-1" type="{}" text="A"/></sentence>'
    (entity,) = one(tmp_path, corpus(sentence.format("agent")), entity_type="gene", type_as="role").entities
    assert (entity.type, entity.attributes, entity.concepts) == ("gene", {"role": "agent"}, ())
    options = {"concepts_in": "type", "concept_separator": "||", "databases": {"gene": "DB"}}
    (entity,) = one(tmp_path, corpus(sentence.format("p1||p2||p1")), entity_type="gene", **options).entities
    assert (entity.type, entity.attributes) == ("gene", {})
    assert entity.concepts == (Concept(db="DB", id="p1"), Concept(db="DB", id="p2"))


PAIRS = (
    '<document id="d"><sentence text="A B"><entity id="a" charOffset="0-1" type="t" text="A"/>'
    '<entity id="b" charOffset="2-3" type="t" text="B"/>{}</sentence></document>'
)


@pytest.mark.parametrize(
    ("pair", "options", "relations", "rejects"),
    [
        ('<pair id="p" e1="a" e2="b" ddi="true" type="effect"/>', {}, ["effect"], []),
        ('<pair id="p" e1="a" e2="b" ddi="true"/>', {"relation_type": "int"}, ["int"], []),
        ('<pair id="p" e1="a" e2="b" ddi="true"/>', {}, [], ["malformed line"]),
        ('<pair id="p" e1="a" e2="b" interaction="True"/>', {"relation_type": "CPI"}, ["CPI"], []),
        ('<pair e1="a" e2="b" interaction="False" type="x"/>', {}, [], ["pair without a relation"]),
        ('<pair e1="a" e2="b" interaction="False" type="x"/>', {"negatives": "drop"}, [], []),
        ('<pair e1="a" e2="b" type="x"/>', {}, [], ["malformed line"]),
        ('<interaction e1="a" e2="c" type="x"/>', {}, [], ["relation to an entity that is not there"]),
        ('<interaction e1="a" e2="b" type="x"/>', {}, ["x"], []),
    ],
)
def test_pairs(tmp_path: Path, pair: str, options: dict[str, str], relations: list[str], rejects: list[str]) -> None:
    items = read(tmp_path, PAIRS.format(pair), **options)
    assert [r.type for r in items[-1].relations] == relations
    assert [item.reason for item in items if isinstance(item, Reject)] == rejects


def test_a_document_named_after_its_pubmed_id(tmp_path: Path) -> None:
    assert read(tmp_path, PAIRS.format(""), "90000002.xml", pmid="file")[0].document_ids == ("pmid:90000002",)
    assert read(tmp_path, PAIRS.format(""), "Zorvastatin.xml", pmid="file")[0].document_ids == ()


def test_an_entity_outside_its_sentence_is_dropped(tmp_path: Path) -> None:
    text = '<sentence text="A B"><entity id="a" charOffset="2-9" type="t" text="B"/></sentence>'
    reject, document = read(tmp_path, corpus(text))
    assert (reject.reason, document.entities) == ("span outside the text", ())


@pytest.mark.parametrize("text", ["<corpus/>", "<collection><document/></collection>", "<corpus><document>"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=r"some\.xml"):
        read(tmp_path, text)
