"""Relations without a direction: one triple whichever argument is first, written in the order of the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import strategies
from taiyi import catalogue, cli, tasks
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.catalogue.card import card
from taiyi.schema import Argument, Concept, Document, Entity, Example, Reject, Relation, Shown, Span, Triple, Triples
from taiyi.tasks import facts, relations

BOUND = Shown(name="Bind", shown="binds", symmetric=True)
INDUCES = Shown(name="CID", shown="induces")
TYPES = (BOUND, INDUCES)
SYMMETRIC = {
    lang: tuple(msgspec.structs.replace(shown, symmetric=True) for shown in types)
    for lang, types in strategies.RELATION_TYPES.items()
}


def document(text: str, mentions: Sequence[tuple[str, str]], *related: tuple[str, str, str]) -> Document:
    """Build a document from mentions, by type and text, and relations between their numbers or concepts."""
    entities: list[Entity] = []
    at = 0
    for number, (type, mention) in enumerate(mentions, 1):
        start = text.index(mention, at)
        at = start + len(mention)
        entities.append(Entity(id=f"T{number}", type=type, text=mention, spans=(Span(start, at),)))
    return Document(
        id="r1",
        corpus="c",
        split="test",
        lang="en",
        text=text,
        entities=tuple(entities),
        relations=tuple(
            Relation(
                id=f"R{number}",
                type=type,
                arguments=tuple(Argument(role="", kind="entity", ref=ref) for ref in (head, tail)),
            )
            for number, (type, head, tail) in enumerate(related, 1)
        ),
    )


def made(
    record: Document, types: Sequence[Shown] = TYPES, *, form: str = "list", name: str = "re", focus: Any = ()
) -> Example:
    task = tasks.get(name)
    template = tasks.load_templates(task, record.lang)[0]
    example = task.render(record, template, form=form, types=types, focus=focus)
    assert isinstance(example, Example), example
    return example


def turned(record: Document, types: Sequence[Shown]) -> Document:
    """Return a document with the arguments of its symmetric relations the other way round."""
    undirected = relations.symmetric(types)
    return msgspec.structs.replace(
        record,
        relations=tuple(
            msgspec.structs.replace(r, arguments=r.arguments[::-1]) if r.type in undirected else r
            for r in record.relations
        ),
    )


# --- extraction ------------------------------------------------------------------------------------------------------


def test_an_answer_has_the_order_of_the_text_whichever_argument_is_first() -> None:
    text = "Rap1 and Abc2 meet; aspirin stops it."
    mentions = (("G", "Rap1"), ("G", "Abc2"), ("C", "aspirin"))
    one = document(text, mentions, ("Bind", "T1", "T2"), ("CID", "T3", "T1"))
    both = document(text, mentions, ("Bind", "T2", "T1"), ("Bind", "T1", "T2"), ("CID", "T3", "T1"))
    for record in (one, both):
        example = made(record)
        assert example.answer == "(Rap1, Abc2, binds); (aspirin, Rap1, induces)"
        assert example.gold == Triples(
            items=(Triple(head="Abc2", tail="Rap1", type="Bind"), Triple(head="aspirin", tail="Rap1", type="CID"))
        )
        assert json.loads(made(record, form="json").answer)[0] == {
            "head": "Rap1",
            "tail": "Abc2",
            "relation": "binds",
        }


def test_order_costs_a_symmetric_relation_nothing_and_a_directed_one_all() -> None:
    task = tasks.get("re")
    example = made(document("a b c", (("G", "a"), ("G", "b"), ("G", "c")), ("Bind", "T1", "T2"), ("CID", "T2", "T3")))
    for answer, counts in (
        ("(b, a, binds); (b, c, induces)", {"Bind": (1, 0, 0), "CID": (1, 0, 0)}),
        ("(b, a, binds); (a, b, binds); (c, b, induces)", {"Bind": (1, 0, 0), "CID": (0, 1, 1)}),
    ):
        score = task.score(example.gold, task.parse(answer, example), record="r")
        assert {name: (c.tp, c.fp, c.fn) for name, c in score.counts.items()} == counts


@pytest.mark.parametrize(
    ("head", "tail", "text", "first"),
    [
        ("b", "a", "b then a", "b"),
        ("a", "b", "b then a", "b"),
        # Where both begin at one place the longer one is first, and what the text does not have is last.
        ("IL-2", "IL-2 receptor", "IL-2 receptor", "IL-2 receptor"),
        ("left lung", "right", "left and right lung", "right"),
        ("y", "x", "none of them", "x"),
    ],
)
def test_which_text_is_first(head: str, tail: str, text: str, first: str) -> None:
    undirected = frozenset({"Bind"})
    for one, other in ((head, tail), (tail, head)):
        triple = Triple(head=one, tail=other, type="Bind")
        assert relations.in_order(triple, text, undirected).head == first
        directed = msgspec.structs.replace(triple, type="CID")
        assert relations.in_order(directed, text, undirected) == directed == relations.canonical(directed, undirected)


@pytest.mark.parametrize("form", ["list", "json"])
@given(st.data())
def test_turning_arguments_round_changes_nothing(form: str, data: st.DataObject) -> None:
    record = data.draw(strategies.documents(with_all=False))
    types = SYMMETRIC[record.lang]
    task = tasks.get("re")
    template = tasks.load_templates(task, record.lang)[0]
    example = task.render(record, template, form=form, types=types)
    again = task.render(turned(record, types), template, form=form, types=types)
    if isinstance(example, Reject):
        assert isinstance(again, Reject)
        return
    assert isinstance(again, Example)
    # Surface forms are paired off in the order of the arguments: the triples are the same, in another order.
    assert set(getattr(example.gold, "items", ())) == set(getattr(again.gold, "items", ()))
    assert task.parse(example.answer, example) == example.gold
    assert task.parse(again.answer, example) == again.gold


@given(strategies.documents(with_all=False))
def test_windows_and_answers_agree_on_one_triple(record: Document) -> None:
    types = SYMMETRIC[record.lang]
    task = tasks.get("re")
    template = tasks.load_templates(task, record.lang)[0]
    one, other = (task.render(r, template, form="list", types=types) for r in (record, turned(record, types)))
    if isinstance(one, Example) and isinstance(other, Example):
        merged = task.merge([(one, one.gold), (other, other.gold)])
        assert set(getattr(merged, "items", ())) == set(getattr(one.gold, "items", ()))


# --- classification --------------------------------------------------------------------------------------------------


def pairs(record: Document, types: Sequence[Shown], *known: Document) -> list[Example]:
    task = tasks.get("rc")
    assert isinstance(task, facts.Informed)
    informed: Any = task.informed(facts.gather((record, *known)))
    template = tasks.load_templates(informed, record.lang)[0]
    return [
        example
        for focus in informed.focuses(record, types)
        if isinstance(example := informed.render(record, template, form="label", types=types, focus=focus), Example)
    ]


def test_a_symmetric_pair_is_marked_in_the_order_of_the_text_and_answered_without_direction() -> None:
    text, mentions = "protein meets drug", (("G", "protein"), ("C", "drug"))
    for one, other in (("T1", "T2"), ("T2", "T1")):
        (example,) = pairs(document(text, mentions, ("Bind", one, other)), (BOUND,))
        assert example.messages[-1].content.endswith("<e1>protein</e1> meets<e2> drug</e2>")
        assert example.answer == "binds"
        assert example.gold == Triples(items=(Triple(head="drug", tail="protein", type="Bind"),))
        assert tasks.get("rc").parse("binds (e2, e1)", example) == example.gold


def test_a_directed_type_that_is_asked_for_too_says_the_order_of_the_marks() -> None:
    text, mentions = "protein meets drug", (("G", "protein"), ("C", "drug"))
    record = document(text, mentions, ("Bind", "T1", "T2"), ("CID", "T2", "T1"))
    (example,) = pairs(record, TYPES)
    (alone,) = pairs(record, (INDUCES,))
    assert example.messages[-1].content.endswith("<e2>protein</e2> meets<e1> drug</e1>")
    assert (example.answer, alone.answer) == ("binds; induces", "induces")
    assert alone.id.split("!")[1] == example.id.split("!")[1] == "entity+T2+entity+T1"


@given(strategies.documents(with_all=False))
def test_the_pairs_of_a_document_make_its_symmetric_relations(record: Document) -> None:
    types = SYMMETRIC[record.lang]
    task, extraction = tasks.get("rc"), tasks.get("re")
    whole = extraction.render(record, tasks.load_templates(extraction, record.lang)[0], form="list", types=types)
    found = pairs(record, types)
    assert not any("(e2, e1)" in example.answer for example in found)
    parsed = [(example, task.parse(example.answer, example)) for example in found]
    textual = any(a.kind == "text" for r in record.relations for a in r.arguments)
    if textual or not isinstance(whole, Example) or any(answer != example.gold for example, answer in parsed):
        return
    if found:
        assert set(getattr(task.merge(parsed), "items", ())) == set(getattr(whole.gold, "items", ()))


def test_the_surface_forms_of_two_concepts_are_paired_off_once() -> None:
    text = "ASA or aspirin with Plavix"
    spans = (("ASA", 0), ("aspirin", 7), ("Plavix", 20))
    entities = tuple(
        Entity(
            id=f"T{n}",
            type="C",
            text=name,
            spans=(Span(at, at + len(name)),),
            concepts=(Concept(db="MESH", id="P" if name == "Plavix" else "A"),),
        )
        for n, (name, at) in enumerate(spans)
    )
    arguments = tuple(Argument(role="", kind="concept", ref=ref) for ref in "PA")
    record = Document(
        id="r1",
        corpus="c",
        split="test",
        lang="en",
        text=text,
        entities=entities,
        relations=(Relation(id="R1", type="Bind", arguments=arguments),),
    )
    assert made(record).answer == "(ASA, Plavix, binds); (aspirin, Plavix, binds)"
    (example,) = pairs(record, TYPES)
    assert set(getattr(example.gold, "items", ())) == set(getattr(made(record).gold, "items", ()))


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_tasks_are_shown_which_types_are_symmetric() -> None:
    corpus = catalogue.get("seth_corpus")
    (types,) = fixed(tasks.get("re"), corpus, Selection(corpus=corpus.name, task="re"), "en")
    assert {shown.name: shown.symmetric for shown in types} == {"AssociatedTo": False, "Equals": True}


def test_what_the_guidelines_say_of_direction() -> None:
    for name in ("biored", "ddi_corpus", "hprd50", "iepa", "bioinfer", "biorelex", "euadr"):
        assert all(type.symmetric for type in catalogue.get(name).relation_types.values()), name
    for name in ("lll", "bc5cdr", "drugprot", "cmeie_v2", "bionlp_st_2019_bb"):
        assert not any(type.symmetric for type in catalogue.get(name).relation_types.values()), name
    for corpus in catalogue.all_corpora():
        for types in (corpus.entity_types, corpus.event_types, corpus.labels):
            assert not any(type.symmetric for type in types.values()), corpus.name


def test_cards_and_the_command_line_say_so() -> None:
    said = card(catalogue.get("seth_corpus"))
    assert "the two are names of one gene (symmetric) |" in said
    assert said.count("(symmetric)") == 1
    shown = CliRunner().invoke(cli.app, ["corpora", "show", "seth_corpus", "--json"])
    types = json.loads(shown.output)["relation_types"]
    assert {name: type["symmetric"] for name, type in types.items()} == {"AssociatedTo": False, "Equals": True}
    assert "(symmetric)" in CliRunner().invoke(cli.app, ["corpora", "show", "seth_corpus"]).output
