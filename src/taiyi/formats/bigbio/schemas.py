"""The keys of BigBio's schemas, which tell them apart, and their columns in Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, cast

from taiyi.errors import FormatError

Schema = Literal["kb", "text", "pairs", "entailment", "qa", "t2t"]
# The first whose keys a row has all is its schema.
_KEYS: Mapping[Schema, frozenset[str]] = {
    "kb": frozenset({"passages", "entities"}),
    "entailment": frozenset({"premise", "hypothesis"}),
    "qa": frozenset({"question", "answer", "choices"}),
    "t2t": frozenset({"text_1", "text_2", "text_1_name"}),
    "pairs": frozenset({"text_1", "text_2", "label"}),
    "text": frozenset({"text", "labels"}),
}
# What stands for no value.
NOTHING = frozenset({"", "<BB_NULL_STR>"})
_BATCH_ROWS = 1000
_TEXTS: dict[Schema, tuple[str, ...]] = {
    "text": ("id", "document_id", "text"),
    "pairs": ("id", "document_id", "text_1", "text_2", "label"),
    "entailment": ("id", "premise", "hypothesis", "label"),
    "qa": ("id", "question_id", "document_id", "question", "type", "context"),
    "t2t": ("id", "document_id", "text_1", "text_2", "text_1_name", "text_2_name"),
    "kb": ("id", "document_id"),
}
_LISTS: dict[Schema, tuple[str, ...]] = {"text": ("labels",), "qa": ("choices", "answer")}


def schema_of(row: Mapping[str, Any]) -> Schema | None:
    """Return the schema that a row is in."""
    return next((schema for schema, keys in _KEYS.items() if keys <= row.keys()), None)


def document_id(id: str, document_ids: tuple[str, ...]) -> str:
    """Return what stands under `document_id` of a row.

    Raises:
        FormatError: the record is from several documents.
    """
    if len(document_ids) > 1 or NOTHING & {*document_ids}:
        raise FormatError("a row names one document", where=id, got=document_ids)
    return document_ids[0] if document_ids else ""


def write_parquet(items: Iterable[tuple[Schema, dict[str, Any]]], path: Path) -> None:
    """Write rows of one schema."""
    import pyarrow
    from pyarrow import parquet

    rows: Iterator[tuple[Schema, dict[str, Any]]] = iter(items)
    first = next(rows, None)
    if first is None:
        raise FormatError("there is no record to write", where=path, mend="write JSON lines instead")
    columns = _columns(first[0])
    values = (row for _, row in chain([first], rows))
    table, writers = cast(Any, pyarrow).Table, cast(Any, parquet)
    with writers.ParquetWriter(path, columns) as writer:
        while batch := list(islice(values, _BATCH_ROWS)):
            writer.write_table(table.from_pylist(batch, schema=columns))


def _columns(schema: Schema) -> Any:
    import pyarrow

    pa = cast(Any, pyarrow)  # its own types leave out most of this
    text = pa.string()
    fields = [(name, text) for name in _TEXTS[schema]]
    fields += [(name, pa.list_(text)) for name in _LISTS.get(schema, ())]
    if schema == "kb":
        parts = [("text", pa.list_(text)), ("offsets", pa.list_(pa.list_(pa.int32())))]
        name = [("id", text), ("type", text)]
        concepts = ("normalized", pa.list_(pa.struct([("db_name", text), ("db_id", text)])))
        arguments = pa.list_(pa.struct([("role", text), ("ref_id", text)]))
        structs = {
            "passages": [*name, *parts],
            "entities": [*name, *parts, concepts],
            "events": [*name, ("trigger", pa.struct(parts)), ("arguments", arguments)],
            "coreferences": [("id", text), ("entity_ids", pa.list_(text))],
            "relations": [*name, ("arg1_id", text), ("arg2_id", text), concepts],
        }
        fields += [(key, pa.list_(pa.struct(members))) for key, members in structs.items()]
    return pa.schema(fields)
