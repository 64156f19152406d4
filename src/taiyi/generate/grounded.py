"""Grounded decoding: tagged answers that can only copy their source and place tags (see `grounding`).

Most tokens of such an answer copy the source, so the next stretch of it is drafted and read in one forward pass; what
the model agrees with is kept, up to its first tag (speculative decoding, Leviathan et al. 2023, where the draft is the
source). The answers are those of deciding token by token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate
from math import exp
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taiyi.encoding import Encoder, Prompt
from taiyi.generate.beginnings import begun
from taiyi.generate.model import LanguageModel, States
from taiyi.generate.sampling import Sampler, drawn
from taiyi.grounding import Grounding, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the next token is decided among its choices.

    Attributes:
        open_bias: is added to the logits of open tags: above 0 for more mentions, below for fewer.
        open_summed: whether a tag is opened where all open tags together are more probable than each other choice.
    """

    open_bias: float = 0.0
    open_summed: bool = False


class Answered(NamedTuple):
    """An answer to a prompt.

    Attributes:
        number: of the prompt.
        tokens: the answer, without the end token.
        finish: whether it ended by itself.
        log_probs: of each token, how probable it was among its choices, whatever the rule; 0 of what was not decided.
    """

    number: int
    tokens: list[int]
    finish: Literal["stop", "length"]
    log_probs: list[float]


@dataclass(slots=True)
class _Draft:
    """What is fed to a row in one step, and what is decided after it: the j-th choice after `fed + j - 1` tokens."""

    tokens: list[int]
    positions: list[int]
    fed: int
    states: list[State] = field(default_factory=list[State])
    choices: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])


@dataclass(slots=True)
class _Row:
    """An answer in the making: `pending` are tokens that are decided and not yet fed."""

    index: int
    prompt: Prompt
    grounding: Grounding
    limit: int
    pending: list[int]
    positions: list[int]
    state: State = field(default_factory=State)
    written: list[int] = field(default_factory=list[int])
    log_probs: list[float] = field(default_factory=list[float])

    def answered(self) -> Answered:
        """Return the answer, completed where it is not whole."""
        if self.state.ended:
            return Answered(self.index, self.written, "stop", self.log_probs)
        whole = completed(self.grounding, self.written, self.state)
        undecided = [0.0] * (len(whole) - len(self.log_probs))
        return Answered(self.index, whole, "length", self.log_probs + undecided)


