"""What devices have: memory, and dense floating-point operations in a second. Only measuring a CPU imports torch.

Rates and memory are the figures that NVIDIA publishes: its data sheets of A40, A100 (SXM), L4, L40S, H100 (SXM) and
H200 (SXM), and its Ada architecture paper for the RTX 4090. Rates are dense, without sparsity, with sums in 32 bit.
They were not measured here, and no training reaches them: whoever depends on a number should check it against the sheet
and the device. A gigabyte is taken as 10^9 bytes, which devices miss by a few percent to either side.
"""

from __future__ import annotations

import math
import os
import re
import time

import msgspec

from taiyi.errors import TrainError
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


# Of a device that a user gives: the rate in 32 bit where only that in bf16 is known, the least of those above.
_FP32_SHARE = 1 / 16


def names() -> list[str]:
    return [CPU, *_DEVICES]


def device(name: str, memory: float | None = None, tflops: float | None = None) -> Device:
    """Return a device; of `cpu` the one of this machine, whose rates are measured, which takes a second or two.

    Args:
        name: one of `names`, whatever its case and spaces, with or without its memory; any other with both numbers.
        memory: in GB, where it is another than the device's.
        tflops: dense, in bf16, in 10^12 operations a second; the same.

    Raises:
        TrainError: there is no such device, or a number makes no sense.
    """
    for option, given in (("--memory", memory), ("--tflops", tflops)):
        if given is not None and not (math.isfinite(given) and given > 0):
            raise TrainError("a device has more than nothing, and an end", where=option, got=given)
    short = _short(name)
    if short == CPU:
        if tflops is not None:
            raise TrainError(
                "the rate of this machine is measured",
                where="--tflops",
                got=tflops,
                mend="leave it out, or say --tokens-per-second where you know that",
            )
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if memory is None else memory * _GB
        return Device(CPU, size, _measured("bfloat16"), _measured("float32"))
    found = _DEVICES.get(short)
    if found is None and (sized := re.fullmatch(r"(.+)-(\d+)gb", short)) is not None:
        # With its memory beside its name: that of the device, or there is no such one.
        of = _DEVICES.get(sized[1])
        found = of if of is not None and of.memory == int(sized[2]) * _GB else None
    if found is None:
        if memory is None or tflops is None:
            raise TrainError(
                "no such device is known",
                where="--device",
                got=name,
                expected=f"one of {', '.join(names())}",
                mend="give one of your own by its memory in GB and its dense rate in bf16: --memory 48 --tflops 155",
            )
        return Device(short or "device", memory * _GB, tflops, tflops * _FP32_SHARE)
    size = found.memory if memory is None else memory * _GB
    return msgspec.structs.replace(found, memory=size, bf16=found.bf16 if tflops is None else tflops)


def _short(name: str) -> str:
    """Return a name as it is in the table: without case, spaces, and the names of makers and series before it."""
    parts = re.split(r"[\s_-]+", re.sub(r"(?<=\d)\s+(?=gb\b)", "", name.strip().lower()))
    joined = "-".join(part for part in parts if part not in ("nvidia", "geforce", "rtx"))
    return joined.removeprefix("rtx")


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
