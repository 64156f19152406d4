"""The reference of the command line, made of what `--help` says of every command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from taiyi import cli

_EXAMPLE = re.compile(r"(?:For example|Example): (.*)$", re.MULTILINE)


def markdown() -> str:
    """Return a section for each command, and for those below it: what it does, how it is called, and its options."""
    return "\n\n".join(part for name in cli.COMMANDS for part in _sections(cli.load(name), f"taiyi {name}", 2))


def _sections(command: Any, path: str, level: int) -> Iterator[str]:
    below: dict[str, Any] = getattr(command, "commands", {})
    context = command.make_context(path, [], resilient_parsing=True)
    yield f"{'#' * level} {path}"
    text = inspect.cleandoc(command.help or "")
    yield _EXAMPLE.sub("", text).strip()
    if not below or getattr(command, "invoke_without_command", False):
        yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
        yield _table(command, context)
    if examples := _EXAMPLE.findall(text):
        yield "\n".join(["```sh", *examples, "```"])
    for name, one in below.items():
        yield from _sections(one, f"{path} {name}", level + 1)


def _table(command: Any, context: Any) -> str:
    records = [record for one in command.params if (record := one.get_help_record(context))]
    if not records:
        return ""
    rows = [f"| {_code(names)} | {_plain(help)} |" for names, help in records]
    return "\n".join(["| Argument or option | What it is |", "| --- | --- |", *rows])


def _code(text: str) -> str:
    return "`" + text.replace("|", r"\|") + "`"


def _plain(text: str) -> str:
    """Return a help text as Markdown that looks the same."""
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", text)
