"""XML of the i2b2 and n2c2 challenges: inline PHI and smoking status (2006), tags with offsets (2014), criteria (2018).

Uzuner et al., JAMIA 2007 and 2008; Stubbs and Uzuner, Journal of Biomedical Informatics 2015; Stubbs et al., JAMIA
2019.
Texts are as an XML parser gives them, so line ends are LF.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, lines, xml
from taiyi.formats.xml import etree
from taiyi.schema import Document, Entity, Labelled, Lang, Record, Reject, Span, Split

_RECORD, _END = "<RECORD", "</RECORD>"
_INLINE = "PHI"
_MET, _NOT_MET = "met", "not met"
_MALFORMED = "malformed record"


def read_inline(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `<RECORD ID=…><TEXT>… <PHI TYPE=…>…</PHI> …</TEXT></RECORD>`, a mention for each `<PHI>`.

    Records are parsed one by one, so that one that is not well-formed (the first release has one) is dropped alone.

    Raises:
        FormatError: the file holds no record.
    """
    number, block, any_record = 0, list[str](), False
    for at, line in lines.numbered(path):
        if not block and _RECORD not in line:
            continue
        number = number if block else at
        block.append(line)
        if _END in line:
            any_record = True
            yield _inline(f"{path.name}:{number}", "\n".join(block), corpus, split, lang)
            block = []
    if block:
        yield Reject(where=f"{path.name}:{number}", reason=_MALFORMED, detail="a record without its end")
    elif not any_record:
        raise FormatError("the file holds no record", where=path, expected="<RECORD ID=…>")


def _inline(where: str, block: str, corpus: str, split: Split, lang: Lang) -> Record | Reject:
    source = block[block.index(_RECORD) : block.rindex(_END) + len(_END)]
    try:
        # Each is parsed alone, without a document type, so that no XML entity can be defined.
        record = etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        return Reject(where=where, reason=_MALFORMED, detail=f"{error}")
    key, element = record.get("ID") or "", record.find("TEXT")
    if not key or element is None:
        return Reject(where=where, reason=_MALFORMED, detail="a record without an ID or a text")
    text, entities = element.text or "", list[Entity]()
    for child in element:
        inner = "".join(child.itertext()) if isinstance(child.tag, str) else ""
        if child.tag == _INLINE and inner:
            span = Span(len(text), len(text) + len(inner))
            id = f"T{len(entities) + 1}"
            entities.append(Entity(id=id, type=child.get("TYPE") or "", text=inner, spans=(span,)))
        text += inner + (child.tail or "")
    return checked.record(
        Document, where, id=key, corpus=corpus, split=split, lang=lang, text=text, entities=tuple(entities)
    )


def read_smoking(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `<RECORD ID=…><SMOKING STATUS=…/><TEXT>…</TEXT></RECORD>`."""
    for record in xml.elements(path, ("RECORD",)):
        where = f"{path.name}:{record.sourceline}"
        key, status = record.get("ID") or "", record.find("SMOKING")
        label = "" if status is None else (status.get("STATUS") or "").strip()
        if not key or not label:
            yield Reject(where=where, reason=_MALFORMED, detail="a record without an ID or a smoking status")
            continue
        yield _labelled(where, key, record, (label,), corpus, split, lang)


def read_criteria(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read one patient's file, `<PatientMatching><TEXT>…</TEXT><TAGS><ABDOMINAL met="not met"/>…</TAGS>`.

    The labels are the criteria that are met; all others are not met.
    """
    for patient in xml.elements(path, ("PatientMatching",), root=("PatientMatching",)):
        where = f"{path.name}:{patient.sourceline}"
        tags = {tag.tag: tag.get(_MET) for tags in patient.findall("TAGS") for tag in tags if isinstance(tag.tag, str)}
        if not tags or not {*tags.values()} <= {_MET, _NOT_MET}:
            yield Reject(where=where, reason=_MALFORMED, detail=f"criteria that are met or not: {checked.shown(tags)}")
            continue
        labels = tuple(name for name, met in tags.items() if met == _MET)
        yield _labelled(where, path.stem, patient, labels, corpus, split, lang)


def _labelled(
    where: str, id: str, element: Any, labels: tuple[str, ...], corpus: str, split: Split, lang: Lang
) -> Record | Reject:
    text = element.find("TEXT")
    return checked.record(
        Labelled,
        where,
        id=id,
        corpus=corpus,
        split=split,
        lang=lang,
        text="" if text is None else "".join(text.itertext()),
        labels=labels,
    )


def read_tags(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read one record, a text and `<NAME id="P0" start="16" end="26" text="…" TYPE="DOCTOR"/>` with offsets into it.

    The type of a mention is its TYPE; its category, the name of the element, is an attribute where it is another one.
    Comments of the annotators are not kept.
    """
    for record in xml.elements(path, ("deIdi2b2",), root=("deIdi2b2",)):
        where = f"{path.name}:{record.sourceline}"
        element = record.find("TEXT")
        text = "" if element is None else "".join(element.itertext())
        entities: list[Entity] = []
        for tag in (tag for tags in record.findall("TAGS") for tag in tags if isinstance(tag.tag, str)):
            entity, reject = _tag(f"{path.name}:{tag.sourceline}", tag, text, f"T{len(entities) + 1}")
            entities += [entity] if entity else []
            if reject:
                yield reject
        yield checked.record(
            Document, where, id=path.stem, corpus=corpus, split=split, lang=lang, text=text, entities=tuple(entities)
        )


def _tag(where: str, tag: Any, text: str, number: str) -> tuple[Entity | None, Reject | None]:
    start, end = (checked.number(tag.get(key) or "") for key in ("start", "end"))
    type = tag.get("TYPE") or tag.tag
    if start is None or end is None:
        return None, Reject(where=where, reason=checked.MALFORMED, detail=f"{type} without offsets")
    id = tag.get("id") or number
    entity, reject = checked.mention(text, (start, end), tag.get("text"), id=id, type=type, where=where)
    if entity is None or type == tag.tag:
        return entity, reject
    return Entity(id=id, type=type, text=entity.text, spans=entity.spans, attributes={"category": tag.tag}), reject
