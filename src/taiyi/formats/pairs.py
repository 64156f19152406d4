"""Pairs of texts in items of any kind (`formats.rows`), with a label or a graded value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.schema import Lang, Pair, Record, Reject, Split

_AS_GIVEN: Mapping[str, str] = MappingProxyType({})


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    first_key: str = "first",
    second_key: str = "second",
    label_key: str = "",
    value_key: str = "",
    id_key: str = "id",
    names: Mapping[str, str] = _AS_GIVEN,
    without_label: str = "",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read pairs; items without an id are named by their position from 0.

    Args:
        label_key: key of the label; either it or `value_key`, of a number, must be given.
        names: labels by what stands for them in the file, such as codes; others stay as they are.
        without_label: reason under which items with an empty label are rejected; they are malformed if not given.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        first, second = rows.value(item, first_key), rows.value(item, second_key)
        key = checked.name({"id": item[id_key]} if id_key in item else {}, index)
        answer = _number(rows.value(item, value_key)) if value_key else _label(rows.value(item, label_key))
        if answer == "" and without_label:
            yield Reject(where=where, reason=without_label, detail=f"no label under {label_key}")
            continue
        if not isinstance(first, str) or not isinstance(second, str) or key is None or answer in (None, ""):
            wanted = f"{first_key} and {second_key} with {label_key or value_key}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"{wanted} were expected")
            continue
        yield checked.record(
            Pair,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            first=first,
            second=second,
            label=None if value_key else names.get(str(answer), str(answer)),
            value=answer if value_key else None,
        )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _label(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return "" if value is None else value.strip() if isinstance(value, str) else None


def write(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "lines") -> None:
    """Write pairs as `{"id", "first", "second", "label"}` or with `value`.

    Raises:
        FormatError: a record is no pair.
    """
    json_lines.write((_item_of(record) for record in records), path, layout=layout)


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Pair):
        raise FormatError("only pairs can be written", where=record.id, got=type(record).__name__)
    answer = {"label": record.label} if record.value is None else {"value": record.value}
    return {"id": record.id, "first": record.first, "second": record.second, **answer}
