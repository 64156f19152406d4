"""A dialogue with a model, kept within what the model can hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from taiyi.errors import ModelError
from taiyi.schema import Message

NumTokens = Callable[[Sequence[Message]], int]


def fit(messages: Sequence[Message], num_tokens: NumTokens, *, limit: int) -> tuple[list[Message], int]:
    """Return the messages that fit into `limit` tokens and how many were dropped: the oldest, the system message apart.

    A question goes together with its answer, so what is left begins with the user. Raises ModelError where the last
    message does not fit by itself.
    """
    system = [m for m in messages[:1] if m.role == "system"]
    turns = list(messages[len(system) :])
    dropped = 0
    while (found := num_tokens([*system, *turns])) > limit:
        later = next((i for i, m in enumerate(turns) if i > 0 and m.role == "user"), None)
        if later is None:
            raise ModelError(
                "the message is longer than the model can hold", got=f"{found} tokens", expected=f"at most {limit}"
            )
        del turns[:later]
        dropped += later
    return [*system, *turns], dropped
