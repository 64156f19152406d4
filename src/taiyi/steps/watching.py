"""The view of a stage in training: live on a terminal, and a line now and then where the output is a log."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from taiyi import storage
from taiyi.evaluate import curves
from taiyi.evaluate.curves import Smooth
from taiyi.train.tracking import Tracking

if TYPE_CHECKING:
    from taiyi.recipe_stages import Stage
    from taiyi.steps.run import Run
    from taiyi.train.loop import Step
    from taiyi.train.selection import DevScore

_SPAN = 20
"""Over how many steps, about, numbers are smoothed."""
_LABELS = {"right": "pairs right", "margin": "margin"}
_SHARES = ("unparsable", "cut", "left out")
_IDLE = 20
"""After how many steps in a row that changed nothing a stage that learns from rewards is warned of."""


class Watching:
    """Shows the steps and evaluations of a stage while it trains, and tells the recipe's trackers of them."""

    def __init__(
        self,
        run: Run,
        stage: Stage,
        folder: Path,
        *,
        every_seconds: float = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch the training of a stage in a folder; without a terminal there is a line every so many seconds.

        Raises:
            TrainError: a tracker of the recipe is not installed.
        """
        self._name, self._log, self._clock, self._every = stage.name, run.log, clock, every_seconds
        self._tracking = Tracking(run.recipe.track, folder, run.log.say)
        self._last: Step | None = None
        self._recent: deque[Step] = deque(maxlen=_SPAN + 1)
        self._smooth: dict[str, Smooth] = {}
        self._idle, self._warned = 0, False
        self._scores = list(_scores(folder))
        self._said = self._begun = clock()
        # The view is made by a thread of its own. Nothing is said under this lock: the terminal has one too.
        self._lock = threading.Lock()
        self._live = Live(get_renderable=self._view, console=run.console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        if self._log.console.is_terminal and not self._log.quiet:
            self._live.start()
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self._live.stop()
        self._tracking.__exit__()
        if error is None and self._last is not None and self._log.console.is_terminal:
            self._log.say(self._line(self._last))

    def step(self, done: Step) -> None:
        """Take in a step that was made."""
        with self._lock:
            if self._last is None:
                # Evaluations that an interrupted training made after its checkpoint are made again.
                self._scores = [score for score in self._scores if score.step < done.step]
            self._last = done
            self._recent.append(done)
            for name, value in {"loss": done.loss, **done.measures}.items():
                self._smooth.setdefault(name, Smooth(_SPAN)).add(done.step, value)
        self._tracking.step(done)
        due = self._clock() - self._said >= self._every or len(self._recent) == 1 or done.step == done.steps
        if due and not self._log.console.is_terminal:
            self._said = self._clock()
            self._log.say(self._line(done))
        self._warn(done)

    def _warn(self, done: Step) -> None:
        """Say, once, that rewards have taught nothing for a while."""
        self._idle = 0 if done.grad_norm or not any(map(_is_reward, done.measures)) else self._idle + 1
        if self._idle == _IDLE and not self._warned:
            self._warned = True
            self._log.say(
                f"{self._name}: warning: step {done.step:,} is the last of {_IDLE} in a row from which nothing was"
                " learned: in none did answers to the same prompt have different rewards. If that goes on, stop, and"
                " ask for more answers (reward.answers), raise reward.temperature, or give the stage other data"
            )

    def dev(self, found: DevScore) -> None:
        """Take in an evaluation."""
        with self._lock:
            before = self._scores[-1] if self._scores else None
            self._scores.append(found)
        self._tracking.dev(found)
        tasks = ", ".join(f"{task} {_scored(found, before, task).plain}" for task in found.tasks)
        best = " (the best so far)" if self._best is found else f" (the best is step {self._best.step:,})"
        mean = _scored(found, before).plain
        self._log.say(f"{self._name}: step {found.step:,} scores {mean} on the dev sample{best}: {tasks}")

    @property
    def _best(self) -> DevScore:
        # Of equal scores the first, as the one that is kept.
        return max(self._scores, key=lambda score: score.score)

    def _rate(self) -> float | None:
        """Return the tokens per second of the last steps; None where a run just goes on."""
        first, last = self._recent[0], self._recent[-1]
        tokens, seconds = last.tokens - first.tokens, last.seconds - first.seconds
        if len(self._recent) == 1 and first.step == 1:
            tokens, seconds = first.tokens, first.seconds
        return tokens / seconds if seconds > 0 else None

    def _left(self) -> float | None:
        """Return how many seconds the rest will take: its steps at the pace of the last ones, and its evaluations."""
        first, last = self._recent[0], self._recent[-1]
        made = last.step - first.step
        if not made:
            return None
        left = (last.steps - last.step) * (last.seconds - first.seconds) / made
        if self._scores:
            every = self._scores[-1].step - (self._scores[-2].step if len(self._scores) > 1 else 0)
            every = max(1, every)
            left += (-(-last.steps // every) - last.step // every) * self._scores[-1].seconds
        return left

    def _facts(self, done: Step) -> Iterator[str]:
        """Yield what is said of all of the training, in a few words each."""
        yield f"loss {self._smooth['loss'].value:.3f}"
        yield from (
            f"{label} {self._smooth[name].value:.3f}" for name, label in _LABELS.items() if name in self._smooth
        )
        if rewards := [smooth.value for name, smooth in self._smooth.items() if _is_reward(name)]:
            yield f"mean reward {sum(rewards) / len(rewards):.3f}"
        yield from (f"{self._smooth[name].value:.1%} {name}" for name in _SHARES if name in self._smooth)
        yield f"learning rate {done.lr:.1e}"
        if (rate := self._rate()) is not None:
            yield f"{rate:,.0f} tokens/s"
        if done.step < done.steps and (left := self._left()) is not None:
            yield f"{_duration(left)} left"

    def _line(self, done: Step) -> str:
        return f"{self._name}: step {done.step:,} of {done.steps:,}, {', '.join(self._facts(done))}"

    def _view(self) -> RenderableType:
        """Return what stands on the terminal now."""
        with self._lock:
            return self._shown()

    def _shown(self) -> RenderableType:
        done = self._last
        if done is None:
            return Text(f"training {self._name}: the first step takes {_duration(self._clock() - self._begun)} so far")
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text(f"training {self._name}", style="bold"),
            ProgressBar(total=done.steps, completed=done.step, width=24),
            Text(f"step {done.step:,} of {done.steps:,}, epoch {done.epoch + 1}"),
        )
        tables = Table.grid(padding=(0, 4, 0, 0))
        tables.add_row(*filter(None, (self._measures(), self._dev())))
        return Group(bar, Text(", ".join(self._facts(done)), style="dim"), tables)

    def _measures(self) -> Table | None:
        """Return what is measured of each task."""
        found = {name: smooth.value for name, smooth in self._smooth.items() if "/" in name}
        if not found:
            return None
        columns = list(dict.fromkeys(curves.group(name) for name in found))
        table = _table("task", *columns)
        for task in dict.fromkeys(name.partition("/")[2] for name in found):
            values = [found.get(f"{column}/{task}") for column in columns]
            table.add_row(Text(task), *(Text("" if value is None else f"{value:.3f}") for value in values))
        return table

    def _dev(self) -> Table | None:
        """Return the scores of the last evaluation beside those before it."""
        if not self._scores:
            return None
        last, before = self._scores[-1], self._scores[-2] if len(self._scores) > 1 else None
        table = _table(f"dev, step {last.step:,}", "score", f"best, step {self._best.step:,}")
        for task in last.tasks:
            best = self._best.tasks.get(task)
            shown = "" if best is None else f"{100 * best:.1f}"
            table.add_row(Text(task), _scored(last, before, task), Text(shown))
        table.add_row(Text("mean"), _scored(last, before), Text(f"{100 * self._best.score:.1f}"), style="bold")
        return table


def _is_reward(measure: str) -> bool:
    return measure.startswith("reward/")


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _scored(found: DevScore, before: DevScore | None, task: str | None = None) -> Text:
    """Return a score in percent, and by how much it is better or worse than before."""
    now = found.score if task is None else found.tasks[task]
    then = None if before is None else before.score if task is None else before.tasks.get(task)
    text = Text(f"{100 * now:.1f}")
    if then is not None:
        change = round(100 * (now - then), 1)
        arrow, style = ("▲", "green") if change > 0 else ("▼", "red") if change < 0 else ("=", "dim")
        text.append(f" {arrow}{abs(change):.1f}" if change else f" {arrow}", style=style)
    return text


def _scores(folder: Path) -> Iterator[DevScore]:
    """Yield the evaluations of a training that was interrupted."""
    path = folder / "dev.jsonl"
    if path.exists():
        from taiyi.train.selection import DevScore

        yield from storage.read_jsonl(path, DevScore)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
