"""BioNLP shared task files: a folder of texts (`.txt`), given annotations (`.a1`) and those to find (`.a2`, `.rel`).

Kim et al. Overview of BioNLP'09 shared task on event extraction. BioNLP, 2009; https://2013.bionlp-st.org/file-formats.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from taiyi.formats import standoff_folder
from taiyi.schema import Lang, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang, **options: Any) -> Iterator[Record | Reject]:
    """Read the documents of a folder; the options are those of `standoff_folder.read`, such as `suffixes`."""
    settings: dict[str, Any] = {"suffixes": (".a1", ".a2"), **options}
    return standoff_folder.read(path, corpus=corpus, split=split, lang=lang, **settings)


def write(
    records: Iterable[Record],
    path: Path,
    *,
    given: Collection[str] | None = None,
    documents: Mapping[str, str] = standoff_folder.NO_PATTERNS,
    renumber: bool = False,
) -> None:
    """Write a `.txt`, a `.a1` and a `.a2` file a document into a folder, which is made where there is none.

    Args:
        given: the types of the entities that go into the `.a1` file; all if not given.
        documents: as `read` takes it, and so which document ids the names of the files tell.
        renumber: give annotations ids of the format's own kind, such as T1; else ids of another kind are refused.

    Raises:
        FormatError: a record holds what these files cannot say: see `standoff_writing`.
    """

    def suffix_of(type: str) -> str:
        return ".a1" if type and (given is None or type in given) else ".a2"

    standoff_folder.write(
        records,
        path,
        suffixes=(".a1", ".a2"),
        suffix_of=suffix_of,
        documents=documents,
        renumber=renumber,
        shared_task=True,
    )
