"""Exact deduplication of examples: the same material asked for the same thing, in whatever wording."""

from __future__ import annotations

from collections.abc import Iterable

from taiyi.schema import Example, Reject


def deduplicate(examples: Iterable[Example]) -> tuple[list[Example], list[Reject]]:
    """Drop examples whose content, task, form, types and answer another record's example has too.

    Of equal ones that with the smallest id stays, so that the outcome does not depend on their order. The same
    record under another template is no duplicate: that is how a recipe repeats a corpus.
    """
    kept: list[Example] = []
    rejects: list[Reject] = []
    first: dict[tuple[object, ...], Example] = {}
    for example in sorted(examples, key=lambda e: e.id):
        asked = tuple(shown.shown for shown in example.types)
        key = (example.content, example.task, example.form, asked, example.answer)
        other = first.setdefault(key, example)
        same_record = (other.corpus, other.split, other.record, other.offset) == (
            example.corpus,
            example.split,
            example.record,
            example.offset,
        )
        if other is example or (same_record and other.template != example.template):
            kept.append(example)
        else:
            rejects.append(Reject(where=example.id, reason="duplicate", detail=other.id))
    return kept, rejects
