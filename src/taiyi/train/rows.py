"""Encoded rows on disk: flat arrays with offsets, memory-mapped, so that a stage of any size takes no memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

from taiyi.encoding import Encoder, Row
from taiyi.errors import TaiyiError, TrainError
from taiyi.schema import Example, Reject

Ints = npt.NDArray[np.signedinteger[Any]]

FILE = "rows.json"
# Offsets have one entry more than what they delimit. `names` are the ids of the examples in UTF-8.
_ARRAYS: dict[str, type[np.generic]] = {
    "ids": np.int32,
    "positions": np.int32,
    "row_offsets": np.int64,
    "targets": np.int32,
    "target_offsets": np.int64,
    "choices": np.int32,
    "choice_offsets": np.int64,
    "counted": np.int32,
    "names": np.uint8,
    "name_offsets": np.int64,
}
_FLUSH = 1 << 20
LOST = "mention lost inside a piece, row kept"
WIDENED = "mention widened to whole pieces, row kept"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as flat arrays; `rows[i]` is a Row again.

    Attributes:
        folder: where they are.
        arrays: the arrays by name; row i has tokens `row_offsets[i]` to `row_offsets[i + 1]`, and so on.
    """

    folder: Path
    arrays: dict[str, Ints]

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
    flat: dict[str, list[int]] = {name: [0] if name.endswith("_offsets") else [] for name in _ARRAYS}
    ends: dict[str, int] = dict.fromkeys(("row", "target", "choice", "name"), 0)
    with _writing(folder) as append:

        def flush() -> None:
            for name, values in flat.items():
                append(name, np.asarray(values, dtype=_ARRAYS[name]))
                values.clear()

        for row in rows:
            narrowed = any(row.choices)
            counted = sum(len(choices) != 1 for choices in row.choices) if narrowed else len(row.choices)
            _check(row, counted)
            name = row.example.encode()
            flat["ids"].extend(row.ids)
            flat["positions"].extend(row.positions)
            flat["targets"].extend(row.targets)
            flat["names"].extend(name)
            flat["counted"].append(counted)
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
            if len(flat["ids"]) > _FLUSH:
                flush()
        flush()
    return read(folder)


def join(parts: Sequence[Path], folder: Path) -> Rows:
    """Write the rows of several folders into one, in order: the same files as if they had been written at once."""
    with _writing(folder) as append:
        ends = dict.fromkeys(_ARRAYS, 0)
        for name in _ARRAYS:
            if name.endswith("_offsets"):
                append(name, np.zeros(1, dtype=_ARRAYS[name]))
        for part in parts:
            for name, values in read(part).arrays.items():
                if name.endswith("_offsets"):
                    append(name, values[1:] + ends[name])
                    ends[name] += int(values[-1])
                else:
                    append(name, values)
    return read(folder)


@contextmanager
def _writing(folder: Path) -> Generator[Callable[[str, npt.NDArray[Any]], None]]:
    """Open the files of rows; what they hold is told last."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    counts = dict.fromkeys(_ARRAYS, 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.bin").open("wb")) for name in _ARRAYS}

        def append(name: str, values: npt.NDArray[Any]) -> None:
            files[name].write(values.astype(_ARRAYS[name], copy=False).data)
            counts[name] += len(values)

        try:
            yield append
        except OSError as error:
            raise TrainError(
                "the rows could not be written", where=folder, got=error, mend="make room on the disk and run again"
            ) from error
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode({"version": 1, "counts": counts})) + b"\n")


def read(folder: Path) -> Rows:
    """Open rows that were written whole."""
    try:
        counts = cast(dict[str, int], msgspec.json.decode((folder / FILE).read_bytes())["counts"])
    except FileNotFoundError as error:
        raise TrainError("no rows here", where=folder, expected=f"a folder with {FILE}") from error
    arrays: dict[str, Ints] = {}
    for name, dtype in _ARRAYS.items():
        path = folder / f"{name}.bin"
        size = counts[name] * np.dtype(dtype).itemsize
        if not path.exists() or path.stat().st_size != size:
            raise TrainError(
                "the rows are damaged",
                where=path,
                expected=f"{size} bytes",
                mend=f"remove {folder}: they are then encoded again",
            )
        # An empty file cannot be mapped.
        arrays[name] = np.memmap(path, dtype=dtype, mode="r") if size else np.zeros(0, dtype)  # pyright: ignore[reportArgumentType]
    return Rows(folder, arrays)


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
                rejects.append(Reject(where=example.id, reason="longer than max_tokens", detail=detail))
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
