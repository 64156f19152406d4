"""Relation extraction (RE) as triples `(head, tail, relation)`, in a list or in JSON.

Scored as the paper does: micro-F1 over the unique (head, tail, type) triples of each record. A relation between
concepts stands for a triple of every pair of their distinct surface forms, as in the paper's own example of BC5CDR. An
event that takes part in a relation goes by its trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Argument,
    Document,
    Example,
    Record,
    Reject,
    Score,
    Shown,
    Span,
    Triple,
    Triples,
)
from taiyi.tasks import fields, json_answer, listing
from taiyi.tasks.task import Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words
from taiyi.text import fingerprints

TRIPLE = "(head, tail, relation)"
NOT_BETWEEN_TWO = "a relation is not between two mentions"


class Relations(Whole):
    """Triples of the asked relation types."""

    name = "re"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "relations"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def applies(self, record: Record) -> bool:
        return isinstance(record, Document)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Document)
        return (record.text,)

    def render(
        self,
        record: Record,
        template: Template,
        *,
        form: str,
        types: Sequence[Shown] = (),
        window: Span | None = None,
        focus: tuple[str, ...] = (),
    ) -> Example | Reject:
        assert isinstance(record, Document)
        identifier = example_id(record, template, form, types, window)
        shown = {t.name: t.shown for t in types}
        named = surfaces(record)
        triples: dict[Triple, None] = {}
        for relation in record.relations:
            if relation.type not in shown:
                continue
            arguments = [texts(argument, named) for argument in relation.arguments]
            if len(arguments) != 2 or not all(arguments):
                return Reject(where=identifier, reason=NOT_BETWEEN_TWO, detail=relation.id)
            for head, tail in product(*arguments):
                triples[Triple(head=head, tail=tail, type=relation.type)] = None
        marks = words(template.lang)
        if form == "json":
            answer = json_answer.write([{"head": t.head, "tail": t.tail, "relation": shown[t.type]} for t in triples])
        else:
            rows = [(fields.escape(t.head), fields.escape(t.tail), shown[t.type]) for t in triples]
            answer = marks.semicolon.join(f"({', '.join(row)})" for row in rows) or marks.none
        asked = marks.comma.join(dict.fromkeys(shown.values()))
        return example(
            record,
            template,
            form,
            prompt=template.fill(types=asked, text=record.text),
            answer=answer,
            gold=Triples(items=tuple(triples)),
            content=fingerprints(*self.texts(record)),
            identifier=identifier,
            types=types,
        )

    def parse(self, text: str, example: Example) -> Triples:
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        read = _read_json if example.form == "json" else _read_list
        return Triples(items=tuple(dict.fromkeys(read(text, names, example))))

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Triples:
        return merge(answers)

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        return score(gold, predicted, record=record, reason=reason)


def surfaces(document: Document) -> dict[str, list[str]]:
    """Return the distinct surface forms of entities, of the concepts that they are normalised to, and of events, by
    kind and id."""
    found: dict[str, dict[str, None]] = {}
    for entity in document.entities:
        text = entity.text.strip()
        found.setdefault(f"entity {entity.id}", {})[text] = None
        for concept in entity.concepts:
            found.setdefault(f"concept {concept.id}", {})[text] = None
    for event in document.events:
        if trigger := event.trigger.strip():
            found[f"event {event.id}"] = {trigger: None}
    return {key: list(texts) for key, texts in found.items()}


def texts(argument: Argument, named: dict[str, list[str]]) -> list[str]:
    """Return the surface forms that an argument goes by, of those that `surfaces` returns."""
    if argument.kind == "text":
        return [argument.ref.strip()] if argument.ref.strip() else []
    return named.get(f"{argument.kind} {argument.ref}", [])


def merge(answers: Sequence[tuple[Example, Answer]]) -> Triples:
    """Put triples together."""
    merged: dict[Triple, None] = {}
    for _, answer in answers:
        assert isinstance(answer, Triples)
        merged.update(dict.fromkeys(answer.items))
    return Triples(items=tuple(merged))


def score(gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
    """Count triples by the type of their relation."""
    assert isinstance(gold, Triples)
    assert predicted is None or isinstance(predicted, Triples)
    ours = {(t.type, f"{t.head}\t{t.tail}") for t in gold.items}
    theirs = {(t.type, f"{t.head}\t{t.tail}") for t in predicted.items} if predicted is not None else None
    return set_score(ours, theirs, record=record, reason=reason)


def read_triple(item: str, names: dict[str, str]) -> Triple:
    """Read `(head, tail, relation)`; the name of a relation that is known may hold commas.

    Raises:
        Unparsable: it is something else.
    """
    if not (item.startswith(("(", "（")) and item.endswith((")", "）"))):
        raise Unparsable("an item is not in brackets", got=repr(item[:60]), expected=TRIPLE)
    parts = fields.SEPARATOR.split(item[1:-1], maxsplit=2)
    if len(parts) != 3 or (parts[2].strip() not in names and fields.SEPARATOR.search(parts[2])):
        raise Unparsable("an item is not a triple", got=repr(item[:60]), expected=TRIPLE)
    head, tail = (listing.unescape(part.strip()) for part in parts[:2])
    return Triple(head=head, tail=tail, type=names.get(parts[2].strip(), parts[2].strip()))


def _read_list(text: str, names: dict[str, str], example: Example) -> list[Triple]:
    if not text.strip():
        raise Unparsable("the answer is empty", where=example.id, expected="triples, or the word for none")
    if text.strip(" \n.。") == words(example.lang).none:
        return []
    return [read_triple(item, names) for line in text.split("\n") for item in listing.split(line)]


def _read_json(text: str, names: dict[str, str], example: Example) -> list[Triple]:
    found: list[Triple] = []
    for row in json_answer.rows(json_answer.read(text, example.lang)):
        head, tail = json_answer.text_of(row, "head"), json_answer.text_of(row, "tail")
        type = json_answer.text_of(row, "relation", "type")
        found.append(Triple(head=head, tail=tail, type=names.get(type, type)))
    return found
