"""Every corpus reads its hand-written fixture, in each layout in which it is passed on."""

from __future__ import annotations

import pytest

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.schema import (
    Dialogue,
    Document,
    Labelled,
    Pair,
    Parallel,
    Question,
    Record,
    Reject,
    TextToStruct,
    TextToText,
)

CORPORA = [corpus for corpus in catalogue.all_corpora() if corpus.bundled is None]


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_fixtures_are_read_as_stated(corpus: Corpus) -> None:
    for result in catalogue.check_fixtures(corpus):
        assert (result.status, result.problems) == ("ok", ())


def test_every_fixture_is_of_a_corpus() -> None:
    known = {(layout.name, corpus.name) for corpus in CORPORA for layout in corpus.layouts}
    found = {(path.parent.name, path.stem) for path in catalogue.fixtures_dir().parent.glob("*/*.json")}
    assert found == known


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_fixtures_have_records_of_every_split(corpus: Corpus) -> None:
    for layout, alone in catalogue.fixtures(corpus):
        assert {split for split, counts in alone.counts.items() if counts.get("records")} == set(layout.files)


def test_fixtures_are_small() -> None:
    folder = catalogue.fixtures_dir().parent
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert {name: size for name, size in sizes.items() if size > 30_000} == {}


def serves(task: str, record: Record) -> bool:
    """Whether an item of this form, holding what it holds, can be asked about in a task."""
    match record:
        case Document():
            held = {
                "ner": bool(record.entities),
                "nen": any(entity.concepts for entity in record.entities),
                "re": bool(record.relations),
                "cre": bool(record.relations),
                "ee": bool(record.events),
                "coref": bool(record.coreferences),
                "text": True,
            }
            return held.get(task, False)
        case Labelled():
            return task == "tc"
        case Pair():
            return task in ("tp_ss", "tp_te")
        case Question():
            return (
                task == {"choice": "qa_mc", "yesno": "qa_yesno", "simple": "qa_sqa", "context": "qa_cqa"}[record.kind]
            )
        case Dialogue():
            return task == "mrd"
        case Parallel():
            return task == "mt"
        case TextToText():
            return task == record.kind
        case TextToStruct():
            return task == "struct"


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_a_corpus_has_records_for_its_tasks_and_tasks_for_its_records(corpus: Corpus) -> None:
    for layout, alone in catalogue.fixtures(corpus):
        root = catalogue.fixtures_dir(layout.name)
        items = [item for split in alone.splits for item in catalogue.load(alone, split, root)]
        records = [item for item in items if not isinstance(item, Reject)]
        served = {task for task in corpus.tasks if any(serves(task, record) for record in records)}
        if layout.name == catalogue.OFFICIAL:
            assert served == set(corpus.tasks)
        assert served
        idle = [r.id for r in records if not isinstance(r, Document) and not any(serves(t, r) for t in corpus.tasks)]
        assert idle == []
