"""`taiyi build`: what it prints, in terminals of all widths and where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from taiyi import cli
from taiyi.evaluate import paper


def built(folder: Path, evaluate: Mapping[str, object] | None = None, **environment: str) -> str:
    """Build a recipe of two stages and return what is printed."""
    stages = [
        {"name": "stage1", "data": [{"corpus": "demo_cdr", "task": "ner"}]},
        {"name": "stage2", "replay": ["stage1"]},
    ]
    path = folder / "toy.yaml"
    path.write_text(yaml.safe_dump({"name": "toy", "stages": stages, "evaluate": evaluate or {}}))
    done = CliRunner().invoke(cli.app, ["build", str(path), "--runs", str(folder)], env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_number_or_word_of_table_1_is_cut(tmp_path: Path, width: int) -> None:
    in_a_terminal = built(tmp_path, COLUMNS=str(width), FORCE_COLOR="1")
    table = re.sub(r"\x1b\[[0-9;]*m", "", in_a_terminal).partition("stage1: ")[0]
    assert "…" not in table
    words = {word for name in paper.TABLE_1 for word in name.split()}
    numbers = {f"{n:,}" for size in paper.TABLE_1.values() for n in (size.english, size.chinese, size.both) if n}
    assert words | numbers | {f"{paper.TABLE_1_TOTAL:,}"} <= set(table.split())
    if width >= 80:
        assert max(map(len, table.splitlines())) <= width


def test_what_is_no_terminal_has_no_width(tmp_path: Path) -> None:
    lines = built(tmp_path, COLUMNS="40").splitlines()
    for name in paper.TABLE_1:
        assert [line for line in lines if line.startswith(f" {name}  ")]
    assert max(map(len, lines)) < 400


def test_build_says_how_many_records_are_in_test_sets(tmp_path: Path) -> None:
    def counted(**evaluate: object) -> tuple[str, int]:
        printed = built(tmp_path, evaluate)
        found = re.search(r"^Training records found in test sets \((.*)\): (.*)$", printed, re.MULTILINE)
        assert found
        return found[1], len(Path(found[2]).read_text().splitlines())

    said, there = counted(suites=["demo_cdr_ner"])
    assert int(said) == there > 0
    assert counted(suites=["demo_qic_tc"]) == ("0", 0)
    assert counted() == ("not looked for", 0)
