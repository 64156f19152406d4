"""Texts as they are given: their language, and their windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from taiyi.build.windows import windows
from taiyi.schema import Lang, Span
from taiyi.text import HALF_PAIR, half_pair
from taiyi.text import language as language_of

Asks = Literal["auto", "en", "zh"]
"""A language that is asked in; `auto` is that of the text."""
_MOST_CHARS = 1 << 22


class Part(NamedTuple):
    """Some of a text: at which character of it this begins, and the windows of it."""

    at: int
    text: str
    windows: list[Span]


def language(text: str, wanted: Asks = "auto") -> Lang:
    """Return the language that is wanted, else that of the text."""
    return language_of(text) if wanted == "auto" else wanted


def parts(blocks: Iterable[str], max_chars: int) -> Iterator[Part]:
    """Cut a text into windows of whole sentences (`build.windows`) as it is read; memory does not grow with it.

    Where a window ends may follow from the sentence after the next one, so the last two wait for what comes.
    """
    at, held, enough = 0, "", 0
    for block in blocks:
        held += block
        if len(held) < enough:
            continue
        if len(found := windows(held, max_chars)) > 2:
            end = found[-2].start
            yield Part(at, held[:end], found[:-2])
            at, held = at + end, held[end:]
        # What has no end of a sentence is not looked through again for each block.
        enough = 2 * len(held)
    if found := windows(held, max_chars):
        yield Part(at, held, found)


def fault(text: str) -> str:
    """Return what keeps a text from being asked about; empty where nothing does."""
    if not text.strip():
        return "the text is empty"
    at = half_pair(text)
    return "" if at is None else f"{HALF_PAIR} at character {at}"


def too_long(num_chars: int) -> str:
    """Return a fault where so many characters are read at once as no context holds: to count their tokens would take
    gigabytes."""
    return f"no model reads {num_chars:,} characters at once" if num_chars > _MOST_CHARS else ""
