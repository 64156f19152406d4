"""The paper's Figure 4: the scores of several runs on the same test sets, as bars with their intervals.

It is a picture by itself, for a paper or a README: in colours of its own on white, with hatches that print.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.tables import measure_title

PANELS: tuple[tuple[str, frozenset[str]], ...] = (
    ("NER", frozenset({"ner"})),
    ("RE", frozenset({"re", "rc", "cre"})),
    ("TC", frozenset({"tc"})),
    ("QA", frozenset({"qa_yesno", "qa_mc"})),
    ("Pairs of texts", frozenset({"tp_ss", "tp_te"})),
    ("Concepts, events, chains, trees", frozenset({"nen", "ee", "coref", "struct"})),
    ("Texts", frozenset({"qa_sqa", "qa_cqa", "mrd", "mt", "summary", "title", "report"})),
)
"""Panels and the tasks in them: the first four are those of the paper's figure."""
# Okabe and Ito's, which most kinds of colour vision tell apart.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_HATCHES = ("", "//", "..", "xx", "\\\\", "++")
_SETTINGS: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "runs",
    "text.parse_math": False,
    "font.size": 9,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_PER_ROW = 2
# About so many characters of labels stand beside one another under a panel; more labels than this stand aslant.
_CHARACTERS = 58
_MOST_LEVEL = 5
_MOST_MEASURES = 2


def runs_svg(runs: Mapping[str, Sequence[SetResult]]) -> str:
    """Draw a panel for each type of task: for each test set a bar of each run, with its interval.

    Args:
        runs: the results of each run, by what it is called. Sets are those of the first run; of a run that has no score
            on one there is no bar.
    """
    scores = {name: {r.name: r for r in results if r.value is not None} for name, results in runs.items()}
    sets = [
        result for result in next(iter(runs.values()), ()) if any(result.name in found for found in scores.values())
    ]
    panels = [(title, inside) for title, tasks in PANELS if (inside := [r for r in sets if r.task in tasks])]
    rows = max(1, -(-len(panels) // _PER_ROW))
    with mpl.rc_context():
        mpl.rcParams.update(_SETTINGS)  # pyright: ignore[reportCallIssue, reportArgumentType]
        figure = Figure(figsize=(9, 0.4 + 2.7 * rows), layout="constrained")
        for number, (title, inside) in enumerate(panels):
            axes = figure.add_subplot(rows, min(_PER_ROW, len(panels)), number + 1)
            _bars(axes, scores, inside)
            axes.set_title(f"({chr(ord('A') + number)}) {title}", loc="left")
        if panels:
            handles, labels = figure.axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside upper center", ncols=min(len(runs), 4))
        buffer = io.StringIO()
        # Without a date, the same numbers give the same bytes.
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _bars(axes: Axes, runs: Mapping[str, Mapping[str, SetResult]], sets: Sequence[SetResult]) -> None:
    """Draw the bars of all runs for some test sets."""
    width = 0.8 / len(runs)
    for number, (name, results) in enumerate(runs.items()):
        shown = [(place, results[r.name]) for place, r in enumerate(sets) if r.name in results]
        values = [100 * (r.value or 0.0) for _, r in shown]
        # The interval need not hold the score itself, and an error bar may not have a negative arm.
        low = [
            0.0 if r.ci_low is None else max(0.0, v - 100 * r.ci_low) for v, (_, r) in zip(values, shown, strict=True)
        ]
        high = [
            0.0 if r.ci_high is None else max(0.0, 100 * r.ci_high - v) for v, (_, r) in zip(values, shown, strict=True)
        ]
        axes.bar(
            [place + (number - (len(runs) - 1) / 2) * width for place, _ in shown],
            values,
            width,
            yerr=[low, high],
            label=name,
            color=_COLOURS[number % len(_COLOURS)],
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor="white",
            error_kw={"elinewidth": 1, "capsize": 2},
        )
    there = [results[r.name] for results in runs.values() for r in sets if r.name in results]
    lowest = min(0.0, *(x for r in there for x in (r.value, r.ci_low) if x is not None))
    axes.set_ylim(100 * lowest, 100)
    if lowest < 0:
        axes.axhline(0, color="black", linewidth=0.8)
    axes.grid(visible=True, axis="y", linewidth=0.4, color="#d9dde1")
    if len(sets) > _MOST_LEVEL:
        axes.set_xticks(range(len(sets)), [r.title for r in sets], fontsize=8, rotation=30, ha="right")
    else:
        labels = [textwrap.fill(r.title, _CHARACTERS // len(sets), break_long_words=False) for r in sets]
        axes.set_xticks(range(len(sets)), labels, fontsize=8)
    axes.tick_params(axis="x", length=0)
    measures = list(dict.fromkeys(map(measure_title, sets)))
    axes.set_ylabel(f"{', '.join(measures) if len(measures) <= _MOST_MEASURES else 'score'}, %")
