"""What a step of training takes before anything runs: memory on a device, and arithmetic.

A micro-batch is carried out by the model's own code on tensors without data (PyTorch's fake tensors), and every tensor
that comes and goes is counted. So the count follows the architecture, the rows, the adapters, autocast and gradient
checkpointing as they are, and a model of billions of weights takes seconds and no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import fields, replace
from typing import Any, cast

import msgspec
import torch
from peft import get_peft_model
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import AutoModelForCausalLM, PreTrainedModel

from taiyi.errors import ModelError, TaiyiError
from taiyi.train import attention
from taiyi.train.batch import Batch
from taiyi.train.live import DEVICE_ATTENTION, Live, device_dropout
from taiyi.train.loss import check_head, decoder_layers, learned
from taiyi.train.model import new_adapter
from taiyi.train.optimizer import optimizer, states
from taiyi.train.settings import LoraSettings, Method, Precision, StageSettings

FOUR_BIT = "4 bit"

# NF4 with double quantisation (QLoRA, arXiv 2305.14314): half a byte for each weight, a constant of a byte for each
# block of 64 weights, and one of four bytes for each 256 of those.
_NF4_BYTES = 1 / 2 + 1 / 64 + 4 / (64 * 256)

# What a process takes beside its tensors. On CPU it is measured: the peak of resident memory that ten steps of a model
# of a few thousand weights add to a process that has imported what trains it (the cases `floor` of benchmarks/plan.py;
# x86-64, one thread). It was 22 MiB in fp32, 29 with Muon, and 43 to 49 in bf16, whose kernels are compiled when they
# are first used; the highest is taken.
FLOOR_CPU = 49 << 20
# What Python and the libraries that train take themselves, once imported: resident memory, measured on the same
# machine. The memory of a CUDA device has none of it.
LIBRARIES_CPU = 440 << 20
# On CUDA the floor is an assumption that nobody has measured: the driver's context, kernels and cuBLAS's workspace.
FLOOR_CUDA = 700 << 20

# Whole periods of all architectures whose layers are of several kinds: every second, fourth, or sixth of another.
_FEW = (6, 12)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a micro-batch and the update behind it take on one device, in bytes and in floating-point operations.

    Attributes:
        weights: bytes of the model's weights and buffers by their type.
        gradients: bytes of the gradients of the weights that learn.
        optimizer: bytes of what the optimizer holds of them.
        forward: bytes of all tensors at their highest in the forward pass.
        backward: the same in the backward pass.
        update: the same while weights are changed.
        passing: bytes, at their highest, of what is neither weights, optimizer nor gradients: activations, copies of
            weights in 16 bit, logits.
        kept: bytes of freed memory that the process keeps beyond its tensors, on CPUs.
        parameters: weights of the model.
        trained: how many of them learn.
        layer: bytes of the weights of the largest layer.
        outside: bytes of the weights outside of the layers: embeddings, the head.
        learning_layer: bytes of the gradients of the largest layer.
        flops: floating-point operations of matrix products, without attention.
        flops_in_32: those of them that are computed in 32 bit.
        tokens: tokens of the micro-batch, without padding.
    """

    weights: dict[str, int]
    gradients: int
    optimizer: int
    forward: int
    backward: int
    update: int
    passing: int
    parameters: int
    trained: int
    layer: int
    outside: int
    learning_layer: int
    flops: int
    flops_in_32: int
    tokens: int
    kept: int = 0

    @property
    def peak(self) -> int:
        """Bytes of all tensors at their highest."""
        return max(self.forward, self.backward, self.update)


def skeleton(config: Any, dtype: torch.dtype) -> PreTrainedModel:
    """Return the causal language model of a configuration, with shapes and types of weights but no data."""
    try:
        with torch.device("meta"):
            return cast(PreTrainedModel, AutoModelForCausalLM.from_config(config, dtype=dtype))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(
            "no causal language model can be made of the configuration",
            where=getattr(config, "model_type", None),
            got=str(error).split("\n")[0],
            expected="that of a model such as Qwen3, Llama or Mistral",
        ) from error


