"""PubTator of full texts: passages under one id, whose offsets begin anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import pubtator_full
from taiyi.schema import Concept, Document, Entity, Event, Passage, Reject, Span

ARTICLE = (
    "7|t|Zinc\n7|a|\n7\t0\t4\tZinc\tChemical\tMESH:D1\n\n7|t|Methods\n7|a|\n\n"
    "7|t|Of zinc & tin\n7|a|\n7\t3\t7\tzinc\tChemical\tMESH:D1,MESH:D2\n"
    "7\t10\t13\ttin\tChemical\t-\n7\t10\t40\ttin\tX\t-\n\n"
    "8|t|Another\n8|a|\n"
)


def read(tmp_path: Path, text: str, **options: Any) -> tuple[list[Document], list[Reject]]:
    path = tmp_path / "some.txt"
    path.write_bytes(text.encode())
    items = list(pubtator_full.read(path, corpus="c", split="test", lang="en", **options))
    return [i for i in items if isinstance(i, Document)], [i for i in items if isinstance(i, Reject)]


def test_passages_of_one_document(tmp_path: Path) -> None:
    (document, other), (reject,) = read(tmp_path, ARTICLE)
    assert document.text == "Zinc Methods Of zinc & tin"
    assert [(p.type, p.span) for p in document.passages] == [
        ("title", Span(0, 4)),
        ("passage", Span(5, 12)),
        ("passage", Span(13, 26)),
    ]
    assert [(e.id, e.spans[0]) for e in document.entities] == [("T1", (0, 4)), ("T2", (16, 20)), ("T3", (23, 26))]
    assert document.entities[1].concepts == (Concept(db="MESH", id="D1"), Concept(db="MESH", id="D2"))
    assert (reject.where, reject.reason) == ("some.txt:12", "span outside the text")
    assert (other.id, other.document_ids) == ("8", ("pmid:8",))


def test_a_document_that_comes_again_is_rejected(tmp_path: Path) -> None:
    documents, (_, reject) = read(tmp_path, ARTICLE + "\n7|t|Zinc\n7|a|\n")
    assert [d.id for d in documents] == ["7", "8"]
    assert reject.reason == "repeated document"


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=5)


@st.composite
def articles(draw: st.DrawFn) -> Document:
    texts = draw(st.lists(WORDS, min_size=1, max_size=4))
    passages: list[Passage] = []
    entities: list[Entity] = []
    start = 0
    for index, text in enumerate(texts):
        passages.append(Passage(type="passage" if index else "title", span=Span(start, start + len(text))))
        for first in draw(st.lists(st.integers(0, len(text) - 1), max_size=2)):
            span = Span(start + first, start + draw(st.integers(first + 1, len(text))))
            ids = draw(st.lists(st.sampled_from(["D1", "D2", "C3"]), unique=True, max_size=2))
            concepts = tuple(Concept(db=draw(st.sampled_from(["MESH", "OMIM"])), id=id) for id in ids)
            found = " ".join(texts)[span.start : span.end]
            name = f"T{len(entities) + 1}"
            entities.append(Entity(id=name, type="X", text=found, spans=(span,), concepts=concepts))
        start += len(text) + 1
    return Document(
        id="7",
        corpus="c",
        split="test",
        lang="en",
        document_ids=("pmid:7",),
        text=" ".join(texts),
        passages=tuple(passages),
        entities=tuple(entities),
    )


@given(articles())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.mktemp("full") / "some.txt"
    pubtator_full.write([document], path)
    assert list(pubtator_full.read(path, corpus="c", split="test", lang="en")) == [document]


@pytest.mark.parametrize(
    "fields",
    [
        {"passages": ()},
        {"passages": (Passage(type="title", span=Span(0, 1)),)},
        {"passages": (Passage(type="abstract", span=Span(0, 3)),)},
        {"events": (Event(id="E1", type="X"),)},
        {"entities": (Entity(id="T1", type="X", text="a b", spans=(Span(0, 3),), attributes={"k": "v"}),)},
        {"entities": (Entity(id="T1", type="X", text="a b", spans=(Span(0, 1), Span(2, 3))),)},
        {"id": " 7"},
    ],
)
def test_what_would_be_lost_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    title = (Passage(type="title", span=Span(0, 3)),)
    whole: dict[str, Any] = {"id": "7", "corpus": "c", "split": "test", "lang": "en", "text": "a b", "passages": title}
    with pytest.raises(FormatError):
        pubtator_full.write([Document(**whole | fields)], tmp_path / "out.txt")
