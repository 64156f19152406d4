"""The answers of a model to a test set as they are kept: JSON lines while they are made, Parquet once all are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_origin

import msgspec

from taiyi import storage
from taiyi.schema import Example, Prediction
from taiyi.storage import StorageError

_NAMES = {"example": "id"}
_FIELDS = msgspec.structs.fields(Prediction)


def _column(field: msgspec.structs.FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = str if get_origin(field.type) is Literal else field.type
    name = _NAMES.get(field.name, field.name)
    return (name, kind) if field.required else (name, kind, field.default)


# A prediction in columns that any reader of Parquet understands; `id` is that of its example.
_Row = msgspec.defstruct("_Row", [_column(field) for field in _FIELDS], frozen=True)


def working(folder: Path, name: str) -> Path:
    """Return the file that the answers to a test set go to while they are made."""
    return folder / f"{name}.jsonl"


def made(folder: Path, name: str) -> list[Prediction]:
    """Return the answers that are there; a last line that a kill cut off is taken away first."""
    path = working(folder, name)
    if not _kept(folder, name).exists() and path.exists():
        with path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
    elif not _kept(folder, name).exists():
        return []
    return read(folder, name)


def keep(folder: Path, name: str) -> list[Prediction]:
    """Return the answers to a test set, now that all are there, and keep them as Parquet; the working file goes."""
    found = read(folder, name)
    if not _kept(folder, name).exists():
        rows = (_Row(*msgspec.structs.astuple(prediction)) for prediction in found)
        storage.write_parquet(rows, _kept(folder, name), _Row)
    working(folder, name).unlink(missing_ok=True)
    return found


def read(folder: Path, name: str) -> list[Prediction]:
    """Return the answers to a test set, kept as Parquet, or as JSON lines as older steps have them.

    Raises:
        StorageError: there are none, or the file does not hold what it should.
    """
    path = _kept(folder, name)
    if not path.exists() and working(folder, name).exists():
        return list(storage.read_jsonl(working(folder, name), Prediction))
    with storage.reading(path):
        return [msgspec.convert(_fields(row), Prediction) for row in storage.read_parquet(path, _Row)]


def by_example(where: str, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Mapping[str, Prediction]:
    """Return the answer to each example of a test set; `where` names it in errors.

    Raises:
        StorageError: an example has none or several, or there are answers to something else.
    """
    asked = {example.id for example in examples}
    times = Counter(p.example for p in predictions)
    wrong = {
        "examples without a prediction": [e.id for e in examples if e.id not in times],
        "examples with several predictions": [example for example, count in times.items() if count > 1],
        "predictions for something else": [example for example in times if example not in asked],
    }
    for fault, ids in wrong.items():
        if ids:
            raise StorageError(
                fault,
                where=where,
                got=f"{len(ids):,}, such as {ids[0]}",
                expected=f"one for each of {len(asked):,} examples",
                mend="remove the folder of the predictions, and give the same command again",
            )
    return {p.example: p for p in predictions}


def _fields(row: msgspec.Struct) -> dict[str, Any]:
    return {field.name: getattr(row, _NAMES.get(field.name, field.name)) for field in _FIELDS}


def _kept(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"
