"""BioC XML (Comeau et al., 2013): documents of passages with their offsets, annotations with locations, and relations.

Read one document at a time, without network; a file that defines XML entities is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import bioc_documents, bioc_writing, pubtator, xml
from taiyi.formats.pubtator_rows import NO_WORDS
from taiyi.formats.xml import etree
from taiyi.schema import Lang, Record, Reject, Split

_SOURCE = "Taiyi"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    id_separators: str = "|",
    databases: Mapping[str, str] = NO_WORDS,
    id_keys: Mapping[str, str] = NO_WORDS,
    second_database: str = "",
    document_types: Collection[str] = (),
    document_prefix: str = "pmid:",
    respaced: bool = False,
    ids: str = "",
) -> Iterator[Record | Reject]:
    """Read documents, one at a time.

    A passage's text stands at its offset; what lies between passages is spaces. Infons of an annotation that are
    neither type nor ids are its attributes; of those of a passage its type is kept, and of a document's none. BC5CDR's
    parts of composite mentions (`IndividualMention`) are rejected: their composite mention is kept. An id that a
    document has used already gets a number after it.

    Args:
        id_separators: characters between the ids of one mention.
        databases: the terminology of each entity type's `identifier`; MeSH if not given. Ids such as `rs123` are
            dbSNP's whatever the type.
        id_keys: further infons that hold ids, with their terminology.
        second_database: the terminology of what follows a `|` within an id, as NLM-Gene has it.
        document_types: types of annotations that say something of the document and have no location: rejected.
        respaced: passages are set one space apart whatever their offsets, and annotations move with their passage.
        ids: a file, beside this one, that lists the ids of the documents of the split, one a line.

    Raises:
        FormatError: the file is not BioC XML, was cut off, defines XML entities, or has a text of more than 10 MB.
    """
    words = bioc_documents.Words.of(
        id_separators,
        id_keys,
        databases=databases,
        second_database=second_database,
        document_types=document_types,
        document_prefix=document_prefix,
        respaced=respaced,
    )
    wanted = pubtator.listed(path, ids) if ids else None
    for element in xml.elements(path, ("document",), root=("collection",)):
        raw = _document(element)
        if wanted is None or raw["id"] in wanted:
            place = f"{path.name}:{element.sourceline}"
            yield from bioc_documents.records(raw, path.name, place, words, corpus=corpus, split=split, lang=lang)


def _infons(element: Any) -> dict[str, str]:
    return {infon.get("key", ""): infon.text or "" for infon in element.iterchildren("infon")}


def _text(element: Any, tag: str) -> str | None:
    """Return the text of the first child of that tag; None if there is none."""
    return next((child.text or "" for child in element.iterchildren(tag)), None)


def _unit(element: Any) -> dict[str, Any]:
    unit: dict[str, Any] = {
        "offset": (_text(element, "offset") or "").strip(),
        "infons": _infons(element),
        "annotations": [_annotation(one) for one in element.iterchildren("annotation")],
        "relations": [_relation(one) for one in element.iterchildren("relation")],
    }
    # A passage without a text has sentences; one with an empty text has it.
    text = _text(element, "text")
    return unit if text is None else unit | {"text": text}


def _annotation(element: Any) -> dict[str, Any]:
    # Most of a file is annotations, so each is gone through once.
    infons: dict[str, str] = {}
    locations: list[dict[str, str]] = []
    text: str | None = None
    for child in element:
        tag = child.tag
        if tag == "infon":
            infons[child.get("key", "")] = child.text or ""
        elif tag == "location":
            locations.append({key: value.strip() for key, value in child.items()})
        elif tag == "text":
            text = child.text or ""
    return {"id": element.get("id", ""), "infons": infons, "text": text, "locations": locations}


def _relation(element: Any) -> dict[str, Any]:
    nodes = [{"refid": node.get("refid", ""), "role": node.get("role", "")} for node in element.iterchildren("node")]
    return {"id": element.get("id", ""), "infons": _infons(element), "nodes": nodes}


def _document(element: Any) -> dict[str, Any]:
    return {
        "id": (_text(element, "id") or "").strip(),
        "infons": _infons(element),
        "passages": [
            _unit(passage) | {"sentences": [_unit(sentence) for sentence in passage.iterchildren("sentence")]}
            for passage in element.iterchildren("passage")
        ],
        "annotations": [_annotation(one) for one in element.iterchildren("annotation")],
        "relations": [_relation(one) for one in element.iterchildren("relation")],
    }


def write(records: Iterable[Record], path: Path, *, id_separator: str = "|") -> None:
    """Write documents; ids stand under `identifier` with the names of their terminologies before them.

    Read back, the file holds what the records do; mentions stand in the order of their passages.

    Raises:
        FormatError: a record cannot be said in BioC XML (another form, events, coreferences, text between passages,
            attributes under the name of another infon, a control character).
    """
    with path.open("wb") as file, etree.xmlfile(file, encoding="UTF-8") as output:
        output.write_declaration()
        output.write_doctype('<!DOCTYPE collection SYSTEM "BioC.dtd">')
        with output.element("collection"):
            for tag, text in (("source", _SOURCE), ("date", ""), ("key", "BioC.key")):
                output.write(_leaf(tag, text))
            for record in records:
                raw = bioc_writing.document(record, id_separator)
                try:
                    output.write(_element(raw))
                except ValueError as error:
                    raise FormatError(f"XML cannot hold this text: {error}", where=record.id) from error


def _leaf(tag: str, text: str, **attributes: str) -> Any:
    element = etree.Element(tag, **attributes)
    element.text = text
    return element


def _with_infons(tag: str, infons: Mapping[str, str], **attributes: str) -> Any:
    element = etree.Element(tag, **attributes)
    for key, value in infons.items():
        element.append(_leaf("infon", value, key=key))
    return element


def _element(raw: Mapping[str, Any]) -> Any:
    document = etree.Element("document")
    document.append(_leaf("id", raw["id"]))
    for key, value in raw["infons"].items():
        document.append(_leaf("infon", value, key=key))
    for passage in raw["passages"]:
        element = _with_infons("passage", passage["infons"])
        element.append(_leaf("offset", str(passage["offset"])))
        element.append(_leaf("text", passage["text"]))
        for annotation in passage["annotations"]:
            one = _with_infons("annotation", annotation["infons"], id=annotation["id"])
            for at in annotation["locations"]:
                one.append(etree.Element("location", offset=str(at["offset"]), length=str(at["length"])))
            one.append(_leaf("text", annotation["text"]))
            element.append(one)
        document.append(element)
    for relation in raw["relations"]:
        one = _with_infons("relation", relation["infons"], id=relation["id"])
        for node in relation["nodes"]:
            one.append(etree.Element("node", **node))
        document.append(one)
    return document