def simulate(
    make: Callable[[int], PreTrainedModel],
    num_layers: int,
    settings: StageSettings,
    batches: Sequence[Batch],
    *,
    lora: LoraSettings | None,
    on_cpu: bool,
    accumulates: bool,
) -> Step:
    """Return what the most demanding of several micro-batches takes; the arithmetic is that of the first.

    Args:
        make: makes the model without data, with so many layers.
        num_layers: how many it has. Of a deep model fewer are carried out, twice: what one more takes is then known.
        lora: the adapters, unless the method is `full`.
        on_cpu: whether it is computed as on CPUs, where attention and dropout take more.
        accumulates: whether gradients of earlier micro-batches are there.
    """

    def one(batch: Batch, layers: int) -> Step:
        return _one(make(layers), settings, batch, lora, on_cpu, accumulates)

    found: list[Step] = []
    for batch in batches:
        if num_layers <= _FEW[1]:
            found.append(one(batch, num_layers))
        else:
            few, more = (one(batch, layers) for layers in _FEW)
            found.append(_extended(few, more, num_layers))
    most = max(found, key=lambda step: step.peak)
    passing = max(step.passing for step in found)
    first = {name: getattr(found[0], name) for name in ("flops", "flops_in_32", "tokens")}
    kept = _kept_on_cpu(passing, settings.precision) if on_cpu else 0
    return msgspec.structs.replace(most, passing=passing, kept=kept, **first)


def _kept_on_cpu(passing: int, precision: Precision) -> int:
    """Return the bytes of freed memory that glibc keeps in its heap, in pieces that the next tensors do not fit.

    A rule of thumb, measured after 60 steps of the cases of benchmarks/plan.py but its last two (glibc 2.36): 0.4 to
    0.7 of what passes in fp32; in bf16, whose kernels are compiled into the same heap, nearly all of it, and of little
    more than that.
    """
    if precision == "fp32":
        return passing // 2
    return passing * 3 // 4 + min(passing * 3 // 2, 120 << 20)


def _extended(few: Step, more: Step, num_layers: int) -> Step:
    """Return what a deep model takes, by what two of few layers take."""

    def at(first: int, second: int) -> int:
        return second + (second - first) * (num_layers - _FEW[1]) // (_FEW[1] - _FEW[0])

    told: dict[str, Any] = {
        name: at(getattr(few, name), getattr(more, name))
        for name in (
            "gradients",
            "optimizer",
            "passing",
            "parameters",
            "trained",
            "flops",
            "flops_in_32",
            "forward",
            "backward",
            "update",
        )
    }
    weights = {name: at(few.weights[name], size) for name, size in more.weights.items()}
    return msgspec.structs.replace(more, weights=weights, **told)


def _one(
    bare: PreTrainedModel,
    settings: StageSettings,
    batch: Batch,
    lora: LoraSettings | None,
    on_cpu: bool,
    accumulates: bool,
) -> Step:
    model = cast(nn.Module, bare)
    check_head(model)
    _check_experts(bare)
    if settings.method != "full":
        model = cast(nn.Module, get_peft_model(bare, new_adapter(lora or LoraSettings())))
        for p in model.parameters():
            if p.requires_grad:
                p.data = p.data.float()
    bare.set_attn_implementation(attention.NAME if on_cpu else DEVICE_ATTENTION)
    if settings.gradient_checkpointing:
        bare.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            if settings.kind in ("dpo", "grpo"):
                module.p = 0.0
            if not on_cpu:
                cast(Any, module).forward = device_dropout(module)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    try:
        with fake:
            model.to_empty(device="cpu")
            bare.tie_weights()
            return _measured(model, bare, settings, _without_data(batch, fake), accumulates)
    except TaiyiError:
        raise
    except Exception as error:
        raise ModelError(
            "a step of the architecture cannot be planned",
            where=bare.config.model_type,
            got=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            mend="use a base model such as Qwen3, Llama or Mistral",
        ) from error


