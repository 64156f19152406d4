"""CBLUE's JSON of mentions, as in CMeEE: nested ones are kept; ends are inclusive, in V2 too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Split


def read_mentions(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"text", "entities": [{"start_idx", "end_idx", "type", "entity"}]}`; ids are positions from 0."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, mentions = item.get("text"), item.get("entities")
        if not isinstance(text, str) or not isinstance(mentions, list):
            yield Reject(where=where, reason=checked.MALFORMED, detail="text and entities were expected")
            continue
        entities: list[Entity] = []
        for value in cast("list[Any]", mentions):
            match value:
                case {"start_idx": int() as start, "end_idx": int() as end, "type": str() as type} if (
                    given := value.get("entity")
                ) is None or isinstance(given, str):
                    entity, reject = checked.mention(
                        text, (start, end + 1), given, id=f"T{len(entities) + 1}", type=type, where=where
                    )
                    if entity:
                        entities.append(entity)
                    if reject:
                        yield reject
                case _:
                    yield Reject(where=where, reason="malformed mention", detail=checked.shown(value))
        yield checked.record(
            Document, where, id=str(index), corpus=corpus, split=split, lang=lang, text=text, entities=tuple(entities)
        )


def write_mentions(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "array") -> None:
    """Write documents as CMeEE's JSON.

    Raises:
        FormatError: a record is no document, or has a discontinuous mention.
    """
    json_lines.write((_mentions_of(record) for record in records), path, layout=layout)


def _mentions_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Document):
        raise FormatError("CMeEE's JSON holds documents only", where=record.id, got=type(record).__name__)
    if broken := next((entity for entity in record.entities if len(entity.spans) != 1), None):
        raise FormatError("CMeEE's JSON holds mentions of one span", where=f"{record.id}/{broken.id}")
    return {
        "text": record.text,
        "entities": [
            {"start_idx": e.spans[0].start, "end_idx": e.spans[0].end - 1, "type": e.type, "entity": e.text}
            for e in record.entities
        ],
    }
