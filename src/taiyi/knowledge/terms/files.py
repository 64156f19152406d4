"""Names from terminologies that users have: MeSH, UMLS, ICD-10, tables and plain lists; each is read as it streams.

A file is named by its format and path, with settings after `#`: `mesh:desc2024.xml`, `umls:MRCONSO.RRF`,
`icd10:codes.txt`, `table:drugs.tsv#name=drug&id=code&kind=drug`, `list:names.txt#lang=zh&kind=disease`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import parse_qsl

import regex

from taiyi.errors import FormatError, suggestion
from taiyi.formats import lines, tables, xml
from taiyi.knowledge.terms import forms
from taiyi.knowledge.terms.name import Kind, Name
from taiyi.schema import Lang, Reject
from taiyi.text import squeeze

Items = Iterator[Name | Reject]

SHORT = "too few fields"
NO_NAME = "no name"
NO_ID = "no identifier"
OTHER_LANGUAGE = "another language"
SUPPRESSED = "suppressed by its source"
NOT_A_CODE = "not a line of codes"

_MESH_KINDS: tuple[tuple[str, Kind], ...] = (("C", "disease"), ("F03", "disease"), ("D", "drug"))
_SCR_KINDS: dict[str, Kind] = {"1": "drug", "2": "drug", "3": "disease"}
_UMLS_LANGS: dict[str, Lang] = {"ENG": "en", "CHI": "zh"}
_UMLS_FIELDS = 17
# Semantic types of UMLS: diseases, injuries, findings and signs; and what is given as a drug.
_UMLS_TYPES: tuple[tuple[Kind, str], ...] = (
    ("disease", "T019 T020 T037 T046 T047 T048 T049 T184 T190 T191"),
    ("drug", "T109 T116 T121 T125 T127 T195 T200"),
)
_UMLS_KINDS: dict[str, Kind] = {type: kind for kind, types in _UMLS_TYPES for type in types.split()}
_CDC = regex.compile(r"(?:\d{5} )?([A-Z]\d[0-9A-Z]{1,5})\s+(?:[01] (.{60}) )?(\S.*)")
_CODE = regex.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


def names(spec: str) -> Items:
    """Read the names of a file that is given as `FORMAT:PATH#SETTINGS`.

    Raises:
        FormatError: the format or a setting is unknown, or the file is not of the format; not there, said at the call.
    """
    kind, colon, rest = spec.partition(":")
    if kind not in READERS or not colon:
        raise FormatError(
            "not a file of names", got=spec, expected="FORMAT:PATH", mend=suggestion(kind, READERS)
        )  # fmt: skip
    place, _, given = rest.partition("#")
    path, settings = Path(place).expanduser(), dict(parse_qsl(given))
    read, known = READERS[kind]
    if unknown := settings.keys() - known:
        raise FormatError("unknown setting", where=spec, got=sorted(unknown)[0], expected=" or ".join(known) or "none")
    if settings.get("lang", "en") not in get_args(Lang):
        raise FormatError("unknown language", where=spec, got=settings["lang"], expected="en or zh")
    if settings.get("kind", "other") not in get_args(Kind):
        raise FormatError("unknown kind", where=spec, got=settings["kind"], expected=" or ".join(get_args(Kind)))
    if not path.is_file():
        raise FormatError("there is no such file", where=path)
    return read(path, settings)


def _mesh(path: Path, settings: Mapping[str, str]) -> Items:
    """Read MeSH: descriptors or supplementary records, in XML or in the ASCII format (`.bin`)."""
    return _mesh_xml(path) if _begins_with(path, b"<") else _mesh_ascii(path)


def _begins_with(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(start)


def _mesh_xml(path: Path) -> Items:
    tags = ("DescriptorRecord", "SupplementalRecord")
    for record in xml.elements(path, tags, root=("DescriptorRecordSet", "SupplementalRecordSet")):
        where = f"{path}:{record.sourceline}"
        if record.tag == "DescriptorRecord":
            start, type = "Descriptor", "descriptor"
            kind = _mesh_kind(number.text or "" for number in record.iterfind("TreeNumberList/TreeNumber"))
        else:
            start, type = "SupplementalRecord", "supplementary"
            kind = _SCR_KINDS.get(record.get("SCRClass", "1"), "other")
        concept, title = record.findtext(f"{start}UI"), record.findtext(f"{start}Name/String")
        terms = [term.text or "" for term in record.iterfind("ConceptList/Concept/TermList/Term/String")]
        yield from _mesh_names(path, where, concept, [title or "", *terms], kind, type)


def _mesh_ascii(path: Path) -> Items:
    fields: list[tuple[str, str]] = []
    begin = 0
    for number, line in lines.numbered(path, encodings=("utf-8", "latin-1")):
        if line.strip() == "*NEWRECORD":
            if fields:
                yield from _mesh_record(path, begin, fields)
            fields, begin = [], number
            continue
        name, equals, value = line.partition(" = ")
        if begin and equals:
            fields.append((name.strip(), value.strip()))
        elif line.strip():
            yield Reject(where=f"{path}:{number}", reason="not a field of a record", detail=line[:80])
    if fields:
        yield from _mesh_record(path, begin, fields)


def _mesh_record(path: Path, line: int, fields: list[tuple[str, str]]) -> Items:
    every: dict[str, list[str]] = {}
    for name, value in fields:
        every.setdefault(name, []).append(value)
    (supplement,) = every.get("RECTYPE", ["D"])[:1]
    kind: Kind = "drug" if supplement == "C" else _mesh_kind(every.get("MN", []))
    own = [*every.get("MH", []), *every.get("NM", [])]
    # Fields of a synonym stand after bars: its type, its source, its date.
    other = [value.partition("|")[0] for name in ("ENTRY", "PRINT ENTRY", "SY") for value in every.get(name, [])]
    type = "supplementary" if supplement == "C" else "descriptor"
    yield from _mesh_names(path, f"{path}:{line}", every.get("UI", [""])[0], [*(own or [""]), *other], kind, type)


def _mesh_kind(numbers: Any) -> Kind:
    for number in numbers:
        for start, kind in _MESH_KINDS:
            if number.startswith(start):
                return kind
    return "other"


def _mesh_names(path: Path, where: str, concept: str | None, terms: list[str], kind: Kind, type: str) -> Items:
    if not concept or not terms[0].strip():
        yield Reject(where=where, reason=NO_NAME if concept else NO_ID)
        return
    for term in dict.fromkeys(term.strip() for term in terms):
        if term:
            yield Name(name=term, lang="en", kind=kind, type=type, source=path.name, concept=f"MESH:{concept.strip()}")


def _umls(path: Path, settings: Mapping[str, str]) -> Items:
    """Read UMLS's MRCONSO.RRF; where MRSTY.RRF lies beside it, its semantic types tell drugs and diseases."""
    kinds = _umls_kinds(path.with_name("MRSTY.RRF"))
    for number, line in lines.numbered(path):
        fields = line.split("|")
        where = f"{path}:{number}"
        if len(fields) < _UMLS_FIELDS:
            yield Reject(where=where, reason=SHORT, detail=line[:80])
            continue
        concept, lang, vocabulary, form, name = fields[0], fields[1], fields[11], fields[12], fields[14].strip()
        if lang not in _UMLS_LANGS:
            yield Reject(where=where, reason=OTHER_LANGUAGE, detail=lang)
        elif fields[16] not in ("N", ""):
            yield Reject(where=where, reason=SUPPRESSED, detail=fields[16])
        elif not concept or not name:
            yield Reject(where=where, reason=NO_NAME if concept else NO_ID)
        else:
            kind = kinds.get(concept, "other")
            yield Name(
                name=name, lang=_UMLS_LANGS[lang], kind=kind, type=f"{vocabulary} {form}", source=path.name,
                concept=f"UMLS:{concept}",
            )  # fmt: skip


