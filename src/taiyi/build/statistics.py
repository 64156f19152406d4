"""Counts of instruction data by stage, task and language, by corpus, and of what was rejected, by reason."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import xxhash

from taiyi.schema import Example, Lang, Reject, Split


class Header(msgspec.Struct, frozen=True):
    """What of an example says where it is from."""

    corpus: str
    task: str
    lang: Lang
    split: Split
    record: str


class TaskCount(msgspec.Struct, frozen=True):
    """How many examples a stage has of a task in a language and a domain, from how many records."""

    stage: str
    task: str
    lang: Lang
    num_examples: int
    num_records: int
    domain: str


def count_tasks(stage: str, examples: Iterable[Example | Header], domains: Mapping[str, str]) -> list[TaskCount]:
    """Count the examples and records of a stage by task, language and domain; `domains` has that of each corpus."""
    num_examples: Counter[tuple[str, Lang, str]] = Counter()
    # Of records only hashes are held: a million of them take eight megabytes.
    records: dict[tuple[str, Lang, str], array[int]] = {}
    for example in examples:
        key = (example.task, example.lang, domains[example.corpus])
        num_examples[key] += 1
        place = f"{example.corpus}/{example.split}/{example.record}"
        records.setdefault(key, array("Q")).append(xxhash.xxh3_64_intdigest(place.encode("utf-8", "surrogatepass")))
    return [
        TaskCount(stage, task, lang, n, len(np.unique(records[task, lang, domain])), domain)
        for (task, lang, domain), n in sorted(num_examples.items())
    ]


def count_reasons(rejects: Iterable[Reject]) -> dict[str, int]:
    """Count rejects by reason, the most frequent first."""
    return dict(Counter(reject.reason for reject in rejects).most_common())


def count_corpora(examples: Iterable[Example | Header]) -> dict[str, int]:
    """Count examples by corpus, task and split."""
    counts = Counter(f"{example.corpus} {example.task} {example.split}" for example in examples)
    return dict(sorted(counts.items()))
