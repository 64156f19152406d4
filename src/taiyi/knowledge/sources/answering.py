"""Answers that are held to sources: each statement quotes a passage, and each quotation is looked up in it.

What a quotation proves is that the words stand there, not that they mean what the statement says: see docs/sources.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec
import regex
from msgspec import structs

from taiyi.knowledge.results import Citation, Statement
from taiyi.knowledge.sources import cited, quotes, words
from taiyi.knowledge.sources.index import Index
from taiyi.knowledge.sources.passages import Passage
from taiyi.schema import Lang, Message
from taiyi.text import language, normalise, sentences

NUM_PASSAGES = 5
MAX_NEW_TOKENS = 512
_MOST_QUOTATIONS = 3
QUESTION_COVERAGE: dict[Lang, float] = {"en": 0.5, "zh": 0.4}
"""How much of what the words of a question tell a passage must have, to be shown: see docs/sources.md."""
STATEMENT_COVERAGE = 0.4
"""The same of a statement, to be supported by it."""
_SENTENCE_COVERAGE = 0.2
_LEAST_WORDS = 3
"""How many words a quotation has at least, of Chinese characters: fewer stand in any text."""
_NOT_QUOTED = "nothing is quoted"
_NUMBER = regex.compile(r"\p{N}+(?:[.,]\p{N}+)*")

LANGS: tuple[Lang, ...] = ("en", "zh")

Kind = Literal["written", "quoted", "none"]


class Talker(Protocol):
    """What answers a dialogue: an engine of `taiyi.generate`."""

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer, in pieces of text as they come."""
        ...


@runtime_checkable
class Limited(Protocol):
    """An engine that says how much it holds."""

    @property
    def limit(self) -> int:
        """How many tokens of prompt and answer."""
        ...

    def num_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many tokens a prompt has."""
        ...


class Sourced(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with its sources.

    Attributes:
        lang: the language of the question.
        kind: `written` by a model; `quoted` from the passages, where no model wrote what they support; or `none`.
        statements: what was said, in order, the unsupported too.
        passages: those that the numbers name, from 1.
    """

    question: str
    lang: Lang
    kind: Kind
    statements: tuple[Statement, ...]
    passages: tuple[Passage, ...]

    def text(self) -> str:
        """Return the answer to show: what is supported, with numbers, and below them the quotations."""
        said = wording(self.lang)
        kept = [statement for statement in self.statements if statement.supported]
        if self.kind == "none" or not kept:
            return said["none"]
        lines = [said["quotations"]] if self.kind == "quoted" else []
        shown: list[str] = []
        for statement in kept:
            good = [citation for citation in statement.citations if not citation.fault]
            marks = "".join(f"[{number}]" for number in dict.fromkeys(citation.number for citation in good))
            lines.append(f"“{statement.text}” {marks}" if self.kind == "quoted" else f"{statement.text} {marks}")
            shown += [self._shown(citation) for citation in good]
        if left := len(self.statements) - len(kept):
            lines.append(said["left_out"].format(count=left, total=len(self.statements)))
        return "\n".join([*lines, "", *dict.fromkeys(shown)])

    def _shown(self, citation: Citation) -> str:
        title = self.passages[citation.number - 1].title
        where = f"[{citation.number}] {title} ({citation.document}, {citation.start}-{citation.end})".replace("  ", " ")
        return where if self.kind == "quoted" else f"{where}: “{citation.quote}”"


