"""How near a generated text is to a reference: chrF (sacrebleu) and ROUGE-L (rouge-score), from 0 to 1.

Both take several references and keep the best. chrF counts character n-grams, so it serves English and Chinese alike.
ROUGE-L needs tokens: a Han character is one, as is a run of other letters and digits. The tokenizer that comes with
rouge-score drops every character outside a-z and 0-9, so that any two Chinese texts would score 0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

import regex

_TOKEN = regex.compile(r"\p{Han}|(?:(?!\p{Han})[\p{L}\p{M}\p{N}])+")


class _Sentences(Protocol):
    def sentence_score(self, hypothesis: str, references: Sequence[str]) -> _ChrF: ...


class _ChrF(Protocol):
    score: float


class _Measures(Protocol):
    fmeasure: float


class _Rouge(Protocol):
    def score_multi(self, targets: Sequence[str], prediction: str) -> dict[str, _Measures]: ...


def tokenize(text: str) -> list[str]:
    """Split into Han characters and runs of other letters and digits, in one case and width, without punctuation."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def chrf(text: str, references: Sequence[str]) -> float:
    """Return sacrebleu's sentence-level chrF (order 6, beta 2) of a text."""
    _require(references)
    return _chrf().sentence_score(text, references).score / 100


def rouge_l(text: str, references: Sequence[str]) -> float:
    """Return the F-measure of the longest common subsequence of tokens."""
    _require(references)
    return float(_rouge().score_multi(references, text)["rougeL"].fmeasure)


class _Tokenizer:
    def tokenize(self, text: str) -> list[str]:
        return tokenize(text)


def _require(references: Sequence[str]) -> None:
    if isinstance(references, str) or not references:
        raise ValueError("references are a sequence of one text or more")


# Both libraries are imported where they are used: sacrebleu takes half a second, rouge-score (it imports nltk) several.
@cache
def _chrf() -> _Sentences:
    from sacrebleu.metrics.chrf import CHRF

    return cast(_Sentences, CHRF())


@cache
def _rouge() -> _Rouge:
    from rouge_score.rouge_scorer import RougeScorer

    return cast(_Rouge, RougeScorer(["rougeL"], tokenizer=_Tokenizer()))
