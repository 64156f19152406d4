"""DrugProt's three tables and CHEMDNER's two: what they hold, what is missing, and round trips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import chemdner, drugprot
from taiyi.schema import Argument, Concept, Document, Entity, Passage, Reject, Relation, Span

WHOLE: dict[str, Any] = {"corpus": "c", "split": "dev", "lang": "en"}
TABLES = {"entities": "e.tsv", "relations": "r.tsv"}
ABSTRACTS = "7\tAspirin and COX.\tIt blocks COX.\n8\tNothing.\t"
ENTITIES = "7\tT1\tCHEMICAL\t0\t7\tAspirin\n7\tT2\tGENE\t27\t30\tCOX"
RELATIONS = "7\tINHIBITOR\tArg1:T1\tArg2:T2\n"


def read(tmp_path: Path, **texts: str) -> tuple[list[Document], list[Reject]]:
    given = {"a": ABSTRACTS, "e": ENTITIES, "r": RELATIONS} | texts
    for name, text in given.items():
        (tmp_path / f"{name}.tsv").write_bytes(text.encode())
    items = list(drugprot.read(tmp_path / "a.tsv", **TABLES, **WHOLE))
    return [i for i in items if isinstance(i, Document)], [i for i in items if isinstance(i, Reject)]


def test_tables_without_a_final_line_break(tmp_path: Path) -> None:
    (document, other), rejects = read(tmp_path)
    assert rejects == []
    assert document.text == "Aspirin and COX. It blocks COX."
    assert [(e.id, e.type, e.text) for e in document.entities] == [("T1", "CHEMICAL", "Aspirin"), ("T2", "GENE", "COX")]
    arguments = (Argument(role="Arg1", kind="entity", ref="T1"), Argument(role="Arg2", kind="entity", ref="T2"))
    assert document.relations == (Relation(id="R1", type="INHIBITOR", arguments=arguments),)
    assert (other.text, [p.type for p in other.passages]) == ("Nothing.", ["title"])


@pytest.mark.parametrize(
    ("table", "line", "where", "reason"),
    [
        ("e", "7\tT3\tGENE\t0\t3\tCOX", "e.tsv:3", "mention does not match the text"),
        ("e", "7\tT3\tGENE\tx\t3\tCOX", "e.tsv:3", "malformed line"),
        ("e", "7\tT2\tGENE\t12\t15\tCOX", "e.tsv:3", "repeated mention"),
        ("e", "7\tT3\tGENE", "e.tsv:3", "malformed line"),
        ("e", "9\tT1\tGENE\t0\t3\tCOX", "e.tsv:3", "row of a document that is not there"),
        ("r", "7\tINHIBITOR\tArg1:T1\tArg2:T9", "r.tsv:2", "relation to a mention that is not there"),
        ("r", "7\tINHIBITOR\tT1\tT2", "r.tsv:2", "malformed line"),
        ("a", "7\tAgain.\tAgain.", "a.tsv:3", "repeated document"),
        ("a", "seven", "a.tsv:3", "malformed line"),
    ],
)
def test_a_bad_row_is_rejected_and_the_rest_is_read(
    tmp_path: Path, table: str, line: str, where: str, reason: str
) -> None:
    text = {"a": ABSTRACTS, "e": ENTITIES, "r": RELATIONS}[table].rstrip("\n")
    documents, (reject,) = read(tmp_path, **{table: f"{text}\n{line}\n"})
    assert (reject.where, reject.reason) == (where, reason)
    assert [d.id for d in documents] == ["7", "8"]
    assert len(documents[0].relations) == 1


def test_a_relation_has_an_id_of_its_own(tmp_path: Path) -> None:
    (document, _), _ = read(tmp_path, e=ENTITIES.replace("T1", "R1"), r=RELATIONS.replace("T1", "R1"))
    assert [r.id for r in document.relations] == ["R2"]


def test_other_tables_are_refused(tmp_path: Path) -> None:
    for texts in ({"a": "prose\n"}, {"a": ""}, {"e": "prose\n"}, {"r": ENTITIES}):
        with pytest.raises(FormatError):
            read(tmp_path, **texts)
    (tmp_path / "r.tsv").unlink()
    with pytest.raises(FormatError, match=r"r\.tsv: a table of annotations is missing"):
        list(drugprot.read(tmp_path / "a.tsv", **TABLES, **WHOLE))


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=6)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    title, body = draw(WORDS), draw(st.one_of(st.just(""), WORDS))
    text = f"{title} {body}" if body else title
    passages = [Passage(type="title", span=Span(0, len(title)))]
    passages += [Passage(type="abstract", span=Span(len(title) + 1, len(text)))] if body else []
    starts = draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=4))
    spans = [Span(start, draw(st.integers(start + 1, len(text)))) for start in starts]
    entities = tuple(
        Entity(id=f"T{n}", type="GENE", text=text[s.start : s.end], spans=(s,)) for n, s in enumerate(spans)
    )
    ends = st.sampled_from([entity.id for entity in entities])
    relations = tuple(
        Relation(
            id=f"R{n + 1}",
            type="PART-OF",
            arguments=(Argument(role="Arg1", kind="entity", ref=a), Argument(role="Arg2", kind="entity", ref=b)),
        )
        for n, (a, b) in enumerate(draw(st.lists(st.tuples(ends, ends), max_size=3)))
    )
    return Document(
        id="7",
        document_ids=("pmid:7",),
        text=text,
        passages=tuple(passages),
        entities=entities,
        relations=relations,
        **WHOLE,
    )


@given(documents())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.mktemp("drugprot") / "a.tsv"
    drugprot.write([document], path, **TABLES)
    assert list(drugprot.read(path, **TABLES, **WHOLE)) == [document]


MENTION = Entity(id="T1", type="X", text="a", spans=(Span(0, 1),))


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "a\tb"},
        {"document_ids": ("pmid:2",)},
        {"passages": (Passage(type="section", span=Span(0, 3)),)},
        {"entities": (Entity(id="T1", type="X", text="a b", spans=(Span(0, 1), Span(2, 3))),)},
        {"entities": (Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), attributes={"k": "v"}),)},
        {"entities": (Entity(id="T1", type="X", text="a", spans=(Span(0, 1),), concepts=(Concept(db="D", id="1"),)),)},
        {"entities": (MENTION,), "relations": (Relation(id="R1", type="X", arguments=()),)},
    ],
)
def test_what_would_be_lost_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"id": "1", "text": "a b", **WHOLE, **fields}
    with pytest.raises(FormatError):
        drugprot.write([Document(**whole)], tmp_path / "a.tsv", **TABLES)


# --- CHEMDNER ---------------------------------------------------------------------------------------------------------


def test_mentions_count_from_title_or_abstract(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("7\tZinc.\tOf zinc.\n8\tTin.\t\n", encoding="utf-8")
    rows = "7\tT\t0\t4\tZinc\tTRIVIAL\n7\tA\t3\t7\tzinc\tTRIVIAL\n7\tT\t3\t9\tc. Of \tFAMILY\n7\tX\t0\t1\tZ\tFAMILY\n"
    (tmp_path / "m.tsv").write_text(rows, encoding="utf-8")
    items = list(chemdner.read(tmp_path / "a.tsv", annotations="m.tsv", **WHOLE))
    first, second = (item for item in items if isinstance(item, Document))
    assert [(e.id, e.spans[0], e.text) for e in first.entities] == [("T1", (0, 4), "Zinc"), ("T2", (9, 13), "zinc")]
    assert (second.text, second.entities) == ("Tin.", ())
    assert [(r.where, r.reason) for r in items if isinstance(r, Reject)] == [
        ("m.tsv:3", "span outside the text"),
        ("m.tsv:4", "malformed line"),
    ]
