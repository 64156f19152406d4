"""Rows of tables: CSV, TSV, XLSX and Parquet, told by what a file begins with.

Every row comes as a mapping from column to value, with the place where it stands. Cells of text files are texts; those
of the others are what they are there (numbers, lists, nothing).
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

from taiyi.errors import FormatError
from taiyi.formats import lines
from taiyi.formats.checked import MALFORMED
from taiyi.schema import Reject

Row = dict[str, Any]
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"
# Cells hold whole articles; more than this is a quote that was never closed.
csv.field_size_limit(1 << 20)
# The longest XLSX that is opened: it is held in memory whole.
_MOST_XLSX_BYTES = 200 << 20


def items(
    path: Path,
    *,
    columns: Sequence[str] = (),
    delimiter: str = ",",
    quoted: bool = True,
    encodings: tuple[str, ...] = ("utf-8",),
    sheet: str | int = 0,
) -> Iterator[tuple[str, Row | Reject]]:
    """Yield each row with where it stands: `file:line`, or `file[row]`.

    Args:
        columns: names of the columns of a file without a header; where none are given the first row is the header.
        delimiter: what stands between the cells of a text file.
        quoted: whether cells of a text file may stand in double quotes, and then hold delimiters and line breaks.
        encodings: those that a text file may be in; the first that it can be read in is taken.
        sheet: name or position of a sheet of XLSX.

    Raises:
        FormatError: the file is not a table, its header names a column twice, or it is in none of the encodings.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start == _PARQUET:
        yield from _parquet(path)
        return
    rows = _xlsx(path, sheet) if start == _ZIP else _delimited(path, delimiter, encodings, quoted=quoted)
    names = list(columns)
    for where, row in rows:
        if isinstance(row, Reject):
            yield where, row
        elif not names:
            names = _header(path, row)
        elif any(cell not in (None, "") for cell in row):
            yield where, _named(where, names, row)
    if not names:
        raise FormatError("the file is empty", where=path, expected="a table with a header")


def _header(path: Path, row: list[Any]) -> list[str]:
    names = [str(cell).strip() if cell is not None else "" for cell in row]
    given = [name for name in names if name]
    if not given or len(set(given)) != len(given):
        raise FormatError("not a header of different names", where=f"{path}:1", got=str(names)[:120])
    return names


def _named(where: str, names: list[str], row: list[Any]) -> Row | Reject:
    cells = row[: len(names)] if not any(cell not in (None, "") for cell in row[len(names) :]) else row
    if len(cells) != len(names):
        detail = f"{len(cells)} cells, expected {len(names)}: {str(row)[:80]}"
        return Reject(where=where, reason=MALFORMED, detail=detail)
    return {name: cell for name, cell in zip(names, cells, strict=True) if name}


def _delimited(
    path: Path, delimiter: str, encodings: tuple[str, ...], *, quoted: bool
) -> Iterator[tuple[str, list[Any] | Reject]]:
    # A quoted cell has the line ends that the file has.
    source = lines.ended(path, encodings=encodings)
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    rows = csv.reader(source, delimiter=delimiter, quoting=quoting)
    while True:
        where = f"{path.name}:{rows.line_num + 1}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            detail = f"{error}, to line {rows.line_num}"
            yield where, Reject(where=where, reason=MALFORMED, detail=detail)
            continue
        yield where, cast("list[Any]", row)


def _xlsx(path: Path, sheet: str | int) -> Iterator[tuple[str, list[Any] | Reject]]:
    # Imported here: of all corpora four are XLSX.
    from python_calamine import CalamineError, CalamineWorkbook

    if path.stat().st_size > _MOST_XLSX_BYTES:
        raise FormatError("the sheet is too large to be held in memory", where=path, expected="200 MB at most")
    try:
        book = CalamineWorkbook.from_path(path)
        found = book.get_sheet_by_index(sheet) if isinstance(sheet, int) else book.get_sheet_by_name(sheet)
        rows = found.iter_rows()
        for number, row in enumerate(rows, start=1 + (found.start or (0, 0))[0]):
            yield f"{path.name}:{number}", cast("list[Any]", list(row))
    except (CalamineError, BadZipFile, OSError) as error:
        raise FormatError(
            f"the file is not a sheet of XLSX: {error}",
            where=path,
            mend="fetch the file again; it may have been cut off",
        ) from error


def _parquet(path: Path) -> Iterator[tuple[str, Row | Reject]]:
    # Imported here, for they take longer than a listing; they have no types.
    pyarrow, parquet = (cast(Any, importlib.import_module(name)) for name in ("pyarrow", "pyarrow.parquet"))
    try:
        with parquet.ParquetFile(path) as file:
            index = 0
            for batch in file.iter_batches(batch_size=1024):
                for row in cast("list[Row]", batch.to_pylist()):
                    yield f"{path.name}[{index}]", row
                    index += 1
    # Bytes that are no text come out as an error of Python's.
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FormatError(
            f"the file is not Parquet: {error}", where=path, mend="fetch the file again; it may have been cut off"
        ) from error
