"""Records of the real corpora under every extraction task and form: what is rendered parses to its gold and scores
1, and what a form or task cannot express is as much as is stated here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import pytest

from real_records import records, some
from taiyi import catalogue, tasks
from taiyi.build.queries import type_names
from taiyi.catalogue import Corpus
from taiyi.errors import Unparsable
from taiyi.metrics import f1
from taiyi.schema import Answer, Counts, Document, Example, Record, Reject, Shown, Split
from taiyi.tasks import Task, facts, rc, relations
from taiyi.tasks.facts import Facts, Informed
from test_real_tasks import CORPORA, EXTRACTION
from whole import WHOLE

pytestmark = pytest.mark.real

NAMES = ("ner", "nen", "re", "cre", "ee", "coref", "struct")
PARTLY = "the answer does not hold all of the gold"
BETWEEN_TWO = relations.NOT_BETWEEN_TWO
NOT_MARKED = rc.NOT_MARKED

# What a task or form cannot express, by corpus, task, form and split: records with crossing mentions, with relations of
# more than two mentions, or, where pairs are to be marked, of texts without a place. All else is expressed.
LOST: dict[tuple[str, str, str, Split], dict[str, int]] = {
    ("bionlp_st_2013_gro", "ner", "tagged", "train"): {PARTLY: 4},
    ("bionlp_st_2019_bb", "ner", "tagged", "train"): {PARTLY: 29},
    ("bionlp_st_2019_bb", "ner", "tagged", "dev"): {PARTLY: 24},
    ("biorelex", "ner", "tagged", "train"): {PARTLY: 3},
    ("biorelex", "ner", "tagged", "dev"): {PARTLY: 1},
    ("cellfinder", "ner", "tagged", "train"): {PARTLY: 4},
    ("cellfinder", "ner", "tagged", "test"): {PARTLY: 5},
    ("chia", "ner", "tagged", "train"): {PARTLY: 762},
    ("chia", "re", "list", "train"): {BETWEEN_TWO: 736},
    ("chia", "re", "json", "train"): {BETWEEN_TWO: 736},
    ("cpi", "ner", "tagged", "train"): {PARTLY: 1},
    ("ddi_corpus", "ner", "tagged", "train"): {PARTLY: 26},
    ("ddi_corpus", "ner", "tagged", "test"): {PARTLY: 4},
    ("ddi_corpus_ner", "ner", "tagged", "test"): {PARTLY: 2},
    ("drugprot", "ner", "tagged", "dev"): {PARTLY: 2},
    ("promptcblue_cmeee", "ner", "tagged", "train"): {PARTLY: 2},
    ("promptcblue_cmeie", "ner", "tagged", "train"): {PARTLY: 3},
    ("chia", "rc", "label", "train"): {NOT_MARKED: 736},
    ("cmeie_v2", "rc", "label", "dev"): {NOT_MARKED: 3567},
}

CASES = [
    (corpus.name, task, form, split)
    for corpus in catalogue.all_corpora()
    if corpus.bundled is None
    for task in corpus.tasks
    if task in NAMES and not (task in EXTRACTION and corpus.name in CORPORA)
    for form in tasks.get(task).forms
    for split in corpus.splits
    if corpus.layout(split, catalogue.corpora_dir())
]
PAIRED = [
    (corpus.name, split)
    for corpus in catalogue.all_corpora()
    if corpus.bundled is None and "re" in corpus.tasks
    for split in corpus.splits
    if corpus.layout(split, catalogue.corpora_dir())
]


@pytest.mark.parametrize(("name", "task_name", "form", "split"), CASES)
def test_every_record_comes_back(name: str, task_name: str, form: str, split: Split) -> None:
    corpus = catalogue.get(name)
    task = _informed(tasks.get(task_name), name)
    lost: Counter[str] = Counter()
    counts: list[Counts] = []
    for number, record in enumerate(some(name, split)):
        if not task.applies(record):
            continue
        example = _render(record, number, task, _types(task, corpus, record), form)
        if isinstance(example, Reject):
            lost[example.reason] += 1
            continue
        parsed = _parsed(task, example)
        if parsed != example.gold:
            lost[PARTLY] += 1
            continue
        score = task.score(example.gold, parsed, record=record.id)
        assert score.state == "parsed"
        counts += score.counts.values()
    stated = Counter(LOST.get((name, task_name, form, split), {}))
    assert lost == stated if WHOLE else lost <= stated
    assert all(c.fp == c.fn == 0 for c in counts)
    assert not counts or f1.f1(f1.total(counts)) == 1.0


@pytest.mark.whole
@pytest.mark.parametrize(("name", "split"), PAIRED)
def test_the_pairs_of_a_record_make_its_relations(name: str, split: Split) -> None:
    corpus = catalogue.get(name)
    task, whole = _informed(tasks.get("rc"), name), tasks.get("re")
    lost: Counter[str] = Counter()
    for number, record in enumerate(some(name, split)):
        types = _types(task, corpus, record)
        answers: list[tuple[Example, Answer]] = []
        lost_before = lost.total()
        for focus in task.focuses(record, types):
            example = _render(record, number, task, types, "label", focus)
            if isinstance(example, Reject):
                lost[example.reason] += 1
            elif _parsed(task, example) != example.gold:
                lost[PARTLY] += 1
            else:
                answers.append((example, example.gold))
        gold = _render(record, number, whole, types, "list")
        if lost.total() == lost_before and isinstance(gold, Example):
            score = task.score(gold.gold, task.merge(answers), record=record.id)
            assert all(c.fp == c.fn == 0 for c in score.counts.values()), record.id
    assert lost == LOST.get((name, "rc", "label", split), {})


def _parsed(task: Task, example: Example) -> Answer:
    try:
        return task.parse(example.answer, example)
    except Unparsable as error:
        pytest.fail(f"{example.id}: {error}")


@lru_cache(maxsize=4)
def _facts(name: str) -> Facts:
    corpus, root = catalogue.get(name), catalogue.corpora_dir()

    def every() -> Iterator[Record]:
        for split in corpus.splits:
            if corpus.layout(split, root):
                yield from records(name, split)

    return facts.gather(every())


def _informed(task: Task, name: str) -> Task:
    return task.informed(_facts(name)) if isinstance(task, Informed) else task


def _types(task: Task, corpus: Corpus, record: Record) -> list[Shown]:
    if task.kind is None:
        return []
    known = type_names(task, corpus).items()
    return [Shown(name=name, shown=type.shown(record.lang), symmetric=type.symmetric) for name, type in known]


def _render(
    record: Record, number: int, task: Task, types: Sequence[Shown], form: str, focus: tuple[str, ...] = ()
) -> Example | Reject:
    """Render a record with one of the templates, each in its turn, and all types of its corpus."""
    assert isinstance(record, Document) or task.name == "struct"
    templates = tasks.load_templates(task, record.lang)
    return task.render(record, templates[number % len(templates)], form=form, types=types, focus=focus)
