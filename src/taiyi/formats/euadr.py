"""EU-ADR: annotations of PubMed abstracts by experts (van Mulligen et al., 2012), which come without the texts.

A file `<PMID>.txt` has tab-separated rows. A mention: the pair of things that the abstract is about, whether it is held
to be one (`True` or `False`), `concept`, its text, start, end, two columns more, its id, its type. A relation: pair,
`True` or `False`, `relation`, the ids of the two concepts, two columns more, the spans `start:end` of the two mentions,
one column more, and its type. The columns more are not kept. The texts are read from PubMed's own XML (as efetch gives
it), title and abstract one space apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, lines, xml
from taiyi.schema import Argument, Document, Entity, Lang, Passage, Record, Reject, Relation, Span, Split

NO_TEXT = "annotations without a text"
MARKED_FALSE = "marked false"
_ABSENT = "relation to a mention that is not there"
_PLACE = re.compile(r"(\d{1,9}):(\d{1,9})")
_CONCEPT, _RELATION = "concept", "relation"
_TRUE = "True"
_NO_TYPES: Mapping[str, str] = MappingProxyType({})
_FEWEST = {_CONCEPT: 7, _RELATION: 10}


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    texts: str = "../pubmed.xml",
    pair_types: Mapping[str, str] = _NO_TYPES,
) -> Iterator[Record | Reject]:
    """Read the documents of a folder in the order of their names; rows that are marked false are rejected.

    The ends of a relation are the mentions at their spans; of several at one place, that of the pair's type, else the
    first.

    Args:
        texts: the PubMed XML, given relative to the folder.
        pair_types: the type of mention that each name in a pair, such as `Drug` of `Target-Drug`, stands for.

    Raises:
        FormatError: the texts are not there, or the folder holds no annotations.
    """
    source = path / texts
    if not source.is_file():
        raise FormatError("the texts are missing", where=source, mend="fetch the abstracts from PubMed as XML")
    files = sorted(file for file in path.glob("*.txt") if file.stem.isdecimal())
    if not files:
        raise FormatError("the folder holds no annotations", where=path, expected="<PMID>.txt")
    known = dict(_texts(source))
    for file in files:
        if file.stem not in known:
            yield Reject(where=file.name, reason=NO_TEXT, detail=f"PMID {file.stem} is not in {source.name}")
            continue
        title, abstract = known[file.stem]
        yield from _document(file, title, abstract, pair_types, corpus, split, lang)


def _texts(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the PMID, title and abstract of each article; parts of an abstract begin with their label."""
    for article in xml.elements(path, ("PubmedArticle",), root=("PubmedArticleSet",)):
        parts: list[str] = []
        for part in article.findall("MedlineCitation/Article/Abstract/AbstractText"):
            label = part.get("Label")
            parts.append(f"{label}: {_inner(part)}" if label else _inner(part))
        key = (article.findtext("MedlineCitation/PMID") or "").strip()
        yield key, (_inner(article.find("MedlineCitation/Article/ArticleTitle")), " ".join(parts))


def _inner(element: Any) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _document(
    path: Path,
    title: str,
    abstract: str,
    pair_types: Mapping[str, str],
    corpus: str,
    split: Split,
    lang: Lang,
) -> Iterator[Record | Reject]:
    text = f"{title} {abstract}" if abstract else title
    entities: list[Entity] = []
    related: list[tuple[str, list[str]]] = []
    for number, line in lines.numbered(path, encodings=("utf-8", "latin-1")):
        where, columns = f"{path.name}:{number}", line.split("\t")
        kind = columns[2] if len(columns) > 2 else ""
        if not line.strip():
            continue
        if len(columns) < _FEWEST.get(kind, len(columns) + 1):
            yield Reject(where=where, reason=checked.MALFORMED, detail=repr(line[:80]))
        elif columns[1] != _TRUE:
            yield Reject(where=where, reason=MARKED_FALSE, detail=repr(line[:80]))
        elif kind == _RELATION:
            related.append((where, columns))
        else:
            entity, reject = _mention(where, columns, text, f"T{len(entities) + 1}")
            entities += [entity] if entity else []
            if reject:
                yield reject
    relations: list[Relation] = []
    for where, columns in related:
        roles = _roles(columns[0])
        wanted = [pair_types.get(role, "") for role in roles]
        found = [_at(place, type, entities) for place, type in zip(columns[7:9], wanted, strict=True)]
        refs = [entity.id for entity in found if entity]
        if len(refs) != 2:
            yield Reject(where=where, reason=_ABSENT, detail=f"{columns[-1]}: {columns[7]} and {columns[8]}")
            continue
        arguments = tuple(Argument(role=role, kind="entity", ref=ref) for role, ref in zip(roles, refs, strict=True))
        relations.append(Relation(id=f"R{len(relations) + 1}", type=columns[-1].strip(), arguments=arguments))
    spans = {"title": Span(0, len(title)), "abstract": Span(len(title) + 1, len(text))}
    yield checked.record(
        Document,
        path.name,
        id=path.stem,
        corpus=corpus,
        split=split,
        lang=lang,
        document_ids=(f"pmid:{path.stem}",),
        text=text,
        passages=tuple(Passage(type=type, span=span) for type, span in spans.items() if span.start < span.end),
        entities=tuple(entities),
        relations=tuple(relations),
    )


def _mention(where: str, columns: list[str], text: str, id: str) -> tuple[Entity | None, Reject | None]:
    start, end = checked.number(columns[4]), checked.number(columns[5])
    if start is None or end is None:
        return None, Reject(where=where, reason=checked.MALFORMED, detail=repr("\t".join(columns)[:80]))
    return checked.mention(text, (start, end), columns[3], id=id, type=columns[-1].strip(), where=where)


def _at(place: str, type: str, entities: list[Entity]) -> Entity | None:
    match = _PLACE.fullmatch(place.strip())
    span = Span(int(match[1]), int(match[2])) if match else None
    there = [entity for entity in entities if entity.spans[0] == span]
    return next((entity for entity in there if entity.type == type), there[0] if there else None)


def _roles(pair: str) -> tuple[str, str]:
    """Return the roles that a pair such as `Target-Drug` names; head and tail if it names none."""
    first, _, second = pair.partition("-")
    return (first, second) if first and second else ("head", "tail")
