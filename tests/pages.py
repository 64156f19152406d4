"""The code of the documentation is run: every block of README, CONTRIBUTING and docs, in its order, page by page.

Sybil reads the blocks and makes a test of each; what a block is run by follows from its language:

- `sh`: commands, each of which has to succeed. Those that begin with `taiyi` are carried out in this process.
- `console`: commands after `$`, and what they print; `...` stands for anything.
- `python`: a program; all of a page's share their names.
- `yaml`: a recipe, or a part of one, which has to be valid.
- `diff`: a change of the file that it names.
- Others are shown alone.

What a block says beside its language is in docs/site/fences.py: a file is written, and what has needs is not run, but
its commands must have the options that they are given. A page runs in a folder of its own; if it has files under
src/taiyi, that folder has a copy of the package, which its commands then are.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fences
import pytest
import yaml
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer
from typer.testing import CliRunner

from taiyi import cli, recipe
from taiyi.checkpoint import EMBEDDED_DIR
from taiyi.errors import ModelError

ROOT = Path(__file__).parent.parent
# Data cards have tests of their own; reports are made by runs.
_OTHERS = ("docs/corpora/*.md", "report.md")
_LEXER = RawFencedCodeBlockLexer(re.compile(r"(?P<info>[^\n]*)\n"))
_WIDE = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
_COMPARED = doctest.ELLIPSIS | doctest.REPORT_NDIFF


class Block(NamedTuple):
    """A block of a page: what its first line says, and its text."""

    info: fences.Info
    text: str


def blocks(page: str) -> Iterator[Block]:
    """Yield the blocks of a page, such as `docs/use.md`."""
    for region in _parse(_SYBIL.parse(ROOT / page)):
        yield region.parsed


def play(page: Path) -> None:
    """Run the code of a page here and now.

    Raises:
        Exception: of a block that is wrong.
    """
    document = Document.parse(str(page), _parse)
    _begin(document.namespace)
    try:
        for example in document.examples():
            example.evaluate()
    finally:
        _end(document.namespace)


def _parse(document: Document) -> Iterator[Region]:
    for found in _LEXER(document):
        block = Block(fences.info(found.lexemes["info"].strip()), str(found.lexemes["source"]))
        if (evaluate := _evaluator(block.info)) is not None:
            yield Region(found.start, found.end, block, evaluate)


def _evaluator(info: fences.Info) -> Any:
    if info.needs:
        return _checked
    if info.lang == "diff":
        return _changed
    return _written if info.file else _BY_LANGUAGE.get(info.lang)


# --- the page's folder ------------------------------------------------------------------------------------------------


def _begin(namespace: dict[str, Any]) -> None:
    patch = namespace["__patch__"] = pytest.MonkeyPatch()
    folder = namespace["__folder__"] = tempfile.TemporaryDirectory()
    patch.chdir(folder.name)
    # Corpora and suites that a page makes are its own; the package has a function of the first module's name.
    patch.setattr(importlib.import_module("taiyi.catalogue.load"), "_added", {})
    patch.setattr(importlib.import_module("taiyi.evaluate.suites"), "_own", {})
    for name, value in _WIDE.items():
        patch.setenv(name, value)


def _end(namespace: dict[str, Any]) -> None:
    namespace["__patch__"].undo()
    namespace["__folder__"].cleanup()


def _place(name: str) -> Path:
    """Return where a file of the page is to be written; what is under src/taiyi lies in a copy of the package."""
    path = Path(name)
    if path.parts[:2] == ("src", "taiyi"):
        Path("src").mkdir(exist_ok=True)
        for folder in reversed(path.parents[: len(path.parts) - 2]):
            _own(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _own(folder: Path) -> None:
    """Make a folder of the package one of the copy, with links to what is in it, and thereby to what is compiled."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        return
    folder.mkdir()
    for path in (ROOT / folder).glob("*"):
        if path.name != "__pycache__":
            (folder / path.name).symlink_to(path)


