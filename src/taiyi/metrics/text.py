"""How near a generated text is to a reference: chrF (sacrebleu), from 0 to 1.

It counts character n-grams, so it serves English and Chinese alike; of several references the best counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast


class _Sentences(Protocol):
    def sentence_score(self, hypothesis: str, references: Sequence[str]) -> _ChrF: ...


class _ChrF(Protocol):
    score: float


def chrf(text: str, references: Sequence[str]) -> float:
    """Return sacrebleu's sentence-level chrF (order 6, beta 2) of a text."""
    if isinstance(references, str) or not references:
        raise ValueError("references are a sequence of one text or more")
    return _chrf().sentence_score(text, references).score / 100


# Imported where it is used: sacrebleu takes half a second.
@cache
def _chrf() -> _Sentences:
    from sacrebleu.metrics.chrf import CHRF

    return cast(_Sentences, CHRF())
