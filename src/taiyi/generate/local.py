"""An engine in this process: a model of transformers from a run, a folder or the hub."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self, cast

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from taiyi.checkpoint import Checkpoint, model_folder
from taiyi.encoding import Encoder, Prompt
from taiyi.errors import ModelError
from taiyi.generate import free, grounded
from taiyi.generate.decoder import windowed
from taiyi.schema import Example, Message, Prediction

DTypeName = Literal["auto", "float32", "bfloat16", "float16"]

MAX_ROWS = 32
"""How many rows a batch has at most."""


QUICK_BYTES = 2**30
"""Weights below this size are loaded without a progress bar."""


class LocalEngine:
    """Answers with a model in this process, greedily.

    Args:
        model: a causal language model of transformers.
        tokenizer: its tokenizer.
        checkpoint: how it was trained.
        name: what to call it.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, checkpoint: Checkpoint, *, name: str = ""
    ) -> None:
        windowed(model)
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.checkpoint = checkpoint
        self.name = name or checkpoint.recipe or model.config.model_type
        self.encoder = Encoder(tokenizer, positions=checkpoint.positions, decisions=checkpoint.decisions)
        self.context = cast(int, getattr(model.config.get_text_config(), "max_position_embeddings", 2**31))
        self.rule = grounded.Rule()
        # A model of ours is only asked for what it was trained to hold, others for their whole context.
        self.limit = min(self.context, checkpoint.max_tokens) if checkpoint.recipe else self.context
        eos = cast(int | None, tokenizer.eos_token_id)
        self._ends = {self.encoder.end, *(() if eos is None else (eos,))}

    @classmethod
    def load(
        cls, model: str | Path, *, device: str = "auto", dtype: DTypeName = "auto", threads: int | None = None
    ) -> Self:
        """Load a run, a folder (a model or a PEFT adapter) or a model of the hub.

        `auto` is a CUDA device where there is one; in bfloat16 there and in float32 on a CPU.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        kind = cast(torch.dtype, getattr(torch, _dtype(device, dtype)))
        path = _locate(model)
        checkpoint = Checkpoint.load(path) if isinstance(path, Path) else Checkpoint()
        if isinstance(path, Path) and sum(file.stat().st_size for file in path.glob("*.safetensors")) < QUICK_BYTES:
            disable_progress_bar()
        loaded, tokenizer = _load(path, kind)
        return cls(loaded.to(cast(Any, device)), tokenizer, checkpoint, name=str(model))

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, the longest first; tagged examples are decoded under their constraint.

        `max_new_tokens` bounds an answer; of a tagged answer it bounds the tags, beyond the copy of the source. An
        answer that reaches the bound or the end of the model's context has finish `length`. Where the context does not
        hold the prompt and a first token (of a tagged answer: the copy of its source) it is empty, of no token at all.
        """
        jobs: list[tuple[Example, Prompt]] = []
        for example in examples:
            prompt = self.encoder.prompt(example.messages, example.tagging)
            if self._least(prompt) > self.context:
                yield Prediction(example=example.id, text="", finish="length")
            else:
                jobs.append((example, prompt))
        for tagged in (True, False):
            ours = [job for job in jobs if (job[0].tagging is not None) == tagged]
            ours.sort(key=lambda job: (-len(job[1].ids), job[0].id))
            for batch in _batches(ours, max_new_tokens, batch_tokens):
                yield from self._tagged(batch, max_new_tokens) if tagged else self._free(batch, max_new_tokens)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come; raise ModelError where the context does not hold it."""
        prompt = self.encoder.prompt(messages)
        room = self.context - len(prompt.ids)
        if room < 1:
            raise ModelError(
                "the dialogue is longer than the model's context", got=len(prompt.ids), expected=self.context
            )
        ids: list[int] = []
        shown = ""
        for token in free.stream(self.model, prompt, limit=min(max_new_tokens, room), ends=self._ends):
            ids.append(token)
            text = self._text(ids)
            # A character may take several tokens; its first ones decode to a replacement character.
            if len(text) > len(shown) and not text.endswith("\ufffd"):
                yield text[len(shown) :]
                shown = text
        if rest := self._text(ids)[len(shown) :]:
            yield rest

    def about(self) -> str:
        """What the model is, in a few words."""
        size = sum(p.numel() for p in self.model.parameters()) / 1e6
        made = f", recipe {self.checkpoint.recipe}, {self.checkpoint.stage}" if self.checkpoint.recipe else ""
        return f"{self.model.config.model_type} with {size:,.1f}M parameters on {self.model.device.type}{made}"

    def num_tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens a dialogue takes as a prompt."""
        return len(self.encoder.prompt(messages).ids)

    def _least(self, prompt: Prompt) -> int:
        """How many positions a prompt and the shortest answer to it take."""
        aligned = prompt.grounding is None or self.encoder.positions == "aligned"
        return (len(prompt.ids) if aligned else _length(prompt)) + 1

    def _tagged(self, batch: Sequence[tuple[Example, Prompt]], max_new_tokens: int) -> Iterator[Prediction]:
        prompts = [prompt for _, prompt in batch]
        room = self.context if self.encoder.positions == "aligned" else self.context - max(map(_length, prompts))
        started = time.perf_counter()
        answers = list(
            grounded.decode(self.model, self.encoder, prompts, max_tags=min(max_new_tokens, room), rule=self.rule)
        )
        seconds = (time.perf_counter() - started) / len(batch)
        for index, ids, finish in answers:
            example = batch[index][0]
            assert example.tagging is not None
            text = self.encoder.answer_text(ids, example.tagging)
            yield Prediction(example=example.id, text=text, finish=finish, num_tokens=len(ids), seconds=seconds)

    def _free(self, batch: Sequence[tuple[Example, Prompt]], max_new_tokens: int) -> Iterator[Prediction]:
        prompts = [prompt for _, prompt in batch]
        limits = [min(max_new_tokens, self.context - len(prompt.ids)) for prompt in prompts]
        started = time.perf_counter()
        answers = list(free.decode(self.model, prompts, limits=limits, ends=self._ends))
        seconds = (time.perf_counter() - started) / len(batch)
        for index, ids, finish in answers:
            example = batch[index][0]
            yield Prediction(
                example=example.id, text=self._text(ids), finish=finish, num_tokens=len(ids), seconds=seconds
            )

    def _text(self, ids: Sequence[int]) -> str:
        return cast(str, self.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))


