"""What the typed addresses answer: the shapes of JSON, with what each field means."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from taiyi.knowledge.results import Flag, FlagKind
from taiyi.serve.shapes import Shape, example
from taiyi.use.results import Extraction, Label, Said, choices

Confidence = Annotated[float, Field(ge=0, le=1)] | None


class EntityFound(Shape):
    """A mention of an entity."""

    start: Annotated[int, Field(ge=0)]
    """The character of the text that it begins at, from 0, in Unicode code points; in JavaScript these are the items of
    `[...text]`."""
    end: Annotated[int, Field(ge=0)]
    """The character after its last."""
    text: str
    """What stands there."""
    type: str
    """Under the name that was asked for."""
    confidence: Confidence = None
    """How probable the model held it; null of a model that does not tell."""


class RelationFound(Shape):
    """A relation between two names."""

    head: str
    """What the relation goes out from."""
    tail: str
    """What it goes to."""
    type: str
    """Its name."""
    confidence: Confidence = None
    """How probable the model held it; null of a model that does not tell."""


class ArgumentFound(Shape):
    """What fills a role of an event."""

    role: str
    """Its name."""
    text: str
    """The words."""
    event: int | None = None
    """Which of the events of the text it is, from 0, where it is one."""


class EventFound(Shape):
    """An event."""

    type: str
    """Its name."""
    trigger: str
    """The words that say it; empty where there are none."""
    arguments: list[ArgumentFound]
    """What fills its roles."""


class Found(Shape):
    """What was found in a text."""

    model_config = example(
        lang="en",
        entities=[{"start": 0, "end": 7, "text": "Aspirin", "type": "chemical", "confidence": 0.98}],
        relations=[],
        events=[],
        not_there=0,
        cut=0,
    )

    lang: Literal["en", "zh"]
    """In which the model was asked."""
    entities: list[EntityFound]
    """In the order of the text."""
    relations: list[RelationFound]
    """Those that were asked for."""
    events: list[EventFound]
    """Those that were asked for."""
    not_there: int
    """How many mentions the model named that the text does not have; they are left out."""
    cut: int
    """How many answers of the model reached its limit, or could not be read; something may be missing."""

    @classmethod
    def of(cls, found: Extraction) -> Found:
        """Return what was found as it is sent."""
        return cls.model_validate({name: _sent(getattr(found, name)) for name in cls.model_fields})


class LabelGiven(Shape):
    """A label."""

    name: str
    """Under the name that was asked for."""
    confidence: Confidence = None
    """How probable the model held it; null of a model that does not tell."""


class Labelled(Shape):
    """The labels of a text or of a pair, the most probable first."""

    model_config = example(labels=[{"name": "treatment", "confidence": 0.93}])

    labels: list[LabelGiven]
    """Of a text those that it has, of a pair all; none where none fits."""
    cut: bool
    """Whether the answer of the model reached its limit; some may be missing."""

    @classmethod
    def of(cls, labels: tuple[Label, ...], *, cut: bool) -> Labelled:
        """Return labels as they are sent."""
        return cls.model_validate({"labels": _sent(labels), "cut": cut})


class Written(Shape):
    """A text that the model wrote."""

    model_config = example(text="阿司匹林可引起哮喘。", cut=False)

    text: str
    """As the model wrote it; it may be wrong."""
    cut: bool
    """Whether it reached the limit of the model."""


class ChoiceGiven(Shape):
    """One of the answers that a question has."""

    key: str
    """`A` for the first option and so on; `yes`, `no` or `maybe`."""
    text: str
    """The option, or the key again."""
    confidence: Confidence = None
    """How probable the model held it among all; null of a model that does not tell."""


class CitationGiven(Shape):
    """What a statement names as its support."""

    number: int
    """Of the passage, from 1."""
    quote: str
    """The words that were given as support; as they stand in the passage where they were found."""
    passage: str
    """The id of the passage; empty where there is none of this number."""
    document: str
    """The id of its document."""
    start: int | None
    """Where the quotation begins in the document, in Unicode code points; null where it is not there."""
    end: int | None
    """Where it ends."""
    fault: str
    """Why it supports nothing; empty where it does."""


class StatementGiven(Shape):
    """Something that an answer from sources says."""

    text: str
    """The statement."""
    citations: list[CitationGiven]
    """What it names as its support."""
    supported: bool
    """Whether one of the citations was found to support it."""


class NearestGiven(Shape):
    """A known name near a term."""

    name: str
    """The name."""
    similarity: float
    """1 for the same name, 0 for one without a letter of it."""
    concepts: list[str]
    """What it names, by terminologies."""


class FlagGiven(Shape):
    """A term that no known name is, but near to some."""

    start: int
    """The character of the text that it begins at, from 0, in Unicode code points."""
    end: int
    """The character after its last."""
    text: str
    """What stands there."""
    kind: FlagKind
    """A slip or two from a known name; or built like known names and none of them: it may not exist."""
    nearest: list[NearestGiven]
    """Known names that are like it, the most similar first."""
    ending: str
    """What it ends with like a class of names; empty where it does not."""

    @classmethod
    def of(cls, flag: Flag) -> FlagGiven:
        """Return a flag as it is sent."""
        sent = _sent(flag)
        start, end = sent.pop("span")
        return cls.model_validate(sent | {"start": start, "end": end})


class Checked(Shape):
    """The terms of a question that are unknown and near to known names."""

    terms: list[FlagGiven]
    """In the order of the text; none where nothing is flagged."""
    notice: str
    """What is to be said of them, in the language of the text; empty where nothing is flagged."""


class Answered(Shape):
    """The answer to a question."""

    model_config = example(
        text="paracetamol",
        choices=[
            {"key": "A", "text": "paracetamol", "confidence": 0.9},
            {"key": "B", "text": "insulin", "confidence": 0.1},
        ],
        statements=[],
        terms=[],
        cut=False,
    )

    text: str
    """In words; of a choice the most probable. From sources what is supported, with numbers and quotations, or that no
    support was found. Of a term that may not exist nothing is said but that."""
    choices: list[ChoiceGiven]
    """All options, or yes, no and maybe, the most probable first; none of an answer in words."""
    statements: list[StatementGiven]
    """Of an answer from sources: what it says, with its citations, the unsupported too."""
    terms: list[FlagGiven]
    """Terms of the question that may be misspelt or not exist, where the server has a terminology and answers in
    words."""
    cut: bool
    """Whether the answer of the model reached its limit."""

    @classmethod
    def of(cls, said: Said, options: list[str]) -> Answered:
        """Return an answer as it is sent; `options` are those that its labels are keys of."""
        found = choices(said.labels, options)
        return cls(
            text=said.text or (found[0].text if found else ""),
            choices=[ChoiceGiven.model_validate(one) for one in _sent(found)],
            statements=[StatementGiven.model_validate(one) for one in _sent(said.statements)],
            terms=[FlagGiven.of(flag) for flag in said.flags],
            cut=said.cut,
        )


def _sent(value: object) -> Any:
    """Return a result or some of them as JSON has them, confidences rounded."""
    built: Any = msgspec.to_builtins(value)
    rows: list[Any] = [*built] if type(built) in (list, tuple) else [built]
    for row in rows:
        match row:
            case {"confidence": float(confidence)}:
                row["confidence"] = round(confidence, 4)
            case _:
                pass
    return built
