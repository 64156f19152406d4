"""Decoding of free answers, greedily or by chance, in batches whose rows are dropped as they finish."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from taiyi.encoding import Prompt
from taiyi.generate.decoder import Decoder, begun
from taiyi.generate.sampling import Sampler


def decode(
    model: PreTrainedModel,
    prompts: Sequence[Prompt],
    *,
    limits: Sequence[int],
    ends: Collection[int],
    sampler: Sampler | None = None,
) -> Iterator[tuple[int, list[int], int | None]]:
    """Answer a batch of prompts: yield the index of a prompt, its answer, and the token that ended it, which is not in
    it; None where it was cut at its limit.

    Args:
        model: a causal language model.
        prompts: what to answer.
        limits: how many tokens each answer may have, the end token apart.
        ends: the tokens that end an answer.
        sampler: how tokens are drawn; the most probable ones are taken if not given.
    """
    longest = max((len(p.ids) + n for p, n in zip(prompts, limits, strict=True)), default=0)
    capacity = min(longest, max(len(p.ids) for p in prompts) + 64)
    rows = list(range(len(prompts)))
    written: list[list[int]] = [[] for _ in prompts]
    if sampler is None:
        decoder = Decoder(model, rows=len(prompts), capacity=capacity)
        unread = 0
    else:
        decoder = begun(model, prompts, capacity=capacity)
        unread = -1
    tokens = [list(prompt.ids[unread:]) for prompt in prompts]
    positions = [list(prompt.positions[unread:]) for prompt in prompts]
    live = set(rows)
    while live:
        last = [max(0, len(fed) - 1) for fed in tokens]
        hidden = decoder.feed(tokens, positions)
        hidden = hidden[torch.arange(len(rows)), torch.tensor(last)]
        if sampler is None:
            decided = _greedy(model, hidden)
        else:
            places = [(row, len(written[row])) for row in rows]
            decided = sampler.pick(_logits(model, hidden), places)[:, 0].tolist()
        for i, row in enumerate(rows):
            if row not in live:
                continue
            if decided[i] in ends:
                live.discard(row)
                yield row, written[row], decided[i]
            elif len(written[row]) == limits[row]:
                live.discard(row)
                yield row, written[row], None
            else:
                written[row].append(decided[i])
        if live and len(live) <= len(rows) * 7 // 8:
            kept = [i for i, row in enumerate(rows) if row in live]
            decoder.keep(kept)
            rows = [rows[i] for i in kept]
        tokens = [written[row][-1:] if row in live else [] for row in rows]
        positions = [[len(prompts[row].ids) + len(written[row]) - 1] if row in live else [] for row in rows]


def stream(model: PreTrainedModel, prompt: Prompt, *, limit: int, ends: Collection[int]) -> Iterator[int]:
    """Answer one prompt, token by token."""
    decoder = Decoder(model, rows=1, capacity=len(prompt.ids) + min(limit, 256))
    tokens, positions = list(prompt.ids), list(prompt.positions)
    for written in range(limit):
        hidden = decoder.feed([tokens], [positions])
        token = _greedy(model, hidden[:, -1])[0]
        if token in ends:
            return
        yield token
        tokens, positions = [token], [len(prompt.ids) + written]


def _greedy(model: PreTrainedModel, hidden: Tensor) -> list[int]:
    return _logits(model, hidden).argmax(-1).tolist()


@torch.inference_mode()
def _logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    return cast(Tensor, cast(torch.nn.Module, model.get_output_embeddings())(hidden))
