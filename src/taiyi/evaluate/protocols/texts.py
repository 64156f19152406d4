"""How the field scores texts: BLEU and chrF of a whole set, ROUGE, exact match and F1 of tokens, reports by section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import regex

from taiyi.evaluate.protocols.protocol import Protocol, score_of
from taiyi.metrics import text as texts
from taiyi.schema import FreeText, Score

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

_LONG = frozenset({"qa_sqa", "qa_cqa", "mrd", "mt", "summary", "title", "report"})
_HEADING = regex.compile(r"(?m)^[ \t]*([^\n:：]{1,20})[:：]")
_NOTHING = "无 。"


def _pair(answered: Answered) -> tuple[str, str]:
    """Return what was answered, nothing where it cannot be read, and the reference."""
    assert isinstance(answered.gold, FreeText)
    assert answered.answer is None or isinstance(answered.answer, FreeText)
    return answered.answer.text if answered.answer is not None else "", answered.gold.text


def _corpus(answered: Answered) -> Score:
    text, reference = _pair(answered)
    return score_of(answered, sums=(*texts.bleu_sums(text, reference), *texts.chrf_sums(text, reference)))


def _rouge(answered: Answered) -> Score:
    return score_of(answered, sums=(*texts.rouge(*_pair(answered)), 1.0))


def _matches(answered: Answered) -> Score:
    exact, f1 = texts.matches(*_pair(answered))
    return score_of(answered, sums=(exact, f1, 1.0))


def _sections(answered: Answered) -> Score:
    """Add up ROUGE over the sections of the reference; one without text, in either, reads 无 。"""
    text, reference = _pair(answered)
    ours, theirs = sections(text), sections(reference)
    found = [texts.rouge_of_distinct(ours.get(name, "") or _NOTHING, said or _NOTHING) for name, said in theirs.items()]
    return score_of(answered, sums=(*(sum(column) for column in zip(*found, strict=True)), float(len(found))))


def sections(text: str) -> Mapping[str, str]:
    """Return the sections of a report by their headings, each a line `heading：text`; all of it where there is none."""
    begun = [*_HEADING.finditer(text)]
    if not begun:
        return {"": text.strip()}
    ends = [*(match.start() for match in begun[1:]), len(text)]
    found: dict[str, str] = {}
    for match, end in zip(begun, ends, strict=True):
        found.setdefault(match[1].strip(), text[match.end() : end].strip())
    return found


PROTOCOLS = (
    Protocol(
        name="sacrebleu",
        title="sacreBLEU",
        about="BLEU of the whole set, of a Chinese reference over sacrebleu's zh tokens, else 13a; and chrF of the "
        "whole set, where the own score is the mean of that of its texts.",
        tasks=_LONG,
        measures=texts.CORPUS,
        score=_corpus,
    ),
    Protocol(
        name="rouge",
        title="ROUGE",
        about="The mean F1 of ROUGE by rouge-score: English words stemmed, of a Chinese reference its characters, "
        "words of other scripts and marks.",
        tasks=_LONG,
        measures=texts.ROUGE,
        score=_rouge,
    ),
    Protocol(
        name="sections",
        title="by section (PromptCBLUE)",
        about="The mean F1 of ROUGE over the sections of all references, as PromptCBLUE scores IMCS-V2-MRG with "
        "rouge-chinese: each n-gram counts once. For a section that is empty, or not there, stands 无 。 in both.",
        tasks=frozenset({"report"}),
        measures=texts.ROUGE,
        score=_sections,
    ),
    Protocol(
        name="squad",
        title="SQuAD, CMRC",
        about="Exact match and F1 of tokens, without case, marks and English articles; in Chinese of characters.",
        tasks=frozenset({"qa_sqa", "qa_cqa"}),
        measures=texts.MATCHES,
        score=_matches,
    ),
)
