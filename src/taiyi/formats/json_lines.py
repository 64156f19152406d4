"""JSON items of a file that is an array, one object, or one object a line; which of them is told by content.

Names do not tell: corpora ship lines in `.json` and arrays in `.jsonl`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import json_stream, lines
from taiyi.formats.checked import MALFORMED
from taiyi.formats.json_stream import SURROGATE, fault
from taiyi.schema import Reject

Layout = Literal["array", "lines"]
# What Python's parser raises at JSON that it does not take: too many levels, or a number of too many digits.
_BEYOND = (RecursionError, ValueError)


def _value(text: str, path: Path) -> Any:
    """Return the value of a text that is one JSON value; FormatError if it is not, for instance because it was cut."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(
            f"the file is not whole JSON: {error.msg}",
            where=f"{path}:{error.lineno}",
            mend="fetch the file again; it may have been cut off",
        ) from error
    except _BEYOND as error:
        raise FormatError(f"the file cannot be read as JSON: {error}", where=path) from error


def members(path: Path) -> dict[str, Any]:
    """Return the members of a file that is one JSON object; a member that holds what is no text is a Reject.

    Raises:
        FormatError: the file is not one JSON object.
    """
    text = lines.whole(path)
    value = _value(text, path)
    if not isinstance(value, dict):
        raise FormatError("the file is not a JSON object", where=path, got=type(value).__name__)
    items = cast("dict[str, Any]", value)
    if not SURROGATE.search(text):
        return items
    faults = {key: fault(f"{path.name}:{ascii(key)[1:-1]}", {key: item}) for key, item in items.items()}
    return {key if (wrong := faults[key]) is None else wrong.where: wrong or item for key, item in items.items()}


def items(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    """Yield each JSON object with where it stands: `file:line`, or `file[index]` in an array.

    A line that is not JSON, or an item that is not an object or holds what is no text, comes as a Reject.

    Raises:
        FormatError: the file is neither an array nor an object nor lines of objects.
    """
    if json_stream.opening(path, encodings=encodings) == "[":
        for where, item in json_stream.elements(path, encodings=encodings):
            yield where, item if isinstance(item, Reject) else _item(where, item, suspect=False)
        return
    first = list(itertools.islice((item for item in _numbered(path, encodings) if item[1].strip()), 2))
    if not first:
        raise FormatError("the file is empty", where=path, expected="a JSON array or one JSON object a line")
    number, line = first[0]
    opening = line.lstrip()[0]
    # Lines of which the first is damaged are lines still.
    if any(_is_object(line) for _, line in first):
        yield from _from_lines(path, encodings)
        return
    if opening != "{":
        raise FormatError(
            "the file is not JSON", where=f"{path}:{number}", got=repr(line[:40]), expected="a JSON array or object"
        )
    text = lines.whole(path, encodings=encodings)
    where = f"{path.name}[0]"
    yield where, _item(where, _value(text, path), suspect=bool(SURROGATE.search(text)))


def _numbered(path: Path, encodings: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers; a lone CR ends one too, for within a JSON value there can be none."""
    number = 0
    for _, line in lines.numbered(path, encodings=encodings):
        for part in line.split("\r") if "\r" in line else (line,):
            number += 1
            yield number, part


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except _BEYOND:
        return False


def _from_lines(path: Path, encodings: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    for number, line in _numbered(path, encodings):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            yield where, Reject(where=where, reason=MALFORMED, detail=f"{error.msg} at column {error.colno}")
        except _BEYOND as error:
            yield where, Reject(where=where, reason=MALFORMED, detail=f"it cannot be read as JSON: {error}")
        else:
            yield where, _item(where, item, suspect=bool(SURROGATE.search(line)))


def _item(where: str, item: object, *, suspect: bool) -> dict[str, Any] | Reject:
    if not isinstance(item, dict):
        detail = f"a JSON object was expected, not {type(item).__name__}"
        return Reject(where=where, reason=MALFORMED, detail=detail)
    value = cast("dict[str, Any]", item)
    return (fault(where, value) if suspect else None) or value


def write(values: Iterable[Any], path: Path, *, layout: Layout) -> None:
    """Write JSON values as one array, indented as CBLUE's files are, or one a line."""
    if layout == "lines":
        lines.write((json.dumps(value, ensure_ascii=False) for value in values), path)
        return
    text = json.dumps(list(values), ensure_ascii=False, indent=2)
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
