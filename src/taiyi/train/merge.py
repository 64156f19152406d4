"""Merging an adapter into its base, so that the result is an ordinary model."""

from __future__ import annotations

from pathlib import Path

from taiyi.checkpoint import FILE, Checkpoint, model_folder
from taiyi.errors import ModelError
from taiyi.train.base import quiet
from taiyi.train.model import Dtype, load_base


def merge(folder: Path, out: Path, *, dtype: Dtype = "auto") -> Path:
    """Write the model of a folder with its adapter merged in, in the 16 or 32 bit of the base itself.

    An adapter that was trained over 4 bit fits those weights, not these: score the merged model again.
    """
    source = model_folder(folder)
    if not (source / "adapter_config.json").exists():
        raise ModelError("there is no adapter to merge", where=source, expected="adapter_config.json")
    model, tokenizer = load_base(str(source), method="full", dtype=dtype)
    out.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
    if (source / FILE).exists():
        Checkpoint.load(source).save(out)
    return out
