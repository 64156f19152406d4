"""Windows of whole sentences over a long text."""

from __future__ import annotations

from taiyi.schema import Span
from taiyi.text import sentences


def windows(text: str, max_chars: int) -> list[Span]:
    """Cut a text into windows of whole sentences, each as long as `max_chars` allows but at least one sentence.

    Every character that is not white space is in exactly one window; 0 asks for one window over all.
    """
    if max_chars == 0:
        return [Span(0, len(text))]
    found: list[Span] = []
    for start, end in sentences(text):
        if found and end - found[-1].start <= max_chars:
            found[-1] = Span(found[-1].start, end)
        else:
            found.append(Span(start, end))
    return found
