"""XML whose texts have tags around the mentions, as in `<Title>The <gene g_id="7040">TGFB1</gene> gene</Title>`.

The format of the OSIRIS corpus (Furlong et al., BMC Bioinformatics 2008, 9:84) and of many older corpora.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, xml
from taiyi.schema import Concept, Document, Entity, Lang, Passage, Record, Reject, Span, Split

UNKNOWN = "tag that is no mention"
DIFFERS = "mention whose attribute gives another text"
_WITHOUT_ID = frozenset({"", "no", "none", "na"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """How a tag is read.

    Attributes:
        concept: the attribute that holds the id of what the mention names; `No` stands for none.
        database: the terminology of that id.
        text: the attribute that repeats the text of the mention.
        attributes: names of attributes that are kept, by the names that they have in the file.
    """

    concept: str = ""
    database: str = ""
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    record: str,
    id: str,
    parts: Mapping[str, str],
    tags: Mapping[str, Tag],
    document_prefix: str = "pmid:",
) -> Iterator[Record | Reject]:
    """Read documents: their parts, in the order of the file, joined by one space, each a passage.

    White space at the ends of a tag is no part of its mention. The text between the tags is what counts: an attribute
    that gives another text is rejected, and the mention kept.

    Args:
        record: the element of a document.
        id: the element within it that holds its id.
        parts: the elements within it that hold text, with the types of the passages that they become.
        tags: the tags of mentions, by the names that they have in the file, which are the types of the mentions.
        document_prefix: stands before the id of a document to make its document id.

    Raises:
        FormatError: the file is not XML, or holds no document.
    """
    empty = True
    for element in xml.elements(path, (record,)):
        empty = False
        where = f"{path.name}:{element.sourceline}"
        key = (element.findtext(id) or "").strip()
        if not key:
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"<{record}> without <{id}>")
            continue
        content = _Content(path.name, tags)
        for part in element:
            if part.tag in parts:
                content.add_part(part, parts[part.tag])
        yield from content.rejects
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{key}",) if document_prefix else (),
            text=content.text,
            passages=tuple(content.passages),
            entities=tuple(content.entities),
        )
    if empty:
        raise FormatError("the file holds no document", where=path, expected=f"<{record}>")


class _Content:
    """The text of a document, and what is tagged in it."""

    def __init__(self, file: str, tags: Mapping[str, Tag]) -> None:
        self.text: str = ""
        self.passages: list[Passage] = []
        self.entities: list[Entity] = []
        self.rejects: list[Reject] = []
        self._file = file
        self._tags = tags

    def add_part(self, part: Any, type: str) -> None:
        """Add a part with what is tagged in it; one without text is left out."""
        if not "".join(part.itertext()).strip():
            return
        self.text += " " if self.text else ""
        start = len(self.text)
        found: list[tuple[int, int, Any]] = []
        # Not by recursion: how deep tags may lie in one another is for the parser to say.
        open_tags: list[tuple[int, Any, Iterator[Any]]] = [(start, part, iter(part))]
        self.text += str(part.text or "")
        while open_tags:
            begin, element, children = open_tags[-1]
            child = next(children, None)
            if child is not None:
                open_tags.append((len(self.text), child, iter(child)))
                self.text += str(child.text or "")
                continue
            open_tags.pop()
            if open_tags:
                found.append((begin, len(self.text), element))
                self.text += str(element.tail or "")
        self.passages.append(Passage(type=type, span=Span(start, len(self.text))))
        for begin, end, element in sorted(found, key=lambda item: (item[0], -item[1])):
            self._add_mention(begin, end, element)

    def _add_mention(self, start: int, end: int, element: Any) -> None:
        raw = self.text[start:end]
        text = raw.strip()
        tag = self._tags.get(element.tag)
        if tag is None or not text:
            self._reject(element, UNKNOWN if tag is None else checked.MALFORMED, f"<{element.tag}> around {raw!r}")
            return
        given = element.get(tag.text) if tag.text else None
        if given is not None and given.split() != text.split():
            self._reject(element, DIFFERS, f"{tag.text} is {given!r}, the text {text!r}; the text's is kept")
        concept = (element.get(tag.concept) or "").strip() if tag.concept else ""
        begin = start + len(raw) - len(raw.lstrip())
        self.entities.append(
            Entity(
                id=f"T{len(self.entities) + 1}",
                type=element.tag,
                text=text,
                spans=(Span(begin, begin + len(text)),),
                concepts=() if concept.lower() in _WITHOUT_ID else (Concept(db=tag.database, id=concept),),
                attributes={name: element.get(key) for key, name in tag.attributes.items() if element.get(key)},
            )
        )

    def _reject(self, element: Any, reason: str, detail: str) -> None:
        self.rejects.append(Reject(where=f"{self._file}:{element.sourceline}", reason=reason, detail=detail))
