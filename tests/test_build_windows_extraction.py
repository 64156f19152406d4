"""Long documents in windows: a window's answer holds what can be told from it, the answers come back together, and what
no window holds is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from extraction import HEAD, document, documents, flat, relation, types_of
from taiyi import tasks
from taiyi.build.instructions import ACROSS, PAIR_ACROSS, Instructions
from taiyi.build.settings import PromptSettings, Selection
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus, TypeName
from taiyi.evaluate.run import score
from taiyi.schema import (
    Answer,
    Argument,
    Coreference,
    Document,
    Entity,
    Event,
    Example,
    Prediction,
    Reject,
    Relation,
    Shown,
    Span,
    Triple,
    Triples,
)
from taiyi.tasks import Task, facts, relations
from taiyi.tasks.facts import Informed
from taiyi.tasks.windowed import Windowed

TASKS = ("re", "cre", "ee", "coref", "rc")
RECORDS = {"re": documents().map(flat) | strategies.documents(with_all=False), "rc": documents().map(flat)}
FORMS = [(name, form) for name in TASKS for form in tasks.get(name).forms]
sizes = st.tuples(st.integers(1, 40), st.integers(0, 20))


def task_for(name: str, record: Document) -> Task:
    task = tasks.get(name)
    return task.informed(facts.gather((record,))) if isinstance(task, Informed) else task


def items(task: Task, answer: Answer) -> Mapping[str, Answer]:
    return task.items(answer) if isinstance(task, Windowed) else relations.items(answer)


def rendered(
    task: Task, record: Document, types: Sequence[Shown], form: str, window: Span | None = None
) -> list[Example | Reject]:
    template = tasks.load_templates(task, record.lang)[0]
    return [
        task.render(record, template, form=form, types=types, window=window, focus=focus)
        for focus in task.focuses(record, types, window)
    ]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_answers_of_windows_are_the_gold_but_for_what_lies_across(name: str, form: str) -> None:
    @given(RECORDS.get(name, documents()), sizes)
    def holds(record: Document, size: tuple[int, int]) -> None:
        task, types = task_for(name, record), types_of(tasks.get(name), record.lang)
        spans = windows(record.text, *size)
        whole = rendered(task, record, types, form)
        parts = [part for span in spans for part in rendered(task, record, types, form, span)]
        if any(isinstance(example, Reject) for example in whole):
            # A tag in the text may lie in no window.
            assert name == "rc" or (parts and all(isinstance(part, Reject) for part in parts))
            return
        assert all(isinstance(part, Example) for part in parts)
        examples = cast("list[Example]", parts)
        assert len({example.id for example in examples}) == len(examples)
        answers = [(example, task.parse(example.answer, example)) for example in examples]
        if name != "rc":  # Mentions of a pair that cross cannot all be read back from its tags.
            assert all(answer == example.gold for example, answer in answers)
        gold = set(items(task, task.merge([(e, e.gold) for e in cast("list[Example]", whole)])))
        merged = task.merge([(example, example.gold) for example in examples])
        missed = [key for item in task.across(record, types, spans) for key in list(items(task, item))[:1]]
        assert len(set(missed)) == len(missed)
        assert set(items(task, merged)) == gold - set(missed)
        assert set(missed) <= gold
        assert all(example.offset in {span.start for span in spans} for example in examples)

    holds()


@given(RECORDS["re"], sizes)
def test_a_triple_is_told_where_a_window_holds_both_of_its_ends(record: Document, size: tuple[int, int]) -> None:
    task = tasks.get("re")
    types = types_of(task, record.lang)
    spans = windows(record.text, *size)
    if len(spans) < 2 or any(not entity.text.strip() for entity in record.entities):
        return

    def ends(argument: Argument, span: Span) -> set[str]:
        if argument.kind == "text":
            return {text for text in [argument.ref.strip()] if text in record.text[slice(*span)]}
        meant = [
            entity
            for entity in record.entities
            if argument.ref in ([entity.id] if argument.kind == "entity" else [c.id for c in entity.concepts])
        ]
        inside = [e for e in meant if all(not record.text[at].strip() or at in range(*span) for at in places(e))]
        return {e.text.strip() for e in inside}

    def places(entity: Entity) -> list[int]:
        if len(entity.spans) == 1:
            return list(range(*entity.spans[0]))
        # The ends of a mention in parts are not trimmed.
        return [at for at in range(entity.spans[0].start, max(s.end for s in entity.spans)) if record.text[at].strip()]

    told = {
        Triple(head=head, tail=tail, type=r.type)
        for span in spans
        for r in record.relations
        for head in ends(r.arguments[0], span)
        for tail in ends(r.arguments[1], span)
    }
    whole = rendered(task, record, types, "list")[0]
    if isinstance(whole, Reject):
        return
    missed = {triple for answer in task.across(record, types, spans) for triple in cast(Triples, answer).items}
    gold = set(cast(Triples, whole.gold).items)
    in_parts = any(len(entity.spans) > 1 for entity in record.entities)
    assert gold - missed == told or (in_parts and gold - missed <= told)


@pytest.mark.parametrize("name", TASKS)
def test_one_window_of_a_whole_text_asks_as_none_does(name: str) -> None:
    @given(RECORDS.get(name, documents()))
    def holds(record: Document) -> None:
        task, types = task_for(name, record), types_of(tasks.get(name), record.lang)
        whole = rendered(task, record, types, task.forms[0], Span(0, len(record.text)))
        for one, other in zip(rendered(task, record, types, task.forms[0]), whole, strict=True):
            if isinstance(one, Example) and isinstance(other, Example):
                assert (one.messages, one.answer, one.gold) == (other.messages, other.answer, other.gold)
            else:
                assert isinstance(one, Reject)
                assert isinstance(other, Reject)

    holds()


# --- what the build makes of it --------------------------------------------------------------------------------------

TEXT = "IL4 binds fos. It was seen. It raises fos in them."


def entity(id: str, text: str, at: int) -> Entity:
    return Entity(id=id, type="Chemical", text=text, spans=(Span(at, at + len(text)),))


RECORD = Document(
    **HEAD,
    text=TEXT,
    entities=(entity("T1", "IL4", 0), entity("T2", "fos", 10), entity("T3", "It", 28), entity("T4", "fos", 38)),
    relations=(relation("R1", "CID", "T1", "T2"), relation("R2", "CID", "T1", "T3"), relation("R3", "CID", "T1", "T4")),
    events=(
        Event(
            id="E1", type="Reg", trigger="raises", trigger_spans=(Span(31, 37),),
            arguments=(Argument(role="Theme", kind="event", ref="E2"), Argument(role="Cause", kind="entity", ref="T3")),
        ),
        Event(
            id="E2", type="Exp", trigger="binds", trigger_spans=(Span(4, 9),),
            arguments=(Argument(role="Theme", kind="entity", ref="T2"),),
        ),
    ),
    coreferences=(Coreference(id="C1", entities=("T1", "T3")), Coreference(id="C2", entities=("T1", "T2"))),
)  # fmt: skip


def corpus() -> Corpus:
    def names(*found: str) -> dict[str, TypeName]:
        return {name: TypeName(en=name.lower(), zh=f"{name}类") for name in found}

    given: dict[str, Any] = {
        "name": "c", "title": "C", "langs": ("en",), "tasks": ("re", "ee", "coref"), "licence": "x", "access": "open",
        "homepage": "http://x", "citation": "x", "verified": "fixture", "files": {},
    }  # fmt: skip
    types = {"entity_types": names("Chemical"), "relation_types": names("CID"), "event_types": names("Reg", "Exp")}
    return Corpus(**given, **types)


def built(name: str, *, training: bool, record: Document = RECORD, **options: Any) -> list[Example | Reject]:
    selection = Selection(corpus="c", task=name, templates=("01",), **{"window_chars": 1, **options})
    task = task_for(name, record)
    return list(Instructions(selection, task, corpus(), seed=0, training=training).of(record))


@pytest.mark.parametrize(
    ("name", "answers", "missed", "pairs"),
    [
        ("re", ["(IL4, fos, cid)", "None", "None"], ['"tail":"It"'], 0),
        ("ee", ["1. exp: binds | Theme: fos", "None", "None"], ['"trigger":"raises"'], 0),
        ("coref", ["IL4; fos", "None", "None"], ['["IL4","It"]'], 0),
        ("rc", ["cid", "None"], ['"tail":"It"'], 4),
    ],
)
def test_what_no_window_holds_is_told_and_missed(name: str, answers: list[str], missed: list[str], pairs: int) -> None:
    for training in (True, False):
        made = built(name, training=training)
        rejects = [item for item in made if isinstance(item, Reject)]
        assert [item.answer for item in made if isinstance(item, Example)] == answers
        assert {item.where for item in rejects} == {f"c/test/r1#{name}"}
        lost = [item.detail for item in rejects if item.reason == ACROSS]
        assert len(lost) == len(missed)
        assert all(part in detail for part, detail in zip(missed, lost, strict=True))
        assert [item.reason for item in rejects if item.reason != ACROSS] == [PAIR_ACROSS] * pairs
    examples = [item for item in built(name, training=False) if isinstance(item, Example)]
    perfect = {e.id: Prediction(example=e.id, text=e.answer, finish="stop") for e in examples}
    (result,) = score(examples, perfect)
    total = [sum(getattr(c, part) for c in result.counts.values()) for part in ("tp", "fp", "fn")]
    assert total == [1, 0, 1], "what could not be told counts as missed"
    (whole,) = score(*_whole(name))
    assert all(c.fn == c.fp == 0 for c in whole.counts.values())


def _whole(name: str) -> tuple[list[Example], dict[str, Prediction]]:
    made = built(name, training=False, window_chars=0)
    examples = [item for item in made if isinstance(item, Example)]
    assert len(examples) == len(made), "a whole document loses nothing"
    return examples, {e.id: Prediction(example=e.id, text=e.answer, finish="stop") for e in examples}


def test_windows_that_overlap_hold_what_one_sentence_does_not() -> None:
    def lost(**options: Any) -> int:
        return sum(isinstance(item, Reject) for item in built("coref", training=True, **options))

    assert (lost(), lost(window_chars=28), lost(window_chars=45, overlap_chars=12)) == (1, 1, 1)
    near = document(
        ("Chemical", "Aa."), ("Chemical", "Bb."), ("Chemical", "Cc."), relations=(relation("R1", "CID", "T2", "T3"),)
    )
    assert sum(isinstance(item, Reject) for item in built("re", training=True, record=near, window_chars=7)) == 1
    made = built("re", training=True, record=near, window_chars=7, overlap_chars=2)
    assert [item.answer for item in made if isinstance(item, Example)] == ["None", "(Bb., Cc., cid)"]


def test_the_given_entities_are_those_of_the_window() -> None:
    made = built("re", training=True, prompt=PromptSettings(entities=True))
    first, second, third = (item.messages[0].content for item in made if isinstance(item, Example))
    assert "- chemical: IL4; fos\n" in first
    assert "Entities" not in second
    assert "- chemical: It; fos\n" in third


def test_a_text_without_a_place_lies_where_it_stands() -> None:
    ends = tuple(Argument(role="", kind="text", ref=text) for text in ("IL4", "them"))
    near = tuple(Argument(role="", kind="text", ref=text) for text in ("raises", "them"))
    nowhere = tuple(Argument(role="", kind="text", ref=text) for text in ("IL4", "interleukin"))
    found = tuple(Relation(id=f"R{n}", type="CID", arguments=a) for n, a in enumerate((ends, near, nowhere)))
    made = built("re", training=True, record=Document(**HEAD, text=TEXT, relations=found))
    assert [item.answer for item in made if isinstance(item, Example)] == ["None", "None", "(raises, them, cid)"]
    assert len([item for item in made if isinstance(item, Reject)]) == 2


def test_every_task_says_whether_it_can_be_cut() -> None:
    cut = {name for name in tasks.names() if tasks.get(name).windowed}
    assert cut == {"ner", "nen", *TASKS}
