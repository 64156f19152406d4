"""The terminology on disk: one SQLite file, which opens at once and is read as far as a question needs.

`names` has each name with its concepts, by key. `units` are what unknown words are compared with: the words of names
and of texts, and names in Han characters; `grams` say which of them have three letters, or two characters, in common.
`pairs` counts neighbours among Han characters, `endings` those of names that say what class a name is of.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from taiyi.errors import TaiyiError
from taiyi.knowledge.terms import forms
from taiyi.schema import Lang

FORMAT = 1
_MOST_KEYS = 900
_MOST_NEAR = 64
_APPLICATION = 0x54595445  # "TYTE", by which a file is known as one of ours.
SCHEMA = """
CREATE TABLE names (key TEXT, concept TEXT, source TEXT, type TEXT, kind TEXT, lang TEXT, name TEXT, count INT,
    PRIMARY KEY (key, concept, source, type)) WITHOUT ROWID;
CREATE TABLE units (id INTEGER PRIMARY KEY, text TEXT UNIQUE, named INT, kind TEXT, num_texts INT, key TEXT);
CREATE TABLE grams (gram TEXT PRIMARY KEY, ids BLOB) WITHOUT ROWID;
CREATE TABLE pairs (pair TEXT PRIMARY KEY, count INT) WITHOUT ROWID;
CREATE TABLE endings (ending TEXT PRIMARY KEY, kind TEXT, names INT, others INT) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
"""


class TermsError(TaiyiError):
    """A terminology cannot be made or read."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an index was made of: names by source, what was left out by reason, and the words of how many texts."""

    format: int
    taiyi: str
    names: dict[str, int]
    rejects: dict[str, int]
    num_records: int
    corpora: tuple[str, ...]
    files: tuple[str, ...]


class Known(NamedTuple):
    """A name of the terminology."""

    name: str
    concepts: tuple[str, ...]
    kind: str
    types: tuple[str, ...]
    sources: tuple[str, ...]
    lang: Lang


class Unit(NamedTuple):
    """A word or Han name that others are compared with.

    `named` is 2 for what is a name of a drug or disease, 1 for a word within names, 0 for any other word; `num_texts`
    says in how many texts it occurs, and `key` is that of the name, or of the most frequent name that has the word.
    """

    text: str
    named: int
    kind: str
    num_texts: int
    key: str


class Ending(NamedTuple):
    """An ending of names: of what kind, of how many names, and of how many words that are no names."""

    text: str
    kind: str
    names: int
    others: int


def grams(text: str) -> list[str]:
    """Return what units are found by: three neighbours of a word and its edges, two of a name in Han characters."""
    if forms.HAN.search(text):
        return [text[i : i + 2] for i in range(len(text) - 1)]
    padded = f"^{text}$"
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


def gram_index(units: Iterable[str]) -> tuple[dict[str, array[int]], bytes]:
    """Return the ids of units by gram, ids being positions from 0, and how many grams each has, at most 255."""
    found: dict[str, array[int]] = {}
    lengths = bytearray()
    for index, unit in enumerate(units):
        own = set(grams(unit))
        lengths.append(min(len(own), 255))
        for gram in own:
            found.setdefault(gram, array("I")).append(index)
    return found, bytes(lengths)


