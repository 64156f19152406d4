"""Qwen3's architecture as NumPy computes it: what a model's folder says of its shape, and its weights.

The layers are those of transformers' `Qwen3ForCausalLM`: RMS norms, attention with fewer heads of keys than of queries,
norms over the heads of both, rotary positions, SwiGLU.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from taiyi.errors import ModelError

Floats = NDArray[np.float32]

MOST_BYTES = 2**28
"""Larger weights are left to torch: their products take the time, and torch has more ways to make these fast."""

# What a configuration has to say, or leave out, for these files to compute its model.
_PLAIN: dict[str, Any] = {
    "model_type": "qwen3",
    "hidden_act": "silu",
    "attention_bias": False,
    "use_sliding_window": False,
    "rope_scaling": None,
    "quantization_config": None,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model, as its `config.json` has them; `ends` are the tokens that its own generation ends at."""

    layers: int
    heads: int
    key_heads: int
    head_dim: int
    eps: float
    theta: float
    context: int
    tied: bool
    ends: tuple[int, ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the configuration of a model.

        Raises:
            ModelError: there is none, or it is of another architecture.
        """
        try:
            config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            own = folder / "generation_config.json"
            ends = (json.loads(own.read_text(encoding="utf-8")) if own.exists() else config).get("eos_token_id")
            return cls._of(folder, config, tuple(ends) if isinstance(ends, list) else () if ends is None else (ends,))
        except (OSError, ValueError, KeyError) as error:
            raise ModelError("the configuration cannot be read", where=folder, got=repr(error)) from error

    @classmethod
    def _of(cls, folder: Path, config: Mapping[str, Any], ends: tuple[int, ...]) -> Self:
        rope: Mapping[str, Any] = config.get("rope_parameters") or {}
        other = {key: config[key] for key, plain in _PLAIN.items() if config.get(key, plain) != plain}
        if set(config.get("layer_types") or ()) - {"full_attention"}:
            other["layer_types"] = config["layer_types"]
        if rope.get("rope_type", "default") != "default":
            other["rope_type"] = rope["rope_type"]
        if other or "model_type" not in config:
            raise ModelError(
                "NumPy does not compute this architecture here",
                where=folder,
                got=", ".join(f"{key}: {value}" for key, value in other.items()) or "no model_type",
                expected="Qwen3 with full attention",
                mend="use the runtime torch",
            )
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            key_heads=config["num_key_value_heads"],
            head_dim=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
            eps=config["rms_norm_eps"],
            theta=rope.get("rope_theta") or config["rope_theta"],
            context=config["max_position_embeddings"],
            tied=config.get("tie_word_embeddings", False),
            ends=ends,
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of a layer, as [in, out]; those of norms are multiplied into what follows them.

    Attributes:
        qkv: makes queries, keys and values, one behind another.
        norms: what normed queries and keys are multiplied by, as [head, width]; queries also by the scale of attention.
        out: takes in what attention found.
        gate_up: the gate, halved (see `numpy_model`), and behind it what the gate lets through.
        down: takes in what came through.
    """

    qkv: Floats
    norms: Floats
    out: Floats
    gate_up: Floats
    down: Floats


class Weights:
    """The weights of a model.

    Args:
        shape: of the model.
        tensors: by their names in transformers.

    Attributes:
        embedding, head: of the tokens, as [token, width].
        norm: what normed hidden states are multiplied by at last.
        turns: by which angle each pair of a head is turned from a position to the next.
    """

    def __init__(self, shape: Shape, tensors: Mapping[str, Floats]) -> None:
        self.num_parameters = sum(tensor.size for tensor in tensors.values())
        self.embedding = tensors["model.embed_tokens.weight"]
        self.head = self.embedding if shape.tied else tensors["lm_head.weight"]
        self.norm = tensors["model.norm.weight"]
        self.layers = [_layer(shape, tensors, f"model.layers.{number}") for number in range(shape.layers)]
        pairs = np.arange(0, shape.head_dim, 2, dtype=np.float32) / np.float32(shape.head_dim)
        # Rounded as torch does it: an angle is this times a position, so that its last bit counts.
        self.turns: Floats = np.float32(1) / (shape.theta ** pairs.astype(np.float64)).astype(np.float32)

    @classmethod
    def load(cls, folder: Path, shape: Shape) -> Self:
        """Load the weights of a small model from its folder; ModelError where that cannot be."""
        path = folder / "model.safetensors"
        if not path.exists() or path.stat().st_size > MOST_BYTES:
            raise ModelError(
                "NumPy computes small models here, whose weights are in one file",
                where=folder,
                expected=f"{path.name} of up to {MOST_BYTES / 2**20:.0f} MiB",
                mend="use the runtime torch",
            )
        try:
            return cls(shape, read_tensors(path))
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError("the weights cannot be read", where=path, got=repr(error)) from error


def read_tensors(path: Path) -> dict[str, Floats]:
    """Read the tensors of a safetensors file, in 32 bit."""
    found: dict[str, Floats] = {}
    for name, tensor in deserialize(path.read_bytes()):
        data = tensor["data"]
        match tensor["dtype"]:
            case "BF16":
                # They are the first 16 bits of a number in 32.
                values = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
            case "F16":
                values = np.frombuffer(data, "<f2").astype("<f4")
            case "F32":
                values = np.frombuffer(data, "<f4")
            case other:
                raise ValueError(f"{name} has numbers of the kind {other}")
        found[name] = values.reshape(tensor["shape"])
    return found


def _layer(shape: Shape, tensors: Mapping[str, Floats], prefix: str) -> Layer:
    def of(*names: str, norm: str = "") -> Floats:
        joined = np.concatenate([tensors[f"{prefix}.{name}.weight"] for name in names])
        return np.ascontiguousarray((joined * tensors[f"{prefix}.{norm}.weight"] if norm else joined).T)

    gate_up = of("mlp.gate_proj", "mlp.up_proj", norm="post_attention_layernorm")
    gate_up[:, : gate_up.shape[1] // 2] *= 0.5
    queries = tensors[f"{prefix}.self_attn.q_norm.weight"] * np.float32(shape.head_dim**-0.5)
    keys = tensors[f"{prefix}.self_attn.k_norm.weight"]
    return Layer(
        qkv=of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", norm="input_layernorm"),
        norms=np.stack([queries] * shape.heads + [keys] * shape.key_heads),
        out=of("self_attn.o_proj"),
        gate_up=gate_up,
        down=of("mlp.down_proj"),
    )
