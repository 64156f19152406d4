"""Positions as the i2b2 challenges of 2009 and 2010 give them: `line:token`, lines from 1 and tokens from 0.

A token is what stands between spaces or tabs of a line.
"""

from __future__ import annotations

import re

from taiyi.formats import checked
from taiyi.schema import Span

_STOPS = ".,;:"
_TOKEN = re.compile(r"[^ \t\r\n]+")
POSITION = r"\d{1,9}:\d{1,9} \d{1,9}:\d{1,9}"
_POSITIONS = re.compile(rf"(?:{POSITION})(?:(?: *, *| +)(?:{POSITION}))*")
_NUMBERS = re.compile(r"(\d+):(\d+) (\d+):(\d+)")


class Tokens:
    """A text of which spans are asked for by the positions of tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines: list[tuple[int, str]] = []
        start = 0
        for line in text.split("\n"):
            self._lines.append((start, line))
            start += len(line) + 1

    def span(self, first: tuple[int, int], last: tuple[int, int]) -> Span | None:
        """Return where the text from one token to another stands; None if there is no such token."""
        start, end = self._token(*first), self._token(*last)
        return Span(start[0], end[1]) if start and end and start[0] < end[1] else None

    def _token(self, line: int, number: int) -> tuple[int, int] | None:
        if not 0 < line <= len(self._lines):
            return None
        start, text = self._lines[line - 1]
        tokens = list(_TOKEN.finditer(text))
        return (start + tokens[number].start(), start + tokens[number].end()) if number < len(tokens) else None

    def spans(self, positions: str) -> list[Span] | None:
        """Return the spans of one or more `line:token line:token`; None if one is none, or is not in the text."""
        if not _POSITIONS.fullmatch(positions):
            return None
        found = [self.span((int(a), int(b)), (int(c), int(d))) for a, b, c, d in _NUMBERS.findall(positions)]
        kept = [span for span in found if span]
        return kept if len(kept) == len(found) else None

    def narrowed(self, span: Span, given: str) -> Span | None:
        """Return where a mention stands within the tokens that hold it; None if they do not.

        The files give mentions in lower case with one space between tokens, and at times without the stop or comma
        that is part of the last token.
        """
        words = given.split()
        if not words:
            return None
        pattern = re.compile(r"\s+".join(re.escape(word) for word in words), re.IGNORECASE)
        match = pattern.search(self.text, span.start, span.end)
        return Span(*match.span()) if match else None

    def trimmed(self, span: Span) -> Span:
        """Return a span without the stops and commas at its ends, unless it is nothing else."""
        text = self.text[span.start : span.end]
        kept = text.strip(_STOPS)
        start = span.start + text.index(kept)
        return Span(start, start + len(kept)) if kept else span


def mismatch(found: str, given: str) -> str:
    """Return what a Reject says of a mention that its tokens do not hold."""
    return f"the tokens are {checked.shown(found)}, the mention {checked.shown(given)}"