def decode(
    model: LanguageModel,
    encoder: Encoder,
    prompts: Sequence[Prompt],
    *,
    max_tags: int | Sequence[int],
    rule: Rule | None = None,
    draft: int | None = None,
    sampler: Sampler | None = None,
) -> Iterator[Answered]:
    """Answer a batch of prompts, in any order.

    The answer is always whole: once its tags have taken `max_tags` tokens (of all answers, or of each), the rest is
    copied, and it counts as ended by length. Under a sampler it is drawn among its choices, whatever the rule. `draft`
    is how many tokens are drafted at a time, if that is not to follow from the device and the rows that are left.
    """
    rule = rule or Rule()
    most = [max_tags] * len(prompts) if isinstance(max_tags, int) else max_tags
    rows = [_row(index, prompt, most[index]) for index, prompt in enumerate(prompts)]
    capacity = max((len(row.prompt.ids) + len(row.grounding.source) * 5 // 4 for row in rows), default=0) + 32
    feeding, read = begun(model, prompts, capacity=capacity)
    for row, count in zip(rows, read, strict=True):
        row.pending, row.positions = row.pending[count:], row.positions[count:]
    live = set(range(len(rows)))
    while live:
        outside, inside = (draft, draft) if draft is not None else _lengths(model.pass_tokens, len(live))
        drafts = [
            _draft(row, encoder, inside if row.state.stack else outside) if i in live else _Draft([], [], 0)
            for i, row in enumerate(rows)
        ]
        states = feeding.feed([d.tokens for d in drafts], [d.positions for d in drafts])
        decided = _decide(states, drafts, rows, rule, sampler)
        for i in sorted(live):
            row = rows[i]
            feeding.take_back(i, _accept(row, drafts[i], decided[i], encoder))
            if row.state.ended or len(row.written) > row.limit:
                live.discard(i)
                yield row.answered()
        # Rows that are done still cost their share of every step; moving the others together costs a copy of the cache.
        if live and len(live) <= len(rows) * 3 // 4:
            kept = sorted(live)
            feeding.keep(kept)
            rows = [rows[i] for i in kept]
            live = set(range(len(rows)))


def _lengths(pass_tokens: int, rows: int) -> tuple[int, int]:
    """Return how many tokens to draft outside of tags, and inside of one, whose end is near.

    The longer a draft, the more of it is read in vain; the shorter, the more passes there are. Simulated over answers
    on BC5CDR, NCBI and CMeEE (a tag after each 10 to 23 tokens), these lengths cost at most 3% more than the best ones
    for each set, where a pass costs as much as 1 to 300 tokens.
    """
    root = (pass_tokens / rows) ** 0.5
    return max(4, round(6 * root)), max(4, round(1.2 * root))


def _row(index: int, prompt: Prompt, max_tags: int) -> _Row:
    assert prompt.grounding is not None
    limit = len(prompt.grounding.source) + max_tags
    return _Row(index, prompt, prompt.grounding, limit, list(prompt.ids), list(prompt.positions))


def _draft(row: _Row, encoder: Encoder, count: int) -> _Draft:
    """Draft the copy of what comes next: the first of the choices, as long as it is plain which that is."""
    draft = _Draft(list(row.pending), list(row.positions), len(row.pending))
    state = row.state
    while True:
        choices = row.grounding.allowed(state)
        draft.states.append(state)
        draft.choices.append(choices)
        token = choices[0]
        ambiguous = len(choices) > 1 and bool(state.partial)
        if len(draft.tokens) - draft.fed == count or ambiguous or token == row.grounding.end:
            return draft
        after = row.grounding.advance(state, token)
        written = len(row.written) + len(draft.tokens) - draft.fed
        draft.positions.append(encoder.position(row.prompt, state.at, written))
        draft.tokens.append(token)
        state = after


def _decide(
    states: States, drafts: Sequence[_Draft], rows: Sequence[_Row], rule: Rule, sampler: Sampler | None
) -> list[list[tuple[int, float]]]:
    """Return, for each row, the token decided at each of its choices, and how probable it was."""
    decided = [[(choices[0], 0.0) for choices in draft.choices] for draft in drafts]
    asked = [(i, j) for i, draft in enumerate(drafts) for j, choices in enumerate(draft.choices) if len(choices) > 1]
    if not asked:
        return decided
    width = max(len(drafts[i].choices[j]) for i, j in asked)
    tokens = np.array([drafts[i].choices[j] + (-1,) * (width - len(drafts[i].choices[j])) for i, j in asked])
    logits = states.logits_among([(i, drafts[i].fed + j - 1) for i, j in asked], tokens)
    if sampler is None and rule == Rule():
        picks = logits.argmax(-1).tolist()
    elif sampler is None:
        picks = _pick(logits, np.array([_opens(rows[i].grounding, drafts[i], j, width) for i, j in asked]), rule)
    else:
        # A choice that a draft leads to has the place that it has when tokens are decided one by one.
        places = [(rows[i].index, len(rows[i].written) + j) for i, j in asked]
        picks = drawn(logits, sampler.numbers(places), sampler.temperature)
    chosen = np.take_along_axis(logits, np.array(picks)[:, None], -1)[:, 0]
    log_probs = (chosen - np.logaddexp.reduce(logits, axis=-1)).tolist()
    for (i, j), pick, log_prob in zip(asked, picks, log_probs, strict=True):
        decided[i][j] = drafts[i].choices[j][pick], log_prob
    return decided


def _opens(grounding: Grounding, draft: _Draft, j: int, width: int) -> list[bool]:
    """Which of the choices open a tag."""
    opening = grounding.opening if not draft.states[j].partial else frozenset[int]()
    choices = draft.choices[j]
    # The first choice copies the source, even where its token also begins a tag.
    return [0 < k < len(choices) and choices[k] in opening for k in range(width)]


def _pick(logits: NDArray[np.float32], opens: NDArray[np.bool_], rule: Rule) -> list[int]:
    """Decide which choice each row of logits makes; where two are equal, the first one wins."""
    logits = logits + opens * np.float32(rule.open_bias)
    if rule.open_summed:
        together = np.logaddexp.reduce(np.where(opens, logits, -np.inf), axis=-1)
        open_one = together > np.where(opens, -np.inf, logits).max(-1)
        logits = np.where(opens == open_one[:, None], logits, -np.inf)
    return logits.argmax(-1).tolist()


def _accept(row: _Row, draft: _Draft, decided: Sequence[tuple[int, float]], encoder: Encoder) -> int:
    """Take over what was decided, up to where it departs from the draft, or the answer is longer than it may be; return
    how many fed tokens to take back."""
    drafted = draft.tokens[draft.fed :]
    for j, (token, log_prob) in enumerate(decided):
        state = draft.states[j]
        after = row.grounding.advance(state, token)
        row.pending = [token]
        row.positions = [encoder.position(row.prompt, state.at, len(row.written))]
        row.state = after
        if not after.ended:
            row.written.append(token)
            row.log_probs.append(log_prob)
        if j == len(drafted) or token != drafted[j] or len(row.written) > row.limit:
            return len(drafted) - j
    raise AssertionError("a draft ends with a decision")


def confidences(grounding: Grounding, tokens: Sequence[int], log_probs: Sequence[float]) -> list[float]:
    """Return how probable the mentions of a whole answer are, in order of their opening tags: each the product over its
    tokens, from its opening to its closing tag.

    What is nested in a mention is a part of it, and cannot be more probable.
    """
    found: list[float] = []
    stack: list[tuple[int, int]] = []
    sums = [0.0, *accumulate(log_probs)]
    in_tags = 0  # how many tokens of tags stand before
    for kind, tag, at in grounding.placed(tokens):
        begin = at + in_tags
        in_tags += len((grounding.opens if kind == "open" else grounding.closes)[tag])
        if kind == "open":
            stack.append((len(found), begin))
            found.append(0.0)
        else:
            number, opened = stack.pop()
            found[number] = min(1.0, exp(sums[at + in_tags] - sums[opened]))
    return found


def completed(grounding: Grounding, tokens: Sequence[int], state: State | None = None) -> list[int]:
    """Complete an answer without the model: no more tags than it must close.

    Args:
        grounding: its choices.
        tokens: what is written of it.
        state: where it stands, if that is known.
    """
    written = list(tokens)
    if state is None:
        state = reduce(grounding.advance, tokens, State())
    while (token := grounding.allowed(state)[0]) != grounding.end:
        state = grounding.advance(state, token)
        written.append(token)
    return written
