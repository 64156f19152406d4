"""Phrases with their concepts, and abbreviations with what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import checked, medal, phrases
from taiyi.schema import Concept, Document, Record, Reject, Span

HERE: Any = {"corpus": "c", "split": "train", "lang": "en"}
HEADER = "ABSTRACT_ID,TEXT,LOCATION,LABEL"


def documents(items: list[Record | Reject]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def rejects(items: list[Record | Reject]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Reject)]


def read_phrases(folder: Path, text: str, written: str = "utf-8") -> list[Record | Reject]:
    path = folder / "some.txt"
    path.write_bytes(text.encode(written))
    return list(phrases.read(path, **HERE, database="D", type="t", encodings=("utf-8", "latin-1")))


def read_medal(folder: Path, *rows: str) -> list[Record | Reject]:
    path = folder / "some.csv"
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return list(medal.read(path, **HERE))


def test_a_phrase_is_one_mention_of_its_concept(tmp_path: Path) -> None:
    one, other = documents(read_phrases(tmp_path, "91\tHeadache\tmy head \n92\tFatigue\tso tired\n"))
    (entity,) = one.entities
    assert (one.id, one.text, entity.text, entity.spans) == ("0", "my head ", "my head", (Span(0, 7),))
    assert (entity.concepts, entity.attributes) == ((Concept(db="D", id="91"),), {"concept": "Headache"})
    assert (other.id, other.entities[0].type) == ("1", "t")


def test_bytes_that_are_not_utf8_are_read_as_latin1(tmp_path: Path) -> None:
    (document,) = documents(read_phrases(tmp_path, "91\tx\tdéjà vu\n", "latin-1"))
    assert document.text == "déjà vu"


@pytest.mark.parametrize("line", ["91\tx", "91\tx\t ", "\tx\ty", "91\tx\ty\tz"])
def test_a_line_without_its_columns_is_rejected(tmp_path: Path, line: str) -> None:
    items = read_phrases(tmp_path, f"91\tx\ty\n{line}\n")
    assert rejects(items) == [("some.txt:2", checked.MALFORMED)]
    with pytest.raises(FormatError, match="no line has the columns"):
        read_phrases(tmp_path, f"{line}\n")


def test_an_abbreviation_stands_for_its_term(tmp_path: Path) -> None:
    (document,) = documents(read_medal(tmp_path, HEADER, "91,AF or AF again,2,atrial fibrillation"))
    (entity,) = document.entities
    assert (document.id, document.document_ids, entity.text, entity.spans) == ("0", ("pmid:91",), "AF", (Span(6, 8),))
    assert entity.concepts == (Concept(db="MeDAL", id="atrial fibrillation"),)


def test_words_are_parted_by_single_spaces(tmp_path: Path) -> None:
    (document,) = documents(read_medal(tmp_path, HEADER, "91,a  BP,2,blood pressure"))
    assert document.entities[0].spans == (Span(3, 5),)


def test_several_abbreviations_are_several_mentions(tmp_path: Path) -> None:
    (document,) = documents(read_medal(tmp_path, HEADER, '91,"AF, BP",1|0,blood pressure|atrial fibrillation'))
    assert [e.text for e in document.entities] == ["BP", "AF,"]


@pytest.mark.parametrize(
    ("row", "reason", "kept"),
    [
        ("91,a b,2,x", medal.OUTSIDE, 1),
        ("91,a  b,1,x", medal.OUTSIDE, 1),
        ("91,a b,1|2,x", checked.MALFORMED, 0),
        ("91,a b,-1,x", checked.MALFORMED, 0),
        ("91,a b,1,", checked.MALFORMED, 0),
        ("91,a b,1", checked.MALFORMED, 0),
        ("91,,0,x", medal.OUTSIDE, 0),
    ],
)
def test_faulty_rows(tmp_path: Path, row: str, reason: str, kept: int) -> None:
    items = read_medal(tmp_path, HEADER, row)
    assert ("some.csv:2", reason) in rejects(items)
    assert len(documents(items)) == kept
    assert not any(document.entities for document in documents(items))


def test_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="other columns"):
        read_medal(tmp_path, "ID,TEXT", "91,a b")
