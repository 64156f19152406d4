"""Evaluations on a dev sample: when they end a stage, which model it leaves, and that an interruption changes neither.

The scores are given, not found: each case says of each evaluation what it comes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import world_driver as driver
from taiyi import storage
from taiyi.checkpoint import Checkpoint
from taiyi.train.loop import Hooks, Step, TrainResult, train
from taiyi.train.rows import read
from taiyi.train.selection import DevScore, Selection
from taiyi.train.settings import StageSettings

STEPS = 12
EVERY = 2


class Stopped(Exception):
    pass


class Tried(NamedTuple):
    """What came of a stage (None where it was stopped), and the weights that were evaluated, by their step."""

    result: TrainResult | None
    seen: dict[int, dict[str, Tensor]]


def tried(out: Path, scores: Sequence[float], *, stop: int | None = None, save: int | None = None, **dev: Any) -> Tried:
    """Train for up to 12 steps, with an evaluation after each two; `stop` is the step after which it is interrupted."""
    settings = StageSettings.model_validate(
        driver.SETTINGS
        | {"epochs": 6, "accumulation": 1, "max_steps": STEPS, "save_every_steps": save, "save_every_minutes": None}
        | {"dev": {"every_steps": EVERY} | dev}
    )
    seen: dict[int, dict[str, Tensor]] = {}

    def score(learner: Any, step: int) -> DevScore:
        seen[step] = {name: weight.clone() for name, weight in learner.state_dict().items()}
        return DevScore(step=step, score=scores[step // EVERY - 1], tasks={}, num_answers=1, num_unparsable=0)

    def progress(step: Step) -> None:
        if step.step == stop:
            raise Stopped

    driver.write(out)
    hooks = Hooks(dev=score, progress=progress)
    try:
        made = train(
            read(out / "rows"), out, settings, driver.model(settings), driver.tokenizer(), Checkpoint(), hooks=hooks
        )
        return Tried(made, seen)
    except Stopped:
        return Tried(None, seen)


def is_model_of(folder: Path, seen: dict[str, Tensor]) -> bool:
    weights = load_file(folder / "model.safetensors")
    return bool(weights) and all(torch.equal(weight, seen[name]) for name, weight in weights.items())


def candidates(out: Path) -> list[int]:
    return sorted(int(folder.name.removeprefix("step-")) for folder in (out / "candidates").iterdir())


@pytest.mark.parametrize(
    ("scores", "dev", "steps", "kept", "beside"),
    [
        # No better twice in a row.
        ([0.1, 0.3, 0.2, 0.2, 0.9, 0.9], {"patience": 2}, 8, 4, [4, 8]),
        # As good is no better, and of equal ones the first is kept.
        ([0.3, 0.3, 0.1, 0.3, 0.9, 0.9], {"patience": 3}, 8, 2, [2, 8]),
        # Better than the one before is not better than the best.
        ([0.5, 0.1, 0.4, 0.9, 0.9, 0.9], {"patience": 2}, 6, 2, [2, 6]),
        # A new best begins the count anew.
        ([0.3, 0.2, 0.4, 0.3, 0.2, 0.9], {"patience": 2}, 10, 6, [6, 10]),
        ([0.3, 0.2, 0.9, 0.9, 0.9, 0.9], {"patience": 1}, 4, 2, [2, 4]),
        # The last may be the best.
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], {"patience": 1}, 12, 12, [12]),
        ([0.6, 0.5, 0.4, 0.3, 0.2, 0.1], {}, 12, 2, [2, 12]),
        ([0.6, 0.5, 0.4, 0.5, 0.2, 0.1], {"candidates": 3}, 12, 2, [2, 4, 8, 12]),
        ([0.6, 0.5, 0.4, 0.3, 0.2, 0.1], {"keep": "last"}, 12, 12, [2]),
        ([0.1, 0.3, 0.2, 0.2, 0.9, 0.9], {"keep": "last", "patience": 2}, 8, 8, [4]),
    ],
)
def test_scores_say_when_a_stage_ends_and_which_model_it_leaves(
    scores: list[float], dev: dict[str, Any], steps: int, kept: int, beside: list[int], tmp_path: Path
) -> None:
    result, seen = tried(tmp_path, scores, **dev)
    assert result is not None
    assert (result.steps, result.kept, len(result.losses)) == (steps, kept, steps)
    assert [*seen] == [*range(EVERY, steps + 1, EVERY)]
    assert [line.step for line in storage.read_jsonl(tmp_path / "dev.jsonl", DevScore)] == [*seen]
    # It is that model alone: each step changes the weights.
    assert [step for step in seen if is_model_of(tmp_path / "model", seen[step])] == [kept]
    assert candidates(tmp_path) == beside
    for step in beside:
        assert is_model_of(tmp_path / "candidates" / f"step-{step:08d}", seen[step])


@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize("stop", [5, 7, 8])
def test_an_interrupted_stage_ends_where_it_would_have(stop: int, keep: str, tmp_path: Path) -> None:
    """The evaluations before the interruption count: the best of them, and how many were no better."""
    scores = [0.1, 0.3, 0.2, 0.2, 0.9, 0.9]
    whole, _ = tried(tmp_path / "whole", scores, keep=keep, patience=2)
    assert whole is not None and whole.steps == 8
    assert tried(tmp_path / "broken", scores, stop=stop, save=5, keep=keep, patience=2).result is None
    resumed, seen = tried(tmp_path / "broken", scores, save=5, keep=keep, patience=2)
    # What came before the checkpoint is not evaluated again.
    assert [*seen] == ([6, 8] if stop > 5 else [2, 4, 6, 8])
    assert resumed is not None and msgspec.structs.replace(resumed, seconds=0) == msgspec.structs.replace(
        whole, seconds=0
    )
    for name in ("model/model.safetensors", "dev.jsonl"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert candidates(tmp_path / "broken") == candidates(tmp_path / "whole")


def test_a_stage_that_had_ended_early_takes_no_further_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed after the last checkpoint, which was made as it stopped, and before its model is written."""
    scores = [0.3, 0.2, 0.9, 0.9, 0.9, 0.9]

    def dies(self: Selection, step: int) -> int:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(Selection, "finish", dies)
        assert tried(tmp_path, scores, save=4, patience=1).result is None
    result, seen = tried(tmp_path, scores, save=4, patience=1)
    assert result is not None and (result.steps, result.kept, seen) == (4, 2, {})
    assert [line.step for line in storage.read_jsonl(tmp_path / "loss.jsonl", Step)] == [1, 2, 3, 4]
