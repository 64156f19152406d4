"""Sentences, and which of their tokens each of several annotators marked, as JSON by sentence.

The format of Zlabinger et al. (Findings of EMNLP 2020): `sentences.json` has the texts by `PMID:index`; a file of
`annotations/` for each element and each layer (who annotated: experts, or crowds in one of three ways) has, by the same
ids, a list of 0 and 1 for each annotator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Span, Split

MISCOUNTED = "annotation with another number of tokens than its sentence"
NO_SENTENCE = "annotation of a sentence that is not there"
NO_ANNOTATION = "sentence without annotation of an element"
Layer = Literal["expert", "baseline", "senbase", "sensupport"]
_TOKEN = re.compile(r"\S+")


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    elements: Mapping[str, str],
    layer: Layer = "expert",
    folder: str = "annotations",
) -> Iterator[Record | Reject]:
    """Read sentences with the mentions of a layer: runs of tokens that more than half of its annotators marked.

    Args:
        elements: what is annotated, by the names that it has in the names of the files, with the types of the mentions.
        layer: whose annotation is read.
        folder: where the annotations are, beside the file of sentences.

    Raises:
        FormatError: a file is not a JSON object.
    """
    sentences = json_lines.members(path)
    votes = {
        type: (file, json_lines.members(file))
        for element, type in elements.items()
        for file in [path.parent / folder / f"{element}_{layer}.json"]
    }
    if not sentences:
        raise FormatError("the file holds no sentence", where=path)
    for key, text in sentences.items():
        where = f"{path.name}:{key}"
        if not isinstance(text, str):
            yield text if isinstance(text, Reject) else _malformed(where, text)
            continue
        tokens = [Span(*match.span()) for match in _TOKEN.finditer(text)]
        entities: list[Entity] = []
        for type, (file, by_sentence) in votes.items():
            marked = _marked(by_sentence.pop(key, None), len(tokens), f"{file.name}:{key}")
            if isinstance(marked, Reject):
                yield marked
                continue
            for first, last in _runs(marked):
                span = Span(tokens[first].start, tokens[last].end)
                found = text[span.start : span.end]
                entities.append(Entity(id=f"T{len(entities) + 1}", type=type, text=found, spans=(span,)))
        pmid, _, _ = key.partition(":")
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{pmid}",) if pmid.isdecimal() else (),
            text=text,
            entities=tuple(entities),
        )
    for file, left in votes.values():
        for key, value in left.items():
            fault = Reject(where=f"{file.name}:{key}", reason=NO_SENTENCE, detail=checked.shown(key))
            yield value if isinstance(value, Reject) else fault


def _marked(value: Any, tokens: int, where: str) -> list[bool] | Reject:
    """Return for each token whether more than half of the annotators marked it."""
    if value is None:
        return Reject(where=where, reason=NO_ANNOTATION)
    if isinstance(value, Reject):
        return value
    given = cast("dict[str, Any]", value).get("annotations") if isinstance(value, dict) else None
    if not isinstance(given, list) or not given:
        return _malformed(where, value)
    rows = cast("list[Any]", given)
    for row in rows:
        if not isinstance(row, list):
            return _malformed(where, row)
        marks = cast("list[Any]", row)
        if any(type(mark) is not int or mark not in (0, 1) for mark in marks):
            return _malformed(where, marks)
        if len(marks) != tokens:
            return Reject(where=where, reason=MISCOUNTED, detail=f"{len(marks)}, expected {tokens}")
    return [2 * sum(column) > len(rows) for column in zip(*cast("list[list[int]]", rows), strict=True)]


def _malformed(where: str, value: Any) -> Reject:
    return Reject(where=where, reason=checked.MALFORMED, detail=checked.shown(value))


def _runs(marked: list[bool]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of marked tokens."""
    first: int | None = None
    for index, mark in enumerate([*marked, False]):
        if mark and first is None:
            first = index
        elif not mark and first is not None:
            yield first, index - 1
            first = None
