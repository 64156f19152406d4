"""What was found in a text as a file of JSON or BioC."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from taiyi import convert
from taiyi.errors import SchemaError
from taiyi.use.results import Extraction
from taiyi.use.writing import row

To = Literal["json", "bioc"]


class File(NamedTuple):
    """A file: its content, what it is, and its name."""

    content: bytes
    media_type: str
    name: str


class Asked(msgspec.Struct, frozen=True):
    """What is to be saved: a text by its id, and what was found in it, as the typed address sends it."""

    id: str
    text: str
    found: dict[str, Any]


def saved(body: bytes, to: To) -> File:
    """Return what was found as a file.

    Raises:
        SchemaError: it is not what a model finds in the text, or the format cannot hold it.
    """
    try:
        asked = msgspec.json.decode(body, type=Asked)
        found = msgspec.convert(asked.found | {"text": asked.text}, Extraction, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SchemaError("not what was found in a text", got=error) from error
    for entity in found.entities:
        if (
            not 0 <= entity.start < entity.end <= len(asked.text)
            or asked.text[entity.start : entity.end] != entity.text
        ):
            where = f"characters {entity.start} to {entity.end}"
            raise SchemaError("a mention does not stand in the text", where=where)
    if to == "json":
        # A file of its own has the text that its places are in.
        whole = {"id": asked.id, "text": asked.text, "lang": found.lang} | row(asked.id, found)
        return File(msgspec.json.format(msgspec.json.encode(whole)) + b"\n", "application/json", "taiyi.json")
    return File(_bioc(found, asked.id), "application/xml", "taiyi.bioc.xml")


def _bioc(found: Extraction, id: str) -> bytes:
    losses = convert.Losses()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.xml"
        if not convert.convert([found.document(id)], path, convert.target("bioc"), losses):
            raise SchemaError("BioC cannot hold this text", got=", ".join(losses.counts), mend="take JSON")
        return path.read_bytes()
