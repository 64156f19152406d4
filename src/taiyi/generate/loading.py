"""Models of transformers as an engine uses them: from a run, a folder or the hub, with an adapter merged in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, cast

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from taiyi.checkpoint import model_folder
from taiyi.endpoint import is_address
from taiyi.errors import ModelError

DTypeName = Literal["auto", "float32", "bfloat16", "float16"]


def dtype_of(device: str, dtype: DTypeName) -> str:
    """Return the name of a data type: of `auto` the one that suits the device."""
    if dtype != "auto":
        return dtype
    return "float32" if device == "cpu" else "bfloat16"


def locate(model: str | Path) -> Path | str:
    """Return the folder of a local model, or the id of one of the hub; a server's model cannot be loaded here."""
    if is_address(model):
        raise ModelError(
            "the model of a server cannot be loaded; `taiyi eval` and `taiyi chat` ask it",
            where=model,
            expected="a run, a folder with a model, or the id of one on the Hugging Face hub",
        )
    path = Path(model)
    looks_local = isinstance(model, Path) or str(model).startswith((".", "/", "~")) or str(model).count("/") > 1
    if path.expanduser().exists() or looks_local:
        return model_folder(path.expanduser())
    return str(model)


def load(path: Path | str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load a model, with its adapter merged in, and its tokenizer; raises ModelError where there is none."""
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

    base = locate(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    own = (folder / "tokenizer_config.json").exists()
    tokenizer = AutoTokenizer.from_pretrained(folder if own else base)
    if len(tokenizer) > cast(torch.nn.Embedding, model.get_input_embeddings()).num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    merged = PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    return cast(PreTrainedModel, merged), tokenizer
