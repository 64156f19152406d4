"""Lists as models write them: items between semicolons, with a backslash before what would be read as a mark."""

from __future__ import annotations

import regex

_MARKS = regex.compile(r"[\\;；]")
_ITEM = regex.compile(r"(?:\\.|[^\\;；])+", regex.DOTALL)
_WHOLE = regex.compile(r"(?:(?:\\.|[^\\;；\n])*+\\?[;；\n])*+")
_ESCAPE = regex.compile(r"\\(.)", regex.DOTALL)


def escape(item: str) -> str:
    """Write an item so that `split` gives it back."""
    return _MARKS.sub(lambda match: "\\" + match[0], item).replace("\n", "\\n")


def unescape(text: str) -> str:
    r"""Return the item that `escape` wrote: a backslash and `n` are a line break, before others a backslash goes."""
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def split(text: str) -> list[str]:
    """Return the items between semicolons, ASCII or full-width, still escaped and without white space at the ends."""
    return [item for part in _ITEM.findall(text) if (item := part.strip())]


def cut(text: str) -> str:
    """Return a list, in one line or several, without its last item, which was cut: all up to the last mark or break.

    A list that ends with a mark or a line break has no item after it, and stays whole.
    """
    match = _WHOLE.match(text)
    assert match is not None
    return match[0].rstrip()


def cut_lines(text: str) -> str:
    """Return a list of one item a line without its last, which was cut; one that ends with a line break stays whole."""
    return text[: text.rfind("\n") + 1].rstrip()
