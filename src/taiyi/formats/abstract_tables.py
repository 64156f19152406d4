"""Tables of BioCreative tracks: abstracts as `id title abstract`, and rows about them that begin with the same id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from taiyi.errors import FormatError
from taiyi.formats import lines
from taiyi.formats.checked import MALFORMED
from taiyi.schema import Passage, Reject, Span

WITHOUT_DOCUMENT = "row of a document that is not there"
Rows = dict[str, list[tuple[str, list[str]]]]


class Abstract(NamedTuple):
    """A document: title and abstract are one space apart."""

    where: str
    key: str
    title: str
    body: str

    @property
    def text(self) -> str:
        return f"{self.title} {self.body}" if self.body else self.title

    @property
    def passages(self) -> tuple[Passage, ...]:
        spans = {"title": Span(0, len(self.title)), "abstract": Span(len(self.title) + 1, len(self.text))}
        return tuple(Passage(type=type, span=span) for type, span in spans.items() if span.start < span.end)


def abstracts(path: Path) -> Iterator[Abstract | Reject]:
    """Yield each document once.

    Raises:
        FormatError: the first line is not `id title abstract`.
    """
    seen: set[str] = set()
    first = True
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        cells, where = line.split("\t"), f"{path.name}:{number}"
        if len(cells) != 3 or not cells[0].strip():
            if first:
                raise FormatError(
                    "the file is not a table of abstracts", where=f"{path}:{number}", got=repr(line[:60]),
                    expected="id, title and abstract between tabs",
                )  # fmt: skip
            yield Reject(where=where, reason=MALFORMED, detail=f"{len(cells)} columns: {line[:80]!r}")
            continue
        first = False
        key = cells[0].strip()
        if key in seen:
            yield Reject(where=where, reason="repeated document", detail=f"{key}: the first is kept")
            continue
        seen.add(key)
        yield Abstract(where, key, cells[1], cells[2])
    if first:
        raise FormatError("the file holds no document", where=path, expected="id, title and abstract between tabs")


def rows(path: Path, columns: int) -> tuple[Rows, list[Reject]]:
    """Return the rows of a table by the id that they begin with, with where each stands, and malformed lines.

    Raises:
        FormatError: the file is missing, or has lines and none of them has so many columns.
    """
    if not path.is_file():
        raise FormatError("a table of annotations is missing", where=path)
    found: Rows = {}
    rejects: list[Reject] = []
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        cells, where = line.split("\t"), f"{path.name}:{number}"
        if len(cells) == columns and cells[0].strip():
            found.setdefault(cells[0].strip(), []).append((where, cells))
        else:
            rejects.append(Reject(where=where, reason=MALFORMED, detail=f"{len(cells)} columns: {line[:80]!r}"))
    if rejects and not found:
        raise FormatError(f"no line of the file has {columns} columns", where=path, got=rejects[0].detail)
    return found, rejects


def left(rows: Rows) -> Iterator[Reject]:
    """Yield a reject for each document that rows are about and that was not there."""
    for key, own in rows.items():
        yield Reject(where=own[0][0], reason=WITHOUT_DOCUMENT, detail=f"{key}: {len(own)} rows")
