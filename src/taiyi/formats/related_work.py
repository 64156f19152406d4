"""Papers with the abstracts that they cite, and the paragraph of related work to be written from them.

The format of Multi-XScience (Lu, Dong and Charlin, 2020): an array of
`{"aid", "mid", "abstract", "related_work", "ref_abstract": {"@cite_1": {"mid", "abstract"}, …}}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Record, Reject, Split, TextToText


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read summaries: the source is the abstract, then each cited abstract after its mark, a line each.

    Cited papers without an abstract are left out of the source; their marks may stand in the target. Ids are
    positions from 0: a paper may have several paragraphs.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        abstract, target, cited = item.get("abstract"), item.get("related_work"), _cited(item.get("ref_abstract"))
        if not isinstance(abstract, str) or not isinstance(target, str) or cited is None:
            detail = "abstract, related_work and the abstracts of ref_abstract were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        paper = item.get("aid")
        yield checked.record(
            TextToText,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"arxiv:{paper}",) if isinstance(paper, str) and paper else (),
            kind="summary",
            source="\n".join([abstract, *(f"{mark}: {text}" for mark, text in cited if text.strip())]),
            target=target,
        )


def _cited(value: Any) -> list[tuple[str, str]] | None:
    if not isinstance(value, dict):
        return None
    found: list[tuple[str, str]] = []
    for mark, paper in cast("dict[str, Any]", value).items():
        text = cast("dict[str, Any]", paper).get("abstract") if isinstance(paper, dict) else None
        if not isinstance(text, str):
            return None
        found.append((mark, text))
    return found