def _check_experts(bare: PreTrainedModel) -> None:
    """Raise ModelError where a model has experts among which its weights choose."""
    if any(name.endswith("experts") for name, _ in bare.named_modules()):
        raise ModelError(
            "a mixture of experts cannot be planned: which tokens go to which expert is known only once it computes",
            where=bare.config.model_type,
            expected="a base whose tokens all take the same path, such as Qwen3, Llama or Mistral",
        )


def _measured(
    model: nn.Module, bare: PreTrainedModel, settings: StageSettings, batch: Batch, accumulates: bool
) -> Step:
    learning = [p for p in model.parameters() if p.requires_grad]
    made = optimizer(model, settings)
    for p in learning:
        p.grad = torch.zeros_like(p)
    # The optimizer holds what it needs from the first step on.
    made.step()
    held = [value for state in states(made).values() for value in state.values() if isinstance(value, Tensor)]
    if not accumulates:
        made.zero_grad(set_to_none=True)
    weights = _by_type(model, bare, settings.method)
    dense = sum(_bytes(t) for t in _tensors(model))
    live = Live([*_tensors(model), *held], [p.grad for p in learning if p.grad is not None])
    hooks = [p.register_post_accumulate_grad_hook(live.keep_gradient) for p in learning]
    cast = torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False)
    cast_to_16 = cast if settings.precision == "bf16" else nullcontext()
    with live:
        with cast_to_16:
            value = learned(model, batch, settings.decision_weight).value
        forward = live.peak_since()
        value.backward()
        backward = live.peak_since()
        nn.utils.clip_grad_norm_(learning, settings.max_grad_norm)
        made.step()
        update = live.peak_since()
    for hook in hooks:
        hook.remove()
    # Of weights in 4 bit one matrix at a time is there in 16.
    unpacked = _largest_matrix(bare) if settings.method == "qlora" else 0
    apart = sum(weights.values()) - dense + unpacked
    layers = decoder_layers(bare)
    sizes = [sum(_bytes(t) for t in _tensors(layer)) for layer in layers]
    return Step(
        weights=dict(weights),
        gradients=sum(_bytes(p) for p in learning),
        optimizer=sum(_bytes(t) for t in held),
        forward=forward + apart,
        backward=backward + apart,
        update=update + apart - unpacked,
        passing=live.passing_peak + unpacked,
        parameters=sum(p.numel() for p in model.parameters()),
        trained=sum(p.numel() for p in learning),
        layer=max(sizes, default=0),
        outside=dense - sum(sizes),
        learning_layer=max((sum(_bytes(p) for p in of.parameters() if p.requires_grad) for of in layers), default=0),
        flops=live.flops,
        flops_in_32=live.flops_in_32,
        tokens=batch.num_tokens,
    )


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _by_type(model: nn.Module, bare: PreTrainedModel, method: Method) -> Counter[str]:
    found: Counter[str] = Counter()
    packed = {id(m.weight) for m in _packed(bare)} if method == "qlora" else set[int]()
    for tensor in _tensors(model):
        if id(tensor) in packed:
            found[FOUR_BIT] += round(tensor.numel() * _NF4_BYTES)
        else:
            found[str(tensor.dtype).removeprefix("torch.")] += _bytes(tensor)
    return found


def _packed(bare: PreTrainedModel) -> list[nn.Linear]:
    """Return the layers that are loaded in 4 bit: all linear ones but the head and adapters."""
    head = bare.get_output_embeddings()
    return [m for name, m in bare.named_modules() if isinstance(m, nn.Linear) and m is not head and "lora_" not in name]


def _largest_matrix(bare: PreTrainedModel) -> int:
    return max((_bytes(m.weight) for m in _packed(bare)), default=0)


def _without_data(batch: Batch, fake: FakeTensorMode) -> Batch:
    groups = batch.groups
    plan = replace(
        groups,
        take=fake.from_tensor(groups.take),
        put=fake.from_tensor(groups.put),
        padding=fake.from_tensor(groups.padding),
    )
    shapes = {f.name: fake.from_tensor(v) for f in fields(batch) if isinstance(v := getattr(batch, f.name), Tensor)}
    return replace(batch, groups=plan, **shapes)
