"""The other formats: the CHIP-2020 text, Hallmarks of Cancer's folders, and LitCovid's tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import chip2020, hoc, litcovid
from taiyi.schema import Document, Entity, Labelled, Record, Reject, Span

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def labels(items: list[Record | Reject]) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.id, item.labels) for item in items if isinstance(item, Labelled)]


def test_chip2020_ends_are_inclusive_and_faults_are_rejected(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a.txt",
        "肺部感染。|||0    1    bod|||0    3    dis|||\n肺|||3    2    dis|||x    2    dis|||\n|||0    0    x|||\n",
    )
    first, outside, malformed, second, empty = chip2020.read(path, **HERE)
    assert isinstance(first, Document)
    assert [(e.text, e.type) for e in first.entities] == [("肺部", "bod"), ("肺部感染", "dis")]
    assert isinstance(second, Document)
    assert (second.id, second.entities) == ("2", ())
    assert isinstance(outside, Reject)
    assert (outside.where, outside.reason) == ("a.txt:2", "span outside the text")
    assert isinstance(malformed, Reject)
    assert malformed.reason == "malformed mention"
    assert isinstance(empty, Reject)


def test_chip2020_refuses_plain_text(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a\.txt:1"):
        list(chip2020.read(put(tmp_path / "a.txt", "没有标注的句子\n"), **HERE))


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs")), min_size=1, max_size=20), st.data())
def test_chip2020_is_read_back(tmp_path_factory: pytest.TempPathFactory, text: str, data: st.DataObject) -> None:
    text = f"{text}。"
    starts = data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4))
    ends = [data.draw(st.integers(start + 1, len(text))) for start in starts]
    entities = tuple(
        Entity(id=f"T{n + 1}", type="dis", text=text[s:e], spans=(Span(s, e),))
        for n, (s, e) in enumerate(zip(starts, ends, strict=True))
    )
    document = Document(id="1", text=text, entities=entities, **HERE)
    path = tmp_path_factory.mktemp("chip") / "a.txt"
    chip2020.write([document], path)
    assert list(chip2020.read(path, **HERE)) == [document]


def test_chip2020_does_not_write_what_it_cannot_hold(tmp_path: Path) -> None:
    for text in ("a|||b", "a\nb", "a|"):
        with pytest.raises(FormatError):
            chip2020.write([Document(id="1", text=text, **HERE)], tmp_path / "a.txt")


def test_hoc_takes_the_top_level_of_each_label(tmp_path: Path) -> None:
    put(tmp_path / "text/7.txt", "One .\nTwo .\nThree .\nFour .\n")
    put(
        tmp_path / "labels/7.txt",
        "< <Resisting cell death--Apoptosis ANDResisting cell death--Necrosis ANDInducing angiogenesis< NULL "
        "<Cellular energetics",
    )
    items = list(hoc.read(tmp_path, **HERE))
    assert labels(items) == [
        ("7_0", ("none",)),
        ("7_1", ("Resisting cell death", "Inducing angiogenesis")),
        ("7_2", ("none",)),
        ("7_3", ("Cellular energetics",)),
    ]
    assert isinstance(items[0], Labelled)
    assert items[0].document_ids == ("pmid:7",)


def test_hoc_splits_by_document_and_puts_the_rest_in_train(tmp_path: Path) -> None:
    for key in ("1", "2", "3"):
        put(tmp_path / f"text/{key}.txt", "A .\n")
        put(tmp_path / f"labels/{key}.txt", "< ")
    for split, key in (("train", ""), ("dev", "1"), ("test", "2")):
        put(tmp_path / f"lists/{split}.tsv", f"pmid\ttext\n{key}\tx\n")
    found = {
        split: [i for i, _ in labels(list(hoc.read(tmp_path, corpus="c", split=split, lang="en", split_dir="lists")))]
        for split in ("train", "dev", "test")
    }
    assert found == {"train": ["3_0"], "dev": ["1_0"], "test": ["2_0"]}
    put(tmp_path / "lists/test.tsv", "pmid\ttext\n1\tx\n")
    with pytest.raises(FormatError, match="in two splits"):
        list(hoc.read(tmp_path, split_dir="lists", **HERE))


def test_hoc_rejects_documents_whose_labels_do_not_fit(tmp_path: Path) -> None:
    put(tmp_path / "text/1.txt", "A .\nB .\n")
    put(tmp_path / "labels/1.txt", "< ")
    put(tmp_path / "text/2.txt", "A .\n")
    items = list(hoc.read(tmp_path, **HERE))
    assert [i.reason for i in items if isinstance(i, Reject)] == [
        "sentences and labels differ in number",
        "document without labels",
    ]
    with pytest.raises(FormatError):
        list(hoc.read(tmp_path / "nowhere", **HERE))


def test_litcovid_table(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", "pmid\ttext\tlabels\n5\tA text.\tTreatment;Mechanism\n6\tno labels\t\n7\tshort\n")
    items = list(litcovid.read(path, **HERE))
    assert labels(items) == [("5", ("Treatment", "Mechanism"))]
    assert [i.where for i in items if isinstance(i, Reject)] == ["a.tsv:3", "a.tsv:4"]
    with pytest.raises(FormatError, match="header"):
        list(litcovid.read(put(tmp_path / "b.tsv", "5\tA text.\tTreatment\n"), **HERE))


def test_litcovid_one_hot(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", 'Title_keywords,Case Report,Diagnosis\n"a, b",0,1\n,1,0\nc,1,1\nd,2,0\ne,1\n')
    items = list(litcovid.read_one_hot(path, **HERE))
    assert labels(items) == [("1", ("Diagnosis",)), ("3", ("Case Report", "Diagnosis"))]
    assert [i.reason for i in items if isinstance(i, Reject)] == ["empty text", "malformed line", "malformed line"]
