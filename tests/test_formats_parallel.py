"""Texts and what is made of them, and translations: in items of any kind, and in formats of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import characters, names, texts
from taiyi.errors import FormatError
from taiyi.formats import parallel, related_work
from taiyi.formats import texts as text_to_text
from taiyi.schema import Parallel, Record, Reject, TextToText

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


@given(
    items=st.lists(
        st.builds(TextToText, **HEAD, id=names, source=texts, target=texts, kind=st.just("title")),
        min_size=1,
        max_size=3,
    )
)
def test_texts_are_written_and_read(tmp_path_factory: pytest.TempPathFactory, items: list[TextToText]) -> None:
    path = tmp_path_factory.mktemp("texts") / "a.json"
    text_to_text.write(items, path)
    assert list(text_to_text.read(path, **HERE, kind="title")) == items


def test_texts_of_keys(tmp_path: Path) -> None:
    path = put(tmp_path / "a", lines({"n": {"a": "A."}, "b": "B.", "t": "T"}, {"n": {"a": "A."}, "t": None}))
    options: dict[str, Any] = {"source_keys": ("n.a", "b"), "target_key": "t"}
    items = list(text_to_text.read(path, **HERE, kind="summary", **options))
    assert items[0] == TextToText(**HERE, id="0", kind="summary", source="A.\nB.", target="T")
    assert rejected(items) == [("a:2", "malformed line")]


line = st.text(characters.filter(lambda c: c not in "\n\r\ufeff"), min_size=1, max_size=20).filter(str.strip)


def translations(id: st.SearchStrategy[str], text: st.SearchStrategy[str]) -> st.SearchStrategy[Parallel]:
    return st.builds(Parallel, **HEAD, id=id, source=text, target=text, target_lang=st.just("zh"))


@given(items=st.lists(translations(names, texts), min_size=1, max_size=3))
def test_translations_are_written_and_read(tmp_path_factory: pytest.TempPathFactory, items: list[Parallel]) -> None:
    path = tmp_path_factory.mktemp("parallel") / "a.json"
    parallel.write(items, path)
    assert list(parallel.read(path, **HERE, target_lang="zh")) == items


@given(items=st.lists(st.tuples(line, line), max_size=4))
def test_translations_in_two_files(tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("parallel") / "a.en"
    records = [
        Parallel(**HERE, id=str(n), source=one, target=other, target_lang="zh")
        for n, (one, other) in enumerate(items, start=1)
    ]
    parallel.write_lines(records, path, target="a.zh")
    assert list(parallel.read_lines(path, **HERE, target="a.zh", target_lang="zh")) == records


def test_lines_of_two_files_correspond(tmp_path: Path) -> None:
    path = put(tmp_path / "a.en", "one\r\n\nthree\n\nfive")
    put(tmp_path / "a.zh", "一\n\n\n四\n五\n")
    items = list(parallel.read_lines(path, **HERE, target="a.zh", target_lang="zh"))
    assert [(i.id, i.source, i.target) for i in items if isinstance(i, Parallel)] == [
        ("1", "one", "一"),
        ("5", "five", "五"),
    ]
    assert rejected(items) == [("a.en:3", "one side is empty"), ("a.en:4", "one side is empty")]
    put(tmp_path / "a.zh", "一\n")
    with pytest.raises(FormatError, match=r"do not correspond; got 5 lines; expected 1, as many as a\.zh"):
        list(parallel.read_lines(path, **HERE, target="a.zh", target_lang="zh"))
    with pytest.raises(FormatError, match="missing"):
        list(parallel.read_lines(path, **HERE, target="b.zh", target_lang="zh"))


def test_what_is_no_line_is_not_written(tmp_path: Path) -> None:
    for source in ("a\nb", "a\r", "\ufeffa"):
        record = Parallel(**HERE, id="1", source=source, target="b", target_lang="zh")
        with pytest.raises(FormatError, match="one line"):
            parallel.write_lines([record], tmp_path / "a.en", target="a.zh")
    assert list(tmp_path.iterdir()) == []


def test_related_work_is_written_from_abstracts(tmp_path: Path) -> None:
    cited: dict[str, Any] = {"@cite_1": {"mid": "1", "abstract": "X."}, "@cite_2": {"mid": "2", "abstract": ""}}
    paper = {
        "aid": "9999.1",
        "mid": "9",
        "abstract": "A.",
        "related_work": "R @cite_1 @cite_2 .",
        "ref_abstract": cited,
    }
    bad: list[Any] = [
        paper | {"ref_abstract": {"@cite_1": None}},
        paper | {"related_work": None},
        paper | {"ref_abstract": []},
    ]
    path = put(tmp_path / "a.json", json.dumps([paper, *bad]))
    items = list(related_work.read(path, **HERE))
    assert items[0] == TextToText(
        **HERE,
        id="0",
        document_ids=("arxiv:9999.1",),
        kind="summary",
        source="A.\n@cite_1: X.",
        target="R @cite_1 @cite_2 .",
    )
    assert [reason for _, reason in rejected(items)] == ["malformed line"] * 3
