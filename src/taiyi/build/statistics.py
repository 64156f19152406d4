"""Counts of instruction data by stage, task and language, by corpus, and of what was rejected, by reason."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from taiyi import storage
from taiyi.schema import Lang, Reject


class TaskCount(msgspec.Struct, frozen=True):
    """How many examples a stage has of a task in a language and a domain, from how many records."""

    stage: str
    task: str
    lang: Lang
    num_examples: int
    num_records: int
    domain: str


def count_tasks(stage: str, paths: Sequence[Path], domains: Mapping[str, str]) -> list[TaskCount]:
    """Count the examples and records of a stage by task, language and domain.

    Args:
        paths: the files of its examples, its own and those that it replays.
        domains: that of each corpus.
    """
    found: dict[tuple[str, Lang, str], list[int]] = {}
    for row in _grouped(paths, "task", "lang", "corpus", "split"):
        counts = found.setdefault((row["task"], row["lang"], domains[row["corpus"]]), [0, 0])
        counts[0] += row["count_all"]
        counts[1] += row["record_count_distinct"]
    return [TaskCount(stage, task, lang, n, m, domain) for (task, lang, domain), (n, m) in sorted(found.items())]


def count_corpora(paths: Sequence[Path]) -> dict[str, int]:
    """Count examples by corpus, task and split."""
    rows = _grouped(paths, "corpus", "task", "split")
    return dict(sorted((f"{row['corpus']} {row['task']} {row['split']}", row["count_all"]) for row in rows))


def count_records(paths: Sequence[Path]) -> dict[str, int]:
    """Count the records that examples are made of by corpus, task and language."""
    found: Counter[str] = Counter()
    for row in _grouped(paths, "corpus", "task", "lang", "split"):
        found[f"{row['corpus']} {row['task']} {row['lang']}"] += row["record_count_distinct"]
    return dict(sorted(found.items()))


def count_reasons(rejects: Iterable[Reject]) -> dict[str, int]:
    """Count rejects by reason, the most frequent first."""
    return dict(Counter(reject.reason for reject in rejects).most_common())


def _grouped(paths: Sequence[Path], *names: str) -> list[dict[str, Any]]:
    """Return how many examples and records there are of each combination of values."""
    pa: Any = importlib.import_module("pyarrow")
    columns = [*names, "record"]
    tables = [pa.table({name: storage.read_column(path, name) for name in columns}) for path in paths]
    if not tables:
        return []
    grouped = pa.concat_tables(tables).group_by(list(names))
    rows = grouped.aggregate([([], "count_all"), ("record", "count_distinct")]).to_pylist()
    # What is one of a few words is kept as JSON.
    return [row | {name: msgspec.json.decode(row[name]) for name in ("lang", "split") if name in row} for row in rows]
