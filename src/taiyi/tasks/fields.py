"""Fields of an answer's items, such as the head of a triple: written so that what stands around them is not read in
them."""

from __future__ import annotations

import regex

from taiyi.tasks import listing

# A comma with an even number of backslashes before it and, if it is an ASCII one, white space after it.
SEPARATOR = regex.compile(r"(?<=(?<!\\)(?:\\\\)*)(?:,\s+|，\s*)")
_COMMA = regex.compile(r",(?=\s|$)|，")
_MARK = regex.compile(r"\\(.)|([:：])", regex.DOTALL)
_NAME = regex.compile(r"[\\:：]")


def escape(field: str) -> str:
    """Write a field so that the comma and white space between the fields of a triple cannot be read in it."""
    return _COMMA.sub(lambda match: "\\" + match[0], listing.escape(field))


def escape_name(name: str) -> str:
    """Write what stands before a colon, so that `split_name` gives it back."""
    return _NAME.sub(lambda match: "\\" + match[0], name).replace("\n", "\\n")


def split_name(text: str) -> tuple[str, str] | None:
    """Return what stands before the first colon, unescaped, and what stands after it, as it is; None without colon."""
    for match in _MARK.finditer(text):
        if match[2]:
            return listing.unescape(text[: match.start()].strip()), text[match.end() :].strip()
    return None
