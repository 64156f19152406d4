"""CoNLL columns: the schemes of tags, documents and sentences, and texts that are read back with exact offsets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import conll
from taiyi.schema import Document, Entity, Record, Reject, Relation, Span

HERE: Any = {"corpus": "c", "split": "train", "lang": "en"}


def put(folder: Path, text: str) -> Path:
    path = folder / "some.conll"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, **options: Any) -> list[Record | Reject]:
    return list(conll.read(put(folder, text), **HERE, **options))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-A I-A O", [("A", 1, 2)]),
        ("B-A B-A I-A", [("A", 0, 0), ("A", 1, 2)]),
        # IOB1: B only parts neighbours of one type.
        ("I-A I-A B-A I-B", [("A", 0, 1), ("A", 2, 2), ("B", 3, 3)]),
        ("S-A B-B M-B E-B", [("A", 0, 0), ("B", 1, 3)]),
        ("U-A B-B I-B L-B B-B", [("A", 0, 0), ("B", 1, 3), ("B", 4, 4)]),
        ("B-A E-A I-A", [("A", 0, 1), ("A", 2, 2)]),
        ("E-A", [("A", 0, 0)]),
        ("Gene Gene O Gene", [("Gene", 0, 1), ("Gene", 3, 3)]),
        ("B-cell-line I-cell-line", [("cell-line", 0, 1)]),
        ("O O", []),
        ("", []),
    ],
)
def test_tags_of_every_scheme(tags: str, expected: list[tuple[str, int, int]]) -> None:
    assert conll.mentions(tags.split()) == expected


def test_tags_without_a_type_take_the_one_given() -> None:
    assert conll.mentions(["B", "I", "O", "B"], "Gene") == [("Gene", 0, 1), ("Gene", 3, 3)]


def test_sentences_are_records_where_documents_are_not_told(tmp_path: Path) -> None:
    one, other = read(tmp_path, "Aspirin\tNN\tB-C\nhelps\tVB\tO\n\nIt\tX\tO\n", columns=3)
    assert isinstance(one, Document)
    assert isinstance(other, Document)
    assert (one.id, one.text, [e.text for e in one.entities]) == ("0", "Aspirin helps", ["Aspirin"])
    assert (other.id, other.text) == ("1", "It")


def test_documents_begin_where_it_is_said(tmp_path: Path) -> None:
    text = "###MEDLINE:91\n\nA O\nfever B-D\n\nAgain O\n\n###MEDLINE:92\n\nCough B-D\n"
    documents = read(tmp_path, text, document_start="###MEDLINE:(.+)", document_prefix="pmid:")
    assert [d.id for d in documents if isinstance(d, Document)] == ["91", "92"]
    assert [d.text for d in documents if isinstance(d, Document)] == ["A fever\nAgain", "Cough"]
    assert [d.document_ids for d in documents if isinstance(d, Document)] == [("pmid:91",), ("pmid:92",)]
    sentences = read(tmp_path, text, document_start="###MEDLINE:(.+)", document_prefix="pmid:", per_sentence=True)
    assert [d.id for d in sentences if isinstance(d, Document)] == ["91.1", "91.2", "92.1"]
    assert {i for d in sentences if isinstance(d, Document) for i in d.document_ids} == {"pmid:91", "pmid:92"}


def test_characters_of_chinese_are_joined_without_a_space(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "肺 B-bod\n部 I-bod\n感 O\n", token_joiner="")
    assert isinstance(document, Document)
    assert (document.text, document.entities[0].spans) == ("肺部感", (Span(0, 2),))


def test_a_line_without_its_columns_is_rejected(tmp_path: Path) -> None:
    items = read(tmp_path, "A O\nalone\nB B-X\n")
    assert [item.where for item in items if isinstance(item, Reject)] == ["some.conll:2"]


def test_what_is_no_conll_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not in CoNLL columns"):
        read(tmp_path, "prose\n\nmore\n")


def test_a_token_that_is_not_in_its_text_is_rejected(tmp_path: Path) -> None:
    (reject,) = read(tmp_path, "# text = One two\nThree\tO\n")
    assert isinstance(reject, Reject)
    assert reject.reason == conll.UNALIGNED


@st.composite
def flat_documents(draw: st.DrawFn) -> Document:
    alphabet = "ab cé1病无。.;, ()#-\u2028\u3000"
    text = draw(st.text(alphabet, min_size=1, max_size=60).filter(str.strip))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    entities = [
        Entity(id=f"T{n}", type=draw(st.sampled_from(["A", "B-c"])), text=text[start:end], spans=(Span(start, end),))
        for n, (start, end) in enumerate([p for p in pairs if text[p[0] : p[1]].strip() == text[p[0] : p[1]]], start=1)
    ]
    return Document(id=draw(st.sampled_from(["1", "a-b", "x 2"])), text=text, entities=tuple(entities), **HERE)


@given(document=flat_documents())
def test_documents_are_read_back(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.mktemp("conll") / "some.conll"
    conll.write([document], path)
    assert list(conll.read(path, **HERE)) == [document]


@given(documents=st.lists(flat_documents(), min_size=1, max_size=4))
def test_several_documents_are_read_back(tmp_path_factory: pytest.TempPathFactory, documents: list[Document]) -> None:
    path = tmp_path_factory.mktemp("conll") / "some.conll"
    conll.write(documents, path)
    assert list(conll.read(path, **HERE)) == documents


def test_what_columns_cannot_hold_is_refused(tmp_path: Path) -> None:
    entities = (
        Entity(id="T1", type="A", text="One two", spans=(Span(0, 7),)),
        Entity(id="T2", type="A", text="two", spans=(Span(4, 7),)),
    )
    nested = Document(id="1", text="One two", entities=entities, **HERE)
    related = Document(id="1", text="One", relations=(Relation(id="R", type="r", arguments=()),), **HERE)
    for document, fault in ((nested, "overlap"), (related, "no relations")):
        with pytest.raises(FormatError, match=fault):
            conll.write([document], tmp_path / "some.conll")


def test_types_may_have_other_names(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "men NN O I-PAR\nslept NN O I-OUT\n", columns=4, types={"PAR": "Participant"})
    assert isinstance(document, Document)
    assert [e.type for e in document.entities] == ["Participant", "OUT"]


def test_a_sentence_before_the_first_document_has_no_document_id(tmp_path: Path) -> None:
    text = "A O\n\n###MEDLINE:91.5\n\nB O\n"
    items = read(tmp_path, text, document_start="###MEDLINE:(.+)", document_prefix="pmid:", per_sentence=True)
    assert [(d.id, d.document_ids) for d in items if isinstance(d, Document)] == [("0", ()), ("91.5.1", ("pmid:91.5",))]


def test_a_line_without_the_column_of_tags_is_rejected(tmp_path: Path) -> None:
    items = read(tmp_path, "A x B-C\nB O\n", tag_column=2)
    assert [type(item) for item in items] == [Reject, Document]
