"""JSON files that are one array, or one object of arrays, of a gigabyte and more: read element by element."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from taiyi.errors import FormatError
from taiyi.formats import lines
from taiyi.formats.checked import MALFORMED
from taiyi.schema import Reject

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_BLOCK_CHARS = 1 << 20
_BLANKS = " \t\r\n"
_DECODER = json.JSONDecoder()
_END = object()


def opening(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> str:
    """Return the first character of a file that is not white space; nothing where there is none."""
    with lines.opened(path, encodings=encodings) as file:
        return _Scanner(path, file, encodings).mark()


def first_key(path: Path) -> str:
    """Return the first key of a file that is a JSON object, nothing of another file."""
    with lines.opened(path) as file:
        scanner = _Scanner(path, file)
        if scanner.mark() == "{":
            scanner.at += 1
            if scanner.mark() == '"':
                return str(scanner.value(str(path))[0])
    return ""


def elements(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> Iterator[tuple[str, Any]]:
    """Yield each element of an array with where it stands, `file[index]`; one that holds what is no text as a Reject.

    Raises:
        FormatError: the file is not one JSON array, was cut off, or is in none of the encodings.
    """
    with lines.opened(path, encodings=encodings) as file:
        scanner = _Scanner(path, file, encodings)
        if scanner.mark() != "[":
            raise FormatError("the file is not a JSON array", where=path, got=repr(scanner.rest()))
        for index, (value, suspect) in enumerate(scanner.array()):
            where = f"{path.name}[{index}]"
            yield where, (fault(where, value) if suspect else None) or value
        if scanner.mark():
            raise FormatError("something stands behind the JSON array", where=path, got=repr(scanner.rest()))


def columns(path: Path, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    """Yield what stands together at each place of several arrays of an object, by their names.

    The file is read once for each of the arrays.

    Raises:
        FormatError: the file is not one JSON object with these arrays, or they differ in length.
    """
    with ExitStack() as stack:
        arrays = [_column(path, stack.enter_context(lines.opened(path)), name) for name in names]
        index = 0
        while True:
            found = [next(array, (_END, False)) for array in arrays]
            ended = [value is _END for value, _ in found]
            if all(ended):
                return
            if any(ended):
                raise FormatError("the lists of the file differ in length", where=path, expected=", ".join(names))
            where = f"{path.name}[{index}]"
            item = {name: value for name, (value, _) in zip(names, found, strict=True)}
            yield where, (fault(where, item) if any(suspect for _, suspect in found) else None) or item
            index += 1


def fault(where: str, value: object) -> Reject | None:
    """Return a Reject of a value in which an escape stands for half a character: no file could hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        detail = f"{error.object[error.start]!a} is half of a surrogate pair"
        return Reject(where=where, reason=MALFORMED, detail=detail)
    except RecursionError as error:
        return Reject(where=where, reason=MALFORMED, detail=f"too many levels: {error}")
    return None


def _column(path: Path, file: TextIO, name: str) -> Iterator[tuple[Any, bool]]:
    scanner = _Scanner(path, file)
    for key in scanner.members():
        if scanner.mark() == "[":
            for element in scanner.array():
                if key == name:
                    yield element
        else:
            scanner.value(f"{path}:{key!a}")
        if key == name:
            return
    raise FormatError("a list is missing", where=path, expected=name)


class _Scanner:
    """A JSON text that is read in blocks; `at` is where in the present one it stands."""

    def __init__(self, path: Path, file: TextIO, encodings: tuple[str, ...] = ("utf-8",)) -> None:
        self.path, self.file, self.encodings = path, file, encodings
        self.text, self.at = "", 0

    def mark(self) -> str:
        """Step over white space, and return the character behind it; nothing at the end of the file."""
        while True:
            while self.at < len(self.text):
                if (mark := self.text[self.at]) not in _BLANKS:
                    return mark
                self.at += 1
            if not self._read():
                return ""

    def rest(self) -> str:
        return self.text[self.at : self.at + 40]

    def value(self, where: str) -> tuple[Any, bool]:
        """Return the value that begins here, and whether it may hold half a character."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if not self._read():
                    raise self._broken(where, error.msg) from error
                continue
            except (RecursionError, ValueError) as error:
                if not self._read():
                    raise self._broken(where, str(error)) from error
                continue
            # A number may go on in the next block; anything else that is whole is whole.
            if end < len(self.text) or not self._read():
                suspect = SURROGATE.search(self.text, self.at, end) is not None
                self.at = end
                return value, suspect

    def array(self) -> Iterator[tuple[Any, bool]]:
        """Yield the values of the array that begins here, and step over its end."""
        self.at += 1
        if self.mark() == "]":
            self.at += 1
            return
        index = 0
        while True:
            where = f"{self.path}[{index}]"
            self._require(self.mark(), where)
            yield self.value(where)
            mark = self._require(self.mark(), where)
            self.at += 1
            if mark == "]":
                return
            if mark != ",":
                raise self._broken(where, "a comma was expected")
            index += 1

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; whoever asks for them reads the values."""
        where = str(self.path)
        if self.mark() != "{":
            raise FormatError("the file is not a JSON object", where=self.path, got=repr(self.rest()))
        self.at += 1
        while self._require(self.mark(), where) == '"':
            key = str(self.value(where)[0])
            if self.mark() != ":":
                raise self._broken(where, "a colon was expected")
            self.at += 1
            self._require(self.mark(), where)
            yield key
            if self._require(self.mark(), where) != ",":
                return
            self.at += 1

    def _read(self) -> bool:
        """Read the next block behind what has not been stepped over: whether there was one."""
        # As much again: a value that never ends is then read in linear time.
        more = self._block(max(_BLOCK_CHARS, len(self.text) - self.at))
        if more:
            self.text, self.at = self.text[self.at :] + more, 0
        return bool(more)

    def _block(self, size: int) -> str:
        try:
            return self.file.read(size)
        except UnicodeDecodeError:
            # The reader of lines says in which one the fault is.
            for _ in lines.numbered(self.path, encodings=self.encodings):
                pass
            raise

    def _require(self, mark: str, where: str) -> str:
        if not mark:
            raise self._broken(where, "it ends within")
        return mark

    def _broken(self, where: str, what: str) -> FormatError:
        return FormatError(
            f"the file is not whole JSON: {what}", where=where, mend="fetch the file again; it may have been cut off"
        )
