"""A run that is killed once in each step, and given again each time, ends with what an unbroken one ends with."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import tiny
from taiyi.manifest import hash_file
from taiyi.schema import Prediction
from taiyi.steps import predictions
from taiyi.storage import read_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Kill(NamedTuple):
    """Where a run is killed: in which step, at which file and at which of that name; what is left then."""

    step: str
    file: str
    nth: int
    left: tuple[str, ...]


KILLS = (
    Kill("data", "*/data-*/test-*.parquet.partial", 18, ("test-*.parquet", "*.partial")),
    Kill("tokenizer", "*/tokenizer-*/tokenizer/tokenizer_config.json", 1, ("tokenizer/tokenizer_config.json",)),
    Kill("rows-stage1", "*/rows-stage1-*/rows/rows.json", 1, ("rows/ids.bin", "rows/rows.json")),
    Kill("train-stage1", "*/state.pt", 2, ("checkpoints/step-00000004/state.pt", "checkpoints/*.partial/state.pt")),
    Kill("rows-stage2", "*/rows-stage2-*/work/*/targets.bin", 1, ("work/*/ids.bin", "work/*/targets.bin")),
    Kill("train-stage2", "*/model.partial/taiyi.json", 1, ("checkpoints/step-00000008/state.pt", "model.partial/*")),
    Kill("predictions", "*/demo_litcovid_tc.jsonl", 1, ("demo_cdr_ner.parquet", "demo_litcovid_tc.jsonl")),
    Kill("report", "*/report.html", 1, ("results.json", "report.html")),
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def unbroken(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing stopped."""
    runs = tmp_path_factory.mktemp("unbroken")
    done = tiny.taiyi("run", recipe, "--runs", runs)
    assert done.returncode == 0, done.stderr
    return runs / "tiny"


@pytest.fixture(scope="module")
def broken(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed in each of its steps."""
    runs = tmp_path_factory.mktemp("broken")
    for kill in KILLS:
        done = tiny.stopped(signal.SIGKILL, kill.file, kill.nth, "run", recipe, "--runs", runs)
        assert done.returncode == -signal.SIGKILL, done.stderr
        [folder] = (runs / "tiny").glob(f"{kill.step}-*")
        assert not (folder / "manifest.json").exists()
        assert all(any(folder.glob(name)) for name in kill.left), sorted(folder.rglob("*"))
    done = tiny.forked("run", recipe, "--runs", runs)
    assert done.returncode == 0, done.stderr
    return runs / "tiny"


def made(run: Path, step: str) -> dict[str, str]:
    """The files of a step with their hashes, without those that say how long something took."""
    timed = {"manifest.json", "loss.jsonl", "result.json"}
    [folder] = run.glob(f"{step}-*")
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name not in timed]
    return {str(path): hash_file(folder / path) for path in paths if path.parts[0] != "checkpoints"}


def lines(run: Path, name: str) -> list[dict[str, Any]]:
    """The lines of a file of a step, without the seconds."""
    [path] = run.glob(name)
    return [json.loads(line) | {"seconds": None} for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("step", ["data", "tokenizer", "rows-stage1", "train-stage1", "rows-stage2", "train-stage2"])
def test_the_same_files_are_made(unbroken: Path, broken: Path, step: str) -> None:
    assert made(broken, step) == made(unbroken, step)


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_the_same_losses_are_logged_once_each(unbroken: Path, broken: Path, stage: str) -> None:
    losses = lines(broken, f"train-{stage}-*/loss.jsonl")
    assert [line["step"] for line in losses] == list(range(1, 13))
    assert losses == lines(unbroken, f"train-{stage}-*/loss.jsonl")


def test_the_same_answers_are_given_once_each(unbroken: Path, broken: Path) -> None:
    def given(run: Path) -> dict[str, list[Prediction]]:
        [folder] = run.glob("predictions-*")
        # The files that answers went to while they were made are gone.
        assert {path.suffix for path in folder.iterdir()} == {".parquet", ".json"}
        return {
            path.stem: [msgspec.structs.replace(p, seconds=0.0) for p in predictions.read(folder, path.stem)]
            for path in sorted(folder.glob("*.parquet"))
        }

    answers = given(unbroken)
    assert len(answers) == 14
    assert given(broken) == answers


def test_the_same_scores_are_reported(unbroken: Path, broken: Path) -> None:
    def report(run: Path) -> dict[str, Any]:
        [path] = run.glob("report-*/results.json")
        return read_json(path, dict[str, Any]) | {"facts": None}

    assert report(broken) == report(unbroken)
    scores = {name: digest for name, digest in made(broken, "report").items() if name.startswith("scores-")}
    assert len(scores) == 14
    assert scores.items() <= made(unbroken, "report").items()


def test_nothing_half_written_is_left(unbroken: Path, broken: Path) -> None:
    assert not list(broken.rglob("*.partial"))
    assert sorted(path.name for path in broken.iterdir()) == sorted(path.name for path in unbroken.iterdir())


def test_a_finished_run_is_not_run_again(recipe: Path, unbroken: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in unbroken.rglob("*") if path.is_file() and path.name != "log.txt"
    }
    done = tiny.forked("run", recipe, "--runs", unbroken.parent)
    assert done.returncode == 0, done.stderr
    assert "begins" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
