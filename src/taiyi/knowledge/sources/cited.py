"""Answers with citations as a model writes them: statements, numbers of passages, and words quoted from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import regex

_MARK = regex.compile(r"[\[［【]\s*(\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*)\s*[\]］】]")
_QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "«": "»", "‘": "’"}
_OPENING = "".join(_QUOTES)
_CLOSING = "".join(_QUOTES.values())
_OPENED = regex.compile(rf"[\s:：,，(（]*([{_OPENING}])")
_BULLET = regex.compile(r"^\s*(?:[-*•–]\s+|\d{1,2}[.)、．]\s*)")
_LAST_QUOTE = regex.compile(rf"[{_OPENING}]([^{_OPENING}{_CLOSING}]+)[{_CLOSING}]\s*[(（]?\s*$")
_WORDLESS = regex.compile(r"[^\p{L}\p{N}]*")


class Cited(NamedTuple):
    """A passage that a statement names, by its number, and the quotation that is to support it; empty without one."""

    number: int
    quote: str


class Written(NamedTuple):
    """A statement and what it names."""

    text: str
    cited: tuple[Cited, ...]


def parse(answer: str) -> list[Written]:
    """Return the statements of an answer, in order; a line of citations alone belongs to the statement before."""
    found: list[Written] = []
    for line in answer.splitlines():
        for written in _statements(_BULLET.sub("", line)):
            if not _WORDLESS.fullmatch(written.text):
                found.append(written)
            elif written.cited and found:
                found[-1] = Written(found[-1].text, _joined(found[-1].cited, written.cited))
            elif quotes := [cited.quote for cited in written.cited if cited.quote]:
                found.append(Written(quotes[0], written.cited))
    return found


def _joined(before: tuple[Cited, ...], after: tuple[Cited, ...]) -> tuple[Cited, ...]:
    """Put what a statement names together: a number whose quotation comes on the next line is one citation."""
    later = {cited.number for cited in after if cited.quote}
    return (*(cited for cited in before if cited.quote or cited.number not in later), *after)


def _statements(line: str) -> Iterator[Written]:
    """Split a line after each citation with a quotation."""
    text, cited, at = "", list[Cited](), 0
    marks = list(_MARK.finditer(line))
    for index, mark in enumerate(marks):
        text += line[at : mark.start()]
        end = marks[index + 1].start() if index + 1 < len(marks) else len(line)
        quote, at = _quoted(line, mark.end(), end)
        if not quote and (before := _LAST_QUOTE.search(text)):
            # The quotation stands before the number.
            quote = before[1]
            text = text[: before.start()]
        cited += [Cited(int(number), quote) for number in regex.findall(r"\d+", mark[1])]
        if quote and not _WORDLESS.fullmatch(line[at:end]):
            yield Written(_clean(text), tuple(cited))
            text, cited = "", []
    text += line[at:]
    if text.strip() or cited:
        yield Written(_clean(text), tuple(cited))


def _quoted(line: str, start: int, end: int) -> tuple[str, int]:
    """Return the quotation at a place, empty where there is none, and where the line goes on."""
    opening = _OPENED.match(line, start, end)
    if opening is None:
        return "", start
    open, close, depth = opening[1], _QUOTES[opening[1]], 1
    for index in range(opening.end(), end):
        if line[index] == close:
            depth -= 1
        elif line[index] == open:
            depth += 1
        if depth == 0:
            return line[opening.end() : index], index + 1
    # The answer was cut at its limit, or the mark forgotten.
    return line[opening.end() : end], end


def _clean(text: str) -> str:
    """Return a statement without what is left of its citations."""
    text = regex.sub(r"\s+", " ", text).strip()
    return regex.sub(r"\s+(?=[.,;:!?。，；：！？])|[\s:：(（]+$", "", text)
