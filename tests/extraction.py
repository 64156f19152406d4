"""Documents and trees of awkward texts, and how tests of extraction render them and read answers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import strategies
from taiyi import tasks
from taiyi.schema import (
    Answer,
    Argument,
    Concept,
    Coreference,
    Document,
    Entity,
    Event,
    Example,
    Lang,
    Record,
    Reject,
    Relation,
    Shown,
    Span,
    TextToStruct,
    TreeNode,
    Triple,
)
from taiyi.tasks import Task
from taiyi.tasks.facts import Facts, Informed

HEAD: dict[str, Any] = {"id": "r1", "corpus": "c", "split": "test", "lang": "en"}
EVENT_TYPES: dict[str, tuple[Shown, ...]] = {
    "en": (Shown(name="Reg", shown="regulation: positive"), Shown(name="Exp", shown="gene | expression")),
    "zh": (Shown(name="Reg", shown="临床发现"), Shown(name="Exp", shown="表达：上调")),
}
TYPES = {"entities": strategies.ENTITY_TYPES, "relations": strategies.RELATION_TYPES, "events": EVENT_TYPES}
AWKWARD = (
    "plain", "a, b; c", "(a)", "（甲，乙）", ")(", "a \\", "\\", "#1", "#1 x", "a | b", "甲｜乙", "x: y", "甲：乙",
    "\"q\"", "“引”", "a\nb", "\\n", "None", "无", "[1]", "]", "<e1>", "a + b", "+", "a +", "；", ";", ",", "， ",
    "1. a", "{}", "a\u2028b", "a\r\nb",
)  # fmt: skip
awkward = st.sampled_from(AWKWARD) | strategies.texts


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents whose mentions, concepts, triggers and arguments are awkward texts."""
    lang: Lang = draw(strategies.langs)
    texts = draw(st.lists(awkward, min_size=1, max_size=5))
    text, entities, at = "", [], 0
    for number, part in enumerate(texts):
        at = len(text)
        text += part + draw(st.sampled_from((" ", "。", "")))
        names = draw(st.lists(awkward, max_size=2))
        concepts = tuple(Concept(db=draw(st.sampled_from(("MESH", "a b"))), id=name) for name in names)
        kind = draw(st.sampled_from(strategies.ENTITY_TYPES[lang])).name
        spans = (Span(at, at + len(part)),)
        entities.append(Entity(id=f"T{number}", type=kind, text=part, spans=spans, concepts=concepts))
    refs = [Argument(role="", kind="entity", ref=entity.id) for entity in entities]
    ends = st.sampled_from(refs) | st.builds(Argument, role=st.just(""), kind=st.just("text"), ref=awkward)
    relation_types = st.sampled_from([shown.name for shown in strategies.RELATION_TYPES[lang]])
    relations: list[Relation] = []
    for number in range(draw(st.integers(0, 4))):
        inner = [Argument(role="", kind="relation", ref=relation.id) for relation in relations]
        pair = (draw(ends), draw(st.sampled_from(inner) if inner and draw(st.booleans()) else ends))
        relations.append(Relation(id=f"R{number}", type=draw(relation_types), arguments=pair))
    count = draw(st.integers(0, 4))
    others = [Argument(role="Theme", kind="event", ref=f"E{number}") for number in range(count)]
    fillers = ends if not others else ends | st.sampled_from(others)
    events: list[Event] = []
    for number in range(count):
        place = draw(st.sampled_from(entities))
        given_place = draw(st.booleans())
        arguments = (
            Argument(role=draw(st.sampled_from(("Theme", "a: b", "x | y", "部位"))), kind=a.kind, ref=a.ref)
            for a in draw(st.lists(fillers, max_size=3))
        )
        events.append(
            Event(
                id=f"E{number}",
                type=draw(st.sampled_from(EVENT_TYPES[lang])).name,
                trigger=place.text if given_place else draw(st.just("") | awkward),
                trigger_spans=place.spans if given_place else (),
                arguments=tuple(arguments),
                attributes=draw(st.dictionaries(st.sampled_from(("Negation", "倾向")), awkward, max_size=1)),
            )
        )
    chains = draw(st.lists(st.lists(st.sampled_from([e.id for e in entities]), max_size=4), max_size=3))
    return Document(
        **(HEAD | {"lang": lang}),
        text=text,
        entities=tuple(entities),
        relations=tuple(relations),
        events=tuple(events),
        coreferences=tuple(Coreference(id=f"C{n}", entities=tuple(chain)) for n, chain in enumerate(chains)),
    )


