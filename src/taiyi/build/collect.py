"""Shards of items: what a task makes of the records of one split of a corpus, read once and kept as Parquet.

A shard is made in parts of so many records, so that work on it can be shared out and memory does not grow with it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from taiyi import catalogue, storage, tasks
from taiyi.build.instructions import INAPPLICABLE, NOT_DRAWN, REPEATED, place, relabel
from taiyi.build.items import Item
from taiyi.build.mixture import rank
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.schema import Document, Example, Record, Reject, Split

_PART_RECORDS = 50_000
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Record)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it is kept, with its record as JSON."""

    place: str
    task: str
    lang: str
    document_ids: tuple[str, ...]
    texts: tuple[str, ...]
    gold: str
    record: str

    def item(self) -> Item:
        return Item(
            place=self.place,
            task=self.task,
            lang=self.lang,  # pyright: ignore[reportArgumentType]
            document_ids=self.document_ids,
            texts=self.texts,
            gold=self.gold,
        )

    def read(self) -> Record:
        """Return the record."""
        return _decoder.decode(self.record)


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard is made of: the records of a split that a task is asked of, with types merged; or some of them."""

    corpus: str
    split: Split
    task: str
    merge_types: dict[str, str] = {}
    max_records: int | None = None
    seed: int = 0


class Collected(msgspec.Struct, frozen=True):
    """The names of the parts of a shard, and how many items each has."""

    parts: tuple[str, ...]
    sizes: tuple[int, ...]


def collect(shard: Shard, root: Path, folder: Path) -> Collected:
    """Read a shard from raw corpora under `root` into Parquet parts in a folder, and what was left out beside them."""
    parts: list[str] = []
    sizes: list[int] = []
    with storage.writing_jsonl(folder / "rejects.jsonl") as rejects:
        items = _items(shard, root, rejects)
        while (first := next(items, None)) is not None:
            parts.append(f"items-{len(parts):05}.parquet")
            batch = chain([first], islice(items, _PART_RECORDS - 1))
            sizes.append(storage.write_parquet(batch, folder / parts[-1], Stored))
    return Collected(tuple(parts), tuple(sizes))


def _items(shard: Shard, root: Path, rejects: storage.Lines) -> Iterator[Stored]:
    corpus, task = catalogue.get(shard.corpus), tasks.get(shard.task)
    encoder = msgspec.json.Encoder()
    for record in drawn(_records(shard, corpus, task, root, rejects), shard.max_records, shard.seed, rejects):
        yield Stored(
            place=place(record),
            task=task.name,
            lang=record.lang,
            document_ids=record.document_ids,
            texts=task.texts(record),
            gold=_gold(record, task, corpus),
            record=encoder.encode(record).decode(),
        )


def _records(shard: Shard, corpus: Corpus, task: tasks.Task, root: Path, rejects: storage.Lines) -> Iterator[Record]:
    """Yield the records that a task can be asked of, each id once; the others are rejected."""
    seen: set[str] = set()
    for item in catalogue.load(corpus, shard.split, root):
        if isinstance(item, Reject):
            rejects.append(item)
        elif item.id in seen:
            rejects.append(Reject(where=place(item), reason=REPEATED, detail="the first is kept"))
        elif not task.applies(item):
            rejects.append(Reject(where=place(item), reason=INAPPLICABLE, detail=task.name))
        else:
            seen.add(item.id)
            yield relabel(item, shard.merge_types) if shard.merge_types and isinstance(item, Document) else item


def _gold(record: Record, task: tasks.Task, corpus: Corpus) -> str:
    """Return the answer of a record in canonical JSON; of a document, what it is annotated with."""
    if isinstance(record, Document):
        held = (record.entities, record.relations, record.events, record.coreferences)
        return xxhash.xxh3_128_hexdigest(msgspec.json.encode(held))
    wanted = Selection(corpus=corpus.name, task=task.name)
    (types, *_) = fixed(task, corpus, wanted, record.lang)
    template = tasks.load_templates(task, record.lang)[0]
    made = task.render(record, template, form=task.forms[0], types=types)
    return msgspec.json.encode(made.gold).decode() if isinstance(made, Example) else ""


def drawn(records: Iterable[Record], most: int | None, seed: int, rejects: storage.Lines) -> Iterator[Record]:
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
