"""A trained model as an ordinary one: adapters merged in, with what other programs need to prompt and stop it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast

from taiyi.checkpoint import FILE, Checkpoint
from taiyi.encoding import CHAT_TEMPLATE, end_token
from taiyi.errors import ModelError
from taiyi.train.base import is_adapter, quiet, source_of, tokenizer_of
from taiyi.train.model import DTYPES, Dtype, load_base


def write_model(model: str, out: Path, *, dtype: Dtype = "bf16") -> dict[str, str]:
    """Write a model as safetensors, its tokenizer with its chat template, how it generates, and taiyi.json.

    Adapters are merged into the weights of their base in 16 or 32 bit. One that was trained over 4 bit fits those
    weights, not these: its scores differ.

    Args:
        model: a run, a folder or a hub id.
        out: the folder to write into.
        dtype: of the weights; `auto` is that of the model as it is trained.

    Returns:
        Facts for its card: `architecture`, `parameters`, `dtype`, `end` (the text that ends an answer), `base` and
        `method` (`adapter` or `full`).

    Raises:
        ModelError: it cannot be loaded, or its weights are too large for fp16.
    """
    source = source_of(model)
    loaded, tokenizer = load_base(source, method="full", device="cpu")
    causal = cast(PreTrainedModel, loaded)
    if dtype != "auto":
        _cast(causal, DTYPES[dtype], source)
    end = end_token(tokenizer)
    if not tokenizer.chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    ends = sorted({end, *(() if tokenizer.eos_token_id is None else (cast(int, tokenizer.eos_token_id),))})
    # Answers are greedy, as they are scored.
    causal.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=tokenizer.pad_token_id, do_sample=False)
    with quiet():
        causal.save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
    checkpoint = Checkpoint.load(Path(source))
    if (Path(source) / FILE).exists():
        checkpoint.save(out)
    return {
        "architecture": type(causal).__name__,
        "parameters": f"{causal.num_parameters():,}",
        "dtype": str(causal.dtype).removeprefix("torch."),
        "end": cast(str, tokenizer.decode([end])),
        "base": checkpoint.base,
        "method": "adapter" if is_adapter(source) else "full",
    }


def speaks_chatml(folder: Path) -> bool:
    """Whether the chat template of a model's folder writes what ours writes."""
    tokenizer = tokenizer_of(str(folder), str(folder))
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    return _rendered(tokenizer, turns, tokenizer.chat_template) == _rendered(tokenizer, turns, CHAT_TEMPLATE)


def _rendered(tokenizer: PreTrainedTokenizerFast, turns: list[dict[str, str]], template: object) -> str:
    return cast(
        str,
        tokenizer.apply_chat_template(
            turns, chat_template=cast(str, template), tokenize=False, add_generation_prompt=True
        ),
    )


def _cast(model: PreTrainedModel, dtype: torch.dtype, source: str) -> None:
    """Turn the weights into another type; rotary frequencies, which are not saved, stay."""
    for name, p in model.named_parameters():
        p.data = p.data.to(dtype)
        if not bool(p.data.isfinite().all()):
            raise ModelError("a weight is not a number in this type", where=source, got=name, mend="use --dtype bf16")
    model.config.dtype = dtype
