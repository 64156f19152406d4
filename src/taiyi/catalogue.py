"""The catalogue: what every corpus is, where its raw files lie, how they are read, and what their counts must be.

The modules of `taiyi.corpora` declare corpora; this one finds them, reads them and checks them against their stated
counts.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from taiyi.errors import CorpusError, TaiyiError, suggestion
from taiyi.schema import SPLITS, Dialogue, Document, Labelled, Lang, Question, Record, Reject, Split

Counts = Mapping[str, int]
_GLOB_MARKS = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    """How a type or label is shown in prompts, in both languages."""

    en: str
    zh: str
    definition_en: str = ""
    definition_zh: str = ""

    def shown(self, lang: Lang) -> str:
        return self.en if lang == "en" else self.zh

    def definition(self, lang: Lang) -> str:
        return self.definition_en if lang == "en" else self.definition_zh


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One raw file of a split and the reader of its format.

    `path` is relative to the corpus folder: a file, a folder (handed to the reader as it is) or a glob (one call a
    file, in sorted order). `needs` are further files that the reader opens, such as the lists of a split.
    """

    path: str
    read: Callable[..., Iterator[Record | Reject]]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    needs: tuple[str, ...] = ()

    def paths(self, folder: Path) -> list[Path]:
        """Return what the reader is called with, of what there is."""
        if _GLOB_MARKS.isdisjoint(self.path):
            path = folder / self.path
            return [path] if path.exists() else []
        return sorted(folder.glob(self.path))

    def find(self, folder: Path) -> list[Path]:
        """Return all that there is of what the source is read from: its own paths, and the files that it needs."""
        return [*self.paths(folder), *(folder / name for name in self.needs if (folder / name).is_file())]

    def missing(self, folder: Path) -> list[Path]:
        """Return what the source cannot be read without and is not there."""
        own = [] if self.paths(folder) else [folder / self.path]
        return [*own, *(folder / name for name in self.needs if not (folder / name).is_file())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The declaration of a corpus.

    `counts` state what a whole copy holds, by split, under the keys of `count`; `langs` has several languages where
    they differ by record. `verified` says whether the counts were checked on the real files or on hand-written ones.
    `folder` is the name if not given.
    """

    name: str
    title: str
    langs: tuple[Lang, ...]
    tasks: tuple[str, ...]
    licence: str
    access: Literal["open", "form", "credentialed"]
    homepage: str
    citation: str
    verified: Literal["real", "fixture"]
    files: Mapping[Split, tuple[Source, ...]]
    entity_types: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    relation_types: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    labels: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    multi_label: bool = False
    domain: Literal["biomedical", "general"] = "biomedical"
    counts: Mapping[Split, Counts] = field(default_factory=dict[Split, Counts])
    notes: str = ""
    folder: str = ""
    bundled: Path | None = None

    def __post_init__(self) -> None:
        if not self.folder:
            object.__setattr__(self, "folder", self.name)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have files, in the order train, dev, test."""
        return tuple(split for split in SPLITS if split in self.files)

    def location(self, root: Path) -> Path:
        """Return the folder of the raw files: the package's own for a bundled corpus, else one under `root`."""
        return self.bundled or root / self.folder


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a corpus's files hold against what its declaration says they hold."""

    corpus: str
    status: Literal["ok", "differs", "missing", "error"]
    counted: Mapping[Split, Counts]
    expected: Mapping[Split, Counts]
    problems: tuple[str, ...] = ()


@cache
def all_corpora() -> tuple[Corpus, ...]:
    """Return every corpus that a module of `taiyi.corpora` declares in `CORPORA`, sorted by name."""
    package = importlib.import_module("taiyi.corpora")
    found: dict[str, Corpus] = {}
    for info in pkgutil.iter_modules(package.__path__, "taiyi.corpora."):
        declared: tuple[Corpus, ...] = importlib.import_module(info.name).CORPORA
        for corpus in declared:
            if corpus.name in found:
                raise CorpusError(
                    f"corpus {corpus.name!r} is declared twice", where=info.name, mend="give one of them another name"
                )
            found[corpus.name] = corpus
    return tuple(found[name] for name in sorted(found))


def names() -> list[str]:
    """Return the names of all corpora, sorted."""
    return [corpus.name for corpus in all_corpora()]


def get(name: str) -> Corpus:
    """Return the corpus of that name.

    Raises:
        CorpusError: there is none; the message suggests the nearest name.
    """
    for corpus in all_corpora():
        if corpus.name == name:
            return corpus
    raise CorpusError(f"there is no corpus {name!r}", mend=suggestion(name, names()))


def corpora_dir(given: Path | None = None) -> Path:
    """Return the folder under which raw corpora lie: `given`, else `TAIYI_CORPORA`, else the user's cache folder."""
    if given is not None:
        return given
    if named := os.environ.get("TAIYI_CORPORA"):
        return Path(named).expanduser()
    cache_home = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache_home) if cache_home else Path.home() / ".cache") / "taiyi" / "corpora"


