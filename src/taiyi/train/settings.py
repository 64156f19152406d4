"""Settings of models and stages, as a recipe gives them. Nothing here imports torch: recipes are read at start-up.

Defaults that are the Taiyi paper's (JAMIA 2024): the adapters' r 64, alpha 16 and dropout 0.05, learning rate 2e-4,
warm-up over a tenth of the steps, rows of at most 1,024 tokens. Not its own: it trains by QLoRA, for 5 epochs in stage
1 and 3 in stage 2; here it is the full model for one epoch unless a recipe says so.
Those of preference and reinforcement stages are those of TRL's trainers where these have them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from taiyi.errors import Misfit

Kind = Literal["sft", "cpt", "dpo", "grpo"]
Method = Literal["full", "lora", "qlora"]
Precision = Literal["fp32", "bf16"]
Parallel = Literal["ddp", "fsdp"]
"""How weights lie on several processes: whole on each (DDP), or each with a share of them (FSDP2)."""

_UNUSED = {
    "grpo": ("total_tokens", "accumulation", "decision_weight"),
    "dpo": ("decision_weight",),
    "cpt": ("decision_weight",),
}
"""By kind, the settings that a stage makes nothing of."""

BASE = "base"
"""What a stage names to begin from the base of the recipe, and not from an earlier stage."""


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
    spelling: Annotated[int, Field(ge=256)] | None = None
    """Embeddings begin alike where tokens are spelled alike, by their character n-grams, of which there are so many
    kinds, such as 8192; random if not given."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, unit, of in (("hidden", 2 * self.heads, "twice heads"), ("heads", self.kv_heads, "kv_heads")):
            if (given := getattr(self, name)) % unit:
                raise Misfit(
                    f"{name} is no multiple of {of}",
                    name,
                    got=str(given),
                    expected=f"a multiple of {unit}, such as {given + -given % unit}",
                )
        return self


class LoraSettings(_Settings):
    """Low-rank adapters on every linear layer except the head (LoRA; QLoRA when the base is in 4 bit)."""

    variant: Literal["lora", "rslora", "dora"] = "lora"
    """LoRA as in its paper; `rslora`, which scales by alpha / sqrt(r), so that high ranks learn as fast (arXiv
    2312.03732); or `dora`, which learns the length of each weight's columns apart (arXiv 2402.09353)."""
    r: Annotated[int, Field(ge=1)] = 64
    """Rank of the adapters."""
    alpha: Annotated[float, Field(gt=0)] = 16
    """Scale of the adapters: what they add is multiplied by alpha / r, or as `variant` says."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the inputs of the adapters that is dropped in training."""


