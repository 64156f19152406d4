"""Relation extraction (RE) as triples `(head, tail, relation)`, in a list or in JSON.

Scored as the paper does: micro-F1 over the unique (head, tail, type) triples of each record. A relation between
concepts stands for a triple of every pair of their distinct surface forms, as in the paper's own example of BC5CDR. An
event that takes part in a relation goes by its trigger.

A symmetric relation has no head and tail: its triple has its texts in alphabetical order, whichever was first, so that
one relation is one triple in every window, task and answer. It is written in the order of the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal

import msgspec

from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Document,
    Example,
    Lang,
    Record,
    Reject,
    Score,
    Shown,
    Span,
    Triple,
    Triples,
)
from taiyi.tasks import fields, grammars, json_answer, listing
from taiyi.tasks.task import Kind, example, example_id, set_score
from taiyi.tasks.windowed import Windowed, surfaces, text_of
from taiyi.templates import Template, words

TRIPLE = "(head, tail, relation)"
NOT_BETWEEN_TWO = "a relation is not between two mentions"


class Relations(Windowed):
    """Triples of the asked relation types."""

    name = "re"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "relations"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

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
        gold = self.gold(record, types, window)
        if isinstance(gold, str):
            return Reject(where=identifier, reason=NOT_BETWEEN_TWO, detail=gold)
        shown = {t.name: t.shown for t in types}
        undirected = symmetric(types)
        source = text_of(record, window)
        said = [in_order(triple, source, undirected) for triple in gold.items]
        asked = words(template.lang).comma.join(dict.fromkeys(shown.values()))
        prompt, at = template.fill_at("text", types=asked, text=source)
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=_write(said, types, form, template.lang),
            gold=gold,
            identifier=identifier,
            types=types,
            source=Span(at, at + len(source)),
            offset=window.start if window else 0,
        )

    def gold(self, document: Document, types: Sequence[Shown], window: Span | None = None) -> Triples | str:
        """Return the triples of a document or of a window of it; or the id of a relation that is not between two."""
        asked, undirected = {shown.name for shown in types}, symmetric(types)
        everywhere, here = surfaces(document), surfaces(document, window)
        found: dict[Triple, None] = {}
        for relation in document.relations:
            if relation.type not in asked:
                continue
            if len(relation.arguments) != 2 or not all(map(everywhere.of, relation.arguments)):
                return relation.id
            for head, tail in product(*map(here.of, relation.arguments)):
                found[canonical(Triple(head=head, tail=tail, type=relation.type), undirected)] = None
        return Triples(items=tuple(found))

    def items(self, answer: Answer) -> Mapping[str, Answer]:
        return items(answer)

    def parse(self, text: str, example: Example) -> Triples:
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        read = _read_json if example.form == "json" else _read_list
        undirected = symmetric(example.types)
        return Triples(items=tuple(dict.fromkeys(canonical(t, undirected) for t in read(text, names, example))))

    def write(self, answer: Answer, example: Example) -> str:
        assert isinstance(answer, Triples)
        return _write(answer.items, example.types, example.form, example.lang)

    def grammar(self, example: Example) -> str:
        if example.source is None or not example.types:
            return ""
        shown = [t.shown for t in example.types]
        if example.form == "json":
            return grammars.grammar(
                grammars.array("TRIPLE"),
                TRIPLE='"{\\"head\\": " MENTION ", \\"tail\\": " MENTION ", \\"relation\\": " TYPE "}"',
                TYPE=grammars.either(map(grammars.in_json, shown)),
                **grammars.quoted_mentions(example.source_text),
            )
        return grammars.grammar(
            grammars.several("TRIPLE", words(example.lang).semicolon, or_none=example.lang),
            TRIPLE='"(" MENTION ", " MENTION ", " TYPE ")"',
            TYPE=grammars.either(shown),
            **grammars.mentions(example.source_text, fields.escape),
        )

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Triples:
        return merge(answers)

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        return score(gold, predicted, record=record, reason=reason)


def symmetric(types: Sequence[Shown]) -> frozenset[str]:
    """Return the names of the types whose relations have no direction."""
    return frozenset(shown.name for shown in types if shown.symmetric)


def canonical(triple: Triple, undirected: frozenset[str]) -> Triple:
    """Return the one triple that stands for a relation: an undirected one has the lesser text as its head."""
    if triple.type not in undirected or triple.head <= triple.tail:
        return triple
    return Triple(head=triple.tail, tail=triple.head, type=triple.type)


def in_order(triple: Triple, text: str, undirected: frozenset[str]) -> Triple:
    """Return an undirected triple in the order of the text: its head occurs first in it, or is longer, or the lesser.

    What the text does not have, such as a mention of several parts, comes last.
    """
    if triple.type not in undirected:
        return triple

    def place(name: str) -> tuple[int, int, str]:
        at = text.find(name)
        return (at if at >= 0 else len(text), -len(name), name)

    head, tail = sorted((triple.head, triple.tail), key=place)
    return Triple(head=head, tail=tail, type=triple.type)


def items(answer: Answer) -> dict[str, Answer]:
    """Return each triple as an answer."""
    assert isinstance(answer, Triples)
    return {repr(msgspec.structs.astuple(triple)): Triples(items=(triple,)) for triple in answer.items}


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


def _write(triples: Sequence[Triple], types: Sequence[Shown], form: str, lang: Lang) -> str:
    shown = {t.name: t.shown for t in types}
    if form == "json":
        return json_answer.write([{"head": t.head, "tail": t.tail, "relation": shown[t.type]} for t in triples])
    marks = words(lang)
    rows = [(fields.escape(t.head), fields.escape(t.tail), shown[t.type]) for t in triples]
    return marks.semicolon.join(f"({', '.join(row)})" for row in rows) or marks.none


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
