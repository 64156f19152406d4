"""Triples of relations and of causal relations, and mentions with their concepts."""

from __future__ import annotations

import json

import pytest

from extraction import HEAD, document, made, parse, relation
from taiyi import tasks
from taiyi.errors import Unparsable
from taiyi.schema import (
    Concept,
    Document,
    Entity,
    Event,
    Normalisations,
    Normalised,
    Relation,
    Shown,
    Span,
    Triple,
    Triples,
)
from taiyi.tasks import cre, facts
from taiyi.tasks.facts import Facts


def test_relations_in_json_and_of_events() -> None:
    events = (Event(id="E1", type="Exp", trigger="expression", trigger_spans=()),)
    record = document(
        ("Chemical", "TNF"), ("Disease", "flu"), events=events,
        relations=(relation("R1", "CID", "T1", "T2"), relation("R2", "Bind", "E1", "T1")),
    )  # fmt: skip
    example = made("re", record, form="json")
    assert example.answer == (
        '[{"head": "TNF", "tail": "flu", "relation": "induces"}, '
        '{"head": "expression", "tail": "TNF", "relation": "binds"}]'
    )
    assert made("re", record).answer == "(TNF, flu, induces); (expression, TNF, binds)"
    assert parse("re", '[{"head": "a", "tail": "b", "relation": "treats"}]', form="json") == Triples(
        items=(Triple(head="a", tail="b", type="treats"),)
    )


def test_a_relation_inside_another_is_written_in_its_brackets() -> None:
    types = tuple(Shown(name=n, shown=n) for n in ("因果关系", "条件关系"))
    entities = (("m", "腹泻"), ("m", "肠道感染"), ("m", "脱水"))
    inner = relation("R2", "因果关系", "T2", "T3")
    stated = Relation(id="R2", type=inner.type, arguments=inner.arguments, attributes={cre.ONLY_INSIDE: "x"})
    record = document(*entities, lang="zh", relations=(relation("R1", "条件关系", "T1", "R2"), stated))
    gold = Triples(items=(Triple(head="腹泻", tail="(肠道感染, 脱水, 因果关系)", type="条件关系"),))
    example = made("cre", record, types=types)
    assert (example.answer, example.gold) == ("(腹泻, (肠道感染, 脱水, 因果关系), 条件关系)", gold)
    twice = made("cre", record, types=types, form="json")
    assert json.loads(twice.answer) == [
        {"head": "腹泻", "relation": "条件关系", "tail": {"head": "肠道感染", "relation": "因果关系", "tail": "脱水"}}
    ]
    task = tasks.get("cre")
    assert task.parse("（腹泻，（肠道感染，脱水，因果关系），条件关系）", example) == gold
    for wrong in ("腹泻", "(a, b)", "(a, (b, c, d)", "(a, b, c) d", "((a, b, c)e, b, c)"):
        with pytest.raises(Unparsable):
            task.parse(wrong, example)


def test_concepts_are_named_with_their_terminology_or_by_their_name() -> None:
    concepts = (Concept(db="MESH", id="D001"), Concept(db="OMIM", id="1 2"))
    entity = Entity(id="T1", type="Disease", text="a: b", spans=(Span(0, 4),), concepts=concepts)
    record = Document(**HEAD, text="a: b", entities=(entity,))
    example = made("nen", record, known=facts.gather((record,)))
    assert example.answer == "a\\: b: MESH:D001 + 1 2"
    assert "MESH, OMIM" in example.messages[0].content
    gold = (Normalised(text="a: b", concept="MESH:D001"), Normalised(text="a: b", concept="1 2"))
    assert example.gold == Normalisations(items=gold)
    assert made("nen", record, form="json", number=1).answer == (
        '[{"mention": "a: b", "concepts": ["MESH:D001", "1 2"]}]'
    )
    nothing = made("nen", document(("Disease", "flu")), known=Facts())
    assert (nothing.answer, nothing.gold) == ("None", Normalisations())
    with pytest.raises(Unparsable, match="gives a mention no concept"):
        parse("nen", "flu")