class DevSettings(_Settings):
    """Evaluation during training, on records that are kept out of it, and what follows from it."""

    records: Annotated[int, Field(ge=1)] = 200
    """How many of the stage's own records are kept out of training and asked about, drawn by the seed: every corpus,
    task and language has its part, by the square root of its size. The stages that replay it ask about them too."""
    every_steps: Annotated[int, Field(ge=1)] = 200
    """After how many steps the model answers them; it always does after the last."""
    patience: Annotated[int, Field(ge=1)] | None = None
    """Training stops once so many evaluations in a row were no better than the best before them."""
    keep: Literal["best", "last"] = "best"
    """Which model the stage leaves: the one with the best mean of the tasks' scores, or the last."""
    candidates: Annotated[int, Field(ge=1)] = 1
    """How many of the best models are kept beside the last, for `taiyi train choose`."""
    choose: Literal["score", "person"] = "score"
    """Whether what `keep` says stands, or the run waits after the stage for a person to choose among the candidates:
    `taiyi train choose`."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 256
    """The longest answer; tagged answers are as long as their source and end by themselves."""


class PreferenceSettings(_Settings):
    """Pairs of a right and a wrong answer, and how a stage of kind `dpo` learns from them (arXiv 2305.18290)."""

    beta: Annotated[float, Field(gt=0)] = 0.1
    """How strongly the model is held to the one that the stage begins from."""
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Which share of the pairs is taken to be the wrong way round (conservative DPO)."""
    sft_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the ordinary loss of the right answers beside that of the pairs (RPO)."""
    examples: Annotated[int, Field(ge=1)] | None = None
    """How many of the stage's examples the model answers to make pairs, drawn by the seed; all if not given."""
    answers: Annotated[int, Field(ge=1)] = 4
    """How often the model answers each of them, by sampling."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """How widely it samples: 1 as the model has it, less for what is more probable."""
    right: Literal["own", "gold"] = "own"
    """The right answer of a pair: the model's best if it scores 1, else the gold; or always the gold."""
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """By how much the wrong answer, its worst, scores below 1 at least."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 256
    """The longest answer."""


class RewardSettings(_Settings):
    """How a stage of kind `grpo` learns from the scores of its own answers (arXiv 2402.03300)."""

    prompts: Annotated[int, Field(ge=1)] = 8
    """How many examples are answered in one step."""
    answers: Annotated[int, Field(ge=2)] = 8
    """How often each is answered, by sampling: the group that an answer's score is compared with."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """How widely it samples: 1 as the model has it."""
    scale: bool = True
    """Whether advantages are divided by the standard deviation of their group (not in Dr. GRPO, arXiv 2503.20783)."""
    unparsable: Annotated[float, Field(le=0)] = 0.0
    """The reward of an answer that cannot be read; that of others is their score, from 0 to 1."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 256
    """The longest answer."""


class StageSettings(_Settings):
    """How one stage is trained."""

    kind: Kind = "sft"
    """What it learns from: answers (`sft`), the texts of its records as they stand (`cpt`, continued pre-training),
    right and wrong answers of the model itself (`dpo`), or the tasks' own scores of its answers (`grpo`)."""
    init_from: str | None = None
    """What it begins from: the name of an earlier stage, or `base`; the stage before it if not given."""
    adapter: Literal["new", "continue", "merge"] | None = None
    """What becomes of the adapter of the stage that it begins from: it is trained on (`continue`), or becomes part of
    the base, and a new one begins (`merge`); `new` where there is none yet. If not given: trained on where there is
    one, else new; merged where the method is `full`."""
    method: Method = "full"
    """Which weights learn: all of them, adapters, or adapters over a base in 4 bit."""
    lora: LoraSettings = LoraSettings()
    """The adapters of the methods `lora` and `qlora`."""
    epochs: Annotated[int, Field(ge=1)] = 1
    """How often the stage goes over its examples."""
    total_tokens: Annotated[int, Field(ge=1)] | None = None
    """Train until so many tokens were seen, however many epochs that takes, instead of `epochs`."""
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
    spelling: Annotated[int, Field(ge=256)] | None = None
    """Embeddings learn by the spelling of their tokens too, of whose character n-grams there are so many kinds, such as
    8192; by tokens alone if not given. For models from nothing, whose tokens are many and texts few."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """How much weights are drawn towards 0 at each step, times the learning rate."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Gradients are scaled down to this norm."""
    max_tokens: Annotated[int, Field(ge=8)] = 1024
    """The longest row, prompt and answer together."""
    batch_tokens: Annotated[int, Field(ge=8)] = 2048
    """Tokens of a micro-batch, into which rows are packed whole."""
    accumulation: Annotated[int, Field(ge=1)] = 1
    """Micro-batches whose gradients make one step, on however many devices: a multiple of their number is best."""
    decision_weight: Annotated[float, Field(gt=0)] = 1.0
    """Weight of a target with choices against one of the whole vocabulary."""
    precision: Precision = "fp32"
    """Precision of the arithmetic; weights and optimizer keep theirs. `bf16` is faster where the processor has it. What
    adapters are added to is computed in the precision of its weights, whatever is said here."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass: less memory, a third slower."""
    too_long: Literal["drop", "error"] = "drop"
    """What becomes of examples of more than `max_tokens`: they are rejected and counted, or end the run. Windows
    (`window_chars`) keep documents from becoming too long."""
    dev: DevSettings | None = None
    """Evaluation during training, the best model, and early stopping; none if not given."""
    preference: PreferenceSettings = PreferenceSettings()
    """Of a stage of kind `dpo`."""
    reward: RewardSettings = RewardSettings()
    """Of a stage of kind `grpo`."""
    save_every_steps: Annotated[int, Field(ge=1)] | None = None
    """Write a checkpoint every so many steps."""
    save_every_minutes: Annotated[float, Field(gt=0)] | None = 10.0
    """Write a checkpoint when the last one is so many minutes old."""
    seed: Annotated[int, Field(ge=0)] = 0
    """What the order of the rows and dropout follow from."""

    def telling(self) -> dict[str, Any]:
        """Return what the outcome of a stage depends on; how often it is saved, or who chooses, changes none of it."""
        other: Any = {"save_every_steps": True, "save_every_minutes": True, "dev": {"choose"}}
        return self.model_dump(mode="json", exclude=other)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_sizes()
        for name, (of, effective) in self._bound().items():
            if name in self.model_fields_set and not effective:
                raise Misfit(f"`{name}` has no effect here: it is of {of}", name, mend="take it out")
        for name in _UNUSED.get(self.kind, ()):
            if name in self.model_fields_set:
                raise Misfit(f"`{name}` has no effect in stages of kind {self.kind}", name, mend="take it out")
        if "epochs" in self.model_fields_set and self.total_tokens is not None:
            raise Misfit("a stage ends after `epochs` or after `total_tokens`", "total_tokens", mend="give one of them")
        if self.adapter is not None and self.method == "full" and self.adapter != "merge":
            raise Misfit(
                "the method full trains no adapter",
                "adapter",
                got=self.adapter,
                expected="merge, or a method with adapters",
                mend="take it out, or use method: lora",
            )
        return self

    def _bound(self) -> dict[str, tuple[str, bool]]:
        """Return the settings that mean something under others alone: what these are, and whether they hold."""
        return {
            "preference": ("stages of kind dpo", self.kind == "dpo"),
            "reward": ("stages of kind grpo", self.kind == "grpo"),
            "lora": ("the methods lora and qlora", self.method != "full"),
            "decay_share": ("the schedule wsd", self.schedule == "wsd"),
            "spelling": ("the method full", self.method == "full"),
            "embedding_learning_rate": ("the optimizer muon", self.optimizer == "muon"),
        }

    def _check_sizes(self) -> None:
        least = self.max_tokens * (2 if self.kind == "dpo" else 1)
        if self.batch_tokens < least:
            raise Misfit(
                "both answers of a pair are in one micro-batch" if self.kind == "dpo" else "rows are not cut",
                "batch_tokens" if "batch_tokens" in self.model_fields_set else "max_tokens",
                got=f"batch_tokens {self.batch_tokens}, max_tokens {self.max_tokens}",
                expected=f"batch_tokens of at least {least}",
                mend="raise batch_tokens, or lower max_tokens",
            )
        if self.schedule == "wsd" and self.warmup_ratio + self.decay_share > 1:
            raise Misfit(
                "the rise and the fall of the learning rate are longer than the training",
                "decay_share",
                got=f"warmup_ratio {self.warmup_ratio} and decay_share {self.decay_share}",
                expected="at most 1 together",
                mend="lower one of them",
            )


