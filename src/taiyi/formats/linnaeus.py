"""LINNAEUS (Gerner et al., 2010): a folder of texts, and a table of the species that they mention.

A row is `species id, document, start, end, text, code`; an id such as `species:ncbi:9606` names type, terminology and
concept, and `0` stands for a species that the terminology does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Concept, Document, Entity, Lang, Record, Reject, Split

_ID = re.compile(r"(?P<type>[^:|]+):(?P<db>[^:|]+):(?P<id>[^:|]+)")
_NUMBER = re.compile(r"\d+$")
_COLUMNS = 6
Row = tuple[int, list[str]]


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    tags: str,
    databases: dict[str, str] | None = None,
) -> Iterator[Record | Reject]:
    """Read the texts of the folder `path`, those without a mention too; line ends stay as they are.

    Mentions get the ids T1, T2, ... in the order of the table; the last column, where it is not empty, is their
    attribute `code`. Documents are named after their numbers in PubMed Central.

    Args:
        tags: the table, relative to the folder.
        databases: other names of terminologies, such as NCBITaxon of `ncbi`.

    Raises:
        FormatError: the folder holds no texts, or the table is missing or another one.
    """
    table = path / tags
    if not table.is_file():
        raise FormatError("the table of mentions is missing", where=path, expected=tags)
    rows, malformed = _rows(table)
    yield from malformed
    texts = sorted(path.glob("[!.]*.txt")) if path.is_dir() else []
    if not texts:
        raise FormatError("the folder holds no texts", where=path, expected="*.txt")
    for file in texts:
        text = lines.whole(file)
        entities: list[Entity] = []
        for number, cells in rows.pop(file.stem, []):
            where = f"{table.name}:{number}"
            entity, reject = _mention(text, cells, f"T{len(entities) + 1}", where, databases or {})
            entities += [entity] if entity else []
            if reject:
                yield reject
        digits = _NUMBER.search(file.stem)
        yield checked.record(
            Document,
            file.name,
            id=file.stem,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmcid:PMC{digits[0]}",) if digits else (),
            text=text,
            entities=tuple(entities),
        )
    for name, own in rows.items():
        where = f"{table.name}:{own[0][0]}"
        yield Reject(where=where, reason="row of a document that is not there", detail=f"{name}: {len(own)} rows")


def _rows(table: Path) -> tuple[dict[str, list[Row]], list[Reject]]:
    """Return the rows of each document; the first line names the columns."""
    rows: dict[str, list[Row]] = {}
    rejects: list[Reject] = []
    header = True
    for number, line in lines.numbered(table):
        if not line.strip():
            continue
        cells = line.split("\t")
        if header:
            header = False
            if len(cells) < _COLUMNS - 1 or not _ID.match(cells[0]):
                continue
        # The last column is empty in most rows, and its tab may be missing then.
        if len(cells) in (_COLUMNS - 1, _COLUMNS) and cells[1]:
            rows.setdefault(cells[1], []).append((number, [*cells, ""][:_COLUMNS]))
        else:
            detail = f"{len(cells)} columns: {line[:80]!r}"
            rejects.append(Reject(where=f"{table.name}:{number}", reason=checked.MALFORMED, detail=detail))
    if not rows:
        raise FormatError("the table holds no mentions", where=table, expected="species id, document, start, end, text")
    return rows, rejects


def _mention(
    text: str, cells: list[str], id: str, where: str, databases: dict[str, str]
) -> tuple[Entity | None, Reject | None]:
    ids, _, start, end, given, remark = cells
    matches = [_ID.fullmatch(part.strip()) for part in ids.split("|")]
    first, last = checked.number(start.strip()), checked.number(end.strip())
    if first is None or last is None or not all(matches):
        return None, Reject(where=where, reason=checked.MALFORMED, detail=f"{ids} at {start} to {end}: {given!r}")
    found = [match for match in matches if match]
    concepts = [Concept(db=databases.get(m["db"], m["db"]), id=m["id"]) for m in found if m["id"] != "0"]
    entity, reject = checked.mention(
        text, (first, last), given, id=id, type=found[0]["type"], where=where, concepts=tuple(dict.fromkeys(concepts))
    )
    if entity and remark.strip():
        entity = msgspec.structs.replace(entity, attributes={"code": remark.strip()})
    return entity, reject
