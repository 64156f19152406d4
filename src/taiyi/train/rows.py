"""Encoded rows on disk: flat arrays with offsets, memory-mapped, so that a stage of any size takes no memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from taiyi.encoding import Encoder, Row
from taiyi.errors import TaiyiError, TrainError
from taiyi.schema import Example, Reject

Ints = npt.NDArray[np.signedinteger[Any]]

FILE = "rows.json"
# Offsets have one entry more than what they delimit. `names` are the ids of the examples in UTF-8, `tasks` indices into
# the names of the tasks, which are told beside the counts.
_ARRAYS: dict[str, type[np.generic]] = {
    "ids": np.int32,
    "positions": np.int32,
    "row_offsets": np.int64,
    "targets": np.int32,
    "target_offsets": np.int64,
    "choices": np.int32,
    "choice_offsets": np.int64,
    "counted": np.int32,
    "tasks": np.uint16,
    "names": np.uint8,
    "name_offsets": np.int64,
}
_FLUSH = 1 << 20
TOO_LONG = "longer than max_tokens"
LOST = "mention lost inside a piece, row kept"
WIDENED = "mention widened to whole pieces, row kept"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as flat arrays; `rows[i]` is a Row again.

    Attributes:
        folder: where they are.
        arrays: the arrays by name; row i has tokens `row_offsets[i]` to `row_offsets[i + 1]`, and so on.
        tasks: the names of the tasks that its rows are of.
    """

    folder: Path
    arrays: dict[str, Ints]
    tasks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.arrays["counted"])

    def __iter__(self) -> Iterator[Row]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> Row:
        targets = self.slice("target", index)
        offsets = self.arrays["choice_offsets"][targets.start : targets.stop + 1].tolist()
        choices = self.arrays["choices"][offsets[0] : offsets[-1]].tolist()
        return Row(
            example=self.example(index),
            ids=self.arrays["ids"][self.slice("row", index)].tolist(),
            positions=self.arrays["positions"][self.slice("row", index)].tolist(),
            targets=self.arrays["targets"][targets].tolist(),
            choices=[tuple(choices[start - offsets[0] : end - offsets[0]]) for start, end in pairwise(offsets)],
            task=self.tasks[int(self.arrays["tasks"][index])],
        )

    def slice(self, kind: str, index: int) -> slice:
        """Where row `index` lies in the arrays of its tokens (`row`), targets (`target`) or name (`name`)."""
        offsets = self.arrays[f"{kind}_offsets"]
        return slice(int(offsets[index]), int(offsets[index + 1]))

    def example(self, index: int) -> str:
        """Return the id of the example of row `index`."""
        return self.arrays["names"][self.slice("name", index)].tobytes().decode()

    @property
    def lengths(self) -> Ints:
        """Tokens of each row."""
        return np.diff(self.arrays["row_offsets"])

    @property
    def tokens(self) -> int:
        return int(self.arrays["row_offsets"][-1])

    @property
    def targets(self) -> int:
        """How many tokens are learned: targets that are not forced."""
        return int(self.arrays["counted"].sum(dtype=np.int64))


def write(rows: Iterable[Row], folder: Path) -> Rows:
    """Write rows into a folder, which is whole once its `rows.json` is there.

    Raises TrainError where a row teaches nothing, that is, has no target or only forced ones.
    """
    with _writing(folder) as file:
        flat = _Flat(file.tasks)
        for row in rows:
            flat.add(row)
            if len(flat.lists["ids"]) > _FLUSH:
                flat.flush(file.append)
        flat.flush(file.append)
    return read(folder)


def hold(rows: Iterable[Row]) -> Rows:
    """Return rows that are held in memory only; raises TrainError as `write` does."""
    tasks: dict[str, int] = {}
    flat = _Flat(tasks)
    for row in rows:
        flat.add(row)
    arrays: dict[str, Ints] = {}
    flat.flush(arrays.__setitem__)
    return Rows(Path(), arrays, tuple(tasks))


def join(parts: Sequence[Path], folder: Path) -> Rows:
    """Write the rows of several folders into one, in order: the same files as if they had been written at once."""
    with _writing(folder) as file:
        ends = dict.fromkeys(_ARRAYS, 0)
        for name in _ARRAYS:
            if name.endswith("_offsets"):
                file.append(name, np.zeros(1, dtype=_ARRAYS[name]))
        for part in parts:
            rows = read(part)
            renamed = np.array([file.tasks.setdefault(task, len(file.tasks)) for task in rows.tasks], dtype=np.uint16)
            for name, values in rows.arrays.items():
                if name.endswith("_offsets"):
                    file.append(name, values[1:] + ends[name])
                    ends[name] += int(values[-1])
                else:
                    file.append(name, renamed[values] if name == "tasks" else values)
    return read(folder)


class _Flat:
    """Rows as flat lists, with the offsets that they have behind those that went before."""

    def __init__(self, tasks: dict[str, int]) -> None:
        self.lists: dict[str, list[int]] = {name: [0] if name.endswith("_offsets") else [] for name in _ARRAYS}
        self._ends: dict[str, int] = dict.fromkeys(("row", "target", "choice", "name"), 0)
        self._tasks = tasks

    def add(self, row: Row) -> None:
        narrowed = any(row.choices)
        counted = sum(len(choices) != 1 for choices in row.choices) if narrowed else len(row.choices)
        _check(row, counted)
        name = row.example.encode()
        flat, ends = self.lists, self._ends
        flat["ids"].extend(row.ids)
        flat["positions"].extend(row.positions)
        flat["targets"].extend(row.targets)
        flat["names"].extend(name)
        flat["counted"].append(counted)
        flat["tasks"].append(self._tasks.setdefault(row.task, len(self._tasks)))
        if narrowed:
            flat["choices"].extend(chain.from_iterable(row.choices))
            offsets = [*accumulate(map(len, row.choices), initial=ends["choice"])]
            flat["choice_offsets"].extend(offsets[1:])
            ends["choice"] = offsets[-1]
        else:
            flat["choice_offsets"].extend([ends["choice"]] * len(row.choices))
        for kind, size in (("row", len(row.ids)), ("target", len(row.targets)), ("name", len(name))):
            ends[kind] += size
            flat[f"{kind}_offsets"].append(ends[kind])

    def flush(self, append: Callable[[str, npt.NDArray[Any]], None]) -> None:
        for name, values in self.lists.items():
            append(name, np.asarray(values, dtype=_ARRAYS[name]))
            values.clear()


