"""Trackers: what they are told, once, and that a training does not depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import accelerate.tracking
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from taiyi.errors import TrainError
from taiyi.train import tracking
from taiyi.train.loop import Step
from taiyi.train.selection import DevScore
from taiyi.train.tracking import Tracking


def made(number: int) -> Step:
    return Step(
        step=number,
        steps=20,
        epoch=0,
        loss=1 / number,
        lr=1e-3,
        grad_norm=0.5,
        tokens=100 * number,
        seconds=0.5 * number,
        measures={"loss/ner": 2.0 / number},
    )


def evaluated(number: int) -> DevScore:
    return DevScore(step=number, score=number / 20, tasks={"ner/en": number / 40}, num_answers=8, num_unparsable=2)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "train-one-0123456789ab"
    folder.mkdir(parents=True)
    return folder


def events(stage: Path) -> EventAccumulator:
    found = EventAccumulator(str(stage.parent / tracking.FOLDER / stage.name), size_guidance={"scalars": 0})
    found.Reload()
    return found


def values(stage: Path, name: str) -> dict[int, float]:
    scalars = events(stage).Scalars(name)
    assert len({scalar.step for scalar in scalars}) == len(scalars)
    return {scalar.step: scalar.value for scalar in scalars}


def told(stage: Path, begin: int, end: int, said: list[str], track: Any = ("tensorboard",)) -> None:
    with Tracking(track, stage, said.append) as trackers:
        for number in range(begin, end + 1):
            trackers.step(made(number))
            if number % 5 == 0:
                trackers.dev(evaluated(number))


def test_all_that_is_measured_is_read_back(stage: Path) -> None:
    told(stage, 1, 10, said := [])
    assert not said
    assert values(stage, "loss") == pytest.approx({n: 1 / n for n in range(1, 11)})
    assert values(stage, "loss/ner")[10] == pytest.approx(0.2)
    assert values(stage, "lr")[3] == pytest.approx(1e-3)
    assert values(stage, "grad_norm")[3] == pytest.approx(0.5)
    assert values(stage, "tokens_per_second") == pytest.approx(dict.fromkeys(range(2, 11), 200))
    assert values(stage, "dev/score") == pytest.approx({5: 0.25, 10: 0.5})
    assert values(stage, "dev/ner/en") == pytest.approx({5: 0.125, 10: 0.25})
    assert values(stage, "dev/unparsable")[5] == pytest.approx(0.25)
    # What differs in every run is not among the files of the stage.
    assert not list(stage.iterdir())


def test_a_resumed_training_shows_no_step_twice(stage: Path) -> None:
    told(stage, 1, 12, said := [])
    told(stage, 9, 20, said)
    assert not said
    assert list(values(stage, "loss")) == list(range(1, 21))
    assert list(values(stage, "dev/score")) == [5, 10, 15, 20]


def test_only_the_first_process_logs(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    told(stage, 1, 3, [])
    assert not (stage.parent / tracking.FOLDER).exists()


def test_without_trackers_nothing_is_written(stage: Path) -> None:
    told(stage, 1, 3, [], track=())
    assert not (stage.parent / tracking.FOLDER).exists()


def test_a_tracker_that_is_missing_is_named_before_training(
    stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folder that W&B leaves where it runs does not pass for the package.
    (tmp_path / "absent_tracker").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    name: Any = "absent_tracker"
    with pytest.raises(TrainError, match="pip install absent_tracker"):
        Tracking(("tensorboard", name), stage, print)


class Recorder(accelerate.tracking.GeneralTracker):
    """Stands for a tracker with a server: it knows its runs by ids, and keeps every value that it is sent."""

    name = "recorder"
    requires_logging_directory = False
    runs: list[dict[str, Any]]

    def __init__(self, run_name: str, **settings: Any) -> None:
        super().__init__()
        self.runs.append({"project": run_name, **settings, "steps": []})
        self.id = settings.get("id") or f"id{len(self.runs)}"
        self.starting_step = 1 + max((s for run in self.runs for s in run["steps"]), default=0)

    @property
    def tracker(self) -> Recorder:
        return self

    def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
        if "loss" in values:
            self.runs[-1]["steps"].append(step)
            if step == 15:
                raise ConnectionError("the server is gone")


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    Recorder.runs = []
    monkeypatch.setattr(accelerate.tracking, "WandBTracker", Recorder)
    monkeypatch.setattr(tracking, "check", lambda track: None)
    return Recorder.runs


def test_a_server_is_told_of_a_step_once_and_under_one_id(stage: Path, recorder: list[dict[str, Any]]) -> None:
    told(stage, 1, 8, said := [], track=("wandb",))
    told(stage, 5, 12, said, track=("wandb",))
    assert not said
    first, second = recorder
    assert (first["project"], first["name"]) == ("run", stage.name)
    assert "id" not in first
    assert second["id"] == "id1"
    assert first["steps"] + second["steps"] == list(range(1, 13))


def test_a_training_from_its_beginning_is_a_run_of_its_own(stage: Path, recorder: list[dict[str, Any]]) -> None:
    told(stage, 1, 3, [], track=("wandb",))
    told(stage, 1, 4, [], track=("wandb",))
    assert "id" not in recorder[1]


def test_a_tracker_that_fails_is_left_out_and_the_others_go_on(stage: Path, recorder: list[dict[str, Any]]) -> None:
    told(stage, 10, 20, said := [], track=("wandb", "tensorboard"))
    assert said == ["wandb is left out from here on: ConnectionError: the server is gone"]
    assert recorder[0]["steps"] == [10, 11, 12, 13, 14, 15]
    assert list(values(stage, "loss")) == list(range(10, 21))


@pytest.mark.parametrize("where", ["__init__", "start"])
def test_a_tracker_that_cannot_begin_is_left_out_and_the_others_go_on(
    where: str, stage: Path, recorder: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError("no key")

    monkeypatch.setattr(Recorder, where, fail)
    told(stage, 1, 5, said := [], track=("wandb", "tensorboard"))
    assert said == ["wandb is left out from here on: PermissionError: no key"]
    assert list(values(stage, "loss")) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("held", [b"", b'{"wandb": "id', b"[1]", b'{"wandb": 3}', b"\xff"])
def test_ids_that_cannot_be_read_begin_a_new_run(held: bytes, stage: Path, recorder: list[dict[str, Any]]) -> None:
    told(stage, 1, 3, said := [], track=("wandb",))
    ids = stage.parent / tracking.FOLDER / stage.name / "ids.json"
    ids.write_bytes(held)
    told(stage, 2, 5, said, track=("wandb",))
    assert len(said) == 1 and str(ids) in said[0]
    assert "id" not in recorder[1] and recorder[1]["steps"] == [2, 3, 4, 5]
    told(stage, 5, 6, said, track=("wandb",))
    assert recorder[2]["id"] == "id2" and len(said) == 1


def test_ids_are_written_whole_or_not_at_all(
    stage: Path, recorder: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(stage, 1, 3, said := [], track=("wandb",))
    ids = stage.parent / tracking.FOLDER / stage.name / "ids.json"
    before = ids.read_bytes()

    def cut(path: Path, target: Path) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        told(stage, 1, 2, said, track=("wandb",))
    assert ids.read_bytes() == before and len(said) == 1
