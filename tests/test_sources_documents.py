"""Documents of users: each kind is read as it should be, and cut into passages that stand where they say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import SourceError
from taiyi.knowledge.sources import documents, passages
from taiyi.knowledge.sources.documents import Source
from taiyi.schema import Reject

PUBMED = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "https://dtd.nlm.nih.gov/p.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation><PMID Version="1">1</PMID>
<Article><ArticleTitle>Zelomab in <i>Mus musculus</i>.</ArticleTitle>
<Abstract><AbstractText Label="METHODS">Nine mice got 10<sup>5</sup> cells.</AbstractText>
<AbstractText Label="RESULTS">β-zelin rose.</AbstractText>
<CopyrightInformation>X</CopyrightInformation></Abstract></Article>

<OtherAbstract Type="Publisher" Language="chi">
<AbstractText>九只小鼠。</AbstractText></OtherAbstract></MedlineCitation>
<PubmedData><ReferenceList>
<Reference><ArticleIdList><ArticleId IdType="pubmed">99</ArticleId></ArticleIdList></Reference>
</ReferenceList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID Version="1">2</PMID><Article><ArticleTitle>A title alone.</ArticleTitle></Article>
</MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID Version="1">3</PMID><Article></Article></MedlineCitation></PubmedArticle>
<PubmedBookArticle><BookDocument><PMID Version="1">4</PMID><Book><BookTitle>Drugs</BookTitle></Book>
<ArticleTitle>Zelomab</ArticleTitle><Abstract><AbstractText>Not known in milk.</AbstractText></Abstract></BookDocument>
</PubmedBookArticle>
<DeleteCitation><PMID Version="1">5</PMID></DeleteCitation>
</PubmedArticleSet>
"""
BIOC_DOCUMENT: dict[str, Any] = {
    "id": "7",
    "infons": {},
    "passages": [
        {"offset": 0, "infons": {"type": "title"}, "text": "Aspirin.", "annotations": [], "relations": []},
        {
            "offset": 9,
            "infons": {"type": "abstract"},
            "text": "It may cause asthma.",
            # Stands nowhere in the text: that concerns no source.
            "annotations": [
                {"id": "1", "infons": {"type": "X"}, "text": "z", "locations": [{"offset": 90, "length": 1}]}
            ],
            "relations": [],
        },
    ],
    "annotations": [],
    "relations": [],
}
BIOC_XML = """<?xml version="1.0"?><collection><source/><date/><key/><document><id>7</id>
<passage><infon key="type">title</infon><offset>0</offset><text>Aspirin.</text></passage>
<passage><infon key="type">abstract</infon><offset>9</offset><text>It may cause asthma.</text></passage>
</document></collection>"""


def test_citations_of_pubmed(tmp_path: Path) -> None:
    path = tmp_path / "pubmed.xml.gz"
    path.write_bytes(gzip.compress(PUBMED.encode()))
    found = list(documents.read(path))
    assert [one for one in found if isinstance(one, Source)] == [
        Source("1", "Zelomab in Mus musculus.", "METHODS: Nine mice got 105 cells.\nRESULTS: β-zelin rose."),
        Source("1-2", "Zelomab in Mus musculus.", "九只小鼠。"),
        Source("2", "A title alone.", "A title alone."),
        Source("4", "Zelomab", "Not known in milk."),
    ]
    assert [one.reason for one in found if isinstance(one, Reject)] == ["citation without a title and an abstract"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xml", BIOC_XML),
        ("a.json", json.dumps({"source": "", "documents": [BIOC_DOCUMENT]})),
        ("a.jsonl", json.dumps(BIOC_DOCUMENT) + "\n"),
    ],
)
def test_bioc(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert list(documents.read(tmp_path / name)) == [Source("7", "Aspirin.", "Aspirin. It may cause asthma.")]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {"id": "x", "title": "T", "text": "One."},
        {"pmid": 5, "abstract": "Two."},
        {"contents": "三。", "more": [1]},
        {"id": "none"},
        {"id": ["x"], "text": "Bad id."},
        {"id": "y", "text": 5},
        {"id": "blank", "text": " \n"},
    ]
    path.write_text("\n".join([*map(json.dumps, rows), "{damaged"]), encoding="utf-8")
    found = list(documents.read(path))
    assert [one for one in found if isinstance(one, Source)] == [
        Source("x", "T", "One."),
        Source("5", "", "Two."),
        Source(f"{path}:3", "", "三。"),
    ]
    reasons = [one.reason for one in found if isinstance(one, Reject)]
    assert reasons == [
        documents.NO_TEXT,
        "malformed document",
        "malformed document",
        documents.NO_TEXT,
        "malformed line",
    ]


