"""What a format does not carry is taken off a record, and said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from taiyi.convert.carries import REFUSED, Carries, Kind, Losses, Target
from taiyi.schema import Argument, Coreference, Document, Entity, Event, Passage, Record, Relation, Span

_replace = msgspec.structs.replace


def fit(record: Record, to: Target, losses: Losses) -> Record | None:
    """Return a record without what a format does not carry; None where it carries none of its form."""
    if (carries := to.carries) is None:
        return record
    if not isinstance(record, carries.forms):
        losses.add(f"{REFUSED}: of the form {type(record).__name__}", record.id)
        return None
    if record.document_ids and not carries.document_ids:
        # Where the record is named by it, its name says it.
        if any(id.rpartition(":")[2] != record.id for id in record.document_ids):
            losses.add("document id", record.id)
        record = _replace(record, document_ids=())
    return _Fit(record, carries, losses).document() if isinstance(record, Document) else record


class _Fit:
    def __init__(self, document: Document, carries: Carries, losses: Losses) -> None:
        self.given = document
        self.carries = carries
        self.losses = losses

    def _lost(self, what: str, id: str = "") -> None:
        self.losses.add(what, f"{self.given.id}/{id}" if id else self.given.id)

    def document(self) -> Document:
        given, carries = self.given, self.carries
        text = self._text()
        entities = [entity for e in given.entities if (entity := self._entity(e, text))]
        if not carries.nested:
            entities = self._flat(entities)
        known: dict[Kind, set[str]] = {
            "entity": {entity.id for entity in entities},
            "concept": {concept.id for entity in entities for concept in entity.concepts},
            "event": {event.id for event in given.events} if carries.events else set(),
            "relation": {relation.id for relation in given.relations},
        }
        relations = list(given.relations)
        # What refers to a relation goes with it.
        while len(kept := [found for r in relations if (found := self._relation(r, known))]) < len(relations):
            relations, known["relation"] = kept, {relation.id for relation in kept}
        events = [self._event(event, known) for event in given.events] if carries.events else []
        for event in () if carries.events else given.events:
            self._lost("event", event.id)
        fitted = _replace(
            given,
            text=text,
            passages=self._passages(text),
            entities=tuple(entities),
            relations=tuple(kept),
            events=tuple(events),
            coreferences=tuple(found for c in given.coreferences if (found := self._chain(c, known["entity"]))),
        )
        return carries.renumber(fitted)

    def _text(self) -> str:
        text = self.given.text
        if self.carries.line_breaks or not any(mark in text for mark in "\r\n\t"):
            return text
        self._lost("line breaks and tabs (spaces stand for them)")
        return text.translate(dict.fromkeys(map(ord, "\r\n\t"), " "))

    def _passages(self, text: str) -> tuple[Passage, ...]:
        given = self.given.passages
        alike = not given and self.carries.passages != "title and abstract"
        if alike or self.carries.passages == "any" or (self.carries.passages == "whole" and _hold(given, text)):
            return given
        if self.carries.passages == "title and abstract":
            if [passage.type for passage in given] in (["title"], ["title", "abstract"]) and _hold(given, text):
                return given
            self._lost("passages (the text stands as the title)")
            return (Passage(type="title", span=Span(0, len(text))),)
        self._lost("passages")
        return ()

    def _name(self, name: str, id: str) -> str:
        if self.carries.spaces_in_names or not any(mark.isspace() or mark in ":;" for mark in name):
            return name
        self._lost("spaces and colons in names (underscores stand for them)", id)
        return "".join("_" if mark.isspace() or mark in ":;" else mark for mark in name)

    def _entity(self, entity: Entity, text: str) -> Entity | None:
        if len(entity.spans) > 1 and not self.carries.discontinuous:
            self._lost("discontinuous mention", entity.id)
            return None
        changes: dict[str, Any] = {
            "type": self._name(entity.type, entity.id),
            "text": " ".join(text[start:end] for start, end in entity.spans),
        }
        if entity.concepts and not self.carries.concepts:
            self._lost("concepts of a mention", entity.id)
            changes["concepts"] = ()
        if entity.attributes and not self.carries.entity_attributes:
            self._lost("attributes of a mention", entity.id)
            changes["attributes"] = {}
        return _replace(entity, **changes)

    def _flat(self, entities: list[Entity]) -> list[Entity]:
        """Return mentions that do not touch one another: of those that do, the longest, and of equal ones the first."""
        kept: list[Entity] = []
        longest_first = sorted(entities, key=lambda entity: entity.spans[0].start - entity.spans[0].end)
        for entity in longest_first:
            (start, end) = entity.spans[0]
            if any(start < other.spans[0].end and other.spans[0].start < end for other in kept):
                self._lost("mention within or across another", entity.id)
            else:
                kept.append(entity)
        return sorted(kept, key=lambda entity: entity.spans)

    def _relation(self, relation: Relation, known: Mapping[Kind, set[str]]) -> Relation | None:
        carries = self.carries
        kinds = {argument.kind for argument in relation.arguments}
        if not kinds <= {*carries.relations} or (carries.arity and len(relation.arguments) != carries.arity):
            self._lost(
                "relation" if not carries.relations else "relation of this kind or number of arguments", relation.id
            )
            return None
        if any(a.kind != "text" and a.ref not in known[a.kind] for a in relation.arguments):
            self._lost("relation to what is not carried", relation.id)
            return None
        arguments = relation.arguments
        if carries.roles and tuple(argument.role for argument in arguments) != carries.roles:
            self._lost("roles of a relation", relation.id)
            named = zip(carries.roles, arguments, strict=True)
            arguments = tuple(_replace(argument, role=role) for role, argument in named)
        attributes = relation.attributes
        if carries.relation_attributes is not None and (extra := {*attributes} - {*carries.relation_attributes}):
            self._lost("attributes of a relation", relation.id)
            attributes = {key: value for key, value in attributes.items() if key not in extra}
        named_arguments = tuple(_replace(a, role=self._name(a.role, relation.id)) for a in arguments)
        return _replace(
            relation, type=self._name(relation.type, relation.id), arguments=named_arguments, attributes=attributes
        )

    def _event(self, event: Event, known: Mapping[Kind, set[str]]) -> Event:
        arguments: list[Argument] = []
        for argument in event.arguments:
            if argument.kind in self.carries.events and (
                argument.kind == "text" or argument.ref in known[argument.kind]
            ):
                arguments.append(_replace(argument, role=self._name(argument.role, event.id)))
            else:
                self._lost("argument of an event", event.id)
        attributes = event.attributes
        if attributes and not self.carries.event_attributes:
            self._lost("attributes of an event", event.id)
            attributes = {}
        trigger = " ".join(self.given.text[start:end] for start, end in event.trigger_spans) or event.trigger
        return _replace(
            event,
            type=self._name(event.type, event.id),
            trigger=trigger,
            arguments=tuple(arguments),
            attributes=attributes,
        )

    def _chain(self, chain: Coreference, known: set[str]) -> Coreference | None:
        kept = tuple(ref for ref in chain.entities if ref in known)
        if not self.carries.coreferences or not kept:
            self._lost("coreference", chain.id)
            return None
        if len(kept) < len(chain.entities):
            self._lost("member of a coreference", chain.id)
        return Coreference(id=chain.id, entities=kept)


def _hold(passages: tuple[Passage, ...], text: str) -> bool:
    """Whether passages hold a text in its order, each part once, but for spaces between them."""
    starts = [*(passage.span.start for passage in passages), len(text)]
    ends = [0, *(passage.span.end for passage in passages)]
    gaps = [(end, start) for end, start in zip(ends, starts, strict=True)]
    return all(end <= start and not text[end:start].strip(" ") for end, start in gaps) and ends[-1] == len(text)
