"""The corpora at a glance, as the paper's Figure 2: a tree map by task, and how many and how large they are by task."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taiyi.catalogue.entry import Corpus

_WIDTH, _HEIGHT = 18.0, 11.0
_LETTER_WIDTH = 0.7
_POINTS_PER_INCH = 72
_LARGEST_PT, _SMALLEST_PT = 11.0, 4.0
Box = Mapping[str, float]


def draw(corpora: Sequence[Corpus], tasks: Sequence[str], path: Path) -> None:
    """Draw the figure into a file, of the kind that its name says; the same corpora give the same SVG.

    Args:
        tasks: the tasks to show, of those that corpora have.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    plt: Any = importlib.import_module("matplotlib.pyplot")
    groups = {task: [c for c in corpora if task in c.tasks] for task in tasks}
    groups = dict(sorted(((t, g) for t, g in groups.items() if g), key=lambda item: (-len(item[1]), item[0])))
    palette: Any = mpl.colormaps["tab20"]
    colours = {task: palette(n % 20) for n, task in enumerate(groups)}
    with mpl.rc_context({"svg.hashsalt": "taiyi", "font.size": 9}):
        figure = plt.figure(figsize=(_WIDTH, _HEIGHT))
        tree = figure.add_axes((0.01, 0.02, 0.72, 0.94))
        many, large = figure.add_axes((0.79, 0.56, 0.2, 0.39)), figure.add_axes((0.79, 0.05, 0.2, 0.42))
        width, height = _WIDTH * 0.72, _HEIGHT * 0.94
        for (task, group), box in zip(
            groups.items(), _boxes([len(g) for g in groups.values()], width, height), strict=True
        ):
            _draw_task(tree, task, group, box, colours[task])
        tree.set_xlim(0, width)
        tree.set_ylim(height, 0)
        tree.set_axis_off()
        names = list(groups)[::-1]
        many.barh(names, [len(groups[name]) for name in names], color=[colours[name] for name in names])
        many.set_title("Corpora by task")
        sizes = [max(1, sum(sum(c.sizes.values()) for c in groups[name])) for name in names]
        large.barh(names, sizes, color=[colours[name] for name in names])
        large.set_xscale("log")
        large.set_title("Official sizes by task (items, all splits)")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        plt.close(figure)


def _boxes(sizes: Sequence[int], width: float, height: float, x: float = 0.0, y: float = 0.0) -> list[Box]:
    """Lay out rectangles whose areas are as the sizes (squarified tree map; Bruls et al., 2000)."""
    squarify: Any = importlib.import_module("squarify")
    return squarify.squarify(squarify.normalize_sizes(sizes, width, height), x, y, width, height)


def _draw_task(axes: Any, task: str, group: Sequence[Corpus], box: Box, colour: object) -> None:
    gap = 0.03
    x, y, width, height = box["x"] + gap, box["y"] + gap, box["dx"] - 2 * gap, box["dy"] - 2 * gap
    head = min(0.3, height / 3)
    axes.add_patch(_rectangle(x, y, width, height, colour, alpha=0.9))
    _write(axes, f"{task} ({len(group)})", x, y, width, head, bold=True)
    inner = _boxes([1] * len(group), width, height - head, x, y + head)
    for corpus, cell in zip(sorted(group, key=lambda corpus: corpus.name), inner, strict=True):
        axes.add_patch(_rectangle(cell["x"], cell["y"], cell["dx"], cell["dy"], colour, alpha=0.35, edge="white"))
        _write(axes, corpus.name, cell["x"], cell["y"], cell["dx"], cell["dy"])


def _rectangle(
    x: float, y: float, width: float, height: float, colour: object, *, alpha: float, edge: str = "none"
) -> Any:
    patches: Any = importlib.import_module("matplotlib.patches")
    return patches.Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, edgecolor=edge, linewidth=0.8)


def _write(axes: Any, text: str, x: float, y: float, width: float, height: float, *, bold: bool = False) -> None:
    """Write a name as large as its box takes it; it may break after its underscores."""
    layouts = [[text]] if bold else _broken(text)
    points, lines = max((_points(lines, width, height), lines) for lines in layouts)
    axes.text(
        x + width / 2, y + height / 2, "\n".join(lines), ha="center", va="center", fontsize=max(_SMALLEST_PT, points),
        fontweight="bold" if bold else "normal", linespacing=1.05,
    )  # fmt: skip


def _points(lines: Sequence[str], width: float, height: float) -> float:
    """Return the size at which lines fill a box of so many inches."""
    across = 0.92 * width * _POINTS_PER_INCH / (max(map(len, lines)) * _LETTER_WIDTH)
    return min(_LARGEST_PT, across, 0.85 * height * _POINTS_PER_INCH / (len(lines) * 1.15))


def _broken(name: str) -> list[list[str]]:
    """Return a name broken into one line, two lines, and so on, as evenly as its underscores allow."""
    parts = [f"{part}_" for part in name.split("_")]
    parts[-1] = parts[-1][:-1]
    found: list[list[str]] = []
    for limit in sorted({len("".join(parts[i:j])) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)}):
        lines: list[str] = []
        for part in parts:
            if lines and len(lines[-1]) + len(part) <= limit:
                lines[-1] += part
            else:
                lines.append(part)
        found.append(lines)
    return found
