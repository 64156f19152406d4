"""The raw files of corpora: which there are, how large, and their hashes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.errors import CorpusError
from taiyi.manifest import hash_file
from taiyi.recipe import Recipe
from taiyi.steps.run import at_hand


def raw_files(corpus: Corpus, root: Path) -> Iterator[Path]:
    """Yield the files that the splits of a corpus are read from, each once; none where it is not there."""
    folder = corpus.location(root)
    seen: set[Path] = set()
    for layout in filter(None, (corpus.layout(split, root) for split in corpus.splits)):
        for source in (source for sources in layout.files.values() for source in sources):
            for path in source.find(folder):
                for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    if file.is_file() and file not in seen:
                        seen.add(file)
                        yield file


def raw_hashes(corpus: Corpus, root: Path) -> dict[str, str]:
    """Return the hash of each raw file of a corpus, by its path in the corpus's folder.

    Raises:
        CorpusError: there is none.
    """
    folder = corpus.location(root)
    hashes: dict[str, str] = {}
    for file in raw_files(corpus, root):
        facts = file.stat()
        hashes[str(file.relative_to(folder))] = _hash(file, facts.st_size, facts.st_mtime_ns)
    if not hashes:
        raise CorpusError(
            "the corpus is not there",
            where=folder,
            mend=f"see `taiyi corpora show {corpus.name}` for how to obtain it, or give --corpora DIR",
        )
    return hashes


@lru_cache(maxsize=1 << 16)
def _hash(file: Path, size: int, changed: int) -> str:
    """Hash a file, once for every shard that is made of it."""
    return hash_file(file)


def raw_bytes(recipe: Recipe, root: Path) -> int:
    """Return how large the raw files are that the data of a recipe is made of."""
    trained = {s.corpus for stage in recipe.stages for s in (*stage.data, *stage.dev_data)}
    names = trained | {t.corpus for t in at_hand(recipe, root)}
    return sum(file.stat().st_size for name in sorted(names) for file in raw_files(catalogue.get(name), root))
