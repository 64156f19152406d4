"""Texts with two marked entities and one relation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.formats import marked_pairs
from taiyi.schema import Document, Reject


def read(path: Path, text: str, label: str = "Cause(E1,E2)", **item: Any) -> list[Any]:
    file = path / "some.json"
    file.write_text(json.dumps([{"Text": text, "Label": label} | item]), encoding="utf-8")
    return list(marked_pairs.read(file, corpus="c", split="train", lang="en", roles=("cause", "effect")))


@pytest.mark.parametrize(
    ("label", "type", "arguments"),
    [
        ("Cause(E1,E2)", "Cause", [("cause", "e1"), ("effect", "e2")]),
        ("Hinder(E2, E1) ", "Hinder", [("cause", "e2"), ("effect", "e1")]),
        ("Other", "Other", [("head", "e1"), ("tail", "e2")]),
    ],
)
def test_labels_tell_the_order(tmp_path: Path, label: str, type: str, arguments: list[tuple[str, str]]) -> None:
    (document,) = read(tmp_path, "A <e2>rash</e2> from <E1>oxil</E1>.", label, E1="oxil", E2="rash")
    assert document.text == "A rash from oxil."
    assert [(e.id, e.text) for e in document.entities] == [("e1", "oxil"), ("e2", "rash")]
    (relation,) = document.relations
    assert (relation.type, [(a.role, a.ref) for a in relation.arguments]) == (type, arguments)


def test_marks_within_marks(tmp_path: Path) -> None:
    (document,) = read(tmp_path, "<e1>acute <e2>pain</e2></e1>")
    assert [(e.text, e.spans) for e in document.entities] == [("acute pain", ((0, 10),)), ("pain", ((6, 10),))]


@pytest.mark.parametrize(
    ("text", "item", "reason"),
    [
        ("<e1>a</e1> b", {}, "entities are not marked"),
        ("<e1>a</e1> <e1>b</e1> <e2>c</e2>", {}, "entities are not marked"),
        ("</e1>a<e1> <e2>c</e2>", {}, "entities are not marked"),
        ("<e1></e1> <e2>c</e2>", {}, "span outside the text"),
        ("<e1>a</e1> <e2>c</e2>", {"E1": "x"}, "mention does not match the text"),
        ("<e1>a</e1> <e2>c</e2>", {"Label": ""}, "malformed line"),
        ("<e1>a</e1> <e2>c</e2>", {"Text": None}, "malformed line"),
    ],
)
def test_faults_are_rejected(tmp_path: Path, text: str, item: dict[str, Any], reason: str) -> None:
    (reject,) = read(tmp_path, text, **item)
    assert isinstance(reject, Reject)
    assert reject.reason == reason


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>"), min_size=1, max_size=9)


@given(parts=st.lists(words, min_size=5, max_size=5), swapped=st.booleans())
def test_marked_text_is_where_it_was(tmp_path_factory: pytest.TempPathFactory, parts: list[str], swapped: bool) -> None:
    before, one, between, other, after = parts
    first, second = ("e2", "e1") if swapped else ("e1", "e2")
    text = f"{before}<{first}>{one}</{first}>{between}<{second}>{other}</{second}>{after}"
    for document in read(tmp_path_factory.mktemp("marked"), text):
        if isinstance(document, Document):
            assert document.text == "".join(parts)
            assert {e.id: e.text for e in document.entities} == {first: one, second: other}
        else:
            assert not "".join(parts).strip()
