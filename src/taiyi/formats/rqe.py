"""Pairs of questions as XML: `<pair pid="1" value="true"><chq>…</chq><faq>…</faq></pair>`.

The format of the question-entailment task of MEDIQA 2019 (Ben Abacha, Shivade and Demner-Fushman, 2019): a consumer
health question entails a frequently asked one where every answer to the latter answers it too, wholly or in part.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.formats import checked, xml
from taiyi.schema import Lang, Pair, Record, Reject, Split

EMPTY = "empty question"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read pairs under their `pid`, labelled with their `value`; white space around a question is the file's own."""
    for element in xml.elements(path, ("pair",)):
        key, value = element.get("pid", ""), element.get("value", "")
        first, second = ((element.findtext(tag) or "").strip() for tag in ("chq", "faq"))
        where = f"{path.name}:{element.sourceline}"
        if not key or not value:
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"a pair without pid or value: {key!r}")
            continue
        if not first or not second:
            yield Reject(where=where, reason=EMPTY, detail=f"pair {key}")
            continue
        yield checked.record(
            Pair, where, id=key, corpus=corpus, split=split, lang=lang, first=first, second=second, label=value
        )
