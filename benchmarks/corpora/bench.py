"""Corpora of the benchmarks: records as JSON lines, as `benchmarks/build.py` makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taiyi import storage
from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.schema import SPLITS, Lang, Record, Reject, Split

TYPES = {name: TypeName(en=name.lower(), zh=zh) for name, zh in (("Chemical", "药物"), ("Disease", "疾病"))}
LABELS = {f"L{i}": TypeName(en=f"label {i}", zh=f"标签{i}") for i in range(8)}


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    return storage.read_jsonl(path, Record)


def _corpus(name: str, lang: Lang, task: str, **types: Any) -> Corpus:
    return Corpus(
        name=name,
        title=name,
        langs=(lang,),
        tasks=(task,),
        licence="Apache-2.0",
        access="open",
        homepage="",
        citation="Generated.",
        verified="fixture",
        files={split: (Source(path=f"{split}.jsonl", read=read),) for split in SPLITS if split != "dev"},
        **types,
    )


CORPORA = (
    _corpus("bench_ner", "en", "ner", entity_types=TYPES),
    _corpus("bench_tc", "en", "tc", labels=LABELS),
    _corpus("bench_qa", "zh", "qa_sqa"),
)
