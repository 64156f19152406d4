"""Trackers of experiments: what each step and each evaluation of a stage measured, for TensorBoard, MLflow or W&B.

They stand beside a run and are no part of what it makes: what they write lies outside of the folders of steps, and one
that fails is left out and does not stop a training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from taiyi.errors import TrainError
from taiyi.train.launch import is_main

if TYPE_CHECKING:
    from accelerate.tracking import GeneralTracker

    from taiyi.train.loop import Step
    from taiyi.train.selection import DevScore

Tracker = Literal["tensorboard", "mlflow", "wandb"]

FOLDER = "tracking"
"""Where a run has what trackers write, a folder for each stage; `tensorboard --logdir` takes it as it is."""


def check(track: Sequence[Tracker]) -> None:
    """Raise TrainError where a tracker is not installed."""
    for name in track:
        found = find_spec(name)
        # A mere folder of this name, such as W&B makes where it runs, has no origin.
        if found is None or found.origin is None:
            raise TrainError(
                "the tracker is not installed",
                where="track",
                got=name,
                mend=f"install it with `pip install {name}`, or take it out of `track`",
            )


class Tracking:
    """The trackers of a stage; in processes other than the first it does nothing.

    A run that goes on after an interruption goes on in the same logs, and steps that are made again stand there once.
    """

    def __init__(self, track: Sequence[Tracker], stage: Path, say: Callable[[str], None]) -> None:
        """`stage` is the folder of its training, in that of the run; `say` is told what trackers fail to do.

        Raises:
            TrainError: a tracker is not installed.
        """

        check(track)
        self._names = list(dict.fromkeys(track)) if is_main() else []
        self._folder, self._stage, self._run, self._say = stage.parent / FOLDER, stage.name, stage.parent.name, say
        self._trackers: dict[Tracker, GeneralTracker] | None = None
        self._known: dict[str, str] = {}
        self._logged: dict[tuple[Tracker, str], int] = {}
        self._last: Step | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for name, tracker in list((self._trackers or {}).items()):
            self._try(name, tracker.finish)

    def step(self, done: Step) -> None:
        """Log what a step measured."""
        values = {"loss": done.loss, "lr": done.lr, "grad_norm": done.grad_norm, "epoch": done.epoch, **done.measures}
        before = self._last
        if before is not None and done.seconds > before.seconds:
            values["tokens_per_second"] = (done.tokens - before.tokens) / (done.seconds - before.seconds)
        self._last = done
        self._log("loss", values, done.step)

    def dev(self, found: DevScore) -> None:
        """Log the scores of an evaluation."""
        values = {"dev/score": found.score, **{f"dev/{task}": score for task, score in found.tasks.items()}}
        if found.num_answers:
            values["dev/unparsable"] = found.num_unparsable / found.num_answers
        self._log("dev/score", values, found.step)

    def _log(self, main: str, values: dict[str, float], step: int) -> None:
        """Log values, of which `main` is always there."""
        if self._trackers is None:
            self._start(step)
        for name, tracker in list((self._trackers or {}).items()):
            if step > self._logged.get((name, main), 0):
                self._try(name, partial(tracker.log, values, step=step))

    def _try(self, name: Tracker, what: Callable[[], object]) -> None:
        """Do something with a tracker; without it from then on if that fails."""
        assert self._trackers is not None
        try:
            what()
        except Exception as error:  # Servers and their clients fail in ways that cannot be listed.
            self._trackers.pop(name, None)
            self._say(f"{name} is left out from here on: {type(error).__name__}: {error}")

    def _start(self, step: int) -> None:
        """Start the trackers, at the first step that this process makes: what they know of it and later is void."""
        from taiyi.train.world import world

        world()  # accelerate's trackers ask it which process this is
        self._trackers, self._known = {}, self._read() if step > 1 else {}
        for name in self._names:
            self._try(name, partial(self._start_one, self._trackers, name, step))

    def _start_one(self, started: dict[Tracker, GeneralTracker], name: Tracker, step: int) -> None:
        make = {"tensorboard": self._tensorboard, "mlflow": self._mlflow, "wandb": self._wandb}
        tracker = make[name](step)
        tracker.start()
        self._remember(name, tracker)
        started[name] = tracker

    def _tensorboard(self, step: int) -> GeneralTracker:
        from accelerate.tracking import TensorBoardTracker

        return TensorBoardTracker(self._stage, self._folder, purge_step=step, flush_secs=30)

    def _mlflow(self, step: int) -> GeneralTracker:
        from accelerate.tracking import MLflowTracker

        return MLflowTracker(self._run, run_id=self._known.get("mlflow"), run_name=self._stage)

    def _wandb(self, step: int) -> GeneralTracker:
        from accelerate.tracking import WandBTracker

        known = self._known.get("wandb")
        more = {"id": known, "resume": "allow"} if known else {}
        return WandBTracker(self._run, name=self._stage, dir=str(self._folder), **more)

    @property
    def _ids(self) -> Path:
        return self._folder / self._stage / "ids.json"

    def _read(self) -> dict[str, str]:
        """Return under which ids trackers have the steps before; none where it cannot be read: they begin anew."""
        try:
            return msgspec.json.decode(self._ids.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            self._say(f"trackers begin anew: {self._ids} cannot be read: {error}")
            return {}

    def _remember(self, name: Tracker, tracker: Any) -> None:
        """Write down under which id a tracker has this stage, and see what it has of it: both would take it twice."""
        if name == "tensorboard":
            return
        from taiyi.train.state import save_file

        held = tracker.tracker
        found = held.info.run_id if name == "mlflow" else held.id
        if found == self._known.get(name):
            for main in ("loss", "dev/score"):
                # W&B goes on after the last step that it has.
                last = _last_in_mlflow(found, main) if name == "mlflow" else held.starting_step - 1
                self._logged[name, main] = last
        self._known[name] = found
        self._ids.parent.mkdir(parents=True, exist_ok=True)
        save_file(self._ids, lambda file: file.write(msgspec.json.encode(self._known)))


def _last_in_mlflow(run: str, name: str) -> int:
    """Return the last step of a metric that MLflow has of a run."""
    import mlflow  # pyright: ignore[reportMissingImports]

    return max((metric.step for metric in mlflow.MlflowClient().get_metric_history(run, name)), default=0)
