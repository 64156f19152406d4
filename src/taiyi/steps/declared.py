"""Digests of what the package itself declares, corpora and test sets: steps depend on them as on files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from typing import Any, cast

import msgspec
import xxhash

from taiyi.catalogue import Corpus
from taiyi.evaluate.suites import TestSet

_DESCRIPTIVE = {
    "licence",
    "access",
    "homepage",
    "citation",
    "verified",
    "counts",
    "copies",
    "sizes",
    "unit",
    "listed",
    "downloads",
    "obtain",
    "notes",
    "folder",
    "bundled",
}
"""Fields of a corpus that examples do not depend on. Where its files lie is not told either: they are hashed.

Its title is none of them: prompts may name the corpus by it.
"""

ASKED = ("corpus", "split", "task", "types", "merge_types")
"""What of a test set makes its examples; the rest says how they are scored and shown."""


def corpus_digest(corpus: Corpus) -> str:
    """Return a hash of what makes a corpus's examples: its types and labels as shown, its readers and their options."""
    telling = {f.name: getattr(corpus, f.name) for f in dataclasses.fields(corpus) if f.name not in _DESCRIPTIVE}
    return _digest(telling | {"copies": {layout.name: layout.files for layout in corpus.copies}})


def set_digest(test_set: TestSet, fields: Collection[str] = ()) -> str:
    """Return a hash of some fields of a test set; of all where none is named."""
    names = [f.name for f in dataclasses.fields(test_set)]
    return _digest({name: getattr(test_set, name) for name in names if not fields or name in fields})


def _digest(value: object) -> str:
    return xxhash.xxh3_128_hexdigest(json.dumps(_plain(value), ensure_ascii=False).encode())


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; mappings keep their order, in which prompts list types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [[f.name, _plain(getattr(value, f.name))] for f in dataclasses.fields(value)]
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.structs.asdict(value))
    if isinstance(value, Mapping):
        return [[_plain(k), _plain(v)] for k, v in cast(Mapping[Any, Any], value).items()]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(list[Any], value)]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in cast(set[Any], value)), key=json.dumps)
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"  # pyright: ignore[reportFunctionMemberAccess]
    return value