def load(corpus: Corpus, split: Split, root: Path) -> Iterator[Record | Reject]:
    """Read the records of a split, and what had to be left out of them.

    Raises:
        CorpusError: the corpus has no such split, or files of it are missing (at the call, not while reading).
    """
    if split not in corpus.files:
        raise CorpusError(
            f"corpus {corpus.name!r} has no split {split!r}",
            expected=" or ".join(corpus.splits),
            mend=corpus.notes or None,
        )
    folder = corpus.location(root)
    readers: list[Iterator[Record | Reject]] = []
    for source in corpus.files[split]:
        if missing := source.missing(folder):
            raise CorpusError(
                f"{split} files of corpus {corpus.name!r} are missing",
                where=missing[0],
                expected=", ".join(name for s in corpus.files[split] for name in (s.path, *s.needs)),
                mend=f"get it from {corpus.homepage} ({corpus.access}; {corpus.licence}), or say where it is with "
                "--corpora or TAIYI_CORPORA",
            )
        readers += [
            source.read(path, corpus=corpus.name, split=split, lang=corpus.langs[0], **source.options)
            for path in source.paths(folder)
        ]
    return chain.from_iterable(readers)


def count(items: Iterator[Record | Reject]) -> Counter[str]:
    """Count records and what they hold.

    Keys: `records`; `lang.<lang>`; `documents` (distinct document ids); `entities`, `entities.<type>`; `relations`,
    `relations.<type>` (`triples` where the arguments are texts); `events`; `labelled`, `labels.<label>`; `questions`,
    `answers.<answer>` (yes/no/maybe); `dialogues`, `turns`; `rejects.<reason>`.
    """
    counts: Counter[str] = Counter()
    documents: set[str] = set()
    for item in items:
        if isinstance(item, Reject):
            counts[f"rejects.{item.reason}"] += 1
            continue
        counts.update(("records", f"lang.{item.lang}"))
        documents.update(item.document_ids)
        match item:
            case Document():
                for entity in item.entities:
                    counts.update(("entities", f"entities.{entity.type}"))
                for relation in item.relations:
                    kind = "triples" if all(a.kind == "text" for a in relation.arguments) else "relations"
                    counts.update((kind, f"{kind}.{relation.type}"))
                counts["events"] += len(item.events)
            case Labelled():
                counts.update(("labelled", *(f"labels.{label}" for label in item.labels)))
            case Question():
                counts["questions"] += 1
                if item.kind == "yesno":
                    counts.update(f"answers.{answer}" for answer in item.answers)
            case Dialogue():
                counts["dialogues"] += 1
                counts["turns"] += len(item.turns)
            case _:
                pass
    counts["documents"] = len(documents)
    return +counts


def check(corpus: Corpus, root: Path) -> CheckResult:
    """Read every split of a corpus and compare it with its declaration.

    Counts must equal the stated ones, every kind of reject must be stated, ids must be unique, and types, labels and
    languages declared. (Spans and references are checked by the schema whenever a record is built.)
    """
    folder = corpus.location(root)
    counted: dict[Split, Counts] = {}

    def result(status: Literal["ok", "differs", "missing", "error"], *problems: str) -> CheckResult:
        return CheckResult(
            corpus=corpus.name, status=status, counted=counted, expected=corpus.counts, problems=problems
        )

    absent = [
        f"{split}: {path} is missing"
        for split in corpus.splits
        for source in corpus.files[split]
        for path in source.missing(folder)
    ]
    if absent:
        return result("missing", *absent)
    problems: list[str] = []
    for split in corpus.splits:
        try:
            found = count(_watched(corpus, split, load(corpus, split, root), problems))
        except (TaiyiError, OSError) as error:
            return result("error", f"{split}: {error}")
        counted[split] = dict(found)
        expected = corpus.counts.get(split, {})
        if not expected:
            problems.append(f"{split}: no counts are stated")
        rejects = {key for key in found if key.startswith("rejects.")}
        problems += [
            f"{split}: {key} is {found[key]}, expected {expected.get(key, 0)}"
            for key in sorted({*expected, *rejects})
            if found[key] != expected.get(key, 0)
        ]
    return result("differs" if problems else "ok", *problems)


def _watched(
    corpus: Corpus, split: Split, items: Iterator[Record | Reject], problems: list[str]
) -> Iterator[Record | Reject]:
    """Pass items on; note repeated ids and types, labels and languages that the corpus does not declare."""
    seen: set[str] = set()
    undeclared: set[str] = set()
    for item in items:
        yield item
        if isinstance(item, Reject):
            continue
        if item.id in seen:
            problems.append(f"{split}: two records have the id {item.id!r}")
        seen.add(item.id)
        if item.lang not in corpus.langs:
            undeclared.add(f"language {item.lang!r}")
        if isinstance(item, Document):
            undeclared.update(f"entity type {e.type!r}" for e in item.entities if e.type not in corpus.entity_types)
            undeclared.update(
                f"relation type {r.type!r}" for r in item.relations if r.type not in corpus.relation_types
            )
        elif isinstance(item, Labelled):
            undeclared.update(f"label {label!r}" for label in item.labels if label not in corpus.labels)
            if len(item.labels) > 1 and not corpus.multi_label:
                problems.append(f"{split}: {item.id} has {len(item.labels)} labels, but the corpus has one a text")
    problems += [f"{split}: {what} is not declared" for what in sorted(undeclared)]
