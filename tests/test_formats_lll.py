"""LLL: blocks of lines with words, agents, targets and their interactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import lll
from taiyi.schema import Reject, Span

BLOCK = (
    "ID\t90000001-3\nsentence\tAbcR, not AbcS, blocks yxaB.\n"
    "words\tword(0,'AbcR',0,3)\tword(1,'not',6,8)\tword(2,'AbcS',10,13)\tword(3,'blocks',16,21)\tword(4,'yxaB',23,26)\n"
    "lemmas\tlemma(0,'AbcR')\nsyntactic_relations\trelation('subj:V-N',3,0)\n"
    "agents\tagent(0)\ntargets\ttarget(4)\tagent(9)\ngenic_interactions\tgenic_interaction(0,4)\n"
)


def read(tmp_path: Path, text: str) -> list[Any]:
    path = tmp_path / "some.txt"
    path.write_text(text, encoding="utf-8")
    options = {"entity_type": "gene", "relation_type": "acts"}
    return list(lll.read(path, corpus="c", split="train", lang="en", **options))


def test_a_block(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "% a comment\n\n" + BLOCK.replace("\tagent(9)", ""))
    assert (document.id, document.document_ids) == ("90000001-3", ("pmid:90000001",))
    assert [(e.id, e.text, e.spans[0], e.attributes) for e in document.entities] == [
        ("T0", "AbcR", Span(0, 4), {"role": "agent"}),
        ("T4", "yxaB", Span(23, 27), {"role": "target"}),
    ]
    (relation,) = document.relations
    assert [(a.role, a.ref) for a in relation.arguments] == [("agent", "T0"), ("target", "T4")]


def test_a_word_that_is_both(tmp_path: Path) -> None:
    (document,) = read(tmp_path, BLOCK.replace("\tagent(9)", "\ttarget(0)"))
    assert [e.attributes["role"] for e in document.entities] == ["agent/target", "target"]


def test_blocks_without_a_blank_line_between_them(tmp_path: Path) -> None:
    block = BLOCK.replace("\tagent(9)", "")
    records = read(tmp_path, block + block.replace("-3", "-4"))
    assert [r.id for r in records] == ["90000001-3", "90000001-4"]


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (
            "genic_interaction(0,4)",
            "genic_interaction(0,2)",
            ["interaction of a word that is neither agent nor target"],
        ),
        ("genic_interaction(0,4)", "genic_interaction(0)", ["malformed term"]),
        ("word(4,'yxaB',23,26)", "word(4,'yxaB',23,900)", ["span outside the text", "interaction of"]),
        ("lemmas\t", "lemata\t", ["malformed line"]),
    ],
)
def test_what_is_dropped_says_why(tmp_path: Path, before: str, after: str, reasons: list[str]) -> None:
    items = read(tmp_path, BLOCK.replace("\tagent(9)", "").replace(before, after))
    found = [item.reason for item in items if isinstance(item, Reject)]
    assert len(found) == len(reasons)
    assert all(reason.startswith(start) for reason, start in zip(found, reasons, strict=True))


def test_a_block_without_a_sentence_is_dropped(tmp_path: Path) -> None:
    good = BLOCK.replace("\tagent(9)", "")
    items = read(tmp_path, f"{good}\nID\t90000002-1\nwords\tword(0,'A',0,0)\n")
    assert [(i.where, i.reason) for i in items if isinstance(i, Reject)] == [("some.txt:10", "malformed line")]


def test_an_unknown_word_and_a_repeated_sentence(tmp_path: Path) -> None:
    items = read(tmp_path, f"{BLOCK}\n{BLOCK}")
    assert [item.reason for item in items if isinstance(item, Reject)] == ["malformed term", "repeated sentence"]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no sentence"):
        read(tmp_path, "hello\n")
