"""Lines of a text file with their numbers; offsets of what they hold are not touched.

Files are UTF-8 unless their corpus says otherwise; a byte order mark tells UTF-8 and UTF-16 whatever it says.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from taiyi.errors import FormatError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BLOCK_BYTES = 1 << 20


def numbered(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> Iterator[tuple[int, str]]:
    """Yield each line with its number from 1, without its LF or CRLF.

    Only LF ends a line: other separators that Python knows, such as U+2028 or form feed, occur inside real texts.

    Args:
        encodings: those that the file may be in; the first that it can be read in is taken.

    Raises:
        FormatError: the file is in none of the encodings.
    """
    for number, line in enumerate(ended(path, encodings=encodings), start=1):
        yield number, line.removesuffix("\n").removesuffix("\r")


def ended(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> Iterator[str]:
    """Yield each line as `numbered` does, with the LF or CRLF that it has."""
    encoding = _encoding(path, encodings)
    if encoding == "utf-16":
        with path.open(encoding=encoding, newline="\n") as file:
            yield from file
        return
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    with path.open("rb") as file:
        if encoding == "utf-8-sig":
            file.seek(len(codecs.BOM_UTF8))
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode(codec)
            except UnicodeDecodeError as error:
                raise _fault(error, path, number, encoding) from error
            yield line


def whole(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> str:
    """Return the text of a file, with the line ends that it has.

    Raises:
        FormatError: the file is in none of the encodings.
    """
    encoding = _encoding(path, encodings)
    data = path.read_bytes()
    if encoding == "utf-8-sig":
        data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _fault(error, path, data.count(b"\n", 0, error.start) + 1, encoding) from error


def opened(path: Path, *, encodings: tuple[str, ...] = ("utf-8",)) -> TextIO:
    """Open a file as text, with the line ends that it has, to be read in parts."""
    return path.open(encoding=_encoding(path, encodings), newline="")


def _encoding(path: Path, encodings: tuple[str, ...]) -> str:
    """Return the encoding that a byte order mark tells, else the first that the whole file can be read in."""
    with path.open("rb") as file:
        start = file.read(3)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                if encoding == "utf-16" and not _readable(path, encoding):
                    break
                return encoding
    *others, last = encodings
    return next((encoding for encoding in others if _readable(path, encoding)), last)


def _readable(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _fault(error: UnicodeDecodeError, path: Path, number: int, encoding: str) -> FormatError:
    column = error.start - error.object.rfind(b"\n", 0, error.start)
    return FormatError(
        f"the file is not {'UTF-8' if encoding in ('utf-8', 'utf-8-sig') else encoding.upper()}",
        where=f"{path}:{number}",
        got=f"byte {error.object[error.start]:#04x} at column {column}",
        mend="convert it to UTF-8 first",
    )


def write(lines: Iterable[str], path: Path) -> None:
    """Write lines, each ended by LF on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
