"""The records of a split that a task can be asked of, each id once; and what is left out."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from taiyi import catalogue
from taiyi.build.mixture import rank
from taiyi.build.queries import names_of
from taiyi.catalogue import Corpus
from taiyi.schema import Document, Parallel, Record, Reject, Split
from taiyi.tasks import Task

REPEATED = "record id is used twice"
INAPPLICABLE = "not a record for this task"
NOT_DRAWN = "over max_records"
UNDECLARED = "type that the catalogue does not have"


class Rejects(Protocol):
    """Takes what is left out: a list, or a file."""

    def append(self, value: Reject, /) -> None: ...


def records(
    corpus: Corpus,
    split: Split,
    task: Task,
    root: Path,
    rejects: Rejects,
    *,
    merge_types: Mapping[str, str],
    reverse: bool = False,
) -> Iterator[Record]:
    """Yield the records of a split, read from raw files under `root`, with types merged or translations reversed."""
    # Windows are put together, and answers found again, by the id of a record.
    seen: set[str] = set()
    for item in catalogue.load(corpus, split, root):
        if isinstance(item, Reject):
            rejects.append(item)
        elif item.id in seen:
            rejects.append(Reject(where=place(item), reason=REPEATED, detail="the first is kept"))
        elif not task.applies(item):
            rejects.append(Reject(where=place(item), reason=INAPPLICABLE, detail=task.name))
        else:
            seen.add(item.id)
            if merge_types and isinstance(item, Document):
                item = relabel(item, merge_types)
            yield reversed_pair(item) if reverse and isinstance(item, Parallel) else item


def drawn(records: Iterable[Record], most: int | None, seed: int, rejects: Rejects) -> Iterator[Record]:
    """Yield all records, or the `most` that the seed ranks first, in their order; only those are held in memory."""
    if most is None:
        yield from records
        return
    # A heap of the lowest ranks: its first is the highest of them, which the next one lower takes the place of.
    kept: list[tuple[int, int, Record]] = []
    for index, record in enumerate(records):
        entry = (-rank(seed, place(record)), -index, record)
        out = heapq.heappushpop(kept, entry)[2] if len(kept) >= most else heapq.heappush(kept, entry)
        if out is not None:
            rejects.append(Reject(where=place(out), reason=NOT_DRAWN))
    yield from (record for _, _, record in sorted(kept, key=lambda entry: -entry[1]))


def relabel(document: Document, names: Mapping[str, str]) -> Document:
    """Return the document with entity types renamed."""
    entities = tuple(msgspec.structs.replace(e, type=names.get(e.type, e.type)) for e in document.entities)
    return msgspec.structs.replace(document, entities=entities)


def reversed_pair(pair: Parallel) -> Parallel:
    """Return a translation in the other direction."""
    ends = {"source": pair.target, "target": pair.source, "lang": pair.target_lang, "target_lang": pair.lang}
    return msgspec.structs.replace(pair, **ends)


def undeclared(record: Record, task: Task, corpus: Corpus, merge_types: Mapping[str, str]) -> Iterator[Reject]:
    """Yield the mentions, relations and events of a record, its types merged, that no prompt asks for: the corpus's
    entry does not have their type."""
    if isinstance(record, Document) and task.kind in ("entities", "relations", "events"):
        found = {"entities": record.entities, "relations": record.relations, "events": record.events}[task.kind]
        known = names_of(task, corpus, merge_types)
        for item in found:
            if item.type not in known:
                yield Reject(where=f"{place(record)}/{item.id}", reason=UNDECLARED, detail=item.type)


def place(record: Record) -> str:
    """Return where a record is: `corpus/split/record`."""
    return f"{record.corpus}/{record.split}/{record.id}"
