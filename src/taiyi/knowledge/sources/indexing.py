"""Making an index of documents: read, cut into passages, and written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from taiyi import __version__, storage
from taiyi.errors import SourceError
from taiyi.knowledge.sources import documents, index, words
from taiyi.knowledge.sources.index import ANALYZER, MANIFEST, NUMBER, PASSAGE, REJECTS, WORDS, Manifest
from taiyi.knowledge.sources.passages import WINDOW_CHARS, Counts, Passage, Reader
from taiyi.knowledge.sources.vectors import VectorWriter

_HEAP_BYTES = 128 << 20
_TELL_EVERY = 1000
_UNWRITTEN = "the index cannot be written"

Progress = Callable[[Counts, Path], None]
"""Is told what was read so far, and of which file."""


def build(
    paths: Sequence[Path],
    out: Path,
    *,
    embed: str | None = None,
    device: str = "auto",
    max_chars: int = WINDOW_CHARS,
    again: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Make an index. It appears under its name when it is whole; one that was cut off is begun anew.

    Args:
        paths: files and folders; see `documents.read`.
        out: the folder that it becomes.
        embed: a folder or hub id of a sentence-transformers model; its vectors are then searched as well.
        device: where that model runs.
        max_chars: how long a passage is at most.
        again: it takes the place of an index that is there.

    Raises:
        SourceError: there is something under its name, or no document could be read.
    """
    library = words.library("tantivy")
    _check_place(out, again)
    files = documents.files(paths)
    # A model that cannot be had is to be heard of before an hour of work.
    vectors = VectorWriter.load(embed, device=device) if embed else None
    making = out.with_name(out.name + ".partial")
    shutil.rmtree(making, ignore_errors=True)
    try:
        (making / WORDS).mkdir(parents=True)
        counts = _write(library, files, making, vectors, Reader(max_chars), progress)
        if not counts.passages:
            got = ", ".join(f"{reason} ({count})" for reason, count in counts.rejects.items()) or "no files"
            raise SourceError("no document could be read", where=", ".join(map(str, paths)), got=got)
        manifest = Manifest(
            kind=index.KIND,
            version=index.VERSION,
            words=words.VERSION,
            taiyi=__version__,
            tantivy=version("tantivy"),
            finished=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            max_chars=max_chars,
            documents=counts.documents,
            passages=counts.passages,
            langs=counts.langs,
            rejects=counts.rejects,
            sources={str(file): file.stat().st_size for file in files},
            embedding=vectors.embedding if vectors else None,
            files=index.sizes(making),
        )
        storage.write_json(manifest, making / MANIFEST)
        storage.remove(out)
        making.replace(out)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return manifest


def _check_place(out: Path, again: bool) -> None:
    if not out.exists():
        return
    if not (out / MANIFEST).exists():
        raise SourceError("there is something else under this name", where=out, mend="choose another name")
    if not again:
        raise SourceError("there is an index already", where=out, mend="give --again to make it anew")


def _write(
    library: Any,
    files: Sequence[Path],
    folder: Path,
    vectors: VectorWriter | None,
    reader: Reader,
    progress: Progress | None,
) -> Counts:
    """Write the passages of files, their vectors, and what was left out into a folder."""
    builder = library.SchemaBuilder().add_text_field(WORDS, tokenizer_name=ANALYZER, index_option="freq")
    schema = builder.add_bytes_field(PASSAGE, stored=True).add_unsigned_field(NUMBER, indexed=True, fast=True).build()
    with index.faults(folder, _UNWRITTEN):
        made = library.Index(schema, path=str(folder / WORDS))
        made.register_tokenizer(ANALYZER, words.analyzer())
        # One thread: the machine may be busy with other work, and one is faster than files are read.
        writer = made.writer(_HEAP_BYTES, 1)
    counts, encode = reader.counts, msgspec.msgpack.Encoder().encode
    with storage.writing_jsonl(folder / REJECTS) as rejects:
        for file in files:
            if progress:
                progress(counts, file)
            for found in reader.read(file):
                if not isinstance(found, Passage):
                    rejects.append(found)
                    continue
                number = counts.passages - 1
                row = library.Document()
                row.add_text(WORDS, " ".join(words.words(searched(found))))
                row.add_bytes(PASSAGE, encode(found))
                row.add_unsigned(NUMBER, number)
                with index.faults(folder, _UNWRITTEN):
                    writer.add_document(row)
                if vectors:
                    vectors.add(searched(found))
                if progress and counts.passages % _TELL_EVERY == 0:
                    progress(counts, file)
    if vectors:
        vectors.close(folder)
    with index.faults(folder, _UNWRITTEN):
        writer.commit()
        writer.wait_merging_threads()
    return counts


def searched(passage: Passage) -> str:
    """Return what a passage is found by: the title of its document stands before each."""
    if passage.start == 0 and passage.text.startswith(passage.title):
        return passage.text
    return f"{passage.title}\n{passage.text}"
