"""Cleaning of items, from shards to what stays: neither order nor parts matter, and a leak is caught by id and text."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from taiyi import catalogue, storage, tasks
from taiyi.build.answers import Answers
from taiyi.build.clean import NEAR, Part, judge, resolve
from taiyi.build.collect import Shard, Stored, collect
from taiyi.build.decontaminate import Guard, Match
from taiyi.build.deduplicate import CONFLICT, DUPLICATE
from taiyi.build.settings import DecontaminateSettings, DeduplicateSettings, FilterSettings
from taiyi.catalogue import TypeName
from taiyi.schema import Document, Labelled, Option, Question, Record, Reject
from test_build import HEAD, RECORDS, TYPES, corpus, document

# Texts that are made up by chance are no language.
UNFILTERED = FilterSettings(
    shortest_chars=None, garbled_share=None, letter_share=None, language_share=None, repeated_share=None
)


def parts_of(folder: Path, *shards: tuple[Sequence[Record], dict[str, str]]) -> list[Path]:
    """Write the items of records, with types merged, as one part of a shard each."""
    found: list[Path] = []
    for number, (records, merged) in enumerate(shards):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catalogue, "get", lambda _, records=records: corpus(*records))
            made = collect(
                Shard(corpus="toy", split="train", task="ner", merge_types=merged), folder, folder / f"{number}"
            )
        found += [folder / f"{number}" / name for name in made.parts]
    return found


def clean(
    *shards: tuple[Sequence[Record], dict[str, str]],
    tests: Sequence[Record] = (),
    decontaminate: DecontaminateSettings | None = None,
    **deduplicate: Any,
) -> tuple[list[list[str]], list[Reject], list[Match]]:
    """Clean the items of records; return which stay of each shard, what goes, and the audit."""
    repeats = DeduplicateSettings(**deduplicate)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        known = [
            s.item() for part in parts_of(folder / "tests", (tests, {})) for s in storage.read_parquet(part, Stored)
        ]
        guard = Guard(known, decontaminate or DecontaminateSettings())
        parts = parts_of(folder / "training", *shards)
        for part in parts:
            judge(part, [guard], UNFILTERED, repeats, part.with_suffix(".judged"))
        cleaned = resolve([Part(part, part.with_suffix(".judged"), "toy", "ner") for part in parts], repeats)
        kept = [
            [place for place, stays in zip(places.to_pylist(), keep.tolist(), strict=True) if stays]
            for places, keep in zip(cleaned.places, cleaned.kept, strict=True)
        ]
        return kept, list(cleaned.rejects), list(cleaned.matches)


@settings(max_examples=40)
@given(
    st.lists(strategies.documents(with_all=False), max_size=5),
    st.fixed_dictionaries(dict.fromkeys(("exact", "conflicts", "near"), st.booleans())),
    st.randoms(),
)
def test_deduplication_is_idempotent_and_does_not_depend_on_order(
    records: list[Document], asked: dict[str, bool], chance: random.Random
) -> None:
    records = [msgspec.structs.replace(r, **HEAD, id=str(i)) for i, r in enumerate(records)]
    items = [*records, *(msgspec.structs.replace(r, id=f"copy{r.id}") for r in records)]
    kept, rejects, _ = clean((items, {}), **asked)
    stay = [place for part in kept for place in part]
    assert len(stay) + len(rejects) == len(items)
    reasons = {"exact": DUPLICATE, "conflicts": CONFLICT, "near": NEAR}
    assert {reject.reason for reject in rejects} <= {reason for name, reason in reasons.items() if asked[name]}
    if asked["exact"]:
        assert len(rejects) >= len(records)
    middle = chance.randint(0, len(items))
    shuffled = chance.sample(items, k=len(items))
    # Nor on which part a record is in.
    again, others, _ = clean((shuffled[:middle], {}), (shuffled[middle:], {}), **asked)
    assert sorted(place for part in again for place in part) == sorted(stay)
    assert sorted(others, key=str) == sorted(rejects, key=str)
    left = [record for record in items if f"toy/train/{record.id}" in stay]
    again, others, _ = clean((left, {}), **asked)
    assert [place for part in again for place in part] == stay
    assert others == []


def test_the_same_text_in_other_dress_is_a_duplicate() -> None:
    first = document("a", "Flu, again!", ("Disease", 0, 3))
    same = document("b", "Flu  again", ("Disease", 0, 3))
    other = document("c", "Flu again", ("Disease", 4, 9))
    duplicate = Reject(where="toy/train/b", reason=DUPLICATE, detail="toy/train/a")
    contradiction = Reject(where="toy/train/c", reason=CONFLICT, detail="toy/train/a")
    for asked, stay, go in (
        ({}, ["a"], [duplicate, contradiction]),
        ({"conflicts": False}, ["a", "c"], [duplicate]),
        ({"exact": False}, ["a", "b"], [contradiction]),
        ({"exact": False, "conflicts": False}, ["a", "b", "c"], []),
    ):
        kept, rejects, _ = clean(([other, same, first], {}), **asked)
        assert sorted(kept[0]) == [f"toy/train/{name}" for name in stay]
        assert sorted(rejects, key=str) == go


def test_a_record_that_is_asked_for_other_types_is_no_duplicate_of_itself_and_goes_or_stays_in_both() -> None:
    record, other = (document(name, "Flu. Flu.", ("Disease", 0, 3), ("Disease", 5, 8)) for name in "ab")
    kept, rejects, _ = clean(([record, other], {}), ([record, other], {"Disease": "Rare"}))
    assert kept == [["toy/train/a"], ["toy/train/a"]]
    assert rejects == [Reject(where="toy/train/b", reason=DUPLICATE, detail="toy/train/a")]


def test_a_planted_leak_is_caught_by_id_and_by_text() -> None:
    by_id = msgspec.structs.replace(RECORDS[1], id="t1", split="test", text="Drug 1 cures flu . And more", entities=())
    by_text = msgspec.structs.replace(RECORDS[2], id="t2", split="test", document_ids=("other",))

    def left(*tests: Record, **changes: bool) -> tuple[list[str], list[Reject], list[Match]]:
        asked = DecontaminateSettings(text_chars_en=1, **changes)  # pyright: ignore[reportArgumentType]
        kept, rejects, audit = clean((RECORDS[:4], {}), tests=tests, decontaminate=asked)
        return [place.rpartition("/")[2] for place in kept[0]], rejects, audit

    kept, rejects, audit = left(by_id, by_text)
    assert kept == ["0", "3"]
    assert [(r.where, r.reason) for r in rejects] == [
        ("toy/train/1", "contaminated by document id"),
        ("toy/train/2", "contaminated by text"),
    ]
    assert audit == [
        Match(
            training="toy/train/1",
            evaluation="toy/test/t1",
            by="document id",
            value="PMID:1",
            training_text=RECORDS[1].text,
            evaluation_text=by_id.text,
        ),
        Match(
            training="toy/train/2",
            evaluation="toy/test/t2",
            by="text",
            value=audit[1].value,
            training_text=RECORDS[2].text,
            evaluation_text=by_text.text,
        ),
    ]
    assert left(by_id, by_text, by_text=False)[0] == ["0", "2", "3"]
    assert left(by_id, by_text, by_document_id=False)[0] == ["0", "1", "3"]
    assert left() == (["0", "1", "2", "3"], [], [])


# --- what answers are compared by ------------------------------------------------------------------------------------


def answer(record: Record, task: str = "ner", **parts: Any) -> str:
    return Answers(tasks.get(task), corpus(**parts), {}).of(record)


def question(texts: Sequence[str], right: int) -> Question:
    options = tuple(Option(key=key, text=text) for key, text in zip("ABC", texts, strict=False))
    return Question(**HEAD, id="q", kind="choice", question="?", options=options, answers=("ABC"[right],))


def test_answers_are_equal_whatever_ids_order_case_and_spaces() -> None:
    text = "Type 2  diabetes, and Flu"
    one = document("a", text, ("Disease", 0, 16), ("Disease", 22, 25))
    other = document("b", "type 2 diabetes and flu", ("Disease", 20, 23), ("Disease", 0, 15))
    assert answer(one) == answer(other) != answer(document("c", text, ("Disease", 22, 25)))
    assert answer(one) != answer(document("d", text, ("Chemical", 0, 16), ("Disease", 22, 25)))
    assert answer(question(["yes", "no"], 0), "qa_mc") == answer(question(["no", "Yes."], 1), "qa_mc")
    assert answer(question(["yes", "no"], 0), "qa_mc") != answer(question(["no", "yes"], 0), "qa_mc")


def test_names_are_no_texts() -> None:
    labels = {name: TypeName(en=name, zh=name) for name in ("A+", "A-")}
    plus, minus = (Labelled(**HEAD, id="l", text="x", labels=(name,)) for name in labels)
    assert answer(plus, "tc", labels=labels) != answer(minus, "tc", labels=labels)


@given(strategies.documents(with_all=True), st.randoms())
def test_neither_ids_nor_the_order_of_annotations_is_part_of_an_answer(record: Document, chance: random.Random) -> None:
    entities = list(record.entities)
    chance.shuffle(entities)
    again = msgspec.structs.replace(record, id="other", entities=tuple(entities))
    types = {"entity_types": dict.fromkeys((e.type for e in entities), TypeName(en="x", zh="x")) or TYPES}
    assert answer(record, **types) == answer(again, **types)
