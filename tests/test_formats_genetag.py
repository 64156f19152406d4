"""GENETAG: names by numbers of tokens, other names that count as right, and faulty lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import checked, genetag
from taiyi.schema import Document, Record, Reject, Span

HERE: Any = {"corpus": "c", "split": "train", "lang": "en"}


def read(folder: Path, tokens: str, gold: str = "", others: str = "") -> list[Record | Reject]:
    for name, text in (("TOKENIZED_CORPUS", tokens), ("Gold.format", gold), ("Correct.Data", others)):
        (folder / name).write_text(text, encoding="utf-8")
    return list(genetag.read(folder / "TOKENIZED_CORPUS", **HERE))


def documents(items: list[Record | Reject]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def reasons(items: list[Record | Reject]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Reject)]


def test_a_repeated_name_has_its_own_place(tmp_path: Path) -> None:
    items = read(tmp_path, "@@9 ABC1/TAG and/TAG ABC1/TAG ./.\n", "@@9|2 2|ABC1\n@@9|0 0|ABC1\n")
    (document,) = documents(items)
    assert (document.id, document.text) == ("9", "ABC1 and ABC1 .")
    assert [(e.id, e.text, e.spans) for e in document.entities] == [
        ("T1", "ABC1", (Span(0, 4),)),
        ("T2", "ABC1", (Span(9, 13),)),
    ]


def test_a_slash_may_be_a_token_or_a_part_of_one(tmp_path: Path) -> None:
    (document,) = documents(read(tmp_path, "@@9 A/B/TAG //TAG C/TAG\n", "@@9|0 2|A/B / C\n"))
    assert (document.text, document.entities[0].text) == ("A/B / C", "A/B / C")


def test_alternatives_are_with_the_mentions_that_they_overlap(tmp_path: Path) -> None:
    tokens = "@@9 the/TAG A/TAG gene/TAG and/TAG B/TAG ./.\n"
    others = "@@9|1 1|A\n@@9|1 2|A gene\n@@9|1 4|A gene and B\n@@9|0 0|the\n"
    items = read(tmp_path, tokens, "@@9|1 2|A gene\n@@9|4 4|B\n", others)
    (document,) = documents(items)
    assert [e.attributes for e in document.entities] == [{"alternatives": "4-5;4-16"}, {"alternatives": "4-16"}]
    assert reasons(items) == [("Correct.Data:4", genetag.UNRELATED)]


@pytest.mark.parametrize(
    ("line", "reason", "kept"),
    [
        ("@@9|0 1|abc1  receptor", genetag.CASE, ["ABC1 receptor"]),
        ("@@9|0 0|ABC", checked.MISMATCH, []),
        ("@@9|1 2|receptor x", checked.OUTSIDE, []),
        ("@@9|1 0|x", checked.OUTSIDE, []),
        ("@@9|1 1receptor", checked.MALFORMED, []),
        ("@@9|0 0|ABC1@@9|1 1|receptor", checked.MALFORMED, []),
        ("@@9|0 99999999999999999999|ABC1", checked.MALFORMED, []),
        ("@@8|0 0|ABC1", genetag.NO_SENTENCE, []),
    ],
)
def test_faulty_lines(tmp_path: Path, line: str, reason: str, kept: list[str]) -> None:
    items = read(tmp_path, "@@9 ABC1/TAG receptor/TAG\n", f"{line}\n")
    assert reasons(items) == [("Gold.format:1", reason)]
    assert [e.text for e in documents(items)[0].entities] == kept


def test_a_sentence_without_tags_is_rejected(tmp_path: Path) -> None:
    items = read(tmp_path, "@@9 ABC1/TAG\n@@10 ABC1 binds\n11 A/TAG\n")
    assert reasons(items) == [("TOKENIZED_CORPUS:2", checked.MALFORMED), ("TOKENIZED_CORPUS:3", checked.MALFORMED)]


def test_what_has_no_sentence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no sentence"):
        read(tmp_path, "prose\n")


@given(
    tokens=st.lists(st.text("aB1-/é(", min_size=1, max_size=4), min_size=1, max_size=8),
    edges=st.tuples(st.integers(0, 7), st.integers(0, 7)),
)
def test_names_are_where_their_tokens_are(
    tmp_path_factory: pytest.TempPathFactory, tokens: list[str], edges: tuple[int, int]
) -> None:
    first, last = sorted(min(edge, len(tokens) - 1) for edge in edges)
    name = " ".join(tokens[first : last + 1])
    line = " ".join(f"{token}/TAG" for token in tokens)
    items = read(tmp_path_factory.mktemp("genetag"), f"@@1 {line}\n", f"@@1|{first} {last}|{name}\n")
    (document,) = documents(items)
    (entity,) = document.entities
    assert (entity.text, entity.spans[0].start) == (name, len(" ".join(tokens[:first])) + (first > 0))
    assert not reasons(items)
