"""Typed values on disk: JSONL to read by eye, Parquet (zstd) to keep; both give back exactly what was written.

Parquet columns are the fields of the type: plain ones as they are, structured ones as JSON text, since Parquet has no
tagged unions. Files are written beside their place and moved there when whole.
"""

from __future__ import annotations

import os
import shutil
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar
from zipfile import BadZipFile

import msgspec

from taiyi.errors import TaiyiError, machine_fault

T = TypeVar("T")
_ROWS_PER_GROUP = 8192
_MEND = "remove it, or the folder of the step that made it, and give the same command again"
_PLAIN = {str: "string", int: "int64", float: "float64"}
_ARROW = {"string": "string", "int64": "int64", "float64": "double"}


class StorageError(TaiyiError):
    """A file cannot be written, or does not hold what it should."""


@contextmanager
def writing(path: Path) -> Generator[IO[bytes], None, None]:
    """Open a file that appears under its name only when it is whole and on disk."""
    temporary = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError) or (fault := machine_fault(error)) is None:
            raise
        raise StorageError("cannot be written", where=path, got=fault.what, mend=fault.mend) from error


def write_jsonl(values: Iterable[object], path: Path) -> int:
    """Write one JSON object a line and return how many."""
    encoder = msgspec.json.Encoder()
    num_values = 0
    with writing(path) as file:
        for value in values:
            file.write(encoder.encode(value) + b"\n")
            num_values += 1
    return num_values


class Lines:
    """Values that go to a file as they come, one JSON object a line, and are not held."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder().encode

    def append(self, value: object) -> None:
        self._file.write(self._encode(value) + b"\n")

    def extend(self, values: Iterable[object]) -> None:
        for value in values:
            self.append(value)


@contextmanager
def writing_jsonl(path: Path) -> Generator[Lines, None, None]:
    """Open a file of JSON lines that appears under its name only when it is whole and on disk."""
    with writing(path) as file:
        yield Lines(file)


def read_jsonl(path: Path, kind: type[T] | Any) -> Iterator[T]:
    """Read values of a type, or of a union of types; StorageError names the line that is not one."""
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                raise StorageError(
                    "not what it should hold", where=f"{path}:{number}", got=error, mend=_MEND
                ) from error


def write_json(value: object, path: Path) -> None:
    """Write one value as indented JSON."""
    with writing(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def read_json(path: Path, kind: type[T] | Any) -> T:
    """Read one value of a type."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StorageError("not what it should hold", where=path, got=error, mend=_MEND) from error


def write_parquet(values: Iterable[msgspec.Struct], path: Path, kind: type[msgspec.Struct]) -> int:
    """Write values of one type and return how many."""
    pa, pq = _pyarrow()
    columns = _columns(kind)
    schema = pa.schema([pa.field(column.name, getattr(pa, column.arrow)()) for column in columns])
    num_values = 0
    with writing(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _batches(values, _ROWS_PER_GROUP):
            cells = [pa.array(_cells(rows, column), type=getattr(pa, column.arrow)()) for column in columns]
            writer.write_table(pa.Table.from_arrays(cells, schema=schema))
            num_values += len(rows)
    return num_values


def read_parquet(path: Path, kind: type[T]) -> Iterator[T]:
    """Read values of the type that was written, or of one with some of its fields: other columns are left alone.

    A field that has a default and that the file, being older, does not have yet is left to it.
    """
    _, pq = _pyarrow()
    names = [column.name for column in _columns(kind)]
    with reading(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS_PER_GROUP, columns=names):
            yield from _values(batch, kind)


def read_rows(path: Path, kind: type[T], indices: Iterable[int]) -> Iterator[T]:
    """Read the values at some places of a file, in order of place; groups of rows without one are left alone."""
    _, pq = _pyarrow()
    wanted = sorted(set(indices))
    with reading(path), pq.ParquetFile(path) as file:
        begin = 0
        for group in range(file.metadata.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            here = wanted[bisect_left(wanted, begin) : bisect_left(wanted, end)]
            if here:
                yield from _values(file.read_row_group(group).take([index - begin for index in here]), kind)
            begin = end


def read_column(path: Path, name: str) -> Any:
    """Read one column of a Parquet file, as it is stored, as an Arrow array."""
    _, pq = _pyarrow()
    with reading(path):
        return pq.read_table(path, columns=[name])[name].combine_chunks()


def num_rows(path: Path) -> int:
    """Return how many values a Parquet file has."""
    _, pq = _pyarrow()
    with reading(path), pq.ParquetFile(path) as file:
        return file.metadata.num_rows


@contextmanager
def reading(path: Path) -> Generator[None, None, None]:
    """Say of a file that Taiyi wrote which one it is, where it is gone or does not hold what it should."""
    pa, _ = _pyarrow()
    damage = (pa.ArrowInvalid, msgspec.DecodeError, msgspec.ValidationError, KeyError, ValueError, BadZipFile, EOFError)
    try:
        yield
    except FileNotFoundError as error:
        mend = f"remove {path.parent}, and give the same command again"
        raise StorageError("is not there any more", where=path, mend=mend) from error
    except damage as error:
        if isinstance(error, TaiyiError):
            raise
        raise StorageError("not what it should hold", where=path, got=error, mend=_MEND) from error


def remove(folder: Path) -> None:
    """Remove a folder of work that is done: a kill meanwhile leaves nothing under its name."""
    leaving = folder.with_name(folder.name + ".removed")
    shutil.rmtree(leaving, ignore_errors=True)
    if folder.exists():
        folder.rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)


def _pyarrow() -> tuple[Any, Any]:
    """Import pyarrow, which has no types, where it is used: most commands do without it."""
    import pyarrow
    import pyarrow.parquet

    return pyarrow, pyarrow.parquet


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rows: list[T] = []
    for value in values:
        rows.append(value)
        if len(rows) == size:
            yield rows
            rows = []
    if rows:
        yield rows


class _Column(msgspec.Struct, frozen=True):
    """How a field of a type is kept: as it is, or as JSON text."""

    name: str
    arrow: str
    encode: Callable[[Any], bytes] | None
    decode: Callable[[str], Any] | None
    required: bool


@cache
def _columns(kind: Any) -> tuple[_Column, ...]:
    found: list[_Column] = []
    for field in msgspec.structs.fields(kind):
        if field.type in _PLAIN:
            found.append(_Column(field.name, _PLAIN[field.type], None, None, field.required))
        else:
            decoder = msgspec.json.Decoder(field.type)
            encode = msgspec.json.Encoder().encode
            found.append(_Column(field.name, "string", encode, decoder.decode, field.required))
    return tuple(found)


def _cells(values: Sequence[object], column: _Column) -> list[Any]:
    cells = [getattr(value, column.name) for value in values]
    return cells if column.encode is None else [*map(column.encode, cells)]


def _values(table: Any, kind: type[T]) -> Iterator[T]:
    """Return the values of a table or of a batch of rows."""
    cells: list[list[Any]] = []
    columns = [column for column in _columns(kind) if column.required or column.name in table.schema.names]
    for column in columns:
        stored = table.column(column.name)
        # What a column declares is not asked of every cell.
        if str(stored.type) != _ARROW[column.arrow] or stored.null_count:
            got = f"{stored.type} with {stored.null_count} nulls"
            raise msgspec.ValidationError(f"column {column.name}: {got}, not {_ARROW[column.arrow]}")
        read = stored.to_pylist()
        cells.append(read if column.decode is None else [*map(column.decode, read)])
    names = [column.name for column in columns]
    return (kind(**dict(zip(names, row, strict=True))) for row in zip(*cells, strict=True))
