"""Rows in BigBio's schemas: what they say, their faults, what they cannot hold, and round trips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from taiyi.errors import FormatError
from taiyi.formats import bigbio
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Dialogue,
    Document,
    Entity,
    Event,
    Labelled,
    Option,
    Pair,
    Parallel,
    Passage,
    Question,
    Record,
    Reject,
    Relation,
    Span,
    TextToText,
    Turn,
)

KB: dict[str, Any] = {
    "id": "0",
    "document_id": "90000001",
    "passages": [
        {"id": "1", "type": "abstract", "text": ["Both lobes of the liver."], "offsets": [[15, 39]]},
        {"id": "0", "type": "title", "text": ["Aspirin harms."], "offsets": [[0, 14]]},
    ],
    "entities": [
        {
            "id": "T1",
            "type": "Drug",
            "text": ["Aspirin"],
            "offsets": [[0, 7]],
            "normalized": [{"db_name": "MESH", "db_id": "D1"}, {"db_name": None, "db_id": "X2"}],
        },
        {"id": "T2", "type": "Organ", "text": ["lobes", "liver"], "offsets": [[20, 25], [33, 38]], "normalized": []},
    ],
    "events": [
        {
            "id": "E1",
            "type": "Harm",
            "trigger": {"text": ["harms"], "offsets": [[8, 13]]},
            "arguments": [{"role": "Cause", "ref_id": "T1"}],
        },
        {"id": "E2", "type": "Cause", "trigger": None, "arguments": [{"role": "Theme", "ref_id": "E1"}]},
    ],
    "coreferences": [{"id": "C1", "entity_ids": ["T1", "T2"]}],
    "relations": [{"id": "R1", "type": "harms", "arg1_id": "T1", "arg2_id": "T2", "normalized": []}],
}
HEAD: dict[str, Any] = {"id": "0", "document_id": "90000001"}
QA: dict[str, Any] = HEAD | {"question_id": "0", "question": "Which?", "context": "", "type": "", "choices": []}


def read(path: Path, *rows: Any, **options: Any) -> list[Record | Reject]:
    file = path / "rows.json"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return list(bigbio.read(file, corpus="c", split="train", lang="en", **options))


def only(path: Path, row: Any, **options: Any) -> Record:
    (record,) = read(path, row, **options)
    assert not isinstance(record, Reject), record
    return record


def changed(**changes: Any) -> dict[str, Any]:
    return KB | changes


def test_a_document(tmp_path: Path) -> None:
    assert only(tmp_path, KB, document_prefix="pmid:") == Document(
        id="0",
        corpus="c",
        split="train",
        lang="en",
        document_ids=("pmid:90000001",),
        text="Aspirin harms. Both lobes of the liver.",
        passages=(Passage(type="abstract", span=Span(15, 39)), Passage(type="title", span=Span(0, 14))),
        entities=(
            Entity(
                id="T1",
                type="Drug",
                text="Aspirin",
                spans=(Span(0, 7),),
                concepts=(Concept(db="MESH", id="D1"), Concept(db="", id="X2")),
            ),
            Entity(id="T2", type="Organ", text="lobes liver", spans=(Span(20, 25), Span(33, 38))),
        ),
        events=(
            Event(
                id="E1",
                type="Harm",
                trigger="harms",
                trigger_spans=(Span(8, 13),),
                arguments=(Argument(role="Cause", kind="entity", ref="T1"),),
            ),
            Event(id="E2", type="Cause", arguments=(Argument(role="Theme", kind="event", ref="E1"),)),
        ),
        relations=(
            Relation(
                id="R1",
                type="harms",
                arguments=(
                    Argument(role="head", kind="entity", ref="T1"),
                    Argument(role="tail", kind="entity", ref="T2"),
                ),
            ),
        ),
        coreferences=(Coreference(id="C1", entities=("T1", "T2")),),
    )


def test_rows_of_the_other_schemas(tmp_path: Path) -> None:
    head: dict[str, Any] = {"id": "0", "corpus": "c", "split": "train", "lang": "en"}
    texts = HEAD | {"text_1": "One.", "text_2": "Two.", "label": "same"}
    assert only(tmp_path, HEAD | {"text": "So.", "labels": ["b", "a", "b"]}) == Labelled(
        **head, text="So.", labels=("b", "a")
    )
    assert only(tmp_path, texts) == Pair(**head, first="One.", second="Two.", label="same")
    assert only(tmp_path, texts | {"label": "2.5"}, graded=True) == Pair(**head, first="One.", second="Two.", value=2.5)
    assert only(tmp_path, {"id": 0, "premise": "One.", "hypothesis": "Two.", "label": "neutral"}) == Pair(
        **head, first="One.", second="Two.", label="neutral"
    )
    named = texts | {"text_1_name": "", "text_2_name": ""}
    assert only(tmp_path, named) == TextToText(**head, kind="summary", source="One.", target="Two.")
    assert only(tmp_path, named, target="title") == TextToText(**head, kind="title", source="One.", target="Two.")
    assert only(tmp_path, named | {"text_1_name": "zh", "text_2_name": "English"}) == Parallel(
        id="0", corpus="c", split="train", lang="zh", source="One.", target="Two.", target_lang="en"
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"type": "multiple_choice", "choices": ["red", "blue"], "answer": ["blue"]},
            {
                "kind": "choice",
                "options": (Option(key="A", text="red"), Option(key="B", text="blue")),
                "answers": ("B",),
            },
        ),
        ({"type": "yesno", "choices": ["yes", "no"], "answer": ["Yes"]}, {"kind": "yesno", "answers": ("yes",)}),
        ({"choices": ["yes", "no", "maybe"], "answer": ["maybe"]}, {"kind": "yesno", "answers": ("maybe",)}),
        ({"type": "factoid", "answer": ["a", "b"]}, {"kind": "simple", "answers": ("a", "b")}),
        (
            {"type": "list", "context": "A text.", "answer": "a"},
            {"kind": "context", "answers": ("a",), "contexts": ("A text.",)},
        ),
    ],
)
def test_questions(tmp_path: Path, row: dict[str, Any], expected: dict[str, Any]) -> None:
    record = only(tmp_path, QA | row)
    assert record == Question(id="0", corpus="c", split="train", lang="en", question="Which?", **expected)


def test_pages_of_the_viewer_and_of_several_schemas(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    rows: list[Any] = [{"row_idx": 0, "row": KB, "truncated_cells": []}, {"row_idx": 1, "row": None}, 7]
    path.write_text(json.dumps({"features": [], "rows": rows}))
    document, *rejects = bigbio.read(path, corpus="c", split="train", lang="en")
    assert isinstance(document, Document)
    assert [reject.where for reject in rejects if isinstance(reject, Reject)] == ["page.json:1/1", "page.json:1/2"]


def test_names_and_documents_that_rows_have(tmp_path: Path) -> None:
    row = KB | {"document_id": "BB-norm-90000001"}
    assert only(tmp_path, row).document_ids == ()
    record = only(tmp_path, row, id_key="document_id", document_prefix="pmid:", document_pattern=r"(\d{8})$")
    assert (record.id, record.document_ids) == ("BB-norm-90000001", ("pmid:90000001",))
    assert only(tmp_path, row, document_prefix="pmid:", document_pattern=r"^(\d+)$").document_ids == ()
    assert only(tmp_path, KB | {"document_id": "<BB_NULL_STR>"}, document_prefix="pmid:").document_ids == ()


def test_passages_that_say_the_same_twice(tmp_path: Path) -> None:
    sentences = [{"type": "sentence", "text": ["Aspirin", "harms."], "offsets": [[0, 7], [8, 14]]}]
    record = only(tmp_path, changed(passages=[*KB["passages"], *sentences]))
    assert isinstance(record, Document)
    assert record.text == "Aspirin harms. Both lobes of the liver."
    assert [passage.span for passage in record.passages][2:] == [(0, 7), (8, 14)]


def test_mentions_without_type_take_that_of_their_place(tmp_path: Path) -> None:
    untyped = [{"id": f"U{n}", "type": "", "text": [], "offsets": [span]} for n, span in enumerate([[0, 7], [8, 13]])]
    row = changed(entities=[*KB["entities"], *untyped])
    for options, types in (({}, ["", ""]), ({"untyped": "Mention"}, ["Drug", "Mention"])):
        record = only(tmp_path, row, **options)
        assert isinstance(record, Document)
        assert [entity.type for entity in record.entities[2:]] == types


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"entities": [], "passages": [KB["passages"][0] | {"offsets": [[0, 30]]}]},
        ["passage of another length than its offsets"],
    ),
    ({"passages": [*KB["passages"], {"text": ["Ibuprofen"], "offsets": [[0, 9]]}]}, ["invalid record"]),
    ({"passages": [{"text": ["x"], "offsets": [[10**9, 10**9 + 1]]}]}, ["invalid record"]),
    ({"passages": [{"text": ["x"], "offsets": []}]}, ["invalid record"]),
    ({"entities": 7}, ["invalid record"]),
    ({"entities": [7]}, ["invalid record"]),
    ({"entities": [{"id": "T1", "text": ["Aspirin"], "offsets": [[0, "7"]]}]}, ["malformed line"]),
    ({"entities": [{"id": "T1", "text": ["Aspirin"], "offsets": [[0, 70]]}]}, ["span outside the text"]),
    ({"entities": [{"id": "T1", "text": ["Aspirin"], "offsets": []}]}, ["span outside the text"]),
    ({"entities": [{"id": "T1", "text": ["Gold"], "offsets": [[0, 4]]}]}, ["mention does not match the text"]),
    (
        {"entities": [{"id": "T1", "text": ["Aspirin  harms"], "offsets": [[0, 13]]}]},
        ["mention differs from the text in white space"],
    ),
    ({"relations": [{"id": "R", "type": "r", "arg1_id": "T1", "arg2_id": "T9"}]}, ["reference to what is not"]),
    (
        {
            "relations": [
                {"id": "R", "type": "r", "arg1_id": "R2", "arg2_id": "T1"},
                {"id": "R2", "type": "r", "arg1_id": "T1", "arg2_id": "T9"},
            ]
        },
        ["reference to what is not"] * 2,
    ),
    ({"coreferences": [{"id": "C", "entity_ids": ["T1", "T9"]}]}, ["reference to what is not"]),
    ({"coreferences": [{"id": "T1", "entity_ids": []}]}, ["invalid record"]),
]


@pytest.mark.parametrize(("change", "reasons"), FAULTS)
def test_faults_are_rejected(tmp_path: Path, change: dict[str, Any], reasons: list[str]) -> None:
    bare = changed(**({"events": [], "relations": [], "coreferences": []} | change))
    rejects = [item for item in read(tmp_path, KB, bare)[1:] if isinstance(item, Reject)]
    assert [reject.reason[: len(reason)] for reject, reason in zip(rejects, reasons, strict=True)] == reasons


def test_relations_may_be_of_relations_and_normalised(tmp_path: Path) -> None:
    link = {"id": "R2", "type": "cause", "arg1_id": "R1", "arg2_id": "E1"}
    link["normalized"] = [{"db_name": "RO", "db_id": "1"}]  # pyright: ignore[reportArgumentType]
    record = only(tmp_path, changed(relations=[*KB["relations"], link]), roles={"cause": ("why", "what")})
    assert isinstance(record, Document)
    assert record.relations[1].attributes == {"RO": "1"}
    assert [(a.role, a.kind) for a in record.relations[1].arguments] == [("why", "relation"), ("what", "event")]


@pytest.mark.parametrize("rows", [[{"text": "So."}], [{"rows": []}], [{"id": "0"}]])
def test_a_file_without_rows_of_a_schema_is_refused(tmp_path: Path, rows: list[Any]) -> None:
    with pytest.raises(FormatError, match="no row is in one of BigBio's schemas"):
        read(tmp_path, *rows)


HEADS: dict[str, Any] = {"id": "1", "corpus": "c", "split": "train", "lang": "en"}
MENTION = Entity(id="T1", type="t", text="a", spans=(Span(0, 1),))
ENDS = (Argument(role="head", kind="entity", ref="T1"), Argument(role="tail", kind="entity", ref="T1"))
NAMED = Option(key="x", text="a"), Option(key="y", text="b")


def related(**changes: Any) -> Document:
    fields: dict[str, Any] = {"id": "R1", "type": "r", "arguments": ENDS} | changes
    relation = Relation(**fields)
    return Document(**HEADS, text="ab", entities=(MENTION,), relations=(relation,))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (related(attributes={"x": "y"}), "no attributes of relations"),
        (related(arguments=(*ENDS, ENDS[0])), "relations of two arguments"),
        (related(arguments=ENDS[::-1]), "got tail, head"),
        (related(arguments=(ENDS[0], Argument(role="tail", kind="text", ref="x"))), "got text 'x'"),
        (Document(**HEADS, text="ab", document_ids=("a", "b")), "names one document"),
        (Document(**HEADS, text="ab", passages=(Passage(type="", span=Span(0, 1)),)), "a passage has no type"),
        (
            Document(**HEADS, text="ab", events=(Event(id="E", type="e", attributes={"x": "y"}),)),
            "attributes of events",
        ),
        (Pair(**HEADS, first="a", second="b", value=1.0), "rows of these pairs have a label"),
        (Question(**HEADS, kind="choice", question="a", options=NAMED, answers=("x",)), "the keys A, B, C"),
        (Question(**HEADS, kind="simple", question="a", answers=("x",), long_answer="y"), "no longer answer"),
        (Question(**HEADS, kind="context", question="a", answers=("x",), contexts=("a", "b")), "one context"),
        (Dialogue(**HEADS, turns=(Turn(role="user", text="a"), Turn(role="assistant", text="b"))), "got Dialogue"),
    ],
)
def test_what_no_row_can_hold_is_refused(tmp_path: Path, record: Record, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        bigbio.write([record], tmp_path / "rows.json")


def test_a_file_has_one_schema(tmp_path: Path) -> None:
    records = [related(), Pair(**HEADS, first="a", second="b", label="l")]
    with pytest.raises(FormatError, match="rows of one schema; got pairs; expected kb"):
        bigbio.write(records, tmp_path / "rows.json")


def _carried(record: Record) -> Record:
    """Return a record with what a row can hold of it."""
    changes: dict[str, Any] = {"document_ids": record.document_ids[:1]}
    if isinstance(record, Document):
        ids = {e.id for e in record.entities} | {e.id for e in record.events}
        changes["relations"] = tuple(
            Relation(id=r.id, type=r.type, arguments=tuple(Argument(role=n, kind=a.kind, ref=a.ref) for n, a in ends))
            for r in record.relations
            if len(r.arguments) == 2 and all(a.kind == "entity" and a.ref in ids for a in r.arguments)
            for ends in [list(zip(("head", "tail"), r.arguments, strict=True))]
        )
        changes["events"] = tuple(
            msgspec.structs.replace(
                event, arguments=tuple(a for a in event.arguments if a.kind in ("entity", "event")), attributes={}
            )
            for event in record.events
        )
    if isinstance(record, Question):
        changes |= {"contexts": record.contexts[:1], "long_answer": ""}
        changes["options"] = tuple(Option(key=o.key, text=f"{o.key} {o.text}") for o in record.options)
    return msgspec.structs.replace(record, **changes)


def _back(path: Path, records: list[Record], **options: Any) -> None:
    for name in ("rows.json", "rows.parquet"):
        file = path / name
        bigbio.write(records, file, **options)
        read_options = {key: value for key, value in options.items() if key != "entailment"}
        first = records[0]
        found = list(
            bigbio.read(
                file, corpus=first.corpus, split=first.split, lang=first.lang, document_prefix="", **read_options
            )
        )
        assert found == records


written = st.one_of(
    strategies.documents(),
    strategies.labelled(),
    strategies.questions(),
    st.builds(Pair, **strategies._pair, label=strategies.names),  # pyright: ignore[reportPrivateUsage]
    strategies.records.filter(lambda record: isinstance(record, Parallel | TextToText)),
)


@given(record=written.map(_carried))
def test_what_is_written_reads_the_same(tmp_path_factory: pytest.TempPathFactory, record: Record) -> None:
    _back(tmp_path_factory.mktemp("rows"), [record])


@given(value=strategies.finite)
def test_values_of_pairs_are_written_where_asked(tmp_path_factory: pytest.TempPathFactory, value: float) -> None:
    _back(tmp_path_factory.mktemp("rows"), [Pair(**HEADS, first="a", second="b", value=value)], graded=True)


def test_roles_and_premises_are_written_where_asked(tmp_path: Path) -> None:
    _back(tmp_path, [related(arguments=ENDS[::-1])], roles={"r": ("tail", "head")})
    _back(tmp_path, [Pair(**HEADS, first="a", second="b", label="neutral")], entailment=True)
    assert (tmp_path / "rows.json").read_text(encoding="utf-8").startswith('{"id": "1", "premise": "a", ')
