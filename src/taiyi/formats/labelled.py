"""Labelled texts in items of any kind (`formats.rows`): a text, and one label or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.schema import Labelled, Lang, Record, Reject, Split

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
    document_key: str = "",
    document_prefix: str = "pmid:",
    without_label: str = "",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read labelled texts; items without an id are named by their position from 0.

    Args:
        text_keys: keys whose texts, where not empty, make up the text, a line each; the first must be there.
        label_key: key of the label (a text or number), or of a list of labels.
        separator: what stands between several labels in one text; one label a text if not given.
        names: labels by what stands for them in the file, such as codes; others stay as they are.
        document_key: key of the id of the document that the text is from, said with `document_prefix` before it.
        without_label: reason under which items with an empty label are rejected; they are malformed if not given.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        parts = [rows.value(item, key) for key in text_keys]
        labels = _labels(rows.value(item, label_key), separator)
        key = checked.name({"id": item[id_key]} if id_key in item else {}, index)
        if not isinstance(parts[0], str) or labels is None or key is None:
            detail = f"a text under {text_keys[0]} and a label under {label_key} were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        if not labels:
            reason = without_label or checked.MALFORMED
            yield Reject(where=where, reason=reason, detail=f"no label under {label_key}")
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
            labels=tuple(dict.fromkeys(names.get(label, label) for label in labels)),
        )


def _labels(value: Any, separator: str) -> list[str] | None:
    """Return the labels that a cell holds; None where it is neither text, number nor a list of texts."""
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, int | float):
        return [f"{value:g}"]
    if isinstance(value, str):
        given = value.split(separator) if separator else [value]
        return [label.strip() for label in given if label.strip()]
    if isinstance(value, list) and all(isinstance(label, str) for label in cast("list[Any]", value)):
        return [label for label in cast("list[str]", value) if label.strip()]
    return [] if value is None else None


def write(
    records: Iterable[Record],
    path: Path,
    *,
    text_key: str = "text",
    label_key: str = "label",
    layout: json_lines.Layout = "lines",
) -> None:
    """Write labelled texts as JSON; several labels, or none, as a list.

    Raises:
        FormatError: a record is no labelled text.
    """
    json_lines.write((_item_of(record, text_key, label_key) for record in records), path, layout=layout)


def _item_of(record: Record, text_key: str, label_key: str) -> dict[str, Any]:
    if not isinstance(record, Labelled):
        raise FormatError("only labelled texts can be written", where=record.id, got=type(record).__name__)
    label = record.labels[0] if len(record.labels) == 1 else list(record.labels)
    return {"id": record.id, text_key: record.text, label_key: label}
