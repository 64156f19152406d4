"""brat standoff: a folder of texts (`.txt`), each with its annotations (`.ann`) beside it.

Stenetorp et al. brat: a web-based tool for NLP-assisted text annotation. EACL, 2012; https://brat.nlplab.org/standoff.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from taiyi.formats import standoff_folder
from taiyi.schema import Lang, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang, **options: Any) -> Iterator[Record | Reject]:
    """Read the documents of a folder; the options are those of `standoff_folder.read`."""
    settings: dict[str, Any] = {"suffixes": (".ann",), **options}
    return standoff_folder.read(path, corpus=corpus, split=split, lang=lang, **settings)


def write(
    records: Iterable[Record],
    path: Path,
    *,
    documents: Mapping[str, str] = standoff_folder.NO_PATTERNS,
    renumber: bool = False,
) -> None:
    """Write a `.txt` and a `.ann` file a document into a folder, which is made where there is none.

    Args:
        documents: as `read` takes it, and so which document ids the names of the files tell.
        renumber: give annotations ids of the format's own kind, such as T1; else ids of another kind are refused.

    Raises:
        FormatError: a record holds what brat standoff cannot say: see `standoff_writing`.
    """
    standoff_folder.write(
        records, path, suffixes=(".ann",), suffix_of=lambda _: ".ann", documents=documents, renumber=renumber
    )