def _umls_kinds(path: Path) -> dict[str, Kind]:
    if not path.is_file():
        return {}
    found: dict[str, Kind] = {}
    for _, line in lines.numbered(path):
        concept, _, rest = line.partition("|")
        if kind := _UMLS_KINDS.get(rest.partition("|")[0]):
            found[concept] = kind
    return found


def _icd10(path: Path, settings: Mapping[str, str]) -> Items:
    """Read ICD-10: ClaML, the WHO's codes with semicolons, or the CDC's codes or order file of ICD-10-CM."""
    lang = cast(Lang, settings.get("lang", "en"))
    found = _claml(path) if _begins_with(path, b"<") else _codes(path)
    for item in found:
        if isinstance(item, Reject):
            yield item
            continue
        code, title = item
        yield Name(
            name=title, lang=lang, kind="disease", type="code", source=path.name, concept=f"ICD10:{code}"
        )  # fmt: skip


def _claml(path: Path) -> Iterator[tuple[str, str] | Reject]:
    for element in xml.elements(path, ("Class",), root=("ClaML",)):
        if element.get("kind") != "category":
            continue
        code = element.get("code") or ""
        labels = [
            squeeze("".join(label.itertext()))
            for rubric in element.iterfind("Rubric")
            if rubric.get("kind") in ("preferred", "inclusion")
            for label in rubric.iterfind("Label")
        ]
        if not code or not any(labels):
            yield Reject(where=f"{path}:{element.sourceline}", reason=NO_NAME if code else NO_ID)
        yield from ((code, label) for label in labels if code and label)


