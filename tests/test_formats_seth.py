"""SETH: texts in a table, annotations in brat files; and brat folders whose annotations lie elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import brat, seth
from taiyi.schema import Document, Reject


def put(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def read(tmp_path: Path, table: str, **files: str) -> list[Any]:
    put(tmp_path, {"corpus.txt": table, "annotations/.keep": ""})
    put(tmp_path, {f"annotations/{name.removeprefix('a')}.ann": text for name, text in files.items()})
    return list(seth.read(tmp_path / "annotations", corpus="c", split="train", lang="en"))


def test_texts_and_their_annotations(tmp_path: Path) -> None:
    ann = "T1\tSNP 0 4\tV12M\nT2\tGene 8 11\tABC\nR1\tAssociatedTo Arg1:T1 Arg2:T2\t\n"
    first, second = read(tmp_path, "901\tV12M in ABC.\n902\tNone.\n", a901=ann, a902="")
    assert (first.id, first.document_ids, first.text) == ("901", ("pmid:901",), "V12M in ABC.")
    assert [(e.type, e.text) for e in first.entities] == [("SNP", "V12M"), ("Gene", "ABC")]
    assert [r.type for r in first.relations] == ["AssociatedTo"]
    assert (second.text, second.entities) == ("None.", ())


def test_an_event_without_arguments_leaves_its_trigger_an_entity(tmp_path: Path) -> None:
    reject, document = read(tmp_path, "901\tV12M\n", a901="T1\tSNP 0 4\tV12M\nE1\tSNP:T1\n")
    assert (reject.where, reject.reason) == ("901.ann:2", "event without arguments")
    assert [e.id for e in document.entities] == ["T1"]
    assert document.events == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("901 no tab", "malformed line"),
        ("../x\ttext", "malformed line"),
        ("902\ttext", "no annotation file"),
        (f"{'9' * 400}\ttext", "no annotation file"),
        ("901\tagain", "repeated document"),
    ],
)
def test_lines_that_are_no_document(tmp_path: Path, line: str, reason: str) -> None:
    items = read(tmp_path, f"901\tText\n{line}\n", a901="")
    assert [(i.where, i.reason) for i in items if isinstance(i, Reject)] == [("corpus.txt:2", reason)]


def test_a_table_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no text"):
        read(tmp_path, "\n")
    (tmp_path / "corpus.txt").unlink()
    with pytest.raises(FormatError, match="texts of the annotations are missing"):
        list(seth.read(tmp_path / "annotations", corpus="c", split="train", lang="en"))


def test_brat_files_in_two_folders(tmp_path: Path) -> None:
    put(tmp_path, {"corpus/x.txt": "Gout", "annotations/x.ann": "T1\tDISEASE 0 4\tGout\n", "corpus/y.txt": "No"})
    put(tmp_path, {"annotations/z.ann": ""})
    options: dict[str, Any] = {"annotations": "../annotations", "types": {"DISEASE": "disease"}}
    items = list(brat.read(tmp_path / "corpus", corpus="c", split="train", lang="en", **options))
    assert [(i.where, i.reason) for i in items if isinstance(i, Reject)] == [
        ("y.txt", "no annotation file"),
        ("z.ann", "annotations without a text"),
    ]
    assert [(e.type, e.text) for i in items if isinstance(i, Document) for e in i.entities] == [("disease", "Gout")]


def test_brat_documents_of_some_names(tmp_path: Path) -> None:
    put(
        tmp_path,
        {f"{name}.{end}": "Text" if end == "txt" else "" for name in ("1_a", "1_b", "2_a") for end in ("txt", "ann")},
    )
    items = brat.read(tmp_path, corpus="c", split="train", lang="en", matching=r"(1|3)_.*")
    assert [i.id for i in items if not isinstance(i, Reject)] == ["1_a", "1_b"]
