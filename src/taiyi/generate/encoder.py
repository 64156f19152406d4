"""What a fine-tuned encoder says of texts: mentions, labels, a number, or which option goes with a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils.logging import disable_progress_bar

from taiyi import features
from taiyi.errors import ModelError
from taiyi.features import Found, Head, Item, Read, Window

_GROUP = 256
"""How many items are read at a time."""

Logits = NDArray[np.float32]


class _Part(NamedTuple):
    """A window of an item, which is given by its number."""

    item: int
    window: Window


class Classifier:
    """An encoder with a head.

    Args:
        model: for token classification where mentions are asked for, else for sequence classification.
        tokenizer: its tokenizer.
        head: what it says.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, head: Head) -> None:
        self.model, self.tokenizer, self.head = model, tokenizer, head

    @classmethod
    def load(cls, folder: Path, *, device: str = "auto") -> Self:
        """Load what `train.encoder.fit` wrote; `auto` is a CUDA device where there is one.

        Raises:
            ModelError: it is not there.
        """
        disable_progress_bar()
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            head = msgspec.json.decode((folder / features.FILE).read_bytes(), type=Head)
            kind: Any = AutoModelForTokenClassification if head.kind == "spans" else AutoModelForSequenceClassification
            return cls(kind.from_pretrained(folder).to(device), AutoTokenizer.from_pretrained(folder), head)
        except (OSError, ValueError, RuntimeError, SafetensorError, msgspec.DecodeError) as error:
            raise ModelError(
                "the encoder cannot be loaded",
                where=folder,
                got=str(error).splitlines()[0],
                mend="remove the folder of its step, and give the same command again",
            ) from error

    def predict(self, items: Sequence[Item], *, batch_tokens: int = 8192) -> Iterator[Found]:
        """Yield what is said of each item, in order; `batch_tokens` bounds the tokens of a batch, padding included."""
        self.model.eval()
        for number in range(0, len(items), _GROUP):
            yield from self._group(items[number : number + _GROUP], batch_tokens)

    def _group(self, items: Sequence[Item], batch_tokens: int) -> Iterator[Found]:
        reads = [features.read(item, self.tokenizer, self.head) for item in items]
        parts = [_Part(number, window) for number, read in enumerate(reads) for window in read.windows]
        said: list[list[tuple[Window, Logits]]] = [[] for _ in items]
        for part, logits in self._logits(parts, batch_tokens):
            said[part.item].append((part.window, logits))
        for read, of_item in zip(reads, said, strict=True):
            yield _mentions(read, of_item, self.head) if self.head.kind == "spans" else _said(of_item, self.head)

    @torch.inference_mode()
    def _logits(self, parts: Sequence[_Part], batch_tokens: int) -> Iterator[tuple[_Part, Logits]]:
        """Yield windows, in order, with their logits: those of all their tokens where mentions are asked for."""
        longest = sorted(range(len(parts)), key=lambda n: -len(parts[n].window.inputs["input_ids"]))
        found: dict[int, Logits] = {}
        while longest:
            size = max(1, batch_tokens // len(parts[longest[0]].window.inputs["input_ids"]))
            batch, longest = longest[:size], longest[size:]
            padded = self.tokenizer.pad([parts[n].window.inputs for n in batch], return_tensors="pt")
            logits = self.model(**padded.to(self.model.device)).logits.float().cpu().numpy()
            found.update((n, cast(Logits, row)) for n, row in zip(batch, logits, strict=True))
        yield from ((part, found[number]) for number, part in enumerate(parts))


def _mentions(read: Read, said: Sequence[tuple[Window, Logits]], head: Head) -> Found:
    """Return the mentions of a text; what is said of a word counts in the window that shows most around it."""
    best: dict[int, tuple[int, list[int]]] = {}
    for window, logits in said:
        tags = logits.reshape(len(logits), len(head.names), 3).argmax(axis=2).tolist()
        length = len(window.inputs["input_ids"])
        for word, place in zip(window.words, window.at, strict=True):
            around = min(place, length - place)
            if word not in best or around > best[word][0]:
                best[word] = (around, tags[place])
    nothing = [features.OUTSIDE] * len(head.names)
    found = [best[word][1] if word in best else nothing for word in range(len(read.words))]
    return Found(spans=tuple(features.spans(found, read.words, head.names)))


def _said(said: Sequence[tuple[Window, Logits]], head: Head) -> Found:
    """Return what is said of a text or pair: the mean over its windows, apart for each option."""
    options = sorted({window.option for window, _ in said})
    means = [np.mean([logits for window, logits in said if window.option == o], axis=0) for o in options]
    match head.kind:
        case "option":
            return Found(option=options[int(np.argmax([mean[0] for mean in means]))])
        case "value":
            return Found(value=float(np.clip(means[0][0], 0.0, 1.0)))
        case "label":
            return Found(labels=(head.names[int(means[0].argmax())],))
        case _:
            likely = [name for name, logit in zip(head.names, means[0], strict=True) if logit > 0]
            if not likely and head.at_least_one:
                likely = [head.names[int(means[0].argmax())]]
            return Found(labels=tuple(likely))
