"""Records of the real corpora: all where the whole tests are asked for, a part of each split before a merge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from taiyi import catalogue
from taiyi.schema import Record, Reject, Split
from whole import WHOLE

PART = 200
"""How many records of a split are tried before a merge: what is rare is found where all are."""

Item = TypeVar("Item")


@lru_cache(maxsize=4)
def records(name: str, split: Split) -> Sequence[Record]:
    """Return all records of a split of a corpus."""
    found = catalogue.load(catalogue.get(name), split, catalogue.corpora_dir())
    return [item for item in found if not isinstance(item, Reject)]


def some(name: str, split: Split) -> Sequence[Record]:
    """Return the records of a split that are tried: of many a part, evenly spread."""
    found = records(name, split)
    return found if WHOLE else spread(found, PART)


def spread(items: Sequence[Item], most: int) -> Sequence[Item]:
    """Return `most` of some items, evenly spread, or all where they are fewer."""
    return items[:: max(1, len(items) // most)][:most]
