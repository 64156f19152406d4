"""What a step frees is there for the next one, without the system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock, call

import pytest

import taiyi as package
from taiyi import heap

pytestmark = pytest.mark.skipif(
    heap._glibc() is None,  # pyright: ignore[reportPrivateUsage]
    reason="the allocator is not that of glibc",
)

# Takes and frees what a step of a large batch does, and tells how many pages the system had to give for a step.
_STEPS = """
import resource
import torch
from taiyi.heap import kept_heap

def step():
    held = [torch.ones(6 << 20) for _ in range(8)]

with kept_heap():
    for _ in range(3):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        step()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 5)
"""
_PAGES = (8 * 24 << 20) // os.sysconf("SC_PAGE_SIZE")


def faults(**environment: str) -> int:
    path = str(Path(package.__file__).parent.parent)
    given = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"} | environment
    done = subprocess.run([sys.executable, "-c", _STEPS], capture_output=True, text=True, env=given, check=True)
    return int(done.stdout)


def test_pages_are_kept_for_the_next_step() -> None:
    """By itself the allocator gives them back in some processes and keeps them in others."""
    assert faults() < _PAGES // 100


def test_what_the_environment_says_of_the_allocator_stays() -> None:
    assert faults(MALLOC_MMAP_THRESHOLD_="131072") > _PAGES // 2


def test_the_end_of_the_heap_is_given_back_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = Mock()
    monkeypatch.setattr(heap, "_glibc", lambda: libc)
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError), heap.kept_heap():
        assert libc.mock_calls == [call.mallopt(-3, 32 << 20), call.mallopt(-1, -1)]
        raise RuntimeError
    assert libc.mock_calls[2:] == [call.mallopt(-1, 64 << 20), call.malloc_trim(0)]
