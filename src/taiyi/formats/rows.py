"""Items of a file, each a mapping: JSON (an array, an object, or one a line), CSV, TSV, XLSX or Parquet, by content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines, tables
from taiyi.schema import Reject

_JSON_OPENINGS = (b"[", b"{")
_MARK = b"\xef\xbb\xbf"


def items(
    path: Path, *, encodings: tuple[str, ...] = ("utf-8",), **table: Any
) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    """Yield each item with where it stands; `table` are options of `tables.items`.

    Raises:
        FormatError: the file is neither JSON nor a table, was cut off, or is in none of the encodings.
    """
    # A table without a header, or between tabs, may begin with a bracket.
    if not table and _is_json(path):
        return json_lines.items(path, encodings=encodings)
    return tables.items(path, encodings=encodings, **table)


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(256)
    return start.removeprefix(_MARK).lstrip()[:1] in _JSON_OPENINGS


def value(item: dict[str, Any], key: str) -> Any:
    """Return what stands under a key; a key with dots, such as `answer.text` or `answers.0.text`, leads into the
    mappings and lists in it.
    """
    if key in item:
        return item[key]
    found: Any = item
    for part in key.split("."):
        match found:
            case dict():
                found = cast("dict[str, Any]", found).get(part)
            case list() if part.isdecimal():
                items = cast("list[Any]", found)
                found = items[int(part)] if int(part) < len(items) else None
            case _:
                return None
    return found


def key_of(item: Mapping[str, Any], id_key: str, index: int) -> str | None:
    """Return the id of an item, or its position where it has none; None where its id is no text or whole number."""
    if id_key not in item:
        return str(index)
    value = item[id_key]
    if isinstance(value, float) and value.is_integer():  # numbers in XLSX
        value = int(value)
    return checked.name({"id": value}, index)


def texts(value: Any) -> tuple[str, ...] | None:
    """Return a text or list of texts as a tuple; None if it is neither."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(part, str) for part in cast("list[Any]", value)):
        return tuple(cast("list[str]", value))
    return None
