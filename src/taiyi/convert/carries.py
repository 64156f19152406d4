"""What formats carry of records, and the count of what they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from taiyi.schema import Document, Record, Reject

Kind = Literal["entity", "event", "relation", "concept", "text"]
REFUSED = "record refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carries:
    """What a format carries of records.

    `forms` are the kinds of records; the rest is about documents. Passages may have to hold the `whole` text, but for
    spaces between them, or be `title and abstract`: a text without these stands as the title. `relations` are the kinds
    of arguments that relations may have, and `arity` how many of them (0: any number); `roles` are the arguments' only
    names, in order, where the format fixes them, and `relation_attributes` the only attributes, all where it is None.
    `renumber` gives a document ids of the format's own kind.
    """

    forms: tuple[type[Any], ...] = (Document,)
    document_ids: bool = False
    passages: Literal["any", "whole", "title and abstract", "none"] = "any"
    line_breaks: bool = True
    discontinuous: bool = True
    nested: bool = True
    concepts: bool = True
    entity_attributes: bool = False
    relations: tuple[Kind, ...] = ()
    arity: int = 0
    roles: tuple[str, ...] = ()
    relation_attributes: tuple[str, ...] | None = ()
    events: tuple[Kind, ...] = ()
    event_attributes: bool = False
    coreferences: bool = False
    spaces_in_names: bool = True
    renumber: Callable[[Document], Document] = lambda document: document


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A format that records are converted to: a file each split with this suffix, or a folder where there is none."""

    carries: Carries | None
    suffix: str
    write: Callable[[Iterable[Record], Path], None]
    read: Callable[..., Iterator[Record | Reject]]


@dataclass(slots=True)
class Losses:
    """What a format did not carry: how many of what, and where the first of each was."""

    counts: Counter[str] = field(default_factory=Counter[str])
    first: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, what: str, where: str) -> None:
        self.counts[what] += 1
        self.first.setdefault(what, where)
