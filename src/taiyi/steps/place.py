"""Where a recipe would be trained, and what of a stage's memory lies on each device there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from taiyi.train.devices import CPU, SHARE, SHARES, Device

if TYPE_CHECKING:
    from taiyi.train.memory import Step


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a recipe would be trained on.

    Attributes:
        device: one of its devices.
        count: how many there are.
        parallel: how weights lie on them.
        share: which share of the device's rate training reaches; that of `train.devices` if not given.
        tokens_per_second: how fast one device trains, where that is known.
    """

    device: Device
    count: int = 1
    parallel: Literal["ddp", "fsdp"] = "ddp"
    share: float | None = None
    tokens_per_second: float | None = None

    @property
    def on_cpu(self) -> bool:
        return self.device.name == CPU

    @property
    def memory(self) -> float:
        """Bytes for each process: those on CPUs share the memory of the machine."""
        return self.device.memory / self.count if self.on_cpu else self.device.memory

    @property
    def assumed_share(self) -> float:
        return self.share or SHARES.get(self.device.name, SHARE)


class Memory(msgspec.Struct, frozen=True):
    """Bytes on one device.

    Attributes:
        weights: of the model, by their type.
        gradients: of what learns.
        optimizer: what the optimizer holds of them.
        activations: at the highest, beyond what gradients take later: activations, logits, weights in 16 bit.
        communication: gathered weights and buffers of gradients, on several devices.
        framework: what a process takes beside its tensors.
        kept: freed memory that a process on a CPU keeps.
        libraries: what Python and what it imports take of the machine's memory, where that is the device's.
        loading: all that is there while whole weights are loaded, before they are shared out; 0 if they are not.
        answering: all that is there while the model answers, beside its answers, for which weights that are shared out
            are gathered whole; 0 if it does not, or they are not.
    """

    weights: dict[str, int]
    gradients: int
    optimizer: int
    activations: int
    communication: int
    framework: int
    kept: int = 0
    libraries: int = 0
    loading: int = 0
    answering: int = 0

    @property
    def training(self) -> int:
        """Bytes in a step of training, at the highest."""
        parts = self.gradients + self.optimizer + self.activations + self.communication
        return sum(self.weights.values()) + parts + self.framework + self.kept + self.libraries

    @property
    def total(self) -> int:
        """Bytes at the highest of the whole stage."""
        return max(self.training, self.loading, self.answering)


def memory_of(step: Step, place: Place, accumulates: bool, *, answers: bool = False) -> Memory:
    """Return the memory on each device.

    Args:
        accumulates: whether gradients of earlier micro-batches are there.
        answers: whether the model answers during the stage.
    """
    from taiyi.train.memory import FLOOR_CPU, FLOOR_CUDA, LIBRARIES_CPU

    framework, libraries = (FLOOR_CPU, LIBRARIES_CPU) if place.on_cpu else (FLOOR_CUDA, 0)
    model = sum(step.weights.values())
    states = model + step.gradients + step.optimizer
    if place.parallel == "fsdp" and place.count > 1:

        def part(size: int) -> int:
            return -(-size // place.count)

        # Whole for a while: what is outside of the layers, a layer and the next one that is fetched meanwhile, and
        # their gradients. Gradients of several micro-batches are added up before they are shared out.
        whole = step.outside + 2 * step.layer
        gradients = step.gradients if accumulates else 2 * step.learning_layer
        shares = {name: part(size) for name, size in step.weights.items()}
        # While it answers there are shares, whole weights, and those of a part twice as it is gathered
        # (`world.answering`); gradients are not there between steps.
        gathered = sum(shares.values()) + model + max(step.layer, step.outside) + part(step.optimizer)
        return Memory(
            shares,
            part(step.gradients),
            part(step.optimizer),
            step.passing,
            whole + gradients,
            framework,
            step.kept,
            libraries,
            loading=model + framework + libraries,
            answering=gathered + framework + libraries if answers else 0,
        )
    # DDP adds gradients up in buckets of its own.
    buckets = step.gradients if place.count > 1 else 0
    passing = max(0, step.peak - states)
    return Memory(step.weights, step.gradients, step.optimizer, passing, buckets, framework, step.kept, libraries)
