"""What two texts have in common, as marks: runs of characters in their normal form, blind to case, width and spaces."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from taiyi.build.shingles import han, points
from taiyi.schema import Span

# Shorter runs are of the language, not of the text.
_RUN_EN, _RUN_ZH = 16, 6
_CHINESE = 0.3


def common(first: str, second: str) -> tuple[list[Span], list[Span]]:
    """Return the parts of each of two texts that the other has too.

    A part is covered by runs of at least 16 letters and digits, or 6 where the text is Chinese; the whole of a shorter
    text counts as one.
    """
    run = _RUN_ZH if han(points(first + second)) > _CHINESE else _RUN_EN
    letters, others = _letters(first), _letters(second)
    run = min(run, len(letters) or run, len(others) or run)
    return _covered(letters, others, run), _covered(others, letters, run)


_Letter = tuple[str, int]


def _letters(text: str) -> list[_Letter]:
    """The letters and digits of a text in normal form, each with the place of the character that it is from."""
    return [
        (letter, place)
        for place, character in enumerate(text)
        for letter in unicodedata.normalize("NFKC", character).casefold()
        if letter.isalnum()
    ]


def _covered(letters: Sequence[_Letter], others: Sequence[_Letter], run: int) -> list[Span]:
    own, other = "".join(letter for letter, _ in letters), "".join(letter for letter, _ in others)
    known = {other[i : i + run] for i in range(len(other) - run + 1)}
    spans: list[Span] = []
    end = 0
    for i in range(len(own) - run + 1):
        if own[i : i + run] in known:
            start = letters[i][1]
            # Runs that overlap or follow one another are one part, with what stands between their letters.
            if spans and i <= end:
                start = spans.pop().start
            end = i + run
            spans.append(Span(start, letters[end - 1][1] + 1))
    return spans