def _codes(path: Path) -> Iterator[tuple[str, str] | Reject]:
    for number, line in lines.numbered(path, encodings=("utf-8", "latin-1")):
        fields = line.split(";")
        if len(fields) > 8 and _CODE.fullmatch(fields[6].rstrip("-*+.")):
            yield fields[6].rstrip("-*+."), fields[8].strip()
        elif match := _CDC.fullmatch(line.rstrip()):
            yield match[1], match[3].strip()
        elif line.strip():
            yield Reject(where=f"{path}:{number}", reason=NOT_A_CODE, detail=line[:80])


def _table(path: Path, settings: Mapping[str, str]) -> Items:
    """Read a column of CSV, TSV, XLSX or Parquet; several names of a cell are told apart by `separator`."""
    name_column, id_column = settings.get("name", "name"), settings.get("id", "")
    delimiter = "\t" if path.suffix.lower() in (".tsv", ".txt", ".tab") else ","
    first = True
    for where, row in tables.items(path, delimiter=delimiter, encodings=("utf-8", "gb18030")):
        if isinstance(row, Reject):
            yield row
            continue
        if first and (missing := {name_column, *([id_column] if id_column else [])} - row.keys()):
            raise FormatError(
                "no such column", where=path, got=sorted(missing)[0], expected=" or ".join(row), mend="say name=COLUMN"
            )
        first = False
        cell, concept = str(row[name_column] or "").strip(), str(row.get(id_column) or "").strip()
        separator = settings.get("separator")
        found = [part.strip() for part in (cell.split(separator) if separator else [cell])]
        if not any(found):
            yield Reject(where=where, reason=NO_NAME)
        yield from (_plain(path, settings, name, concept) for name in found if name)


def _list(path: Path, settings: Mapping[str, str]) -> Items:
    """Read one name a line."""
    for _, line in lines.numbered(path, encodings=("utf-8", "gb18030")):
        if line.strip():
            yield _plain(path, settings, line.strip(), "")


def _plain(path: Path, settings: Mapping[str, str], name: str, concept: str) -> Name:
    lang = cast(Lang, settings.get("lang") or ("zh" if forms.HAN.search(name) else "en"))
    vocabulary = settings.get("vocabulary", path.stem)
    return Name(
        name=name, lang=lang, kind=cast(Kind, settings.get("kind", "drug")), type=settings.get("type", "name"),
        source=path.name, concept=f"{vocabulary}:{concept}" if concept else "",
    )  # fmt: skip


_OWN = ("lang", "kind", "type")
READERS: dict[str, tuple[Callable[[Path, Mapping[str, str]], Items], tuple[str, ...]]] = {
    "mesh": (_mesh, ()),
    "umls": (_umls, ()),
    "icd10": (_icd10, ("lang",)),
    "table": (_table, (*_OWN, "name", "id", "separator", "vocabulary")),
    "list": (_list, _OWN),
}
