"""Records written in the formats that other tools read, such that reading gives them back.

What a format cannot carry is data (`Carries`): `fit` takes it off a record and says so. What is left is written and
read back before it is accepted, so that a record which the format cannot hold for a reason of its own is refused and
reported, and never changed in silence.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from taiyi.errors import CorpusError, TaiyiError, suggestion
from taiyi.formats import bigbio, bioc, brat, conll, lines, pubtator, standoff_writing
from taiyi.schema import (
    Argument,
    Coreference,
    Document,
    Entity,
    Event,
    Labelled,
    Lang,
    Pair,
    Parallel,
    Passage,
    Question,
    Record,
    Reject,
    Relation,
    Span,
    Split,
    TextToText,
)

Kind = Literal["entity", "event", "relation", "concept", "text"]
_BATCH_RECORDS = 256
_REFUSED = "record refused"
# As BioRED has it: ids of variants hold `|` themselves.
_ID_SEPARATOR = ","
_replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Carries:
    """What a format carries of records.

    `forms` are the kinds of records; the rest is about documents. Passages may have to hold the `whole` text, but for
    spaces between them, or be `title and abstract`: a text without these stands as the title. `relations` are the kinds
    of arguments that relations may have, and `arity` how many of them (0: any number); `roles` are the arguments' only
    names, in order, where the format fixes them, and `relation_attributes` the only attributes, all where it is None.
    `renumber` gives a document ids of the format's own kind.
    """

    forms: tuple[type[Any], ...] = (Document,)
    document_ids: bool = False
    passages: Literal["any", "whole", "title and abstract", "none"] = "any"
    line_breaks: bool = True
    discontinuous: bool = True
    nested: bool = True
    concepts: bool = True
    entity_attributes: bool = False
    relations: tuple[Kind, ...] = ()
    arity: int = 0
    roles: tuple[str, ...] = ()
    relation_attributes: tuple[str, ...] | None = ()
    events: tuple[Kind, ...] = ()
    event_attributes: bool = False
    coreferences: bool = False
    spaces_in_names: bool = True
    renumber: Callable[[Document], Document] = lambda document: document


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A format that records are converted to: a file each split with this suffix, or a folder where there is none."""

    carries: Carries | None
    suffix: str
    write: Callable[[Iterable[Record], Path], None]
    read: Callable[..., Iterator[Record | Reject]]


@dataclass(slots=True)
class Losses:
    """What a format did not carry: how many of what, and where the first of each was."""

    counts: Counter[str] = field(default_factory=Counter[str])
    first: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, what: str, where: str) -> None:
        self.counts[what] += 1
        self.first.setdefault(what, where)


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


def _hold(passages: tuple[Passage, ...], text: str) -> bool:
    """Whether passages hold a text in its order, each part once, but for spaces between them."""
    starts = [*(passage.span.start for passage in passages), len(text)]
    ends = [0, *(passage.span.end for passage in passages)]
    gaps = [(end, start) for end, start in zip(ends, starts, strict=True)]
    return all(end <= start and not text[end:start].strip(" ") for end, start in gaps) and ends[-1] == len(text)


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


def convert(items: Iterable[Record | Reject], path: Path, to: Target, losses: Losses) -> int:
    """Write records as a format to a file or folder, and return how many; what they lose is added to `losses`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0

    def counted() -> Iterator[Record]:
        nonlocal written
        for record in accepted(items, to, losses):
            written += 1
            yield record

    to.write(counted(), path)
    return written


def accepted(items: Iterable[Record | Reject], to: Target, losses: Losses) -> Iterator[Record]:
    """Yield records as a format carries them: fitted to it, and proved to be read back as they are."""
    fitted = (found for item in items if not isinstance(item, Reject) and (found := fit(item, to, losses)) is not None)
    with tempfile.TemporaryDirectory() as scratch:
        number = 0
        while batch := list(islice(fitted, _BATCH_RECORDS)):
            for record in _survivors(batch, to, Path(scratch), losses):
                number += 1
                yield record


def _survivors(batch: list[Record], to: Target, scratch: Path, losses: Losses) -> list[Record]:
    """Return those of a batch that are read back as they are; halves it until the others stand alone."""
    if not batch or (fault := _fault(batch, to, scratch)) is None:
        return batch
    if len(batch) == 1:
        losses.add(f"{_REFUSED}: {fault}", batch[0].id)
        return []
    middle = len(batch) // 2
    return [*_survivors(batch[:middle], to, scratch, losses), *_survivors(batch[middle:], to, scratch, losses)]


def _fault(batch: list[Record], to: Target, scratch: Path) -> str | None:
    """Return why records cannot be written and read back."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / f"trial{to.suffix}"
        first = batch[0]
        try:
            to.write(batch, path)
            again = [
                _comparable(item, to) for item in to.read(path, corpus=first.corpus, split=first.split, lang=first.lang)
            ]
        except TaiyiError as error:
            return error.what
    # The language of a file is that of its reader.
    return (
        None
        if again == [_comparable(record, to, lang=first.lang) for record in batch]
        else "it is not read back as it is"
    )


