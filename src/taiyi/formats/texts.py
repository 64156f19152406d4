"""A text and a shorter or restructured one in items of any kind (`formats.rows`): summaries, titles and reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.schema import Lang, Record, Reject, Split, TextToText

Kind = Literal["summary", "title", "report"]


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    kind: Kind,
    source_keys: tuple[str, ...] = ("source",),
    target_key: str = "target",
    id_key: str = "id",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read texts with what is made of them; items without an id are named by their position from 0.

    Args:
        source_keys: keys whose texts, where not empty, make up the source, a line each; the first must be there.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        parts = [rows.value(item, key) for key in source_keys]
        target = rows.value(item, target_key)
        key = rows.key_of(item, id_key, index)
        if not isinstance(parts[0], str) or not isinstance(target, str) or key is None:
            detail = f"a text under {source_keys[0]} and one under {target_key} were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield checked.record(
            TextToText,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            kind=kind,
            source="\n".join(part for part in parts if isinstance(part, str) and part.strip()),
            target=target,
        )


def write(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "lines") -> None:
    """Write texts as `{"id", "source", "target"}`.

    Raises:
        FormatError: a record is of another form.
    """
    json_lines.write((_item_of(record) for record in records), path, layout=layout)


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, TextToText):
        raise FormatError("only text to text can be written", where=record.id, got=type(record).__name__)
    return {"id": record.id, "source": record.source, "target": record.target}
