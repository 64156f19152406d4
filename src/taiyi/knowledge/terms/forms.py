"""Names and words in the forms by which they are compared, and where the words of a text stand.

Two names are one where their keys are: case, width, accents, hyphens and spaces, Greek letters written out, and the
plural of the last word do not count, nor does a possessive `'s`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from taiyi.schema import Span

# Unicode calls lambda "lamda".
_GREEK = {c: unicodedata.name(c).split()[-1].lower() for c in "αβγδεζηθικλμνξοπρστυφχψως"} | {"λ": "lambda"}
# Characters that are not seen: soft hyphens, zero-width spaces and joiners, byte order marks.
_UNSEEN = "\u00ad\u200b-\u200d\u2060\ufeff"
_LETTER = r"[[\p{Latin}\p{Greek}\p{N}]--\p{Han}]"
_WORD = regex.compile(rf"(?V1){_LETTER}(?:{_LETTER}|[\p{{M}}{_UNSEEN}])*")
_POSSESSIVE = regex.compile(r"(?<=\p{L})['’]s(?!\p{L})")
_POSSESSIVE_S = regex.compile(r"(?<=\p{L}['’])[sS](?!\p{L})")
_NOT_KEY = regex.compile(r"[^\p{L}\p{N}]+")
_MARKUP = regex.compile(
    r"<[/!]?[a-zA-Z][^<>]{0,500}>|&(?:[a-zA-Z]{2,10}|#\d{1,7}|#x[0-9a-fA-F]{1,6});|https?://\S{1,500}|www\.\S{1,500}|"
    r"[\w.+-]{1,100}@[\w-]{1,100}(?:\.[\w-]{1,100}){1,10}"
)
HAN = regex.compile(r"\p{Han}")
_ENDINGS = (
    ("ies", "i"), ("y", "i"), ("osis", "os"), ("asis", "as"), ("esis", "es"), ("ysis", "ys"), ("es", ""), ("s", ""),
    ("e", ""),
)  # fmt: skip
_LONG_WORD = regex.compile(r"[a-z]{5,}$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: where it stands, as it stands there, and folded."""

    span: Span
    text: str
    folded: str


@dataclass(frozen=True, slots=True)
class Run:
    """Folded letters and digits that stand together in a text, and where each came from."""

    folded: str
    starts: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """Return where a part of the run stands in the text."""
        return Span(self.starts[start], self.starts[end - 1] + 1)


def fold(text: str) -> str:
    """Return a text in lower case, of usual width, without accents, and with Greek letters written out."""
    return "".join(map(_fold_character, unicodedata.normalize("NFKC", text)))


@lru_cache(maxsize=1 << 14)
def _fold_character(character: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
    return "".join(_GREEK.get(c, c) for c in plain if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 16)
def _fold_word(word: str) -> str:
    return _NOT_KEY.sub("", fold(word))


def stem(folded: str) -> str:
    """Return a folded word or name without the ending by which plural and singular differ, such as of `-cyclines`.

    It serves to compare only: `disease` and `diseases` are `diseas`, `thrombosis` and `thromboses` are `thrombos`.
    """
    if not _LONG_WORD.search(folded) or folded.endswith(("ss", "us", "itis")):
        return folded
    for ending, other in _ENDINGS:
        if folded.endswith(ending):
            return folded.removesuffix(ending) + other
    return folded


def key(name: str) -> str:
    """Return what a name shares with all that is the same name; empty where it has no letter or digit."""
    return stem(_NOT_KEY.sub("", _POSSESSIVE.sub("", fold(name))))


def words(text: str) -> list[Word]:
    """Return the words of a text in Latin or Greek letters and digits.

    Tags of HTML, addresses and links have none, and a possessive `'s` is none.
    """
    skipped = sorted(match.span() for pattern in (_MARKUP, _POSSESSIVE_S) for match in pattern.finditer(text))
    found: list[Word] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        while skipped and skipped[0][1] <= start:
            del skipped[0]
        if skipped and skipped[0][0] < end:
            continue
        if folded := _fold_word(match[0]):
            found.append(Word(Span(start, end), match[0], folded))
    return found


def runs(text: str) -> Iterator[Run]:
    """Yield the parts of a text that have Han characters: letters and digits with at most one mark between them.

    A hyphen, a dot, a bracket or a space may stand within a name; any other mark ends a part.
    """
    if not HAN.search(text):
        return
    letters: list[str] = []
    starts: list[int] = []
    for start, character in _kept(text):
        if character:
            letters += character
            starts += [start] * len(character)
        elif letters:
            yield from _run(letters, starts)
            letters, starts = [], []
    yield from _run(letters, starts)


_WITHIN = frozenset("-‐‑–·・()（）[]［］'’ \u00ad\u200b\u200c\u200d\u2060\ufeff")


def _kept(text: str) -> Iterator[tuple[int, str]]:
    """Yield folded letters and digits with their places, and an empty text where a part of the text ends."""
    skipped = 0
    for index, character in enumerate(text):
        kept = _fold_word(character)
        if kept:
            skipped = 0
            yield index, kept
        elif unicodedata.combining(character):
            continue
        elif character not in _WITHIN or (skipped := skipped + 1) > 1:
            yield index, ""


def _run(letters: list[str], starts: list[int]) -> Iterator[Run]:
    folded = "".join(letters)
    if HAN.search(folded):
        yield Run(folded, tuple(starts))
