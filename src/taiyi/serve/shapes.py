"""What is asked of the typed addresses, and what they answer: the shapes of JSON, with what each field means."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Annotated, Any, Literal, cast, get_origin

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from taiyi.errors import Misfit
from taiyi.knowledge.results import Flag, FlagKind
from taiyi.use.extraction import Kind
from taiyi.use.results import Choice, Extraction, Label, Said
from taiyi.use.taiyi import Asks, Kinds, Pairs

_MOST_OPTIONS = 26
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Confidence = Annotated[float, Field(ge=0, le=1)] | None


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


def _example(**content: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [content]})


def num_chars(value: Any) -> int:
    """Return how many characters the texts of a request have, whatever holds them; words of ours do not count."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        value = [getattr(value, name) for name, field in fields if get_origin(field.annotation) is not Literal]
    if isinstance(value, dict):
        return sum(num_chars(key) + num_chars(one) for key, one in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return sum(map(num_chars, cast("list[Any]", value)))
    return len(value) if isinstance(value, str) else 0


# --- requests --------------------------------------------------------------------------------------------------------


class Extracting(_Shape):
    """A text, and what is to be found in it."""

    model_config = _example(text="Aspirin can cause asthma.", types=["chemical", "disease"])

    text: Text
    """English or Chinese."""
    types: Annotated[list[Name], Field(max_length=200)] | Annotated[dict[Name, str], Field(max_length=200)] = []
    """What to find: names of the catalogue, those that the model learned, or words of one's own; or these with their
    definitions. What the model learned first, if there are none."""
    what: Kind = "entities"
    """Entities, relations or events."""
    lang: Asks = "auto"
    """The language of the prompt; else that of the text."""
    like: Annotated[str, Field(max_length=200)] = ""
    """The corpus by whose guidelines, of a model that learned several."""
    window: Annotated[int, Field(ge=1)] | None = None
    """Up to how many characters sentences are read together; else as the model learned it."""


class Classifying(_Shape):
    """A text, and the labels that it may have."""

    model_config = _example(text="孩子发烧怎么办", labels=["kuake_qic"])

    text: Text
    """English or Chinese."""
    labels: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    """Two at least in words of one's own, or the name of a corpus whose labels are meant."""
    several: bool | None = None
    """Whether the text may have several of them, or none; else as in the corpus, and one of one's own."""
    lang: Asks = "auto"
    """The language of the prompt; else that of the text."""


class Pairing(_Shape):
    """Two texts, and how they may relate."""

    model_config = _example(first="高血压能吃盐吗", second="高血压患者可以吃咸的吗", labels=["kuake_qqr"])

    first: Text
    """One text."""
    second: Text
    """The other."""
    labels: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    """Two at least in words of one's own, or the name of a corpus of pairs whose labels are meant."""
    what: Pairs = "similarity"
    """Whether they mean the same, or whether the first entails the second."""
    lang: Asks = "auto"
    """The language of the prompt; else that of the texts."""


class Answering(_Shape):
    """A question: with options, for yes or no from a context, in words, or from the sources of the server."""

    model_config = _example(question="Which drug lowers fever?", options=["paracetamol", "insulin"])

    question: Text
    """English or Chinese."""
    options: Annotated[list[Text], Field(max_length=_MOST_OPTIONS)] = []
    """What may be answered, two at least; an answer in words if there are none."""
    context: str = ""
    """A text that the answer follows from."""
    yes_no: bool = False
    """Whether the answer is yes, no or maybe, from the context."""
    sources: bool = False
    """Whether to answer from the documents that the server has an index of, with citations; then there are neither
    options nor a context."""
    lang: Asks = "auto"
    """The language of the prompt; else that of the question."""

    @model_validator(mode="after")
    def _check(self) -> Answering:
        if self.sources and (self.options or self.context or self.yes_no):
            raise Misfit("from sources a question is answered in words, and from nothing else", "sources")
        if self.yes_no and self.options:
            raise Misfit("an answer is one of the options, or yes or no", "yes_no")
        if self.yes_no and not self.context:
            raise Misfit("yes or no is answered from a context", "context")
        if len(self.options) == 1:
            raise Misfit("a choice is between two options at least", "options")
        return self


class Translating(_Shape):
    """A text to be translated into the other language."""

    model_config = _example(text="Aspirin can cause asthma.")

    text: Text
    """English or Chinese."""
    lang: Asks = "auto"
    """The language of the text."""


class Rewriting(_Shape):
    """A text to be written anew."""

    model_config = _example(text="Aspirin can cause asthma. We describe 12 patients.", kind="title")

    text: Text
    """An abstract, or of a report the dialogue."""
    kind: Kinds
    """A summary of the text, the title of an abstract, or the medical report of a dialogue."""
    lang: Asks = "auto"
    """The language of the text."""


class Checking(_Shape):
    """A question whose terms are looked up."""

    model_config = _example(text="Please introduce the octacyclines among antibiotics")

    text: Text
    """English or Chinese; of a long one the beginning is checked."""
    lang: Asks = "auto"
    """The language of the notice; else that of the text."""


# --- answers ---------------------------------------------------------------------------------------------------------


class EntityFound(_Shape):
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


class RelationFound(_Shape):
    """A relation between two names."""

    head: str
    """What the relation goes out from."""
    tail: str
    """What it goes to."""
    type: str
    """Its name."""
    confidence: Confidence = None
    """How probable the model held it; null of a model that does not tell."""


class ArgumentFound(_Shape):
    """What fills a role of an event."""

    role: str
    """Its name."""
    text: str
    """The words."""
    event: int | None = None
    """Which of the events of the text it is, from 0, where it is one."""


class EventFound(_Shape):
    """An event."""

    type: str
    """Its name."""
    trigger: str
    """The words that say it; empty where there are none."""
    arguments: list[ArgumentFound]
    """What fills its roles."""


class Found(_Shape):
    """What was found in a text."""

    model_config = _example(
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


class LabelGiven(_Shape):
    """A label."""

    name: str
    """Under the name that was asked for."""
    confidence: Confidence = None
    """How probable the model held it; null of a model that does not tell."""


class Labelled(_Shape):
    """The labels of a text or of a pair, the most probable first."""

    model_config = _example(labels=[{"name": "treatment", "confidence": 0.93}])

    labels: list[LabelGiven]
    """Of a text those that it has, of a pair all; none where none fits."""
    cut: bool
    """Whether the answer of the model reached its limit; some may be missing."""

    @classmethod
    def of(cls, labels: tuple[Label, ...], *, cut: bool) -> Labelled:
        """Return labels as they are sent."""
        return cls.model_validate({"labels": _sent(labels), "cut": cut})


class Written(_Shape):
    """A text that the model wrote."""

    model_config = _example(text="阿司匹林可引起哮喘。", cut=False)

    text: str
    """As the model wrote it; it may be wrong."""
    cut: bool
    """Whether it reached the limit of the model."""


class ChoiceGiven(_Shape):
    """One of the answers that a question has."""

    key: str
    """`A` for the first option and so on; `yes`, `no` or `maybe`."""
    text: str
    """The option, or the key again."""
    confidence: Confidence = None
    """How probable the model held it among all; null of a model that does not tell."""

    @classmethod
    def of(cls, choice: Choice) -> ChoiceGiven:
        """Return a choice as it is sent."""
        return cls.model_validate(_sent(choice))


class CitationGiven(_Shape):
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


class StatementGiven(_Shape):
    """Something that an answer from sources says."""

    text: str
    """The statement."""
    citations: list[CitationGiven]
    """What it names as its support."""
    supported: bool
    """Whether one of the citations was found to support it."""


class NearestGiven(_Shape):
    """A known name near a term."""

    name: str
    """The name."""
    similarity: float
    """1 for the same name, 0 for one without a letter of it."""
    concepts: list[str]
    """What it names, by terminologies."""


class FlagGiven(_Shape):
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


class Checked(_Shape):
    """The terms of a question that are unknown and near to known names."""

    terms: list[FlagGiven]
    """In the order of the text; none where nothing is flagged."""
    notice: str
    """What is to be said of them, in the language of the text; empty where nothing is flagged."""


class Answered(_Shape):
    """The answer to a question."""

    model_config = _example(
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
        texts = dict(zip(ascii_uppercase, options, strict=False))
        found = (
            Choice(key=one.name, text=texts.get(one.name, one.name), confidence=one.confidence) for one in said.labels
        )
        choices = [ChoiceGiven.of(one) for one in found]
        return cls(
            text=said.text or (choices[0].text if choices else ""),
            choices=choices,
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
