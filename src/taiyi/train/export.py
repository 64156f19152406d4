"""A trained model as an ordinary one: adapters merged in, with what other programs need to prompt and stop it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoConfig, GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast

from taiyi.checkpoint import FILE, Checkpoint
from taiyi.encoding import CHAT_TEMPLATE, end_token
from taiyi.errors import ModelError
from taiyi.train.base import is_adapter, quiet, source_of, tokenizer_of
from taiyi.train.model import DTYPES, Dtype, load_base


def write_model(model: str, out: Path, *, dtype: Dtype = "bf16") -> dict[str, str]:
    """Write a model as safetensors, its tokenizer with its chat template, how it generates, and taiyi.json.

    Adapters are merged into the weights of their base in 32 bit, and the sums are rounded to the type that is asked
    for. One that was trained over 4 bit fits those weights, not these: its scores differ.

    The files load in transformers 4 too, which other programs may be built on.

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
    # Sums that are asked for in more digits than the base has must not be rounded to the base's type before.
    whole = dtype == "fp32" or (dtype == "fp16" and is_adapter(source))
    loaded, tokenizer = load_base(source, method="full", dtype="fp32" if whole else "auto", device="cpu")
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
    _tell_transformers_4(out)
    for weights in out.glob("*.safetensors"):
        # Written for their owner alone, they could not be read by others where a package is installed for all.
        weights.chmod((out / "config.json").stat().st_mode)
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


def _tell_transformers_4(folder: Path) -> None:
    """Say in the files of a model also in the words of transformers 4 what only transformers 5 would understand.

    It passes over words that it does not know: without `rope_theta` it takes 10,000, and its answers are wrong.
    """
    path = folder / "config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    here = _rope(folder)
    _write(path, _words_of_4(config))
    if _rope(folder) != here:
        # Of an architecture whose positions cannot be said in both ways.
        _write(path, config)
    path = folder / "tokenizer_config.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if told.get("tokenizer_class") == "TokenizersBackend":
        # The same class by its name in both. In transformers 4 it would give `token_type_ids` too, unless told.
        told["tokenizer_class"] = "PreTrainedTokenizerFast"
        told.setdefault("model_input_names", ["input_ids", "attention_mask"])
    if isinstance(told.get("extra_special_tokens"), list):
        told["additional_special_tokens"] = told.pop("extra_special_tokens")
    _write(path, told)


def _words_of_4(config: dict[str, Any]) -> dict[str, Any]:
    rope: dict[str, Any] = config.get("rope_parameters") or {}
    # Gemma 3 has one rope for each kind of layer.
    local: dict[str, Any] = rope.get("sliding_attention") or {}
    rope = rope.get("full_attention") or rope
    told = {
        "torch_dtype": config.get("dtype"),
        "rope_theta": rope.get("rope_theta"),
        "rope_local_base_freq": local.get("rope_theta"),
        "partial_rotary_factor": rope.get("partial_rotary_factor"),
        "num_experts": config.get("num_local_experts"),
    }
    kind = rope.get("rope_type", "default")
    if kind != "default":
        told["rope_scaling"] = {name: value for name, value in rope.items() if name not in told}
    if config.get("model_type") == "phi3" and kind == "longrope":
        told["rope_scaling"] = {"type": kind, **{name: rope[name] for name in ("short_factor", "long_factor")}}
    return {name: value for name, value in told.items() if value is not None} | config


def _rope(folder: Path) -> object:
    """Return how transformers reads the positions of a model."""
    found: object = getattr(AutoConfig.from_pretrained(folder), "rope_parameters", None)
    return {k: v for k, v in cast(dict[str, Any], found).items() if k != "type"} if isinstance(found, dict) else found


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
