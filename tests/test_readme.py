"""What the README shows is true: its tables are those of the committed results, and its commands are all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pages
from taiyi.cli import COMMANDS
from taiyi.evaluate import markdown as md
from taiyi.evaluate import report, tables
from taiyi.evaluate.tables import Row, Table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


RESULTS = ROOT / "docs" / "results" / "mini" / "results.json"
SHORT = ("Test set", "Ours", "95% interval", "Taiyi 7B", "ChatGPT 3.5")


def short_table() -> str:
    """The table of scores with what the paper says beside them, and no more."""
    whole = tables.score_table(report.load(RESULTS).results)
    kept = [place for place, column in enumerate(whole.columns) if column.name in SHORT]

    def cells(row: Row) -> tuple[str, ...]:
        # An average is named where a set has its task.
        name, *others = (row.cells[place] for place in kept)
        return (name or row.cells[0], *others)

    rows = tuple(row._replace(cells=cells(row)) for row in whole.rows)
    return md.table(Table(tuple(whole.columns[place] for place in kept), rows))


def shown(name: str) -> str:
    found = re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", README, re.DOTALL)
    assert found, f"the README has no {name}"
    return found[1].strip()


def test_the_tables_of_results_are_those_of_the_committed_run() -> None:
    assert shown("results") == report.score_table(report.load(RESULTS)).strip(), (
        "taiyi report docs/results/mini --table"
    )
    assert shown("mini") == short_table().strip(), f"of that table, the columns {SHORT}"


def test_committed_results_hold_no_text_of_corpora() -> None:
    for path in (ROOT / "docs" / "results").glob("*/results.json"):
        assert not report.load(path).samples


def test_the_readme_shows_every_command() -> None:
    shown = [line.split() for block in pages.blocks("README.md") for line in pages.commands(block.text)]
    assert {name for program, name, *_ in shown if program == "taiyi"} == set(COMMANDS)


def test_the_readme_has_every_file_and_folder_of_the_package() -> None:
    tree = re.search(r"^src/taiyi/\n(.*?)^\S", README, re.MULTILINE | re.DOTALL)
    assert tree
    named = set(re.findall(r"^  (\S+)", tree[1], re.MULTILINE))
    found = (ROOT / "src" / "taiyi").iterdir()
    there = {path.name + "/" * path.is_dir() for path in found if path.is_dir() or path.suffix == ".py"}
    assert named == {name for name in there if not name.startswith("__")}
