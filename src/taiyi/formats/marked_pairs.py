"""Texts in which the two entities of one relation are marked, `… <e1>A</e1> … <e2>B</e2> …`, with it as label.

MIMICause (Khetan et al., Findings of ACL 2022) has them as items with `Text`, `E1`, `E2` and a `Label` such as
`Cause(E1,E2)` or `Cause(E2,E1)`, whose order is that of the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taiyi.formats import checked, rows
from taiyi.schema import Argument, Document, Entity, Lang, Record, Reject, Relation, Span, Split

_MARK = re.compile(r"<(/?)(e[12])>", re.IGNORECASE)
_LABEL = re.compile(r"(?P<type>[^()]+?)\s*(?:\(\s*(?P<first>e[12])\s*,\s*(?P<second>e[12])\s*\))?", re.IGNORECASE)
_ENDS = ("e1", "e2")
NOT_MARKED = "entities are not marked"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    text_key: str = "Text",
    label_key: str = "Label",
    entity_type: str = "entity",
    roles: tuple[str, str] = ("head", "tail"),
    id_key: str = "",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read texts with their one relation; the marks are taken out of the text.

    What is marked must be what the item has under `E1` and `E2`, where it has these.

    Args:
        roles: of the first and second argument of a label, in its own order; head and tail where it tells none.
        id_key: key of the item's name; items are named by their position from 0 if not given.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        marked, label = item.get(text_key), item.get(label_key)
        key = checked.name({"id": item[id_key]} if id_key in item else {}, index)
        match = _LABEL.fullmatch(label.strip()) if isinstance(label, str) else None
        if not isinstance(marked, str) or match is None or key is None:
            detail = f"a text under {text_key} and a label under {label_key} were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        text, spans = _unmarked(marked)
        if spans is None:
            yield Reject(where=where, reason=NOT_MARKED, detail=checked.shown(marked))
            continue
        named = roles if match["first"] else ("head", "tail")
        order = [(match[name] or end).lower() for name, end in zip(("first", "second"), _ENDS, strict=True)]
        entities: dict[str, Entity] = {}
        for end in _ENDS:
            given = item.get(end.upper())
            told = given if isinstance(given, str) else None
            entity, reject = checked.mention(text, spans[end], told, id=end, type=entity_type, where=where)
            entities |= {end: entity} if entity else {}
            if reject:
                yield reject
        if len(entities) < 2:
            continue
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            text=text,
            entities=tuple(entities.values()),
            relations=(
                Relation(
                    id="R1",
                    type=match["type"],
                    arguments=tuple(
                        Argument(role=role, kind="entity", ref=ref) for role, ref in zip(named, order, strict=True)
                    ),
                ),
            ),
        )


def _unmarked(marked: str) -> tuple[str, dict[str, Span] | None]:
    """Return the text without marks, and where the entities stand; None unless each is marked once."""
    text, at = "", 0
    starts: dict[str, int] = {}
    spans: dict[str, Span] = {}
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        at = match.end()
        closing, name = match[1], match[2].lower()
        if closing and name in starts and name not in spans:
            spans[name] = Span(starts[name], len(text))
        elif not closing and name not in starts:
            starts[name] = len(text)
        else:
            return marked, None
    return text + marked[at:], spans if len(spans) == len(_ENDS) else None
