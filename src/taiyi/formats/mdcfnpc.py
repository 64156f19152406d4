"""CHIP-MDCFNPC's JSON lines: dialogues with the clinical findings in each utterance and their polarity (CHIP-2021)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from taiyi.formats import checked, json_lines
from taiyi.schema import Document, Entity, Lang, Passage, Record, Reject, Span, Split

POLARITY, NAME = "polarity", "name"
COLON = "："


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read dialogues, a document each: a line `sender：text` an utterance, with a passage over its text.

    A finding's `attr` is its attribute `polarity`; its `name` becomes an attribute where it is not the mention itself.
    Ranges are relative to the utterance, ends exclusive.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        given, key = item.get("dialog_info"), checked.name({"id": item.get("dialog_id", index)}, index)
        if not isinstance(given, list) or not given or key is None:
            yield Reject(where=where, reason=checked.MALFORMED, detail="dialog_id and dialog_info were expected")
            continue
        lines: list[str] = []
        passages: list[Passage] = []
        entities: list[Entity] = []
        length = 0
        for value in cast("list[Any]", given):
            match value:
                case {"sender": str() as sender, "text": str() as said, **rest}:
                    at = length + len(sender) + len(COLON)
                    lines.append(f"{sender}{COLON}{said}")
                    length += len(lines[-1]) + 1
                    passages += [Passage(type=sender, span=Span(at, at + len(said)))] if said else []
                    for found in _findings(said, rest.get("ner"), where):
                        if isinstance(found, Reject):
                            yield found
                        else:
                            spans = tuple(Span(start + at, end + at) for start, end in found.spans)
                            entities.append(msgspec.structs.replace(found, id=f"T{len(entities) + 1}", spans=spans))
                case _:
                    yield Reject(where=where, reason="malformed utterance", detail=checked.shown(value))
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            text="\n".join(lines),
            passages=tuple(passages),
            entities=tuple(entities),
        )


def _findings(text: str, given: Any, where: str) -> Iterator[Entity | Reject]:
    if given is None:
        return
    for value in cast("list[Any]", given) if isinstance(given, list) else [given]:
        match value:
            case {
                "mention": str() as mention,
                "range": [int() as start, int() as end],
                "type": str() as type,
                "attr": str() as attr,
                **rest,
            } if isinstance(name := rest.get("name"), str | None):
                entity, reject = checked.mention(text, (start, end), mention, id="T", type=type, where=where)
                if entity:
                    named = {NAME: name} if name and name != mention else {}
                    yield msgspec.structs.replace(entity, attributes={POLARITY: attr, **named})
                if reject:
                    yield reject
            case _:
                yield Reject(where=where, reason="malformed mention", detail=checked.shown(value))
