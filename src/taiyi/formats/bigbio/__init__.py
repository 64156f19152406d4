"""Rows in BigBio's schemas (Fries et al., NeurIPS Datasets and Benchmarks 2022): kb, text, pairs, entailment, qa, t2t.

The keys of a row tell its schema, so that whatever lies on a hub in one of them can be read: JSON (an array, one object
a line, or pages of rows as the hub's viewer gives them) and Parquet. What a row says:

- kb: `passages` of texts with offsets, `entities` (several offsets for discontinuous ones, `normalized` for concepts),
  `events`, `coreferences`, `relations` between two ids;
- text: a `text` with `labels`; pairs: `text_1`, `text_2`, a `label`; entailment: `premise`, `hypothesis`, a `label`;
- qa: a `question` of a `type` with `choices`, one `context` and `answer`s; t2t: `text_1` and `text_2` with their names.

What a record holds beyond that (attributes, roles, concepts or texts as arguments, several documents, ...) cannot be
written, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.formats.bigbio import documents, documents_written, questions, schemas, texts
from taiyi.schema import Document, Labelled, Lang, Pair, Parallel, Question, Record, Reject, Split, TextToText

_NO_ROLES: Mapping[str, tuple[str, str]] = MappingProxyType({})


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    document_prefix: str | None = None,
    document_pattern: str = "(.+)",
    id_key: str = "id",
    roles: Mapping[str, tuple[str, str]] = _NO_ROLES,
    untyped: str = "",
    graded: bool = False,
    target: Literal["summary", "title", "report"] = "summary",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read rows of any of the schemas.

    Args:
        document_prefix: what stands before the rows' `document_id` to make the id of a document, such as `pmid:`; not
            taken if not given, for many loaders put a row's number there.
        document_pattern: regular expression whose first group is the id within `document_id`; without match none is
            taken.
        id_key: key that names a record: `id`, or another one such as `document_id`.
        roles: the roles of the arguments of each relation type; head and tail if not given.
        untyped: the type of entities without one; those at the place of a typed one take its type. They stay without
            if not given.
        graded: whether the labels of pairs are values.
        target: what the second text of t2t is, where its name does not say so.
        source: options of `rows.items`.

    Raises:
        FormatError: no row is in one of the schemas.
    """
    pattern = re.compile(document_pattern)
    shared = {"corpus": corpus, "split": split, "lang": lang}
    found = False
    for index, (where, row) in enumerate(_rows(path, source)):
        if isinstance(row, Reject):
            yield row
            continue
        schema = schemas.schema_of(row)
        key = checked.name({"id": row[id_key]} if row.get(id_key) is not None else {}, index)
        if schema is None or key is None:
            detail = f"the row is in none of the schemas, or has no id under {id_key}: {checked.shown(sorted(row))}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        found = True
        ids = _document_ids(row.get("document_id"), document_prefix, pattern)
        head: dict[str, Any] = {"id": key, "document_ids": ids, **shared}
        match schema:
            case "kb":
                yield from documents.parse(row, where, head, roles=roles, untyped=untyped)
            case "qa":
                yield questions.parse(row, where, head)
            case "text":
                yield texts.parse_labelled(row, where, head)
            case "pairs" | "entailment":
                yield texts.parse_pair(row, where, head, keys=texts.KEYS[schema], graded=graded)
            case "t2t":
                yield texts.parse_text_to_text(row, where, head, target=target)
    if not found:
        raise FormatError(
            "no row is in one of BigBio's schemas",
            where=path,
            expected="rows of kb, text, pairs, entailment, qa or t2t",
        )


def _rows(path: Path, source: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    """Yield rows; those of a page of the hub's viewer stand one by one under `rows`, each under `row`."""
    for where, item in rows.items(path, **source):
        page: object = None if isinstance(item, Reject) else item.get("rows")
        if not isinstance(page, list) or schemas.schema_of(cast("dict[str, Any]", item)) is not None:
            yield where, item
            continue
        for index, holder in enumerate(cast("list[Any]", page)):
            place = f"{where}/{index}"
            row = cast("dict[str, object]", holder).get("row") if isinstance(holder, dict) else None
            if isinstance(row, dict):
                yield place, cast("dict[str, Any]", row)
            else:
                yield place, Reject(where=place, reason=checked.MALFORMED, detail="no mapping under row")


def _document_ids(value: object, prefix: str | None, pattern: re.Pattern[str]) -> tuple[str, ...]:
    given = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if prefix is None or given in schemas.NOTHING or not (match := pattern.search(given)):
        return ()
    return (f"{prefix}{match[1]}",)


def write(
    records: Iterable[Record],
    path: Path,
    *,
    roles: Mapping[str, tuple[str, str]] = _NO_ROLES,
    graded: bool = False,
    entailment: bool = False,
) -> None:
    """Write records of one form: as Parquet where the name ends so, else one JSON object a line.

    Reading with `document_prefix=""`, and the same `roles` and `graded`, gives the same records.

    Args:
        roles: the roles of the arguments of each relation type, which stand in their order; head and tail if not given.
        graded: whether pairs are written that have a value, as their label; else those that have a label.
        entailment: whether pairs are written as premise and hypothesis.

    Raises:
        FormatError: a record holds what the schema cannot, or is of another schema than the first one.
    """
    items = _of_one_schema(records, roles, graded, "entailment" if entailment else "pairs")
    if path.suffix == ".parquet":
        schemas.write_parquet(items, path)
    else:
        json_lines.write((row for _, row in items), path, layout="lines")


def _of_one_schema(
    records: Iterable[Record],
    roles: Mapping[str, tuple[str, str]],
    graded: bool,
    pairs: Literal["pairs", "entailment"],
) -> Iterator[tuple[schemas.Schema, dict[str, Any]]]:
    first: schemas.Schema | None = None
    for record in records:
        schema, row = _row_of(record, roles, graded, pairs)
        first = first or schema
        if schema != first:
            raise FormatError("a file has rows of one schema", where=record.id, got=schema, expected=first)
        yield schema, row


def _row_of(
    record: Record, roles: Mapping[str, tuple[str, str]], graded: bool, pairs: Literal["pairs", "entailment"]
) -> tuple[schemas.Schema, dict[str, Any]]:
    match record:
        case Document():
            return "kb", documents_written.render(record, roles=roles)
        case Labelled():
            return "text", texts.render_labelled(record)
        case Pair():
            return pairs, texts.render_pair(record, pairs, graded=graded)
        case Question():
            return "qa", questions.render(record)
        case Parallel() | TextToText():
            return "t2t", texts.render_text_to_text(record)
        case _:
            raise FormatError("BigBio has no schema for this form", where=record.id, got=type(record).__name__)
