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

import matplotlib as mpl
from matplotlib.figure import Figure

from taiyi.evaluate.aggregate import SetResult

# Stand-ins that matplotlib draws with and that become variables of the page's style.
_TEXT, _LINE, _PAPER, _OURS, _TAIYI, _CHATGPT, _SOTA = (f"#0102{i:02x}" for i in range(16, 23))
_VARIABLES = {
    _TEXT: "currentColor",
    _LINE: "var(--line)",
    _PAPER: "var(--paper)",
    _OURS: "var(--ours)",
    _TAIYI: "var(--taiyi)",
    _CHATGPT: "var(--chatgpt)",
    _SOTA: "var(--sota)",
}
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


def loss_svg(name: str, points: Sequence[tuple[int, float]]) -> str:
    """Draw the training loss of one stage."""
    with _style(f"loss {name}"):
        figure = Figure(figsize=(4.6, 2.9), layout="constrained")
        axes = figure.add_subplot()
        steps, losses = zip(*points, strict=True)
        axes.plot(steps, losses, color=_OURS, linewidth=1.4, marker="." if len(points) < 3 else "")
        axes.set_title(name, fontsize=10, loc="left")
        axes.set_xlabel("step")
        axes.set_ylabel("loss on answers")
        axes.set_ylim(bottom=0)
        axes.tick_params(length=0)
        return _svg(figure, f"Training loss, {name}")


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
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, variable)
    return re.sub(
        r'<svg ([^>]*?)height="[^"]*" ', rf'<svg role="img" aria-label="{html.escape(label)}" \1', text, count=1
    )
