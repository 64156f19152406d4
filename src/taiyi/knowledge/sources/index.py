"""A full-text index of passages on disk (BM25), mapped into memory and asked in milliseconds."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from taiyi.errors import SourceError, machine_fault
from taiyi.knowledge.sources import words
from taiyi.knowledge.sources.passages import Passage
from taiyi.knowledge.sources.vectors import Embedding, Vectors

MANIFEST = "manifest.json"
REJECTS = "rejects.jsonl"
KIND = "taiyi index of sources"
VERSION = 1
WORDS, PASSAGE, NUMBER = "words", "passage", "number"
ANALYZER = "taiyi"
_DAMAGED = "the index is damaged"
_MOST_TERMS = 64
_COMMON_SHARE = 0.5
"""A word that more passages have is not looked for: it tells nothing, and costs most of the time."""
_MANY = 10_000
"""How many passages an index must have for that."""
_DEEP = 100
"""How many passages words and vectors each give where they are put together."""
_RANK = 60
"""What is added to a rank before ranks are put together (Cormack et al., 2009)."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an index was made of, and what it has.

    Attributes:
        version, words: of the format of the folder, and of the words that texts are found by.
        sources: the files that were read, with their bytes.
        rejects: how many files and documents were left out, by reason; `rejects.jsonl` has each.
        embedding: where its vectors come from; None without.
        files: the bytes of each file of the index.
    """

    kind: str
    version: int
    words: int
    taiyi: str
    tantivy: str
    finished: str
    max_chars: int
    documents: int
    passages: int
    langs: dict[str, int]
    rejects: dict[str, int]
    sources: dict[str, int]
    embedding: Embedding | None
    files: dict[str, int]


class Hit(NamedTuple):
    """A passage that was found. Scores are higher for what fits better, and compare within one search."""

    passage: Passage
    score: float


class Index:
    """An index that is open. Made by `indexing.build`."""

    def __init__(self, folder: Path, manifest: Manifest, index: Any, vectors: Vectors | None) -> None:
        self.folder, self.manifest, self.vectors = folder, manifest, vectors
        self._schema = index.schema
        self._searcher = index.searcher()
        self._decode = msgspec.msgpack.Decoder(Passage).decode

    @classmethod
    def open(cls, folder: Path, *, device: str = "auto") -> Self:
        """Open the index that is in a folder; nothing of it is read into memory before it is asked for.

        Args:
            device: where the model of its vectors runs, if it has them.

        Raises:
            SourceError: there is no index, it is not whole, or another version of Taiyi made it.
        """
        manifest = _manifest(folder)
        library = words.library("tantivy")
        with faults(folder):
            index = library.Index.open(str(folder / WORDS))
            index.register_tokenizer(ANALYZER, words.analyzer())
            vectors = None
            if manifest.embedding:
                vectors = Vectors.open(folder, manifest.embedding, manifest.passages, device=device)
            opened = cls(folder, manifest, index, vectors)
        if opened._searcher.num_docs != manifest.passages:
            raise _fault(_DAMAGED, folder, f"{opened._searcher.num_docs:,} passages", f"{manifest.passages:,}")
        return opened

    def search(self, question: str, limit: int = 10, *, vectors: bool = True) -> list[Hit]:
        """Return the passages that fit a question best, the best first; none where no word of it is known.

        Args:
            question: words in any order, or a question.
            limit: how many at most.
            vectors: the vectors of an index that has them are asked too, and the two rankings put together.
        """
        if limit < 1 or not question.strip():
            return []
        if self.vectors is None or not vectors:
            return [Hit(self._passage(number), score) for number, score in self._by_words(question, limit)]
        rankings = [
            [number for number, _ in self._by_words(question, max(limit, _DEEP))],
            self.vectors.search(question, max(limit, _DEEP)),
        ]
        return [Hit(self._passage(number), score) for number, score in fused(rankings)[:limit]]

    def weights(self, text: str) -> dict[str, float]:
        """Return the terms of a text and how much each tells: the rarer among the passages, the more.

        A term that no passage has tells most: what is asked about is not there.
        """
        total = self.manifest.passages
        found: dict[str, float] = {}
        with faults(self.folder):
            for term in dict.fromkeys(words.terms(text)):
                have = self._searcher.doc_freq(WORDS, term)
                found[term] = math.log(1 + (total - have + 0.5) / (have + 0.5))
        return found

    def _by_words(self, question: str, limit: int) -> list[tuple[int, float]]:
        library, schema, total = words.library("tantivy"), self._schema, self.manifest.passages
        with faults(self.folder):
            have = {term: self._searcher.doc_freq(WORDS, term) for term in dict.fromkeys(words.terms(question))}
            known = sorted((count, term) for term, count in have.items() if count)
            telling = [one for one in known if total < _MANY or one[0] <= total * _COMMON_SHARE] or known
            asked = [
                (library.Occur.Should, library.Query.term_query(schema, WORDS, term, "freq"))
                for _, term in telling[:_MOST_TERMS]
            ]
            if not asked:
                return []
            hits = self._searcher.search(library.Query.boolean_query(asked), limit, count=False).hits
            numbers = self._searcher.fast_field_values(NUMBER, [address for _, address in hits])
        scored = [(number, score) for number, (score, _) in zip(numbers, hits, strict=True)]
        return sorted(scored, key=lambda one: (-one[1], one[0]))

    def _passage(self, number: int) -> Passage:
        library = words.library("tantivy")
        with faults(self.folder):
            found = self._searcher.search(library.Query.term_query(self._schema, NUMBER, number), 1, count=False)
            ((_, address),) = found.hits
            return self._decode(bytes(self._searcher.doc(address)[PASSAGE][0]))


def fused(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Put rankings together by the sum of their reciprocal ranks, the best first."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (_RANK + rank)
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))


@contextmanager
def faults(folder: Path, what: str = _DAMAGED) -> Generator[None]:
    """Say of an index which one it is, where the library finds it damaged or cannot write it."""
    try:
        yield
    except (ValueError, OSError, msgspec.DecodeError, KeyError) as error:
        if (fault := machine_fault(error)) is not None:
            raise SourceError(fault.what, where=fault.where or folder, mend=fault.mend) from error
        raise _fault(what, folder, error) from error
    except BaseException as error:
        # What the library's own code cannot go on from.
        if type(error).__name__ != "PanicException":
            raise
        raise _fault(what, folder, error) from error


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of the files of an index."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    left = (".lock", MANIFEST)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files if not path.name.endswith(left)}


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.exists():
        partial = folder.with_name(folder.name + ".partial")
        mend = f"{partial} was cut off: make it again" if partial.exists() else "make one: taiyi index DOCS --out INDEX"
        raise SourceError("there is no index here", where=folder, mend=mend)
    try:
        head = msgspec.json.decode(path.read_bytes())
        if not isinstance(head, dict) or head.get("kind") != KIND:  # pyright: ignore[reportUnknownMemberType]
            raise SourceError(
                "this is no index of sources", where=folder, mend="make one: taiyi index DOCS --out INDEX"
            )
        manifest = msgspec.convert(head, Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _fault(_DAMAGED, folder, error) from error
    if (manifest.version, manifest.words) != (VERSION, words.VERSION):
        raise SourceError(
            "another version of Taiyi made this index",
            where=folder,
            got=f"version {manifest.version}.{manifest.words}, of Taiyi {manifest.taiyi}",
            expected=f"{VERSION}.{words.VERSION}",
            mend="make it again",
        )
    there = sizes(folder)
    for name, size in manifest.files.items():
        if there.get(name) != size:
            raise _fault(
                _DAMAGED, folder / name, f"{there[name]:,} bytes" if name in there else "no file", f"{size:,} bytes"
            )
    return manifest


def _fault(what: str, where: object, got: object, expected: str | None = None) -> SourceError:
    return SourceError(what, where=where, got=got, expected=expected, mend="make it again")
