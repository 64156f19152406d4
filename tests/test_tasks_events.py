"""Events: numbered, with roles under names, compared with all that is in them."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given

from extraction import EVENT_TYPES, HEAD, document, documents, made, parse
from taiyi import catalogue, tasks
from taiyi.build.instructions import task_of
from taiyi.catalogue.card import card
from taiyi.errors import Unparsable
from taiyi.schema import (
    Argument,
    Counts,
    Document,
    Entity,
    Event,
    Example,
    Filler,
    Happening,
    Happenings,
    Lang,
    Shown,
    Span,
)
from taiyi.tasks import Naming


def test_events_are_numbered_and_those_that_say_the_same_are_one() -> None:
    def event(id: str, type: str, at: int, *arguments: tuple[str, str], **attributes: str) -> Event:
        found = tuple(
            Argument(role=role, kind="event" if ref[0] == "E" else "entity", ref=ref) for role, ref in arguments
        )
        trigger = record_text[at : at + 3]
        return Event(
            id=id, type=type, trigger=trigger, trigger_spans=(Span(at, at + 3),), arguments=found, attributes=attributes
        )

    record_text = "IL4 ups exp fos exp"
    events = (
        event("E1", "Reg", 4, ("Cause", "T1"), ("Theme", "E2"), Negation="true"),
        event("E2", "Exp", 8, ("Theme", "T2")),
        event("E3", "Exp", 16, ("Theme", "T2")),
    )
    places = (("T1", "IL4", 0), ("T2", "fos", 12))
    entities = tuple(Entity(id=id, type="G", text=text, spans=(Span(at, at + 3),)) for id, text, at in places)
    record = Document(**HEAD, text=record_text, events=events, entities=entities)
    example = made("ee", record)
    assert example.answer == (
        "1. regulation\\: positive: ups | Cause: IL4 | Theme: #2 | Negation: true\n"
        "2. gene \\| expression: exp | Theme: fos"
    )
    cause, theme, negated = (
        Filler(role="Cause", text="IL4"),
        Filler(role="Theme", text="exp", event=1),
        Filler(role="Negation", text="true"),
    )
    one = Happening(type="Reg", trigger="ups", fillers=(cause, theme, negated))
    other = Happening(type="Exp", trigger="exp", fillers=(Filler(role="Theme", text="fos"),))
    assert example.gold == Happenings(items=(one, other))
    assert json.loads(made("ee", record, form="json").answer)[0] == {
        "id": 1, "type": "regulation: positive", "trigger": "ups",
        "arguments": [
            {"role": "Cause", "text": "IL4"}, {"role": "Theme", "event": 2}, {"role": "Negation", "text": "true"}
        ],
    }  # fmt: skip
    only = made("ee", record, types=EVENT_TYPES["en"][:1])
    assert only.answer.endswith("Theme: exp | Negation: true"), "an event that is not asked for goes by its trigger"
    task = tasks.get("ee")
    one_line = "7) regulation\\: positive: ups | Negation: true | Theme: #9 | Cause: IL4"
    swapped = f"{one_line}\n9) gene \\| expression: exp | Theme: fos"
    score = task.score(example.gold, task.parse(swapped, example), record="r")
    assert score.counts == {"Exp": Counts(tp=1), "Reg": Counts(tp=1)}
    wrong = task.parse(swapped.replace("fos", "jun"), example)
    assert task.score(example.gold, wrong, record="r").counts == {"Exp": Counts(fp=1, fn=1), "Reg": Counts(fp=1, fn=1)}
    assert parse("ee", "1. x: y | Theme: #4") == Happenings(
        items=(Happening(type="x", trigger="y", fillers=(Filler(role="Theme", text="#4"),)),)
    )
    with pytest.raises(Unparsable, match="names no role"):
        parse("ee", "1. x: y | z")


def test_events_in_a_circle_are_compared() -> None:
    def ring(size: int) -> Happenings:
        return Happenings(
            items=tuple(
                Happening(type="Reg", trigger="x", fillers=(Filler(role="Theme", text="x", event=(n + 1) % size),))
                for n in range(size)
            )
        )

    task = tasks.get("ee")
    assert task.score(ring(2), ring(3), record="r").counts == {"Reg": Counts(tp=1)}
    example = made("ee", document())
    assert task.merge([(example, ring(3))]) == ring(1)


# --- roles -----------------------------------------------------------------------------------------------------------

ROLES: dict[Lang, list[Shown]] = {
    "en": [Shown(name="Theme", shown="theme"), Shown(name="a: b", shown="site | of: cause")],
    "zh": [Shown(name="Theme", shown="主题"), Shown(name="部位", shown="解剖部位：左")],
}


def named(record: Document, form: str, roles: dict[Lang, list[Shown]] = ROLES) -> Example:
    task = tasks.get("ee")
    assert isinstance(task, Naming)
    template = tasks.load_templates(tasks.get("ee"), record.lang)[0]
    example = task.naming(roles).render(record, template, form=form, types=EVENT_TYPES[record.lang])
    assert isinstance(example, Example)
    return example


@pytest.mark.parametrize("form", tasks.get("ee").forms)
def test_roles_are_shown_under_their_names_and_read_back(form: str) -> None:
    @given(documents())
    def holds(record: Document) -> None:
        example, raw = named(record, form), made("ee", record, form=form)
        assert example.gold == raw.gold
        # Answers are read by the example alone, as in evaluation; raw names are understood as well.
        assert tasks.get("ee").parse(example.answer, example) == example.gold
        assert tasks.get("ee").parse(raw.answer, example) == example.gold
        assert example.id == raw.id
        assert named(record, form, {}) == raw

    holds()


def test_a_role_has_its_name_in_the_language_of_the_prompt_and_keeps_its_number() -> None:
    arguments = tuple(Argument(role=r, kind="text", ref="x") for r in ("Theme", "Theme2", "Cause"))
    event = Event(id="E1", type="Exp", trigger="发", arguments=arguments)
    example = named(document(lang="zh", events=(event,)), "list")
    assert example.answer == "1. 表达\\：上调：发 | 主题：x | 主题2：x | Cause：x"
    assert "事件的论元角色：主题，解剖部位：左\n" in example.messages[0].content
    gold = Happenings(
        items=(Happening(type="Exp", trigger="发", fillers=tuple(Filler(role=a.role, text="x") for a in arguments)),)
    )
    assert tasks.get("ee").parse(example.answer, example) == example.gold == gold
    english = named(document(events=(event,)), "json")
    assert [a["role"] for a in json.loads(english.answer)[0]["arguments"]] == ["theme", "theme2", "Cause"]
    assert "Roles of what takes part in an event: theme, site | of: cause\n" in english.messages[0].content


EVENTFUL = [corpus for corpus in catalogue.all_corpora() if corpus.event_types]


@pytest.mark.parametrize("corpus", EVENTFUL, ids=lambda corpus: corpus.name)
def test_the_roles_of_every_corpus_have_names(corpus: catalogue.Corpus) -> None:
    for lang in get_args(Lang):
        names = [role.shown(lang) for role in corpus.roles.values()]
        assert all(names)
        assert len(set(names)) == len(names)
        assert not any(name[-1].isdigit() for name in names), "numbers are put after names"
    root = catalogue.fixtures_dir("official")
    task = task_of("ee", corpus, root)
    for record in (r for split in corpus.splits for r in catalogue.load(corpus, split, root)):
        if not isinstance(record, Document):
            continue
        found = {role for e in record.events for role in (*(a.role for a in e.arguments), *e.attributes)}
        assert {role.rstrip("0123456789") for role in found} <= set(corpus.roles)
        template = tasks.load_templates(task, record.lang)[0]
        types = [Shown(name=n, shown=t.shown(record.lang)) for n, t in corpus.event_types.items()]
        for form in task.forms:
            example = task.render(record, template, form=form, types=types)
            assert isinstance(example, Example)
            assert tasks.get("ee").parse(example.answer, example) == example.gold
            assert all(role.shown in example.messages[0].content for role in example.roles)
    assert all(f"`{name}`" in card(corpus) for name in corpus.roles)
