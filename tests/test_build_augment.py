"""Changed copies of records: what is annotated stays where it stands, and copies follow from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests import strategies

from taiyi import storage
from taiyi.build.augment import BLANK, Edit, Mentions, changed, edited
from taiyi.build.settings import AugmentSettings
from taiyi.manifest import Log
from taiyi.recipe import Recipe
from taiyi.schema import Document, Entity, Example, Labelled, Mention, Span
from taiyi.schema import Mentions as Answer
from taiyi.steps import Run, build
from taiyi.text import pieces

HEAD: dict[str, Any] = {"id": "1", "corpus": "c", "split": "train", "lang": "en"}
NAMES = {"D": "disease", "C": "chemical"}
POOL = {"disease": ["asthma", "renal failure"], "chemical": ["lithium"]}
SWAP = AugmentSettings(swap=1.0)


def document(text: str, *mentions: tuple[str, str], **others: Any) -> Document:
    """Return a document whose mentions are at their first places."""
    entities = [
        Entity(id=f"T{n}", type=type, text=said, spans=(Span(text.index(said), text.index(said) + len(said)),))
        for n, (type, said) in enumerate(mentions)
    ]
    return Document(**HEAD, text=text, entities=tuple(entities), **others)


def test_a_mention_is_replaced_by_another_of_its_type() -> None:
    given = document("Aspirin causes ulcers, and ulcers bleed.", ("C", "Aspirin"), ("D", "ulcers"), ("X", "bleed"))
    found = changed(given, SWAP, NAMES, POOL, seed=1, copy=1)
    assert isinstance(found, Document)
    assert found.text in {f"lithium causes {name}, and ulcers bleed." for name in POOL["disease"]}
    assert [e.text for e in found.entities] == ["lithium", found.text[15 : found.text.index(",")], "bleed"]


def test_what_overlaps_is_left_and_what_holds_a_mention_follows_it() -> None:
    crossing = document("left lung cancer cells", ("D", "lung cancer"), ("D", "cancer cells"))
    assert changed(crossing, SWAP, NAMES, POOL, seed=1, copy=1) == crossing
    nested = document("anti cancer drug", ("X", "anti cancer drug"), ("D", "cancer"))
    found = changed(nested, SWAP, NAMES, {"disease": ["gout"]}, seed=1, copy=1)
    assert isinstance(found, Document)
    assert [e.text for e in found.entities] == ["anti gout drug", "gout"]


def test_copies_differ_and_follow_from_seed_and_number() -> None:
    given = Labelled(**HEAD, text=" ".join(f"word{n}x" for n in range(200)), labels=("a",))
    settings = AugmentSettings(blank=0.2)
    copies = [changed(given, settings, {}, {}, seed=1, copy=copy) for copy in (1, 2)]
    assert copies[0] != copies[1]
    assert copies[0] == changed(given, settings, {}, {}, seed=1, copy=1)
    assert copies[0] != changed(given, settings, {}, {}, seed=2, copy=1)
    assert isinstance(copies[0], Labelled)
    # A word is a piece of letters and a digit, and each goes alone: the expected share within four deviations.
    assert 60 <= copies[0].text.count(BLANK) <= 180
    assert len(copies[0].text.split(" ")) == 200


@given(strategies.documents(), st.floats(0, 1), st.floats(0, 0.9), st.integers(0, 3))
def test_a_changed_document_keeps_all_that_is_annotated(record: Document, swap: float, blank: float, seed: int) -> None:
    """Its own checks hold, so spans are those of mentions; ids, types and order stay."""
    assume(swap or blank)
    names = {shown.name: shown.shown for types in strategies.ENTITY_TYPES.values() for shown in types}
    pool = {name: ["a b", "é"] for name in names.values()}
    found = changed(record, AugmentSettings(swap=swap, blank=blank), names, pool, seed=seed, copy=1)
    assert isinstance(found, Document)
    told = [[(e.id, e.type, len(e.spans), e.concepts) for e in one.entities] for one in (record, found)]
    assert told[0] == told[1]
    assert found.relations == record.relations
    assert [e.arguments for e in found.events] == [e.arguments for e in record.events]
    if not swap:
        kept = [p for p in pieces(found.text) if p.strip() != BLANK]
        assert set(kept) <= {*pieces(record.text), *(p.strip() for p in pieces(record.text))}


@given(strategies.documents(), st.data())
def test_an_edit_moves_what_comes_after_it(record: Document, data: st.DataObject) -> None:
    """Text before and after an edit stays; a span that holds it grows, one apart from it keeps its text."""
    span = data.draw(strategies.spans(record.text))
    edges = {edge for e in record.entities for s in e.spans for edge in s}
    edges |= {edge for e in record.events for s in e.trigger_spans for edge in s}
    assume(not edges & set(range(span.start + 1, span.end)))
    assume(not record.text[: span.start].isspace() or record.text[span.end :].strip())
    new = data.draw(st.sampled_from(["x", "long er", record.text[span.start : span.end]]))
    found = edited(record, [Edit(span.start, span.end, new)])
    assert found.text == record.text[: span.start] + new + record.text[span.end :]
    for before, after in zip(record.entities, found.entities, strict=True):
        for old, moved in zip(before.spans, after.spans, strict=True):
            held = old.start <= span.start and span.end <= old.end
            expected = record.text[old.start : old.end]
            if held:
                at = span.start - old.start
                expected = expected[:at] + new + expected[at + span.end - span.start :]
            assert found.text[moved.start : moved.end] == expected


def test_mentions_are_kept_once_under_the_names_of_their_types() -> None:
    found = Mentions()
    for _ in range(2):
        found.add(document("Aspirin eases pain", ("C", "Aspirin"), ("D", "pain"), ("X", "eases")), NAMES)
    assert found.pool() == {"chemical": ["Aspirin"], "disease": ["pain"]}


def test_settings_that_change_nothing_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing is changed"):
        AugmentSettings(copies=3)


def test_a_stage_has_its_records_and_their_copies(tmp_path: Path) -> None:
    """Mentions of copies are those of the stage's own records of the type, and answers are theirs."""
    made = {
        augmented: _examples(tmp_path / str(augmented), {"copies": 2, "swap": 0.8, "blank": 0.1} if augmented else None)
        for augmented in (False, True)
    }
    plain = {example.id: example for example in made[False]}
    assert {e.id: e for e in made[True] if "~copy" not in e.id} == plain
    copies = [e for e in made[True] if "~copy" in e.id]
    assert {e.id.split("~")[1] for e in copies} == {"copy1", "copy2"}
    known = {(m.type, m.text) for e in plain.values() for m in _mentions(e)}
    unchanged = [(m.type, m.text) for e in copies for m in _mentions(e) if BLANK not in m.text]
    assert unchanged and set(unchanged) <= known
    swapped = sum({m.text for m in _mentions(e)} != {m.text for m in _mentions(plain[_plain(e)])} for e in copies)
    assert swapped > len(copies) / 4
    again = _examples(tmp_path / "again", {"copies": 2, "swap": 0.8, "blank": 0.1})
    assert again == made[True]


def _plain(example: Example) -> str:
    return example.id.split("~")[0]


def _mentions(example: Example) -> tuple[Mention, ...]:
    assert isinstance(example.gold, Answer)
    return example.gold.items


def _examples(folder: Path, augment: dict[str, Any] | None) -> list[Example]:
    selection: dict[str, Any] = {"corpus": "demo_cdr", "task": "ner", "templates": ["01"]}
    if augment is not None:
        selection["augment"] = augment
    recipe = Recipe.model_validate({"name": "r", "stages": [{"name": "s", "data": [selection]}]})
    data = build(Run(recipe, folder, Path(), Log(folder)))
    return list(storage.read_parquet(data / "s.parquet", Example))
