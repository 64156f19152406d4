"""Abbreviations that a text explains: the short form in brackets after the long one, or the long one after the short
(Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions, PSB 2003)."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from taiyi.text import sentences

_BRACKETS = regex.compile(r"\(([^()]+)\)|\[([^\[\]]+)\]")
_MORE = regex.compile(r"[;,]\s")
_WORD = regex.compile(r"\S+$")


def abbreviations(text: str) -> Iterator[tuple[str, str]]:
    """Yield the short and the long form of each abbreviation that a text explains, as they stand in it."""
    for start, end in sentences(text):
        for match in _BRACKETS.finditer(text, start, end):
            inner = _MORE.split(match[1] or match[2])[0].strip()
            before = text[start : match.start()].rstrip()
            if _is_short(inner):
                # As many words before the brackets as a long form may have.
                words = before.split()[-_most_words(inner) :]
                if long := _long_form(inner, " ".join(words)):
                    yield inner, long
                    continue
            word = _WORD.search(before)
            if word and _is_short(word[0]) and (long := _long_form(word[0], inner)):
                yield word[0], long


def _is_short(text: str) -> bool:
    """Whether a text may be a short form: 2 to 10 characters in one or two words, with a letter, and no mark first."""
    return 2 <= len(text) <= 10 and len(text.split()) <= 2 and text[0].isalnum() and any(map(str.isalpha, text))


def _most_words(short: str) -> int:
    return min(len(short) + 5, 2 * len(short))


def _long_form(short: str, text: str) -> str:
    """Return the shortest end of a text that has the letters and digits of a short form in order, the first of them at
    the beginning of a word; empty where there is none that is longer than it."""
    at = len(text)
    for index in range(len(short) - 1, -1, -1):
        wanted = short[index].casefold()
        if not wanted.isalnum():
            continue
        at -= 1
        while at >= 0 and (text[at].casefold() != wanted or (index == 0 and at > 0 and text[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return ""
    long = text[text.rfind(" ", 0, at + 1) + 1 :]
    return long if len(long) > len(short) and len(long.split()) <= _most_words(short) else ""
