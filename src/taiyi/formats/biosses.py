"""BIOSSES as its authors publish it: two DOCX files, one with a table of sentence pairs, one with a table of scores.

Both tables have a header and a first column with the number of the pair; the sentences, or the scores of the five
raters, follow (Soğancıoğlu, Öztürk and Özgür, 2017).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from taiyi.errors import FormatError
from taiyi.formats import checked, xml
from taiyi.schema import Lang, Pair, Record, Reject, Split

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DOCUMENT = "word/document.xml"
# The longest text of a DOCX that is opened; the pairs are 40 kB.
_MOST_BYTES = 20 << 20


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, scores: str, ids: Collection[str] = ()
) -> Iterator[Record | Reject]:
    """Read pairs of sentences with the mean of their scores, named by their numbers.

    Args:
        scores: name of the file of the scores, in the same folder.
        ids: the numbers of the pairs of the split; all pairs if not given.

    Raises:
        FormatError: a file is missing, or no DOCX with a table.
    """
    given: dict[str, list[str]] = {}
    for row in _table(path.parent / scores):
        given.setdefault(row[0], row[1:])
    for index, row in enumerate(_table(path), start=1):
        where = f"{path.name}[{index}]"
        if len(row) != 3 or not all(row):
            detail = f"a number and two sentences were expected: {checked.shown(row)}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        key, first, second = row
        if ids and key not in ids:
            continue
        value = _mean(given.get(key, []))
        if value is None:
            yield Reject(where=where, reason="pair without scores", detail=checked.shown(given.get(key)))
            continue
        yield checked.record(
            Pair, where, id=key, corpus=corpus, split=split, lang=lang, first=first, second=second, value=value
        )


def _mean(cells: list[str]) -> float | None:
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return None
    mean = sum(numbers) / len(numbers) if numbers else math.nan
    return mean if math.isfinite(mean) else None


def _table(path: Path) -> list[list[str]]:
    """Return the rows of the first table, without its header."""
    if not path.is_file():
        raise FormatError("a file of the corpus is missing", where=path)
    rows: list[list[str]] = []
    try:
        with ZipFile(path) as archive:
            if archive.getinfo(_DOCUMENT).file_size > _MOST_BYTES:
                raise FormatError("the document is too large", where=path, expected=f"{_MOST_BYTES >> 20} MB at most")
            with archive.open(_DOCUMENT) as source:
                for table in xml.elements(path, (f"{_W}tbl",), source=source):
                    rows = [[_text(cell) for cell in row.iter(f"{_W}tc")] for row in table.iter(f"{_W}tr")]
                    break
    except (BadZipFile, KeyError, EOFError, OSError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise FormatError(
            f"the file is not a DOCX: {error}", where=path, mend="fetch the file again; it may have been cut off"
        ) from error
    if not rows:
        raise FormatError("the document has no table", where=path)
    return [row for row in rows[1:] if row]


def _text(cell: Any) -> str:
    paragraphs = ("".join(part.text or "" for part in p.iter(f"{_W}t")) for p in cell.iter(f"{_W}p"))
    return " ".join(text.strip() for text in paragraphs if text.strip())
