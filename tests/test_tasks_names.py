"""Concepts by name: which mentions are one concept where nothing is normalised, and what becomes of relations."""

from __future__ import annotations

import pytest
from hypothesis import given

import strategies
from extraction import HEAD, document, documents, flat, relation, types_of
from taiyi import tasks
from taiyi.schema import Argument, Concept, Document, Entity, Relation, Span, Triple
from taiyi.tasks.abbreviations import abbreviations
from taiyi.tasks.names import by_name
from taiyi.tasks.relations import Relations


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We saw acute renal failure (ARF) twice.", [("ARF", "acute renal failure")]),
        ("ARF (acute renal failure) was seen.", [("ARF", "acute renal failure")]),
        ("Given 5-fluorouracil (5-FU; Roche) daily.", [("5-FU", "5-fluorouracil")]),
        ("the heart rate [HR] and blood pressure (BP)", [("HR", "heart rate"), ("BP", "blood pressure")]),
        # Not at the beginning of a word, no letter, too long, another sentence, and what is no longer than it.
        ("They gave xaspirin (A5).", []),
        ("In all patients (12) of them.", []),
        ("Renal failure (see the table of results)", []),
        ("It was acute. Failure is rare (AF).", []),
        ("(ARF)", []),
        ("pain (a mild pain)", []),
    ],
)  # fmt: skip
def test_abbreviations_are_found_where_the_text_explains_them(text: str, found: list[tuple[str, str]]) -> None:
    assert list(abbreviations(text)) == found


@given(strategies.texts)
def test_both_forms_of_an_abbreviation_stand_in_the_text(text: str) -> None:
    for short, long in abbreviations(f"{text} ({text[:5]})"):
        assert short in f"{text} ({text[:5]})"
        assert len(long) > len(short)


def concepts(found: Document) -> dict[str, str]:
    return {entity.id: concept.id for entity in found.entities for concept in entity.concepts}


def named(text: str, *mentions: tuple[str, str, str], pairs: tuple[tuple[str, str], ...] = ()) -> Document:
    """A document of mentions given as type, text and the ids of their concepts; each stands where it first can."""
    entities: list[Entity] = []
    at = 0
    for number, (kind, part, ids) in enumerate(mentions, start=1):
        at = text.index(part, at)
        normalised = tuple(Concept(db="MESH", id=id) for id in ids.split())
        entities.append(
            Entity(id=f"T{number}", type=kind, text=part, spans=(Span(at, at + len(part)),), concepts=normalised)
        )
        at += len(part)
    relations = tuple(relation(f"R{n}", "CID", *ends) for n, ends in enumerate(pairs, start=1))
    return Document(**HEAD, text=text, entities=tuple(entities), relations=relations)


def test_mentions_of_one_name_are_one_concept() -> None:
    found = by_name(
        named(
            "Aspirin, aspirin  (ASA) acetyl salicylic acid (ASA): asthma, a wheeze of Asthma",
            ("Chemical", "Aspirin", "C"),
            ("Chemical", "aspirin", ""),
            ("Chemical", "acetyl salicylic acid", "C"),
            ("Chemical", "ASA", "C"),
            ("Disease", "asthma", "D"),
            ("Disease", "wheeze", "D"),
            ("Disease", "Asthma", "D"),
            pairs=(("C", "D"),),
        )
    )
    assert concepts(found) == {"T1": "T1", "T2": "T1", "T3": "T4", "T4": "T4", "T5": "T5", "T6": "T6", "T7": "T5"}
    ends = [tuple(argument.ref for argument in relation.arguments) for relation in found.relations]
    assert ends == [("T1", "T5"), ("T1", "T6"), ("T4", "T5"), ("T4", "T6")]
    assert len({relation.id for relation in found.relations}) == 4
    assert found.relations[0].id == "R1"


def test_what_is_the_same_text_of_another_type_is_another_concept() -> None:
    found = by_name(document(("Chemical", "lead"), ("Disease", "lead"), ("Chemical", "Lead")))
    assert concepts(found) == {"T1": "T1", "T2": "T2", "T3": "T1"}


def triples(record: Document) -> set[Triple]:
    types = types_of(tasks.get("re"), record.lang)
    gold = Relations().gold(record, types)
    return set() if isinstance(gold, str) else set(gold.items)


@given(strategies.documents(with_all=False) | documents().map(flat))
def test_relations_are_between_the_same_texts(record: Document) -> None:
    found = by_name(record)
    assert triples(record) <= triples(found)
    # Where names stand for one set of concepts each, there are no others.
    ids: dict[str, set[frozenset[str]]] = {}
    for entity, concept in concepts(found).items():
        own = next(e.concepts for e in record.entities if e.id == entity)
        ids.setdefault(concept, set()).add(frozenset(c.id for c in own))
    if all(len(sets) == 1 for sets in ids.values()):
        assert triples(record) == triples(found)
    assert concepts(by_name(found)) == concepts(found)


def test_a_relation_of_relations_keeps_what_it_refers_to() -> None:
    record = named("aspirin ASPIRIN asthma wheeze", *zip(
        ("Chemical", "Chemical", "Disease", "Disease"), ("aspirin", "ASPIRIN", "asthma", "wheeze"), "CCDD", strict=True
    ), pairs=(("C", "D"),))  # fmt: skip
    about = Relation(id="R9", type="CID", arguments=(Argument(role="", kind="relation", ref="R1"),) * 2)
    found = by_name(Document(**HEAD, text=record.text, entities=record.entities, relations=(*record.relations, about)))
    assert {argument.ref for argument in found.relations[-1].arguments} == {"R1"}
