"""Passages: documents in windows of whole sentences, each with where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import xxhash

from taiyi.build.windows import windows
from taiyi.knowledge.sources import documents
from taiyi.knowledge.sources.documents import Source
from taiyi.schema import Lang, Reject, Span
from taiyi.text import language

WINDOW_CHARS = 1500
"""How long a passage is at most: most abstracts are one."""
AGAIN = "document whose id another one has"


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a document.

    Attributes:
        id: of the document, with the place where the passage begins after `#`.
        document: the id of the document.
        title: of the document; empty where it has none.
        text: as it stands in the document.
        start: the character of the document that it begins at.
        lang: the language that most of it is in.
    """

    id: str
    document: str
    title: str
    text: str
    start: int
    lang: Lang


class Counts(msgspec.Struct):
    """What was read so far."""

    documents: int = 0
    passages: int = 0
    langs: dict[str, int] = {}
    rejects: dict[str, int] = {}


class Reader:
    """Reads the passages of files, one file after another, and counts what came.

    Of documents that share an id the first stays: answers name documents by it.
    """

    def __init__(self, max_chars: int = WINDOW_CHARS) -> None:
        self.max_chars = max_chars
        self.counts = Counts()
        # 8 bytes of each id, so that a million of them do not weigh.
        self._seen: set[int] = set()

    def read(self, file: Path) -> Iterator[Passage | Reject]:
        """Read the passages of a file, and what had to be left out."""
        counts = self.counts
        for found in documents.read(file):
            if isinstance(found, Source):
                key = xxhash.xxh3_64_intdigest(found.id.encode())
                if key not in self._seen:
                    self._seen.add(key)
                    counts.documents += 1
                    for passage in cut(found, self.max_chars):
                        counts.passages += 1
                        counts.langs[passage.lang] = counts.langs.get(passage.lang, 0) + 1
                        yield passage
                    continue
                found = Reject(where=str(file), reason=AGAIN, detail=found.id)
            counts.rejects[found.reason] = counts.rejects.get(found.reason, 0) + 1
            yield found


def cut(source: Source, max_chars: int) -> Iterator[Passage]:
    """Cut a document into windows of whole sentences; a sentence that is longer than one is cut where it may be."""
    for window in windows(source.text, max_chars if len(source.text) > max_chars else 0):
        for start, end in _pieces(source.text, window, max_chars):
            text = source.text[start:end]
            yield Passage(
                id=f"{source.id}#{start}",
                document=source.id,
                title=source.title,
                text=text,
                start=start,
                lang=language(text),
            )


def _pieces(text: str, window: Span, max_chars: int) -> Iterator[Span]:
    start, end = window
    while end - start > max_chars:
        # At the last white space of its second half, if there is one.
        space = max(text.rfind(mark, start + max_chars // 2, start + max_chars) for mark in " \n\t")
        middle = space + 1 if space >= 0 else start + max_chars
        yield Span(start, middle)
        start = middle
    yield Span(start, end)
