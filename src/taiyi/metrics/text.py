"""How near a generated text is to a reference: chrF, BLEU, ROUGE, and exact match and F1 of tokens, from 0 to 1.

chrF and BLEU are sacrebleu's, ROUGE is rouge-score's. chrF counts character n-grams, so it serves English and Chinese
alike. The others count tokens: of a Chinese reference its characters, with words of other scripts whole.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, cast

import numpy as np
import regex
from numpy.typing import NDArray

from taiyi.metrics.measures import Array, Measure, Sums, columns_of, ratio_of
from taiyi.schema import Score

# As filters take a text for Chinese: in English ones there may be a name.
_HAN_SHARE = 0.1
_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"\p{L}")
_TOKEN = regex.compile(r"\p{Han}|(?:(?!\p{Han})[\p{L}\p{M}\p{N}])+|[^\s\p{L}\p{M}\p{N}]")
_WORD = regex.compile(r"\p{Han}|(?:(?!\p{Han})[\p{L}\p{M}\p{N}])+")
_ARTICLE = regex.compile(r"\b(?:a|an|the)\b")
_ORDER = 4
_CHRF_ORDER = 6
_BETA_SQUARED = 4


class _Sentences(Protocol):
    def sentence_score(self, hypothesis: str, references: Sequence[str]) -> Any: ...


def chrf(text: str, references: Sequence[str]) -> float:
    """Return sacrebleu's sentence-level chrF (order 6, beta 2) of a text; of several references the best counts."""
    if isinstance(references, str) or not references:
        raise ValueError("references are a sequence of one text or more")
    return _chrf().sentence_score(text, references).score / 100


def is_chinese(text: str) -> bool:
    """Whether a text is Chinese: a tenth of its letters are Han."""
    letters = len(_LETTER.findall(text))
    return letters > 0 and len(_HAN.findall(text)) >= _HAN_SHARE * letters


def tokens(text: str) -> list[str]:
    """Return Han characters, words of other scripts and marks, in small letters, as BERT splits Chinese."""
    return _TOKEN.findall(text.lower())


def rouge(text: str, reference: str) -> tuple[float, float, float]:
    """Return the F1s of ROUGE-1, ROUGE-2 and ROUGE-L.

    English words are stemmed (Porter), as ROUGE-1.5.5 does with -m; of a Chinese reference all `tokens` count.
    """
    found = _rouge(is_chinese(reference)).score(reference, text)
    return found["rouge1"].fmeasure, found["rouge2"].fmeasure, found["rougeL"].fmeasure


def rouge_of_distinct(text: str, reference: str) -> tuple[float, float, float]:
    """Return the F1s of ROUGE-1, ROUGE-2 and ROUGE-L over `tokens` as rouge-chinese computes them: of n-grams each
    counts once."""
    one, other = tokens(text), tokens(reference)
    found: list[float] = []
    for order in (1, 2):
        ours, theirs = (set(zip(*(given[start:] for start in range(order)), strict=False)) for given in (one, other))
        found.append(2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours and theirs else 0.0)
    return found[0], found[1], _rouge(True).score(reference, text)["rougeL"].fmeasure


def matches(text: str, reference: str) -> tuple[float, float]:
    """Return exact match and F1 of tokens as SQuAD (Rajpurkar et al. 2016) defines them, of a Chinese reference over
    characters, as CMRC 2018 does.

    Case, marks and English articles do not count. Where neither text has a token, both are 1.
    """
    one, other = (_normal(given, chinese=is_chinese(reference)) for given in (text, reference))
    if not one or not other:
        return float(one == other), float(one == other)
    shared = (Counter(one) & Counter(other)).total()
    return float(one == other), 2 * shared / (len(one) + len(other))


def _normal(text: str, *, chinese: bool) -> list[str]:
    if chinese:
        return _WORD.findall(text.lower())
    plain = "".join(character for character in text.lower() if character not in string.punctuation)
    return _ARTICLE.sub(" ", plain).split()


# --- scores of a whole test set, which are not means of those of its texts -------------------------------------------


def bleu_sums(text: str, reference: str) -> tuple[float, ...]:
    """Return what BLEU adds up of a text: lengths of text and reference, and of n-grams up to 4 the right ones and all.

    Tokens are sacrebleu's: `zh` of a Chinese reference, else `13a`.
    """
    found = _bleu("zh" if is_chinese(reference) else "13a").sentence_score(text, [reference])
    return tuple(map(float, (found.sys_len, found.ref_len, *found.counts, *found.totals)))


