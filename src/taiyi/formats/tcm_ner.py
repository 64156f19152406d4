"""JSON of mentions as lists `[id, type, start, end, text]`, ends exclusive, in which the drug labels of TCM-NER go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"id", "text", "labels"}`; other keys, such as a model's candidates, are not annotations."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, labels, key = item.get("text"), item.get("labels"), checked.name(item, index)
        if not isinstance(text, str) or not isinstance(labels, list) or key is None:
            yield Reject(where=where, reason=checked.MALFORMED, detail="text, labels and an id were expected")
            continue
        entities: list[Entity] = []
        for value in cast("list[Any]", labels):
            match value:
                case [str() as id, str() as type, int() as start, int() as end, str() as given]:
                    entity, reject = checked.mention(text, (start, end), given, id=id, type=type, where=where)
                    entities += [entity] if entity else []
                    if reject:
                        yield reject
                case _:
                    yield Reject(where=where, reason="malformed mention", detail=checked.shown(value))
        yield checked.record(
            Document, where, id=key, corpus=corpus, split=split, lang=lang, text=text, entities=tuple(entities)
        )