def test_texts_keep_their_characters(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffOne.\r\nTwo 😀.\r\n".encode())
    (tmp_path / "b.md").write_text("intro\n\n## The **title** ##\n\nText.\n")
    assert list(documents.read(tmp_path / "a.txt")) == [Source(str(tmp_path / "a.txt"), "a", "One.\r\nTwo 😀.\r\n")]
    (found,) = documents.read(tmp_path / "b.md")
    assert isinstance(found, Source)
    assert (found.title, found.text) == ("The **title**", "intro\n\n## The **title** ##\n\nText.\n")


def test_a_folder_is_read_in_order_and_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    (tmp_path / "b" / ".git").mkdir(parents=True)
    (tmp_path / "b" / ".git" / "c.txt").write_text("hidden")
    (tmp_path / "b" / "one.txt").write_text("One.")
    (tmp_path / "a.jsonl").write_text('{"id": "1", "text": "A."}\n{"id": "1", "text": "B."}\n')
    (tmp_path / "z.pdf").write_bytes(b"%PDF")
    (tmp_path / "y.xml").write_text("<html><p>x</p></html>")
    (tmp_path / "x.xml").write_text("<PubmedArticleSet><PubmedArticle>")
    (tmp_path / "w.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "v.txt.gz").write_bytes(gzip.compress(b"text" * 999)[:20])
    (tmp_path / "bomb.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]><PubmedArticleSet>&a;</PubmedArticleSet>')
    files = documents.files([tmp_path, tmp_path / "a.jsonl"])
    assert [file.name for file in files] == [
        *("a.jsonl", "one.txt", "bomb.xml", "v.txt.gz", "w.txt", "x.xml", "y.xml", "z.pdf")
    ]
    reader = passages.Reader()
    read = [one for file in files for one in reader.read(file)]
    assert [one.text for one in read if isinstance(one, passages.Passage)] == ["A.", "One."]
    assert reader.counts.rejects == {passages.AGAIN: 1, documents.UNREADABLE: 4, documents.UNKNOWN: 2}
    assert sum(isinstance(one, Reject) for one in read) == 7


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        documents.files([tmp_path / "none"])


@given(
    st.lists(
        st.sampled_from(["Aspirin causes asthma. ", "阿司匹林引起哮喘。", "word ", "\n", "x" * 30, " ", "😀"]),
        min_size=1,
    ),
    st.integers(5, 60),
)
def test_passages_stand_where_they_say_and_hold_everything(parts: list[str], max_chars: int) -> None:
    text = "".join(parts)
    cut = list(passages.cut(Source("d", "T", text), max_chars))
    covered = [index for p in cut for index in range(p.start, p.start + len(p.text))]
    assert all(text[p.start : p.start + len(p.text)] == p.text and 0 < len(p.text) <= max_chars for p in cut)
    assert len(covered) == len(set(covered))
    assert all(text[index].isspace() for index in set(range(len(text))) - set(covered))
    assert len({p.id for p in cut}) == len(cut)


def test_long_texts_are_cut_at_sentences() -> None:
    text = "Aspirin may cause asthma. " * 10
    cut = list(passages.cut(Source("d", "", text), 60))
    assert [len(p.text) for p in cut] == [51] * 5
    assert all(p.text.startswith("Aspirin") and p.text.endswith("asthma.") for p in cut)
