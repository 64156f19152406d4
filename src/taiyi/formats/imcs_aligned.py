"""IMCS-V2's utterances as its authors' baseline prepares them: lines of characters, lines of BIO labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Span, Split

UNFIT = "labels do not fit the text"


def read(path: Path, *, corpus: str, split: Split, lang: Lang, labels: str) -> Iterator[Record | Reject]:
    """Read utterances whose characters and BIO labels are the lines of two files, with a space between each.

    Args:
        labels: name of the file of labels, in the same folder.

    Raises:
        FormatError: one file has more lines than the other.
    """
    pairs = itertools.zip_longest(lines.numbered(path), lines.numbered(path.with_name(labels)))
    for index, (one, other) in enumerate(pairs):
        if one is None or other is None:
            longer = path if other is None else path.with_name(labels)
            raise FormatError(
                "the files of characters and labels differ in length", where=longer, got=f"line {index + 1}"
            )
        where, text = f"{path.name}:{one[0]}", one[1].replace(" ", "")
        if not text and not other[1]:
            continue
        found = spans(other[1].split(" "), len(text))
        if found is None:
            yield Reject(where=where, reason=UNFIT, detail=f"{len(text)} characters: {checked.shown(other[1])}")
        yield checked.record(
            Document,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            text=text,
            entities=tuple(
                Entity(id=f"T{number}", type=type, text=text[start:end], spans=(Span(start, end),))
                for number, (type, start, end) in enumerate(found or (), start=1)
            ),
        )


def spans(labels: Sequence[str], length: int) -> list[tuple[str, int, int]] | None:
    """Return type, start and end of each mention; None if the labels are not BIO, or not one a character.

    An I without a B of its type before it begins a mention.
    """
    if len(labels) != length:
        return None
    found: list[tuple[str, int, int]] = []
    for at, label in enumerate(labels):
        mark, _, type = label.partition("-")
        if label == "O":
            continue
        if mark not in ("B", "I") or not type:
            return None
        if mark == "I" and found and found[-1][0] == type and found[-1][2] == at:
            found[-1] = (type, found[-1][1], at + 1)
        else:
            found.append((type, at, at + 1))
    return found
