"""Elements of a file that is one JSON array, whatever they are, read one after another.

Corpora of dialogues ship arrays of arrays, of a gigabyte and more; `json_lines` wants objects, and reads arrays whole.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from taiyi.errors import FormatError
from taiyi.formats.checked import MALFORMED
from taiyi.schema import Reject

_BLOCK_CHARS = 1 << 20
_BLANKS = " \t\r\n"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def elements(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each element with where it stands, `file[index]`; one that holds what is no text comes as a Reject.

    Raises:
        FormatError: the file is not one JSON array, was cut off, or is not UTF-8.
    """
    with path.open("rb") as raw:
        encoding = "utf-8-sig" if raw.read(3) == codecs.BOM_UTF8 else "utf-8"
    with path.open(encoding=encoding, newline="") as file:
        try:
            yield from _elements(path, file)
        except UnicodeDecodeError as error:
            raise FormatError("the file is not UTF-8", where=path, mend="convert it to UTF-8 first") from error


def _elements(path: Path, file: TextIO) -> Iterator[tuple[str, Any]]:
    text = file.read(_BLOCK_CHARS)
    at = _after_blanks(text, 0)
    if text[at : at + 1] != "[":
        raise FormatError("the file is not a JSON array", where=path, got=repr(text[at : at + 40]))
    at += 1
    decoder = json.JSONDecoder()
    index, wanted = 0, "an element"
    while True:
        at = _after_blanks(text, at)
        mark = text[at : at + 1]
        if mark == "]" and (wanted == "a comma" or index == 0):
            _require_end(path, text[at + 1 :], file)
            return
        if mark and wanted == "a comma":
            if mark != ",":
                raise _broken(path, index, "a comma was expected")
            at, wanted = at + 1, "an element"
            continue
        value, end, fault = _decoded(decoder, text, at) if mark else (None, at, "it ends within")
        # A number may go on in the next block; anything else that is whole is whole.
        if fault or end == len(text):
            # As much again: an element that never ends is then read in linear time.
            if more := file.read(max(_BLOCK_CHARS, len(text) - at)):
                text, at = text[at:] + more, 0
                continue
            if fault:
                raise _broken(path, index, fault)
        where = f"{path.name}[{index}]"
        yield where, (_halved(where, value) if _SURROGATE.search(text, at, end) else None) or value
        at, index, wanted = end, index + 1, "a comma"


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int, str]:
    """Return the value at a place with where it ends, or what is wrong there."""
    try:
        value, end = decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        return None, at, error.msg
    except (RecursionError, ValueError) as error:
        return None, at, str(error)
    return value, end, ""


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _require_end(path: Path, rest: str, file: TextIO) -> None:
    while rest:
        if rest.strip(_BLANKS):
            raise FormatError("something stands behind the JSON array", where=path, got=repr(rest.strip()[:40]))
        rest = file.read(_BLOCK_CHARS)


def _broken(path: Path, index: int, what: str) -> FormatError:
    return FormatError(
        f"the file is not whole JSON: {what}",
        where=f"{path}[{index}]",
        mend="fetch the file again; it may have been cut off",
    )


def _halved(where: str, value: Any) -> Reject | None:
    """Return a Reject of a value in which an escape stands for half a character: no file could hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        detail = f"{error.object[error.start]!a} is half of a surrogate pair"
        return Reject(where=where, reason=MALFORMED, detail=detail)
    except RecursionError as error:
        return Reject(where=where, reason=MALFORMED, detail=f"too many levels: {error}")
    return None
