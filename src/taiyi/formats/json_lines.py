"""JSON items of a file that is an array, one object, or one object a line; which of them is told by content.

Names do not tell: corpora ship lines in `.json` and arrays in `.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from taiyi.errors import FormatError
from taiyi.formats import lines
from taiyi.formats.checked import MALFORMED
from taiyi.schema import Reject

Layout = Literal["array", "lines"]


def whole(path: Path) -> Any:
    """Return the value of a file that is one JSON value.

    Raises:
        FormatError: it is not, for instance because it was cut off; the message has the line.
    """
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise FormatError(
            f"the file is not whole JSON: {error.msg}",
            where=f"{path}:{error.lineno}",
            mend="fetch the file again; it may have been cut off",
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError("the file is not UTF-8", where=path, mend="convert it to UTF-8 first") from error


def items(path: Path) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    """Yield each JSON object with where it stands: `file:line`, or `file[index]` in an array.

    A line that is not JSON, or an item that is not an object, comes as a Reject.

    Raises:
        FormatError: the file is neither an array nor an object nor lines of objects.
    """
    first = next(((number, line) for number, line in lines.numbered(path) if line.strip()), None)
    if first is None:
        raise FormatError("the file is empty", where=path, expected="a JSON array or one JSON object a line")
    number, line = first
    opening = line.lstrip()[0]
    if opening not in "[{":
        raise FormatError(
            "the file is not JSON", where=f"{path}:{number}", got=repr(line[:40]), expected="a JSON array or object"
        )
    if opening == "{" and _is_object(line):
        yield from _from_lines(path)
        return
    value = whole(path)
    if isinstance(value, dict):
        yield f"{path.name}[0]", value
        return
    for index, item in enumerate(value):
        where = f"{path.name}[{index}]"
        yield where, item if isinstance(item, dict) else _not_an_object(where, item)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except json.JSONDecodeError:
        return False


def _from_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            yield where, Reject(where=where, reason=MALFORMED, detail=f"{error.msg} at column {error.colno}")
            continue
        yield where, item if isinstance(item, dict) else _not_an_object(where, item)


def _not_an_object(where: str, item: object) -> Reject:
    return Reject(where=where, reason=MALFORMED, detail=f"a JSON object was expected, not {type(item).__name__}")


def write(values: Iterable[Any], path: Path, *, layout: Layout) -> None:
    """Write JSON values as one array, indented as CBLUE's files are, or one a line."""
    if layout == "lines":
        lines.write((json.dumps(value, ensure_ascii=False) for value in values), path)
        return
    text = json.dumps(list(values), ensure_ascii=False, indent=2)
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
