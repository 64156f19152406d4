"""BioC JSON: what BioC XML holds, as the `bioc` tools of its authors write it.

A file is a collection (an object with `documents`), or documents alone, as an array or one a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import bioc_documents, bioc_writing, json_lines
from taiyi.formats.pubtator_rows import NO_WORDS
from taiyi.schema import Lang, Record, Reject, Split


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    id_separators: str = "|",
    id_keys: Mapping[str, str] = NO_WORDS,
    **options: Any,
) -> Iterator[Record | Reject]:
    """Read documents; the options are those of `bioc.read`, but for `ids`.

    Raises:
        FormatError: the file is not JSON, was cut off, or holds no BioC.
    """
    words = bioc_documents.Words.of(id_separators, id_keys, **options)
    for place, item in json_lines.items(path):
        if isinstance(item, Reject):
            yield item
            continue
        found = item.get("documents", [item] if "passages" in item else None)
        if not isinstance(found, list):
            raise FormatError(
                "the file is not BioC JSON", where=path, got=f"keys {sorted(item)[:8]!a}", expected="documents"
            )
        for index, raw in enumerate(cast("list[object]", found)):
            where = f"{path.name}[{index}]" if "documents" in item else place
            yield from bioc_documents.records(raw, path.name, where, words, corpus=corpus, split=split, lang=lang)


def write(records: Iterable[Record], path: Path, *, id_separator: str = "|") -> None:
    """Write documents as one collection; ids stand under `identifier` as in `bioc.write`.

    Raises:
        FormatError: a record cannot be said in BioC (see `bioc_writing.document`).
    """
    head: dict[str, Any] = {"source": "Taiyi", "date": "", "key": "BioC.key", "infons": {}}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "documents": [')
        for index, record in enumerate(records):
            # No line is a document of its own, so that the file does not pass for one of lines.
            file.write(("\n," if index else "") + _json(bioc_writing.document(record, id_separator), record.id))
        file.write("\n]}\n")


def _json(raw: Mapping[str, Any], where: str) -> str:
    text = json.dumps(raw, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"a file cannot hold this text: {error.reason}", where=ascii(where)) from error
    return text
