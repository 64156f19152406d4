"""What an engine is: something that answers examples in batches and a dialogue as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from taiyi.schema import Example, Message, Prediction

NO_ROOM = "no room to answer"
"""Why there is no answer where the context does not hold the prompt and a first token of one."""
NOT_LEARNED = "the model did not learn this task"
"""Why there is no answer of a model that began from nothing to what it was not trained on (`Checkpoint.knows`)."""

Grammar = Callable[[Example], str]
"""What the answer to an example may be, as a grammar in llguidance's dialect of Lark; empty for whatever it may be."""


class Ended(NamedTuple):
    """How an answer in pieces ended.

    Attributes:
        finish: whether by itself, or at its limit.
        prompt_tokens: how many tokens the dialogue has as a prompt.
        answer_tokens: how many the answer has.
    """

    finish: Literal["stop", "length"]
    prompt_tokens: int
    answer_tokens: int


class Engine(Protocol):
    """Writes answers with a model, wherever the model is."""

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, in any order; `batch_tokens` bounds the tokens of a batch, prompts and answers."""
        ...

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come."""
        ...


class Asked(NamedTuple):
    """An example, and the answers that one is chosen from."""

    example: Example
    candidates: Sequence[str]


@runtime_checkable
class Choosing(Protocol):
    """An engine that can tell how probable an answer is."""

    def choose(self, asked: Sequence[Asked], *, per_byte: bool, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, in any order, with the most probable of its candidates.

        The score of a candidate is the sum of the log-probabilities of its tokens after the prompt; `per_byte` divides
        it by the length of the candidate in UTF-8, so that long candidates are not at a disadvantage.
        """
        ...


class Weighed(NamedTuple):
    """How probable the candidates of an example are.

    Attributes:
        example: id of the example.
        scores: of each candidate the sum of the log-probabilities of its tokens after the prompt; none where the
            context does not hold the prompt and the longest of them.
        lengths: how many tokens each candidate has.
        seconds: its share of its batch's time.
    """

    example: str
    scores: Sequence[float]
    lengths: Sequence[int]
    seconds: float


@runtime_checkable
class Weighing(Protocol):
    """An engine that says how probable answers are."""

    def weigh(self, asked: Sequence[Asked], *, batch_tokens: int) -> Iterator[Weighed]:
        """Say of every example once, in any order, how probable its candidates are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What answering examples takes, before anything is asked.

    Attributes:
        requests: how many requests are sent.
        prompt_tokens: what the prompts have.
        answer_tokens: what the answers have at most.
        exact: whether the prompts were counted by the model's tokenizer, and not estimated from their characters.
    """

    requests: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    exact: bool = True

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            requests=self.requests + other.requests,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            answer_tokens=self.answer_tokens + other.answer_tokens,
            exact=self.exact and other.exact,
        )


@runtime_checkable
class Paid(Protocol):
    """An engine whose answers may have a price."""

    def estimate(self, asked: Sequence[Asked], *, max_new_tokens: int) -> Estimate:
        """Say what answering examples takes; those that have candidates are answered by `choose`."""
        ...

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float | None:
        """Return what so many tokens cost; None where the prices are not known."""
        ...
