"""Standoff lines and the folders that brat and the BioNLP shared tasks keep them in: their faults, and round trips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from taiyi.errors import FormatError
from taiyi.formats import bionlp_st, brat, standoff_writing
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Document,
    Entity,
    Event,
    Passage,
    Record,
    Reject,
    Relation,
    Span,
)

TEXT = "Nod9 binds Trax. It is not raised in red or\r\nwhite cells."
LINES = (
    "T1\tProtein 0 4\tNod9\n"
    "T2\tProtein 11 15\tTrax\n"
    "T3\tBinding 5 10\tbinds\n"
    "T4\tCell 37 40;51 56\tred cells\n"
    "T5\tRegulation 27 33\traised\n"
    "T6\tPronoun 17 19\tIt\n"
)


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def read(folder: Path, **options: Any) -> tuple[list[Document], list[Reject]]:
    items = list(brat.read(folder, corpus="c", split="train", lang="en", **options))
    return [i for i in items if isinstance(i, Document)], [i for i in items if isinstance(i, Reject)]


def one(folder: Path, lines: str, text: str = TEXT, **options: Any) -> tuple[Document, list[tuple[str, str]]]:
    put(folder, {"a.txt": text, "a.ann": lines})
    (document,), rejects = read(folder, **options)
    return document, [(reject.where, reject.reason) for reject in rejects]


# --- What lines say --------------------------------------------------------------------------------------------------


def test_mentions_count_line_ends_and_come_in_the_order_of_the_text(tmp_path: Path) -> None:
    document, rejects = one(tmp_path, "T1\tCell 51 56;37 40\tcells red\nT2\tCell 41 50\tor  white\n")
    assert rejects == []
    assert document.text == TEXT
    assert [(e.text, e.spans) for e in document.entities] == [
        ("red cells", (Span(37, 40), Span(51, 56))),
        ("or\r\nwhite", (Span(41, 50),)),
    ]


def test_events_with_their_triggers_and_modifications(tmp_path: Path) -> None:
    lines = (
        f"{LINES}E1\tBinding:T3 Theme:T1 Theme2:T2\nE2\tRegulation:T5 Theme:E1 AtLoc:T4 \n"
        "M1\tNegation E2\nA2\tSure E1 Very much\n#1\tAnnotatorNotes E1\tso\n#2\tAnnotatorNotes E1\tindeed\n"
    )
    document, rejects = one(tmp_path, lines)
    assert rejects == []
    assert [e.id for e in document.entities] == ["T1", "T2", "T4", "T6"]
    binding, regulation = document.events
    assert (binding.trigger, binding.trigger_spans) == ("binds", (Span(5, 10),))
    assert binding.attributes == {"Sure": "Very much", "AnnotatorNotes": "so\nindeed"}
    assert regulation.attributes == {"Negation": "true"}
    assert regulation.arguments == (
        Argument(role="Theme", kind="event", ref="E1"),
        Argument(role="AtLoc", kind="entity", ref="T4"),
    )


def test_groups_are_coreferences_or_relations(tmp_path: Path) -> None:
    lines = f"{LINES}*\tEquiv T1 T6\n*\tOR T1 T2 T6\nR1\tIs Arg1:T6 Arg2:T1\t\nR2\tsame T1 T2\n"
    document, rejects = one(tmp_path, lines, coreference=("Equiv", "Is"))
    assert rejects == []
    assert document.coreferences == (
        Coreference(id="*1", entities=("T1", "T6")),
        Coreference(id="R1", entities=("T6", "T1")),
    )
    either, same = document.relations
    assert (either.id, either.type) == ("*2", "OR")
    assert [(a.role, a.ref) for a in either.arguments] == [("member", "T1"), ("member", "T2"), ("member", "T6")]
    assert [(a.role, a.ref) for a in same.arguments] == [("Arg1", "T1"), ("Arg2", "T2")]


def test_what_refers_to_a_trigger_means_the_first_of_its_events(tmp_path: Path) -> None:
    lines = (
        f"{LINES}E1\tBinding:T3 Theme:T1\nE2\tBinding:T3 Theme:T2\nE3\tRegulation:T5 Theme:T3\n"
        "R1\tof Arg1:T5 Arg2:T1\n*\tEquiv T3 T6\nM1\tSpeculation T3\n"
    )
    document, rejects = one(tmp_path, lines)
    assert rejects == [
        ("a.ann:9", "reference to the trigger of several events"),
        ("a.ann:11", "reference to the trigger of several events"),
    ]
    assert document.events[2].arguments == (Argument(role="Theme", kind="event", ref="E1"),)
    assert [e.attributes for e in document.events] == [{"Speculation": "true"}, {"Speculation": "true"}, {}]
    assert document.relations[0].arguments[0] == Argument(role="Arg1", kind="event", ref="E3")
    assert document.coreferences == ()
    assert (document.relations[1].id, document.relations[1].type) == ("*1", "Equiv")


def test_normalisations_of_both_kinds(tmp_path: Path) -> None:
    lines = f"{LINES}N1\tReference T1 UniProt:P:1\tNod9\nN2\tOntoBiotope Annotation:T4 Referent:OBT:000024\n"
    document, rejects = one(tmp_path, lines)
    assert rejects == []
    assert document.entities[0].concepts == (Concept(db="UniProt", id="P:1"),)
    assert document.entities[3].concepts == (Concept(db="OntoBiotope", id="OBT:000024"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T9\tProtein 0 99\tNod9", "span outside the text"),
        ("T9\tProtein 0 5\tNod9", "mention differs from the text in white space"),
        ("T9\tProtein 0 4\tNod8", "mention does not match the text"),
        ("T9\tProtein 0\tNod9", "malformed line"),
        ("T9\tProtein 0 x\tNod9", "malformed line"),
        (f"T9\tProtein 0 {'9' * 5000}\tNod9", "malformed line"),
        ("T1\tProtein 0 4\tNod9", "repeated id"),
        ("E9\tBinding:T99 Theme:T1", "reference to nothing"),
        ("E9\tBinding:T3 Theme:T99", "reference to nothing"),
        ("E9\tBinding:T3 Theme", "malformed line"),
        ("R9\tof Arg1:T1 Arg2:T99", "reference to nothing"),
        ("R9\tof", "malformed line"),
        ("*\tEquiv T1 T99", "reference to nothing"),
        ("N9\tReference T99 MeSH:D1\tx", "reference to nothing"),
        ("N9\tReference T1 D1\tx", "malformed line"),
        ("A9\tNegation T99", "reference to nothing"),
        ("A9\tNegation", "malformed line"),
        ("#9\tto be looked at again", "note on nothing in particular"),
        ("Z9\tNegation T1", "malformed line"),
    ],
)
def test_a_line_at_fault_is_rejected_and_the_rest_is_read(tmp_path: Path, line: str, reason: str) -> None:
    document, rejects = one(tmp_path, f"{LINES}{line}\r\n\nT10\tPlace 37 40\tred\n")
    assert rejects == [("a.ann:7", reason)]
    assert document.entities[-1].id == "T10"


def test_the_first_value_of_an_attribute_is_kept(tmp_path: Path) -> None:
    document, rejects = one(tmp_path, f"{LINES}A1\tSure T1 yes\nA2\tSure T1 no\nA3\tSure T1 yes\n")
    assert rejects == [("a.ann:8", "second value of an attribute")]
    assert document.entities[0].attributes == {"Sure": "yes"}


def test_events_and_types_can_be_left_out(tmp_path: Path) -> None:
    lines = f"{LINES}E1\tBinding:T3 Theme:T1\n"
    document, rejects = one(tmp_path, lines, events=False, skipped=("Pronoun",))
    assert rejects == [("a.ann:6", "Pronoun is left out"), ("a.ann:7", "event is left out")]
    assert [e.type for e in document.entities] == ["Protein", "Protein", "Binding", "Cell", "Regulation"]


def test_triggers_without_events_and_passages(tmp_path: Path) -> None:
    document, rejects = one(tmp_path, LINES, trigger_types=("Binding", "Regulation"), passage_types=("Pronoun",))
    assert [reason for _, reason in rejects] == ["trigger without an event"] * 2
    assert [e.id for e in document.entities] == ["T1", "T2", "T4"]
    assert document.passages == (Passage(type="Pronoun", span=Span(17, 19)),)


# --- Folders ---------------------------------------------------------------------------------------------------------


def test_names_tell_document_ids_and_files_may_be_missing(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"PMID-5.txt": "A.", "PMID-5.ann": "", "x.txt": "B.", "y.ann": "", "PMC7-1.txt": "C.", "PMC7-1.ann": ""},
    )
    patterns = {r"PMID-(\d+)": r"pmid:\1", r"PMC(\d+).*": r"pmcid:PMC\1"}
    documents, rejects = read(tmp_path, documents=patterns)
    assert [(d.id, d.document_ids) for d in documents] == [("PMC7-1", ("pmcid:PMC7",)), ("PMID-5", ("pmid:5",))]
    assert [(r.where, r.reason) for r in rejects] == [
        ("x.txt", "no annotation file"),
        ("y.ann", "annotations without a text"),
    ]


def test_a_list_selects_documents(tmp_path: Path) -> None:
    put(tmp_path, {f"all/{n}.{suffix}": "A." if suffix == "txt" else "" for n in "abc" for suffix in ("txt", "ann")})
    put(tmp_path, {"dev.list": "c\na\n\nz\n"})
    documents, rejects = read(tmp_path / "all", selection="../dev.list")
    assert [d.id for d in documents] == ["a", "c"]
    assert [(r.where, r.reason) for r in rejects] == [("dev.list:4", "listed document is not there")]


def test_folders_in_the_folder(tmp_path: Path) -> None:
    put(tmp_path, {f"{name}/a.{suffix}": "A." if suffix == "txt" else "" for name in "xy" for suffix in ("txt", "ann")})
    documents, _ = read(tmp_path, pattern="**/*.txt", id_from_path=True)
    assert [d.id for d in documents] == ["x/a", "y/a"]


def test_annotation_files_in_order_and_optional_ones(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": TEXT, "a.a1": LINES, "a.a2": "E1\tBinding:T3 Theme:T1\n"})
    items = list(bionlp_st.read(tmp_path, corpus="c", split="train", lang="en"))
    assert isinstance(items[0], Document)
    assert len(items[0].events) == 1
    (reject,) = bionlp_st.read(tmp_path, corpus="c", split="train", lang="en", suffixes=(".a1", ".rel"))
    assert isinstance(reject, Reject)
    (kept,) = bionlp_st.read(
        tmp_path, corpus="c", split="train", lang="en", suffixes=(".a1", ".rel"), optional=(".rel",)
    )
    assert isinstance(kept, Document)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"a.ann": ""})
    with pytest.raises(FormatError, match="the folder holds no text"):
        read(tmp_path)


def test_a_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, {"a.ann": ""})
    (tmp_path / "a.txt").write_bytes(b"one\ntw\xf6\n")
    with pytest.raises(FormatError, match=r"a.txt:2: the file is not UTF-8"):
        read(tmp_path)


# --- Round trips -----------------------------------------------------------------------------------------------------

WORDS = st.text(strategies.characters, min_size=1, max_size=8).filter(
    lambda s: not any(c.isspace() or c in ":;" for c in s)
)


def returned(records: list[Record], folder: Path, form: Any, **options: Any) -> list[Record | Reject]:
    form.write(records, folder, **options)
    return list(form.read(folder, corpus="c", split="train", lang="en"))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents of which standoff files can hold everything."""
    text = draw(st.text(strategies.characters, min_size=1, max_size=60).filter(str.strip))
    places = st.lists(strategies.spans(text), min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))
    values = st.just("true") | WORDS | st.just("a b\tc")
    attributes = st.dictionaries(WORDS.filter(lambda w: w != "AnnotatorNotes"), values, max_size=2)
    notes = st.lists(WORDS, min_size=1, max_size=2).map(lambda found: {"AnnotatorNotes": "\n".join(found)})

    def said(spans: tuple[Span, ...]) -> str:
        return " ".join(text[start:end] for start, end in spans)

    entities = [
        Entity(
            id=f"T{n + draw(st.integers(0, 1)) * 100}",
            type=draw(WORDS),
            text=said(spans),
            spans=spans,
            concepts=tuple(Concept(db=db, id=id) for db, id in draw(st.lists(st.tuples(WORDS, WORDS), max_size=2))),
            attributes=draw(attributes | notes),
        )
        for n, spans in enumerate(draw(st.lists(places, min_size=1, max_size=5)))
    ]
    count = draw(st.integers(0, 3))
    refs = [Argument(role="x", kind="entity", ref=e.id) for e in entities]
    refs += [Argument(role="x", kind="event", ref=f"E{n}") for n in range(count)]
    arguments = st.lists(st.tuples(WORDS, st.sampled_from(refs)), max_size=3).map(
        lambda found: tuple(msgspec.structs.replace(argument, role=role) for role, argument in found)
    )
    events: list[Event] = []
    for n in range(count):
        spans = draw(places | st.just(()))
        events.append(
            Event(
                id=f"E{n}",
                type=draw(st.sampled_from(["Binding", "Growth"])),
                trigger=said(spans),
                trigger_spans=spans,
                arguments=draw(arguments),
                attributes=draw(attributes),
            )
        )
    relations: list[Relation] = []
    chains: list[Coreference] = []
    groups = 0
    members = st.lists(st.sampled_from(refs), min_size=1, max_size=3)
    for n in range(draw(st.integers(0, 4))):
        groups += (kind := draw(st.sampled_from(["link", "group", "chain"]))) != "link"
        if kind == "chain":
            chosen = draw(st.lists(st.sampled_from(entities), min_size=1, max_size=3))
            chains.append(Coreference(id=f"*{groups}", entities=tuple(e.id for e in chosen)))
            continue
        given = tuple(
            msgspec.structs.replace(ref, role="member" if kind == "group" else f"Arg{i}")
            for i, ref in enumerate(draw(members))
        )
        relations.append(
            Relation(
                id=f"*{groups}" if kind == "group" else f"R{n}",
                type=draw(WORDS.filter(lambda w: w != "Equiv")),
                arguments=given,
                attributes=draw(attributes) if kind == "link" else {},
            )
        )
    return Document(
        id="d",
        corpus="c",
        split="train",
        lang="en",
        text=text,
        entities=tuple(entities),
        relations=tuple(relations),
        events=tuple(events),
        coreferences=tuple(chains),
    )


