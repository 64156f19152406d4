"""Shards of items: what a task makes of the records of one split of a corpus, read once and kept as Parquet.

A shard is made in parts of so many records, so that work on it can be shared out and memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import msgspec
import xxhash

from taiyi import catalogue, storage, tasks
from taiyi.build.items import Item
from taiyi.build.queries import Types, fixed
from taiyi.build.records import drawn, place, records
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.schema import Lang, Record, Reject, Split
from taiyi.tasks import Task, Whole
from taiyi.templates import Template

_PART_RECORDS = 1 << 14
_LONGEST_ANSWER = 64
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
    answers = _Answers(task, corpus, shard.merge_types)
    found = records(corpus, shard.split, task, root, shard.merge_types, rejects)
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


class _Answers:
    """What records answer to a task, without ids and places, so that two of the same text can be compared."""

    def __init__(self, task: Task, corpus: Corpus, merge_types: Mapping[str, str]) -> None:
        # What is asked about one pair after another is answered by the relations of the document.
        self._task = task if isinstance(task, Whole) else tasks.get(tasks.listed_as(task.name))
        self._corpus = corpus
        self._selection = Selection(corpus=corpus.name, task=self._task.name, merge_types=dict(merge_types))
        self._asked: dict[Lang, tuple[Types, Template]] = {}

    def of(self, record: Record) -> str:
        """Return the answer in canonical JSON, or its hash where it is long; empty where there is none."""
        if record.lang not in self._asked:
            (types, *_) = fixed(self._task, self._corpus, self._selection, record.lang)
            self._asked[record.lang] = types, tasks.load_templates(self._task, record.lang)[0]
        types, template = self._asked[record.lang]
        made = self._task.render(record, template, form=self._task.forms[0], types=types)
        if isinstance(made, Reject):
            return ""
        answer = msgspec.json.encode(_placeless(msgspec.to_builtins(made.gold)), order="sorted")
        return answer.decode() if len(answer) <= _LONGEST_ANSWER else xxhash.xxh3_128_hexdigest(answer)


def _placeless(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without offsets, its items in an order of their own: equal texts may differ in spaces."""
    if "items" not in answer:
        return answer
    items = [_without_span(item) for item in cast("list[Any]", answer["items"])]
    return {**answer, "items": sorted(items, key=_in_order)}


def _without_span(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in cast("dict[str, Any]", item).items() if name != "span"}


def _in_order(item: Any) -> bytes:
    return msgspec.json.encode(item, order="sorted")
