"""Labelled texts, pairs, translations and other texts from texts: BigBio's text, pairs, entailment and t2t."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from taiyi.errors import FormatError
from taiyi.formats import checked
from taiyi.formats.bigbio import schemas
from taiyi.schema import Labelled, Lang, Pair, Parallel, Record, Reject, TextToText

KEYS = {"pairs": ("text_1", "text_2"), "entailment": ("premise", "hypothesis")}
_LANGS: Mapping[str, Lang] = {
    **{"en": "en", "eng": "en", "english": "en"},
    **{"zh": "zh", "chi": "zh", "zho": "zh", "chinese": "zh"},
}
Target = Literal["summary", "title", "report"]
_TARGETS: tuple[str, ...] = get_args(Target)
_SOURCE = "text"


def _malformed(where: str, wanted: str, row: Mapping[str, Any]) -> Reject:
    detail = f"{wanted} were expected: {checked.shown(row)}"
    return Reject(where=where, reason=checked.MALFORMED, detail=detail)


def parse_labelled(row: Mapping[str, Any], where: str, head: dict[str, Any]) -> Record | Reject:
    """Return a row of `text` as a record; a label that it has twice counts once."""
    text, labels = row.get("text"), cast("object", row.get("labels"))
    given = cast("list[object]", labels) if isinstance(labels, list) else None
    if not isinstance(text, str) or given is None or not all(isinstance(label, str) for label in given):
        return _malformed(where, "a text and a list of labels", row)
    return checked.record(Labelled, where, **head, text=text, labels=tuple(dict.fromkeys(given)))


def parse_pair(
    row: Mapping[str, Any], where: str, head: dict[str, Any], *, keys: tuple[str, str], graded: bool
) -> Record | Reject:
    """Return a row of `pairs` or `entailment` as a record."""
    first, second, label = row.get(keys[0]), row.get(keys[1]), row.get("label")
    if isinstance(label, bool):
        label = str(label).lower()
    elif isinstance(label, int | float) and not graded:
        label = str(label) if isinstance(label, int) else f"{label:g}"
    value = _number(label) if graded else None
    if not isinstance(first, str) or not isinstance(second, str) or not (value is not None or _is_label(label, graded)):
        return _malformed(where, f"{keys[0]} and {keys[1]} with a {'value' if graded else 'label'}", row)
    return checked.record(Pair, where, **head, first=first, second=second, label=None if graded else label, value=value)


def _is_label(label: object, graded: bool) -> bool:
    return isinstance(label, str) and label not in schemas.NOTHING and not graded


def _number(label: object) -> float | None:
    if not isinstance(label, str | int | float):
        return None
    try:
        number = float(label)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def parse_text_to_text(row: Mapping[str, Any], where: str, head: dict[str, Any], *, target: Target) -> Record | Reject:
    """Return a row of `t2t` as a translation where the names of its texts are languages, else as another text."""
    first, second = row.get("text_1"), row.get("text_2")
    if not isinstance(first, str) or not isinstance(second, str):
        return _malformed(where, "text_1 and text_2", row)
    names = [str(row.get(key) or "").strip().lower() for key in ("text_1_name", "text_2_name")]
    if names[0] in _LANGS and names[1] in _LANGS:
        langs = {"lang": _LANGS[names[0]], "target_lang": _LANGS[names[1]]}
        return checked.record(Parallel, where, **(head | langs), source=first, target=second)
    kind = names[1] if names[1] in _TARGETS else target
    return checked.record(TextToText, where, **head, kind=kind, source=first, target=second)


def render_labelled(record: Labelled) -> dict[str, Any]:
    """Return a row of `text`."""
    head = {"id": record.id, "document_id": schemas.document_id(record.id, record.document_ids)}
    return {**head, "text": record.text, "labels": list(record.labels)}


def render_pair(record: Pair, schema: Literal["pairs", "entailment"], *, graded: bool) -> dict[str, Any]:
    """Return a row of `pairs`, or of `entailment`, which names no document.

    Raises:
        FormatError: the pair has a value and not a label, or the other way round, or is from a document.
    """
    label = record.label if record.value is None else repr(record.value)
    if label is None or (record.value is not None) != graded or label in schemas.NOTHING:
        wanted = "a value" if graded else "a label"
        raise FormatError(f"rows of these pairs have {wanted}", where=record.id, got=label)
    head: dict[str, Any] = {"id": record.id}
    if schema == "pairs":
        head["document_id"] = schemas.document_id(record.id, record.document_ids)
    elif record.document_ids:
        raise FormatError("rows of entailment name no document", where=record.id, got=record.document_ids)
    return head | dict(zip(KEYS[schema], (record.first, record.second), strict=True)) | {"label": label}


def render_text_to_text(record: Parallel | TextToText) -> dict[str, Any]:
    """Return a row of `t2t`."""
    names = (record.lang, record.target_lang) if isinstance(record, Parallel) else (_SOURCE, record.kind)
    return {
        "id": record.id,
        "document_id": schemas.document_id(record.id, record.document_ids),
        "text_1": record.source,
        "text_2": record.target,
        "text_1_name": names[0],
        "text_2_name": names[1],
    }
