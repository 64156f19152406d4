"""Windows of whole sentences over a long text."""

from __future__ import annotations

from taiyi.schema import Span
from taiyi.text import sentences


def windows(text: str, max_chars: int, overlap_chars: int = 0) -> list[Span]:
    """Cut a text into windows of whole sentences, each as long as `max_chars` allows but at least one sentence.

    Every character that is not white space is in a window, and without overlap in exactly one; 0 asks for one window
    over all. A window that overlaps begins with the fewest sentences of the one before that have `overlap_chars`
    characters, as far as it can hold one sentence more.
    """
    if max_chars == 0:
        return [Span(0, len(text))]
    found: list[list[tuple[int, int]]] = []
    for sentence in sentences(text):
        if found and sentence[1] - found[-1][0][0] <= max_chars:
            found[-1].append(sentence)
            continue
        shared = _last(found[-1], overlap_chars) if found and overlap_chars else []
        while shared and sentence[1] - shared[0][0] > max_chars:
            shared = shared[1:]
        found.append([*shared, sentence])
    return [Span(window[0][0], window[-1][1]) for window in found]


def _last(window: list[tuple[int, int]], chars: int) -> list[tuple[int, int]]:
    """Return the fewest last sentences of a window, not all of them, that have so many characters."""
    end = window[-1][1]
    for first in range(len(window) - 1, 0, -1):
        if end - window[first][0] >= chars:
            return window[first:]
    return window[1:]
