"""The words that texts are found by: stems of English, characters and pairs of characters of Chinese."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import regex

from taiyi.errors import SourceError

if TYPE_CHECKING:
    from tantivy import TextAnalyzer

VERSION = 1
"""Raised when words become others: an index is asked with the words that it was made of."""
EXTRA = "sources"
# A word of more letters is none that somebody asks for; it is cut, so that no text makes a word that an index drops.
_WORD = regex.compile(r"\p{Han}+|(?:(?!\p{Han})[\p{L}\p{M}\p{N}]){1,64}")
_ASCII_WORD = re.compile(r"[a-z0-9]{1,64}")
_HAN = regex.compile(r"\p{Han}")


def words(text: str) -> list[str]:
    """Return the words of a text in order, before stemming, in one case and width.

    Chinese is not segmented: each character is a word, and each two that stand together.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    found: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = match.group()
        if _HAN.match(word):
            found.extend(word)
            found.extend(map("".join, pairwise(word)))
        else:
            found.append(word)
    return found


def terms(text: str) -> list[str]:
    """Return the words of a text as an index has them: English ones by their stems."""
    return analyzer().analyze(" ".join(words(text)))


@cache
def analyzer() -> TextAnalyzer:
    """Return what makes terms of words that stand with spaces between."""
    tantivy = library("tantivy")
    builder: Any = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.filter(tantivy.Filter.stemmer("english")).build()


def library(name: str) -> Any:
    """Import a library of the index; SourceError names the extra where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise SourceError(
            f"sources need the library {name}", mend=f"install it: pip install 'taiyi[{EXTRA}]'"
        ) from error
