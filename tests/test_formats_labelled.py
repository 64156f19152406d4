"""Labelled texts in items of any kind, and in formats of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import characters, names, texts
from taiyi.errors import FormatError
from taiyi.formats import hoc, labelled, rows, speakers
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


def labels(items: list[Record | Reject]) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.id, item.labels) for item in items if isinstance(item, Labelled)]


@pytest.mark.parametrize(
    ("label", "options", "kept"),
    [
        ("a", {}, ("a",)),
        (" a ", {}, ("a",)),
        ("a;b; a", {}, ("a;b; a",)),
        ("a;b;; a", {"separator": ";"}, ("a", "b")),
        (["b", " ", "a"], {}, ("b", "a")),
        (1, {}, ("1",)),
        (1.0, {}, ("1",)),
        (1234567.5, {}, ("1234567.5",)),
        (10**400, {}, (str(10**400),)),
        (True, {}, ("true",)),
        (1, {"names": {"1": "yes"}}, ("yes",)),
        ([], {"unlabelled": True}, ()),
    ],
)
def test_labels(tmp_path: Path, label: Any, options: dict[str, Any], kept: tuple[str, ...]) -> None:
    path = put(tmp_path / "a", lines({"id": "x", "text": "A.", "label": label}))
    assert labels(list(labelled.read(path, **HERE, **options))) == [("x", kept)]


@pytest.mark.parametrize(
    ("item", "options", "reason"),
    [
        ({"text": "A.", "label": ""}, {}, "malformed line"),
        ({"text": "A.", "label": None}, {"without_label": "no label"}, "no label"),
        ({"text": "A.", "label": []}, {}, "malformed line"),
        ({"text": "A.", "label": ["a", 7]}, {}, "malformed line"),
        ({"text": "A.", "label": {}}, {}, "malformed line"),
        ({"text": "A."}, {"unlabelled": True}, "malformed line"),
        ({"text": "A.", "label": "d"}, {"known": {"a", "b"}}, "unknown label"),
        ({"text": "A.", "label": "a;d"}, {"known": {"a", "b"}, "separator": ";"}, "unknown label"),
        ({"text": " ", "label": "a"}, {}, "invalid record"),
        ({"label": "a"}, {}, "malformed line"),
        ({"id": {}, "text": "A.", "label": "a"}, {}, "malformed line"),
        ({"id": 1.5, "text": "A.", "label": "a"}, {}, "malformed line"),
    ],
)
def test_what_has_no_text_or_label_is_rejected(tmp_path: Path, item: Any, options: dict[str, Any], reason: str) -> None:
    items = list(labelled.read(put(tmp_path / "a", lines(item)), **HERE, **options))
    assert rejected(items) == [("a:1", reason)]
    assert len(items) == 1


def test_texts_of_several_columns_are_joined_and_documents_named(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", 'pmid,title,abstract,label\n5,T,"One.\nTwo.",a\n6,T,,a\n')
    options: dict[str, Any] = {"text_keys": ("title", "abstract"), "id_key": "pmid", "document_key": "pmid"}
    items = [item for item in labelled.read(path, **HERE, **options) if isinstance(item, Labelled)]
    assert [(i.id, i.document_ids, i.text) for i in items] == [
        ("5", ("pmid:5",), "T\nOne.\nTwo."),
        ("6", ("pmid:6",), "T"),
    ]


def test_a_part_of_a_file_keeps_the_positions(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", "".join(f"Text {n}.\ta\n" for n in range(5)))
    options: dict[str, Any] = {"columns": ("text", "label"), "delimiter": "\t"}
    for part, ids in (((0, 2), ["0", "1"]), ((3, None), ["3", "4"]), ((5, None), [])):
        assert [i for i, _ in labels(list(labelled.read(path, **HERE, **options, part=part)))] == ids


def test_ids_are_not_looked_for_without_a_key(tmp_path: Path) -> None:
    path = put(tmp_path / "a", lines({"id": "x", "text": "A.", "label": "a"}, {"id": "x", "text": "B.", "label": "a"}))
    assert [i for i, _ in labels(list(labelled.read(path, **HERE, id_key="")))] == ["0", "1"]


some_labels = st.lists(st.text(characters, min_size=1, max_size=6).filter(str.strip), unique=True, max_size=3)


@given(
    items=st.lists(
        st.builds(Labelled, **HEAD, id=names, text=texts, labels=some_labels.map(tuple)), min_size=1, max_size=3
    ),
    layout=st.sampled_from(["array", "lines"]),
)
def test_labelled_texts_are_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, items: list[Labelled], layout: Any
) -> None:
    path = tmp_path_factory.mktemp("labelled") / "a.json"
    labelled.write(items, path, layout=layout)
    assert list(labelled.read(path, **HERE, unlabelled=True)) == items


def test_labelled_texts_alone_are_written(tmp_path: Path) -> None:
    pair = Pair(**HERE, id="1", first="a", second="b", label="c")
    with pytest.raises(FormatError, match="only labelled texts"):
        labelled.write([pair], tmp_path / "a")
    with pytest.raises(FormatError, match="blank label"):
        labelled.write([Labelled(**HERE, id="1", text="a", labels=(" ",))], tmp_path / "a")


def test_hoc_takes_the_lists_of_blurb(tmp_path: Path) -> None:
    for key in ("1", "2", "3"):
        put(tmp_path / f"text/{key}.txt", "A .\n")
        put(tmp_path / f"labels/{key}.txt", "< ")
    for split, listed in (("train", "1.txt,3.txt\n"), ("dev", "2.txt"), ("test", "9.txt")):
        put(tmp_path / f"lists/{split}_pmid.tsv", listed)
    options: dict[str, Any] = {"split_dir": "lists", "split_ending": "_pmid.tsv", "others": None}
    assert [i for i, _ in labels(list(hoc.read(tmp_path, **HERE, **options)))] == ["1_0", "3_0"]
    (tmp_path / "lists/dev_pmid.tsv").unlink()
    with pytest.raises(FormatError, match="list of a split is missing"):
        list(hoc.read(tmp_path, **HERE, **options))


def test_keys_lead_into_lists() -> None:
    item: dict[str, Any] = {"a": [{"b": 1}, {"b": 2}], "a.0": 3}
    keys = ("a.1.b", "a.0", "a.2.b", "a.x", "a.²", "a.1.b.c", f"a.{'9' * 30}")
    assert [rows.value(item, key) for key in keys] == [2, 3, None, None, None, None, None]


def test_who_says_what(tmp_path: Path) -> None:
    said = ["patient: it hurts: here.", " doctor :since when?", "thanks", "nurse: hello", "patient: ", 7]
    path = put(tmp_path / "a.json", json.dumps([{"utterances": said}, {"utterances": "patient: a"}]))
    items = list(speakers.read(path, **HERE, speakers=("patient", "doctor")))
    found = [(i.id, i.text, i.labels) for i in items if isinstance(i, Labelled)]
    assert found == [("0_0", "it hurts: here.", ("patient",)), ("0_1", "since when?", ("doctor",))]
    unknown = "utterance without a known speaker"
    assert [reason for _, reason in rejected(items)] == [
        unknown, unknown, "invalid record", "malformed line", "malformed line",
    ]  # fmt: skip


def test_a_cell_may_hold_a_whole_article(tmp_path: Path) -> None:
    article = "word " * 40_000
    path = put(tmp_path / "a", f"text,label\n{article},x\nshort,y\n")
    assert [item for _, item in rows.items(path)] == [
        {"text": article, "label": "x"},
        {"text": "short", "label": "y"},
    ]
