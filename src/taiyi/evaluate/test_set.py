"""What a test set is: a split of a corpus under a task, and how it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from taiyi.evaluate.paper import Published
from taiyi.schema import Lang, Split

SAMPLE_SEED = 0
"""What the records of a test set that is a sample are drawn by, whatever the seed of the recipe."""
_GRADES = frozenset({"pearson", "spearman"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSet:
    """A split of a corpus under a task, how it is scored, and what the paper reports on it.

    Args:
        metric: the measure that is its score.
        protocol: the protocol that this is of: the task's own, or one that is named (see evaluate.protocols).
        types: the entity or relation types that are asked for; None for all of the corpus.
        merge_types: types that count as another one. They are merged before the record is rendered: counts cannot be
            merged afterwards, because a text that is gold under two types is one item under the merged one.
        missing: said of a corpus that not everybody can have where it is not there; such a set is reported as missing,
            never left out in silence. A set without it must be there.
        note: what differs from the set that the paper uses.
        max_records: so many of its records make it up, drawn by `SAMPLE_SEED`; all where none is given.
        part_of: the name of the set that it is a part of, and is asked like.
    """

    __test__ = False  # pytest takes a class of this name for a test

    name: str
    title: str
    corpus: str
    split: Split
    task: str
    metric: str
    langs: tuple[Lang, ...]
    protocol: str = ""
    types: tuple[str, ...] | None = None
    merge_types: Mapping[str, str] = field(default_factory=dict[str, str])
    paper: Published | None = None
    missing: str = ""
    note: str = ""
    max_records: int | None = None
    part_of: str = ""

    @property
    def graded(self) -> bool:
        """Whether its gold are grades of pairs."""
        return self.metric in _GRADES
