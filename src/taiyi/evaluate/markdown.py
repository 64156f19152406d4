"""Markdown that GitHub and plain eyes read alike: escaped text, tables, and parts that open at a click."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from taiyi.evaluate.tables import Table


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return regex.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def shortened(text: str, limit: int) -> str:
    """Return the beginning of a text on one line, and how long it is where that is not all of it."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= limit else f"{one_line[:limit]}… ({len(text):,} characters)"


def fenced(text: str, language: str) -> str:
    """Return a block of code, in a fence that the text does not have."""
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in regex.findall(r"`+", text)), 3)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(of: Table) -> str:
    """Return a table; numbers are set to the right."""
    lines = [[column.name for column in of.columns]]
    lines.append(["--:" if column.kind == "number" else "---" for column in of.columns])
    for row in of.rows:
        mark = "**" if row.kind == "total" else ""
        indent = "&nbsp;&nbsp;" if row.kind == "detail" else ""
        cells = [f"{mark}{escape(cell)}{mark}" if cell else "" for cell in row.cells]
        lines.append([indent + cells[0], *cells[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """Return a list of lines that are Markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def folded(title: str, inside: str) -> str:
    """Return a part that shows its title until it is opened."""
    return f"<details>\n<summary>{escape(title)}</summary>\n\n{inside}\n\n</details>"
