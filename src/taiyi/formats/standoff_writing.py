"""Standoff lines of a document, such that reading them gives the same document; what they cannot say is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from taiyi.errors import FormatError
from taiyi.formats.standoff import Attribute, Group, Happening, Link, Mention, Normalisation, Note, line
from taiyi.formats.standoff_document import MEMBER
from taiyi.schema import Argument, Coreference, Document, Entity, Event, Relation, Span

EQUIV = "Equiv"
ANNOTATOR_NOTES = "AnnotatorNotes"
_WORD = re.compile(r"[^\s:;]+")
_VALUE = re.compile(r"\S(.*\S)?")
Annotated = Entity | Event | Relation


def lines_of(document: Document, *, shared_task: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each line of a document, after the type of the entity that it is about, or nothing.

    Args:
        shared_task: write modifications and normalisations as the BioNLP shared tasks do, not as brat does.

    Raises:
        FormatError: a part of the document cannot be said in standoff lines.
    """
    writer = _Writer(document, shared_task)
    yield from writer.entities()
    yield from (("", text) for text in writer.others())


def renumbered(document: Document) -> Document:
    """Return a document with ids of standoff's own kind for all that is annotated."""
    names = {
        **{entity.id: f"T{n}" for n, entity in enumerate(document.entities, start=1)},
        **{event.id: f"E{n}" for n, event in enumerate(document.events, start=1)},
    }
    links = [relation for relation in document.relations if not _is_group(relation)]
    names |= {relation.id: f"R{n}" for n, relation in enumerate(links, start=1)}
    groups = [*document.coreferences, *(relation for relation in document.relations if _is_group(relation))]
    names |= {group.id: f"*{n}" for n, group in enumerate(groups, start=1)}

    def arguments(given: tuple[Argument, ...]) -> tuple[Argument, ...]:
        return tuple(
            argument
            if argument.kind in ("text", "concept")
            else msgspec.structs.replace(argument, ref=names[argument.ref])
            for argument in given
        )

    replace = msgspec.structs.replace
    return replace(
        document,
        entities=tuple(replace(e, id=names[e.id]) for e in document.entities),
        events=tuple(replace(e, id=names[e.id], arguments=arguments(e.arguments)) for e in document.events),
        relations=tuple(replace(r, id=names[r.id], arguments=arguments(r.arguments)) for r in document.relations),
        coreferences=tuple(
            Coreference(id=names[c.id], entities=tuple(names[ref] for ref in c.entities)) for c in document.coreferences
        ),
    )


def _is_group(relation: Relation) -> bool:
    """Whether a relation is a `*` line: all its arguments are members."""
    return bool(relation.arguments) and all(argument.role == MEMBER for argument in relation.arguments)


