"""Finding corpora and reading them."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from taiyi.catalogue.entry import Corpus
from taiyi.errors import CorpusError, suggestion
from taiyi.schema import Record, Reject, Split


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


_added: dict[str, Corpus] = {}


def add(*corpora: Corpus) -> None:
    """Let this process know corpora that no module declares, such as those of a user's own suite.

    They are found by name alone, and are in no list. One that is added again takes the place of the one before.

    Raises:
        CorpusError: a corpus of the catalogue has the name.
    """
    for corpus in corpora:
        if corpus.name in names():
            raise CorpusError(
                "a corpus of the catalogue has this name", got=corpus.name, mend="give the user's own another name"
            )
        _added[corpus.name] = corpus


def added() -> tuple[Corpus, ...]:
    """Return the corpora that were added, so that other processes can be told of them."""
    return tuple(_added.values())


def get(name: str) -> Corpus:
    """Return the corpus of that name.

    Raises:
        CorpusError: there is none; the message suggests the nearest name.
    """
    if name in _added:
        return _added[name]
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
    folder = corpus.location(root)
    sources = corpus.sources(split, root)

    def read() -> Iterator[Iterator[Record | Reject]]:
        for source in sources:
            for path in source.paths(folder):
                yield source.read(path, corpus=corpus.name, split=split, lang=corpus.langs[0], **source.options)

    return chain.from_iterable(read())
