"""Normalisation of entities (NEN): the mentions of the asked types, each with the concepts that it stands for.

A concept is written as its identifier with the terminology before it, `MESH:D001241`, or by its name where the corpus
names the terms of a terminology (CHIP-CDN). Scored as micro-F1 over the unique (mention, concept) pairs of each record;
mentions that the corpus gives no concept are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import regex

from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Concept,
    Document,
    Example,
    Lang,
    Normalisations,
    Normalised,
    Record,
    Reject,
    Score,
    Shown,
    Span,
)
from taiyi.tasks import facts, fields, grammars, json_answer, listing
from taiyi.tasks.facts import Facts
from taiyi.tasks.task import AboutDocuments, Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words

# Several concepts of one mention stand with a plus between spaces; one at the edge of a word may be part of a name.
_AND = " + "
_SEVERAL = regex.compile(r"(?<=(?<!\\)(?:\\\\)*)\s\+\s")
_PLUS = regex.compile(r"(?<!\S)\+|\+(?!\S)")
_UNKNOWN = {"en": "a standard terminology", "zh": "标准术语集"}


class Normalisation(AboutDocuments, Whole):
    """Mentions of the asked types with their concepts.

    Not informed, it takes the terminologies of the record itself for those of its corpus.
    """

    name = "nen"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "terminology", "text"})
    kind: Kind | None = "entities"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def __init__(self, known: Facts | None = None) -> None:
        self.known = known

    def informed(self, facts: Facts) -> Self:
        return type(self)(facts)

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
        span = window or Span(0, len(record.text))
        source = record.text[span.start : span.end]
        known = self.known or facts.gather((record,))
        asked = {shown.name for shown in types}
        found: dict[str, dict[str, None]] = {}
        for entity in sorted(record.entities, key=lambda e: (e.spans[0].start, -e.spans[-1].end)):
            if entity.type in asked and span.start <= entity.spans[0].start < span.end and entity.text.strip():
                concepts = dict.fromkeys(text for c in entity.concepts if (text := _written(c, known)))
                if concepts:
                    found.setdefault(entity.text.strip(), {}).update(concepts)
        marks = words(template.lang)
        prompt, at = template.fill_at(
            "text",
            types=marks.comma.join(dict.fromkeys(shown.shown for shown in types)),
            terminology=marks.comma.join(known.terminologies) or _UNKNOWN[template.lang],
            text=source,
        )
        if form == "json":
            answer = json_answer.write([{"mention": text, "concepts": list(ids)} for text, ids in found.items()])
        else:
            lines = [
                fields.escape_name(text) + marks.colon + _AND.join(map(_escape, ids)) for text, ids in found.items()
            ]
            answer = "\n".join(lines) or marks.none
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=answer,
            gold=Normalisations(
                items=tuple(Normalised(text=text, concept=concept) for text, ids in found.items() for concept in ids)
            ),
            identifier=identifier,
            types=types,
            source=Span(at, at + len(source)),
            offset=span.start,
        )

    def parse(self, text: str, example: Example) -> Normalisations:
        read = _read_json if example.form == "json" else _read_list
        return Normalisations(items=tuple(dict.fromkeys(read(text, example.lang))))

    def grammar(self, example: Example) -> str:
        """Return the grammar of mentions of the source with concepts of whatever name."""
        if example.source is None:
            return ""
        if example.form == "json":
            return grammars.grammar(
                grammars.array("ROW"),
                ROW=r'"{\"mention\": " MENTION ", \"concepts\": "' + grammars.array("CONCEPT", "[]", 1) + ' "}"',
                CONCEPT=grammars.STRING,
                **grammars.quoted_mentions(example.source_text),
            )
        return grammars.grammar(
            grammars.several("LINE", "\n", or_none=example.lang),
            LINE=f"MENTION {grammars.literal(words(example.lang).colon)} CONCEPTS",
            CONCEPTS=grammars.LINE,
            **grammars.mentions(example.source_text, fields.escape_name),
        )

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut_lines(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Normalisations:
        merged: dict[Normalised, None] = {}
        for _, answer in answers:
            assert isinstance(answer, Normalisations)
            merged.update(dict.fromkeys(answer.items))
        return Normalisations(items=tuple(merged))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Normalisations)
        assert predicted is None or isinstance(predicted, Normalisations)
        ours = {("concept", f"{n.text}\t{n.concept}") for n in gold.items}
        theirs = {("concept", f"{n.text}\t{n.concept}") for n in predicted.items} if predicted is not None else None
        return set_score(ours, theirs, record=record, reason=reason)


def _written(concept: Concept, known: Facts) -> str:
    id = concept.id.strip()
    return id if concept.db in known.named or not id else f"{concept.db}:{id}"


def _escape(concept: str) -> str:
    return _PLUS.sub(r"\\+", concept.replace("\\", "\\\\").replace("\n", "\\n"))


def _read_list(text: str, lang: Lang) -> list[Normalised]:
    if not text.strip():
        raise Unparsable("the answer is empty", expected="mention: concept, or the word for none")
    found: list[Normalised] = []
    for line in text.strip().split("\n"):
        if not line.strip() or line.strip(" .。") == words(lang).none:
            continue
        parts = fields.split_name(line)
        if parts is None:
            raise Unparsable("a line gives a mention no concept", got=repr(line[:60]), expected="mention: concept")
        mention, concepts = parts
        for part in _SEVERAL.split(concepts):
            found.append(Normalised(text=mention, concept=listing.unescape(part.strip())))
    return found


def _read_json(text: str, lang: Lang) -> list[Normalised]:
    found: list[Normalised] = []
    for row in json_answer.rows(json_answer.read(text, lang)):
        mention = json_answer.text_of(row, "mention", "text")
        concepts = json_answer.texts(row.get("concepts", row.get("concept", [])))
        found.extend(Normalised(text=mention, concept=concept) for concept in concepts)
    return found
