"""BioC XML and JSON: passages, discontinuous mentions, both kinds of relations, and files that must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import bioc, bioc_json
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


def read(tmp_path: Path, text: str, **options: Any) -> list[object]:
    path = tmp_path / "some.xml"
    path.write_text(text, encoding="utf-8")
    return list(bioc.read(path, corpus="c", split="train", lang="en", **options))


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
    for format, name in ((bioc, "some.xml"), (bioc_json, "some.json")):
        format.write([document, plain], tmp_path / name)
        assert list(format.read(tmp_path / name, corpus="c", split="train", lang="en")) == [document, plain]


def test_what_bioc_cannot_hold_is_refused(tmp_path: Path) -> None:
    control = Document(id="1", corpus="c", split="train", lang="en", text="a\x01b")
    part = Document(
        id="1", corpus="c", split="train", lang="en", text="a b", passages=(Passage(type="t", span=Span(0, 1)),)
    )
    for document in (control, part):
        with pytest.raises(FormatError):
            bioc.write([document], tmp_path / "out.xml")


# --- What other corpora have, and JSON --------------------------------------------------------------------------------


def annotation(id: str, text: str, offset: int, **infons: str) -> str:
    said = "".join(f'<infon key="{key}">{value}</infon>' for key, value in infons.items())
    place = f'<location offset="{offset}" length="{len(text)}"/>'
    return f'<annotation id="{id}">{said}{place}<text>{text}</text></annotation>'


def passages(*texts: tuple[int, str, str]) -> str:
    inner = "".join(
        f"<passage><offset>{offset}</offset><text>{text}</text>{annotations}</passage>"
        for offset, text, annotations in texts
    )
    return f"{HEAD}<document><id>9</id>{inner}</document></collection>"


def test_further_infons_are_attributes_and_ids_stay_apart(tmp_path: Path) -> None:
    genes = annotation("0", "Trx", 0, type="Gene", Id="7|70,8", code="222") + annotation("0", "Abc", 4, type="Gene")
    options = {"id_separators": ",", "id_keys": {"Id": "NCBIGene"}, "second_database": "HomoloGene"}
    (document,) = read(tmp_path, passages((0, "Trx Abc", genes)), **options)
    assert isinstance(document, Document)
    first, second = document.entities
    assert (first.id, first.attributes, second.id) == ("0", {"code": "222"}, "0-2")
    assert [(c.db, c.id) for c in first.concepts] == [("NCBIGene", "7"), ("HomoloGene", "70"), ("NCBIGene", "8")]


def test_an_rs_number_is_of_dbsnp_whatever_the_type(tmp_path: Path) -> None:
    passage = ABSTRACT.replace(">D3<", ">rs90000001,rsX<")
    xml = f"{HEAD}<document><id>1</id>{passage}</document></collection>"
    (document,) = read(tmp_path, xml, id_separators=",", databases={"Chemical": "tmVar"})
    assert isinstance(document, Document)
    assert document.entities[0].concepts == (Concept(db="dbSNP", id="rs90000001"), Concept(db="tmVar", id="rsX"))


def test_a_relation_goes_with_the_one_that_it_is_about(tmp_path: Path) -> None:
    ends = {"R1": ("2", "absent"), "R2": ("2", "R1"), "R3": ("R2", "R4"), "R4": ("2", "2")}
    relations = "".join(
        f'<relation id="{id}"><infon key="type">X</infon><node refid="{a}" role="a"/><node refid="{b}" role="b"/>'
        "</relation>"
        for id, (a, b) in ends.items()
    )
    *rejects, document = read(tmp_path, f"{HEAD}<document><id>1</id>{ABSTRACT}{relations}</document></collection>")
    assert isinstance(document, Document)
    assert [relation.id for relation in document.relations] == ["R4"]
    assert [(r.where, r.reason) for r in rejects if isinstance(r, Reject)] == [
        ("some.xml:1/R1", "relation to a mention that is not there"),
        ("some.xml:1/R2", "relation to a relation that was dropped"),
        ("some.xml:1/R3", "relation to a relation that was dropped"),
    ]


def test_terms_of_the_whole_document_are_rejected(tmp_path: Path) -> None:
    term = '<annotation id="M"><infon key="type">Index</infon><infon key="identifier">D1</infon><text/></annotation>'
    reject, document = read(tmp_path, passages((0, "Zinc", term)), document_types=("Index",))
    assert isinstance(reject, Reject)
    assert (reject.where, reject.reason) == ("some.xml:9/M", "annotation of the whole document")
    assert isinstance(document, Document)


def test_passages_one_space_apart(tmp_path: Path) -> None:
    tin = annotation("1", "tin", 13, type="X")
    (document,) = read(tmp_path, passages((0, "Zinc", ""), (10, "Of tin", tin)), respaced=True)
    assert isinstance(document, Document)
    assert (document.text, document.entities[0].spans) == ("Zinc Of tin", (Span(8, 11),))


def test_documents_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("9\n", encoding="utf-8")
    other = passages((0, "a", "")).replace("<id>9</id>", "<id>8</id>")
    assert read(tmp_path, other, ids="ids.txt") == []
    assert len(read(tmp_path, passages((0, "a", "")), ids="ids.txt")) == 1


RAW: dict[str, Any] = {
    "id": 9,
    "passages": [
        {
            "offset": 0,
            "text": "Zinc",
            "annotations": [
                {
                    "id": 1,
                    "infons": {"type": "X", "n": 2, "m": None},
                    "text": "Zinc",
                    "locations": [{"offset": 0, "length": 4}],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize(
    "text", [json.dumps({"documents": [RAW]}), json.dumps([RAW]), json.dumps(RAW), json.dumps(RAW, indent=1)]
)
def test_json_is_a_collection_or_documents(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text, encoding="utf-8")
    (document,) = bioc_json.read(path, corpus="c", split="train", lang="en")
    assert isinstance(document, Document)
    assert (document.id, document.entities[0].attributes) == ("9", {"n": "2", "m": ""})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("annotations", [7], "malformed mention"),
        ("annotations", [{"locations": [{"offset": -1, "length": 4}]}], "malformed mention"),
        ("annotations", 7, "invalid record"),
        ("offset", "x", "invalid record"),
        ("offset", None, "invalid record"),
        ("text", 7, "invalid record"),
    ],
)
def test_json_of_other_values_is_rejected(tmp_path: Path, key: str, value: Any, reason: str) -> None:
    path = tmp_path / "some.json"
    raw: dict[str, Any] = RAW | {"passages": [RAW["passages"][0] | {key: value}]}
    path.write_text(json.dumps({"documents": [raw, RAW]}), encoding="utf-8")
    items = list(bioc_json.read(path, corpus="c", split="train", lang="en"))
    assert [item.reason for item in items if isinstance(item, Reject)] == [reason]
    assert isinstance(items[-1], Document)


@pytest.mark.parametrize("text", ["", "prose", "{}", '{"documents": 7}', '[{"x": 1}]', '{"documents": ['])
def test_other_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError):
        list(bioc_json.read(path, corpus="c", split="train", lang="en"))


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=8)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    texts = draw(st.lists(WORDS.filter(str.strip), min_size=1, max_size=3))
    gap = " " * draw(st.integers(1, 3))
    text = gap.join(texts)
    starts = [sum(len(t) + len(gap) for t in texts[:index]) for index in range(len(texts))]
    spans = st.integers(0, len(text) - 1).flatmap(lambda a: st.integers(a + 1, len(text)).map(lambda b: Span(a, b)))
    entities: list[Entity] = []
    for number in range(draw(st.integers(0, 4))):
        own = tuple(sorted(draw(st.lists(spans, min_size=1, max_size=3))))
        found = " ".join(text[start:end] for start, end in own)
        ids = draw(st.lists(st.sampled_from(["D1", "D2", "a:b"]), unique=True, max_size=2))
        concepts = tuple(Concept(db=draw(st.sampled_from(["MESH", "OMIM"])), id=id) for id in ids)
        attributes = draw(st.dictionaries(st.sampled_from(["certainty", "negated"]), WORDS, max_size=2))
        entities.append(
            Entity(id=f"T{number}", type="X", text=found, spans=own, concepts=concepts, attributes=attributes)
        )
    entities.sort(key=lambda entity: (sum(start <= entity.spans[0].start for start in starts), entity.id))
    names = [entity.id for entity in entities]
    ends = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=2)) if names else []
    relations = tuple(
        Relation(
            id=f"R{number}",
            type="of",
            arguments=(Argument(role="x", kind="entity", ref=a), Argument(role="x", kind="entity", ref=b)),
            attributes=draw(st.dictionaries(st.sampled_from(["certainty", "novelty"]), WORDS, max_size=1)),
        )
        for number, (a, b) in enumerate(ends)
    )
    return Document(
        id="7",
        corpus="c",
        split="train",
        lang="en",
        document_ids=draw(st.sampled_from([("pmid:7",), (), ("pmcid:PMC7", "pmid:8")])),
        text=text,
        passages=tuple(
            Passage(type=f"part {n}", span=Span(start, start + len(t)))
            for n, (start, t) in enumerate(zip(starts, texts, strict=True))
        ),
        entities=tuple(entities),
        relations=relations,
    )


@given(documents())
def test_records_are_read_back_from_both(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.mktemp("bioc") / "some"
    for format in (bioc, bioc_json):
        format.write([document], path)
        assert list(format.read(path, corpus="c", split="train", lang="en")) == [document]


MENTION = Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), concepts=(Concept(db="MESH", id="D1"),))


def related(role: str, **attributes: str) -> Relation:
    return Relation(
        id="R1", type="of", arguments=(Argument(role=role, kind="concept", ref="D1"),), attributes=attributes
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"entities": (Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), attributes={"MESH": "D1"}),)}, "MESH"),
        ({"entities": (Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), attributes={"type": "Y"}),)}, "type"),
        ({"entities": (Entity(id="T1", type="X", text="b a", spans=(Span(2, 3), Span(0, 1))),)}, "in order"),
        (
            {
                "entities": (
                    Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), concepts=(Concept(db="D", id="1|2"),)),
                )
            },
            "apart",
        ),
        ({"entities": (MENTION,), "relations": (related("x", certainty="low"),)}, "novelty"),
        ({"entities": (MENTION,), "relations": (related("type"),)}, "roles"),
        ({"document_ids": ("pmid:1 2",)}, "ids of documents"),
    ],
)
def test_what_would_be_lost_is_refused(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    whole: dict[str, Any] = {"id": "1", "corpus": "c", "split": "train", "lang": "en", "text": "a b"}
    for format in (bioc, bioc_json):
        with pytest.raises(FormatError, match=said):
            format.write([Document(**whole | fields)], tmp_path / "out")
