"""What all tests share: no network, few threads, and the real corpora where they are. Code of pages is tested, too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Before anything imports torch or transformers: a test that needs the network is wrong, and threads that spin while
# they wait make two test processes slower than one.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import HealthCheck, settings

# Who writes code searches for new cases on every run; before a merge the same cases are tried each time, so that a
# change is not refused by chance for what was there before it; fewer, for that is waited for.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fixed", settings.get_profile("search"), derandomize=True, max_examples=40)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "search"))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Any:
    """Make tests of the blocks of code of a page (tests/pages.py)."""
    if file_path.suffix != ".md":
        return None
    import pages

    return pages.collect(file_path, parent)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `real` where the real corpora are not, and what is marked `whole` unless it is asked for.

    Files with a test that is marked `slow` are the first, so that no process waits for another one at the end.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    for item in items:
        if item.get_closest_marker("whole") and not os.environ.get("TAIYI_WHOLE"):
            item.add_marker(pytest.mark.skip(reason="takes long: make test-whole"))
    root = os.environ.get("TAIYI_CORPORA")
    if root and Path(root).is_dir():
        return
    reason = f"TAIYI_CORPORA names no folder ({root})" if root else "TAIYI_CORPORA is not set"
    for item in items:
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason=f"needs the real corpora: {reason}"))
