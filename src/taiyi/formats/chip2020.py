"""The CHIP-2020 text of CMeEE: `text|||start    end    type|||…|||`, one sentence a line; ends are inclusive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Split

_FIELD = "|||"
_GAP = "    "


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read sentences; the id of each is its line number."""
    for number, line in lines.numbered(path):
        where = f"{path.name}:{number}"
        text, *fields = line.split(_FIELD)
        if number == 1 and not fields:
            raise FormatError(
                "the file is not the CHIP-2020 text",
                where=f"{path}:1",
                got=repr(line[:60]),
                expected="text|||0    1    dis|||",
            )
        if not line.strip():
            continue
        if not fields or not text.strip():
            what = "text before the mentions" if fields else "mark between text and mentions"
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"no {what}: {line[:60]!r}")
            continue
        entities: list[Entity] = []
        for field in fields:
            if not field.strip():
                continue
            match field.split():
                case [first, last, type] if (start := checked.number(first)) is not None and (
                    end := checked.number(last)
                ) is not None:
                    entity, reject = checked.mention(
                        text, (start, end + 1), None, id=f"T{len(entities) + 1}", type=type, where=where
                    )
                    if entity:
                        entities.append(entity)
                    if reject:
                        yield reject
                case _:
                    yield Reject(where=where, reason="malformed mention", detail=repr(field[:80]))
        yield checked.record(
            Document, where, id=str(number), corpus=corpus, split=split, lang=lang, text=text, entities=tuple(entities)
        )


def write(records: Iterable[Record], path: Path) -> None:
    """Write documents, one a line.

    Raises:
        FormatError: a record is no document, has a discontinuous mention, or a text that holds a line break or `|||`.
    """
    lines.write((_line_of(record) for record in records), path)


def _line_of(record: Record) -> str:
    if not isinstance(record, Document):
        raise FormatError("the CHIP-2020 text holds documents only", where=record.id, got=type(record).__name__)
    if _FIELD in record.text or "\n" in record.text or "\r" in record.text or record.text.endswith("|"):
        raise FormatError("the CHIP-2020 text cannot hold this text", where=record.id, got="a line break or |||")
    fields = [record.text]
    for entity in record.entities:
        if len(entity.spans) != 1:
            raise FormatError("the CHIP-2020 text holds mentions of one span", where=f"{record.id}/{entity.id}")
        start, end = entity.spans[0]
        fields.append(_GAP.join((str(start), str(end - 1), entity.type)))
    return _FIELD.join((*fields, ""))
