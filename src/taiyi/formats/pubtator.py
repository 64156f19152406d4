"""PubTator: `pmid|t|title`, `pmid|a|abstract`, then tab-separated mentions and relations, and a blank line.

Mentions are `pmid start end text type [ids [parts]]`; offsets count the title, one separator and the abstract.
Relations are between concepts: `pmid CID chemical disease` (BC5CDR; Li et al., 2016) or `pmid type first second
novelty` (BioRED; Luo et al., 2022).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import xxhash

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.formats.pubtator_rows import (
    NO_ROLES,
    NO_WORDS,
    Rows,
    Words,
    annotated,
    concept_text,
    fault,
)
from taiyi.schema import Document, Lang, Passage, Record, Reject, Relation, Span, Split

_TEXT_LINE = re.compile(r"(?P<id>[^|\t]+)\|(?P<part>[ta])\|(?P<text>.*)")
_NOT_IN_A_CELL = re.compile(r"[\t\n\r]")


class Block(NamedTuple):
    """A title and an abstract, with the annotation rows under them and the lines that are none."""

    key: str
    title: str
    abstract: str
    rows: Rows
    rejects: list[Reject]

    @property
    def text(self) -> str:
        """The text that offsets count: a title without an abstract has no separator after it."""
        return f"{self.title} {self.abstract}" if self.abstract else self.title


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    id_separators: str = "|+",
    databases: Mapping[str, str] = NO_WORDS,
    roles: Mapping[str, tuple[str, str]] = NO_ROLES,
    document_prefix: str = "pmid:",
    id_columns: int = 1,
    attributes: Mapping[str, str] = NO_WORDS,
    species_suffix: bool = False,
    types: Collection[str] = (),
    type_names: Mapping[str, str] = NO_WORDS,
    type_separator: str = "",
    database_names: Mapping[str, str] = NO_WORDS,
    ids: str = "",
) -> Iterator[Record | Reject]:
    """Read documents; of one that is repeated the first is kept, and so is another text under the same id (as `id-2`).

    Mentions get the ids T1, T2, ..., relations R1, R2, ... in the order of the file. The parts that BC5CDR names of a
    composite mention (7th column) are not kept: their ids are the mention's.

    Args:
        id_separators: characters between the ids of a composite mention; ids such as `p|SUB|V|600|E` hold some
            themselves.
        databases: the terminology of each entity type's ids that name none; MeSH if not given. Ids such as `rs123` are
            dbSNP's whatever the type.
        roles: the roles of the arguments of each relation type; head and tail if not given.
        id_columns: how many columns after the type hold ids; tmVar's normalised corpus has two.
        attributes: the attribute that an id with a certain name before it is, such as `CorrespondingGene:673`, of
            those that say what the mention belongs to and not what it is.
        species_suffix: an id may have its species after it, as in `101(Tax:9606)`: it becomes an attribute.
        types: those that mentions may have, where lines are known to lack the type; any if not given.
        type_names: names of types in the file that are other names of the corpus's own.
        type_separator: what stands between several types of one mention: the first is its type, and all of them are
            the attribute `types`.
        database_names: names of terminologies before ids that are other names of usual ones; after a colon, what the
            ids begin with there: with `{"RS#": "dbSNP:rs"}`, `RS#:123` is rs123 of dbSNP.
        ids: a file, beside this one, that lists the ids of the documents of the split, one a line.
    """
    words = Words(
        separator=re.compile(f"[{re.escape(id_separators)}]"),
        databases=databases,
        roles=roles,
        id_columns=id_columns,
        attributes=attributes,
        species_suffix=species_suffix,
        types=frozenset(types),
        type_names=type_names,
        type_separator=type_separator,
        database_names=database_names,
    )
    wanted = listed(path, ids) if ids else None
    found: set[str] = set()
    seen: dict[str, list[tuple[bytes, bytes]]] = {}
    for block in blocks(path):
        if wanted is not None and block.key not in wanted:
            continue
        found.add(block.key)
        yield from block.rejects
        text, where = block.text, f"{path.name}:{block.key}"
        # Of what was read digests are kept, so that memory hardly grows with the file.
        of_text, of_rows = _digest([text]), _digest("\t".join(columns) for _, columns in block.rows)
        before = seen.setdefault(block.key, [])
        if same := [known for known_text, known in before if known_text == of_text]:
            reason = "repeated document" if of_rows in same else "repeated document with other annotations"
            yield Reject(where=where, reason=reason, detail="the first is kept")
            continue
        before.append((of_text, of_rows))
        entities, relations, dropped = annotated(path.name, text, block.rows, words)
        yield from dropped
        yield checked.record(
            Document,
            where,
            id=block.key if len(before) == 1 else f"{block.key}-{len(before)}",
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{block.key}",),
            text=text,
            passages=_passages(block.title, block.abstract),
            entities=tuple(entities),
            relations=tuple(relations),
        )
    for key in sorted((wanted or set()) - found):
        yield Reject(where=f"{path.name}:{key}", reason="listed document that is not there", detail=ids)


def _digest(lines: Iterable[str]) -> bytes:
    # A file cannot hold half a surrogate pair, so all that was read from one can be encoded.
    return xxhash.xxh3_128_digest("\n".join(lines).encode())


def listed(path: Path, name: str) -> set[str]:
    """Return the ids that a file beside `path` lists, one a line."""
    beside = path.parent / name
    if not beside.is_file():
        raise FormatError("the list of the documents of the split is missing", where=beside)
    return {line.strip() for _, line in lines.numbered(beside) if line.strip()}


def blocks(path: Path) -> Iterator[Block]:
    """Yield each title with its abstract and the rows under them.

    Raises:
        FormatError: the file does not begin with a title, or holds none.
    """
    key = ""
    parts: dict[str, str] = {}
    rows: Rows = []
    rejects: list[Reject] = []
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        match = _TEXT_LINE.fullmatch(line)
        if match and match["id"].strip() and (match["part"] == "t" or (match["id"] == key and "a" not in parts)):
            if match["part"] == "t":
                if key:
                    yield Block(key, parts["t"], parts.get("a", ""), rows, rejects)
                key, parts, rows, rejects = match["id"].strip(), {}, [], []
            parts[match["part"]] = match["text"]
            continue
        if not key:
            raise FormatError(
                "the file is not PubTator", where=f"{path}:{number}", got=repr(line[:60]), expected="id|t|title"
            )
        columns = line.split("\t")
        if wrong := fault(columns, key):
            detail = f"{wrong}: {line[:80]!r}"
            rejects.append(Reject(where=f"{path.name}:{number}", reason=checked.MALFORMED, detail=detail))
        else:
            rows.append((number, columns))
    if not key:
        raise FormatError("the file holds no document", where=path, expected="id|t|title")
    yield Block(key, parts["t"], parts.get("a", ""), rows, rejects)


def _passages(title: str, abstract: str) -> tuple[Passage, ...]:
    start = len(title) + 1
    spans = {"title": Span(0, len(title)), "abstract": Span(start, start + len(abstract))}
    return tuple(Passage(type=type, span=span) for type, span in spans.items() if span.start < span.end)


def write(
    records: Iterable[Record],
    path: Path,
    *,
    id_separator: str = "|",
    databases: Mapping[str, str] = NO_WORDS,
    roles: Mapping[str, tuple[str, str]] = NO_ROLES,
    attributes: Mapping[str, str] = NO_WORDS,
) -> None:
    """Write documents; ids of a terminology other than the type's own are written with its name before them.

    Read with the same options (and the `document_prefix` of their document ids), the file holds what the records do,
    but for the ids of mentions and relations, which are numbered again, and a passage `title` where a record has no
    passages.

    Raises:
        FormatError: a record cannot be said in PubTator: another form, an id that is not its document's, passages other
            than a title and an abstract, discontinuous mentions, events, coreferences, attributes without an option
            that names them, relations of other arguments than two concepts, or a line break or tab where none can be.
    """
    names = {attribute: name for name, attribute in attributes.items()}
    lines.write((line for record in records for line in _lines_of(record, id_separator, databases, roles, names)), path)


def _lines_of(
    record: Record,
    separator: str,
    databases: Mapping[str, str],
    roles: Mapping[str, tuple[str, str]],
    attributes: Mapping[str, str],
) -> Iterator[str]:
    if not isinstance(record, Document):
        raise FormatError("PubTator holds documents only", where=record.id, got=type(record).__name__)
    if record.events or record.coreferences:
        raise FormatError("PubTator holds neither events nor coreferences", where=record.id)
    if "\n" in record.text or "\r" in record.text:
        raise FormatError("PubTator cannot hold a line break within a text", where=record.id)
    key, title, abstract = _key(record), *_parts(record)
    yield f"{key}|t|{title}"
    yield f"{key}|a|{abstract}"
    refs: dict[str, str] = {}
    for entity in record.entities:
        where = f"{record.id}/{entity.id}"
        if len(entity.spans) != 1:
            raise FormatError("PubTator holds mentions of one span", where=where)
        ids = [concept_text(concept, databases.get(entity.type, "MESH"), separator) for concept in entity.concepts]
        if None in ids:
            raise FormatError("PubTator cannot tell these ids apart", where=where, got=entity.concepts)
        for attribute, value in entity.attributes.items():
            if attribute not in attributes or separator in value:
                raise FormatError(f"PubTator cannot hold the attribute {attribute!r}", where=where)
            ids.append(f"{attributes[attribute]}:{value}")
        written = [str(id) for id in ids]
        refs |= {concept.id: id for concept, id in zip(entity.concepts, written, strict=False)}
        start, end = entity.spans[0]
        yield _row(where, key, str(start), str(end), entity.text, entity.type, separator.join(written) or "-1")
    for relation in record.relations:
        yield _row(f"{record.id}/{relation.id}", key, *_relation(relation, record.id, refs, roles))
    yield ""


def _key(record: Document) -> str:
    """Return the id that stands before each line: that of the document, from which the record's follows."""
    if len(record.document_ids) > 1:
        raise FormatError("PubTator holds one id of a document", where=record.id, got=record.document_ids)
    key = record.document_ids[0].rpartition(":")[2] if record.document_ids else record.id
    if not re.fullmatch(rf"{re.escape(key)}(-\d+)?", record.id):
        raise FormatError(
            "PubTator holds an id of the document alone", where=record.id, got=key, mend="call the record by that id"
        )
    if key != key.strip() or not key or re.search(r"[|\t\n\r]", key):
        raise FormatError("PubTator cannot hold this id", where=record.id)
    return key


