"""BioCreative VII LitCovid: a TSV `pmid text labels`, and a CSV of keywords with one column a label."""

from __future__ import annotations

import csv
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
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, list[str]())
        if len(header) < 3:
            raise FormatError(
                "not the header of a one-hot CSV", where=f"{path}:1", got=header, expected="text,label,label…"
            )
        for index, (text, *marks) in enumerate(rows, start=1):
            where = f"{path.name}:{rows.line_num}"
            if len(marks) != len(header) - 1 or not {*marks} <= {"0", "1"}:
                yield Reject(where=where, reason=checked.MALFORMED, detail=f"marks {marks} for labels {header[1:]}")
                continue
            if not text.strip():
                yield Reject(where=where, reason="empty text", detail=f"row {index}")
                continue
            labels = tuple(label for label, mark in zip(header[1:], marks, strict=True) if mark == "1")
            yield checked.record(
                Labelled, where, id=str(index), corpus=corpus, split=split, lang=lang, text=text, labels=labels
            )
