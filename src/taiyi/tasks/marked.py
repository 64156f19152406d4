"""A pair that is marked in a text: of both ends every mention with all its parts, `<e1>left</e1> and right<e1+>
lung</e1+>`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import regex

from taiyi.schema import Span
from taiyi.text import sentences

Mentions = Sequence[tuple[str, tuple[Span, ...]]]
"""The texts of mentions, each with the spans of its parts."""

TAG = regex.compile(r"<(/?)e([12])(\+?)>")
TAGS = tuple(f"<{end}e{number}{more}>" for number in "12" for more in ("", "+") for end in ("", "/"))
"""What marks are written with."""
GAP = " … "
"""What stands for sentences that are left out."""


def mark(text: str, shown: Sequence[Span], *ends: Mentions) -> str:
    """Return parts of a text, in order, with the mentions of a pair between tags, those that begin first or are longer
    outside; each lies in one of the parts.

    A tag has the space before its mention within it, as in tagged answers: what stands in it has the tokens that it has
    without tags.
    """
    return GAP.join(_mark(text, part, ends) for part in shown)


def _mark(text: str, shown: Span, ends: Sequence[Mentions]) -> str:
    marks: list[tuple[int, int, int, str]] = []
    for tag, mentions in zip(("e1", "e2"), ends, strict=True):
        for mention, spans in mentions:
            if spans[0].start >= shown.end or spans[-1].end <= shown.start:
                continue
            for part, (start, end) in enumerate(spans):
                start += len(mention) - len(mention.lstrip()) if part == 0 else 0
                end -= len(mention) - len(mention.rstrip()) if part == len(spans) - 1 else 0
                start -= start > shown.start and text[start - 1] == " "
                name = tag + ("+" if part else "")
                marks.append((start, 1, -end, f"<{name}>"))
                marks.append((end, 0, -start, f"</{name}>"))
    written: list[str] = []
    done = shown.start
    for at, _, _, tag in sorted(marks, key=lambda mark: mark[:3]):
        written += [text[done:at], tag]
        done = max(done, at)
    return "".join((*written, text[done : shown.end]))


def near(text: str, window: Span, one: Mentions, other: Mentions) -> tuple[Span, ...]:
    """Return the first sentence of a window, and those of the mentions of a pair that have the fewest sentences between
    them; sentences without one between them are one part."""
    found = _sentences(text, window)
    starts = [sentence.start for sentence in found]

    def lines(spans: Sequence[Span]) -> tuple[int, int]:
        """Return the numbers of the first and the last sentence of a mention."""
        return max(0, bisect_right(starts, spans[0].start) - 1), max(0, bisect_left(starts, spans[-1].end) - 1)

    pairs = list(product(*({lines(spans) for _, spans in mentions} for mentions in (one, other))))
    apart = [max(0, a[0] - b[1], b[0] - a[1]) for a, b in pairs]
    shown = {0}
    for places, distance in zip(pairs, apart, strict=True):
        if distance == min(apart):
            shown.update(number for first, last in places for number in range(first, last + 1))
    parts: list[Span] = []
    for number in sorted(shown):
        start = parts.pop().start if number - 1 in shown else found[number].start
        parts.append(Span(start, found[number].end))
    return tuple(parts)


@lru_cache(maxsize=8)
def _sentences(text: str, window: Span) -> list[Span]:
    found = sentences(text[window.start : window.end])
    return [Span(window.start + start, window.start + end) for start, end in found]


def pair(prompt: str) -> tuple[list[str], list[str]]:
    """Return the names of the marked pair of a prompt: of each the texts of its mentions, each once."""
    found: dict[str, dict[int, list[str]]] = {"1": {}, "2": {}}
    opened: dict[tuple[str, str], list[tuple[int, int]]] = {}
    plain = ""
    done = 0
    for order, match in enumerate(TAG.finditer(prompt)):
        plain += prompt[done : match.start()]
        done = match.end()
        key = (match[2], match[3])
        if not match[1]:
            opened.setdefault(key, []).append((order, len(plain)))
        elif opened.get(key):
            begun, start = opened[key].pop()
            mentions = found[match[2]]
            text = plain[start:].removeprefix(" ")
            if not match[3]:
                mentions[begun] = [text]
            elif earlier := [place for place in mentions if place < begun]:
                mentions[max(earlier)].append(text)
    names = [list(dict.fromkeys(" ".join(mentions[n]) for n in sorted(mentions))) for mentions in found.values()]
    return names[0], names[1]
