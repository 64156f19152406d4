"""The processes that train together, as `torchrun`, `accelerate launch` or Ray started them; often just one.

A step is what the recipe says however many they are: its micro-batches are dealt out to the processes, and their
gradients are added up. So a run can go on with more or fewer of them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from taiyi.train import launch
from taiyi.train.loss import causal_model
from taiyi.train.settings import Parallel

T = TypeVar("T")


class World:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
        device: what this process computes on.
    """

    def __init__(self) -> None:
        launch.check()
        # One process may work for hours while the others wait: on data, or on a model that it writes.
        state = PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(days=1))
        self.rank: int = state.process_index
        self.size: int = state.num_processes
        self.device: torch.device = cast(torch.device, state.device)

    @property
    def main(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()

    @contextmanager
    def main_first(self) -> Generator[None]:
        """Let the process that writes files go through a block before the others, which find what it wrote."""
        if not self.main:
            self.wait()
        yield
        if self.main:
            self.wait()

    def add(self, values: Sequence[float]) -> list[float]:
        """Return the sums of numbers over all processes, in double precision."""
        if self.size == 1:
            return list(values)
        found = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(found)
        return found.tolist()

    def gather(self, values: Sequence[T]) -> list[T]:
        """Return the values of all processes, those of the first first."""
        if self.size == 1:
            return list(values)
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, list(values))
        return [value for part in found for value in part]

    def told(self, value: T) -> T:
        """Return what the first process has."""
        if self.size == 1:
            return value
        found: list[Any] = [value]
        dist.broadcast_object_list(found, src=0)
        return cast(T, found[0])


@lru_cache(maxsize=1)
def world() -> World:
    """Return the processes that this one was started with."""
    return World()


def spread(learner: nn.Module, layers: Sequence[nn.Module], of: World, parallel: Parallel) -> nn.Module:
    """Return a module whose gradients are added up over all processes.

    Args:
        learner: computes the loss of a micro-batch.
        layers: its parts that FSDP gathers and lets go of one by one.
    """
    if of.size == 1:
        return learner
    if any(type(p).__name__ == "Params4bit" for p in learner.parameters()):
        launch.check_four_bit(parallel)
    if parallel == "fsdp":
        mesh = init_device_mesh(of.device.type, (of.size,))
        for layer in layers:
            fully_shard(layer, mesh=mesh)
        return cast(nn.Module, fully_shard(learner, mesh=mesh))
    # Looking for unused parameters keeps the buckets as they are. Otherwise they are laid out anew after the first step
    # (of a resumed run too), and with them the order in which gradients are added up.
    devices = [of.device] if of.device.type == "cuda" else None
    made = DistributedDataParallel(learner, device_ids=devices, find_unused_parameters=True)
    # Buffers, such as the frequencies of positions, are the same everywhere from the start on.
    made.broadcast_buffers = False
    return made


def synchronise(spreaded: nn.Module, last: bool) -> None:
    """Say whether the coming backward pass adds up gradients over the processes: in the last micro-batch of a step."""
    if isinstance(spreaded, FSDPModule):
        spreaded.set_requires_gradient_sync(last)
    elif isinstance(spreaded, DistributedDataParallel):
        spreaded.require_backward_grad_sync = last


def whole(value: Any) -> Any:
    """Return a tensor that may be sharded as a whole one; every process must ask."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def gathered(value: Any, main: bool) -> Any:
    """Return a tensor as a whole one in the process that writes files; nothing of a sharded one in the others.

    Every process must ask. A whole tensor goes to the memory of the processor: a device may not have room for all.
    """
    if not isinstance(value, DTensor):
        return value
    found = value.full_tensor()
    return found.cpu() if main else None


def put(into: torch.Tensor, value: torch.Tensor) -> None:
    """Copy a whole tensor, which every process has, into one that may be sharded."""
    if isinstance(into, DTensor):
        value = distribute_tensor(value.to(into.device), into.device_mesh, into.placements, src_data_rank=None)
    into.copy_(value)


def sharded(spreaded: nn.Module) -> bool:
    """Whether each process has a share of the weights only."""
    return isinstance(spreaded, FSDPModule)


@contextmanager
def answering(model: nn.Module, spreaded: nn.Module, gradient_checkpointing: bool) -> Generator[None]:
    """Let a model that learns answer for a while: in eval mode, with whole weights and ordinary attention."""
    causal = cast(Any, causal_model(model))
    used, training = causal.config._attn_implementation, model.training
    parts = [module for module in spreaded.modules() if isinstance(module, FSDPModule)]
    causal.set_attn_implementation("sdpa")
    if gradient_checkpointing:
        causal.gradient_checkpointing_disable()
    model.eval()
    if isinstance(spreaded, FSDPModule):
        # FSDP takes what runs first to be the root of all, and here that is a layer.
        cast(Any, spreaded)._get_fsdp_state()._lazy_init()
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.set_reshard_after_forward(part is not spreaded, recurse=False)
            part.reshard()
        model.train(training)
        if gradient_checkpointing:
            causal.gradient_checkpointing_enable({"use_reentrant": False})
        causal.set_attn_implementation(used)
