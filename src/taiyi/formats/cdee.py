"""CHIP-CDEE's JSON: clinical findings in Chinese records, as events without offsets (CHIP-2021, CBLUE).

Each event has a core word, a tendency (empty, 否定 or 不确定), words that describe it, and parts of the body. They are
normalised words, and need not stand in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Argument, Document, Event, Lang, Record, Reject, Split

FINDING = "临床发现"
TENDENCY, CHARACTER, ANATOMY = "tendency", "character", "anatomy"
_LISTS = {CHARACTER: "character", ANATOMY: "anatomy_list"}


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"id", "text", "event": [{"core_name", "tendency", "character", "anatomy_list"}]}`.

    The core word is the trigger, without a span; the tendency an attribute where it is not empty; white space around
    it is no part of it. The other words are arguments; an empty one is rejected.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, given, key = item.get("text"), item.get("event"), checked.name(item, index)
        if not isinstance(text, str) or not isinstance(given, list) or key is None:
            yield Reject(where=where, reason=checked.MALFORMED, detail="text, event and an id were expected")
            continue
        events: list[Event] = []
        for value in cast("list[Any]", given):
            event = _event(value, f"E{len(events) + 1}")
            if event is None:
                yield Reject(where=where, reason="malformed event", detail=checked.shown(value))
                continue
            full = tuple(argument for argument in event.arguments if argument.ref.strip())
            for argument in event.arguments:
                if not argument.ref.strip():
                    detail = f"{argument.role} of {event.trigger!r} is {argument.ref!r}"
                    yield Reject(where=where, reason="empty argument", detail=detail)
            events.append(
                Event(id=event.id, type=FINDING, trigger=event.trigger, arguments=full, attributes=event.attributes)
            )
        yield checked.record(
            Document, where, id=key, corpus=corpus, split=split, lang=lang, text=text, events=tuple(events)
        )


def _event(value: Any, id: str) -> Event | None:
    match value:
        case {"core_name": str() | None as core, "tendency": str() | None as tendency, **rest}:
            arguments: list[Argument] = []
            for role, key in _LISTS.items():
                words: Any = rest.get(key)
                if not isinstance(words, list):
                    return None
                for word in cast("list[Any]", words):
                    if not isinstance(word, str):
                        return None
                    arguments.append(Argument(role=role, kind="text", ref=word))
            said = (tendency or "").strip()
            return Event(
                id=id,
                type=FINDING,
                trigger=core or "",
                arguments=tuple(arguments),
                attributes={TENDENCY: said} if said else {},
            )
        case _:
            return None


def write(records: Iterable[Record], path: Path) -> None:
    """Write documents as CHIP-CDEE's JSON, which its scorer reads.

    Raises:
        FormatError: a record is no document, or an event is another one than a finding with texts as arguments.
    """
    json_lines.write((_item_of(record) for record in records), path, layout="array")


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Document):
        raise FormatError("CHIP-CDEE's JSON holds documents only", where=record.id, got=type(record).__name__)
    key = int(record.id) if checked.number(record.id) is not None and str(int(record.id)) == record.id else record.id
    return {"id": key, "text": record.text, "event": [_event_of(event, record.id) for event in record.events]}


def _event_of(event: Event, where: str) -> dict[str, Any]:
    if event.type != FINDING or any(a.kind != "text" or a.role not in _LISTS for a in event.arguments):
        raise FormatError("CHIP-CDEE's JSON holds findings with texts as arguments", where=f"{where}/{event.id}")
    words = {key: [a.ref for a in event.arguments if a.role == role] for role, key in _LISTS.items()}
    return {"core_name": event.trigger, "tendency": event.attributes.get(TENDENCY, ""), **words}
