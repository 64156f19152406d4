"""Shards of items: what a task makes of the records of one split of a corpus, read once and kept as Parquet.

A shard is made in parts of so many records, so that work on it can be shared out and memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec

from taiyi import catalogue, storage, tasks
from taiyi.build.answers import Answers
from taiyi.build.items import Item
from taiyi.build.records import drawn, place, records
from taiyi.schema import Record, Split

_PART_RECORDS = 1 << 14
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
    """What a shard is made of: the records of a split that a task is asked of, with types merged or translations
    reversed; or some of them."""

    corpus: str
    split: Split
    task: str
    merge_types: dict[str, str] = {}
    reverse: bool = False
    max_records: int | None = None
    seed: int = 0


class Collected(msgspec.Struct, frozen=True):
    """The names of the parts of a shard."""

    parts: tuple[str, ...]


def collect(shard: Shard, root: Path, folder: Path) -> Collected:
    """Read a shard from raw corpora under `root` into Parquet parts in a folder, and what was left out beside them."""
    parts: list[str] = []
    with storage.writing_jsonl(folder / "rejects.jsonl") as rejects:
        items = _items(shard, root, rejects)
        while (first := next(items, None)) is not None:
            parts.append(f"items-{len(parts):05}.parquet")
            batch = chain([first], islice(items, _PART_RECORDS - 1))
            storage.write_parquet(batch, folder / parts[-1], Stored)
    return Collected(tuple(parts))


def _items(shard: Shard, root: Path, rejects: storage.Lines) -> Iterator[Stored]:
    corpus, task = catalogue.get(shard.corpus), tasks.get(shard.task)
    encoder = msgspec.json.Encoder()
    answers = Answers(task, corpus, shard.merge_types)
    found = records(corpus, shard.split, task, root, rejects, merge_types=shard.merge_types, reverse=shard.reverse)
    for record in drawn(found, shard.max_records, shard.seed, rejects):
        yield Stored(
            place=place(record),
            task=task.name,
            lang=record.lang,
            document_ids=record.document_ids,
            texts=task.texts(record),
            gold=answers.of(record),
            record=encoder.encode(record).decode(),
        )
