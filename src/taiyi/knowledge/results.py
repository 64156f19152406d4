"""What is found beside a model: support of a statement in sources, and terms of a question that may not exist."""

from __future__ import annotations

from typing import Literal

import msgspec

from taiyi.schema import Span

FlagKind = Literal["misspelling", "unknown"]


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement names as its support.

    Attributes:
        number: of the passage, as the answer has it.
        quote: the words that were given as support; as they stand in the passage where they were found.
        passage: the id of the passage; empty where there is none of this number.
        document: the id of its document.
        start, end: where the quotation stands in the document; None where it does not.
        fault: why it supports nothing; empty where it does.
    """

    number: int
    quote: str
    passage: str = ""
    document: str = ""
    start: int | None = None
    end: int | None = None
    fault: str = ""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an answer says. It is supported where one of its citations is."""

    text: str
    citations: tuple[Citation, ...]
    supported: bool


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A known name near a flagged term; `similarity` is 1 for the same name and 0 for one without a letter of it."""

    name: str
    similarity: float
    concepts: tuple[str, ...] = ()


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """A term of a question that is no known name but near to some.

    A `misspelling` differs from a known name by a slip or two; what is `unknown` is built like known names (it ends
    like a class of them, or is a known name with another word in it), and may not exist. `span` counts characters
    of the question, `ending` is that of the class, empty where there is none.
    """

    span: Span
    text: str
    kind: FlagKind
    nearest: tuple[Nearest, ...]
    ending: str = ""
