"""Pairs of texts in items of any kind, and in formats of their own."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import finite, names, texts
from taiyi.errors import FormatError
from taiyi.formats import biosses, pairs, rqe, scifact
from taiyi.schema import Labelled, Pair, Record, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}
HEAD = {key: st.just(value) for key, value in HERE.items()}


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def lines(*items: Any) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def rejected(items: list[Record | Reject]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Reject)]


def values(items: list[Record | Reject]) -> list[tuple[str, str | None, float | None]]:
    return [(item.id, item.label, item.value) for item in items if isinstance(item, Pair)]


def test_the_value_of_a_pair_is_the_mean_of_its_raters(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", "id\tfirst\tsecond\ta\tb\n7\tx\ty\t1\t2\n8\tx\tz\t1\t\n9\tz\ty\tnan\t1\n")
    items = list(pairs.read(path, **HERE, value_key=("a", "b"), id_prefix="A", delimiter="\t"))
    assert values(items) == [("A7", None, 1.5)]
    assert rejected(items) == [("a.tsv:3", "malformed line"), ("a.tsv:4", "malformed line")]


def test_pairs_of_a_split_are_chosen_by_id(tmp_path: Path) -> None:
    path = put(tmp_path / "a", lines(*({"id": n, "first": "x", "second": "y", "value": n} for n in range(4))))
    assert values(list(pairs.read(path, **HERE, value_key="value", ids={"1", "3"}))) == [
        ("1", None, 1.0),
        ("3", None, 3.0),
    ]


@pytest.mark.parametrize("value", [True, "x", "", None, [], 1e400, 10**400, "9" * 5000, float("nan")])
def test_a_value_that_is_no_number(tmp_path: Path, value: Any) -> None:
    path = put(tmp_path / "a", lines({"first": "x", "second": "y", "value": value}))
    assert rejected(list(pairs.read(path, **HERE, value_key="value"))) == [("a:1", "malformed line")]


def test_labels_of_pairs(tmp_path: Path) -> None:
    given_labels: list[Any] = [1, " 0 ", 2.0, False, "", None, "other", []]
    path = put(tmp_path / "a", lines(*({"first": "x", "second": "y", "label": label} for label in given_labels)))
    options: dict[str, Any] = {"label_key": "label", "names": {"1": "yes"}}
    items = list(pairs.read(path, **HERE, **options))
    assert [label for _, label, _ in values(items)] == ["yes", "0", "2", "false", "other"]
    assert [reason for _, reason in rejected(items)] == ["malformed line"] * 3


@given(
    items=st.lists(
        st.builds(Pair, **HEAD, id=names, first=texts, second=texts, label=names)
        | st.builds(Pair, **HEAD, id=names, first=texts, second=texts, value=finite),
        min_size=1,
        max_size=3,
    )
)
def test_pairs_are_written_and_read(tmp_path_factory: pytest.TempPathFactory, items: list[Pair]) -> None:
    path = tmp_path_factory.mktemp("pairs") / "a.json"
    for kind in ("label", "value"):
        chosen = [item for item in items if (item.label is None) == (kind == "value")]
        if chosen:
            pairs.write(chosen, path)
            options: dict[str, Any] = {f"{kind}_key": kind}
            assert list(pairs.read(path, **HERE, **options)) == chosen


def test_pairs_that_would_not_be_read_are_not_written(tmp_path: Path) -> None:
    for record, said in (
        (Labelled(**HERE, id="1", text="a", labels=()), "only pairs"),
        (Pair(**HERE, id="1", first="a", second="b", label=" c"), "white space"),
        (Pair(**HERE, id="1", first="a", second="b", value=float("inf")), "not a number"),
    ):
        with pytest.raises(FormatError, match=said):
            pairs.write([record], tmp_path / "a")


def test_question_pairs(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.xml",
        '<r><pair pid="1" type="t" value="true"> \n<chq>\n  Is A &amp; B?\n</chq><faq>B?</faq></pair>\n'
        '<pair pid="2" value="false"><chq>A?</chq><faq> </faq></pair>'
        '<pair pid="3"><chq>A?</chq><faq>B?</faq></pair></r>',
    )
    items = list(rqe.read(path, **HERE))
    assert items[0] == Pair(**HERE, id="1", first="Is A & B?", second="B?", label="true")
    assert rejected(items) == [("a.xml:5", "empty question"), ("a.xml:5", "malformed line")]


def claim(key: Any, evidence: Any, cited: Any) -> dict[str, Any]:
    return {"id": key, "claim": "C.", "evidence": evidence, "cited_doc_ids": cited}


def test_claims_with_what_they_cite(tmp_path: Path) -> None:
    abstracts = [{"doc_id": n, "title": f"T{n}", "abstract": ["One. ", "Two."]} for n in (1, 2)]
    put(tmp_path / "corpus.jsonl", lines(*abstracts, {"doc_id": "3"}))
    both = [{"label": "SUPPORT", "sentences": [0]}, {"label": "CONTRADICT", "sentences": [1]}]
    path = put(
        tmp_path / "claims.jsonl",
        lines(
            claim(1, {"1": both[:1]}, [1, 2]),
            claim(2, {"1": both, "2": []}, [1, 3]),
            claim(3, {"1": [{"label": []}]}, [1]),
            claim("4", {}, [1]),
            claim(5, {}, ["1"]),
        ),
    )
    items = list(scifact.read(path, **HERE))
    assert [(i.id, i.label, i.second, i.document_ids) for i in items if isinstance(i, Pair)] == [
        ("1_1", "SUPPORT", "T1\nOne. Two.", ("s2orc:1",)),
        ("1_2", "NOT_ENOUGH_INFO", "T2\nOne. Two.", ("s2orc:2",)),
    ]
    assert rejected(items) == [
        ("corpus.jsonl:3", "malformed line"),
        ("claims.jsonl:2", "evidence without one label"),
        ("claims.jsonl:2", "abstract is missing"),
        ("claims.jsonl:2", "evidence without one label"),
        ("claims.jsonl:3", "evidence without one label"),
        ("claims.jsonl:4", "malformed line"),
        ("claims.jsonl:5", "malformed line"),
    ]
    (tmp_path / "corpus.jsonl").unlink()
    with pytest.raises(FormatError, match="abstracts is missing"):
        list(scifact.read(path, **HERE))


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(rows: list[list[str]] | None, *, before: str = "") -> bytes:
    cells = [[f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in row] for row in rows or []]
    table = "<w:tbl>" + "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in cells) + "</w:tbl>" if cells else ""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "word/document.xml", f'{before}<w:document xmlns:w="{W}"><w:body>{table}</w:body></w:document>'
        )
    return file.getvalue()


def test_tables_of_two_documents(tmp_path: Path) -> None:
    path = tmp_path / "pairs.docx"
    header = ["", "One", "Two"]
    path.write_bytes(docx([header, ["1", "a", "b"], ["2", "c", "d"], ["3", "e", "f"], ["4", "g"], ["5", "h", "i"]]))
    (tmp_path / "scores.docx").write_bytes(docx([header, ["1", "4", "3"], ["2", "x", "1"], ["5", "0", "1"]]))
    items = list(biosses.read(path, **HERE, scores="scores.docx"))
    assert values(items) == [("1", None, 3.5), ("5", None, 0.5)]
    assert [reason for _, reason in rejected(items)] == [
        "pair without scores", "pair without scores", "malformed line",
    ]  # fmt: skip
    chosen = list(biosses.read(path, **HERE, scores="scores.docx", ids={"5"}))
    assert values(chosen) == [("5", None, 0.5)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a DOCX"),
        (docx([["", "One", "Two"], ["1", "a", "b"]])[:-40], "not a DOCX"),
        (docx(None), "no table"),
        (docx(None, before='<!DOCTYPE x [<!ENTITY a "aaaa">]>'), "defines XML entities"),
        (docx([["", "&bad;"]]), "not well-formed"),
    ],
)
def test_a_document_without_a_table_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "pairs.docx"
    path.write_bytes(content)
    (tmp_path / "scores.docx").write_bytes(docx([["", "A"], ["1", "4"]]))
    with pytest.raises(FormatError, match=said):
        list(biosses.read(path, **HERE, scores="scores.docx"))
