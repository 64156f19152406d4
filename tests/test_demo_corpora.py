"""The demo corpora: whole, as declared, small, and with nothing of test in train."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.schema import Dialogue, Document, Labelled, Question, Record, Reject, Split
from taiyi.text import normalise

DEMO = [corpus for corpus in catalogue.all_corpora() if corpus.bundled]
NO_ROOT = Path("no-such-folder")
TASKS = {
    "en": {"ner", "re", "tc", "qa_yesno", "qa_mc", "qa_sqa", "qa_cqa", "mrd"},
    "zh": {"ner", "re", "tc", "qa_mc", "qa_sqa", "qa_cqa", "mrd"},
}
MAX_BYTES = 400_000


def records(corpus: Corpus, split: Split) -> Iterator[Record]:
    """Yield the records of a split, of which nothing is dropped."""
    for item in catalogue.load(corpus, split, NO_ROOT):
        assert not isinstance(item, Reject), item
        yield item


def asked(record: Record) -> tuple[str, ...]:
    """Return the texts of a record that a model would be shown, each of which decontamination may match."""
    match record:
        case Document() | Labelled():
            return (record.text,)
        case Question():
            return (record.question, *record.contexts)
        case Dialogue():
            return tuple(turn.text for turn in record.turns if turn.role == "user")[:1]
        case _:
            raise AssertionError(record.id)


by_name = pytest.mark.parametrize("corpus", DEMO, ids=lambda corpus: corpus.name)


def test_every_task_has_a_demo_corpus_in_both_languages() -> None:
    for lang, tasks in TASKS.items():
        assert {task for corpus in DEMO if lang in corpus.langs for task in corpus.tasks} == tasks


@by_name
def test_files_hold_what_is_declared(corpus: Corpus) -> None:
    result = catalogue.check(corpus, NO_ROOT)
    assert result.status == "ok", result.problems
    assert corpus.splits == ("train", "dev", "test")


@by_name
def test_nothing_is_rejected(corpus: Corpus) -> None:
    for split in corpus.splits:
        assert list(records(corpus, split))


@by_name
def test_splits_share_no_text_and_no_document(corpus: Corpus) -> None:
    texts: dict[str, str] = {}
    documents: dict[str, str] = {}
    for split in corpus.splits:
        for record in records(corpus, split):
            for text in map(normalise, asked(record)):
                assert texts.setdefault(text, split) == split, text
            for document in record.document_ids:
                assert documents.setdefault(document, split) == split, document


@by_name
def test_types_of_test_are_seen_in_train(corpus: Corpus) -> None:
    declared = {*corpus.entity_types} if "ner" in corpus.tasks else {*corpus.relation_types, *corpus.labels}
    for split in ("train", "test"):
        found: set[str] = set()
        for record in records(corpus, split):
            if isinstance(record, Document):
                found |= (
                    {e.type for e in record.entities} if "ner" in corpus.tasks else {r.type for r in record.relations}
                )
            elif isinstance(record, Labelled):
                found |= {*record.labels}
        assert found == declared


def test_some_chinese_entities_are_nested() -> None:
    spans = [
        [e.spans[0] for e in r.entities]
        for r in records(catalogue.get("demo_cmeee"), "test")
        if isinstance(r, Document)
    ]
    assert any(a != b and a.start <= b.start and b.end <= a.end for found in spans for a in found for b in found)


def test_triples_stand_in_their_texts() -> None:
    for split in ("train", "dev", "test"):
        for record in records(catalogue.get("demo_cmeie"), split):
            assert isinstance(record, Document)
            assert record.relations
            assert all(argument.ref in record.text for r in record.relations for argument in r.arguments)


def test_answers_in_context_stand_in_it() -> None:
    for record in records(catalogue.get("demo_context_qa"), "test"):
        assert isinstance(record, Question)
        assert record.answers[0].lower() in record.contexts[0].lower()


def test_the_package_stays_small() -> None:
    folders = [corpus.bundled for corpus in DEMO if corpus.bundled]
    assert sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()) < MAX_BYTES
