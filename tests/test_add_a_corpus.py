"""docs/add-a-corpus.md does what it says, in a copy of the package."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import taiyi
from taiyi import catalogue

ROOT = Path(__file__).parents[1]
FILES = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FRAGMENTS = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, with the files of the page in their places."""
    root = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "train", "generate", "demo")
    shutil.copytree(Path(taiyi.__file__).parent, root / "src" / "taiyi", ignore=ignored)
    page = (ROOT / "docs" / "add-a-corpus.md").read_text(encoding="utf-8")
    files = FILES.findall(page)
    assert len(files) == 4
    for name, content in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    return root


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    command = [sys.executable, "-m", "taiyi", *arguments]
    return subprocess.run(command, env=environment, cwd=copy, capture_output=True, text=True, check=False)


def test_the_commands_print_what_the_page_says(copy: Path) -> None:
    page = (ROOT / "docs" / "add-a-corpus.md").read_text(encoding="utf-8")
    (session,) = COMMANDS.findall(page)
    command, _, said = session.partition("\n")
    done = run(copy, *shlex.split(command.removeprefix("$ taiyi ")))
    assert (done.stderr, done.stdout, done.returncode) == ("", said, 0)


def test_the_corpus_is_listed_and_shown(copy: Path) -> None:
    assert "headache_questions" in run(copy, "corpora", "list").stdout
    card = run(copy, "corpora", "show", "headache_questions").stdout
    assert "what brings the headache on" in card
    assert "Can bright light, or noise, bring on a headache?" in card


def test_what_only_some_corpora_have_are_fields_of_an_entry() -> None:
    page = (ROOT / "docs" / "add-a-corpus.md").read_text(encoding="utf-8")
    (fragment,) = FRAGMENTS.findall(page)
    found: dict[str, Any] = {}
    exec(fragment, found)
    fields = {name: found[name] for name in ("relation_types", "scale", "roles")}
    entry = dataclasses.replace(catalogue.get("biosses"), **fields)
    assert (entry.scale, entry.roles) == (found["scale"], found["roles"])
    assert [name for name, type in entry.relation_types.items() if type.symmetric] == ["interacts"]


def test_what_is_wrong_in_the_fixture_is_said(copy: Path) -> None:
    path = copy / "src/taiyi/corpora/fixtures/official/headache_questions/test.csv"
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}3,Who knows?,X\n", encoding="utf-8")
    done = run(copy, "corpora", "check", "--fixtures", "headache_questions")
    path.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    for fault in ("records is 2, expected 1", "two records have the id '3'", "label 'X' is not declared"):
        assert fault in done.stdout
