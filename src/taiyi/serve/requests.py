"""What is asked of the typed addresses: the shapes of JSON, with what each field means."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from taiyi.errors import Misfit
from taiyi.serve.shapes import AnyText, Shape, Text, example
from taiyi.use.extraction import Kind
from taiyi.use.results import KEYS
from taiyi.use.taiyi import Asks, Kinds, Pairs

Name = Annotated[Text, Field(max_length=200)]


class _Asked(Shape):
    # As the description says: 0 is not false, and "5" no number.
    model_config = ConfigDict(strict=True)


class Extracting(_Asked):
    """A text, and what is to be found in it."""

    model_config = example(text="Aspirin can cause asthma.", types=["chemical", "disease"])

    text: Text
    """English or Chinese."""
    types: Annotated[list[Name], Field(max_length=200)] | Annotated[dict[Name, AnyText], Field(max_length=200)] = Field(
        default=[]
    )
    """What to find: names of the catalogue, those that the model learned, or words of one's own; or these with their
    definitions. What the model learned first, if there are none."""
    what: Kind = "entities"
    """Entities, relations or events."""
    lang: Asks = "auto"
    """The language of the prompt; else that of the text."""
    like: Annotated[AnyText, Field(max_length=200)] = ""
    """The corpus by whose guidelines, of a model that learned several."""
    window: Annotated[int, Field(ge=1)] | None = None
    """Up to how many characters sentences are read together; else as the model learned it."""


class Classifying(_Asked):
    """A text, and the labels that it may have."""

    model_config = example(text="孩子发烧怎么办", labels=["kuake_qic"])

    text: Text
    """English or Chinese."""
    labels: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    """Two at least in words of one's own, or the name of a corpus whose labels are meant."""
    several: bool | None = None
    """Whether the text may have several of them, or none; else as in the corpus, and one of one's own."""
    lang: Asks = "auto"
    """The language of the prompt; else that of the text."""


class Pairing(_Asked):
    """Two texts, and how they may relate."""

    model_config = example(first="高血压能吃盐吗", second="高血压患者可以吃咸的吗", labels=["kuake_qqr"])

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


class Answering(_Asked):
    """A question: with options, for yes or no from a context, in words, or from the sources of the server."""

    model_config = example(question="Which drug lowers fever?", options=["paracetamol", "insulin"])

    question: Text
    """English or Chinese."""
    options: list[Text] = Field(default=[], max_length=len(KEYS))
    """What may be answered, two at least; an answer in words if there are none."""
    context: AnyText = ""
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


class Translating(_Asked):
    """A text to be translated into the other language."""

    model_config = example(text="Aspirin can cause asthma.")

    text: Text
    """English or Chinese."""
    lang: Asks = "auto"
    """The language of the text."""


class Rewriting(_Asked):
    """A text to be written anew."""

    model_config = example(text="Aspirin can cause asthma. We describe 12 patients.", kind="title")

    text: Text
    """An abstract, or of a report the dialogue."""
    kind: Kinds
    """A summary of the text, the title of an abstract, or the medical report of a dialogue."""
    lang: Asks = "auto"
    """The language of the text."""


class Checking(_Asked):
    """A question whose terms are looked up."""

    model_config = example(text="Please introduce the octacyclines among antibiotics")

    text: Text
    """English or Chinese; of a long one the beginning is checked."""
    lang: Asks = "auto"
    """The language of the notice; else that of the text."""