class Sources:
    """An index that questions are answered from.

    Example:
        Sources.open(Path("my-index")).answer(engine, "Does aspirin cause asthma?").text()
    """

    def __init__(self, index: Index) -> None:
        self.index = index

    @classmethod
    def open(cls, folder: Path, *, device: str = "auto") -> Sources:
        """Open an index; SourceError where there is none."""
        return cls(Index.open(folder, device=device))

    def answer(
        self,
        engine: Talker | None,
        question: str,
        *,
        num_passages: int = NUM_PASSAGES,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Sourced:
        """Answer a question from the passages that fit it.

        Without an engine, and where nothing that it wrote is supported, the sentences of the passages that have most of
        the question are quoted. A model that says that it found nothing is believed, and where no passage has enough of
        the question none is asked.

        Raises:
            ModelError: the engine cannot answer.
        """
        lang = language(question)
        weights = self.weights(question)
        found = [hit.passage for hit in self.index.search(question, num_passages)]
        passages = [passage for passage in found if _coverage(weights, _whole(passage)) >= QUESTION_COVERAGE[lang]]
        statements: list[Statement] = []
        if engine is not None and (asked := _asked(engine, question, passages, lang, max_new_tokens)):
            messages, passages = asked
            written = "".join(engine.stream(messages, max_new_tokens=_room(engine, max_new_tokens)))
            statements = [self.check(one, passages) for one in cited.parse(written) if not _is_none(one.text)]
            if any(statement.supported for statement in statements):
                return _sourced(question, lang, "written", statements, passages)
            if any(_is_none(line) for line in written.splitlines()):
                return _sourced(question, lang, "none", statements, passages)
        quoted = _quotations(weights, passages)
        return _sourced(question, lang, "quoted" if quoted else "none", [*statements, *quoted], passages)

    def weights(self, text: str) -> dict[str, float]:
        """Return the terms of a question or statement, without the words that ask, and how much each tells."""
        for lang in LANGS:
            text = _asking(lang).sub(" ", text)
        return self.index.weights(text)

    def check(self, written: cited.Written, passages: Sequence[Passage]) -> Statement:
        """Look up in the passages what a statement names as its support."""
        citations = tuple(self._citation(written.text, one, passages) for one in written.cited)
        supported = any(not citation.fault for citation in citations)
        return Statement(text=written.text, citations=citations, supported=supported)

    def _citation(self, statement: str, given: cited.Cited, passages: Sequence[Passage]) -> Citation:
        if not 1 <= given.number <= len(passages):
            return Citation(number=given.number, quote=given.quote, fault="there is no passage of this number")
        passage = passages[given.number - 1]
        citation = Citation(
            number=given.number, quote=given.quote, passage=passage.id, document=passage.document, fault=_NOT_QUOTED
        )
        if not given.quote.strip():
            return citation
        span = quotes.find(given.quote, passage.text)
        if span is None:
            return structs.replace(citation, fault="the passage does not have these words")
        quote = passage.text[slice(*span)]
        return structs.replace(
            citation,
            quote=quote,
            start=passage.start + span.start,
            end=passage.start + span.end,
            fault=self._fault(statement, quote, passage),
        )

    def _fault(self, statement: str, quote: str, passage: Passage) -> str:
        """Say why a quotation that is in the passage does not support a statement, as far as words tell."""
        if len(words.words(quote)) < _LEAST_WORDS:
            return "the quotation is too short"
        if not set(_NUMBER.findall(statement)) <= set(_NUMBER.findall(quote)):
            return "the quotation does not have the numbers of the statement"
        # Words of one language are not those of another.
        same = language(statement) == passage.lang
        if same and _coverage(self.weights(statement), _whole(passage)) < STATEMENT_COVERAGE:
            return "the passage does not have the words of the statement"
        return ""


def _sourced(
    question: str, lang: Lang, kind: Kind, statements: Sequence[Statement], passages: Sequence[Passage]
) -> Sourced:
    return Sourced(question=question, lang=lang, kind=kind, statements=tuple(statements), passages=tuple(passages))


def _asked(
    engine: Talker, question: str, passages: Sequence[Passage], lang: Lang, max_new_tokens: int
) -> tuple[list[Message], list[Passage]] | None:
    """Return what an engine is asked, and the passages in it: as many as it holds; None where it holds none."""
    kept = list(passages)
    while kept:
        messages = prompt(question, kept, lang)
        if (
            not isinstance(engine, Limited)
            or engine.num_tokens(messages) + _room(engine, max_new_tokens) <= engine.limit
        ):
            return messages, kept
        kept.pop()
    return None


def _room(engine: Talker, max_new_tokens: int) -> int:
    """Return how many tokens are left to the answer: a model that holds few gives it no more than a quarter."""
    return min(max_new_tokens, engine.limit // 4) if isinstance(engine, Limited) else max_new_tokens


def prompt(question: str, passages: Sequence[Passage], lang: Lang) -> list[Message]:
    """Return what a model is asked: the question, and passages with their numbers."""
    numbered = (
        f"[{number}] {passage.title}\n{passage.text}" if passage.title else f"[{number}] {passage.text}"
        for number, passage in enumerate(passages, 1)
    )
    # Not `format`: braces of a passage are its own.
    content = wording(lang)["prompt"].replace("{question}", question).replace("{passages}", "\n\n".join(numbered))
    return [Message(role="user", content=content.strip())]


@cache
def wording(lang: Lang) -> dict[str, str]:
    """Return what is said in a language."""
    return tomllib.loads((Path(__file__).parent / f"sourced.{lang}.toml").read_text(encoding="utf-8"))


@cache
def _asking(lang: Lang) -> regex.Pattern[str]:
    return regex.compile(wording(lang)["asking"])


def _is_none(line: str) -> bool:
    return normalise(line) in {normalise(wording(lang)["none"]) for lang in LANGS}


def _whole(passage: Passage) -> str:
    return f"{passage.title}\n{passage.text}"


def _coverage(weights: dict[str, float], text: str) -> float:
    """Return how much of what the terms tell a text has, from 0 to 1."""
    total = sum(weights.values())
    found = set(words.terms(text))
    return sum(weight for term, weight in weights.items() if term in found) / total if total else 0.0


def _quotations(weights: dict[str, float], passages: Sequence[Passage]) -> list[Statement]:
    """Return the sentences of passages that have most of what the terms tell, the best first, as they stand."""
    scored: list[tuple[float, int, int, int]] = []
    for number, passage in enumerate(passages, 1):
        for start, end in sentences(passage.text):
            share = _coverage(weights, passage.text[start:end])
            if share >= _SENTENCE_COVERAGE and len(words.words(passage.text[start:end])) >= _LEAST_WORDS:
                scored.append((-share, number, start, end))
    return [
        _quotation(passages[number - 1], number, start, end)
        for _, number, start, end in sorted(scored)[:_MOST_QUOTATIONS]
    ]


def _quotation(passage: Passage, number: int, start: int, end: int) -> Statement:
    text: Any = passage.text[start:end]
    citation = Citation(
        number=number,
        quote=text,
        passage=passage.id,
        document=passage.document,
        start=passage.start + start,
        end=passage.start + end,
    )
    return Statement(text=text, citations=(citation,), supported=True)
