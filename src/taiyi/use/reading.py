"""Texts to be answered about, from files: plain texts, tables, JSON lines, folders of these."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from taiyi.errors import FormatError, meant
from taiyi.formats import json_lines, lines, tables
from taiyi.schema import Reject

TEXTS = (".txt", ".text", ".md")
JSON = (".jsonl", ".ndjson", ".json")
TABLES = (".csv", ".tsv", ".parquet", ".xlsx")


class Given(NamedTuple):
    """What is answered about.

    Attributes:
        id: of the item, or the place where it stands.
        texts: the columns that are asked about, in order; of a plain text, all of it.
    """

    id: str
    texts: tuple[str, ...]


def is_table(path: Path) -> bool:
    """Whether a path holds many items: a folder, JSON lines or a table."""
    return path.is_dir() or path.suffix.lower() in (*JSON, *TABLES)


def read(path: Path, columns: Sequence[str] = ("text",), *, id_column: str = "id") -> Iterator[Given | Reject]:
    """Yield the items of a file, or of all files below a folder by their names; what cannot be read is a Reject.

    Args:
        path: a plain text in UTF-8 (`.txt`, `.md`), JSON lines, CSV (by comma, semicolon or tab), TSV, XLSX or
            Parquet, or a folder.
        columns: names of what is asked about; a plain text is the first of them.
        id_column: name of what is the id of an item; where it is not there, the id is the place of the item.

    Raises:
        FormatError: a file has no such column in its first item, or is not what its name says.
    """
    if path.is_dir():
        for file in _below(path):
            name = file.relative_to(path).as_posix()
            if not file.is_file():
                yield Reject(where=name, reason="not a file or folder that can be opened")
                continue
            if file.suffix.lower() not in (*TEXTS, *JSON, *TABLES):
                yield Reject(where=name, reason="not a kind of file that is read", detail=file.suffix)
                continue
            try:
                for item in read(file, columns, id_column=id_column):
                    if isinstance(item, Given):
                        alone = file.suffix.lower() in TEXTS
                        item = item._replace(id=name if alone else f"{name}#{item.id}")
                    yield item
            except FormatError as error:
                yield Reject(where=name, reason=error.what, detail=str(error))
            except PermissionError as error:
                yield Reject(where=name, reason="the file may not be read", detail=str(error))
        return
    if path.suffix.lower() in TABLES:
        yield from _rows(tables.items(path, delimiter=_delimiter(path, columns)), path, columns, id_column)
    elif path.suffix.lower() in JSON:
        yield from _rows(json_lines.items(path), path, columns, id_column)
    else:
        yield Given(path.stem, (lines.whole(path), *("" for _ in columns[1:])))


def _delimiter(path: Path, columns: Sequence[str]) -> str:
    """Return what stands between the cells of a table: of CSV what its header has the columns by, which is a semicolon
    where numbers have decimal commas."""
    if path.suffix.lower() != ".csv":
        return "\t"
    try:
        _, first = next(lines.numbered(path), (1, ""))
    except FormatError:
        return ","  # It is no text: a table of another kind, or none.
    return next((d for d in ",;\t" if {*columns} <= {name.strip().strip('"') for name in first.split(d)}), ",")


def _below(folder: Path) -> list[Path]:
    """Return what is below a folder and not hidden: files, links to nothing, and folders that cannot be opened."""
    closed: list[OSError] = []
    files = [Path(at, name) for at, _, names in os.walk(folder, onerror=closed.append) for name in names]
    return sorted(p for p in (*files, *(Path(error.filename) for error in closed)) if not p.name.startswith("."))


def _rows(
    items: Iterator[tuple[str, Mapping[str, Any] | Reject]], path: Path, columns: Sequence[str], id_column: str
) -> Iterator[Given | Reject]:
    """Yield the columns of rows; the first row has to have them all."""
    first = True
    for where, row in items:
        if isinstance(row, Reject):
            yield row
            continue
        if first and (missing := [name for name in columns if name not in row]):
            raise FormatError(
                "there is no such column",
                where=path,
                got=missing[0],
                expected=", ".join(map(str, row)),
                mend=meant(missing[0], row) or "name it with --column",
            )
        first = False
        texts = tuple("" if row.get(name) is None else row[name] for name in columns)
        if wrong := next((text for text in texts if not isinstance(text, str)), None):
            yield Reject(where=where, reason="not a text", detail=repr(wrong)[:60])
            continue
        yield Given(str(row.get(id_column, where)), texts)
