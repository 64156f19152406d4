"""What devices have: memory, and dense floating-point operations in a second. Only measuring a CPU imports torch.

Rates and memory are the figures that NVIDIA publishes: its data sheets of A40, A100 (SXM), L4, L40S, H100 (SXM) and
H200 (SXM), and its Ada architecture paper for the RTX 4090. Rates are dense, without sparsity, with sums in 32 bit.
They were not measured here, and no training reaches them: whoever depends on a number should check it against the sheet
and the device. A gigabyte is taken as 10^9 bytes, which devices miss by a few percent to either side.
"""

from __future__ import annotations

import os
import time

import msgspec

from taiyi.errors import TrainError, suggestion
from taiyi.train.settings import Precision

_GB = 10**9


class Device(msgspec.Struct, frozen=True):
    """A device that trains.

    Attributes:
        name: what it is called.
        memory: bytes.
        bf16: floating-point operations in a second of matrix products in bf16, times 10^12.
        fp32: the same in 32 bit, outside of tensor cores, as training in fp32 computes.
    """

    name: str
    memory: float
    bf16: float
    fp32: float

    def rate(self, precision: Precision) -> float:
        """Return floating-point operations in a second."""
        return (self.bf16 if precision == "bf16" else self.fp32) * 1e12


_DEVICES = {
    device.name: device
    for device in (
        Device("a40", 48 * _GB, 149.7, 37.4),
        Device("a100", 80 * _GB, 312, 19.5),
        Device("a100-40gb", 40 * _GB, 312, 19.5),
        Device("l4", 24 * _GB, 121, 30.3),
        Device("l40s", 48 * _GB, 362, 91.6),
        Device("h100", 80 * _GB, 989, 67),
        Device("h200", 141 * _GB, 989, 67),
        Device("4090", 24 * _GB, 165.2, 82.6),
    )
}

CPU = "cpu"
# What training reaches of the rates above: a guess that `--share` replaces. Of GPUs, 38 to 43% is what Llama 3 reports
# on many H100 (arXiv 2407.21783); adapters and short rows reach less.
SHARES = {CPU: 0.4}
SHARE = 0.3


def names() -> list[str]:
    return [CPU, *_DEVICES]


def device(name: str) -> Device:
    """Return a device; of `cpu` the one of this machine, whose rates are measured, which takes a second or two."""
    if name == CPU:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Device(CPU, memory, _measured("bfloat16"), _measured("float32"))
    if (found := _DEVICES.get(name.lower().removeprefix("rtx"))) is None:
        raise TrainError("no such device is known", got=name, mend=suggestion(name, names()))
    return found


def _measured(dtype: str, size: int = 1536, seconds: float = 0.5) -> float:
    """Return how fast this machine multiplies square matrices, in 10^12 operations a second: the best of some."""
    import torch

    a = torch.ones(size, size, dtype=getattr(torch, dtype))
    best, begun = float("inf"), time.monotonic()
    while time.monotonic() - begun < seconds or best == float("inf"):
        at = time.perf_counter()
        torch.mm(a, a)
        best = min(best, time.perf_counter() - at)
    return 2 * size**3 / best / 1e12
