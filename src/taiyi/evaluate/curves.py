"""Curves of the training of a stage: read from its logs, smoothed, and thinned to what a plot can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import regex

MOST_POINTS = 400
"""How many points of a curve are kept."""

Points = Sequence[tuple[int, float]]
"""Steps with a value each, in their order."""


class Curve(msgspec.Struct, frozen=True):
    """A number over the steps of a stage; `name` is that of a measure, such as `loss`, `loss/ner` or `margin`."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


class DevPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The scores on the dev sample after a step, from 0 to 1: the mean, and those of the tasks."""

    step: int
    score: float
    tasks: dict[str, float]


class StageCurves(msgspec.Struct, frozen=True, kw_only=True):
    """How a stage was trained.

    Attributes:
        name: of the stage.
        kind: of the stage: `sft`, `cpt`, `dpo` or `grpo`.
        kept: the step whose model was kept; None where that is not known.
        raw: numbers of the whole stage as they were measured: of each stretch of steps the lowest and the highest.
        smooth: all numbers, smoothed.
        dev: the evaluations on the dev sample.
    """

    name: str
    kind: str = "sft"
    kept: int | None = None
    raw: tuple[Curve, ...] = ()
    smooth: tuple[Curve, ...] = ()
    dev: tuple[DevPoint, ...] = ()


class _Line(msgspec.Struct, frozen=True):
    """What is drawn of a line of the loss log."""

    step: int
    loss: float
    measures: dict[str, float] = {}


class Smooth:
    """A running mean in which a value counts the less the more steps lie after it, without a bias to 0 at the start.

    `span` is over how many steps it goes, about: what is older weighs an eighth of the whole.
    """

    def __init__(self, span: float) -> None:
        self._keep = 1 - 2 / (span + 1)
        self._sum = self._weight = 0.0
        self._step: int | None = None

    def add(self, step: int, value: float) -> float:
        """Take in the value of a step and return the mean."""
        kept = self._keep ** (step - self._step) if self._step is not None else 0.0
        self._sum, self._weight, self._step = self._sum * kept + value, self._weight * kept + 1, step
        return self.value

    @property
    def value(self) -> float:
        return self._sum / self._weight


def read(folder: Path, *, name: str, kind: str = "sft", kept: int | None = None) -> StageCurves:
    """Read the curves of a stage from `loss.jsonl` and `dev.jsonl` in the folder of its training."""
    decoder = msgspec.json.Decoder(_Line)
    with (folder / "loss.jsonl").open("rb") as file:
        lines = [decoder.decode(line) for line in file]
    dev = folder / "dev.jsonl"
    evaluated = dev.read_bytes().splitlines() if dev.exists() else []
    scores = [msgspec.json.decode(line, type=DevPoint) for line in evaluated]
    measured: dict[str, list[tuple[int, float]]] = {"loss": [(line.step, line.loss) for line in lines]}
    for line in lines:
        by_group: dict[str, list[float]] = {}
        for measure, value in line.measures.items():
            measured.setdefault(measure, []).append((line.step, value))
            by_group.setdefault(group(measure), []).append(value)
        for whole, values in by_group.items():
            # Of rewards only those of the tasks are logged.
            if whole != "loss" and whole not in line.measures:
                measured.setdefault(whole, []).append((line.step, sum(values) / len(values)))
    return of_measures(measured, name=name, kind=kind, kept=kept, dev=scores)


def of_measures(
    measured: dict[str, list[tuple[int, float]]],
    *,
    name: str,
    kind: str = "sft",
    kept: int | None = None,
    dev: Iterable[DevPoint] = (),
) -> StageCurves:
    """Return the curves of what was measured in the steps of a stage, by the names of the measures."""
    last = max((points[-1][0] for points in measured.values() if points), default=0)
    # A share of the stage, as wide on the page however many steps there are.
    span = max(20.0, last / 40)
    return StageCurves(
        name=name,
        kind=kind,
        kept=kept,
        raw=tuple(_curve(key, extremes(points)) for key, points in measured.items() if key == group(key) and points),
        smooth=tuple(_curve(key, thinned(smoothed(points, span))) for key, points in measured.items() if points),
        dev=tuple(dev),
    )


def group(measure: str) -> str:
    """Return what a measure is of whatever task: `loss` of `loss/ner`."""
    return measure.partition("/")[0]


def task(name: str) -> str:
    """Return the task of a dev score, which is by task and language, or of a measure."""
    return regex.split(r"[/ (:]", name, maxsplit=1)[0]


def smoothed(points: Points, span: float) -> list[tuple[int, float]]:
    mean = Smooth(span)
    return [(step, mean.add(step, value)) for step, value in points]


def extremes(points: Points, most: int = MOST_POINTS) -> list[tuple[int, float]]:
    """Keep at most so many points: of equal stretches the lowest and the highest, so that no spike is lost."""
    if len(points) <= most:
        return list(points)
    bounds = np.linspace(0, len(points), most // 2 + 1).astype(int).tolist()
    kept: set[int] = set()
    for begin, end in pairwise(bounds):
        places = range(begin, end)
        kept |= {min(places, key=lambda i: points[i][1]), max(places, key=lambda i: points[i][1])}
    return [points[i] for i in sorted(kept)]


def thinned(points: Points, most: int = MOST_POINTS // 2) -> list[tuple[int, float]]:
    """Keep at most so many points at equal distances, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[i] for i in np.linspace(0, len(points) - 1, most).round().astype(int).tolist()]


def _curve(name: str, points: Points) -> Curve:
    # Five digits are more than a plot shows.
    return Curve(name, tuple(step for step, _ in points), tuple(float(f"{value:.5g}") for _, value in points))
