"""Structured answers as lines to read, the texts of a source that they name, and what windows leave out of them."""

from __future__ import annotations

from typing import NamedTuple

import regex

from taiyi import tasks
from taiyi.schema import (
    Answer,
    Chains,
    Choice,
    Example,
    FreeText,
    Happenings,
    Labels,
    Mentions,
    Normalisations,
    Tree,
    Triples,
    Value,
)
from taiyi.tasks import marked, relations
from taiyi.tasks.windowed import Windowed

_PLACE = regex.compile(r"@[0-9]+(?:!|$)")


class Table(NamedTuple):
    """An answer as a table: what its lines are, the names of its columns, and the lines."""

    what: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(answer: Answer) -> Table:
    """Lay an answer out for reading."""
    match answer:
        case Mentions():
            rows = [(m.type, m.text, f"{m.span.start}-{m.span.end}" if m.span else "") for m in answer.items]
            return Table("mentions", ("type", "text", "at"), tuple(rows))
        case Triples():
            return Table("relations", ("head", "type", "tail"), tuple((t.head, t.type, t.tail) for t in answer.items))
        case Labels():
            return Table("labels", ("label",), tuple((label,) for label in answer.items))
        case Choice():
            return Table("choice", ("key",), ((answer.key,),))
        case FreeText():
            return Table("text", ("text",), ((answer.text,),))
        case Value():
            return Table("value", ("value",), ((f"{answer.value:g}",),))
        case Normalisations():
            rows = [(n.text, n.concept, n.type) for n in answer.items]
            return Table("normalised mentions", ("text", "concept", "type"), tuple(rows))
        case Happenings():
            return Table("events", ("event", "type or role", "trigger or text"), _events(answer))
        case Chains():
            rows = [(str(number), "; ".join(chain)) for number, chain in enumerate(answer.items, 1)]
            return Table("chains", ("chain", "mentions"), tuple(rows))
        case Tree():
            rows = [
                (node.role, node.logic, "; ".join(f"{t.head}, {t.type}, {t.tail}" for t in node.triples))
                for node in answer.nodes
            ]
            return Table("nodes of a decision tree", ("role", "logic", "triples"), tuple(rows))


def named(answer: Answer) -> list[tuple[str, str]]:
    """Return the texts that an answer takes from its source, each with what it is there."""
    match answer:
        case Mentions():
            found = [(m.type, m.text) for m in answer.items]
        case Triples():
            found = [pair for t in answer.items for pair in (("head", t.head), ("tail", t.tail))]
        case Normalisations():
            found = [(n.type or n.concept, n.text) for n in answer.items]
        case Happenings():
            found = [(e.type, e.trigger) for e in answer.items]
            found += [(f.role, f.text) for e in answer.items for f in e.fillers if f.event is None]
        case Chains():
            found = [(f"chain {number}", text) for number, chain in enumerate(answer.items, 1) for text in chain]
        case Tree():
            found = [pair for n in answer.nodes for t in n.triples for pair in (("head", t.head), ("tail", t.tail))]
        case _:
            found = []
    return [(name, text) for name, text in found if text.strip()]


def in_no_window(example: Example, parsed: Answer) -> Answer | None:
    """Return what of the gold of an example an answer does not say because it lies in no window of its document.

    Such items are gold of the first window in evaluation (see build.instructions). A window's own gold is all in its
    answer, so that what is not is of no window; an event comes with those that it refers to. Where that is not sure, as
    of marks that lie in each other, or nothing is missing, it is None.
    """
    task = tasks.get(example.task)
    if _PLACE.search(example.id.rpartition(f"#{example.template}.{example.form}")[2]) is None:
        return None
    if isinstance(task, Windowed):
        items = task.items
    elif isinstance(example.gold, Triples) and _apart(example.messages[-1].content):
        items = relations.items
    else:
        return None
    said = items(parsed)
    missing = [(example, item) for key, item in items(example.gold).items() if key not in said]
    return task.merge(missing) if missing else None


def _apart(prompt: str) -> bool:
    """Whether the marks of a pair say for sure which its mentions are: none is of parts, or lies in one of its end."""
    tags = list(marked.TAG.finditer(prompt))
    closing = [[bool(tag[1]) for tag in tags if tag[2] == end] for end in "12"]
    return not any(tag[3] for tag in tags) and all(found == [False, True] * (len(found) // 2) for found in closing)


def _events(answer: Happenings) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    for number, event in enumerate(answer.items, 1):
        rows.append((str(number), event.type, event.trigger))
        for filler in event.fillers:
            rows.append(("", f"  {filler.role}", filler.text if filler.event is None else f"event {filler.event + 1}"))
    return tuple(rows)
