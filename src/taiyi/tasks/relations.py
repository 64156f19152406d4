"""Relation extraction (RE) as triples `(head, tail, relation)`.

Scored as the paper does: micro-F1 over the unique (head, tail, type) triples of each record. A relation between
concepts stands for a triple of every pair of their distinct surface forms, as in the paper's own example of BC5CDR.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import regex

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
from taiyi.tasks import listing
from taiyi.tasks.task import Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words
from taiyi.text import fingerprints

# A comma with an even number of backslashes before it and, if it is an ASCII one, white space after it.
_FIELD = regex.compile(r"(?<=(?<!\\)(?:\\\\)*)(?:,\s+|，\s*)")


class Relations(Whole):
    """Triples of the asked relation types."""

    name = "re"
    forms: tuple[str, ...] = ("list",)
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
        surfaces = _surfaces(record)
        triples: dict[Triple, None] = {}
        for relation in record.relations:
            if relation.type not in shown:
                continue
            arguments = [_texts(argument, surfaces) for argument in relation.arguments]
            if len(arguments) != 2 or not all(arguments):
                return Reject(where=identifier, reason="a relation is not between two mentions", detail=relation.id)
            for head, tail in product(*arguments):
                triples[Triple(head=head, tail=tail, type=relation.type)] = None
        marks = words(template.lang)
        fields = [(_escape(t.head), _escape(t.tail), shown[t.type]) for t in triples]
        answer = marks.semicolon.join(f"({', '.join(triple)})" for triple in fields) or marks.none
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
        if not text.strip():
            raise Unparsable("the answer is empty", where=example.id, expected="triples, or the word for none")
        if text.strip(" \n.。") == words(example.lang).none:
            return Triples()
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        found: dict[Triple, None] = {}
        for item in (item for line in text.split("\n") for item in listing.split(line)):
            if not (item.startswith(("(", "（")) and item.endswith((")", "）"))):
                raise Unparsable("an item is not in brackets", got=repr(item[:60]), expected="(head, tail, relation)")
            fields = _FIELD.split(item[1:-1])
            if len(fields) != 3:
                raise Unparsable("an item is not a triple", got=repr(item[:60]), expected="(head, tail, relation)")
            head, tail = (listing.unescape(field.strip()) for field in fields[:2])
            found[Triple(head=head, tail=tail, type=names.get(fields[2].strip(), fields[2].strip()))] = None
        return Triples(items=tuple(found))

    def cut(self, text: str, example: Example) -> str:
        return listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Triples:
        merged: dict[Triple, None] = {}
        for _, answer in answers:
            assert isinstance(answer, Triples)
            merged.update(dict.fromkeys(answer.items))
        return Triples(items=tuple(merged))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Triples)
        assert predicted is None or isinstance(predicted, Triples)
        ours = {(t.type, f"{t.head}\t{t.tail}") for t in gold.items}
        theirs = {(t.type, f"{t.head}\t{t.tail}") for t in predicted.items} if predicted is not None else None
        return set_score(ours, theirs, record=record, reason=reason)


def _surfaces(document: Document) -> dict[str, list[str]]:
    """Return the distinct surface forms of each entity, by its id and by the concepts it is normalised to."""
    surfaces: dict[str, dict[str, None]] = {}
    for entity in document.entities:
        text = entity.text.strip()
        surfaces.setdefault(f"entity {entity.id}", {})[text] = None
        for concept in entity.concepts:
            surfaces.setdefault(f"concept {concept.id}", {})[text] = None
    return {key: list(texts) for key, texts in surfaces.items()}


def _texts(argument: Argument, surfaces: dict[str, list[str]]) -> list[str]:
    if argument.kind == "text":
        return [argument.ref.strip()] if argument.ref.strip() else []
    return surfaces.get(f"{argument.kind} {argument.ref}", [])


def _escape(field: str) -> str:
    """Write an argument so that the comma and white space between the fields of a triple cannot be read in it."""
    return regex.sub(r",(?=\s|$)|，", lambda match: "\\" + match[0], listing.escape(field))
