"""What an engine is: something that answers examples in batches and a dialogue as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from taiyi.schema import Example, Message, Prediction


class Engine(Protocol):
    """Writes answers with a model, wherever the model is."""

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, in any order; `batch_tokens` bounds the tokens of a batch, prompts and answers."""
        ...

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come."""
        ...
