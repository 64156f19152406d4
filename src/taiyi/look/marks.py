"""Marks in texts: where what an answer names stands in its prompt, and the HTML of a text with marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import regex
from markupsafe import Markup, escape

from taiyi.look.answers import named
from taiyi.schema import Example, Mentions
from taiyi.text import legible

COLOURS = 8
# Longer lists of places are of no use to a reader.
_PLACES = 60


class Mark(NamedTuple):
    """A part of a text, and what it is."""

    start: int
    end: int
    name: str = ""


def mentions(example: Example) -> list[Mark]:
    """Return where the mentions of the gold stand in the last message: as annotated, or wherever their text occurs.

    Types are under the names that the prompt shows.
    """
    if not example.messages:
        return []
    prompt = example.messages[-1].content
    shown = {t.name: t.shown for t in example.types}
    if isinstance(example.gold, Mentions) and example.tagging is not None:
        at = example.tagging.at
        return [
            Mark(at + m.span.start, at + m.span.end, shown.get(m.type, m.type)) for m in example.gold.items if m.span
        ]
    found: dict[tuple[int, int], Mark] = {}
    for name, text in dict.fromkeys(named(example.gold)):
        # Within a word a name such as "AR" is none; Chinese has no spaces, so there any place will do.
        before, after = (r"(?<!\w)" if _word(text[0]) else ""), (r"(?!\w)" if _word(text[-1]) else "")
        for place in regex.finditer(before + regex.escape(text) + after, prompt):
            found.setdefault(place.span(), Mark(*place.span(), shown.get(name, name)))
            if len(found) >= _PLACES:
                return list(found.values())
    return list(found.values())


def html(
    text: str, marks: Iterable[Mark] = (), *, limit: int, begin: int = 0, colours: Mapping[str, int] | None = None
) -> Markup:
    """Return a part of a text as HTML with its marks: from `begin`, up to so many characters.

    `colours` are those of named marks. Marks that cross another, or the end of what is shown, are left out.
    """
    end = min(len(text), begin + limit)
    placed = _nested(mark for mark in marks if begin <= mark.start < mark.end <= end)
    edges: list[tuple[int, int, int, Mark]] = []
    for order, mark in enumerate(placed):
        edges.append((mark.start, 1, order, mark))
        edges.append((mark.end, 0, -order, mark))
    written = [Markup('<span class="cut">… </span>')] if begin else []
    done = begin
    for place, opens, _, mark in sorted(edges, key=lambda edge: edge[:3]):
        written.append(escape(legible(text[done:place])))
        done = place
        if opens:
            written.append(
                Markup('<mark class="c{}">').format((colours or {}).get(mark.name, 0))
                if mark.name
                else Markup("<mark>")
            )
        else:
            written.append(Markup("<i>{}</i></mark>").format(legible(mark.name)) if mark.name else Markup("</mark>"))
    written.append(escape(legible(text[done:end])))
    if end < len(text):
        written.append(Markup('<span class="cut"> … {:,} of {:,} characters</span>').format(end - begin, len(text)))
    return Markup("").join(written)


def palette(example: Example, marks: Iterable[Mark]) -> dict[str, int]:
    """Return a colour for each type that the prompt of an example asks for, and for what else is marked in it."""
    names = dict.fromkeys([*(t.shown for t in example.types), *(mark.name for mark in marks)])
    return {name: number % COLOURS for number, name in enumerate(names)}


def _nested(marks: Iterable[Mark]) -> Sequence[Mark]:
    placed: list[Mark] = []
    stack: list[Mark] = []
    for mark in sorted(marks, key=lambda m: (m.start, -m.end, m.name)):
        while stack and stack[-1].end <= mark.start:
            stack.pop()
        if stack and mark.end > stack[-1].end:
            continue
        placed.append(mark)
        stack.append(mark)
    return placed


def _word(character: str) -> bool:
    return bool(regex.match(r"[\p{L}\p{N}--\p{Han}]", character, flags=regex.VERSION1))
