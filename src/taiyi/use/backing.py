"""Answers with what is known beside a model: sources that they are held to, and names that exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import structs

from taiyi.errors import ModelError
from taiyi.use.results import Said
from taiyi.use.texts import Asks, fault, language

if TYPE_CHECKING:
    from taiyi.knowledge.results import Flag
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
        if self.sources is not None:
            return self.quote(self.sources, talker, question)
        return self._unless_unknown(question, lambda: alone(question))

    def quote(self, sources: Sources, talker: Talker | None, question: str) -> Said:
        """Answer a question from sources; arguments and errors are those of `answer`."""

        def quoted() -> Said:
            answer = sources.answer(talker, question)
            return Said(text=answer.text(), statements=answer.statements)

        return self._unless_unknown(question, quoted)

    def _unless_unknown(self, question: str, answer: Callable[[], Said]) -> Said:
        """Answer a question that can be asked, and none of whose terms may not exist."""
        if wrong := fault(question):
            return Said(fault=wrong)
        flags, notice = self.check(question)
        return Said(text=notice, flags=flags) if unknown(flags) else warned(answer(), flags, notice)

    def reply(self, talker: Talker | None, message: str, alone: Callable[[], Iterator[str]]) -> Iterator[str]:
        """Yield the reply to a message of a dialogue as `answer` does, in pieces where `alone` gives it so.

        Sources are asked about the message alone, without what was said before it.

        Raises:
            ModelError: the model cannot answer.
        """
        if wrong := fault(message):
            raise ModelError(wrong)
        flags, notice = self.check(message)
        if unknown(flags):
            yield notice
            return
        if notice:
            yield f"{notice}\n\n"
        if self.sources is None:
            yield from alone()
        else:
            yield self.sources.answer(talker, message).text()

    def check(self, question: str, lang: Asks = "auto") -> tuple[tuple[Flag, ...], str]:
        """Return which terms of a question may not exist or be misspelt, and what is said of them in a language;
        nothing without a terminology."""
        if self.terms is None:
            return (), ""
        from taiyi.knowledge.terms.checking import notice

        flags = tuple(self.terms.check(question))
        return flags, notice(flags, language(question, lang))


def unknown(flags: Iterable[Flag]) -> bool:
    """Whether a term among the flagged may not exist."""
    return any(flag.kind == "unknown" for flag in flags)


def warned(answer: Said, flags: tuple[Flag, ...], notice: str) -> Said:
    """Return an answer with what is said of terms before it."""
    text = f"{notice}\n\n{answer.text}" if notice and answer.text else notice or answer.text
    return structs.replace(answer, text=text, flags=flags)