def _parts(record: Document) -> tuple[str, str]:
    """Return title and abstract; a record without passages is all title."""
    text, spans = record.text, {passage.type: passage.span for passage in record.passages}
    if len(spans) < len(record.passages) or not set(spans) <= {"title", "abstract"}:
        raise FormatError("PubTator holds a title and an abstract", where=record.id, got=sorted(spans))
    start = spans["abstract"].start if "abstract" in spans else len(text) + 1
    title, abstract = text[: max(start - 1, 0)], text[start:]
    stated = {passage.type: passage.span for passage in _passages(title, abstract)}
    if (spans and spans != stated) or (abstract and f"{title} {abstract}" != text):
        raise FormatError("title and abstract, one space apart, are not the whole text", where=record.id, got=spans)
    return title, abstract


def _relation(
    relation: Relation, record: str, refs: Mapping[str, str], roles: Mapping[str, tuple[str, str]]
) -> tuple[str, ...]:
    where = f"{record}/{relation.id}"
    if len(relation.arguments) != 2 or any(argument.kind != "concept" for argument in relation.arguments):
        raise FormatError("PubTator holds relations between two concepts", where=where)
    given = tuple(argument.role for argument in relation.arguments)
    if given != (stated := roles.get(relation.type, ("head", "tail"))):
        raise FormatError(
            "PubTator does not hold the roles of arguments", where=where, got=given, expected=stated,
            mend="name them with the option `roles`",
        )  # fmt: skip
    if set(relation.attributes) - {"novelty"} or relation.type.isdecimal():
        raise FormatError("PubTator holds the novelty of a relation and no other attribute", where=where)
    novelty = [value for value in relation.attributes.values() if value]
    return relation.type, *(refs[argument.ref] for argument in relation.arguments), *novelty


def _row(where: str, *cells: str) -> str:
    if any(_NOT_IN_A_CELL.search(cell) for cell in cells):
        raise FormatError("PubTator cannot hold a tab or a line break here", where=where, got=cells)
    return "\t".join(cells)