class EncoderSettings(_Settings):
    """How an encoder with a head is fine-tuned, as is usual for BERT and its kin (Devlin et al., 2019)."""

    epochs: Annotated[int, Field(ge=1)] = 10
    """How often it goes over its examples at most."""
    patience: Annotated[int, Field(ge=1)] = 3
    """It stops once so many epochs in a row were no better on dev examples than the best before them, which is kept."""
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    """The highest learning rate; if not given 5e-5, and 5e-4 of an encoder that begins from nothing."""
    batch_tokens: Annotated[int, Field(ge=1)] = 1024
    """About how many tokens a step learns from, as 32 sentences have: texts of any length then make as many steps."""
    warmup_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the steps over which the learning rate rises from 0; it then falls to 0 in a line."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """How much weights are drawn towards 0 at each step, times the learning rate (AdamW)."""
    max_tokens: Annotated[int, Field(ge=16)] = 512
    """The longest window of a text; the encoder may have a lower limit of its own."""
    overlap_tokens: Annotated[int, Field(ge=0)] = 64
    """How many tokens a window has of the one before it."""
    precision: Precision = "fp32"
    """Precision of the arithmetic; weights and optimizer keep theirs. `bf16` is faster where the processor has it."""
    seed: Annotated[int, Field(ge=0)] = 0
    """What the weights of its head, the order of its examples and dropout follow from."""
