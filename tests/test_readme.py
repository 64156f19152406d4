"""What the README shows is true: its tables are those of the committed results, and its commands are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from taiyi.cli import COMMANDS, _load, app  # pyright: ignore[reportPrivateUsage]
from taiyi.evaluate import report

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND_LINES = sorted(set(re.findall(r"^(taiyi .*?)(?:\s+#.*)?$", README, re.MULTILINE)))


def test_the_table_of_results_is_that_of_the_committed_run() -> None:
    shown = re.search(r"<!-- results:begin -->\n(.*?)<!-- results:end -->", README, re.DOTALL)
    assert shown, "the README has no results"
    run = report.load(ROOT / "docs" / "results" / "real-small" / "results.json")
    assert shown[1].strip() == report.score_table(run).strip(), "taiyi report docs/results/real-small --table"


def test_committed_results_hold_no_text_of_corpora() -> None:
    for path in (ROOT / "docs" / "results").glob("*/results.json"):
        assert not report.load(path).samples


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_commands_are_there_with_their_options(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    assert name in COMMANDS
    command = _load(name)
    if commands := getattr(command, "commands", None):
        # What is no command of `train` is the recipe of its first.
        command = commands[arguments.pop(0)] if arguments[0] in commands else commands.get("stages", command)
    known = {option for parameter in command.params for option in parameter.opts}
    assert {a for a in arguments if a.startswith("--")} <= known


def test_the_readme_shows_commands() -> None:
    assert {shlex.split(line)[1] for line in COMMAND_LINES} == set(COMMANDS)
    assert get_command(app) is not None


def test_the_readme_has_every_file_and_folder_of_the_package() -> None:
    tree = re.search(r"^src/taiyi/\n(.*?)^\S", README, re.MULTILINE | re.DOTALL)
    assert tree
    named = set(re.findall(r"^  (\S+)", tree[1], re.MULTILINE))
    found = (ROOT / "src" / "taiyi").iterdir()
    there = {path.name + "/" * path.is_dir() for path in found if path.is_dir() or path.suffix == ".py"}
    assert named == {name for name in there if not name.startswith("__")}
