"""Typed values on disk: JSONL to read by eye, Parquet (zstd) to keep; both give back exactly what was written.

Parquet columns are the fields of the type: plain ones as they are, structured ones as JSON text, since Parquet has no
tagged unions. Files are written beside their place and moved there when whole.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from taiyi.errors import TaiyiError, machine_fault

T = TypeVar("T")
_ROWS_PER_GROUP = 8192
_MEND = "remove it, or the folder of the step that made it, and give the same command again"
_PLAIN = {str: "string", int: "int64", float: "float64"}


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
    fields = msgspec.structs.fields(kind)
    schema = pa.schema([pa.field(f.name, getattr(pa, _PLAIN.get(f.type, "string"))()) for f in fields])
    num_values = 0
    with writing(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _batches(values, _ROWS_PER_GROUP):
            columns = {f.name: [_cell(getattr(row, f.name), f.type) for row in rows] for f in fields}
            writer.write_table(pa.table(columns, schema=schema))
            num_values += len(rows)
    return num_values


def read_parquet(path: Path, kind: type[T]) -> Iterator[T]:
    """Read values of the type that was written."""
    pa, pq = _pyarrow()
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_PER_GROUP):
                for row in batch.to_pylist():
                    yield _value(row, kind)
    except (pa.ArrowInvalid, msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise StorageError("not what it should hold", where=path, got=error, mend=_MEND) from error


def read_columns(path: Path, kind: type[T]) -> Iterator[T]:
    """Read the columns of a file that are fields of a type, which has fewer than the one that was written."""
    pa, pq = _pyarrow()
    names = [field.name for field in msgspec.structs.fields(kind)]  # pyright: ignore[reportArgumentType]
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_PER_GROUP, columns=names):
                for row in batch.to_pylist():
                    yield _value(row, kind)
    except (pa.ArrowInvalid, msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise StorageError("not what it should hold", where=path, got=error, mend=_MEND) from error


def num_rows(path: Path) -> int:
    """Return how many values a Parquet file has."""
    _, pq = _pyarrow()
    with pq.ParquetFile(path) as file:
        return file.metadata.num_rows


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


def _cell(value: object, kind: Any) -> object:
    return value if kind in _PLAIN else msgspec.json.encode(value).decode()


def _value(row: dict[str, Any], kind: type[T]) -> T:
    fields = msgspec.structs.fields(kind)  # pyright: ignore[reportArgumentType]
    parts = {f.name: row[f.name] if f.type in _PLAIN else msgspec.json.decode(row[f.name]) for f in fields}
    return msgspec.convert(parts, kind)
