"""Lines of a UTF-8 text file with their numbers; offsets of what they hold are not touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from taiyi.errors import FormatError

_BOM = b"\xef\xbb\xbf"


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line with its number from 1, without its LF or CRLF.

    Only LF ends a line: other separators that Python knows, such as U+2028 or form feed, occur inside real texts.

    Raises:
        FormatError: a line is not UTF-8.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(_BOM)
            yield number, _decoded(raw, path, number).removesuffix("\n").removesuffix("\r")


def whole(path: Path) -> str:
    """Return the text of a file.

    Raises:
        FormatError: a line is not UTF-8.
    """
    data = path.read_bytes().removeprefix(_BOM)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start)
        return _decoded(data.split(b"\n", number)[number], path, number + 1)


def _decoded(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            "the file is not UTF-8",
            where=f"{path}:{number}",
            got=f"byte {raw[error.start]:#04x} at column {error.start + 1}",
            mend="convert it to UTF-8 first",
        ) from error


def write(lines: Iterable[str], path: Path) -> None:
    """Write lines, each ended by LF on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
