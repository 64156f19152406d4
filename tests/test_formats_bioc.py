"""BioC XML: passages, discontinuous mentions, both kinds of relations, and files that must be refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiyi.errors import FormatError
from taiyi.formats import bioc
from taiyi.schema import Argument, Concept, Document, Entity, Passage, Reject, Relation, Span

HEAD = '<?xml version="1.0"?><!DOCTYPE collection SYSTEM "BioC.dtd"><collection><source>x</source>'
TITLE = (
    '<passage><infon key="type">title</infon><offset>0</offset><text>Liver &amp; skin ulcers</text>'
    '<annotation id="0"><infon key="type">Disease</infon><infon key="MESH">D1|D2</infon>'
    '<location offset="0" length="5"/><location offset="13" length="6"/><text>Liver ulcers</text></annotation>'
    '<annotation id="1"><infon key="type">Disease</infon><infon key="CompositeRole">IndividualMention</infon>'
    '<infon key="MESH">D1</infon><location offset="0" length="5"/><text>Liver</text></annotation></passage>'
)
ABSTRACT = (
    '<passage><infon key="type">abstract</infon><offset>20</offset><text>From gold.</text>'
    '<annotation id="2"><infon key="type">Chemical</infon><infon key="identifier">D3</infon>'
    '<location offset="25" length="4"/><text>gold</text></annotation></passage>'
)
RELATION = (
    '<relation id="R0"><infon key="relation">CID</infon><infon key="Chemical">D3</infon><infon key="Disease">D1</infon>'
    "</relation>"
)


def read(tmp_path: Path, text: str) -> list[object]:
    path = tmp_path / "some.xml"
    path.write_text(text, encoding="utf-8")
    return list(bioc.read(path, corpus="c", split="train", lang="en"))


def test_a_document_is_read(tmp_path: Path) -> None:
    xml = f"{HEAD}<document><id>9</id>{TITLE}{ABSTRACT}{RELATION}</document></collection>"
    part, document = read(tmp_path, xml)
    assert isinstance(part, Reject)
    assert part.reason == "part of a composite mention"
    assert isinstance(document, Document)
    assert document.text == "Liver & skin ulcers From gold."
    assert [p.type for p in document.passages] == ["title", "abstract"]
    assert document.entities[0].spans == (Span(0, 5), Span(13, 19))
    assert document.entities[0].text == "Liver ulcers"
    assert document.entities[1].concepts == (Concept(db="MESH", id="D3"),)
    assert [(a.role, a.ref) for a in document.relations[0].arguments] == [("Chemical", "D3"), ("Disease", "D1")]


def test_faults_are_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    bad = ABSTRACT.replace(">gold<", ">silver<")
    far = ABSTRACT.replace('offset="25"', 'offset="2500"')
    xml = (
        f"{HEAD}<document><id>1</id>{TITLE}{bad}{RELATION}</document><document><id>2</id>{TITLE}{far}</document>"
        f"<document><id>3</id>{TITLE}{TITLE}</document><document>{TITLE}</document></collection>"
    )
    items = read(tmp_path, xml)
    assert [i.id for i in items if isinstance(i, Document)] == ["1", "2"]
    assert [i.reason for i in items if isinstance(i, Reject) and i.reason != "part of a composite mention"] == [
        "mention does not match the text",
        "relation to a concept without a mention",
        "span outside the text",
        "invalid record",
        "invalid record",
    ]


def test_an_entity_bomb_is_refused(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE collection [<!ENTITY l0 "ha">{levels}]>'
    with pytest.raises(FormatError, match="defines XML entities"):
        read(tmp_path, f"{bomb}<collection><document><id>&l9;</id></document></collection>")


def test_an_external_entity_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    head = f'<?xml version="1.0"?><!DOCTYPE collection [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    with pytest.raises(FormatError, match="defines XML entities"):
        read(tmp_path, f"{head}<collection><document><id>&s;</id></document></collection>")


@pytest.mark.parametrize(
    "text",
    ["", "prose", "<html></html>", f"{HEAD}<document><id>9</id>{TITLE}", f"{HEAD}<document><id>&nbsp;</id></document>"],
)
def test_what_is_not_whole_bioc_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError):
        read(tmp_path, text)


def test_a_huge_text_is_refused(tmp_path: Path) -> None:
    passage = f"<passage><offset>0</offset><text>{'x' * 10_500_000}</text></passage>"
    with pytest.raises(FormatError, match="limits on size"):
        read(tmp_path, f"{HEAD}<document><id>1</id>{passage}</document></collection>")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    text = "Héart\u2028<fail> & 心衰  second passage"
    document = Document(
        id="4",
        corpus="c",
        split="train",
        lang="en",
        document_ids=("pmid:4",),
        text=text,
        passages=(Passage(type="title", span=Span(0, 17)), Passage(type="abstract", span=Span(19, len(text)))),
        entities=(
            Entity(id="a", type="X", text="Héart 心衰", spans=(Span(0, 5), Span(15, 17)), concepts=()),
            Entity(id="b", type="Y", text="心衰", spans=(Span(15, 17),), concepts=(Concept(db="OMIM", id="1"),)),
            Entity(id="c", type="Y", text="second", spans=(Span(19, 25),)),
        ),
        relations=(
            Relation(
                id="r",
                type="has",
                arguments=(Argument(role="x", kind="entity", ref="a"), Argument(role="y", kind="entity", ref="c")),
            ),
            Relation(id="s", type="why", arguments=(Argument(role="of", kind="relation", ref="r"),)),
            Relation(id="t", type="is", arguments=(Argument(role="what", kind="concept", ref="1"),)),
        ),
    )
    plain = Document(id="5", corpus="c", split="train", lang="en", document_ids=("pmid:5",), text="no passages")
    path = tmp_path / "some.xml"
    bioc.write([document, plain], path)
    assert list(bioc.read(path, corpus="c", split="train", lang="en")) == [document, plain]


def test_what_bioc_cannot_hold_is_refused(tmp_path: Path) -> None:
    control = Document(id="1", corpus="c", split="train", lang="en", text="a\x01b")
    part = Document(
        id="1", corpus="c", split="train", lang="en", text="a b", passages=(Passage(type="t", span=Span(0, 1)),)
    )
    for document in (control, part):
        with pytest.raises(FormatError):
            bioc.write([document], tmp_path / "out.xml")
