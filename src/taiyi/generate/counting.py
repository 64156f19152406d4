"""How many tokens a prompt has for a model that is not here: by its tokenizer, or about that, from its characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import regex

from taiyi.encoding import Encoder
from taiyi.errors import ModelError
from taiyi.hub import reach
from taiyi.schema import Message

_WIDE = regex.compile(r"[\p{Han}\u3000-\u303f\uff00-\uffef]")
# Of a tokenizer that is not known: how many characters a token is taken to have, and how many it has at most on the
# average of a text.
_NARROW_PER_TOKEN, _NARROW_PER_TOKEN_AT_MOST = 3.5, 8.0
_WIDE_PER_TOKEN, _WIDE_PER_TOKEN_AT_MOST = 1.0, 3.0
# What a chat template writes around a message.
_AROUND_MESSAGE = 5


class TokenCounter:
    """Counts the tokens of dialogues.

    Args:
        tokenizer: a folder, or an id of the hub; tokens are estimated where none is named.

    Raises:
        ModelError: there is no such tokenizer.
    """

    def __init__(self, tokenizer: str = "") -> None:
        self._encoder = _encoder(tokenizer) if tokenizer else None

    @property
    def exact(self) -> bool:
        """Whether tokens are counted, and not estimated."""
        return self._encoder is not None

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens a dialogue takes as a prompt; of an estimate rather too many."""
        if self._encoder is not None:
            return len(self._encoder.prompt(messages).ids)
        return round(sum(estimated(message.content) for message in messages) + _AROUND_MESSAGE * len(messages))

    def of_answer(self, text: str) -> int:
        """Return how many tokens an answer takes that stands in a prompt; of an estimate rather too many."""
        if self._encoder is not None:
            return len(self._encoder.tokenizer.encode(text, add_special_tokens=False))
        return math.ceil(estimated(text))

    def least(self, messages: Sequence[Message]) -> float:
        """Return how many tokens a dialogue takes at least, whatever a chat template writes around its texts."""
        texts = [message.content for message in messages]
        if self._encoder is not None:
            tokenizer = self._encoder.tokenizer
            return sum(len(tokenizer.encode(text, add_special_tokens=False)) for text in texts)
        return sum(_tokens(text, _NARROW_PER_TOKEN_AT_MOST, _WIDE_PER_TOKEN_AT_MOST) for text in texts)


def estimated(text: str) -> float:
    """Return about how many tokens a text has under any tokenizer: one for each Han character, and for 3.5 others."""
    return _tokens(text, _NARROW_PER_TOKEN, _WIDE_PER_TOKEN)


def _tokens(text: str, narrow_per_token: float, wide_per_token: float) -> float:
    wide = len(_WIDE.findall(text))
    return wide / wide_per_token + (len(text) - wide) / narrow_per_token


def _encoder(name: str) -> Encoder:
    from transformers import AutoTokenizer

    try:
        reach(name)
        tokenizer: Any = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, ModelError) as error:
        raise ModelError(
            "the tokenizer cannot be loaded", where="tokenizer", got=name, expected="a folder or an id of the hub"
        ) from error
    return Encoder(tokenizer)
