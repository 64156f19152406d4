"""Answers in JSON, on one line; read as models write it, in code fences and between other words too."""

from __future__ import annotations

import json
from typing import Any, cast

from taiyi.errors import Unparsable
from taiyi.schema import Lang
from taiyi.templates import words

Json = dict[str, Any] | list[Any]

# Brackets of prose before the answer are tried and passed over, but not without end.
_MOST_TRIED = 100


def _merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a key that comes twice with arrays, both are kept, else the last value, as JSON has it."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        before = found.get(key)
        found[key] = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_merged)
_CLOSING = {"[": "]", "{": "}"}


def write(value: Json) -> str:
    """Write an answer on one line, letters of all languages as they are."""
    return json.dumps(value, ensure_ascii=False)


def read(text: str, lang: Lang) -> Json:
    """Return the longest array or object in a text; the word for none is an empty array.

    Raises:
        Unparsable: there is none.
    """
    if not text.strip():
        raise Unparsable("the answer is empty", expected="JSON")
    if text.strip(" \n.。") == words(lang).none:
        return []
    best: Json | None = None
    longest = at = tried = 0
    while tried < _MOST_TRIED and (found := _opening(text, at)) is not None:
        tried += 1
        try:
            value, end = cast("tuple[Json, int]", _DECODER.raw_decode(text, found))
        except (ValueError, RecursionError):
            at = found + 1
            continue
        if end - found > longest:
            best, longest = value, end - found
        at = end
    if best is None:
        raise Unparsable("the answer holds no JSON", got=repr(text[:60]), expected="an array or object")
    return best


def rows(value: Json) -> list[dict[str, Any]]:
    """Return the objects of an answer that is an array of them; one object alone is an array of one.

    Raises:
        Unparsable: an item is something else.
    """
    items: list[Any] = [value] if isinstance(value, dict) else value
    for item in items:
        if not isinstance(item, dict):
            raise Unparsable("an item is no object", got=shown(item))
    return cast("list[dict[str, Any]]", items)


def text_of(row: dict[str, Any], *keys: str) -> str:
    """Return the text or number under the first of some keys that an object has.

    Raises:
        Unparsable: it has none of them, or something else is there.
    """
    for key in keys:
        if key in row:
            return string(row[key])
    raise Unparsable("an item lacks a part", got=shown(row), expected=keys[0])


def string(value: Any) -> str:
    """Return a text, without white space at its ends; a number as it is written.

    Raises:
        Unparsable: it is neither, or holds half of a character, as escapes in JSON can.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Unparsable("a part is no text", got=shown(value))
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Unparsable("a text holds half of a character", got=ascii(value[:60]))
    return value.strip()


def texts(value: Any) -> list[str]:
    """Return the texts of an array; one text alone is an array of one."""
    return [string(item) for item in cast("list[Any]", value)] if isinstance(value, list) else [string(value)]


def cut(text: str, items: str = "[") -> str:
    """Return an answer that was cut without its last item, closed; `items` are the brackets that are open around items.

    An answer that is whole stays as it is; one that was cut within its first item is empty.
    """
    begin = _opening(text, 0)
    if begin is None:
        return ""
    stack: list[str] = []
    kept = ""
    quoted = escaped = False
    for at in range(begin, len(text)):
        character = text[at]
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
                if "".join(stack) == items and items[-1] == "[":
                    kept = text[begin : at + 1]
        elif character == '"':
            quoted = True
        elif character in "[{":
            stack.append(character)
        elif character in "]}":
            if not stack or _CLOSING[stack.pop()] != character:
                break
            if not stack:
                return text
            if "".join(stack) == items:
                kept = text[begin : at + 1]
    return kept and kept + "".join(_CLOSING[bracket] for bracket in reversed(items))


def shown(value: Any) -> str:
    """Return the beginning of a value, for errors."""
    return ascii(value)[:60]


def _opening(text: str, at: int) -> int | None:
    found = [place for place in (text.find("[", at), text.find("{", at)) if place >= 0]
    return min(found, default=None)
