"""What is found in a text, or said of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_uppercase

import msgspec

from taiyi import schema
from taiyi.knowledge.results import Flag, Statement
from taiyi.schema import Lang, Span

KEYS = ascii_uppercase
"""What the options of a question are called, in order."""


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Entity(_Result, frozen=True):
    """A mention of an entity.

    Attributes:
        start: the character of the text that it begins at, from 0, in Unicode code points.
        end: the character after its last.
        text: what stands there.
        type: under the name that was asked for.
        confidence: how probable the model held it, from 0 to 1: of its tags together (see `schema.Prediction`); None
            of a model that lists mentions, for which each place of the text counts where a mention stands as a word.
    """

    start: int
    end: int
    text: str
    type: str
    confidence: float | None = None


class Relation(_Result, frozen=True):
    """A relation between two names; by a cascade, `confidence` is how probable it is beside none."""

    head: str
    tail: str
    type: str
    confidence: float | None = None


class Argument(_Result, frozen=True):
    """What fills a role of an event: a text, or another event by its number among those of the text."""

    role: str
    text: str
    event: int | None = None


class Event(_Result, frozen=True):
    """An event: its type, the words that say it (empty where there are none), and what fills its roles."""

    type: str
    trigger: str
    arguments: tuple[Argument, ...] = ()


class Extraction(_Result, frozen=True):
    """What was found in a text, or in a part of a long one.

    Attributes:
        text: as it was given.
        lang: in which it was asked about.
        at: where this part of a long text begins; offsets are those of the whole text.
        entities: in order of the text.
        relations: those that were asked for.
        events: likewise.
        not_there: how many mentions a model named that the text does not have; they are left out.
        cut: how many answers reached the limit of tokens, and may miss something.
        fault: why there is no answer.
    """

    text: str
    lang: Lang
    at: int = 0
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()
    not_there: int = 0
    cut: int = 0
    fault: str = ""

    def document(self, id: str) -> schema.Document:
        """Return the text with its entities as a record, which `convert` writes for other tools."""
        entities = (
            schema.Entity(id=f"T{n}", type=e.type, text=e.text, spans=(Span(e.start - self.at, e.end - self.at),))
            for n, e in enumerate(self.entities, start=1)
        )
        return schema.Document(
            id=id, corpus="taiyi", split="test", lang=self.lang, text=self.text, entities=tuple(entities)
        )


class Label(_Result, frozen=True):
    """A label of a text, and how probable the model held it: of one label of a set, among them; of several, the answer
    with it beside that without it."""

    name: str
    confidence: float | None = None


class Choice(_Result, frozen=True):
    """The answer to a question with a few answers, and how probable the model held it among them."""

    key: str
    text: str
    confidence: float | None = None


def choices(labels: Iterable[Label], options: Sequence[str]) -> list[Choice]:
    """Return the answers to a question under the options that they are keys of; `yes` and the like stay as they are."""
    texts = dict(zip(KEYS, options, strict=False))
    return [Choice(key=one.name, text=texts.get(one.name, one.name), confidence=one.confidence) for one in labels]


class Said(_Result, frozen=True):
    """What is said of a text, or of a pair of them.

    Attributes:
        labels: or choices, the most probable first.
        text: an answer in words.
        statements: of an answer from sources: what it says, with its citations, the unsupported too.
        flags: terms of the question that may be misspelt or not exist.
        cut: whether the answer reached the limit of tokens.
        fault: why there is none.
    """

    labels: tuple[Label, ...] = ()
    text: str = ""
    statements: tuple[Statement, ...] = ()
    flags: tuple[Flag, ...] = ()
    cut: bool = False
    fault: str = ""