def chrf_sums(text: str, reference: str) -> tuple[float, ...]:
    """Return what chrF adds up of a text: of n-grams up to 6 those of the text, of the reference, and in common."""
    found: list[float] = []
    for order in range(1, _CHRF_ORDER + 1):
        ours, theirs = (_ngrams(given, order) for given in (text, reference))
        # As sacrebleu has it: n-grams that the reference is too short for are not asked of the text either.
        found += [float(ours.total() if theirs else 0), float(theirs.total()), float((ours & theirs).total())]
    return tuple(found)


def _ngrams(text: str, order: int) -> Counter[str]:
    plain = "".join(text.split())
    return Counter(plain[start : start + order] for start in range(len(plain) - order + 1))


def _bleu_value(sums: Array) -> Array:
    """Return BLEU of sums, smoothed as sacrebleu does (exp); none where there is no reference."""
    from sacrebleu.metrics.bleu import BLEU

    found = np.full(len(sums), np.nan)
    for place, row in enumerate(np.rint(sums).astype(np.int64).tolist()):
        if row[1]:
            score = BLEU.compute_bleu(
                row[2 : 2 + _ORDER], row[2 + _ORDER :], row[0], row[1], smooth_method="exp", max_ngram_order=_ORDER
            )
            found[place] = score.score / 100
    return found


def _chrf_value(sums: Array) -> Array:
    """Return chrF of sums over the orders that both have n-grams of; none where there is no reference."""
    ours, theirs, shared = sums.reshape(len(sums), _CHRF_ORDER, 3).transpose(2, 0, 1)
    there = (ours > 0) & (theirs > 0)
    orders = np.maximum(there.sum(axis=1), 1)
    precision, recall = (_divided(shared, given, there).sum(axis=1) / orders for given in (ours, theirs))
    below = _BETA_SQUARED * precision + recall
    found = _divided((1 + _BETA_SQUARED) * precision * recall, below, below > 0)
    return np.where(theirs[:, 0] > 0, found, np.nan)


def _divided(numerators: Array, denominators: Array, where: NDArray[np.bool_]) -> Array:
    return np.divide(numerators, denominators, out=np.zeros_like(numerators), where=where)


_NUM_BLEU = 2 + 2 * _ORDER


def _bleu_columns(scores: Sequence[Score]) -> Sums:
    return Sums(columns_of(scores, range(_NUM_BLEU)), _bleu_value)


def _chrf_columns(scores: Sequence[Score]) -> Sums:
    return Sums(columns_of(scores, range(_NUM_BLEU, _NUM_BLEU + 3 * _CHRF_ORDER)), _chrf_value)


CORPUS = (Measure("bleu", "BLEU", _bleu_columns), Measure("corpus_chrf", "corpus chrF", _chrf_columns))
"""Measures of `bleu_sums` and then `chrf_sums`."""

ROUGE = (
    ratio_of("rouge_l", "ROUGE-L", 2, 3),
    ratio_of("rouge_1", "ROUGE-1", 0, 3),
    ratio_of("rouge_2", "ROUGE-2", 1, 3),
)
"""Means of what `rouge` returns, with a 1 after it."""

MATCHES = (ratio_of("token_f1", "token F1", 1, 2), ratio_of("exact_match", "exact match", 0, 2))
"""Means of what `matches` returns, with a 1 after it."""


# Imported where they are used: sacrebleu takes half a second, rouge-score, with nltk, more.
@cache
def _chrf() -> _Sentences:
    from sacrebleu.metrics.chrf import CHRF

    return cast(_Sentences, CHRF())


@cache
def _bleu(tokenizer: str) -> _Sentences:
    from sacrebleu.metrics.bleu import BLEU

    # The order does not change what is counted; without it each text is warned of.
    return cast(_Sentences, BLEU(tokenize=tokenizer, effective_order=True))


@cache
def _rouge(chinese: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True, tokenizer=_Characters() if chinese else None)


class _Characters:
    """The tokenizer of Chinese texts, as rouge-score takes one."""

    def tokenize(self, text: str) -> list[str]:
        return tokens(text)
