"""Examples of a stage from the parts of its shards: each record as often as the mixture draws it."""

from __future__ import annotations

import importlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import xxhash

from taiyi import catalogue, storage, tasks
from taiyi.build.augment import Pool, changed
from taiyi.build.collect import Stored
from taiyi.build.few_shot import Shots
from taiyi.build.instructions import Instructions, task_of
from taiyi.build.queries import names_of
from taiyi.build.records import undeclared
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.schema import Example, Lang, Reject

TWICE = "example is made twice"


def render_part(
    part: Path,
    draws: Sequence[int],
    selection: Selection,
    root: Path,
    seed: int,
    out: Path,
    *,
    training: bool = True,
    shots: Shots | None = None,
    pool: Path | None = None,
) -> None:
    """Render the records of a part, each under so many wordings: `<out>.parquet`, and rejects in `<out>.jsonl`.

    `shots` are what every example is shown before it; `pool` is the file of the mentions that changed copies have in
    place of others.
    """
    corpus = catalogue.get(selection.corpus)
    task = task_of(selection.task, corpus, root, selection.pairs)
    instructions = Instructions(selection, task, corpus, seed=seed, training=training)
    settings = selection.augment if training else None
    mentions: Pool = {} if pool is None else storage.read_json(pool, dict[str, list[str]])
    names = {lang: entity_names(selection, corpus, lang) for lang in corpus.langs}

    def examples(rejects: storage.Lines) -> Iterator[Example]:
        for stored, times in zip(storage.read_parquet(part, Stored), draws, strict=True):
            if not times:
                continue
            record = stored.read()
            rejects.extend(undeclared(record, task, corpus, selection.merge_types))
            for copy in range(1 + (settings.copies if settings else 0)):
                own = record
                if copy and settings:
                    own = changed(record, settings, names[record.lang], mentions, seed=seed, copy=copy)
                for made in instructions.of(own, draws=times, copy=copy):
                    if isinstance(made, Reject):
                        rejects.append(made)
                    else:
                        yield made if shots is None else shots.before(made)

    # The rejects appear last: where they are, the part is whole.
    with storage.writing_jsonl(out.with_suffix(".jsonl")) as rejects:
        storage.write_parquet(examples(rejects), out.with_suffix(".parquet"), Example)


def entity_names(selection: Selection, corpus: Corpus, lang: Lang) -> dict[str, str]:
    """Return what prompts call the types of entities that a corpus has, some of them merged."""
    entities = tasks.get("ner")
    return {name: type.shown(lang) for name, type in names_of(entities, corpus, selection.merge_types).items()}


def join(parts: Sequence[Path], out: Path) -> Iterator[Reject]:
    """Put the examples of parts into one file, in order, and return those that are made twice; the first stays."""
    pa, pq = (cast(Any, importlib.import_module(name)) for name in ("pyarrow", "pyarrow.parquet"))
    twice = _twice(parts)
    gone: list[str] = []
    seen: set[str] = set()
    writer: Any = None
    with storage.writing(out) as file:
        for part in parts:
            with storage.reading(part), pq.ParquetFile(part) as source:
                writer = writer or pq.ParquetWriter(file, source.schema_arrow, compression="zstd")
                for batch in source.iter_batches(8192):
                    table = pa.Table.from_batches([batch])
                    if twice:
                        ids = _strings(batch, "id")
                        new = [id not in twice or (id not in seen and not seen.add(id)) for id in ids]
                        gone += (id for id, fresh in zip(ids, new, strict=True) if not fresh)
                        table = table if all(new) else table.filter(pa.array(new))
                    writer.write_table(table)
        if writer is not None:
            writer.close()
    if writer is None:
        storage.write_parquet([], out, Example)
    return (Reject(where=id, reason=TWICE) for id in gone)


def _twice(parts: Sequence[Path]) -> set[str]:
    """Return the ids that several examples have, and perhaps others: of all others only a hash is held at a time."""
    hashes = array("Q", (xxhash.xxh3_64_intdigest(id.encode("utf-8", "surrogatepass")) for id in _ids(parts)))
    values, counts = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_counts=True)
    repeated = set(values[counts > 1].tolist())
    if not repeated:
        return set()
    return {id for id, value in zip(_ids(parts), hashes, strict=True) if value in repeated}


def _ids(parts: Sequence[Path]) -> Iterator[str]:
    pq: Any = importlib.import_module("pyarrow.parquet")
    for part in parts:
        with storage.reading(part), pq.ParquetFile(part) as source:
            for batch in source.iter_batches(8192, columns=["id"]):
                yield from _strings(batch, "id")


def _strings(batch: Any, name: str) -> list[str]:
    return batch.column(name).to_pylist()
