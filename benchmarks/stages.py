"""The paper's Figure 4 from runs of this package: the same test sets under several strategies of fine-tuning.

    python benchmarks/stages.py --out docs/results/stages \\
        "one stage=runs/one-stage" "two stages=runs/two-stage" "no replay=runs/two-stage-no-replay" \\
        "stage 1 alone=runs/two-stage-first"

Each run is one that `taiyi run` or `taiyi eval` made, under the same settings of evaluation; what is drawn are the
scores of its report with their 95% bootstrap intervals over documents.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from taiyi import storage
from taiyi.checkpoint import RUN_FILE
from taiyi.evaluate import report
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.plots_runs import runs_svg


class Arm(NamedTuple):
    """A strategy, and the scores under it by test set."""

    name: str
    results: dict[str, SetResult]


def read(given: str) -> Arm:
    """Read `NAME=RUN`, where RUN is the folder of a run or a results.json."""
    name, _, place = given.partition("=")
    path = Path(place)
    if path.is_dir():
        path = path / storage.read_json(path / RUN_FILE, dict[str, str])["report"] / "results.json"
    found = report.load(path).results
    return Arm(name, {result.name: result for result in found if result.value is not None})


def table(arms: Sequence[Arm]) -> str:
    """Return the scores as a table in Markdown."""
    names = list(arms[0].results)
    lines = [
        "| Test set | n | " + " | ".join(arm.name for arm in arms) + " |",
        "|---|--:|" + "--:|" * len(arms),
        *(
            f"| {arms[0].results[name].title} | {arms[0].results[name].num_records} | "
            + " | ".join(_cell(arm.results[name]) for arm in arms)
            + " |"
            for name in names
        ),
        f"| **Average of {len(names)}** | | " + " | ".join(f"**{100 * _mean(arm, names):.1f}**" for arm in arms) + " |",
    ]
    return "\n".join(lines) + "\n"


def _cell(result: SetResult) -> str:
    interval = "" if result.ci_low is None else f" ({100 * result.ci_low:.1f} to {100 * (result.ci_high or 0):.1f})"
    return f"{100 * (result.value or 0):.1f}{interval}"


def _mean(arm: Arm, names: Sequence[str]) -> float:
    return sum(arm.results[name].value or 0.0 for name in names) / len(names)


def main() -> None:
    """Write the figure, the table, and the numbers behind them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", nargs="+", metavar="NAME=RUN")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    arms = [read(arm) for arm in given.arms]
    if any(arm.results.keys() != arms[0].results.keys() for arm in arms):
        sys.exit("the runs were not evaluated on the same test sets")
    given.out.mkdir(parents=True, exist_ok=True)
    drawn = runs_svg({arm.name: list(arm.results.values()) for arm in arms})
    (given.out / "figure4.svg").write_text(drawn, encoding="utf-8", newline="\n")
    (given.out / "table.md").write_text(table(arms), encoding="utf-8")
    kept = {arm.name: list(arm.results.values()) for arm in arms}
    (given.out / "scores.json").write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    print(table(arms))


if __name__ == "__main__":
    main()
