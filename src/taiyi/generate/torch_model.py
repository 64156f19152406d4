"""Models of transformers behind the interface of decoding: any architecture of attention layers, on any device."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from taiyi.errors import ModelError
from taiyi.generate.decoder import Decoder, windowed
from taiyi.generate.loading import DTypeName, locate

QUICK_BYTES = 2**30
"""Weights below this size are loaded without a progress bar."""

# A pass on a device also starts all kernels. Rough numbers; answers do not depend on them.
_PASS_TOKENS = {"cpu": 32, "cuda": 512}


class TorchModel:
    """A causal language model of transformers.

    Args:
        model: is put into eval mode; with adapters inside, if it has some.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        windowed(model)
        self.model = model.eval()
        self.architecture = model.config.model_type
        self.device = model.device.type
        self.context = cast(int, getattr(model.config.get_text_config(), "max_position_embeddings", 2**31))
        self.pass_tokens = _PASS_TOKENS.get(self.device, _PASS_TOKENS["cuda"])

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    @property
    def num_logits(self) -> int:
        return cast(torch.nn.Linear, self.model.get_output_embeddings()).weight.shape[0]

    @property
    def ends(self) -> Collection[int]:
        # They may be several tokens, such as the end of a turn and that of a text.
        own = cast(int | list[int] | None, self.model.generation_config and self.model.generation_config.eos_token_id)
        return own if isinstance(own, list) else [] if own is None else [own]

    def begin(self, rows: int, capacity: int) -> Decoder:
        return Decoder(self.model, rows=rows, capacity=capacity)


def load(path: Path | str, *, device: str, dtype: DTypeName) -> tuple[TorchModel, PreTrainedTokenizerFast]:
    """Load a folder or a model of the hub, with its adapter merged in, and its tokenizer.

    `auto` is a CUDA device where there is one; in bfloat16 there and in float32 on a CPU. Raises ModelError where there
    is no model.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "float32" if device == "cpu" else "bfloat16"
    if isinstance(path, Path) and sum(file.stat().st_size for file in path.glob("*.safetensors")) < QUICK_BYTES:
        disable_progress_bar()
    kind = cast(torch.dtype, getattr(torch, dtype))
    try:
        loaded = _load_adapter if isinstance(path, Path) and (path / "adapter_config.json").exists() else _load_whole
        model, tokenizer = loaded(path, kind)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            "the model cannot be loaded",
            where=path,
            got=str(error).splitlines()[0],
            expected="a run, a folder with config.json and a tokenizer, or the id of a model of the Hugging Face hub",
        ) from error
    return TorchModel(model.to(cast(Any, device))), tokenizer


def _load_whole(path: Path | str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    tokenizer = AutoTokenizer.from_pretrained(path)
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype), tokenizer


def _load_adapter(path: Path | str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load the base of a PEFT adapter and merge the adapter into it."""
    from peft import PeftModel

    folder = Path(path)
    base = locate(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    own = (folder / "tokenizer_config.json").exists()
    tokenizer = AutoTokenizer.from_pretrained(folder if own else base)
    if len(tokenizer) > cast(torch.nn.Embedding, model.get_input_embeddings()).num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    merged = PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    return cast(PreTrainedModel, merged), tokenizer
