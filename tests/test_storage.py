"""Files appear whole or not at all, and say which line is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from taiyi import storage
from taiyi.schema import Counts, Prediction, Score
from taiyi.storage import StorageError

PREDICTIONS = [Prediction(example=f"e{i}", text="病; x", finish="stop") for i in range(3)]


def interrupted(error: BaseException) -> Iterator[Prediction]:
    yield PREDICTIONS[0]
    raise error


@pytest.mark.parametrize("before", [False, True], ids=["no file yet", "a file before"])
@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_stops_in_the_middle_leaves_nothing_new(tmp_path: Path, error: BaseException, before: bool) -> None:
    for name in ("x.jsonl", "x.parquet"):
        path = tmp_path / name
        if before:
            path.write_text("old")
        expected = StorageError if isinstance(error, OSError) else type(error)
        with pytest.raises(expected):
            if name.endswith("jsonl"):
                storage.write_jsonl(interrupted(error), path)
            else:
                storage.write_parquet(interrupted(error), path, Prediction)
        assert [p.name for p in tmp_path.iterdir()] == ([name] if before else [])
        assert not before or path.read_text() == "old"
        path.unlink(missing_ok=True)


def test_a_full_disk_is_said_with_the_file_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "x.json"
    with pytest.raises(
        StorageError, match=r"x\.json: cannot be written; got No space left on device\. Free some space"
    ):
        storage.write_json({}, path)
    assert not list(tmp_path.iterdir())


def test_folders_are_made_and_values_counted(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.jsonl"
    assert storage.write_jsonl(iter(PREDICTIONS), path) == 3
    assert path.read_text("utf-8").splitlines()[0] == '{"example":"e0","text":"病; x","finish":"stop"}'
    assert storage.write_parquet(iter([]), tmp_path / "x.parquet", Prediction) == 0
    assert list(storage.read_parquet(tmp_path / "x.parquet", Prediction)) == []


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"example":"e"}', '{"example":1,"text":"","finish":"stop"}', "", '{"other":1}']
)
def test_the_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    storage.write_jsonl(PREDICTIONS, path)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    values = storage.read_jsonl(path, Prediction)
    assert [next(values) for _ in PREDICTIONS] == PREDICTIONS
    with pytest.raises(StorageError, match=r"x\.jsonl:4: not what it should hold"):
        next(values)


def test_json_comes_back_and_what_is_not_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    score = Score(record="r", counts={"病": Counts(tp=1)})
    storage.write_json(score, path)
    assert storage.read_json(path, Score) == score
    path.write_text("{")
    with pytest.raises(StorageError, match=r"x\.json: not what it should hold"):
        storage.read_json(path, Score)


def test_what_is_not_the_parquet_that_was_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(StorageError, match=r"x\.parquet: not what it should hold"):
        list(storage.read_parquet(path, Prediction))
    storage.write_parquet([Score(record="r")], path, Score)
    with pytest.raises(StorageError, match=r"x\.parquet"):
        list(storage.read_parquet(path, Prediction))


def test_more_rows_than_a_group_come_back_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_ROWS_PER_GROUP", 2)
    values = [Prediction(example=str(i), text="", finish="length") for i in range(5)]
    assert storage.write_parquet(values, tmp_path / "x.parquet", Prediction) == 5
    assert list(storage.read_parquet(tmp_path / "x.parquet", Prediction)) == values


class Older(msgspec.Struct, frozen=True):
    name: str
    size: int


class Newer(msgspec.Struct, frozen=True):
    name: str
    size: int = 7
    tags: dict[str, int] = {}
    note: str = "none"


def test_a_field_that_an_older_file_does_not_have_is_left_to_its_default(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    storage.write_parquet([Older("a", 1), Older("b", 2)], path, Older)
    newer = [Newer("a", 1), Newer("b", 2)]
    assert list(storage.read_parquet(path, Newer)) == newer
    assert list(storage.read_rows(path, Newer, [1])) == newer[1:]
    # What is there is read, and what has no default is missed.
    storage.write_parquet([Newer("a", 1, {"x": 2}, "some")], path, Newer)
    assert list(storage.read_parquet(path, Newer)) == [Newer("a", 1, {"x": 2}, "some")]
    storage.write_parquet([Score(record="r")], path, Score)
    with pytest.raises(StorageError, match=r"x\.parquet: not what it should hold; got .*name"):
        list(storage.read_parquet(path, Newer))
