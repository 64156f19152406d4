"""CMeIE's JSON lines: a text and its `spo_list` of triples between typed texts without offsets (CBLUE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Argument, Document, Lang, Record, Reject, Relation, Split

_SUBJECT, _OBJECT = "subject", "object"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read texts, those without triples too; ids are positions from 0.

    `Combined` says that subject and object stand in different sentences; it becomes an attribute where it is true.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, given = item.get("text"), item.get("spo_list")
        if not isinstance(text, str) or not isinstance(given, list):
            yield Reject(where=where, reason=checked.MALFORMED, detail="text and spo_list were expected")
            continue
        relations: list[Relation] = []
        for value in cast("list[Any]", given):
            relation = _relation(value, f"R{len(relations) + 1}")
            if relation is None:
                yield Reject(where=where, reason="malformed triple", detail=checked.shown(value))
            else:
                relations.append(relation)
        yield checked.record(
            Document, where, id=str(index), corpus=corpus, split=split, lang=lang, text=text, relations=tuple(relations)
        )


def _relation(value: Any, id: str) -> Relation | None:
    match value:
        case {
            "predicate": str() as predicate,
            "subject": str() as subject,
            "subject_type": str() as subject_type,
            "object": ({"@value": str() as object} | (str() as object)),
            "object_type": ({"@value": str() as object_type} | (str() as object_type)),
            **rest,
        } if isinstance(combined := rest.get("Combined", False), bool):
            return Relation(
                id=id,
                type=predicate,
                arguments=(
                    Argument(role=_SUBJECT, kind="text", ref=subject, type=subject_type),
                    Argument(role=_OBJECT, kind="text", ref=object, type=object_type),
                ),
                attributes={"combined": "true"} if combined else {},
            )
        case _:
            return None


def write(records: Iterable[Record], path: Path) -> None:
    """Write documents whose relations have two texts as arguments.

    Raises:
        FormatError: a record is another form, or a relation has other arguments.
    """
    json_lines.write((_item_of(record) for record in records), path, layout="lines")


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Document):
        raise FormatError("CMeIE's JSON holds documents only", where=record.id, got=type(record).__name__)
    return {"text": record.text, "spo_list": [_triple_of(relation, record.id) for relation in record.relations]}


def _triple_of(relation: Relation, where: str) -> dict[str, Any]:
    match relation.arguments:
        case (Argument(kind="text") as head, Argument(kind="text") as tail):
            return {
                "Combined": relation.attributes.get("combined") == "true",
                "predicate": relation.type,
                "subject": head.ref,
                "subject_type": head.type or "",
                "object": {"@value": tail.ref},
                "object_type": {"@value": tail.type or ""},
            }
        case _:
            raise FormatError("CMeIE's JSON holds relations between two texts", where=f"{where}/{relation.id}")