class _Written:
    """The files of rows in the making, and the names of their tasks."""

    def __init__(self, files: dict[str, BinaryIO]) -> None:
        self.tasks: dict[str, int] = {}
        self.counts = dict.fromkeys(files, 0)
        self._files = files
        self._digests = {name: xxhash.xxh3_64() for name in files}

    def append(self, name: str, values: npt.NDArray[Any]) -> None:
        data = np.ascontiguousarray(values, dtype=_ARRAYS[name]).data
        self._files[name].write(data)
        self._digests[name].update(data)
        self.counts[name] += len(values)

    def told(self) -> dict[str, Any]:
        digests = {name: digest.hexdigest() for name, digest in self._digests.items()}
        return {"version": 2, "counts": self.counts, "digests": digests, "tasks": list(self.tasks)}


@contextmanager
def _writing(folder: Path) -> Generator[_Written]:
    """Open the files of rows; what they hold is told last."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        file = _Written({name: stack.enter_context((folder / f"{name}.bin").open("wb")) for name in _ARRAYS})
        try:
            yield file
        except OSError as error:
            raise TrainError(
                "the rows could not be written", where=folder, got=error, mend="make room on the disk and run again"
            ) from error
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(file.told())) + b"\n")


def read(folder: Path) -> Rows:
    """Open rows that were written whole."""
    told = _told(folder)
    arrays: dict[str, Ints] = {}
    for name, dtype in _ARRAYS.items():
        path = folder / f"{name}.bin"
        size = told["counts"][name] * np.dtype(dtype).itemsize
        if not path.exists() or path.stat().st_size != size:
            raise _damaged(path, f"{size} bytes")
        # An empty file cannot be mapped.
        arrays[name] = np.memmap(path, dtype=dtype, mode="r") if size else np.zeros(0, dtype)  # pyright: ignore[reportArgumentType]
    return Rows(folder, arrays, tuple(told["tasks"]))


def digest(rows: Rows) -> str:
    """Return a hash of rows on disk; raises TrainError where a file is not what was written."""
    told = _told(rows.folder)
    for name, values in rows.arrays.items():
        if xxhash.xxh3_64_hexdigest(np.ascontiguousarray(values).data) != told["digests"][name]:
            raise _damaged(rows.folder / f"{name}.bin", "what was written")
    return xxhash.xxh3_64_hexdigest(msgspec.json.encode(told))


def _told(folder: Path) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], msgspec.json.decode((folder / FILE).read_bytes()))
    except FileNotFoundError as error:
        raise TrainError("no rows here", where=folder, expected=f"a folder with {FILE}") from error
    except msgspec.DecodeError as error:
        raise _damaged(folder / FILE, "what was written") from error


def _damaged(path: Path, expected: str) -> TrainError:
    return TrainError(
        "the rows are damaged",
        where=path,
        expected=expected,
        mend=f"remove {path.parent.parent}: they are then encoded again",
    )


def prepare(
    examples: Iterable[Example], encoder: Encoder, folder: Path, *, max_tokens: int
) -> tuple[Rows, list[Reject]]:
    """Encode examples into a folder; those that cannot be encoded, or are longer than `max_tokens`, are rejected."""
    rejects: list[Reject] = []

    def fitting() -> Iterator[Row]:
        for example in examples:
            try:
                made = encoder.encode(example)
            except TaiyiError as error:
                rejects.append(Reject(where=example.id, reason="cannot be encoded", detail=str(error)))
                continue
            if len(made.row.ids) > max_tokens:
                detail = f"{len(made.row.ids)} tokens, at most {max_tokens}"
                rejects.append(Reject(where=example.id, reason=TOO_LONG, detail=detail))
                continue
            for reason, mentions in ((LOST, made.lost), (WIDENED, made.widened)):
                if mentions:
                    detail = "; ".join(mention.text for mention in mentions)
                    rejects.append(Reject(where=example.id, reason=reason, detail=detail))
            yield made.row

    return write(fitting(), folder), rejects


def _check(row: Row, counted: int) -> None:
    if not counted:
        raise TrainError(
            "the row has no token to learn from",
            where=row.example,
            got=f"{len(row.targets)} targets, all forced" if row.targets else "no target",
            expected="an answer with at least one free token",
        )
    if len(row.ids) != len(row.positions) or len(row.targets) != len(row.choices):
        raise TrainError("the row's lists differ in length", where=row.example)
    if min(row.targets) < 1 or max(row.targets) >= len(row.ids):
        raise TrainError("a target lies outside the row", where=row.example, expected=f"1 to {len(row.ids) - 1}")
    for target, choices in zip(row.targets, row.choices, strict=True) if any(row.choices) else ():
        if choices and row.ids[target] not in choices:
            raise TrainError("a target is not among its own choices", where=f"{row.example}, token {target}")
