"""Citations of PubMed (MEDLINE): titles and abstracts of `PubmedArticleSet`, one at a time, without network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from taiyi.formats import xml
from taiyi.schema import Reject

ROOTS = ("PubmedArticleSet", "MedlineCitationSet")
_SPACE = re.compile(r"\s+")


class Article(NamedTuple):
    """A title and an abstract, one line for each of its parts, under the id that PubMed gives."""

    id: str
    title: str
    abstract: str


def read(path: Path) -> Iterator[Article | Reject]:
    """Read citations in the order of the file; memory does not grow with it.

    Parts of an abstract begin with their label, as PubMed shows them. An abstract in another language, or in plain
    words, is an article of its own, whose id has a number after it. Lists of deleted citations have no text.

    Raises:
        FormatError: the file is not PubMed's XML, was cut off, or defines XML entities.
    """
    for element in xml.elements(path, ("MedlineCitation", "BookDocument"), root=ROOTS):
        where = f"{path.name}:{element.sourceline}"
        id = _text(element.find("PMID"))
        if not id:
            yield Reject(where=where, reason="citation without an id")
            continue
        found = element.find("Article") if element.tag == "MedlineCitation" else element
        title = "" if found is None else _text(found.find("ArticleTitle")) or _text(found.find("Book/BookTitle"))
        abstract = "" if found is None else _abstract(found.find("Abstract"))
        if not title and not abstract:
            yield Reject(where=f"{where} {id}", reason="citation without a title and an abstract")
            continue
        yield Article(id, title, abstract)
        for number, other in enumerate(element.iterchildren("OtherAbstract"), 2):
            if text := _abstract(other):
                yield Article(f"{id}-{number}", title, text)


def _abstract(element: Any) -> str:
    if element is None:
        return ""
    parts = ((_text(part), part.get("Label", "").strip()) for part in element.iterchildren("AbstractText"))
    return "\n".join(f"{label}: {text}" if label else text for text, label in parts if text)


def _text(element: Any) -> str:
    """Return the text of an element with that of the markup within, on one line."""
    return "" if element is None else _SPACE.sub(" ", "".join(element.itertext())).strip()
