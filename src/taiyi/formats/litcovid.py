"""BioCreative VII LitCovid: a TSV `pmid text labels`, and a CSV of keywords with one column a label."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Labelled, Lang, Record, Reject, Split

_COLUMNS = ["pmid", "text", "labels"]


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read the TSV; labels are separated by `;`."""
    for number, line in lines.numbered(path):
        columns = line.split("\t")
        where = f"{path.name}:{number}"
        if number == 1:
            if columns != _COLUMNS:
                raise FormatError("not the header of a LitCovid TSV", where=f"{path}:1", got=columns, expected=_COLUMNS)
            continue
        if not line.strip():
            continue
        if len(columns) != len(_COLUMNS) or not columns[2].strip():
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"{len(columns)} columns: {line[:60]!r}")
            continue
        pmid, text, joined = columns
        if not pmid.strip():
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"no pmid: {line[:60]!r}")
            continue
        labels = tuple(dict.fromkeys(label.strip() for label in joined.split(";") if label.strip()))
        yield checked.record(
            Labelled,
            where,
            id=pmid,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{pmid}",),
            text=text,
            labels=labels,
        )


def read_one_hot(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read the CSV: a text, then 0 or 1 for each label of the header; ids are row numbers from 1."""
    rows = csv.reader(f"{line}\n" for _, line in lines.numbered(path))
    try:
        header = next(rows, list[str]())
    except csv.Error as error:
        raise FormatError("not the header of a one-hot CSV", where=f"{path}:1", got=error) from error
    if len(header) < 3:
        raise FormatError(
            "not the header of a one-hot CSV", where=f"{path}:1", got=header, expected="text,label,label…"
        )
    for index in itertools.count(1):
        where = f"{path.name}:{rows.line_num + 1}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"{error}, to line {rows.line_num}")
            continue
        match row:
            case []:
                continue
            case [text, *marks] if len(row) == len(header) and {*marks} <= {"0", "1"}:
                labels = tuple(label for label, mark in zip(header[1:], marks, strict=True) if mark == "1")
            case _:
                detail = f"a text and {len(header) - 1} marks were expected, to line {rows.line_num}: {str(row)[:80]}"
                yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
                continue
        if not text.strip():
            yield Reject(where=where, reason="empty text", detail=f"row {index}")
            continue
        yield checked.record(
            Labelled, where, id=str(index), corpus=corpus, split=split, lang=lang, text=text, labels=labels
        )
