"""A person's choice among the models of a stage, beside what its scores on the dev sample say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taiyi import storage
from taiyi.errors import TaiyiError
from taiyi.manifest import MANIFEST, finished, manifest
from taiyi.recipe_stages import Stage

if TYPE_CHECKING:
    from taiyi.steps.run import Run
    from taiyi.train.selection import DevScore

FILE = "choice.json"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen.

    Attributes:
        step: the step whose model it is.
        why: in the words of who chose.
        when: in UTC.
    """

    step: int
    why: str = ""
    when: str = ""


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """The models that a stage kept.

    Attributes:
        folder: of the stage's training.
        steps: their steps, the earliest first, each with the folder of its model below that.
        kept: the step of the model that the stage leaves if nobody chooses.
        scores: the evaluations on the dev sample.
        choice: what was chosen before.
    """

    folder: Path
    steps: dict[int, str]
    kept: int
    scores: list[DevScore]
    choice: Choice | None = None


def chosen(run: Run, folder: Path, stage: Stage) -> str:
    """Return the folder of the model that a stage leaves, below that of its training.

    Raises:
        TaiyiError: the recipe wants a person to choose, and nobody has.
    """
    if stage.dev is None:
        return "model"
    there = _read(folder)
    if there.choice is not None:
        return there.steps[there.choice.step]
    if stage.dev.choose == "person":
        raise TaiyiError(
            "a person is to choose the model of this stage before the run goes on",
            where=f"stage {stage.name}",
            got=f"candidates after steps {', '.join(map(str, there.steps))}; answers in {folder / 'answers'}",
            mend=f"choose one: taiyi train choose {folder} {stage.name} --step N",
        )
    return "model"


def candidates(run: Path, stage: str) -> Candidates:
    """Return the models that a stage of a run kept: in its last training, or in that whose folder is given.

    Raises:
        TaiyiError: the run has no such stage, or it was not evaluated during training.
    """
    found = [(run, manifest(run))] if (run / MANIFEST).exists() else finished(run, f"train-{stage}")
    exact = [folder for folder, made in found if made.step == f"train-{stage}"]
    if not exact:
        names = sorted({made.step.removeprefix("train-") for _, made in finished(run, "train")})
        raise TaiyiError(
            "the run has no such stage that was trained", where=run, got=stage, expected=", ".join(names) or "a run"
        )
    if not (exact[-1] / "dev.jsonl").exists():
        raise TaiyiError(
            "the stage was not evaluated during training, so there is one model",
            where=exact[-1],
            mend="give the stage `dev:` settings in the recipe",
        )
    return _read(exact[-1])


def choose(run: Path, stage: str, step: int, why: str = "") -> Candidates:
    """Choose a model of a stage: stages that begin from it, and the run, take it from now on.

    Raises:
        TaiyiError: there is no model of this step.
    """
    there = candidates(run, stage)
    if step not in there.steps:
        raise TaiyiError(
            "no model of this step was kept", where=there.folder, got=step, expected=", ".join(map(str, there.steps))
        )
    made = Choice(step=step, why=why, when=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    storage.write_json(made, there.folder / FILE)
    return msgspec.structs.replace(there, choice=made)


def _read(folder: Path) -> Candidates:
    from taiyi.train.selection import CANDIDATES, LOG, DevScore

    kept = int(storage.read_json(folder / "result.json", dict[str, object])["kept"])  # pyright: ignore[reportArgumentType]
    steps = {kept: "model"}
    for path in (folder / CANDIDATES).glob("step-*"):
        steps.setdefault(int(path.name.removeprefix("step-")), f"{CANDIDATES}/{path.name}")
    path = folder / FILE
    return Candidates(
        folder=folder,
        steps=dict(sorted(steps.items())),
        kept=kept,
        scores=list(storage.read_jsonl(folder / LOG, DevScore)),
        choice=storage.read_json(path, Choice) if path.exists() else None,
    )
