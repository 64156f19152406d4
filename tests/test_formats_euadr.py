"""EU-ADR: rows that are marked true or false, and texts from PubMed's XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import euadr
from taiyi.schema import Argument, Document, Passage, Reject, Span

HEAD: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}
ARTICLE = (
    "<PubmedArticle><MedlineCitation><PMID>7</PMID><Article><ArticleTitle>Oxil <i>in</i> gout.</ArticleTitle><Abstract>"
    '<AbstractText Label="AIM">Oxil\n helps.</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>'
)
OXIL = "Drug-Disorder\tTrue\tconcept\tOxil\t0\t4\tx\tx\t1\tDrug"
OTHER = "Drug-Disorder\tTrue\tconcept\tOxil\t0\t4\tx\tx\t1\tGene"
GOUT = "Drug-Disorder\tTrue\tconcept\tgout\t8\t12\tx\tx\t2\tDisease"
RELATION = "Drug-Disorder\tTrue\trelation\t1\t2\tx\tx\t0:4\t8:12\tx\tPA"


def read(path: Path, *rows: str) -> tuple[Document, list[Reject]]:
    (path / "folder").mkdir()
    (path / "pubmed.xml").write_text(f"<PubmedArticleSet>{ARTICLE}</PubmedArticleSet>")
    (path / "folder" / "7.txt").write_text("\n".join(rows) + "\n")
    (path / "folder" / "._7.txt").write_text("of a Mac")
    items = list(euadr.read(path / "folder", **HEAD, pair_types={"Drug": "Drug"}))
    (document,) = [item for item in items if isinstance(item, Document)]
    return document, [item for item in items if isinstance(item, Reject)]


def test_a_document(tmp_path: Path) -> None:
    document, rejects = read(tmp_path, RELATION, OTHER, OXIL, GOUT)
    assert rejects == []
    assert document.text == "Oxil in gout. AIM: Oxil helps."
    assert document.document_ids == ("pmid:7",)
    assert document.passages == (Passage(type="title", span=Span(0, 13)), Passage(type="abstract", span=Span(14, 30)))
    assert [(e.id, e.type, e.text) for e in document.entities] == [
        ("T1", "Gene", "Oxil"),
        ("T2", "Drug", "Oxil"),
        ("T3", "Disease", "gout"),
    ]
    (relation,) = document.relations
    assert relation.type == "PA"
    assert relation.arguments == (
        Argument(role="Drug", kind="entity", ref="T2"),
        Argument(role="Disorder", kind="entity", ref="T3"),
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (OXIL.replace("True", "False"), "marked false"),
        (RELATION.replace("True", "False"), "marked false"),
        (RELATION, "relation to a mention that is not there"),
        (OXIL.replace("Oxil", "Gold"), "mention does not match the text"),
        (OXIL.replace("\t0\t", "\tx\t"), "malformed line"),
        ("Drug-Disorder\tTrue\tconcept\tOxil", "malformed line"),
        ("some text", "malformed line"),
    ],
)
def test_faults_are_rejected(tmp_path: Path, row: str, reason: str) -> None:
    document, (reject,) = read(tmp_path, row)
    assert (document.entities, document.relations, reject.reason) == ((), (), reason)


def test_texts_must_be_there(tmp_path: Path) -> None:
    read(tmp_path, OXIL)
    (tmp_path / "folder" / "8.txt").write_text(OXIL)
    *_, reject = euadr.read(tmp_path / "folder", **HEAD)
    assert isinstance(reject, Reject)
    assert reject.reason == "annotations without a text"
    (tmp_path / "pubmed.xml").unlink()
    with pytest.raises(FormatError, match="the texts are missing"):
        list(euadr.read(tmp_path / "folder", **HEAD))
    (tmp_path / "pubmed.xml").write_text("<PubmedArticleSet/>")
    with pytest.raises(FormatError, match="holds no annotations"):
        list(euadr.read(tmp_path, **HEAD, texts="pubmed.xml"))
