"""What the README shows is true: its tables are those of the committed results, and its commands are all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pages
from taiyi.cli import COMMANDS
from taiyi.evaluate import report

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_results_is_that_of_the_committed_run() -> None:
    shown = re.search(r"<!-- results:begin -->\n(.*?)<!-- results:end -->", README, re.DOTALL)
    assert shown, "the README has no results"
    run = report.load(ROOT / "docs" / "results" / "real-small" / "results.json")
    assert shown[1].strip() == report.score_table(run).strip(), "taiyi report docs/results/real-small --table"


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