def _comparable(item: Record | Reject, to: Target, lang: Lang | None = None) -> Record | Reject:
    if isinstance(item, Reject) or to.carries is None:
        return item
    changes: dict[str, Any] = {} if lang is None else {"lang": lang}
    return _replace(item, **changes, **({} if to.carries.document_ids else {"document_ids": ()}))


# --- What a format does not carry -------------------------------------------------------------------------------------


def fit(record: Record, to: Target, losses: Losses) -> Record | None:
    """Return a record without what a format does not carry; None where it carries none of its form."""
    if (carries := to.carries) is None:
        return record
    if not isinstance(record, carries.forms):
        losses.add(f"{_REFUSED}: of the form {type(record).__name__}", record.id)
        return None
    if record.document_ids and not carries.document_ids:
        # Where the record is named by it, its name says it.
        if any(id.rpartition(":")[2] != record.id for id in record.document_ids):
            losses.add("document id", record.id)
        record = _replace(record, document_ids=())
    return _Fit(record, carries, losses).document() if isinstance(record, Document) else record


class _Fit:
    def __init__(self, document: Document, carries: Carries, losses: Losses) -> None:
        self.given = document
        self.carries = carries
        self.losses = losses

    def _lost(self, what: str, id: str = "") -> None:
        self.losses.add(what, f"{self.given.id}/{id}" if id else self.given.id)

    def document(self) -> Document:
        given, carries = self.given, self.carries
        text = self._text()
        entities = [entity for e in given.entities if (entity := self._entity(e, text))]
        if not carries.nested:
            entities = self._flat(entities)
        known: dict[Kind, set[str]] = {
            "entity": {entity.id for entity in entities},
            "concept": {concept.id for entity in entities for concept in entity.concepts},
            "event": {event.id for event in given.events} if carries.events else set(),
            "relation": {relation.id for relation in given.relations},
        }
        relations = list(given.relations)
        # What refers to a relation goes with it.
        while len(kept := [found for r in relations if (found := self._relation(r, known))]) < len(relations):
            relations, known["relation"] = kept, {relation.id for relation in kept}
        events = [self._event(event, known) for event in given.events] if carries.events else []
        for event in () if carries.events else given.events:
            self._lost("event", event.id)
        fitted = _replace(
            given,
            text=text,
            passages=self._passages(text),
            entities=tuple(entities),
            relations=tuple(kept),
            events=tuple(events),
            coreferences=tuple(found for c in given.coreferences if (found := self._chain(c, known["entity"]))),
        )
        return carries.renumber(fitted)

    def _text(self) -> str:
        text = self.given.text
        if self.carries.line_breaks or not any(mark in text for mark in "\r\n\t"):
            return text
        self._lost("line breaks and tabs (spaces stand for them)")
        return text.translate(dict.fromkeys(map(ord, "\r\n\t"), " "))

    def _passages(self, text: str) -> tuple[Passage, ...]:
        given = self.given.passages
        alike = not given and self.carries.passages != "title and abstract"
        if alike or self.carries.passages == "any" or (self.carries.passages == "whole" and _hold(given, text)):
            return given
        if self.carries.passages == "title and abstract":
            if [passage.type for passage in given] in (["title"], ["title", "abstract"]) and _hold(given, text):
                return given
            self._lost("passages (the text stands as the title)")
            return (Passage(type="title", span=Span(0, len(text))),)
        self._lost("passages")
        return ()

    def _name(self, name: str, id: str) -> str:
        if self.carries.spaces_in_names or not any(mark.isspace() or mark in ":;" for mark in name):
            return name
        self._lost("spaces and colons in names (underscores stand for them)", id)
        return "".join("_" if mark.isspace() or mark in ":;" else mark for mark in name)

    def _entity(self, entity: Entity, text: str) -> Entity | None:
        if len(entity.spans) > 1 and not self.carries.discontinuous:
            self._lost("discontinuous mention", entity.id)
            return None
        changes: dict[str, Any] = {
            "type": self._name(entity.type, entity.id),
            "text": " ".join(text[start:end] for start, end in entity.spans),
        }
        if entity.concepts and not self.carries.concepts:
            self._lost("concepts of a mention", entity.id)
            changes["concepts"] = ()
        if entity.attributes and not self.carries.entity_attributes:
            self._lost("attributes of a mention", entity.id)
            changes["attributes"] = {}
        return _replace(entity, **changes)

    def _flat(self, entities: list[Entity]) -> list[Entity]:
        """Return mentions that do not touch one another: of those that do, the longest, and of equal ones the first."""
        kept: list[Entity] = []
        longest_first = sorted(entities, key=lambda entity: entity.spans[0].start - entity.spans[0].end)
        for entity in longest_first:
            (start, end) = entity.spans[0]
            if any(start < other.spans[0].end and other.spans[0].start < end for other in kept):
                self._lost("mention within or across another", entity.id)
            else:
                kept.append(entity)
        return sorted(kept, key=lambda entity: entity.spans)

    def _relation(self, relation: Relation, known: Mapping[Kind, set[str]]) -> Relation | None:
        carries = self.carries
        kinds = {argument.kind for argument in relation.arguments}
        if not kinds <= {*carries.relations} or (carries.arity and len(relation.arguments) != carries.arity):
            self._lost(
                "relation" if not carries.relations else "relation of this kind or number of arguments", relation.id
            )
            return None
        if any(a.kind != "text" and a.ref not in known[a.kind] for a in relation.arguments):
            self._lost("relation to what is not carried", relation.id)
            return None
        arguments = relation.arguments
        if carries.roles and tuple(argument.role for argument in arguments) != carries.roles:
            self._lost("roles of a relation", relation.id)
            named = zip(carries.roles, arguments, strict=True)
            arguments = tuple(_replace(argument, role=role) for role, argument in named)
        attributes = relation.attributes
        if carries.relation_attributes is not None and (extra := {*attributes} - {*carries.relation_attributes}):
            self._lost("attributes of a relation", relation.id)
            attributes = {key: value for key, value in attributes.items() if key not in extra}
        named_arguments = tuple(_replace(a, role=self._name(a.role, relation.id)) for a in arguments)
        return _replace(
            relation, type=self._name(relation.type, relation.id), arguments=named_arguments, attributes=attributes
        )

    def _event(self, event: Event, known: Mapping[Kind, set[str]]) -> Event:
        arguments: list[Argument] = []
        for argument in event.arguments:
            if argument.kind in self.carries.events and (
                argument.kind == "text" or argument.ref in known[argument.kind]
            ):
                arguments.append(_replace(argument, role=self._name(argument.role, event.id)))
            else:
                self._lost("argument of an event", event.id)
        attributes = event.attributes
        if attributes and not self.carries.event_attributes:
            self._lost("attributes of an event", event.id)
            attributes = {}
        trigger = " ".join(self.given.text[start:end] for start, end in event.trigger_spans) or event.trigger
        return _replace(
            event,
            type=self._name(event.type, event.id),
            trigger=trigger,
            arguments=tuple(arguments),
            attributes=attributes,
        )

    def _chain(self, chain: Coreference, known: set[str]) -> Coreference | None:
        kept = tuple(ref for ref in chain.entities if ref in known)
        if not self.carries.coreferences or not kept:
            self._lost("coreference", chain.id)
            return None
        if len(kept) < len(chain.entities):
            self._lost("member of a coreference", chain.id)
        return Coreference(id=chain.id, entities=kept)