def _replace(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


def _written(example: Example) -> None:
    _replace(_place(example.parsed.info.file), example.parsed.text)


def _changed(example: Example) -> str | None:
    """Carry out a diff: what it keeps and takes out has to stand in the file once."""
    path = _place(example.parsed.info.file)
    before, after = (
        "".join(line[1:] or "\n" for line in example.parsed.text.splitlines(keepends=True) if line[0] != other)
        for other in "+-"
    )
    text = path.read_text(encoding="utf-8")
    if text.count(before) != 1:
        return f"{path} has {text.count(before)} times:\n{before}"
    _replace(path, text.replace(before, after))
    return None


# --- commands ---------------------------------------------------------------------------------------------------------


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    said: str


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a block, each as one line, without comments."""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if command := re.sub(r"(^|\s+)#(\s.*|$)", "", line).strip():
            yield command


def _run(command: str) -> Done:
    line, _, out = command.partition(" > ")
    program, *arguments = shlex.split(line)
    if program != "taiyi" or "|" in line:
        return _by_shell(command)
    if Path("src").exists():
        done = _by_process([sys.executable, "-m", "taiyi", *arguments])
    else:
        result = CliRunner().invoke(cli.app, arguments, env=_WIDE)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        done = Done(result.exit_code, result.stdout if out else result.output)
    _skip_without_model(done.said if done.code else "")
    if out:
        Path(out).write_text(done.said, encoding="utf-8")
    return done


def _by_shell(command: str) -> Done:
    """Run a command that is not, or not alone, `taiyi`; where it is part of it, it is this one."""
    ours = f'python() {{ {shlex.quote(sys.executable)} "$@"; }}; taiyi() {{ python -m taiyi "$@"; }}'
    return _by_process(["bash", "-ec", f"{ours}\n{command}"])


def _by_process(command: list[str]) -> Done:
    environment = os.environ | ({"PYTHONPATH": str(Path("src").absolute())} if Path("src").exists() else {})
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Done(done.returncode, done.stdout)


def _succeeded(example: Example) -> str | None:
    for command in commands(example.parsed.text):
        done = _run(command)
        if done.code:
            return f"$ {command}\nended with {done.code}:\n{done.said}"
    return None


def _printed(example: Example) -> str | None:
    for session in re.split(r"^\$ ", example.parsed.text, flags=re.MULTILINE)[1:]:
        command, _, said = session.partition("\n")
        done = _run(command)
        if not doctest.OutputChecker().check_output(said, done.said, _COMPARED):
            return f"$ {command}\nprints:\n{done.said}\nand is said to print:\n{said}"
    return None


# --- programs and recipes ---------------------------------------------------------------------------------------------


def _program(example: Example) -> str | None:
    if Path("src").exists():
        # Programs of the page go on from one another, and are not of this process.
        program = example.namespace["__program__"] = example.namespace.get("__program__", "") + example.parsed.text
        done = _by_process([sys.executable, "-c", program])
        return done.said if done.code else None
    if example.namespace.get("__waits__"):
        pytest.skip("goes on with what the model of the package found")
    # Lines are those of the page.
    example.namespace["__file__"] = example.path
    code = compile("\n" * example.line + example.parsed.text, example.path, "exec")
    try:
        exec(code, example.namespace)
    except ModelError as error:
        # What follows needs the names that are missing now.
        example.namespace["__waits__"] = True
        _skip_without_model(str(error))
        raise
    return None


def whole(text: str) -> str:
    """Return a recipe, or a part of one with what a recipe needs besides."""
    said = yaml.safe_load(text)
    needed = {"name": "page", "stages": [{"name": "one", "data": [{"corpus": "demo_cdr", "task": "ner"}]}]}
    missing = {key: value for key, value in needed.items() if key not in said and "base" not in said | {key: ""}}
    missing |= {"name": "page"} if "name" not in said else {}
    return f"{text}\n{yaml.safe_dump(missing) if missing else ''}"


def _valid(example: Example) -> None:
    path = Path("page.yaml")
    path.write_text(whole(example.parsed.text), encoding="utf-8")
    recipe.load(path)


# --- what is not run --------------------------------------------------------------------------------------------------


def _checked(example: Example) -> str | None:
    """Hold what is not run against what there is: its commands and their options, the syntax of programs."""
    block: Block = example.parsed
    if block.info.lang == "python":
        ast.parse(block.text)
        return None
    found = [fault for command in commands(block.text) for fault in _faults(shlex.split(command))]
    return "\n".join(found) or None


def _faults(words: list[str]) -> Iterator[str]:
    """Yield what is wrong with a command that is not run, as far as that can be told from this repository."""
    if words[0] == "taiyi" or ["-m", "taiyi"] in [words[i : i + 2] for i in range(len(words))]:
        try:
            _parse_options(words[words.index("taiyi") + 1 :])
        except Exception as error:
            yield f"{shlex.join(words)}: {error}"
    elif words[0] == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        yield from (f"make {word}: no such target" for word in words[1:] if "=" not in word and word not in targets)
    elif words[0] != "python" or not words[1].endswith(".py"):
        return
    elif not (script := ROOT / words[1]).exists():
        yield f"{script}: no such file"
    else:
        known = script.read_text(encoding="utf-8")
        used = [word for word in words[2:] if word.startswith("--")]
        yield from (f"{script}: no option {option}" for option in used if f'"{option}"' not in known)


def _parse_options(arguments: list[str]) -> None:
    """Raise an exception where there is no such command or option, or an option has no value."""
    name, *rest = arguments
    if name.startswith("-"):
        return
    if name not in cli.COMMANDS:
        raise ValueError("no such command")
    command = cli.load(name)
    if below := getattr(command, "commands", None):
        # What is no command of `train` is the recipe of its first.
        command = below[rest.pop(0)] if rest and rest[0] in below else below.get("stages", command)
    context = command.make_context(name, [], resilient_parsing=True)
    context.resilient_parsing = False
    _, more, _ = command.make_parser(context).parse_args(rest)
    if more:
        raise ValueError(f"more arguments than it takes: {' '.join(more)}")


# --- the model of the package -----------------------------------------------------------------------------------------


def _skip_without_model(said: str) -> None:
    """Skip what asked the model of the package, as long as it is not there."""
    if not (EMBEDDED_DIR / "config.json").exists() and "has no model inside" in said:
        pytest.skip("the model of the package is not there yet")


_BY_LANGUAGE = {"sh": _succeeded, "console": _printed, "python": _program, "yaml": _valid}
_SYBIL = Sybil(parsers=[_parse], path=str(ROOT), patterns=["*.md"], excludes=_OTHERS, setup=_begin, teardown=_end)
collect = _SYBIL.pytest()
