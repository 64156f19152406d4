"""The view of a training: what stands on a terminal, and what is said where there is none."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from taiyi.manifest import Log
from taiyi.recipe import Recipe
from taiyi.recipe_stages import Stage
from taiyi.steps.run import Run
from taiyi.steps.watching import Watching
from taiyi.train.loop import Step
from taiyi.train.selection import DevScore

STEPS = 200
TASKS = ("ner", "re", "tc", "qa_mc", "qa_cqa", "mrd")


def made(number: int, seconds: float | None = None, **measures: float) -> Step:
    return Step(
        step=number,
        steps=STEPS,
        epoch=number // 100,
        loss=2.0,
        lr=2e-4,
        grad_norm=1,
        tokens=1000 * number,
        seconds=0.5 * number if seconds is None else seconds,
        measures=measures or {f"loss/{task}": 1.5 + n / 10 for n, task in enumerate(TASKS)},
    )


def evaluated(number: int, ner: float, re: float) -> DevScore:
    score = (ner + re) / 2
    return DevScore(step=number, score=score, tasks={"ner/en": ner, "re/zh": re}, num_answers=9, num_unparsable=0)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    def make(*, terminal: bool, quiet: bool = False) -> Run:
        console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None, quiet=quiet)
        recipe = Recipe(name="r", base="org/model", track=())
        return Run(recipe, tmp_path / "run", tmp_path, Log(tmp_path / "run", console, quiet=quiet))

    return make


def watching(run: Run, clock: Callable[[], float] = lambda: 0.0) -> Watching:
    stage = Stage.model_construct(name="stage1")
    return Watching(run, stage, run.folder / "train-stage1-0", clock=clock)


def shown(view: Watching) -> str:
    console = Console(file=io.StringIO(), record=True, width=100, color_system=None)
    console.print(view._view())
    return console.export_text()


def written(run: Run) -> list[str]:
    """What the log of the run has, without the time."""
    path = run.folder / "log.txt"
    return [line[20:] for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_the_view_has_pace_loss_and_scores_of_each_task(run: Callable[..., Run]) -> None:
    view = watching(run(terminal=True))
    assert "the first step" in shown(view)
    for number in range(1, 101):
        view.step(made(number))
        if number in (50, 75, 100):
            view.dev(evaluated(number, ner=0.5 + (number == 75) / 10, re=0.002 * number))
    lines = [" ".join(line.split()) for line in shown(view).splitlines()]
    assert lines[0].startswith("training stage1 ")
    assert lines[0].endswith("step 100 of 200, epoch 2")
    assert "━" in lines[0]
    assert lines[1] == "loss 2.000, learning rate 2.0e-04, 2,000 tokens/s, 50 s left"
    assert lines[2] == "task loss dev, step 100 score best, step 75"
    assert lines[3] == "ner 1.500 ner/en 50.0 ▼10.0 60.0"
    assert lines[4] == "re 1.600 re/zh 20.0 ▲5.0 15.0"
    assert lines[5] == "tc 1.700 mean 35.0 ▼2.5 37.5"
    assert lines[8] == "mrd 2.000"


def test_the_pace_is_that_of_the_last_steps(run: Callable[..., Run]) -> None:
    view = watching(run(terminal=True))
    for number in range(1, 61):
        view.step(made(number, seconds=max(number, 10 * number - 270)))
    assert " 100 tokens/s, 23 min left" in shown(view)


def test_time_that_is_left_counts_the_evaluations(run: Callable[..., Run]) -> None:
    view = watching(run(terminal=True))
    for number in range(1, 61):
        view.step(made(number))
        if number == 60:
            view.dev(msgspec.structs.replace(evaluated(60, ner=0.5, re=0.5), seconds=1000.0))
    # 140 steps of half a second, and evaluations after 120, 180 and 200 steps.
    assert " 51 min left" in shown(view)


def test_a_training_that_goes_on_has_its_own_pace(run: Callable[..., Run]) -> None:
    view = watching(run(terminal=True))
    view.step(made(101, seconds=10))
    assert "tokens/s" not in shown(view)
    view.step(made(102, seconds=12))
    assert " 500 tokens/s" in shown(view)


@pytest.mark.parametrize(
    ("measures", "text"),
    [({"right": 0.75, "margin": 0.5}, "pairs right 0.750, margin 0.500"), ({"reward/ner": 0.25}, "ner 0.250")],
)
def test_kinds_have_measures_of_their_own(run: Callable[..., Run], measures: dict[str, float], text: str) -> None:
    view = watching(run(terminal=True))
    view.step(made(1, **measures))
    assert text in " ".join(shown(view).split())


@pytest.mark.parametrize("terminal", [True, False])
def test_rewards_and_answers_that_do_not_count_are_shown(run: Callable[..., Run], terminal: bool) -> None:
    used = run(terminal=terminal)
    measures = {"reward/ner": 0.25, "reward/re": 0.75, "unparsable": 0.125, "cut": 0.0, "left out": 1.0}
    said = "loss 2.000, mean reward 0.500, 12.5% unparsable, 0.0% cut, 100.0% left out, learning rate 2.0e-04"
    with watching(used) as view:
        view.step(made(1, **measures))
        assert said in " ".join(shown(view).split())
    assert said in written(used)[0]


@pytest.mark.parametrize("terminal", [True, False])
def test_rewards_that_teach_nothing_are_warned_of_once(run: Callable[..., Run], terminal: bool) -> None:
    def warned(norms: list[float], measure: str = "reward/ner") -> list[str]:
        used = run(terminal=terminal)
        before = len(written(used))
        with watching(used) as view:
            for number, norm in enumerate(norms, 1):
                view.step(msgspec.structs.replace(made(number, **{measure: 0.5}), grad_norm=norm))
        return [line for line in written(used)[before:] if "warning" in line]

    (said,) = warned([0.0] * 19 + [1.0] + [0.0] * 20 + [1.0] + [0.0] * 40)
    assert said.startswith("stage1: warning: step 40 is the last of 20 in a row from which nothing was learned")
    assert not warned(([0.0] * 19 + [1.0]) * 3)
    assert not warned([0.0] * 40, "loss/ner")


def test_a_log_gets_a_line_a_minute(run: Callable[..., Run]) -> None:
    now = [0.0]
    used = run(terminal=False)
    with watching(used, lambda: now[0]) as view:
        for number in range(1, STEPS + 1):
            now[0] += 1
            view.step(made(number))
    said = written(used)
    assert [line.split(",")[0] for line in said] == [f"stage1: step {n} of 200" for n in (1, 61, 121, 181, 200)]
    assert said[1] == "stage1: step 61 of 200, loss 2.000, learning rate 2.0e-04, 2,000 tokens/s, 70 s left"
    assert "left" not in said[-1]
    assert used.console.file.getvalue().splitlines() == said  # pyright: ignore[reportAttributeAccessIssue]


def test_evaluations_are_said_with_what_they_are_better_than(run: Callable[..., Run]) -> None:
    used = run(terminal=False)
    with watching(used) as view:
        view.step(made(50))
        for number, ner in ((50, 0.5), (100, 0.6), (150, 0.5), (200, 0.5)):
            view.dev(evaluated(number, ner=ner, re=0.1))
    assert written(used)[1:] == [
        "stage1: step 50 scores 30.0 on the dev sample (the best so far): ner/en 50.0, re/zh 10.0",
        "stage1: step 100 scores 35.0 ▲5.0 on the dev sample (the best so far): ner/en 60.0 ▲10.0, re/zh 10.0 =",
        "stage1: step 150 scores 30.0 ▼5.0 on the dev sample (the best is step 100): ner/en 50.0 ▼10.0, re/zh 10.0 =",
        "stage1: step 200 scores 30.0 = on the dev sample (the best is step 100): ner/en 50.0 =, re/zh 10.0 =",
    ]


def test_evaluations_before_an_interruption_are_known(run: Callable[..., Run]) -> None:
    used = run(terminal=False)
    folder = used.folder / "train-stage1-0"
    folder.mkdir(parents=True)
    scores = [evaluated(50, ner=0.6, re=0.2), evaluated(100, ner=0.9, re=0.9)]
    (folder / "dev.jsonl").write_bytes(b"".join(msgspec.json.encode(score) + b"\n" for score in scores))
    with watching(used) as view:
        view.step(made(71))  # the evaluation after step 100 is made again
        view.dev(evaluated(100, ner=0.5, re=0.2))
    assert "scores 35.0 ▼5.0 on the dev sample (the best is step 50)" in written(used)[1]


def test_a_terminal_shows_the_view_and_keeps_the_last_line(run: Callable[..., Run]) -> None:
    used = run(terminal=True)
    with watching(used) as view:
        for number in range(1, 21):
            view.step(made(number))
    assert written(used) == ["stage1: step 20 of 200, loss 2.000, learning rate 2.0e-04, 2,000 tokens/s, 90 s left"]


def test_other_processes_say_nothing(run: Callable[..., Run]) -> None:
    used = run(terminal=True, quiet=True)
    with watching(used) as view:
        view.dev(evaluated(50, ner=0.5, re=0.5))
    assert not written(used)
    assert used.console.file.getvalue() == ""  # pyright: ignore[reportAttributeAccessIssue]
