"""Greedy decoding of free answers, in batches whose rows are dropped as they finish."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from taiyi.encoding import Prompt
from taiyi.generate.decoder import Decoder


def decode(
    model: PreTrainedModel, prompts: Sequence[Prompt], *, limits: Sequence[int], ends: Collection[int]
) -> Iterator[tuple[int, list[int], Literal["stop", "length"]]]:
    """Answer a batch of prompts: yield the index of a prompt, its answer without the end token, and why it ended.

    Args:
        model: a causal language model.
        prompts: what to answer.
        limits: how many tokens each answer may have, the end token apart.
        ends: the tokens that end an answer.
    """
    longest = max((len(p.ids) + n for p, n in zip(prompts, limits, strict=True)), default=0)
    decoder = Decoder(model, rows=len(prompts), capacity=min(longest, max(len(p.ids) for p in prompts) + 64))
    rows = list(range(len(prompts)))
    written: list[list[int]] = [[] for _ in prompts]
    tokens = [list(prompt.ids) for prompt in prompts]
    positions = [list(prompt.positions) for prompt in prompts]
    live = set(rows)
    while live:
        last = [max(0, len(fed) - 1) for fed in tokens]
        hidden = decoder.feed(tokens, positions)
        decided = _greedy(model, hidden[torch.arange(len(rows)), torch.tensor(last)])
        for i, row in enumerate(rows):
            if row not in live:
                continue
            if decided[i] in ends:
                live.discard(row)
                yield row, written[row], "stop"
            elif len(written[row]) == limits[row]:
                live.discard(row)
                yield row, written[row], "length"
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


@torch.inference_mode()
def _greedy(model: PreTrainedModel, hidden: Tensor) -> list[int]:
    head = cast(torch.nn.Module, model.get_output_embeddings())
    return cast(Tensor, head(hidden)).argmax(-1).tolist()
