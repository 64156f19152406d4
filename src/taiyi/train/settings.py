"""Settings of models and stages, as a recipe gives them. Nothing here imports torch: recipes are read at start-up.

Defaults that are the Taiyi paper's (JAMIA 2024): the adapters' r 64, alpha 16 and dropout 0.05, learning rate 2e-4,
warm-up over a tenth of the steps, rows of at most 1,024 tokens. Not its own: it trains by QLoRA, which needs a CUDA
device, for 5 epochs in stage 1 and 3 in stage 2; here it is the full model for one epoch unless a recipe says so.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Method = Literal["full", "lora", "qlora"]
Precision = Literal["fp32", "bf16"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class ScratchSettings(_Settings):
    """The size of a model that begins from nothing (Qwen3 architecture)."""

    vocab_size: Annotated[int, Field(ge=300)] = 12_000
    """Tokens of the byte-level BPE vocabulary, special tokens and tags included."""
    hidden: Annotated[int, Field(ge=8)] = 192
    """Width of the model."""
    layers: Annotated[int, Field(ge=1)] = 4
    """Transformer layers."""
    heads: Annotated[int, Field(ge=1)] = 3
    """Attention heads; the width of a head is `hidden / heads`, which must be even."""
    kv_heads: Annotated[int, Field(ge=1)] = 1
    """Heads of keys and values, shared by groups of attention heads."""
    feed_forward: Annotated[int, Field(ge=8)] = 512
    """Width of the feed-forward layers."""
    max_positions: Annotated[int, Field(ge=16)] = 2048
    """The longest text, in tokens, that the model is declared for."""
    tie: bool = True
    """Whether the head shares the weights of the embeddings."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.hidden % (2 * self.heads):
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of twice the heads ({self.heads})")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})")
        return self


class LoraSettings(_Settings):
    """Low-rank adapters on every linear layer except the head (LoRA; QLoRA when the base is in 4 bit)."""

    r: Annotated[int, Field(ge=1)] = 64
    """Rank of the adapters."""
    alpha: Annotated[float, Field(gt=0)] = 16
    """Scale of the adapters: what they add is multiplied by alpha / r."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the inputs of the adapters that is dropped in training."""


class StageSettings(_Settings):
    """How one stage is trained."""

    method: Method = "full"
    """Which weights learn: all of them, adapters, or adapters over a base in 4 bit."""
    lora: LoraSettings = LoraSettings()
    """The adapters of the methods `lora` and `qlora`."""
    epochs: Annotated[int, Field(ge=1)] = 1
    """How often the stage goes over its examples."""
    max_steps: Annotated[int, Field(ge=1)] | None = None
    """Stop after this many steps even if epochs remain; the schedule then ends there."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    """The highest learning rate, reached at the end of the warm-up."""
    embedding_learning_rate: Annotated[float, Field(gt=0)] | None = None
    """The highest learning rate of the weights that AdamW updates under the optimizer `muon`; `learning_rate` when not
    given."""
    warmup_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the steps over which the learning rate rises from 0."""
    schedule: Literal["linear", "cosine", "wsd"] = "linear"
    """How the learning rate falls: linear and cosine from the warm-up on; `wsd` is constant, then falls linearly."""
    decay_share: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Share of the steps, the last ones, over which `wsd` falls to 0."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """AdamW for all weights, or (`muon`) Muon for the matrices of the layers and AdamW for the rest."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """How much weights are drawn towards 0 at each step, times the learning rate."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Gradients are scaled down to this norm."""
    max_tokens: Annotated[int, Field(ge=8)] = 1024
    """The longest row, prompt and answer together; longer ones are rejected and counted."""
    batch_tokens: Annotated[int, Field(ge=8)] = 2048
    """Tokens of a micro-batch, into which rows are packed whole."""
    accumulation: Annotated[int, Field(ge=1)] = 1
    """Micro-batches whose gradients make one step."""
    decision_weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of a target with choices against one of the whole vocabulary."""
    precision: Precision = "fp32"
    """Precision of the arithmetic; weights and optimizer keep theirs. `bf16` is faster where the processor has it."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass: less memory, a third slower."""
    save_every_steps: Annotated[int, Field(ge=1)] | None = None
    """Write a checkpoint every so many steps."""
    save_every_minutes: Annotated[float, Field(gt=0)] | None = 10.0
    """Write a checkpoint when the last one is so many minutes old."""
    seed: Annotated[int, Field(ge=0)] = 0
    """What the order of the rows and dropout follow from."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.batch_tokens < self.max_tokens:
            raise ValueError(
                f"batch_tokens ({self.batch_tokens}) must be at least max_tokens ({self.max_tokens}); rows are not cut"
            )
        if self.schedule == "wsd" and self.warmup_ratio + self.decay_share > 1:
            raise ValueError("warmup_ratio and decay_share together must not exceed 1")
        return self
