"""IOB columns with offsets: the text they make up, layers of tags, and faulty lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import checked, offset_columns
from taiyi.schema import Document, Record, Reject, Span

HERE: Any = {"corpus": "c", "split": "train", "lang": "en"}


def read(folder: Path, *lines: str, **options: Any) -> list[Record | Reject]:
    path = folder / "some.iob"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(options.pop("written", "utf-8")))
    return list(offset_columns.read(path, **HERE, **options))


def documents(items: list[Record | Reject]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def rejects(items: list[Record | Reject]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Reject)]


def test_offsets_tell_the_spaces_between_tokens(tmp_path: Path) -> None:
    lines = ("### 91", "Zinc\t10\t14\tZinc oxide\t|B-C", "oxide\t15\t20\t\t|I-C", ",\t20\t21\t\t|O", "x\t23\t24\t\t|O")
    (document,) = documents(read(tmp_path, *lines, ""))
    assert (document.id, document.document_ids, document.text) == ("91", ("pmid:91",), "Zinc oxide,  x")
    assert [(e.type, e.text, e.spans) for e in document.entities] == [("C", "Zinc oxide", (Span(0, 10),))]


def test_blank_lines_within_a_document_are_nothing(tmp_path: Path) -> None:
    lines = ("### 91", "A\t0\t1\t\t|O", "", "B\t2\t3\tB\t|B-C", "", "### 92", "C\t0\t1\t\t|O")
    assert [d.text for d in documents(read(tmp_path, *lines))] == ["A B", "C"]


def test_tags_of_several_layers_are_mentions_that_may_nest(tmp_path: Path) -> None:
    lines = ("### 91", "lung\t0\t4\t\t|B-D|B-A", "cancer\t5\t11\t\t|I-D|O")
    (document,) = documents(read(tmp_path, *lines))
    assert [(e.type, e.text) for e in document.entities] == [("D", "lung cancer"), ("A", "lung")]


def test_the_tags_hold_against_the_text_of_a_mention(tmp_path: Path) -> None:
    items = read(tmp_path, "### 91", "A\t0\t1\tA B\t|B-C", "B\t2\t3\tB\t|O")
    assert [e.text for d in documents(items) for e in d.entities] == ["A"]
    assert rejects(items) == [("some.iob:2", offset_columns.DIFFERS), ("some.iob:3", offset_columns.UNTAGGED)]


@pytest.mark.parametrize("line", ["B\t0\t1\t\t|O", "B\t2\t2\t\t|O", "\t2\t3\t\t|O", f"B\t{9 * 10**12}\t{10**13}\t\t|O"])
def test_a_document_with_a_token_out_of_place_is_rejected(tmp_path: Path, line: str) -> None:
    items = read(tmp_path, "### 91", "A\t0\t1\t\t|O", line, "### 92", "C\t0\t1\t\t|O")
    assert rejects(items) == [("some.iob:1", offset_columns.DISPLACED)]
    assert [d.id for d in documents(items)] == ["92"]


@pytest.mark.parametrize(
    "line", ["B", "B\t2\t3\t|O", "B\tx\t3\t\t|O", "B\t2\t-3\t\t|O", "B\t2\t" + "9" * 40 + "\t\t|O"]
)
def test_a_line_without_its_columns_is_rejected(tmp_path: Path, line: str) -> None:
    items = read(tmp_path, "### 91", "A\t0\t1\t\t|O", line)
    assert rejects(items) == [("some.iob:3", checked.MALFORMED)]


def test_other_encodings_are_an_option(tmp_path: Path) -> None:
    options: Any = {"written": "mac_roman", "encodings": ("utf-8", "mac_roman")}
    (document,) = documents(read(tmp_path, "### 91", "é\t0\t1\té\t|B-C", **options))
    assert document.text == "é"


def test_what_has_no_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no document"):
        read(tmp_path, "prose")


@given(words=st.lists(st.tuples(st.text("aé-1", min_size=1, max_size=4), st.integers(0, 3)), min_size=1, max_size=8))
def test_a_text_is_read_as_it_was_cut(tmp_path_factory: pytest.TempPathFactory, words: list[tuple[str, int]]) -> None:
    text, lines = "", ["### 1"]
    for word, gap in words:
        text += " " * (gap if text else 0)
        lines.append(f"{word}\t{len(text)}\t{len(text) + len(word)}\t{word}\t|B-C")
        text += word
    (document,) = read(tmp_path_factory.mktemp("columns"), *lines)
    assert isinstance(document, Document)
    assert document.text == text
    assert [e.text for e in document.entities] == [word for word, _ in words]
