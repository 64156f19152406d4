"""The formats that records are converted to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from taiyi.convert.carries import Carries, Target
from taiyi.errors import CorpusError, suggestion
from taiyi.formats import bigbio, bioc, brat, conll, lines, pubtator, standoff_writing
from taiyi.schema import Document, Labelled, Lang, Pair, Parallel, Question, Record, Reject, Split, TextToText

# As BioRED has it: ids of variants hold `|` themselves.
_ID_SEPARATOR = ","
_replace = msgspec.structs.replace


def _read_records(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read records as they are, one JSON object a line; the names given are those that the records have."""
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Record)
    for number, line in lines.numbered(path):
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            yield Reject(where=f"{path.name}:{number}", reason="malformed line", detail=str(error))


def _write_records(records: Iterable[Record], path: Path) -> None:
    lines.write((msgspec.json.encode(record).decode() for record in records), path)


def _numbered(document: Document) -> Document:
    """Return a document whose entities are T1, T2, ... and relations R1, R2, ..., as readers name what has no id."""
    names = {entity.id: f"T{n}" for n, entity in enumerate(document.entities, start=1)}
    return _replace(
        document,
        entities=tuple(_replace(entity, id=names[entity.id]) for entity in document.entities),
        relations=tuple(
            _replace(
                relation,
                id=f"R{n}",
                arguments=tuple(_replace(a, ref=names[a.ref]) if a.kind == "entity" else a for a in relation.arguments),
            )
            for n, relation in enumerate(document.relations, start=1)
        ),
    )


TARGETS: Mapping[str, Target] = {
    "records": Target(carries=None, suffix=".jsonl", write=_write_records, read=_read_records),
    "bigbio": Target(
        carries=Carries(
            forms=(Document, Labelled, Pair, Question, Parallel, TextToText),
            document_ids=True,
            relations=("entity", "event", "relation"),
            arity=2,
            roles=("head", "tail"),
            relation_attributes=(),
            events=("entity", "event"),
            coreferences=True,
        ),
        suffix=".jsonl",
        write=bigbio.write,
        read=partial(bigbio.read, document_prefix=""),
    ),
    "bioc": Target(
        carries=Carries(
            passages="whole",
            relations=("entity", "relation", "concept"),
            relation_attributes=None,
            entity_attributes=True,
        ),
        suffix=".xml",
        write=partial(bioc.write, id_separator=_ID_SEPARATOR),
        read=partial(bioc.read, id_separators=_ID_SEPARATOR),
    ),
    "pubtator": Target(
        carries=Carries(
            passages="title and abstract",
            line_breaks=False,
            discontinuous=False,
            relations=("concept",),
            arity=2,
            roles=("head", "tail"),
            relation_attributes=("novelty",),
            renumber=_numbered,
        ),
        suffix=".txt",
        write=partial(pubtator.write, id_separator=_ID_SEPARATOR),
        read=partial(pubtator.read, id_separators=_ID_SEPARATOR),
    ),
    "brat": Target(
        carries=Carries(
            passages="none",
            entity_attributes=True,
            relations=("entity", "event"),
            relation_attributes=None,
            events=("entity", "event"),
            event_attributes=True,
            coreferences=True,
            spaces_in_names=False,
            renumber=standoff_writing.renumbered,
        ),
        suffix="",
        write=brat.write,
        read=brat.read,
    ),
    "conll": Target(
        carries=Carries(
            passages="none",
            line_breaks=False,
            discontinuous=False,
            nested=False,
            concepts=False,
            spaces_in_names=False,
            renumber=_numbered,
        ),
        suffix=".conll",
        write=conll.write,
        read=conll.read,
    ),
}


def target(name: str) -> Target:
    """Return the format of that name.

    Raises:
        CorpusError: records cannot be converted to it.
    """
    if found := TARGETS.get(name):
        return found
    raise CorpusError(f"records cannot be converted to {name!r}", mend=suggestion(name, TARGETS))