@pytest.mark.parametrize("form", [brat, bionlp_st])
@given(document=documents())
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, form: Any, document: Document) -> None:
    assert returned([document], tmp_path_factory.mktemp("standoff"), form) == [document]


@given(record=strategies.records, bare=st.booleans())
def test_what_is_not_refused_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, record: Record, bare: bool
) -> None:
    record = msgspec.structs.replace(record, corpus="c", split="train")
    if bare and isinstance(record, Document):
        record = msgspec.structs.replace(record, passages=(), document_ids=(), lang="en", coreferences=())
    try:
        found = returned([record], tmp_path_factory.mktemp("standoff"), brat)
    except FormatError:
        return
    assert found == [msgspec.structs.replace(record, lang="en")]


@given(document=documents())
def test_renumbered_documents_are_read_as_they_were_renumbered(
    tmp_path_factory: pytest.TempPathFactory, document: Document
) -> None:
    expected = standoff_writing.renumbered(document)
    assert returned([document], tmp_path_factory.mktemp("standoff"), brat, renumber=True) == [expected]
    assert [e.text for e in expected.entities] == [e.text for e in document.entities]


def test_given_types_go_into_the_first_file(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": TEXT, "a.ann": f"{LINES}E1\tBinding:T3 Theme:T1\nM1\tNegation E1\n"})
    records, _ = read(tmp_path)
    bionlp_st.write(records, tmp_path / "out", given=("Protein",))
    assert (tmp_path / "out/a.a1").read_text() == "T1\tProtein 0 4\tNod9\nT2\tProtein 11 15\tTrax\n"
    assert (tmp_path / "out/a.a2").read_text() == (
        "T4\tCell 37 40;51 56\tred cells\nT5\tRegulation 27 33\traised\nT6\tPronoun 17 19\tIt\n"
        "T7\tBinding 5 10\tbinds\nE1\tBinding:T7 Theme:T1\nM1\tNegation E1\n"
    )


ENTITY = Entity(id="T1", type="Protein", text="Nod9", spans=(Span(0, 4),))
PLAIN: dict[str, Any] = {"id": "d", "corpus": "c", "split": "train", "lang": "en", "text": TEXT}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "../d"}, "cannot be the name of a file"),
        ({"document_ids": ("pmid:5",)}, "no document ids but those that their names tell"),
        ({"passages": (Passage(type="title", span=Span(0, 16)),)}, "no passages"),
        ({"entities": (msgspec.structs.replace(ENTITY, id="e1"),)}, "not an id that standoff files can hold"),
        ({"entities": (msgspec.structs.replace(ENTITY, type="a protein"),)}, "the type 'a protein'"),
        ({"entities": (msgspec.structs.replace(ENTITY, attributes={"Sure": ""}),)}, "the value '' of Sure"),
        ({"relations": (Relation(id="R1", type="of", arguments=(Argument(role="x", kind="text", ref="y"),)),)}, "text"),
        ({"relations": (Relation(id="R1", type="of", arguments=()),)}, "no relation without arguments"),
        ({"coreferences": (Coreference(id="C1", entities=("T1",)),)}, "not the id that a group in this place has"),
        ({"events": (Event(id="E1", type="Growth", trigger="grew"),)}, "no trigger without a span"),
    ],
)
def test_what_standoff_files_cannot_say_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    fields: dict[str, Any] = {**PLAIN, "entities": (ENTITY,), **changes}
    document = Document(**fields)
    with pytest.raises(FormatError, match=said):
        brat.write([document], tmp_path)


def test_document_ids_that_names_tell_are_kept(tmp_path: Path) -> None:
    patterns = {r"(\d+)": r"pmid:\1"}
    changes: dict[str, Any] = {"id": "5", "document_ids": ("pmid:5",)}
    document = Document(**(PLAIN | changes))
    brat.write([document], tmp_path, documents=patterns)
    assert read(tmp_path, documents=patterns) == ([document], [])
