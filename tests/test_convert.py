"""Conversion: what is written is read back as the same records, and what a format cannot carry is said."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from taiyi import catalogue
from taiyi.convert import TARGETS, Losses, accepted, convert, fit, target
from taiyi.errors import CorpusError
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Document,
    Entity,
    Event,
    Labelled,
    Parallel,
    Passage,
    Record,
    Reject,
    Relation,
    Span,
)

HERE: Any = {"corpus": "c", "split": "train", "lang": "en"}
RICH = Document(
    id="90000001",
    document_ids=("pmid:90000001",),
    text="Aspirin and ulcer.\nWe saw gastric and duodenal ulcers.",
    passages=(Passage(type="title", span=Span(0, 18)), Passage(type="abstract", span=Span(19, 54))),
    entities=(
        Entity(id="e1", type="Chemical", text="Aspirin", spans=(Span(0, 7),), concepts=(Concept(db="MESH", id="D1"),)),
        Entity(id="e2", type="Disease", text="ulcer", spans=(Span(12, 17),), concepts=(Concept(db="MESH", id="D2"),)),
        Entity(id="e3", type="Disease", text="gastric ulcers", spans=(Span(26, 33), Span(47, 53))),
        Entity(id="e4", type="Disease", text="duodenal ulcers", spans=(Span(38, 53),), attributes={"sure": "yes"}),
        Entity(id="e5", type="Body part", text="duodenal", spans=(Span(38, 46),)),
    ),
    relations=(
        Relation(
            id="r1",
            type="CID",
            arguments=(
                Argument(role="Chemical", kind="concept", ref="D1"),
                Argument(role="Disease", kind="concept", ref="D2"),
            ),
        ),
        Relation(
            id="r2",
            type="in",
            arguments=(Argument(role="head", kind="entity", ref="e4"), Argument(role="tail", kind="entity", ref="e5")),
        ),
    ),
    events=(
        Event(
            id="v1",
            type="Seeing",
            trigger="saw",
            trigger_spans=(Span(22, 25),),
            arguments=(Argument(role="Theme", kind="entity", ref="e4"),),
        ),
    ),
    coreferences=(Coreference(id="c1", entities=("e2", "e4")),),
    **HERE,
)


def back(records: Iterable[Record], name: str, folder: Path) -> tuple[list[Record], list[Record | Reject], Losses]:
    """Convert records, and return what a format carries of them, what is read back, and what was lost."""
    to, losses = TARGETS[name], Losses()
    carried = list(accepted(list(records), to, losses))
    path = folder / f"train{to.suffix}"
    convert(carried, path, to, Losses())
    again = list(to.read(path, **HERE)) if carried else []
    return carried, again, losses


def same(carried: Iterable[Record], again: Iterable[Record | Reject], name: str) -> bool:
    """Whether records are read back, but for what files of some formats do not say: languages and ids of documents.

    Documents of a folder come in the order of their names.
    """

    def shown(item: Any) -> Any:
        if isinstance(item, Reject) or name == "records":
            return item
        kept = {} if TARGETS[name].carries.document_ids else {"document_ids": ()}  # pyright: ignore[reportOptionalMemberAccess]
        if not isinstance(item, Parallel):
            kept["lang"] = "en"
        return msgspec.structs.replace(item, corpus="c", split="train", **kept)

    ours, theirs = [shown(item) for item in carried], [shown(item) for item in again]
    return ours == theirs or (name == "brat" and sorted(ours, key=lambda r: r.id) == theirs)


@pytest.mark.parametrize("name", TARGETS)
def test_a_rich_document_is_read_back_as_it_is_carried(tmp_path: Path, name: str) -> None:
    carried, again, losses = back([RICH], name, tmp_path)
    assert len(carried) == 1, losses
    assert same(carried, again, name)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("records", set[str]()),
        (
            "bigbio",
            {
                "attributes of a mention",
                "relation of this kind or number of arguments",
            },
        ),
        ("bioc", {"passages", "event", "coreference"}),
        (
            "pubtator",
            {
                "line breaks and tabs (spaces stand for them)",
                "discontinuous mention",
                "attributes of a mention",
                "roles of a relation",
                "relation of this kind or number of arguments",
                "event",
                "coreference",
            },
        ),
        (
            "brat",
            {
                "passages",
                "spaces and colons in names (underscores stand for them)",
                "relation of this kind or number of arguments",
            },
        ),
        (
            "conll",
            {
                "line breaks and tabs (spaces stand for them)",
                "spaces and colons in names (underscores stand for them)",
                "passages",
                "discontinuous mention",
                "mention within or across another",
                "concepts of a mention",
                "attributes of a mention",
                "relation",
                "event",
                "coreference",
            },
        ),
    ],
)  # fmt: skip
def test_what_is_lost_is_said(name: str, lost: set[str]) -> None:
    losses = Losses()
    fit(RICH, TARGETS[name], losses)
    assert set(losses.counts) == lost
    assert all(where.startswith(RICH.id) for where in losses.first.values())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=20)
@given(records=st.lists(strategies.records, min_size=1, max_size=4, unique_by=lambda record: record.id))
def test_whatever_is_accepted_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, records: list[Record]
) -> None:
    form = type(records[0])
    alike = [msgspec.structs.replace(r, corpus="c", split="train") for r in records if type(r) is form]
    carried, again, losses = back(alike, name, tmp_path_factory.mktemp("out"))
    assert same(carried, again, name)
    assert len(carried) + sum(n for what, n in losses.counts.items() if what.startswith("record refused")) == len(alike)


@pytest.mark.parametrize("corpus", [c for c in catalogue.all_corpora() if not c.bundled], ids=lambda c: c.name)
@pytest.mark.parametrize("name", TARGETS)
def test_fixtures_of_every_corpus_are_read_back(tmp_path: Path, name: str, corpus: catalogue.Corpus) -> None:
    layout, alone = next(catalogue.fixtures(corpus))
    split = alone.splits[0]
    items = [i for i in catalogue.load(alone, split, catalogue.fixtures_dir(layout.name)) if not isinstance(i, Reject)]
    carried, again, losses = back(items, name, tmp_path)
    assert same(carried, again, name)
    refused = sum(n for what, n in losses.counts.items() if what.startswith("record refused"))
    assert len(carried) + refused == len(items)
    if name == "records":
        assert not losses.counts


def test_another_form_is_refused_and_reported(tmp_path: Path) -> None:
    losses = Losses()
    record = Labelled(id="1", text="Fever.", labels=("a",), **HERE)
    assert convert([record], tmp_path / "x.txt", TARGETS["pubtator"], losses) == 0
    assert losses.counts == {"record refused: of the form Labelled": 1}


def test_one_bad_record_does_not_cost_its_neighbours(tmp_path: Path) -> None:
    plain = [Document(id=str(n), text="Fever today.", **HERE) for n in range(600)]
    bad = msgspec.structs.replace(plain[0], id="a/b")
    losses = Losses()
    assert convert([*plain[:300], bad, *plain[300:]], tmp_path / "out", TARGETS["brat"], losses) == 600
    assert sum(losses.counts.values()) == 1
    assert list(losses.first.values()) == ["a/b"]


def test_an_unknown_format_is_answered_with_those_there_are() -> None:
    with pytest.raises(CorpusError, match="Did you mean 'pubtator'"):
        target("pubtatr")
