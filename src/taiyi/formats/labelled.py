"""Labelled texts in items of any kind (`formats.rows`): a text, and one label or several."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.schema import Labelled, Lang, Record, Reject, Split

UNKNOWN = "unknown label"
_AS_GIVEN: Mapping[str, str] = MappingProxyType({})


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    text_keys: tuple[str, ...] = ("text",),
    label_key: str = "label",
    id_key: str = "id",
    separator: str = "",
    names: Mapping[str, str] = _AS_GIVEN,
    known: Collection[str] = (),
    document_key: str = "",
    document_prefix: str = "pmid:",
    without_label: str = "",
    unlabelled: bool = False,
    part: tuple[int, int | None] = (0, None),
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read labelled texts; items without an id are named by their position from 0.

    Args:
        text_keys: keys whose texts, where not empty, make up the text, a line each; the first must be there.
        label_key: key of the label (a text or number), or of a list of labels.
        id_key: key of the id; none is looked for where it is empty.
        separator: what stands between several labels in one text; one label a text if not given.
        names: labels by what stands for them in the file, such as codes; others stay as they are.
        known: the labels that there are, for files that have others by mistake: items with those are rejected.
        document_key: key of the id of the document that the text is from, said with `document_prefix` before it.
        without_label: reason under which items with an empty label are rejected; they are malformed if not given.
        unlabelled: whether an empty list of labels is kept, as a text that none applies to.
        part: position from 0 of the first item that is read, and of the first after it that is not.
        source: options of `rows.items`.
    """
    first, end = part
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if index < first:
            continue
        if end is not None and index >= end:
            return
        if isinstance(item, Reject):
            yield item
            continue
        parts = [rows.value(item, key) for key in text_keys]
        given = rows.value(item, label_key)
        labels = _labels(given, separator)
        key = rows.key_of(item, id_key, index)
        if not isinstance(parts[0], str) or labels is None or key is None:
            detail = f"a text under {text_keys[0]} and a label under {label_key} were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        if not labels and not (unlabelled and given == []):
            reason = without_label or checked.MALFORMED
            yield Reject(where=where, reason=reason, detail=f"no label under {label_key}")
            continue
        labels = tuple(dict.fromkeys(names.get(label, label) for label in labels))
        if known and (others := [label for label in labels if label not in known]):
            yield Reject(where=where, reason=UNKNOWN, detail=checked.shown(others[0]))
            continue
        document = rows.value(item, document_key) if document_key else None
        yield checked.record(
            Labelled,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{document}",) if document else (),
            text="\n".join(part for part in parts if isinstance(part, str) and part.strip()),
            labels=labels,
        )


def label_of(value: object) -> str | None:
    """Return the label that a cell holds, empty where it holds nothing; None where it is no text, number or truth."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
        case _:
            return None


def _labels(value: Any, separator: str) -> list[str] | None:
    """Return the labels that a cell holds; None where it is neither text, number nor a list of texts."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [label for label in items if label.strip()] if all(isinstance(label, str) for label in items) else None
    if isinstance(value, str) and separator:
        return [label.strip() for label in value.split(separator) if label.strip()]
    label = label_of(value)
    return None if label is None else [label] if label else []


def write(
    records: Iterable[Record],
    path: Path,
    *,
    text_key: str = "text",
    label_key: str = "label",
    layout: json_lines.Layout = "lines",
) -> None:
    """Write labelled texts as JSON; several labels, or none, as a list (of none: `read` it with `unlabelled`).

    Raises:
        FormatError: a record is no labelled text, or a label of it is blank.
    """
    json_lines.write((_item_of(record, text_key, label_key) for record in records), path, layout=layout)


def _item_of(record: Record, text_key: str, label_key: str) -> dict[str, Any]:
    if not isinstance(record, Labelled):
        raise FormatError("only labelled texts can be written", where=record.id, got=type(record).__name__)
    if not all(label.strip() for label in record.labels):
        raise FormatError("a blank label cannot be written", where=record.id, got=str(record.labels))
    # White space around a label stays only in a list.
    alone = len(record.labels) == 1 and record.labels[0] == record.labels[0].strip()
    label = record.labels[0] if alone else list(record.labels)
    return {"id": record.id, text_key: record.text, label_key: label}
