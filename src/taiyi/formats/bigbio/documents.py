"""Documents as rows of BigBio's kb.

The text is put together from the passages, each part of which stands at its offset; what lies between them is spaces.
An annotation that does not fit the text, or refers to what is not there, is rejected, and the rest is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar, cast

from taiyi.formats import checked
from taiyi.formats.bigbio import schemas
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Document,
    Entity,
    Event,
    Passage,
    Record,
    Reject,
    Relation,
    Span,
)

Row = Mapping[str, Any]
Kind = Literal["entity", "event", "relation"]
T = TypeVar("T")
ROLES = ("head", "tail")
# Between two passages; a wrong offset must not ask for more memory than there is.
MOST_SPACES = 10_000
_ABSENT = "reference to what is not in the document"
_LENGTH = "passage of another length than its offsets"


class _Owner(NamedTuple):
    """A relation or event of which what the arguments refer to is not known yet."""

    id: str
    type: str
    arguments: list[tuple[str, str]]
    attributes: dict[str, str]
    trigger: str = ""
    spans: tuple[Span, ...] = ()


class _Malformed(Exception):
    """A value of a row is not what the schema has there."""


# --- Values -----------------------------------------------------------------------------------------------------------


def _list(row: Row, key: str) -> list[Row]:
    """Return a list of mappings; empty where there is none."""
    items = _items(row, key)
    if not all(isinstance(item, dict) for item in items):
        raise _Malformed(f"{key} is no list of mappings: {checked.shown(items)}")
    return cast("list[Row]", items)


def _items(row: Row, key: str) -> list[object]:
    """Return what a list holds; nothing where there is none."""
    value: object = row.get(key)
    if value is not None and not isinstance(value, list):
        raise _Malformed(f"{key} is no list: {checked.shown(value)}")
    return cast("list[object]", value or [])


def _text(row: Row, key: str) -> str:
    """Return a text; empty where there is none, and what a number says."""
    value: object = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _Malformed(f"{key} is no text: {checked.shown(value)}")
    return str(value)


def _parts(row: Row) -> tuple[list[str], list[Span]]:
    """Return the texts and offsets of a passage, mention or trigger; some loaders give one text and not a list."""
    texts = [row["text"]] if isinstance(row.get("text"), str) else _items(row, "text")
    if not all(isinstance(text, str) for text in texts):
        raise _Malformed(f"text is no list of texts: {checked.shown(texts)}")
    offsets = _items(row, "offsets")
    if not all(_is_span(pair) for pair in offsets):
        raise _Malformed(f"offsets are no list of starts and ends: {checked.shown(offsets)}")
    return cast("list[str]", texts), [Span(*pair) for pair in cast("list[tuple[int, int]]", offsets)]


def _is_span(value: object) -> bool:
    pair = cast("list[object]", value) if isinstance(value, list) else []
    return len(pair) == 2 and all(isinstance(end, int) and not isinstance(end, bool) for end in pair)


# --- Reading ----------------------------------------------------------------------------------------------------------


def parse(
    row: Row, where: str, head: dict[str, Any], *, roles: Mapping[str, tuple[str, str]], untyped: str
) -> Iterator[Record | Reject]:
    """Yield what was wrong with a row, and the record that the rest of it is."""
    rejects: list[Reject] = []
    try:
        text, passages = _passages(_list(row, "passages"), where, rejects)
        entities = _each(row, "entities", where, rejects, lambda item, place: _entity(item, text, place, rejects))
        events = _each(row, "events", where, rejects, lambda item, place: _event(item, text, place, rejects))
        relations = _each(row, "relations", where, rejects, lambda item, place: _relation(item, roles, place, rejects))
        chains = _each(row, "coreferences", where, rejects, lambda item, _: _chain(item))
    except _Malformed as error:
        yield Reject(where=where, reason=checked.INVALID, detail=str(error))
        return
    if untyped:
        entities = _typed(entities, untyped)
    kinds: dict[str, Kind] = {
        **{relation.id: "relation" for relation in relations},
        **{event.id: "event" for event in events},
        **{entity.id: "entity" for entity in entities},
    }
    relations = _whole(relations, kinds, where, rejects)
    events = [event._replace(arguments=_known(event, kinds, where, rejects)) for event in events]
    chains = [_known_members(chain, kinds, where, rejects) for chain in chains]
    yield from rejects
    yield checked.record(
        Document,
        where,
        **head,
        text=text,
        passages=tuple(passages),
        entities=tuple(entities),
        relations=tuple(
            Relation(id=r.id, type=r.type, arguments=_arguments(r, kinds), attributes=r.attributes) for r in relations
        ),
        events=tuple(
            Event(id=e.id, type=e.type, trigger=e.trigger, trigger_spans=e.spans, arguments=_arguments(e, kinds))
            for e in events
        ),
        coreferences=tuple(chains),
    )


def _each(row: Row, key: str, where: str, rejects: list[Reject], parse: Callable[[Row, str], T | None]) -> list[T]:
    """Return what is parsed of the items of a list; one that is not what the schema has there is rejected."""
    parsed: list[T] = []
    for index, item in enumerate(_list(row, key)):
        place = f"{where}/{key}[{index}]"
        try:
            one = parse(item, place)
        except _Malformed as error:
            rejects.append(Reject(where=place, reason=checked.MALFORMED, detail=str(error)))
            continue
        parsed += [] if one is None else [one]
    return parsed


def _passages(rows: Sequence[Row], where: str, rejects: list[Reject]) -> tuple[str, list[Passage]]:
    """Return the text that the passages make up, and where they stand in it.

    Raises:
        _Malformed: two passages say different things of the same place, or one has no place.
    """
    parts: list[tuple[Span, str]] = []
    passages: list[Passage] = []
    for row in rows:
        texts, spans = _parts(row)
        if len(texts) != len(spans):
            raise _Malformed(f"a passage has {len(texts)} texts and {len(spans)} offsets")
        for given, (start, end) in zip(texts, spans, strict=True):
            if end - start != len(given):
                detail = f"{len(given)} characters at {start} to {end}; they are kept at {start}"
                rejects.append(Reject(where=where, reason=_LENGTH, detail=detail))
            if given:
                parts.append((Span(start, start + len(given)), given))
                type = _text(row, "type")
                passages += [Passage(type=type, span=parts[-1][0])] if type else []
    text = ""
    for (start, end), given in sorted(parts):
        if not 0 <= start <= len(text) + MOST_SPACES:
            raise _Malformed(f"a passage begins at {start}, and the text before it ends at {len(text)}")
        known = text[start:end]
        if not given.startswith(known):
            raise _Malformed(f"two passages differ at {start}: {checked.shown(known)} and {checked.shown(given)}")
        text = text.ljust(start) + given[len(known) :]
    return text, passages


def _mention(row: Row, text: str, what: str, place: str, rejects: list[Reject]) -> tuple[str, tuple[Span, ...]] | None:
    """Return the text and spans of a mention or trigger; None, and a Reject, where they do not fit."""
    texts, spans = _parts(row)
    if any(not 0 <= start < end <= len(text) for start, end in spans):
        detail = f"{what} at {checked.shown(spans)} of {len(text)}"
        rejects.append(Reject(where=place, reason=checked.OUTSIDE, detail=detail))
        return None
    given = " ".join(texts)
    if not spans:
        return given, ()
    found = " ".join(text[start:end] for start, end in spans)
    if texts and given != found:
        detail = f"{what} at {spans[0].start}: the text has {checked.shown(found)}, the mention {checked.shown(given)}"
        if given.split() != found.split():
            rejects.append(Reject(where=place, reason=checked.MISMATCH, detail=detail))
            return None
        rejects.append(Reject(where=place, reason=checked.SPACING, detail=f"{detail}; the text's is kept"))
    return found, tuple(spans)


def _entity(row: Row, text: str, place: str, rejects: list[Reject]) -> Entity | None:
    id, type = _text(row, "id"), _text(row, "type")
    concepts = tuple(
        Concept(db=_text(item, "db_name"), id=_text(item, "db_id"))
        for item in _list(row, "normalized")
        if _text(item, "db_id") not in schemas.NOTHING
    )
    mention = _mention(row, text, f"{type} {id}", place, rejects)
    if mention is None:
        return None
    if not mention[1]:
        rejects.append(Reject(where=place, reason=checked.OUTSIDE, detail=f"{type} {id} has no offsets"))
        return None
    return Entity(id=id, type=type, text=mention[0], spans=mention[1], concepts=concepts)


def _event(row: Row, text: str, place: str, rejects: list[Reject]) -> _Owner:
    """Return an event, without its trigger where that does not fit."""
    id, type, trigger = _text(row, "id"), _text(row, "type"), cast("object", row.get("trigger"))
    arguments = [(_text(item, "role"), _text(item, "ref_id")) for item in _list(row, "arguments")]
    if trigger is not None and not isinstance(trigger, dict):
        raise _Malformed(f"trigger is no mapping: {checked.shown(trigger)}")
    found = _mention(cast("Row", trigger or {}), text, f"the trigger of {type} {id}", place, rejects)
    return _Owner(id, type, arguments, {}, *(found or ("", ())))


def _relation(row: Row, roles: Mapping[str, tuple[str, str]], place: str, rejects: list[Reject]) -> _Owner:
    """Return a relation; what it is normalised to is an attribute with the name of the terminology."""
    type = _text(row, "type")
    refs = _text(row, "arg1_id"), _text(row, "arg2_id")
    attributes: dict[str, str] = {}
    for item in _list(row, "normalized"):
        db, id = _text(item, "db_name"), _text(item, "db_id")
        if attributes.setdefault(db, id) != id:
            rejects.append(Reject(where=place, reason="second concept of a relation", detail=f"{db}: {id}"))
    return _Owner(_text(row, "id"), type, list(zip(roles.get(type, ROLES), refs, strict=True)), attributes)


def _chain(row: Row) -> Coreference:
    members = _items(row, "entity_ids")
    if not all(isinstance(id, str) for id in members):
        raise _Malformed(f"entity_ids is no list of ids: {checked.shown(members)}")
    return Coreference(id=_text(row, "id"), entities=tuple(cast("list[str]", members)))


def _typed(entities: list[Entity], untyped: str) -> list[Entity]:
    """Return entities of which all have a type: those without one that of another at the same place, or `untyped`."""
    known: dict[tuple[Span, ...], str] = {}
    for entity in entities:
        if entity.type:
            known.setdefault(entity.spans, entity.type)
    return [
        entity
        if entity.type
        else Entity(
            id=entity.id,
            type=known.get(entity.spans, untyped),
            text=entity.text,
            spans=entity.spans,
            concepts=entity.concepts,
        )
        for entity in entities
    ]


def _whole(relations: list[_Owner], kinds: dict[str, Kind], where: str, rejects: list[Reject]) -> list[_Owner]:
    """Return the relations whose arguments are all there, and take the others out of `kinds`."""
    while True:
        kept = [relation for relation in relations if all(ref in kinds for _, ref in relation.arguments)]
        if len(kept) == len(relations):
            return kept
        for relation in relations:
            if missing := [ref for _, ref in relation.arguments if ref not in kinds]:
                detail = f"{relation.type}: no {', '.join(missing)}"
                rejects.append(Reject(where=f"{where}/{relation.id}", reason=_ABSENT, detail=detail))
        # Others may refer to what is dropped.
        names = {relation.id for relation in kept}
        for relation in relations:
            if relation.id not in names and kinds.get(relation.id) == "relation":
                del kinds[relation.id]
        relations = kept


def _known(event: _Owner, kinds: Mapping[str, Kind], where: str, rejects: list[Reject]) -> list[tuple[str, str]]:
    """Return the arguments of an event that are there."""
    rejects += [
        Reject(where=f"{where}/{event.id}", reason=_ABSENT, detail=f"{event.type}: {role} {ref}")
        for role, ref in event.arguments
        if ref not in kinds
    ]
    return [(role, ref) for role, ref in event.arguments if ref in kinds]


def _known_members(chain: Coreference, kinds: Mapping[str, Kind], where: str, rejects: list[Reject]) -> Coreference:
    """Return a chain of the entities that are there."""
    kept = tuple(ref for ref in chain.entities if kinds.get(ref) == "entity")
    if missing := [ref for ref in chain.entities if kinds.get(ref) != "entity"]:
        detail = f"coreference without {', '.join(missing)}"
        rejects.append(Reject(where=f"{where}/{chain.id}", reason=_ABSENT, detail=detail))
    return Coreference(id=chain.id, entities=kept)


def _arguments(owner: _Owner, kinds: Mapping[str, Kind]) -> tuple[Argument, ...]:
    return tuple(Argument(role=role, kind=kinds[ref], ref=ref) for role, ref in owner.arguments)
