"""Where a quotation stands in a text: character by character, but for case, width, white space and the shape of quotes.

What may matter is compared as it is: words, numbers, signs such as `<` and `.`, and accents.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from taiyi.schema import Span

_ALIKE = str.maketrans(
    {**dict.fromkeys("“”„‟«»「」『』″", '"'), **dict.fromkeys("‘’‚‛′`´", "'")} | dict.fromkeys("‐‑‒–—−", "-")
)
_WORD = regex.compile(r"(?!\p{Han})[\p{L}\p{M}\p{N}]")
_EDGE = " \t\r\n\"'.,;:!?…。，；：！？、"


class _Form(NamedTuple):
    """A text as it is compared, and for each of its characters which one of the text it comes from."""

    text: str
    origins: Sequence[int]


def find(quote: str, text: str) -> Span | None:
    """Return where a quotation stands in a text, or None where it does not.

    Marks at its ends do not count. It begins and ends at words: `5 mg` does not stand in `15 mg`, nor in `0.5 mg`.
    """
    wanted = _form(quote).text.strip(_EDGE)
    if not wanted:
        return None
    form = _form(text)
    begin = form.text.find(wanted)
    while begin >= 0:
        end = begin + len(wanted)
        if _whole(form, begin) and _whole(form, end):
            return Span(form.origins[begin], form.origins[end - 1] + 1)
        begin = form.text.find(wanted, begin + 1)
    return None


def _form(text: str) -> _Form:
    letters: list[str] = []
    origins: list[int] = []
    for index, letter in enumerate(text):
        for part in _plain(letter):
            letters.append(" " if part.isspace() else part)
            origins.append(index)
    # White space counts between words that are written with it, once.
    kept = [index for index, letter in enumerate(letters) if letter != " " or _parts_words(letters, index)]
    return _Form("".join(letters[index] for index in kept), [origins[index] for index in kept])


@lru_cache(maxsize=1 << 14)
def _plain(letter: str) -> str:
    """Return a character without its case and width; a raised digit stays one, for 10⁵ is not 105."""
    if unicodedata.decomposition(letter).startswith("<super>"):
        return letter
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold()).translate(_ALIKE)
    # What only joins or hyphenates is not seen.
    return "".join(part for part in plain if unicodedata.category(part) != "Cf")


def _parts_words(letters: Sequence[str], index: int) -> bool:
    if index == 0 or not _WORD.match(letters[index - 1]):
        return False
    after = next((letter for letter in itertools.islice(letters, index, None) if letter != " "), "")
    return bool(_WORD.match(after))


def _whole(form: _Form, at: int) -> bool:
    """Whether no word, number or character of the text goes on across a place."""
    text, origins = form
    if at in (0, len(text)):
        return True
    if origins[at - 1] == origins[at] or (_WORD.match(text[at - 1]) and _WORD.match(text[at])):
        return False
    point = at - 1 if text[at - 1] in ".," else at
    if text[point] not in ".," or not text[point + 1 : point + 2].isdigit():
        return True
    # A number goes on across its point or comma, or begins with it.
    if origins[point + 1] != origins[point] + 1:
        return True
    begins = point == 0 or origins[point - 1] + 1 != origins[point]
    return not (begins or text[point - 1].isdigit())
