"""Answers with what is known beside a model: sources that they are held to, and names that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from taiyi.text import language
from taiyi.use.results import Said
from taiyi.use.texts import fault

if TYPE_CHECKING:
    from taiyi.knowledge.sources.answering import Sources, Talker
    from taiyi.knowledge.terms.checking import Terms


@dataclass(frozen=True)
class Backing:
    """What is known beside a model.

    Attributes:
        sources: an index of documents; without one, a model answers from what it learned.
        terms: a terminology; without one, no question is checked.
    """

    sources: Sources | None = None
    terms: Terms | None = None

    @classmethod
    def open(cls, sources: Path | None = None, terms: Path | None = None, *, device: str = "auto") -> Self:
        """Open what `taiyi index` and `taiyi terms build` wrote.

        Raises:
            TaiyiError: there is none, or the extra that reads it is not installed.
        """
        opened_sources = opened_terms = None
        if sources is not None:
            from taiyi.knowledge.sources.answering import Sources

            opened_sources = Sources.open(sources, device=device)
        if terms is not None:
            from taiyi.knowledge.terms.checking import Terms

            opened_terms = Terms.open(terms)
        return cls(opened_sources, opened_terms)

    def answer(self, talker: Talker | None, question: str, alone: Callable[[str], Said]) -> Said:
        """Answer a question in words.

        Of a term that may not exist nothing is said but that; one that may be misspelt is named before the answer.

        Args:
            talker: what writes from sources; without it they are quoted.
            question: in English or Chinese.
            alone: answers where there are no sources.

        Raises:
            ModelError: the model cannot answer.
        """
        if wrong := fault(question):
            return Said(fault=wrong)
        flags, said = (), ""
        if self.terms is not None:
            from taiyi.knowledge.terms.checking import notice

            found = self.terms.check(question)
            flags, said = tuple(found), notice(found, language(question))
        if any(flag.kind == "unknown" for flag in flags):
            return Said(text=said, flags=flags)
        if self.sources is None:
            answer = alone(question)
            return Said(text=_after(said, answer.text), flags=flags, cut=answer.cut, fault=answer.fault)
        answer = self.sources.answer(talker, question)
        return Said(text=_after(said, answer.text()), flags=flags, statements=answer.statements)


def _after(said: str, answer: str) -> str:
    return f"{said}\n\n{answer}" if said and answer else said or answer
