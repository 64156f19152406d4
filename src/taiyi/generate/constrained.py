"""Decoding under a grammar: of what a model would write next, only what the grammar allows (llguidance).

At each token the grammar tells which may come next, and the most probable of these is taken: greedy decoding over the
answers that the grammar has (Geng et al., Grammar-constrained decoding for structured NLP tasks without finetuning,
EMNLP 2023). A model that writes such an answer by itself writes the same one. Where only one text can come next, it is
written in the tokens that the tokenizer has for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy

import numpy as np
from llguidance import LLExecutor, LLMatcher, LLParserLimits, LLTokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask_par
from numpy.typing import NDArray

from taiyi.errors import ModelError
from taiyi.generate.model import Logits
from taiyi.tokens import Tokenizer

# What may be spent on compiling a grammar, and on a token; a matcher that reaches a limit stops there.
_LIMITS = LLParserLimits(initial_lexer_fuel=100_000_000, step_lexer_fuel=20_000_000, max_lexer_states=2_000_000)

_TRIED = 16
"""How many tokens are tried, the most probable first, before all that may come are asked for."""


class Vocabulary:
    """The tokens of a model as grammars need them; for a large vocabulary it takes seconds to make.

    Args:
        tokenizer: of the model.
        ends: the tokens that end an answer.
        width: how many logits the model has, which may be more than its tokenizer has tokens.
    """

    def __init__(self, tokenizer: Tokenizer, ends: Collection[int], width: int) -> None:
        try:
            self._tokenizer = _tokens(tokenizer, width, ends)
        except ValueError as error:
            raise ModelError(
                "answers cannot be held to a grammar under this tokenizer",
                got=error,
                expected="a byte-level tokenizer",
                mend="use `constrained: none`",
            ) from error
        self._executor = LLExecutor()
        self._width = width
        self.ends = frozenset(ends)

    def constraint(self, grammar: str) -> Constraint | None:
        """Compile a grammar; None where it cannot be used, for it is larger than can be held."""
        matcher = LLMatcher(self._tokenizer, grammar, limits=_LIMITS, log_level=0)
        return None if matcher.is_error() else Constraint(self, matcher)

    def allowed(self, constraints: Sequence[Constraint]) -> NDArray[np.bool_]:
        """Return which tokens may come next under each constraint, as a boolean [constraint, token]."""
        bits = allocate_token_bitmask(len(constraints), self._width)
        matchers = [(constraint.matcher, row) for row, constraint in enumerate(constraints)]
        fill_next_token_bitmask_par(self._executor, matchers, bits)
        flags = np.unpackbits(bits.view(np.uint8), axis=1, count=self._width, bitorder="little")
        return flags.view(np.bool_)


class Constraint:
    """What one answer may be: a grammar, and how far the answer has come in it.

    Args:
        vocabulary: of the model.
        matcher: of the grammar, at the beginning of the answer.
    """

    def __init__(self, vocabulary: Vocabulary, matcher: LLMatcher) -> None:
        self.vocabulary = vocabulary
        self.matcher = matcher

    def force(self, most: int) -> list[int]:
        """Go on with what comes next whatever the model, in the tokens that the tokenizer has for it; return them."""
        tokens = self.matcher.compute_ff_tokens()[:most]
        stop = next((n for n, token in enumerate(tokens) if token in self.vocabulary.ends), len(tokens))
        return tokens[: self.matcher.try_consume_tokens(tokens[:stop])]

    def allowed(self, tokens: Sequence[int]) -> int:
        """Return how many of some tokens may come next, one after another."""
        return self.matcher.validate_tokens(list(tokens))

    def take(self, token: int) -> bool:
        """Go on with a token; where it may not come next, return False and leave all as it is."""
        if token in self.vocabulary.ends:
            return self.matcher.is_accepting()
        return not self.matcher.is_stopped() and self.matcher.try_consume_tokens([token]) == 1


def _tokens(tokenizer: Tokenizer, width: int, ends: Collection[int]) -> LLTokenizer:
    # What a tokenizer was saved with is not asked for here: nothing is cut, and nothing filled up.
    backend = copy(tokenizer.backend_tokenizer)
    backend.no_truncation()
    backend.no_padding()
    return LLTokenizer(backend.to_str(), n_vocab=width, eos_token=sorted(ends))


def decide(logits: Logits, constraints: Sequence[Constraint | None]) -> list[int | None]:
    """Return the most probable token that may come next, for each row of logits, and go on with it.

    Rows without a constraint may take any. None stands where none may come: the matcher reached a limit.
    """
    decided: list[int | None] = [*logits.best()]
    refused: list[tuple[int, Constraint]] = []
    for row, constraint in enumerate(constraints):
        token = decided[row]
        # What is the most probable of all tokens is so of those that may come. To try one takes microseconds; to find
        # all that may come goes over the vocabulary, for large ones in milliseconds.
        if constraint is not None and token is not None and not constraint.take(token):
            refused.append((row, constraint))
    if refused:
        tried = logits[[row for row, _ in refused]].likeliest(_TRIED)
        for (row, constraint), tokens in zip(refused, tried, strict=True):
            decided[row] = next((token for token in tokens if token != decided[row] and constraint.take(token)), None)
        refused = [(row, constraint) for row, constraint in refused if decided[row] is None]
    if refused:
        rows, held = [row for row, _ in refused], [constraint for _, constraint in refused]
        best = logits[rows].best_of(held[0].vocabulary.allowed(held))
        for (row, constraint), token in zip(refused, best, strict=True):
            decided[row] = token if constraint.take(token) else None
    return decided