class _Writer:
    def __init__(self, document: Document, shared_task: bool) -> None:
        self.document = document
        self.shared_task = shared_task
        self.attributes = 0
        self.normalisations = 0
        self.notes = 0
        if document.passages:
            raise self._refusal("standoff files hold no passages", document.passages[0].type)

    def _refusal(self, what: str, id: str, mend: str | None = None) -> FormatError:
        return FormatError(what, where=f"{self.document.id}/{id}", mend=mend)

    def _check_id(self, id: str, letter: str) -> None:
        if not id.startswith(letter) or not _WORD.fullmatch(id):
            raise self._refusal(f"not an id that standoff files can hold: {id!r}", id, f"{letter}1 would be; renumber")

    def _word(self, text: str, id: str, what: str) -> str:
        if not _WORD.fullmatch(text):
            raise self._refusal(f"standoff files cannot hold the {what} {text!r}", id)
        return text

    def entities(self) -> Iterator[tuple[str, str]]:
        for entity in self.document.entities:
            self._check_id(entity.id, "T")
            yield entity.type, line(self._mention(entity.id, entity.type, entity.spans, entity.text))
            for concept in entity.concepts:
                self.normalisations += 1
                self._word(concept.db, entity.id, "terminology")
                if not _VALUE.fullmatch(concept.id) or "\t" in concept.id:
                    raise self._refusal(f"standoff files cannot hold the concept {concept.id!r}", entity.id)
                id = f"N{self.normalisations}"
                yield (
                    entity.type,
                    line(Normalisation("", id, entity.id, concept.db, concept.id), shared_task=self.shared_task),
                )
            yield from ((entity.type, text) for text in self._remarks(entity))

    def _mention(self, id: str, type: str, spans: tuple[Span, ...], text: str) -> Mention:
        if list(spans) != sorted(spans):
            raise self._refusal("fragments are not in the order of the text", id)
        return Mention("", id, self._word(type, id, "type"), spans, text)

    def _remarks(self, owner: Annotated) -> Iterator[str]:
        for name, value in owner.attributes.items():
            self._word(name, owner.id, "attribute")
            if name == ANNOTATOR_NOTES and "\r" not in value:
                for part in value.split("\n"):
                    self.notes += 1
                    yield line(Note("", name, owner.id, part), number=self.notes)
                continue
            if not _VALUE.fullmatch(value) or "\r" in value:
                raise self._refusal(f"standoff files cannot hold the value {value!r} of {name}", owner.id)
            self.attributes += 1
            yield line(Attribute("", f"{'M' if self.shared_task else 'A'}{self.attributes}", name, owner.id, value))

    def others(self) -> Iterator[str]:
        yield from self._events()
        # The ids of groups are their places among the lines, so chains go between the relations that are groups.
        chains = [*self.document.coreferences]
        groups = 0
        for relation in self.document.relations:
            if not _is_group(relation):
                yield line(self._link(relation))
                yield from self._remarks(relation)
                continue
            while chains and relation.id != f"*{groups + 1}":
                groups += 1
                yield line(self._chain(chains.pop(0), groups))
            groups += 1
            yield line(self._group(relation, groups))
        for number, chain in enumerate(chains, start=groups + 1):
            yield line(self._chain(chain, number))

    def _events(self) -> Iterator[str]:
        taken = {entity.id for entity in self.document.entities}
        numbers = (f"T{n}" for n in range(len(taken) + 1, 2 * len(taken) + len(self.document.events) + 2))
        free = (id for id in numbers if id not in taken)
        triggers: dict[tuple[str, tuple[Span, ...]], str] = {}
        written: list[str] = []
        for event in self.document.events:
            self._check_id(event.id, "E")
            type = self._word(event.type, event.id, "type")
            trigger = ""
            if event.trigger_spans:
                key = (type, event.trigger_spans)
                trigger = triggers.get(key, "")
                if not trigger:
                    trigger = triggers[key] = next(free)
                    yield line(self._mention(trigger, type, event.trigger_spans, event.trigger))
            elif event.trigger:
                raise self._refusal("standoff files hold no trigger without a span", event.id)
            written.append(line(Happening("", event.id, type, trigger, self._arguments(event))))
            written += self._remarks(event)
        yield from written

    def _arguments(self, owner: Relation | Event) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for argument in owner.arguments:
            if argument.kind not in ("entity", "event") or argument.type is not None:
                what = "typed arguments" if argument.type is not None else f"arguments of kind {argument.kind}"
                raise self._refusal(f"standoff files hold no {what}", owner.id)
            found.append((self._word(argument.role, owner.id, "role"), argument.ref))
        return tuple(found)

    def _link(self, relation: Relation) -> Link:
        self._check_id(relation.id, "R")
        if not relation.arguments:
            raise self._refusal("standoff files hold no relation without arguments", relation.id)
        return Link("", relation.id, self._type_of(relation), self._arguments(relation))

    def _group(self, relation: Relation, number: int) -> Group:
        self._check_number(relation.id, number)
        if relation.attributes:
            raise self._refusal("standoff files hold no attributes of a group", relation.id)
        return Group("", self._type_of(relation), tuple(ref for _, ref in self._arguments(relation)))

    def _type_of(self, relation: Relation) -> str:
        if relation.type == EQUIV and all(argument.kind == "entity" for argument in relation.arguments):
            raise self._refusal("a relation Equiv would be read as a coreference", relation.id)
        return self._word(relation.type, relation.id, "type")

    def _chain(self, chain: Coreference, number: int) -> Group:
        self._check_number(chain.id, number)
        if not chain.entities:
            raise self._refusal("standoff files hold no coreference without entities", chain.id)
        return Group("", EQUIV, chain.entities)

    def _check_number(self, id: str, number: int) -> None:
        if id != f"*{number}":
            raise self._refusal(f"not the id that a group in this place has, *{number}", id, "renumber")
