"""Corpora as plain values, for programs and pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec

from taiyi.catalogue.entry import Corpus, TypeName


def row(corpus: Corpus) -> dict[str, Any]:
    """Return what a list says of a corpus."""
    return {
        "name": corpus.name,
        "title": corpus.title,
        "lang": list(corpus.langs),
        "tasks": list(corpus.tasks),
        "splits": list(corpus.splits),
        "sizes": dict(corpus.sizes),
        "licence": corpus.licence,
        "access": corpus.access,
        "verified": corpus.checked_on,
        "domain": corpus.domain,
        "listed": f"{corpus.listed.lang} {corpus.listed.number}" if corpus.listed else None,
    }


def details(corpus: Corpus) -> dict[str, Any]:
    """Return what there is to be said of a corpus, but for its records."""
    return row(corpus) | {
        "homepage": corpus.homepage,
        "citation": corpus.citation,
        "folder": corpus.folder,
        "obtain": corpus.obtain,
        "downloads": [download.url for download in corpus.downloads],
        "unit": corpus.unit,
        "layouts": [
            {
                "name": layout.name,
                "verified": layout.verified,
                "files": {
                    split: [{"path": source.path, "needs": list(source.needs)} for source in sources]
                    for split, sources in layout.files.items()
                },
                "counts": {split: dict(counts) for split, counts in layout.counts.items()},
                "notes": layout.notes,
            }
            for layout in corpus.layouts
        ],
        "entity_types": _names(corpus.entity_types),
        "relation_types": _names(corpus.relation_types),
        "event_types": _names(corpus.event_types),
        "roles": _names(corpus.roles),
        "labels": _names(corpus.labels),
        "multi_label": corpus.multi_label,
        "scale": msgspec.to_builtins(corpus.scale),
        "notes": corpus.notes,
    }


def _names(types: Mapping[str, TypeName]) -> dict[str, dict[str, str | bool]]:
    return {name: dataclasses.asdict(type) for name, type in types.items()}