@st.composite
def trees(draw: st.DrawFn) -> TextToStruct:
    lang: Lang = draw(strategies.langs)
    kinds = st.sampled_from([shown.name for shown in strategies.RELATION_TYPES[lang]])
    triples = st.lists(st.builds(Triple, head=awkward | st.just(""), tail=awkward, type=kinds), max_size=3)
    node = st.builds(
        TreeNode,
        role=st.sampled_from(("condition", "decision")),
        triples=triples.map(tuple),
        logic=st.sampled_from(("and", "or", "null")),
    )
    nodes = draw(st.lists(node, min_size=1, max_size=5))
    return TextToStruct(**(HEAD | {"lang": lang}), source=draw(strategies.texts), nodes=tuple(nodes))


def flat(document: Document) -> Document:
    """The document without relations of relations."""
    kept = tuple(r for r in document.relations if all(a.kind != "relation" for a in r.arguments))
    return Document(**(HEAD | {"lang": document.lang}), text=document.text, entities=document.entities, relations=kept)


RECORDS: dict[str, st.SearchStrategy[Any]] = {
    "ner": documents(),
    "nen": documents(),
    "re": documents().map(flat),
    "cre": documents(),
    "ee": documents(),
    "coref": documents(),
    "struct": trees(),
}
FORMS = [(name, form) for name in RECORDS for form in tasks.get(name).forms if form != "tagged"]


def types_of(task: Task, lang: Lang) -> tuple[Shown, ...]:
    return TYPES[task.kind][lang] if task.kind in TYPES else ()  # pyright: ignore[reportArgumentType]


def render(
    name: str,
    record: Record,
    *,
    form: str | None = None,
    types: tuple[Shown, ...] | None = None,
    known: Facts | None = None,
    focus: tuple[str, ...] = (),
    number: int = 0,
) -> Example | Reject:
    task = tasks.get(name)
    if known is not None and isinstance(task, Informed):
        task = task.informed(known)
    wordings = tasks.load_templates(task, record.lang)
    asked = types_of(task, record.lang) if types is None else types
    return task.render(record, wordings[number % len(wordings)], form=form or task.forms[0], types=asked, focus=focus)


def made(name: str, record: Record, **options: Any) -> Example:
    example = render(name, record, **options)
    assert isinstance(example, Example), example
    return example


def parse(name: str, text: str, *, form: str | None = None, lang: Lang = "en") -> Answer:
    """Read what a model wrote about a text with nothing in it."""
    record: Record = Document(**(HEAD | {"lang": lang}), text="x")
    if name == "struct":
        record = TextToStruct(**(HEAD | {"lang": lang}), source="x", nodes=(TreeNode(role="decision"),))
    return tasks.get(name).parse(text, made(name, record, form=form))


def document(*entities: tuple[str, str], lang: Lang = "en", **parts: Any) -> Document:
    """A document of mentions side by side, given as type and text."""
    found: list[Entity] = []
    text = ""
    for number, (kind, part) in enumerate(entities, start=1):
        text += " " if text else ""
        span = Span(len(text), len(text) + len(part))
        found.append(Entity(id=f"T{number}", type=kind, text=part, spans=(span,)))
        text += part
    return Document(**(HEAD | {"lang": lang}), text=text or "x", entities=tuple(found), **parts)


def relation(id: str, type: str, head: str, tail: str) -> Relation:
    kinds = {"T": "entity", "R": "relation", "E": "event"}
    ends = tuple(Argument(role="", kind=kinds.get(ref[0], "concept"), ref=ref) for ref in (head, tail))  # pyright: ignore[reportArgumentType]
    return Relation(id=id, type=type, arguments=ends)
