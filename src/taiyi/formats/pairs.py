"""Pairs of texts in items of any kind (`formats.rows`), with a label or a graded value."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.formats.labelled import label_of
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
    value_key: str | tuple[str, ...] = "",
    id_key: str = "id",
    id_prefix: str = "",
    names: Mapping[str, str] = _AS_GIVEN,
    ids: Collection[str] = (),
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read pairs; items without an id are named by their position from 0.

    Args:
        label_key: key of the label; either it or `value_key` must be given.
        value_key: key of the number, or keys of several raters' numbers: the value is their mean.
        id_key: key of the id; none is looked for where it is empty.
        id_prefix: what stands before the ids, where a split is of several files.
        names: labels by what stands for them in the file, such as codes; others stay as they are.
        ids: the items of the split, where a file holds those of others too; all items if not given.
        source: options of `rows.items`.
    """
    value_keys = (value_key,) if isinstance(value_key, str) else value_key
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        first, second = rows.value(item, first_key), rows.value(item, second_key)
        key = rows.key_of(item, id_key, index)
        if ids and key is not None and key not in ids:
            continue
        answer = _mean(item, value_keys) if value_key else label_of(rows.value(item, label_key))
        if not isinstance(first, str) or not isinstance(second, str) or key is None or answer in (None, ""):
            wanted = f"{first_key} and {second_key} with {label_key or ', '.join(value_keys)}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"{wanted} were expected")
            continue
        label = names.get(answer, answer) if isinstance(answer, str) else None
        yield checked.record(
            Pair,
            where,
            id=f"{id_prefix}{key}",
            corpus=corpus,
            split=split,
            lang=lang,
            first=first,
            second=second,
            label=label,
            value=answer if isinstance(answer, float) else None,
        )


def _mean(item: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    """Return the mean of the numbers under the keys; None where one is missing or no number."""
    numbers = [_number(rows.value(dict(item), key)) for key in keys]
    given = [number for number in numbers if number is not None]
    if len(given) != len(numbers):
        return None
    mean = sum(given) / len(given)
    return mean if math.isfinite(mean) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def write(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "lines") -> None:
    """Write pairs as `{"id", "first", "second", "label"}` or with `value`.

    Raises:
        FormatError: a record is no pair, its label is blank or has white space around it, or its value is no number.
    """
    json_lines.write((_item_of(record) for record in records), path, layout=layout)


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Pair):
        raise FormatError("only pairs can be written", where=record.id, got=type(record).__name__)
    if record.label is not None and (not record.label or record.label != record.label.strip()):
        raise FormatError("a label with white space around it cannot be written", where=record.id, got=record.label)
    if record.value is not None and not math.isfinite(record.value):
        raise FormatError("not a number that JSON has", where=record.id, got=record.value)
    answer = {"label": record.label} if record.value is None else {"value": record.value}
    return {"id": record.id, "first": record.first, "second": record.second, **answer}
