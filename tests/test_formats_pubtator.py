"""PubTator: what BC5CDR, NCBI Disease and BioRED files hold, their faults, and round trips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import pubtator
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Document,
    Entity,
    Event,
    Labelled,
    Passage,
    Record,
    Reject,
    Relation,
    Span,
)

CDR = (
    "11|t|Aspirin and ulcer.\n"
    "11|a|We saw gastric and skin ulcers.\n"
    "11\t0\t7\tAspirin\tChemical\tD001241\n"
    "11\t26\t49\tgastric and skin ulcers\tDisease\tD013276|D012883\tgastric ulcers|skin ulcers\n"
    "11\t12\t17\tulcer\tDisease\t-1\n"
    "11\tCID\tD001241\tD013276\n"
    "\n"
)


def read(tmp_path: Path, text: str, **options: object) -> tuple[list[Document], list[Reject]]:
    path = tmp_path / "some.txt"
    path.write_bytes(text.encode())
    items = list(pubtator.read(path, corpus="c", split="train", lang="en", **options))  # pyright: ignore[reportArgumentType]
    return [i for i in items if isinstance(i, Document)], [i for i in items if isinstance(i, Reject)]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_document_with_composite_mention_and_relation(tmp_path: Path, ending: str) -> None:
    (document,), rejects = read(tmp_path, CDR.replace("\n", ending), roles={"CID": ("Chemical", "Disease")})
    assert rejects == []
    assert document.text == "Aspirin and ulcer. We saw gastric and skin ulcers."
    assert document.document_ids == ("pmid:11",)
    assert [document.text[p.span.start : p.span.end] for p in document.passages] == [
        "Aspirin and ulcer.",
        "We saw gastric and skin ulcers.",
    ]
    assert document.entities[1].concepts == (Concept(db="MESH", id="D013276"), Concept(db="MESH", id="D012883"))
    assert document.entities[2].concepts == ()
    assert document.relations[0].arguments == (
        Argument(role="Chemical", kind="concept", ref="D001241"),
        Argument(role="Disease", kind="concept", ref="D013276"),
    )


def test_biored_ids_and_novelty(tmp_path: Path) -> None:
    text = (
        "5|t|BRCA1 V600E in flies and BRCA2\n5|a|\n"
        "5\t0\t5\tBRCA1\tGene\t672,675\n"
        "5\t6\t11\tV600E\tVariant\tp|SUB|V|600|E\n"
        "5\tAssociation\t672\tp|SUB|V|600|E\tNovel\n"
    )
    (document,), rejects = read(tmp_path, text, id_separators=",", databases={"Gene": "NCBIGene", "Variant": "tmVar"})
    assert rejects == []
    assert document.text == "BRCA1 V600E in flies and BRCA2"
    assert document.entities[0].concepts == (Concept(db="NCBIGene", id="672"), Concept(db="NCBIGene", id="675"))
    assert document.entities[1].concepts == (Concept(db="tmVar", id="p|SUB|V|600|E"),)
    assert document.relations[0].attributes == {"novelty": "Novel"}
    assert [a.role for a in document.relations[0].arguments] == ["head", "tail"]


def test_prefixes_name_the_terminology(tmp_path: Path) -> None:
    (document,), _ = read(tmp_path, "1|t|gout\n1|a|\n1\t0\t4\tgout\tDisease\tOMIM:123+MESH:D1\n")
    assert document.entities[0].concepts == (Concept(db="OMIM", id="123"), Concept(db="MESH", id="D1"))


@pytest.mark.parametrize(
    "line",
    [
        "11\t0\t7",
        "11\tx\t7\tAspirin\tChemical\tD1",
        "11\t0\tx\tAspirin\tChemical\tD1",
        "12\t0\t7\tAspirin\tChemical\tD1",
        "11\t0\t7\tAspirin\t\tD1",
        "no tabs at all",
        "11\tCID\tD1\tD2\tNovel\tmore",
        "11|a|a second abstract",
    ],
)
def test_a_malformed_line_is_rejected_and_the_rest_is_read(tmp_path: Path, line: str) -> None:
    (document,), (reject,) = read(tmp_path, CDR.rstrip("\n") + f"\n{line}\n")
    assert (reject.reason, reject.where) == ("malformed line", "some.txt:7")
    assert len(document.entities) == 3


def test_mentions_that_do_not_match(tmp_path: Path) -> None:
    text = "1|t|A  b c.\n1|a|\n1\t0\t4\tA b\tX\t-\n1\t5\t6\td\tX\t-\n1\t5\t60\tc\tX\t-\n1\t6\t5\tc\tX\t-\n"
    (document,), rejects = read(tmp_path, text)
    assert [e.text for e in document.entities] == ["A  b"]
    assert [r.reason for r in rejects] == [
        "mention differs from the text in white space",
        "mention does not match the text",
        "span outside the text",
        "span outside the text",
    ]


def test_a_repeated_document_is_kept_once_and_another_text_is_kept_too(tmp_path: Path) -> None:
    documents, rejects = read(tmp_path, CDR + CDR + CDR.replace("11\t12\t17\tulcer\tDisease\t-1\n", ""))
    assert [d.id for d in documents] == ["11"]
    assert [r.reason for r in rejects] == ["repeated document", "repeated document with other annotations"]
    documents, rejects = read(tmp_path, CDR + "11|t|Another text\n11|a|\n")
    assert [d.id for d in documents] == ["11", "11-2"]
    assert documents[1].document_ids == ("pmid:11",)
    assert rejects == []


def test_a_relation_to_an_unmentioned_concept_is_rejected(tmp_path: Path) -> None:
    (document,), (reject,) = read(tmp_path, CDR.rstrip("\n") + "\n11\tCID\tD001241\tD9\n")
    assert reject.reason == "relation to a concept without a mention"
    assert len(document.relations) == 1


@pytest.mark.parametrize("text", ["", "just prose\n", "11\t0\t7\tAspirin\tChemical\tD1\n"])
def test_another_format_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError):
        read(tmp_path, text)


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(b"1|t|fine\n1|a|caf\xe9\n")
    with pytest.raises(FormatError, match=r"some\.txt:2: the file is not UTF-8"):
        list(pubtator.read(path, corpus="c", split="train", lang="en"))


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=6)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    title, abstract = (draw(st.lists(WORDS, min_size=1, max_size=5)) for _ in range(2))
    text = " ".join(title + abstract)
    cut = len(" ".join(title))
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=5))
    entities: list[Entity] = []
    for number, start in enumerate(starts):
        end = draw(st.integers(start + 1, len(text)))
        ids = draw(st.lists(st.sampled_from(["D1", "D2", "C3"]), unique=True, max_size=2))
        concepts = tuple(Concept(db=draw(st.sampled_from(["MESH", "OMIM"])), id=id) for id in ids)
        spans = (Span(start, end),)
        entities.append(Entity(id=f"T{number + 1}", type="X", text=text[start:end], spans=spans, concepts=concepts))
    known = sorted({c.id for e in entities for c in e.concepts})
    ends = draw(st.lists(st.tuples(st.sampled_from(known), st.sampled_from(known)), max_size=3)) if known else []
    return Document(
        id="7",
        corpus="c",
        split="train",
        lang="en",
        document_ids=("pmid:7",),
        text=text,
        passages=(Passage(type="title", span=Span(0, cut)), Passage(type="abstract", span=Span(cut + 1, len(text)))),
        entities=tuple(entities),
        relations=tuple(
            Relation(
                id=f"R{n + 1}",
                type="CID",
                arguments=(Argument(role="head", kind="concept", ref=a), Argument(role="tail", kind="concept", ref=b)),
                attributes=draw(st.sampled_from([{}, {"novelty": "No"}])),
            )
            for n, (a, b) in enumerate(ends)
        ),
    )


@given(documents())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.mktemp("pubtator") / "some.txt"
    pubtator.write([document], path)
    assert list(pubtator.read(path, corpus="c", split="train", lang="en")) == [document]


def test_what_pubtator_cannot_hold_is_refused(tmp_path: Path) -> None:
    whole: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}
    split_mention = Entity(id="T1", type="X", text="a c", spans=(Span(0, 1), Span(4, 5)))
    wrong: list[Record] = [
        Labelled(id="1", text="a", labels=("x",), **whole),
        Document(id="1", text="a\nb", **whole),
        Document(id="1", text="a b c", entities=(split_mention,), **whole),
    ]
    for record in wrong:
        with pytest.raises(FormatError):
            pubtator.write([record], tmp_path / "out.txt")


# --- What other corpora write -----------------------------------------------------------------------------------------


def test_a_mention_without_an_id_is_kept(tmp_path: Path) -> None:
    (document,), rejects = read(tmp_path, "1|t|gout and rash\n1|a|\n1\t0\t4\tgout\tX\n1\t9\t13\trash\tX\t\n")
    assert rejects == []
    assert [(e.text, e.concepts) for e in document.entities] == [("gout", ()), ("rash", ())]


def test_two_columns_of_ids_and_a_line_without_a_type(tmp_path: Path) -> None:
    text = "1|t|G12D seen\n1|a|\n1\t0\t4\tG12D\tP\tp|SUB|G|12|D\tRSID:7\n1\t5\t9\tseen\tp|SUB|G|12|D\tRSID:7\n"
    options: dict[str, Any] = {"id_separators": ";", "id_columns": 2, "types": ["P"], "databases": {"P": "tmVar"}}
    (document,), (reject,) = read(tmp_path, text, **options, database_names={"RSID": "dbSNP:rs"})
    assert document.entities[0].concepts == (Concept(db="tmVar", id="p|SUB|G|12|D"), Concept(db="dbSNP", id="rs7"))
    assert (reject.where, reject.reason) == ("some.txt:4", "mention of an unknown type")


def test_an_rs_number_is_of_dbsnp_whatever_the_type(tmp_path: Path) -> None:
    text = "1|t|G12D seen\n1|a|\n1\t0\t4\tG12D\tP\trs90000001\n1\t5\t9\tseen\tP\trsX\n1\tBind\trs90000001\trsX\n"
    (document,), rejects = read(tmp_path, text, databases={"P": "tmVar"})
    assert rejects == []
    assert [e.concepts for e in document.entities] == [
        (Concept(db="dbSNP", id="rs90000001"),),
        (Concept(db="tmVar", id="rsX"),),
    ]
    assert [a.ref for a in document.relations[0].arguments] == ["rs90000001", "rsX"]


def test_what_an_id_says_beyond_the_concept_is_an_attribute(tmp_path: Path) -> None:
    text = (
        "1|t|G12D in Trx\n1|a|\n1\t0\t4\tG12D\tP\tp|SUB;Gene:7;Gene:8;HGVS:p.G12D\n1\t8\t11\tTrx\tGene\t7(Tax:10090)\n"
    )
    options: dict[str, Any] = {
        "id_separators": ";",
        "attributes": {"Gene": "gene"},
        "databases": {"P": "tmVar", "Gene": "G"},
    }
    (document,), _ = read(tmp_path, text, **options, species_suffix=True)
    variant, gene = document.entities
    assert variant.concepts == (Concept(db="tmVar", id="p|SUB"), Concept(db="HGVS", id="p.G12D"))
    assert variant.attributes == {"gene": "7;8"}
    assert (gene.concepts, gene.attributes) == ((Concept(db="G", id="7"),), {"species": "10090"})


def test_several_types_and_other_names_of_types(tmp_path: Path) -> None:
    text = "1|t|actin gel\n1|a|\n1\t0\t5\tactin\tT116,T123\tC1\n1\t6\t9\tgel\tChem\tC2\n"
    (document,), _ = read(tmp_path, text, type_separator=",", type_names={"Chem": "T103"})
    assert [(e.type, e.attributes) for e in document.entities] == [("T116", {"types": "T116,T123"}), ("T103", {})]


def test_documents_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("2\n9\n", encoding="utf-8")
    documents, rejects = read(tmp_path, "1|t|a\n1|a|\n\n2|t|b\n2|a|\n", ids="ids.txt")
    assert [d.id for d in documents] == ["2"]
    assert [(r.where, r.reason) for r in rejects] == [("some.txt:9", "listed document that is not there")]
    with pytest.raises(FormatError, match="list of the documents"):
        read(tmp_path, "1|t|a\n1|a|\n", ids="no.txt")


ROLES = {"CID": ("Chemical", "Disease")}
WHOLE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}
MENTION = Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), concepts=(Concept(db="MESH", id="D1"),))


def test_attributes_and_roles_are_written_where_they_are_named(tmp_path: Path) -> None:
    text = "11|t|ab\n11|a|\n11\t0\t2\tab\tX\tD1|D2|Gene:7\n11\tCID\tD1\tD2\n"
    options: dict[str, Any] = {"attributes": {"Gene": "gene"}, "roles": ROLES}
    (document,), _ = read(tmp_path, text, **options)
    pubtator.write([document], tmp_path / "out.txt", **options)
    assert list(pubtator.read(tmp_path / "out.txt", corpus="c", split="train", lang="en", **options)) == [document]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"entities": (Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), attributes={"k": "v"}),)}, "'k'"),
        ({"events": (Event(id="E1", type="X"),)}, "events"),
        ({"coreferences": (Coreference(id="C1", entities=("T1",)),), "entities": (MENTION,)}, "coreferences"),
        ({"passages": (Passage(type="section", span=Span(0, 3)),)}, "a title and an abstract"),
        ({"passages": (Passage(type="title", span=Span(0, 1)),)}, "not the whole text"),
        ({"document_ids": ("pmid:1", "pmcid:PMC2")}, "one id"),
        ({"id": "a|b"}, "this id"),
        ({"document_ids": ("pmid:2",)}, "of the document alone"),
        ({"entities": (Entity(id="T1", type="X\tY", text="a", spans=(Span(0, 1),)),)}, "a tab"),
        (
            {
                "entities": (
                    Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), concepts=(Concept(db="D", id="1|2"),)),
                )
            },
            "apart",
        ),
        (
            {
                "entities": (MENTION,),
                "relations": (
                    Relation(
                        id="R1",
                        type="CID",
                        arguments=(
                            Argument(role="Chemical", kind="concept", ref="D1"),
                            Argument(role="Disease", kind="concept", ref="D1"),
                        ),
                    ),
                ),
            },
            "roles",
        ),
    ],
)
def test_what_would_be_lost_is_refused(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    whole: dict[str, Any] = {"id": "1", "text": "a b", **WHOLE, **fields}
    with pytest.raises(FormatError, match=said):
        pubtator.write([Document(**whole)], tmp_path / "out.txt")
