"""Plots of a report, as SVG that stands inside the page and takes its colours from the page's style.

Text stays text and is set in the page's font, so that any language shows; colours become CSS variables, so that one
plot serves light and dark.
"""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from taiyi.evaluate import curves
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.curves import Curve, StageCurves

# Stand-ins that matplotlib draws with and that become variables of the page's style.
_TEXT, _LINE, _PAPER, _OURS, _TAIYI, _CHATGPT, _SOTA = (f"#0102{i:02x}" for i in range(16, 23))
# One colour for each task, then again; neighbours differ in how they are drawn as well.
_TASKS = [f"#0102{i:02x}" for i in range(32, 40)]
_VARIABLES = {
    **{stand_in: f"var(--task-{number})" for number, stand_in in enumerate(_TASKS, 1)},
    _TEXT: "currentColor",
    _LINE: "var(--line)",
    _PAPER: "var(--paper)",
    _OURS: "var(--ours)",
    _TAIYI: "var(--taiyi)",
    _CHATGPT: "var(--chatgpt)",
    _SOTA: "var(--sota)",
}
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.5, 1.4, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = "osD^vPX*"

PANELS: dict[str, tuple[tuple[str, str], ...]] = {
    "sft": (("loss", "loss on answers"),),
    "cpt": (("loss", "loss on texts"),),
    "dpo": (("loss", "loss of pairs"), ("right", "share of pairs right"), ("margin", "margin of right answers")),
    # The loss of these says nothing: the advantages of a group add up to 0.
    "grpo": (("reward", "mean reward"),),
}
"""By the kind of a stage: the groups of measures that are drawn of its training, and what they are."""
_SETTINGS: dict[str, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "text.color": _TEXT,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _TEXT,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _TEXT,
    "ytick.labelcolor": _TEXT,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def scores_svg(results: Sequence[SetResult]) -> str:
    """Draw our score of each set as a bar with its interval, with what the paper reports as marks."""
    shown = [r for r in results if r.value is not None]
    with _style("scores"):
        figure = Figure(figsize=(7, 0.9 + 0.3 * len(shown)), layout="constrained")
        axes = figure.add_subplot()
        places = list(range(len(shown)))
        values = [100 * (r.value or 0.0) for r in shown]
        axes.barh(places, values, height=0.62, color=_OURS, label="ours, 95% interval")
        for place, value, result in zip(places, values, shown, strict=True):
            if result.ci_low is not None and result.ci_high is not None:
                # The interval need not hold the score itself, and an error bar may not have a negative arm.
                arms = [[max(0.0, value - 100 * result.ci_low)], [max(0.0, 100 * result.ci_high - value)]]
                axes.errorbar([value], [place], xerr=arms, fmt="none", ecolor=_TEXT, elinewidth=1.2, capsize=2.5)
        for label, colour, marker, size in (
            ("Taiyi 7B", _TAIYI, "D", 30),
            ("ChatGPT 3.5", _CHATGPT, "o", 26),
            ("SOTA", _SOTA, "|", 90),
        ):
            numbers = [_published(result, label) for result in shown]
            points = [(100 * x, y) for x, y in zip(numbers, places, strict=True) if x is not None]
            if points:
                xs, ys = zip(*points, strict=True)
                # A stroke has no edge; the other marks get one, to stand out from a bar.
                edge, width = (None, 2.0) if marker == "|" else (_PAPER, 0.8)
                axes.scatter(
                    xs, ys, s=size, c=colour, edgecolors=edge, marker=marker, linewidths=width, label=label, zorder=3
                )
        axes.set_yticks(places, [r.title for r in shown])
        axes.set_xlim(_lowest(shown), 100)
        axes.set_xlabel("score in %")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.tick_params(length=0)
        figure.legend(loc="outside upper left", ncols=4, handletextpad=0.4, columnspacing=1.2)
        return _svg(figure, "Scores of each test set beside those of the paper")


def training_svg(stage: StageCurves, measure: str, label: str, tasks: Sequence[str]) -> str:
    """Draw a group of measures over the steps of a stage: faint as measured, strong the mean, thin that of each task.

    `label` says what is measured; `tasks` are all tasks of the report, in the order of their colours.
    """
    raw = next((c for c in stage.raw if c.name == measure), None)
    mean = next((c for c in stage.smooth if c.name == measure), None)
    parts = [c for c in stage.smooth if c.name != measure and curves.group(c.name) == measure]
    with _style(f"{measure} {stage.name}"):
        figure, axes = _panel(f"{stage.name}: {label}", label, len(parts) + 1)
        ends: list[_End] = []
        for curve in parts:
            name = curve.name.partition("/")[2]
            colour, dashes, _ = _looks(name, tasks)
            marker = "." if len(curve.steps) == 1 else ""
            axes.plot(curve.steps, curve.values, color=colour, linestyle=dashes, marker=marker, linewidth=1.1, zorder=3)
            ends.append(_End(name, curve.steps[-1], curve.values[-1], colour))
        if raw is not None:
            marker = "." if len(raw.steps) < 3 else ""
            axes.plot(raw.steps, raw.values, color=_TEXT, linewidth=0.6, alpha=0.25, marker=marker, zorder=2)
        if mean is not None:
            axes.plot(mean.steps, mean.values, color=_TEXT, linewidth=2, zorder=4)
            ends.append(_End("all" if parts else "smoothed", mean.steps[-1], mean.values[-1], _TEXT))
        if measure == "loss":
            _limit(axes, raw, [*parts, *([mean] if mean else [])])
        _label(axes, ends)
        return _svg(figure, f"{stage.name}, training: {label}")


def dev_svg(stage: StageCurves, tasks: Sequence[str]) -> str:
    """Draw the scores of each task on the dev sample of a stage, and which step's model was kept.

    `tasks` are all tasks of the report, in the order of their colours. Languages of a task differ in their dashes.
    """
    names = list(dict.fromkeys(name for point in stage.dev for name in point.tasks))
    with _style(f"dev {stage.name}"):
        figure, axes = _panel(f"{stage.name}: scores on the dev sample", "score in %", len(names) + 1)
        ends: list[_End] = []
        seen: dict[str, int] = {}
        for name in names:
            points = [(point.step, 100 * point.tasks[name]) for point in stage.dev if name in point.tasks]
            colour, _, marker = _looks(name, tasks)
            nth = seen[curves.task(name)] = seen.get(curves.task(name), -1) + 1
            style: dict[str, Any] = {"linestyle": _DASHES[nth % len(_DASHES)], "marker": marker, "markersize": 3.5}
            if nth % 2:
                style["markerfacecolor"] = _PAPER
            xs, ys = zip(*points, strict=True)
            axes.plot(xs, ys, color=colour, linewidth=1.1, zorder=3, **style)
            ends.append(_End(name, xs[-1], ys[-1], colour))
        steps, means = [p.step for p in stage.dev], [100 * p.score for p in stage.dev]
        axes.plot(steps, means, color=_TEXT, linewidth=2, marker=".", zorder=4)
        ends.append(_End("mean", steps[-1], means[-1], _TEXT))
        if stage.kept is not None:
            axes.axvline(stage.kept, color=_TEXT, linewidth=1, linestyle=(0, (2, 2)), alpha=0.7, zorder=1)
            for step, mean in zip(steps, means, strict=True):
                if step == stage.kept:
                    axes.plot([step], [mean], "o", markersize=9, mfc="none", mec=_TEXT, mew=1.4, zorder=5)
            axes.set_title(f"kept: step {stage.kept:,}", fontsize=9, loc="right")
        _label(axes, ends)
        return _svg(figure, f"{stage.name}: scores on the dev sample")


class _End(NamedTuple):
    """Where a curve ends, and what it is called there."""

    name: str
    step: int
    value: float
    colour: str


def _panel(title: str, label: str, num_curves: int) -> tuple[Figure, Axes]:
    """Return axes over the steps, high enough for the names of the curves beside them."""
    figure = Figure(figsize=(5.8, max(3.1, 0.9 + 0.17 * num_curves)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("step")
    axes.set_ylabel(label)
    axes.tick_params(length=0)
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def _looks(name: str, tasks: Sequence[str]) -> tuple[str, Any, str]:
    """Return the colour, the dashes and the marker of a task."""
    number = tasks.index(curves.task(name))
    return _TASKS[number % len(_TASKS)], _DASHES[number % len(_DASHES)], _MARKERS[number % len(_MARKERS)]


def _limit(axes: Axes, raw: Curve | None, smooth: Sequence[Curve]) -> None:
    """Begin the axis of a loss at 0, and leave out how high it was at first where the rest would become flat."""
    axes.set_ylim(bottom=0)
    if raw is None:
        return
    late = [v for c in smooth for s, v in zip(c.steps, c.values, strict=True) if s > raw.steps[-1] / 20]
    highest = max(raw.values)
    top = 1.15 * max(late, default=highest)
    if highest > 1.5 * top > 0:
        axes.set_ylim(top=top)
        at = raw.steps[raw.values.index(highest)]
        note = f"↑ {highest:.3g} at step {at:,}"
        axes.text(0.98, 0.98, note, fontsize=8.5, ha="right", va="top", transform=axes.transAxes)


def _label(axes: Axes, ends: Sequence[_End]) -> None:
    """Write the name of each curve beside its end, apart from one another."""
    low, high = axes.get_ylim()
    places = [min(1.0, max(0.0, (end.value - low) / (high - low))) for end in ends]
    figure = axes.get_figure(root=True)
    assert figure is not None
    # Lines of text of 8.5 points in axes that leave about 0.7 inches to what stands around them.
    gap = 8.5 * 1.2 / (72 * (figure.get_figheight() - 0.7))
    order = sorted(range(len(ends)), key=lambda i: places[i])
    for place, i in enumerate(order):
        places[i] = max(places[i], places[order[place - 1]] + gap if place else 0.0)
    above = 1.0
    for i in reversed(order):
        places[i] = min(places[i], above)
        above = places[i] - gap
    right = axes.get_xlim()[1]
    for end, place in zip(ends, places, strict=True):
        axes.annotate(
            end.name,
            xy=(min(end.step, right), min(max(end.value, low), high)),
            xytext=(1.05, place),
            textcoords="axes fraction",
            fontsize=8.5,
            fontweight="bold" if end.colour == _TEXT else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": end.colour, "linewidth": 0.8, "shrinkA": 1, "relpos": (0, 0.5)},
        )


@contextmanager
def _style(salt: str) -> Generator[None, None, None]:
    """Draw in our style; the salt keeps the ids of several plots on one page apart, and the same in every run."""
    with mpl.rc_context():
        mpl.rcParams.update({**_SETTINGS, "svg.hashsalt": salt})  # pyright: ignore[reportCallIssue, reportArgumentType]
        yield


def _lowest(results: Sequence[SetResult]) -> float:
    """Return where the axis begins, in percent: at 0, or below where a correlation or its interval is negative."""
    lowest = min((x for r in results for x in (r.value, r.ci_low) if x is not None), default=0.0)
    return 0.0 if lowest >= 0 else 10.0 * math.floor(10 * lowest)


def _published(result: SetResult, who: str) -> float | None:
    if result.paper is None:
        return None
    return {"Taiyi 7B": result.paper.taiyi, "ChatGPT 3.5": result.paper.chatgpt, "SOTA": result.paper.sota}[who]


def _svg(figure: Figure, label: str) -> str:
    buffer = io.StringIO()
    # Without a date, the same numbers give the same bytes.
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"(font:[^;\"]*?px) [^;\"]*", r"\1 sans-serif; font-family: inherit", text)
    # A hundredth of a point is enough, and a third shorter.
    text = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text)
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, variable)
    return re.sub(
        r'<svg ([^>]*?)height="[^"]*" ', rf'<svg role="img" aria-label="{html.escape(label)}" \1', text, count=1
    )
