"""XML with tags in its texts: parts, nested tags, ids and attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import checked, inline_tags
from taiyi.formats.inline_tags import Tag
from taiyi.schema import Concept, Document, Passage, Record, Reject, Span

HERE: Any = {
    "corpus": "c",
    "split": "train",
    "lang": "en",
    "record": "Article",
    "id": "Pmid",
    "parts": {"Title": "title", "Abstract": "abstract"},
    "tags": {
        "gene": Tag(concept="g_id", database="NCBI Gene", text="g_lex"),
        "variant": Tag(concept="v_id", database="dbSNP", attributes={"v_norm": "normalised"}),
    },
}


def read(folder: Path, title: str, abstract: str = "<Abstract>So.</Abstract>") -> list[Record | Reject]:
    path = folder / "some.xml"
    article = f"<Article><Pmid> 9 </Pmid><Title>{title}</Title>{abstract}</Article>"
    path.write_text(f"<Articles>{article}</Articles>", encoding="utf-8")
    return list(inline_tags.read(path, **HERE))


def document(items: list[Record | Reject]) -> Document:
    (found,) = [item for item in items if isinstance(item, Document)]
    return found


def rejects(items: list[Record | Reject]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Reject)]


def test_title_and_abstract_are_both_kept(tmp_path: Path) -> None:
    abstract = (
        '<Abstract>In <gene g_id="7" g_lex="A&amp;B">A&amp;B</gene>, twice <gene g_id="No">A&amp;B</gene>.</Abstract>'
    )
    items = read(tmp_path, '<gene g_id="7" g_lex="A&amp;B">A&amp;B</gene> and gout', abstract)
    found = document(items)
    assert (found.id, found.document_ids) == ("9", ("pmid:9",))
    assert found.text == "A&B and gout In A&B, twice A&B."
    assert found.passages == (
        Passage(type="title", span=Span(0, 12)),
        Passage(type="abstract", span=Span(13, 31)),
    )
    assert [(e.spans[0].start, e.concepts) for e in found.entities] == [
        (0, (Concept(db="NCBI Gene", id="7"),)),
        (16, (Concept(db="NCBI Gene", id="7"),)),
        (27, ()),
    ]
    assert not rejects(items)


def test_tags_within_tags_are_mentions_of_their_own(tmp_path: Path) -> None:
    found = document(read(tmp_path, 'A <gene>B <variant v_id="1" v_norm="C">C</variant> D</gene> E'))
    assert [(e.type, e.text, e.spans[0].start) for e in found.entities] == [("gene", "B C D", 2), ("variant", "C", 4)]
    assert found.entities[1].attributes == {"normalised": "C"}


def test_white_space_at_the_ends_of_a_tag_is_no_part_of_its_mention(tmp_path: Path) -> None:
    items = read(tmp_path, 'The <gene g_lex="ABC1 "> ABC1 </gene>gene')
    (entity,) = document(items).entities
    assert (entity.text, entity.spans) == ("ABC1", (Span(5, 9),))
    assert document(items).text.startswith("The  ABC1 gene")
    assert not rejects(items)


def test_an_attribute_that_gives_another_text_is_rejected_and_the_mention_kept(tmp_path: Path) -> None:
    items = read(tmp_path, 'The <gene g_lex="XYZ">ABC1</gene>')
    assert [e.text for e in document(items).entities] == ["ABC1"]
    assert rejects(items) == [inline_tags.DIFFERS]


def test_other_tags_are_text_and_rejected(tmp_path: Path) -> None:
    items = read(tmp_path, "The <i>ABC1</i> gene <gene> </gene>")
    assert document(items).text == "The ABC1 gene   So."
    assert rejects(items) == [inline_tags.UNKNOWN, checked.MALFORMED]


def test_a_part_without_text_is_left_out(tmp_path: Path) -> None:
    found = document(read(tmp_path, "One", "<Abstract/>"))
    assert (found.text, len(found.passages)) == ("One", 1)


def test_a_document_without_its_id_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "some.xml"
    path.write_text("<Articles><Article><Title>One</Title></Article></Articles>", encoding="utf-8")
    assert rejects(list(inline_tags.read(path, **HERE))) == [checked.MALFORMED]


def test_a_file_without_documents_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.xml"
    path.write_text("<Articles/>", encoding="utf-8")
    with pytest.raises(FormatError, match="no document"):
        list(inline_tags.read(path, **HERE))


def test_tags_may_lie_deep_in_one_another(tmp_path: Path) -> None:
    found = document(read(tmp_path, "<gene>" * 200 + "A" + "</gene>" * 200))
    assert len(found.entities) == 200


@given(parts=st.lists(st.tuples(st.text("ab <&é病", max_size=5), st.booleans()), min_size=1, max_size=6))
def test_what_is_tagged_is_read_back(tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, bool]]) -> None:
    title = "".join(f"<gene>{escape(text)}</gene>" if tagged else escape(text) for text, tagged in parts)
    found = document(read(tmp_path_factory.mktemp("inline"), f"X{title}"))
    whole = "X" + "".join(text for text, _ in parts)
    assert found.text == f"{whole} So."
    assert [e.text for e in found.entities] == [text.strip() for text, tagged in parts if tagged and text.strip()]