def _length(prompt: Prompt) -> int:
    return len(prompt.ids) + (len(prompt.grounding.source) if prompt.grounding else 0)


def _batches(
    jobs: Sequence[tuple[Example, Prompt]], max_new_tokens: int, batch_tokens: int
) -> Iterator[list[tuple[Example, Prompt]]]:
    """Cut jobs, sorted by length, into batches whose tokens, padded, stay within the budget, or of one job."""
    batch: list[tuple[Example, Prompt]] = []
    longest = 0
    for job in jobs:
        prompt = job[1]
        # Tags add about a fifth to a copied source.
        cost = len(prompt.ids) + (len(prompt.grounding.source) * 6 // 5 if prompt.grounding else max_new_tokens)
        longest = max(longest, cost)
        if batch and (longest * (len(batch) + 1) > batch_tokens or len(batch) == MAX_ROWS):
            yield batch
            batch, longest = [], cost
        batch.append(job)
    if batch:
        yield batch


def _dtype(device: str, dtype: DTypeName) -> str:
    if dtype != "auto":
        return dtype
    return "float32" if device == "cpu" else "bfloat16"


def _locate(model: str | Path) -> Path | str:
    """Return the folder of a local model, or the id of one of the hub."""
    path = Path(model)
    looks_local = isinstance(model, Path) or str(model).startswith((".", "/", "~")) or str(model).count("/") > 1
    if path.expanduser().exists() or looks_local:
        return model_folder(path.expanduser())
    return str(model)


def _load(path: Path | str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    try:
        if isinstance(path, Path) and (path / "adapter_config.json").exists():
            return _load_adapter(path, dtype)
        tokenizer = AutoTokenizer.from_pretrained(path)
        return AutoModelForCausalLM.from_pretrained(path, dtype=dtype), tokenizer
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            "the model cannot be loaded",
            where=path,
            got=str(error).splitlines()[0],
            expected="a run, a folder with config.json and a tokenizer, or the id of a model of the Hugging Face hub",
        ) from error


def _load_adapter(folder: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load the base of a PEFT adapter and merge the adapter into it."""
    from peft import PeftModel

    base = _locate(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    own = (folder / "tokenizer_config.json").exists()
    tokenizer = AutoTokenizer.from_pretrained(folder if own else base)
    if len(tokenizer) > cast(torch.nn.Embedding, model.get_input_embeddings()).num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    merged = PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    return cast(PreTrainedModel, merged), tokenizer
