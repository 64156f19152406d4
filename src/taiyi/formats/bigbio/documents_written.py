"""Rows of BigBio's kb from documents, and what such a row cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats.bigbio import schemas
from taiyi.formats.bigbio.documents import MOST_SPACES, ROLES
from taiyi.schema import Argument, Document, Entity, Event, Relation, Span

_BY_ID = frozenset({"entity", "event"})


def render(record: Document, *, roles: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return a document as a row; text of no passage stands in a passage without type.

    Raises:
        FormatError: there are attributes, relations of other than two arguments or with other roles than their type's,
            arguments that are no entities and events, or a passage without type.
    """
    return {
        "id": record.id,
        "document_id": schemas.document_id(record.id, record.document_ids),
        "passages": list(_passages(record)),
        "entities": [_entity(entity, record) for entity in record.entities],
        "events": [_event(event, record) for event in record.events],
        "coreferences": [{"id": c.id, "entity_ids": list(c.entities)} for c in record.coreferences],
        "relations": [_relation(relation, record, roles) for relation in record.relations],
    }


def _parts(text: str, spans: Sequence[Span]) -> dict[str, Any]:
    return {"text": [text[start:end] for start, end in spans], "offsets": [[start, end] for start, end in spans]}


def _passages(record: Document) -> Iterator[dict[str, Any]]:
    groups: list[tuple[str, tuple[Span, ...]]] = [(passage.type, (passage.span,)) for passage in record.passages]
    if not all(type for type, _ in groups):
        raise FormatError("a passage has no type", where=record.id)
    if rest := tuple(_uncovered(record)):
        groups.append(("", rest))
    for index, (type, spans) in enumerate(groups):
        yield {"id": f"{record.id}_passage_{index}", "type": type, **_parts(record.text, spans)}


def _uncovered(record: Document) -> Iterator[Span]:
    """Yield where the text is in no passage, but for spaces between two of them."""
    end = 0
    after = Span(len(record.text), len(record.text))
    for start, stop in (*sorted(passage.span for passage in record.passages), after):
        gap = record.text[end:start]
        if gap and (gap.strip(" ") or len(gap) > MOST_SPACES or start == len(record.text)):
            yield Span(end, start)
        end = max(end, stop)


def _entity(entity: Entity, record: Document) -> dict[str, Any]:
    where = f"{record.id}/{entity.id}"
    if entity.attributes:
        raise FormatError("BigBio's kb has no attributes of entities", where=where, got=sorted(entity.attributes))
    if any(concept.id in schemas.NOTHING for concept in entity.concepts):
        raise FormatError("a concept has no id", where=where)
    concepts = [{"db_name": concept.db, "db_id": concept.id} for concept in entity.concepts]
    return {"id": entity.id, "type": entity.type, **_parts(record.text, entity.spans), "normalized": concepts}


def _event(event: Event, record: Document) -> dict[str, Any]:
    where = f"{record.id}/{event.id}"
    if event.attributes:
        raise FormatError("BigBio's kb has no attributes of events", where=where, got=sorted(event.attributes))
    trigger = _parts(record.text, event.trigger_spans)
    if event.trigger and not event.trigger_spans:
        trigger["text"] = [event.trigger]
    arguments = [{"role": argument.role, "ref_id": _ref(argument, where)} for argument in event.arguments]
    return {"id": event.id, "type": event.type, "trigger": trigger, "arguments": arguments}


def _relation(relation: Relation, record: Document, roles: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    where = f"{record.id}/{relation.id}"
    if relation.attributes:
        raise FormatError("BigBio's kb has no attributes of relations", where=where, got=sorted(relation.attributes))
    expected, found = roles.get(relation.type, ROLES), tuple(argument.role for argument in relation.arguments)
    if found != expected:
        raise FormatError(
            "BigBio's kb has relations of two arguments, whose roles only their order tells",
            where=where,
            got=", ".join(found),
            expected=", ".join(expected),
            mend="give the roles of each relation type",
        )
    first, second = (_ref(argument, where) for argument in relation.arguments)
    return {"id": relation.id, "type": relation.type, "arg1_id": first, "arg2_id": second, "normalized": []}


def _ref(argument: Argument, where: str) -> str:
    if argument.kind not in _BY_ID or argument.type is not None:
        raise FormatError(
            "arguments in BigBio's kb are entities and events", where=where, got=f"{argument.kind} {argument.ref!r}"
        )
    return argument.ref
