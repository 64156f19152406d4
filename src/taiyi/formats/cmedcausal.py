"""CMedCausal's JSON: causal, conditional and hypernym relations between pieces of a Chinese medical text (CBLUE).

The tail of a conditional relation (2) is itself a relation. Offsets are of the text, ends exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Argument, Document, Entity, Lang, Record, Reject, Relation, Span, Split

CAUSE, CONDITION, HYPERNYM = "因果关系", "条件关系", "上下位关系"
_TYPES = {1: CAUSE, 2: CONDITION, 3: HYPERNYM}
_CODES = {type: code for code, type in _TYPES.items()}
_ROLES = {CAUSE: ("cause", "effect"), CONDITION: ("condition", "relation"), HYPERNYM: ("hypernym", "hyponym")}
MENTION = "mention"
_INNER = {"stated": "in a condition"}


class _Link(NamedTuple):
    """A relation between two mentions, by their spans."""

    type: str
    head: Span
    tail: Span


class _Conditional(NamedTuple):
    head: Span
    tail: _Link


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"text", "relation_of_mention": [{"head", "relation", "tail"}]}`; ids are positions from 0.

    A piece of text that several relations name is one entity. A relation that is stated only as the tail of a
    conditional one is kept with the attribute `stated`, after all others. A relation is rejected with a mention of it.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, given = item.get("text"), item.get("relation_of_mention")
        if not isinstance(text, str) or not isinstance(given, list):
            yield Reject(where=where, reason=checked.MALFORMED, detail="text and relation_of_mention were expected")
            continue
        found: list[_Link | _Conditional] = []
        for value in cast("list[Any]", given):
            relation = _relation(value, text)
            if isinstance(relation, str):
                yield Reject(where=where, reason=relation, detail=checked.shown(value))
            else:
                found.append(relation)
        entities, relations = _built(text, found)
        yield checked.record(
            Document,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            text=text,
            entities=entities,
            relations=relations,
        )


def _relation(value: Any, text: str) -> _Link | _Conditional | str:
    """Return a relation, or the reason why it cannot be read."""
    match value:
        case {"head": head, "relation": 1 | 3 as code, "tail": tail}:
            one, other = _span(head, text), _span(tail, text)
            if isinstance(one, str) or isinstance(other, str):
                return one if isinstance(one, str) else cast("str", other)
            return _Link(_TYPES[code], one, other)
        case {"head": head, "relation": 2, "tail": {"relation": 1 | 3} as tail}:
            one, link = _span(head, text), _relation(tail, text)
            if isinstance(one, str) or not isinstance(link, _Link):
                return one if isinstance(one, str) else cast("str", link)
            return _Conditional(one, link)
        case _:
            return "malformed relation"


def _span(value: Any, text: str) -> Span | str:
    match value:
        case {"mention": str() as given, "start_idx": int() as start, "end_idx": int() as end}:
            entity, reject = checked.mention(text, (start, end), given, id="T", type=MENTION, where="")
            # A mention that differs in white space names the same piece of text.
            return entity.spans[0] if entity else reject.reason if reject else "malformed relation"
        case _:
            return "malformed relation"


def _built(text: str, found: list[_Link | _Conditional]) -> tuple[tuple[Entity, ...], tuple[Relation, ...]]:
    entities: dict[Span, Entity] = {}
    ids: dict[_Link, str] = {}
    for number, relation in enumerate(found, start=1):
        link = relation.tail if isinstance(relation, _Conditional) else relation
        parts = (link.head, link.tail) if relation is link else (relation.head, link.head, link.tail)
        for span in parts:
            if span not in entities:
                id, piece = f"T{len(entities) + 1}", text[span.start : span.end]
                entities[span] = Entity(id=id, type=MENTION, text=piece, spans=(span,))
        if isinstance(relation, _Link):
            ids.setdefault(relation, f"R{number}")
    relations: list[Relation] = []
    inner: list[Relation] = []

    def between(link: _Link, id: str, attributes: dict[str, str]) -> Relation:
        ends = zip(_ROLES[link.type], (link.head, link.tail), strict=True)
        arguments = tuple(Argument(role=role, kind="entity", ref=entities[span].id) for role, span in ends)
        return Relation(id=id, type=link.type, arguments=arguments, attributes=attributes)

    for number, relation in enumerate(found, start=1):
        if isinstance(relation, _Link):
            relations.append(between(relation, f"R{number}", {}))
            continue
        if relation.tail not in ids:
            ids[relation.tail] = f"R{len(found) + len(inner) + 1}"
            inner.append(between(relation.tail, ids[relation.tail], _INNER))
        roles = _ROLES[CONDITION]
        arguments = (
            Argument(role=roles[0], kind="entity", ref=entities[relation.head].id),
            Argument(role=roles[1], kind="relation", ref=ids[relation.tail]),
        )
        relations.append(Relation(id=f"R{number}", type=CONDITION, arguments=arguments))
    return tuple(entities.values()), (*relations, *inner)


def write(records: Iterable[Record], path: Path) -> None:
    """Write documents as CMedCausal's JSON, which its scorer reads.

    Raises:
        FormatError: a record is no document, or a relation is another one than those of CMedCausal.
    """
    json_lines.write((_item_of(record) for record in records), path, layout="array")


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Document):
        raise FormatError("CMedCausal's JSON holds documents only", where=record.id, got=type(record).__name__)
    entities = {entity.id: entity for entity in record.entities}
    relations = {relation.id: relation for relation in record.relations}

    def of(ref: str, *, depth: int) -> dict[str, Any]:
        relation = relations[ref]
        match relation:
            case Relation(arguments=(Argument(kind="entity") as head, Argument(kind="entity" | "relation") as tail)):
                nested = tail.kind == "relation"
                if relation.type in _CODES and nested == (relation.type == CONDITION) and depth + nested < 2:
                    mark = {"type": tail.kind if nested else MENTION}
                    rest = of(tail.ref, depth=depth + 1) if nested else _mention_of(entities[tail.ref], record.id)
                    start = _mention_of(entities[head.ref], record.id)
                    return {"head": start, "relation": _CODES[relation.type], "tail": {**mark, **rest}}
            case _:
                pass
        raise FormatError("CMedCausal's JSON cannot hold this relation", where=f"{record.id}/{ref}")

    kept = [of(relation.id, depth=0) for relation in record.relations if relation.attributes != _INNER]
    return {"text": record.text, "relation_of_mention": kept}


def _mention_of(entity: Entity, where: str) -> dict[str, Any]:
    if len(entity.spans) != 1:
        raise FormatError("CMedCausal's JSON holds mentions of one span", where=f"{where}/{entity.id}")
    return {"mention": entity.text, "start_idx": entity.spans[0].start, "end_idx": entity.spans[0].end}
