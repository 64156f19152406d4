"""Records: what is valid is accepted and comes back from files; what is not is refused where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from taiyi import storage
from taiyi.errors import SchemaError
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Dialogue,
    Document,
    Entity,
    Event,
    Example,
    FreeText,
    Labelled,
    Message,
    Option,
    Pair,
    Parallel,
    Passage,
    Prediction,
    Question,
    Record,
    Relation,
    Score,
    Span,
    Tagging,
    TextToStruct,
    TextToText,
    TreeNode,
    Turn,
)

HEAD: dict[str, Any] = {"id": "r1", "corpus": "c", "split": "dev", "lang": "en"}
TEXT = "left and right kidney failure"
KIDNEY = Entity(id="T1", type="Disease", text="kidney failure", spans=(Span(15, 29),))


def document(**parts: Any) -> Document:
    return Document(**HEAD, **({"text": TEXT} | parts))


def question(**parts: Any) -> Question:
    return Question(**HEAD, **({"kind": "simple", "question": "Why?", "answers": ("So.",)} | parts))


def entity(*spans: Span, text: str | None = None, identifier: str = "T1") -> Entity:
    found = " ".join(TEXT[start:end] for start, end in spans)
    return Entity(id=identifier, type="Disease", text=found if text is None else text, spans=spans)


def related(*arguments: Argument, identifier: str = "R1", **more: Any) -> Relation:
    return Relation(id=identifier, type="causes", arguments=arguments, **more)


def to(kind: Any, ref: str) -> Argument:
    return Argument(role="x", kind=kind, ref=ref)


OPTIONS = (Option(key="A", text="one"), Option(key="B", text="two"))
INVALID: list[tuple[str, Callable[[], object], str]] = [
    ("empty text", lambda: document(text=" \n"), "text is empty"),
    (
        "text differs",
        lambda: document(entities=(entity(Span(0, 4), text="Left"),)),
        "entity T1 does not match the text at 0",
    ),
    (
        "span beyond",
        lambda: document(entities=(entity(Span(20, 99)),)),
        r"entity T1 has a span outside .* got \(20, 99\)",
    ),
    ("span backwards", lambda: document(entities=(entity(Span(5, 5)),)), "outside the text"),
    ("span negative", lambda: document(entities=(entity(Span(-4, 3)),)), "outside the text"),
    ("no span", lambda: document(entities=(entity(text="x"),)), "entity T1 has no span"),
    ("passage", lambda: document(passages=(Passage(type="title", span=Span(0, 99)),)), "passage title has a span"),
    (
        "trigger",
        lambda: document(events=(Event(id="E1", type="e", trigger="x", trigger_spans=(Span(0, 4),)),)),
        "trigger of",
    ),
    ("id twice", lambda: document(entities=(KIDNEY, KIDNEY)), "an id is used twice; got T1"),
    (
        "id over kinds",
        lambda: document(entities=(KIDNEY,), relations=(related(identifier="T1"),)),
        "an id is used twice",
    ),
    ("no entity", lambda: document(relations=(related(to("entity", "T9")),)), "R1 refers to entity 'T9'"),
    ("no relation", lambda: document(relations=(related(to("relation", "R9")),)), "R1 refers to relation 'R9'"),
    (
        "no event",
        lambda: document(events=(Event(id="E1", type="e", arguments=(to("event", "T1"),)),)),
        "E1 refers to event",
    ),
    (
        "no concept",
        lambda: document(entities=(KIDNEY,), relations=(related(to("concept", "D1")),)),
        "R1 refers to concept",
    ),
    (
        "chain",
        lambda: document(coreferences=(Coreference(id="C1", entities=("T9",)),)),
        "coreference C1 refers to entity",
    ),
    ("label twice", lambda: Labelled(**HEAD, text="x", labels=("a", "a")), "a label is repeated"),
    ("pair without", lambda: Pair(**HEAD, first="a", second="b"), "either a label or a value"),
    ("pair with both", lambda: Pair(**HEAD, first="a", second="b", label="x", value=1.0), "either a label or a value"),
    ("pair empty", lambda: Pair(**HEAD, first="a", second="", label="x"), "second is empty"),
    ("no question", lambda: question(question=""), "question is empty"),
    ("no answer", lambda: question(answers=()), "a question has no answer"),
    ("empty answer", lambda: question(answers=("So.", " ")), "a question has no answer"),
    ("one option", lambda: question(kind="choice", options=OPTIONS[:1], answers=("A",)), "two or more options"),
    ("option twice", lambda: question(kind="choice", options=OPTIONS[:1] * 2, answers=("A",)), "keys of their own"),
    (
        "not an option",
        lambda: question(kind="choice", options=OPTIONS, answers=("C",)),
        r"not among the options; got \['C'\]",
    ),
    ("neither yes nor no", lambda: question(kind="yesno", answers=("Yes",)), "not a yes/no/maybe answer"),
    ("no context", lambda: question(kind="context"), "has no context"),
    (
        "one turn",
        lambda: Dialogue(**HEAD, turns=(Turn(role="user", text="Hi"),)),
        "needs a question and an answer; got 1",
    ),
    ("only system", lambda: Dialogue(**HEAD, turns=(Turn(role="system", text="Hi"),)), "got 0 turns"),
    (
        "out of order",
        lambda: Dialogue(**HEAD, turns=(Turn(role="user", text="a"),) * 2),
        "turn 1 is out of order; got user",
    ),
    ("empty turn", lambda: Dialogue(**HEAD, turns=(Turn(role="user", text=" "),)), "turn 0 is empty"),
    ("same language", lambda: Parallel(**HEAD, source="a", target="b", target_lang="en"), "the same language"),
    ("no translation", lambda: Parallel(**HEAD, source="a", target="", target_lang="zh"), "target is empty"),
    ("no summary", lambda: TextToText(**HEAD, kind="summary", source="a", target=""), "target is empty"),
    ("no node", lambda: TextToStruct(**HEAD, source="a", nodes=()), "a decision tree has no node"),
]


@pytest.mark.parametrize(("make", "said"), [case[1:] for case in INVALID], ids=[case[0] for case in INVALID])
def test_what_is_invalid_is_refused_with_its_record(make: Callable[[], object], said: str) -> None:
    with pytest.raises(SchemaError, match=rf"^c/dev/r1: .*{said}"):
        make()


def test_every_kind_of_record_can_be_made() -> None:
    assert document(passages=(Passage(type="title", span=Span(0, 29)),), entities=(KIDNEY,)).entities == (KIDNEY,)
    assert Labelled(**HEAD, text="x", labels=()).labels == ()
    assert Pair(**HEAD, first="a", second="b", value=0.0).value == 0.0
    assert question(kind="choice", options=OPTIONS, answers=("A", "B")).answers == ("A", "B")
    assert question(kind="yesno", answers=("maybe",)).answers == ("maybe",)
    assert question(kind="context", contexts=("c",)).contexts == ("c",)
    turns = (Turn(role="system", text=""), Turn(role="user", text="a"), Turn(role="assistant", text="b"))
    assert Dialogue(**HEAD, turns=turns).turns == turns
    assert Parallel(**HEAD, source="a", target="乙", target_lang="zh").target == "乙"
    assert TextToText(**HEAD, kind="title", source="a", target="b").target == "b"
    assert TextToStruct(**HEAD, source="a", nodes=(TreeNode(role="decision"),)).nodes[0].logic == "null"


def test_a_discontinuous_mention_is_its_parts_with_a_space_between() -> None:
    left = entity(Span(0, 4), Span(15, 29))
    assert left.text == "left kidney failure"
    assert document(entities=(left,)).entities == (left,)


def test_mentions_may_nest_cross_and_repeat() -> None:
    spans = (Span(0, 29), Span(9, 29), Span(15, 21), Span(0, 21), Span(15, 21))
    entities = tuple(entity(span, identifier=f"T{i}") for i, span in enumerate(spans))
    assert document(entities=entities).entities == entities


def test_arguments_may_be_relations_events_concepts_and_text() -> None:
    kidney = msgspec.structs.replace(KIDNEY, concepts=(Concept(db="MESH", id="D051437"),))
    relations = (
        related(to("entity", "T1"), to("concept", "D051437")),
        related(to("relation", "R1"), to("text", "a drug"), identifier="R2"),
    )
    events = (
        Event(id="E1", type="e", trigger="failure", trigger_spans=(Span(22, 29),), arguments=(to("entity", "T1"),)),
        Event(id="E2", type="e", arguments=(to("event", "E1"), to("text", "yesterday"))),
    )
    made = document(entities=(kidney,), relations=relations, events=events)
    assert made.relations[1].arguments[0].ref == "R1"
    assert made.events[1].arguments[0].ref == "E1"


@pytest.mark.parametrize(
    "text",
    [
        '{"form":"labelled","id":"1","corpus":"c","split":"validation","lang":"en","text":"x","labels":[]}',
        '{"form":"labelled","id":"1","corpus":"c","split":"dev","lang":"fr","text":"x","labels":[]}',
        '{"form":"labelled","id":"1","corpus":"c","split":"dev","lang":"en","text":"x","labels":[],"more":1}',
        '{"form":"labelled","id":"1","corpus":"c","split":"dev","lang":"en","text":"","labels":[]}',
        '{"form":"nothing","id":"1","corpus":"c","split":"dev","lang":"en"}',
    ],
)
def test_files_are_held_to_the_same_rules(text: str) -> None:
    with pytest.raises((msgspec.ValidationError, SchemaError)):
        msgspec.json.decode(text, type=Record)


@given(strategies.records)
def test_records_are_frozen(record: Record) -> None:
    with pytest.raises(AttributeError):
        record.id = "other"  # pyright: ignore[reportAttributeAccessIssue]


@given(st.lists(strategies.records, max_size=5))
def test_jsonl_gives_back_every_record(records: list[Record]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        assert storage.write_jsonl(records, path) == len(records)
        assert list(storage.read_jsonl(path, Record)) == records


@settings(max_examples=60)
@given(st.lists(strategies.records, min_size=1, max_size=6))
def test_parquet_gives_back_every_record(records: list[Record]) -> None:
    with TemporaryDirectory() as folder:
        for kind in {type(record) for record in records}:
            path = Path(folder) / "records.parquet"
            same = [record for record in records if type(record) is kind]
            assert storage.write_parquet(same, path, kind) == len(same)
            assert list(storage.read_parquet(path, kind)) == same


@pytest.mark.parametrize(
    ("kind", "values"),
    [(Example, strategies.examples()), (Prediction, strategies.predictions), (Score, strategies.scores)],
    ids=["example", "prediction", "score"],
)
def test_what_follows_from_records_is_given_back_too(kind: Any, values: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=40)
    @given(st.lists(values, max_size=4))
    def holds(made: list[Any]) -> None:
        with TemporaryDirectory() as folder:
            storage.write_jsonl(made, Path(folder) / "x.jsonl")
            assert list(storage.read_jsonl(Path(folder) / "x.jsonl", kind)) == made
            storage.write_parquet(made, Path(folder) / "x.parquet", kind)
            assert list(storage.read_parquet(Path(folder) / "x.parquet", kind)) == made

    holds()


def example(**parts: Any) -> Example:
    given = {
        "id": "c/dev/r1#ner.en.01.list",
        "corpus": "c",
        "task": "ner",
        "lang": "en",
        "split": "dev",
        "template": "ner.en.01",
        "form": "list",
        "record": "r1",
        "messages": (Message(role="user", content="Mark: abc"),),
        "answer": "None",
        "gold": FreeText(text="x"),
    }
    return Example(**(given | parts))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"messages": (), "tagging": Tagging(source="abc", tags=("t",), at=6)}, "does not hold the source"),
        ({"messages": (Message(role="assistant", content="x"),)}, "does not end with the user"),
        ({"answer": " "}, "the answer is empty"),
        ({"tagging": Tagging(source="abc", tags=("t",), at=5)}, "does not hold the source"),
        ({"source": Span(6, 10)}, "lies outside of the prompt; got \\(6, 10\\); expected within 0 to 9"),
        ({"source": Span(6, 6)}, "lies outside of the prompt"),
        ({"source": Span(0, 1), "messages": ()}, "lies outside of the prompt"),
        ({"source": Span(5, 9), "tagging": Tagging(source="abc", tags=("t",), at=6)}, "is not the source"),
    ],
)
def test_an_example_that_makes_no_sense_is_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaError, match=f"c/dev/r1#ner.en.01.list: .*{said}"):
        example(**parts)


def test_the_source_of_an_example_is_where_it_says() -> None:
    assert example(tagging=Tagging(source="abc", tags=("t",), at=6)).tagging is not None
    assert example(source=Span(6, 9), tagging=Tagging(source="abc", tags=("t",), at=6)).source_text == "abc"
    assert example(source=Span(7, 8)).source_text == "b"
    assert example().source_text == ""
