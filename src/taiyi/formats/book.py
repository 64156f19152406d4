"""A book as one file of plain text, without annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.formats import checked, lines
from taiyi.schema import Document, Lang, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read a book, named by its file, with the line ends that it has."""
    text = lines.whole(path)
    yield checked.record(Document, path.name, id=path.stem, corpus=corpus, split=split, lang=lang, text=text)
