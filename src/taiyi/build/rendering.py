"""Examples of a stage from the parts of its shards: each record as often as the mixture draws it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from taiyi import catalogue, storage, tasks
from taiyi.build.collect import Stored
from taiyi.build.instructions import render, undeclared
from taiyi.build.settings import Selection
from taiyi.schema import Example, Reject

TWICE = "example is made twice"


def render_part(part: Path, draws: Sequence[int], selection: Selection, seed: int, out: Path) -> None:
    """Render the records of a part, each under so many wordings: `<out>.parquet`, and rejects in `<out>.jsonl`."""
    corpus, task = catalogue.get(selection.corpus), tasks.get(selection.task)
    rejects: list[Reject] = []

    def examples() -> Iterator[Example]:
        for stored, times in zip(storage.read_parquet(part, Stored), draws, strict=True):
            if not times:
                continue
            record = stored.read()
            rejects.extend(undeclared(record, task, corpus))
            for made in render(record, task, corpus, selection, seed=seed, draws=times, training=True):
                if isinstance(made, Reject):
                    rejects.append(made)
                else:
                    yield made

    storage.write_parquet(examples(), out.with_suffix(".parquet"), Example)
    storage.write_jsonl(rejects, out.with_suffix(".jsonl"))


def join(parts: Sequence[Path], out: Path) -> list[Reject]:
    """Put the examples of parts into one file, in order; of one that is made twice the first stays."""
    pa, pq = (cast(Any, importlib.import_module(name)) for name in ("pyarrow", "pyarrow.parquet"))
    rejects: list[Reject] = []
    seen: set[str] = set()
    writer: Any = None
    with storage.writing(out) as file:
        for part in parts:
            with pq.ParquetFile(part) as source:
                writer = writer or pq.ParquetWriter(file, source.schema_arrow, compression="zstd")
                for batch in source.iter_batches(8192):
                    new = [id not in seen and not seen.add(id) for id in _strings(batch, "id")]
                    rejects += (
                        Reject(where=id, reason=TWICE)
                        for id, fresh in zip(_strings(batch, "id"), new, strict=True)
                        if not fresh
                    )
                    table = pa.Table.from_batches([batch])
                    writer.write_table(table if all(new) else table.filter(pa.array(new)))
        if writer is not None:
            writer.close()
    if writer is None:
        storage.write_parquet([], out, Example)
    return rejects


def _strings(batch: Any, name: str) -> Iterable[str]:
    return batch.column(name).to_pylist()
