"""EBM-NLP: a file of tokens for each abstract, and beside it a file of labels for each element, a label a token.

The format of Nye et al. (ACL 2018), as of version 2.00: `documents/<PMID>.tokens`, and
`annotations/aggregated/<phase>/<element>/<part>/<PMID>.AGGREGATED.ann`, where the phase is `starting_spans` (0 or 1) or
`hierarchical_labels` (0, or the number of a finer type) and the part `train` or `test/gold`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Span, Split

NO_ELEMENT = "abstract without annotation of an element"
NO_DOCUMENT = "annotation of an abstract that is not there"
MISCOUNTED = "annotation with another number of tokens than its abstract"
_PMID = re.compile(r"(\d+)[._].*ann")
Phase = Literal["starting_spans", "hierarchical_labels"]


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    part: str,
    elements: Mapping[str, Sequence[str]],
    phase: Phase = "starting_spans",
) -> Iterator[Record | Reject]:
    """Read the abstracts of a part that have labels of one element or more; `path` is the folder of the release.

    The text is the tokens with one space between them. Neighbouring tokens of one label are one mention; mentions of
    different elements may overlap.

    Args:
        part: `train` or `test/gold`.
        elements: the types that the labels of each element stand for, that of label 1 first.

    Raises:
        FormatError: no abstract of the part is annotated, or a file is not UTF-8.
    """
    folders = {name: path / "annotations" / "aggregated" / phase / name / part for name in elements}
    files: dict[str, dict[str, Path]] = {}
    for name, folder in folders.items():
        for file in folder.glob("*.ann"):
            if match := _PMID.fullmatch(file.name):
                files.setdefault(match[1], {})[name] = file
    if not files:
        raise FormatError("no abstract is annotated", where=path, expected=str(next(iter(folders.values()))))
    for pmid in sorted(files, key=lambda key: (len(key), key)):
        source = path / "documents" / f"{pmid}.tokens"
        if not source.is_file():
            some = next(iter(files[pmid].values()))
            yield Reject(where=some.name, reason=NO_DOCUMENT, detail=source.name)
            continue
        # A token stands on a line of its own, and an empty line at the end is none.
        tokens = [line.strip() for _, line in lines.numbered(source)]
        while tokens and not tokens[-1]:
            tokens.pop()
        spans: list[Span] = []
        for token in tokens:
            at = spans[-1].end + 1 if spans else 0
            spans.append(Span(at, at + len(token)))
        text = " ".join(tokens)
        entities: list[Entity] = []
        for name, types in elements.items():
            file = files[pmid].get(name)
            labels = Reject(where=source.name, reason=NO_ELEMENT, detail=name)
            if file is not None:
                labels = _labels(file, len(tokens), len(types))
            if isinstance(labels, Reject):
                yield labels
                continue
            for label, first, last in _runs(labels):
                span = Span(spans[first].start, spans[last].end)
                found = text[span.start : span.end]
                id = f"T{len(entities) + 1}"
                entities.append(Entity(id=id, type=types[label - 1], text=found, spans=(span,)))
        yield checked.record(
            Document,
            source.name,
            id=pmid,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{pmid}",),
            text=text,
            entities=tuple(entities),
        )


def _labels(path: Path, tokens: int, most: int) -> list[int] | Reject:
    """Return the labels of the tokens, a line each, or parted by commas as in version 1.00."""
    cells = [cell.strip() for _, line in lines.numbered(path) for cell in line.split(",")]
    while cells and not cells[-1]:
        cells.pop()
    labels = [checked.number(cell) for cell in cells]
    numbers = [label for label in labels if label is not None and label <= most]
    if len(numbers) != len(labels):
        detail = f"labels from 0 to {most} were expected"
        return Reject(where=path.name, reason=checked.MALFORMED, detail=detail)
    if len(numbers) != tokens:
        return Reject(where=path.name, reason=MISCOUNTED, detail=f"{len(numbers)}, expected {tokens}")
    return numbers


def _runs(labels: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield each run of one label that is not 0, with its first and last token."""
    first = 0
    for index in range(1, len(labels) + 1):
        if index == len(labels) or labels[index] != labels[first]:
            if labels[first]:
                yield labels[first], first, index - 1
            first = index
