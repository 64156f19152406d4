"""What the environment tells of the processes that a launcher started; nothing is imported or started for it."""

from __future__ import annotations

import os


def is_main() -> bool:
    """Whether this process is the one that writes files and says what happens."""
    return os.environ.get("RANK", "0") == "0"


def alone() -> bool:
    """Whether this process is the only one."""
    return os.environ.get("WORLD_SIZE", "1") == "1"
