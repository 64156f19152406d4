"""Grounded decoding: tagged answers that can only copy their source and place tags (see `grounding`).

Most tokens of such an answer copy the source, so the next stretch of it is drafted and read in one forward pass; what
the model agrees with is kept, up to its first tag (speculative decoding, Leviathan et al. 2023, where the draft is the
source). The answers are those of deciding token by token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from taiyi.encoding import Encoder, Prompt
from taiyi.generate import head
from taiyi.generate.decoder import begun, pass_tokens
from taiyi.generate.sampling import Sampler
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


@dataclass(slots=True)
class _Draft:
    """What is fed to a row in one step, and what is decided after it: the j-th choice after `fed + j - 1` tokens."""

    tokens: list[int]
    positions: list[int]
    fed: int
    states: list[State] = field(default_factory=list[State])
    choices: list[Sequence[int]] = field(default_factory=list[Sequence[int]])


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


def decode(
    model: PreTrainedModel,
    encoder: Encoder,
    prompts: Sequence[Prompt],
    *,
    max_tags: int | Sequence[int],
    rule: Rule | None = None,
    draft: int | None = None,
    sampler: Sampler | None = None,
) -> Iterator[tuple[int, list[int], Literal["stop", "length"]]]:
    """Answer a batch of prompts: yield the index of a prompt, its answer without the end token, and why it ended.

    The answer is always whole: once its tags have taken `max_tags` tokens (of all answers, or of each), the rest is
    copied, and it counts as ended by length. Under a sampler it is drawn among its choices, whatever the rule. `draft`
    is how many tokens are drafted at a time, if that is not to follow from the device and the rows that are left.
    """
    rule = rule or Rule()
    most = [max_tags] * len(prompts) if isinstance(max_tags, int) else max_tags
    rows = [_row(index, prompt, most[index]) for index, prompt in enumerate(prompts)]
    capacity = max((len(row.prompt.ids) + len(row.grounding.source) * 5 // 4 for row in rows), default=0) + 32
    decoder, read = begun(model, prompts, capacity=capacity)
    for row, count in zip(rows, read, strict=True):
        row.pending, row.positions = row.pending[count:], row.positions[count:]
    live = set(range(len(rows)))
    while live:
        outside, inside = (draft, draft) if draft is not None else _lengths(model.device.type, len(live))
        drafts = [
            _draft(row, encoder, inside if row.state.stack else outside) if i in live else _Draft([], [], 0)
            for i, row in enumerate(rows)
        ]
        hidden = decoder.feed([d.tokens for d in drafts], [d.positions for d in drafts])
        decided = _decide(model, hidden, drafts, rows, rule, sampler)
        for i in sorted(live):
            row = rows[i]
            decoder.take_back(i, _accept(row, drafts[i], decided[i], encoder))
            if row.state.ended:
                live.discard(i)
                yield row.index, row.written, "stop"
            elif len(row.written) > row.limit:
                live.discard(i)
                yield row.index, completed(row.grounding, row.written, row.state), "length"
        # Rows that are done still cost their share of every step; moving the others together costs a copy of the cache.
        if live and len(live) <= len(rows) * 3 // 4:
            kept = sorted(live)
            decoder.keep(kept)
            rows = [rows[i] for i in kept]
            live = set(range(len(rows)))


def _lengths(device: str, rows: int) -> tuple[int, int]:
    """Return how many tokens to draft outside of tags, and inside of one, whose end is near.

    The longer a draft, the more of it is read in vain; the shorter, the more passes there are. Simulated over answers
    on BC5CDR, NCBI and CMeEE (a tag after each 10 to 23 tokens), these lengths cost at most 3% more than the best ones
    for each set, where a pass costs as much as 1 to 300 tokens.
    """
    root = (pass_tokens(device) / rows) ** 0.5
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
    model: PreTrainedModel,
    hidden: Tensor,
    drafts: Sequence[_Draft],
    rows: Sequence[_Row],
    rule: Rule,
    sampler: Sampler | None,
) -> list[list[int]]:
    """Return, for each row, the token decided at each of its choices."""
    decided = [[choices[0] for choices in draft.choices] for draft in drafts]
    asked = [(i, j) for i, draft in enumerate(drafts) for j, choices in enumerate(draft.choices) if len(choices) > 1]
    if not asked:
        return decided
    width = max(len(drafts[i].choices[j]) for i, j in asked)
    tokens = torch.tensor([_padded(drafts[i].choices[j], width) for i, j in asked], device=hidden.device)
    at = torch.tensor([(i, drafts[i].fed + j - 1) for i, j in asked], device=hidden.device)
    logits = head.logits_among(model, hidden[at[:, 0], at[:, 1]], tokens)
    if sampler is None:
        opens = torch.tensor([_opens(rows[i].grounding, drafts[i], j, width) for i, j in asked], device=hidden.device)
        picks = _pick(logits, tokens, opens, rule)
    else:
        # A choice that a draft leads to has the place that it has when tokens are decided one by one.
        places = [(rows[i].index, len(rows[i].written) + j) for i, j in asked]
        picks = tokens.gather(1, sampler.pick(logits, places))[:, 0].tolist()
    for (i, j), pick in zip(asked, picks, strict=True):
        decided[i][j] = pick
    return decided


def _padded(choices: Sequence[int], width: int) -> list[int]:
    return [*choices, *(-1 for _ in range(width - len(choices)))]


def _opens(grounding: Grounding, draft: _Draft, j: int, width: int) -> list[bool]:
    """Which of the choices open a tag."""
    opening = grounding.opening if not draft.states[j].partial else frozenset[int]()
    choices = draft.choices[j]
    # The first choice copies the source, even where its token also begins a tag.
    return [0 < k < len(choices) and choices[k] in opening for k in range(width)]


@torch.inference_mode()
def _pick(logits: Tensor, tokens: Tensor, opens: Tensor, rule: Rule) -> list[int]:
    """Decide; where two choices are equal, the first one wins."""
    logits = logits + opens * rule.open_bias
    if rule.open_summed:
        together = logits.masked_fill(~opens, -torch.inf).logsumexp(-1)
        other = logits.masked_fill(opens, -torch.inf)
        logits = torch.where((together > other.amax(-1))[:, None] & ~opens, -torch.inf, logits)
        logits = torch.where((together <= other.amax(-1))[:, None] & opens, -torch.inf, logits)
    return tokens.gather(1, logits.argmax(-1, keepdim=True))[:, 0].tolist()


def _accept(row: _Row, draft: _Draft, decided: Sequence[int], encoder: Encoder) -> int:
    """Take over what was decided, up to where it departs from the draft, or the answer is longer than it may be; return
    how many fed tokens to take back."""
    drafted = draft.tokens[draft.fed :]
    for j, token in enumerate(decided):
        state = draft.states[j]
        after = row.grounding.advance(state, token)
        row.pending = [token]
        row.positions = [encoder.position(row.prompt, state.at, len(row.written))]
        row.state = after
        if not after.ended:
            row.written.append(token)
        if j == len(drafted) or token != drafted[j] or len(row.written) > row.limit:
            return len(drafted) - j
    raise AssertionError("a draft ends with a decision")


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
