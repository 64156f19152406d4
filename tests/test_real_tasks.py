"""Records of the real corpora under every task and form: what is rendered parses to its gold and scores 1."""

from __future__ import annotations

from collections import Counter

import pytest

from real_records import records, some
from taiyi import catalogue, tasks
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus
from taiyi.errors import Unparsable
from taiyi.metrics import f1
from taiyi.schema import Choice, Counts, Document, Example, Record, Reject, Shown, Span, Split
from taiyi.tasks import Task
from taiyi.text import normalise
from whole import WHOLE

pytestmark = pytest.mark.real

EXTRACTION = ("ner", "re")
CORPORA = ("bc5cdr", "ncbi_disease", "biored", "cmeee_v2", "cmeee_chip2020", "cmeie_v2")
# Texts, pairs and questions: every corpus of which a split is at hand.
TEXTS = ("mt", "tp_ss", "tp_te", "summary", "title", "report", "tc", "qa_mc", "qa_yesno", "qa_sqa", "qa_cqa", "mrd")
PARTLY = "the answer does not hold all of the gold"

# What a form cannot express: records with crossing mentions, by corpus, form and split. All else is expressed.
LOST: dict[tuple[str, str, Split], dict[str, int]] = {
    ("cmeee_v2", "tagged", "dev"): {PARTLY: 4},
    ("cmeee_chip2020", "tagged", "train"): {PARTLY: 2},
}

# Windows of single sentences that a mention reaches out of, by corpus and split.
CUT: dict[tuple[str, Split], int] = {
    ("ncbi_disease", "train"): 4,
    ("biored", "train"): 1,
    ("biored", "dev"): 4,
}

CASES = [
    (corpus.name, task, form, split)
    for corpus in catalogue.all_corpora()
    for task in corpus.tasks
    if task in TEXTS or (task in EXTRACTION and corpus.name in CORPORA)
    for form in tasks.get(task).forms
    for split in corpus.splits
    if corpus.layout(split, catalogue.corpora_dir())
]


@pytest.mark.parametrize(("name", "task_name", "form", "split"), CASES)
def test_every_record_comes_back(name: str, task_name: str, form: str, split: Split) -> None:
    corpus, task = catalogue.get(name), tasks.get(task_name)
    lost: Counter[str] = Counter()
    counts: list[Counts] = []
    for number, record in enumerate(some(name, split)):
        if not task.applies(record):
            # Of a corpus of several tasks each record is for one of them.
            assert any(tasks.get(other).applies(record) for other in corpus.tasks if other in tasks.names()), record.id
            continue
        example = _render(record, number, task, corpus, form)
        if isinstance(example, Reject):
            lost[example.reason] += 1
            continue
        try:
            parsed = task.parse(example.answer, example)
        except Unparsable as error:
            pytest.fail(f"{example.id}: {error}")
        if parsed != example.gold:
            lost[PARTLY] += 1
        score = task.score(example.gold, example.gold, record=record.id)
        if score.value is not None:
            assert score.value == pytest.approx(1.0, abs=1e-9), example.id
        counts += score.counts.values()
        assert (score.value is None) == (task.metric == "micro_f1")
    stated = Counter(LOST.get((name, form, split), {}))
    assert lost == stated if WHOLE else lost <= stated
    if counts:
        assert f1.f1(f1.total(counts)) == 1.0


@pytest.mark.parametrize(
    ("name", "split"),
    [(name, split) for name in ("bc5cdr", "ncbi_disease", "biored") for split in catalogue.get(name).splits],
)
def test_sentences_of_abstracts_hold_their_mentions(name: str, split: Split) -> None:
    corpus, task = catalogue.get(name), tasks.get("ner")
    types = [Shown(name=n, shown=t.shown("en")) for n, t in corpus.entity_types.items()]
    cut = 0
    for number, record in enumerate(records(name, split)):
        assert isinstance(record, Document)
        parts = [_render(record, number, task, corpus, "tagged", window=window) for window in windows(record.text, 1)]
        examples = [part for part in parts if isinstance(part, Example)]
        assert len(examples) == len(parts)
        parsed = [(example, task.parse(example.answer, example)) for example in examples]
        cut += sum(answer != example.gold for example, answer in parsed)
        whole = task.render(record, tasks.load_templates(task, "en")[0], form="list", types=types)
        assert isinstance(whole, Example)
        score = task.score(whole.gold, task.merge([(e, e.gold) for e in examples]), record=record.id)
        assert all(c.fp == c.fn == 0 for c in score.counts.values())
    assert cut == CUT.get((name, split), 0)


@pytest.mark.parametrize(("name", "dropped"), [("med_qa_mainland", 67), ("med_qa_us", 0)])
def test_options_of_examinations_name_themselves_and_questions_that_leak_are_seen(name: str, dropped: int) -> None:
    corpus, task = catalogue.get(name), tasks.get("qa_mc")
    texts_of: dict[Split, list[set[str]]] = {"dev": [], "test": []}
    for split, found in texts_of.items():
        for number, record in enumerate(records(name, split)):
            example = _render(record, number, task, corpus, "key")
            assert isinstance(example, Example)
            found.append({normalise(text) for text in task.texts(record)} - {""})
            texts = [shown.shown for shown in example.types]
            for key, text in ((t.name, t.shown) for t in example.types if texts.count(t.shown) == 1):
                # Some options are a letter: "C" for the third of a figure. It is read as the key.
                expected = text if text in "ABCD" else key
                answers = (text, f"{key}. {text}", f"{key}、{text}", f"答案是{key}，{text}")
                assert task.parse(text, example) == Choice(key=expected), (example.id, text)
                assert all(task.parse(answer, example) == Choice(key=key) for answer in answers[1:]), (example.id, text)
    known = set[str]().union(*texts_of["test"])
    assert sum(not known.isdisjoint(found) for found in texts_of["dev"]) == dropped


def _render(
    record: Record, number: int, task: Task, corpus: Corpus, form: str, *, window: Span | None = None
) -> Example | Reject:
    """Render a record with one of the templates, each in its turn, and all types of its corpus."""
    (types, *_) = fixed(task, corpus, Selection(corpus=corpus.name, task=task.name), record.lang)
    templates = tasks.load_templates(task, record.lang)
    return task.render(record, templates[number % len(templates)], form=form, types=types, window=window)
