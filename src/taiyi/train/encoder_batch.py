"""What an encoder with a head learns from: entries, which a step takes several of, and how wrong it is about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from taiyi import features
from taiyi.features import Head, Item, Window


class Entry(NamedTuple):
    """What a step can learn from.

    Attributes:
        windows: those of an item, which have one target; or one of a text whose mentions are asked for.
        target: the tags of the window's words [word, type]; of labels 0.0 or 1.0 for each; a number from 0 to 1; else
            the number of the label or option.
    """

    windows: Sequence[Window]
    target: Any


def entries_of(item: Item, tokenizer: PreTrainedTokenizerFast, head: Head) -> list[Entry]:
    """Return what is learned from an item."""
    read = features.read(item, tokenizer, head)
    match head.kind:
        case "spans":
            tags = features.tags(item.gold.spans, read.words, head.names)
            return [Entry([window], [tags[word] for word in window.words]) for window in read.windows if window.words]
        case "labels":
            return [Entry(read.windows, [float(name in item.gold.labels) for name in head.names])]
        case "label":
            return [Entry(read.windows, head.names.index(item.gold.labels[0]))]
        case "value":
            return [Entry(read.windows, item.gold.value)]
        case "option":
            return [Entry(read.windows, item.gold.option)]


def collate(entries: Sequence[Entry], tokenizer: PreTrainedTokenizerFast, head: Head) -> dict[str, Any]:
    """Return a batch: `inputs`, the padded windows of all entries [window, token]; `target`, what is to be said; and
    of which entry (`owner`) and option each window is [window], or in which window and where there (`row`, `place`)
    each word begins [word]."""
    windows = [(number, window) for number, entry in enumerate(entries) for window in entry.windows]
    inputs = tokenizer.pad([window.inputs for _, window in windows], return_tensors="pt")
    batch: dict[str, Any] = {"inputs": dict(inputs)}
    if head.kind == "spans":
        batch["row"] = torch.tensor([n for n, (_, window) in enumerate(windows) for _ in window.at])
        batch["place"] = torch.tensor([place for _, window in windows for place in window.at])
        batch["target"] = torch.tensor([tags for entry in entries for tags in entry.target])
    else:
        batch["owner"] = torch.tensor([number for number, _ in windows])
        batch["option"] = torch.tensor([window.option for _, window in windows])
        batch["target"] = torch.tensor([entry.target for entry in entries])
    return batch


def loss(head: Head, logits: torch.Tensor, batch: Any) -> torch.Tensor:
    """Return the mean loss over words and types, labels, texts or questions.

    Args:
        head: what is said.
        logits: of a batch: [window, token, number of the head], of mentions; else [window, number of the head].
        batch: as `collate` returns it.
    """
    target = batch["target"]
    if head.kind == "spans":
        words = logits[batch["row"], batch["place"]].view(-1, 3)
        return functional.cross_entropy(words, target.view(-1))
    # What is said of a text, or of an option, is the mean over its windows.
    num_options = int(batch["option"].max()) + 1
    cell = batch["owner"] * num_options + batch["option"]
    shape = (len(target) * num_options, logits.shape[1])
    count = torch.zeros(shape[0], device=logits.device).index_add_(0, cell, torch.ones_like(cell, dtype=torch.float32))
    said = torch.zeros(shape, device=logits.device).index_add_(0, cell, logits) / count.clamp(min=1)[:, None]
    match head.kind:
        case "labels":
            return functional.binary_cross_entropy_with_logits(said, target)
        case "label":
            return functional.cross_entropy(said, target)
        case "value":
            return functional.mse_loss(said[:, 0], target)
        case _:
            options = said.view(len(target), num_options)
            # Questions may have fewer options than others.
            return functional.cross_entropy(options.masked_fill(count.view_as(options) == 0, -math.inf), target)
