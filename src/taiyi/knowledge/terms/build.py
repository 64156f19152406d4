"""From names and texts to a terminology on disk, written whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from taiyi import __version__
from taiyi.errors import machine_fault
from taiyi.knowledge.terms import forms, index
from taiyi.knowledge.terms.corpora import Material, han_pairs
from taiyi.knowledge.terms.index import FORMAT, Manifest, TermsError
from taiyi.knowledge.terms.name import Name
from taiyi.schema import Reject

# What occurs in one text alone may be a slip.
_FEWEST_TEXTS = 2
_FEWEST_OF_CLASS = 3
# What so many texts have is no rare name that a corpus did not mark.
_USUAL_TEXTS = 20
_LATIN_ENDING, _HAN_ENDING = range(3, 10), range(2, 4)
# 综合征 ends that many times as many names as it is mentioned by itself.
_SELDOM = 20
_CLASS_WORD = "类"
_DISEASE_ENDS = "炎癌瘤病症征"
_NO_DRUG_ENDS = "剂液粒囊片丸膏散浆苗水药物类白体品质服咳"
_LONGEST_HAN_NAME = 24
_BATCH = 10_000
_UPSERT = """INSERT INTO names VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, concept, source, type) DO UPDATE SET count = count + excluded.count"""
NO_LETTER = "a name without a letter"


def build(
    out: Path, material: Material, names: Iterable[Name | Reject] = (), *, corpora: Iterable[str] = (),
    files: Iterable[str] = (),
) -> Manifest:  # fmt: skip
    """Write a terminology of what corpora give and of further names, and return what it was made of.

    Memory is taken by the different words and, among Han names, by the names; names themselves go to the file.

    Args:
        out: the file; where one is there already, it is replaced when the new one is whole.
        material: from `corpora.gather`.
        names: of files, with what could not be read of them.
        corpora: the names of those that the material is of, for the manifest.
        files: the same of files.

    Raises:
        TermsError: there is not a single name, or the file cannot be written.
    """
    temporary = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        db = index.create(temporary)
        try:
            manifest = _fill(db, material, names, tuple(corpora), tuple(files))
            db.commit()
        finally:
            db.close()
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(out)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, sqlite3.OperationalError):
            raise TermsError("cannot be written", where=out, got=error, mend="choose another place") from error
        if not isinstance(error, OSError) or (fault := machine_fault(error)) is None:
            raise
        raise TermsError("cannot be written", where=out, got=fault.what, mend=fault.mend) from error
    return manifest


def _fill(
    db: sqlite3.Connection,
    material: Material,
    names: Iterable[Name | Reject],
    corpora: tuple[str, ...],
    files: tuple[str, ...],
) -> Manifest:
    sources: Counter[str] = Counter()
    rejects = Counter(material.rejects)
    # The most frequent spelling of a name comes first, and is the one that is kept.
    own = ((name, count) for name, count in sorted(material.names.items(), key=lambda item: (-item[1], item[0].name)))
    others = ((name, 1) for name in names)
    rows = _rows([own, others], sources, rejects)
    while batch := [*islice(rows, _BATCH)]:
        db.executemany(_UPSERT, batch)
    if not sources:
        raise TermsError("there is not a single name", got=dict(rejects), expected="corpora or files with names")
    texts, pairs = _units(db, material)
    db.executemany("INSERT INTO pairs VALUES (?, ?)", sorted(pairs.items()))
    found, lengths = index.gram_index(texts)
    db.executemany("INSERT INTO grams VALUES (?, ?)", ((gram, found[gram].tobytes()) for gram in sorted(found)))
    index.put(db, "num_grams", lengths)
    manifest = Manifest(
        format=FORMAT, taiyi=__version__, names=dict(sorted(sources.items())), rejects=dict(sorted(rejects.items())),
        num_records=material.num_records, corpora=corpora, files=files,
    )  # fmt: skip
    index.put(db, "manifest", msgspec.json.encode(manifest))
    return manifest


def _rows(
    groups: Iterable[Iterable[tuple[Name | Reject, int]]], sources: Counter[str], rejects: Counter[str]
) -> Iterator[tuple[Any, ...]]:
    for group in groups:
        for name, count in group:
            if isinstance(name, Reject):
                # Where is `file:line`; they are counted by file.
                rejects[f"{name.where.rpartition(':')[0]}: {name.reason}"] += 1
            elif key := forms.key(name.name):
                sources[name.source] += 1
                yield key, name.concept, name.source, name.type, name.kind, name.lang, name.name, count
            else:
                rejects[f"{name.source}: {NO_LETTER}"] += 1


def _units(db: sqlite3.Connection, material: Material) -> tuple[list[str], Counter[str]]:
    """Fill in the units and the endings; return the texts of the units by id, and the pairs of texts and names."""
    named: dict[str, tuple[int, str, str]] = {}
    pairs = Counter(material.pairs)
    latin, han = _Endings(_LATIN_ENDING, rest=2), _Endings(_HAN_ENDING, rest=1)
    # Where sources differ on the kind of a name, it is that of most mentions.
    query = "SELECT key, kind, name, max(count) FROM names GROUP BY key ORDER BY max(count) DESC, key"
    for key, kind, name, count in db.execute(query):
        term = kind != "other"
        if forms.HAN.search(key):
            pairs.update(set(han_pairs(key)))
            if 1 < len(key) <= _LONGEST_HAN_NAME:
                named[key] = (1 + term, kind, key)
                if term:
                    han.add(key, kind, count)
            continue
        own = [forms.stem(word.folded) for word in forms.words(name)]
        alone = term and len(own) == 1
        if alone and key.isalpha():
            latin.add(key, kind, count)
        for word in own:
            known, _, first = named.get(word, (0, "", key))
            if alone and known < 2:
                named[word] = (2, kind, key)
            elif not known:
                named[word] = (1, kind, first)
    texts = sorted(named.keys() | {word for word, count in material.words.items() if count >= _FEWEST_TEXTS})
    none = (0, "", "")
    rows = ((i, text, *named.get(text, none), material.words[text]) for i, text in enumerate(texts))
    db.executemany("INSERT INTO units (id, text, named, kind, key, num_texts) VALUES (?, ?, ?, ?, ?, ?)", rows)
    usual = (word for word, count in material.words.items() if count >= _USUAL_TEXTS and word.isalpha())
    latin.against(word for word in usual if named.get(word, none)[0] < 2)
    endings = [*latin.rows(), *(row for row in han.rows() if _tells_class(*row[:3], han))]
    db.executemany("INSERT INTO endings VALUES (?, ?, ?, ?)", sorted(endings))
    return texts, pairs


def _tells_class(ending: str, kind: str, num_names: int, names: _Endings) -> bool:
    """Whether an ending in Han characters says what class a name is of, and is not a word that may stand after any.

    What names begin with as well is such a word (肺炎), save before 类, "class" (他汀类); so is what often is a whole
    name. Diseases end in few characters; the form (胶囊), use (降压药) and substance (蛋白) of drugs are no classes.
    """
    if kind == "disease":
        right = ending[-1] in _DISEASE_ENDS and names.whole[ending] * _SELDOM <= num_names
    else:
        right = ending[-1] not in _NO_DRUG_ENDS
    return right and all(map(forms.HAN.match, ending)) and "的" not in ending and not names.starts[ending]


class _Endings:
    """Counts endings of names, by kind, and of other words; `rest` is the least that stands before an ending."""

    def __init__(self, lengths: range, *, rest: int) -> None:
        self._lengths, self._rest = lengths, rest
        self._kinds: dict[str, Counter[str]] = {}
        self._others: Counter[str] = Counter()
        self.starts: Counter[str] = Counter()
        self.whole: Counter[str] = Counter()

    def _of(self, text: str) -> Iterator[str]:
        yield from (text[-length:] for length in self._lengths if length + self._rest <= len(text))

    def add(self, text: str, kind: str, count: int) -> None:
        for ending in self._of(text):
            self._kinds.setdefault(ending, Counter())[kind] += 1
        self.whole[text] += count
        self.starts.update(text[:n] for n in self._lengths if len(text) > n and text[n] != _CLASS_WORD)

    def against(self, words: Iterable[str]) -> None:
        for word in words:
            self._others.update(ending for ending in self._of(word) if ending in self._kinds)

    def rows(self) -> Iterator[tuple[str, str, int, int]]:
        for ending, counted in self._kinds.items():
            if (total := counted.total()) >= _FEWEST_OF_CLASS:
                yield ending, counted.most_common(1)[0][0], total, self._others[ending]