@dataclass(frozen=True)
class Index:
    """An open terminology; several threads may ask it."""

    path: Path
    db: sqlite3.Connection

    @classmethod
    def open(cls, path: Path) -> Index:
        """Open a terminology.

        Raises:
            TermsError: there is none, or the file is none or of another version of the format.
        """
        mend = "make one with: taiyi terms build OUT"
        if not path.is_file():
            raise TermsError("there is no terminology", where=path, mend=mend)
        try:
            # Whole files only are put in place, and nobody writes to them: nothing needs locks.
            db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise TermsError("not a terminology", where=path, got=error, mend=mend) from error
        if application != _APPLICATION:
            db.close()
            raise TermsError("not a terminology", where=path, mend=mend)
        if version != FORMAT:
            db.close()
            raise TermsError("of another version", where=path, got=version, expected=FORMAT, mend=mend)
        return cls(path, db)

    def close(self) -> None:
        self.db.close()

    @cached_property
    def manifest(self) -> Manifest:
        """What the index was made of."""
        return msgspec.json.decode(self._meta("manifest"), type=Manifest)

    @cached_property
    def _num_grams(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.frombuffer(self._meta("num_grams"), dtype=np.uint8).astype(np.float32)

    def _meta(self, key: str) -> bytes:
        row = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return bytes(row[0][0])

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self.db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise TermsError("cannot be read", where=self.path, got=error, mend="build it again") from error

    def _among(self, query: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that ends in `IN`, whatever the number of values."""
        for begin in range(0, len(values), _MOST_KEYS):
            part = values[begin : begin + _MOST_KEYS]
            yield from self._rows(f"{query} ({','.join('?' * len(part))})", *part)

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return those of some keys that are keys of names."""
        return {key for (key,) in self._among("SELECT DISTINCT key FROM names WHERE key IN", [*set(keys)])}

    def name(self, key: str) -> Known | None:
        """Return the name of a key, with what all sources say of it; the most frequent of its spellings."""
        rows = self._rows(
            "SELECT name, concept, kind, type, source, lang FROM names WHERE key = ? ORDER BY count DESC, name", key
        )
        if not rows:
            return None
        names, concepts, kinds, types, sources, langs = zip(*rows, strict=True)
        kept = tuple(concept for concept in dict.fromkeys(concepts) if concept)
        return Known(names[0], kept, kinds[0], tuple(dict.fromkeys(types)), tuple(dict.fromkeys(sources)), langs[0])

    def units(self, texts: Iterable[str]) -> dict[str, Unit]:
        """Return the units among some texts, by text."""
        rows = self._among("SELECT text, named, kind, num_texts, key FROM units WHERE text IN", [*set(texts)])
        return {row[0]: Unit(*row) for row in rows}

    def pairs(self, pairs: Iterable[str]) -> dict[str, int]:
        """Return how often pairs of neighbours occur in texts and names; those that do not are left out."""
        return dict(self._among("SELECT pair, count FROM pairs WHERE pair IN", [*set(pairs)]))  # pyright: ignore[reportArgumentType]

    def endings(self, endings: Iterable[str]) -> dict[str, Ending]:
        """Return the endings of names among some texts."""
        rows = self._among("SELECT ending, kind, names, others FROM endings WHERE ending IN", [*set(endings)])
        return {row[0]: Ending(*row) for row in rows}

    def near(self, text: str, most: int = _MOST_NEAR) -> list[Unit]:
        """Return units that have most grams in common with a text, by the share of them that they have in common."""
        wanted = grams(text)
        return self._sharing(wanted, 1 if forms.HAN.search(text) else 2, len(wanted), 1, most)

    def within(self, text: str, shortest: int, most: int = _MOST_NEAR) -> list[Unit]:
        """Return names in Han characters of which most stands in a text; `shortest` is in characters."""
        return self._sharing(grams(text), 1, 0, shortest - 1, most)

    def _sharing(self, wanted: Sequence[str], least: int, own: int, shortest: int, most: int) -> list[Unit]:
        """Return units with at least `shortest` grams that share `least` with some, by the share of all grams."""
        blobs = [ids for (ids,) in self._among("SELECT ids FROM grams WHERE gram IN", [*set(wanted)])]
        if not blobs:
            return []
        shared = np.bincount(np.concatenate([np.frombuffer(ids, dtype=np.uint32) for ids in blobs]))
        candidates = np.flatnonzero(shared >= min(least, len(wanted)))
        candidates = candidates[self._num_grams[candidates] >= shortest]
        # Of all grams of both; of those of the unit alone where it may stand anywhere in a longer text.
        likeness = (1 + (own > 0)) * shared[candidates] / (own + self._num_grams[candidates])
        if len(candidates) > most:
            kept = np.argpartition(-likeness, most)[:most]
            candidates, likeness = candidates[kept], likeness[kept]
        ids: list[int] = candidates.tolist()
        rows = self._among("SELECT text, named, kind, num_texts, key, id FROM units WHERE id IN", ids)
        order = dict(zip(ids, likeness.tolist(), strict=True))
        found = sorted(rows, key=lambda row: (-order[row[5]], row[0]))
        return [Unit(*row[:5]) for row in found]


def create(path: Path) -> sqlite3.Connection:
    """Return an empty terminology to be filled, in a file that is not in its place yet."""
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path)
    # A build that is killed leaves a file that is never opened.
    db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {SCHEMA}")
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    db.execute(f"PRAGMA user_version = {FORMAT}")
    return db


def put(db: sqlite3.Connection, key: str, value: bytes) -> None:
    """Keep something that is about the index as a whole."""
    db.execute("INSERT INTO meta VALUES (?, ?)", (key, value))
