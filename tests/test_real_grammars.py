"""Gold answers of the real corpora under the grammars of their forms: which of them a constrained model can give."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from real_records import records, spread
from taiyi import catalogue, tasks
from taiyi.build.instructions import task_of
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.schema import Document, Example, Record, Reject, Split
from taiyi.tasks import Task
from test_grammars import has, is_quoted, leaves, texts_of
from whole import WHOLE

pytestmark = pytest.mark.real

RECORDS = 100 if WHOLE else 8
"""How many records of a split are tried, evenly spread."""

CASES = [
    (corpus.name, name, form, split)
    for corpus in catalogue.all_corpora()
    for name in dict.fromkeys(part for task in corpus.tasks for part in (task, *(["rc"] if task == "re" else [])))
    if name in tasks.names() and name != "struct"
    for form in tasks.get(name).forms
    if form not in ("tagged", "text")
    # Most of the time goes into reading: before a merge only the last split that is there is read.
    for split in [s for s in corpus.splits if corpus.layout(s, catalogue.corpora_dir())][0 if WHOLE else -1 :]
    if not corpus.bundled
]

# How many of a hundred answers (of fewer where there are fewer) are not among those of their grammar, in list and JSON
# alike, by what their mentions are: in several "parts"; "absent", for the annotators put them into words of their own;
# or begin or end "inside" a piece, as "tumor" of "tumors", "E164D" of "rtE164D" and ends that are off by a letter.
LOST: dict[tuple[str, str, Split], dict[str, int]] = {
    ("anat_em", "ner", "train"): {"inside": 4},
    ("anat_em", "ner", "dev"): {"inside": 2},
    ("anat_em", "ner", "test"): {"inside": 1},
    ("bionlp_st_2011_ge", "ner", "dev"): {"inside": 4},
    ("bionlp_st_2013_cg", "ee", "train"): {"inside": 6},
    ("bionlp_st_2013_cg", "ee", "dev"): {"inside": 10},
    ("bionlp_st_2013_cg", "ner", "train"): {"inside": 2},
    ("bionlp_st_2013_cg", "ner", "dev"): {"inside": 1},
    ("bionlp_st_2013_gro", "ee", "train"): {"inside": 3, "parts": 1},
    ("bionlp_st_2013_gro", "ee", "dev"): {"inside": 1},
    ("bionlp_st_2013_gro", "ner", "train"): {"inside": 1, "parts": 2},
    ("bionlp_st_2019_bb", "ner", "train"): {"inside": 1, "parts": 24},
    ("bionlp_st_2019_bb", "ner", "dev"): {"parts": 24},
    ("bionlp_st_2019_bb", "nen", "train"): {"inside": 1, "parts": 24},
    ("bionlp_st_2019_bb", "nen", "dev"): {"parts": 24},
    ("bionlp_st_2019_bb", "re", "train"): {"parts": 14},
    ("bionlp_st_2019_bb", "re", "dev"): {"parts": 16},
    ("biored", "ner", "test"): {"inside": 1},
    ("biored", "nen", "test"): {"inside": 1},
    ("biored", "re", "test"): {"inside": 1},
    ("cellfinder", "ner", "train"): {"inside": 5},
    ("cellfinder", "ner", "test"): {"inside": 5},
    ("chia", "ner", "train"): {"inside": 2, "inside and parts": 4, "parts": 30},
    ("chia", "re", "train"): {"parts": 11},
    ("chip_cdee", "ee", "train"): {"absent": 35},
    ("chip_cdee", "ee", "dev"): {"absent": 59},
    ("ddi_corpus", "ner", "train"): {"inside": 6, "inside and parts": 1, "parts": 2},
    ("ddi_corpus", "ner", "test"): {"parts": 2},
    ("ddi_corpus", "re", "train"): {"inside": 2, "parts": 2},
    ("ddi_corpus_ner", "ner", "test"): {"inside and parts": 1, "parts": 1},
    ("drugprot", "ner", "dev"): {"inside": 2},
    ("euadr", "ner", "train"): {"inside": 1},
    ("euadr", "re", "train"): {"inside": 1},
    ("osiris", "ner", "train"): {"inside": 2},
    ("osiris", "nen", "train"): {"inside": 1},
    ("seth_corpus", "ner", "train"): {"inside": 1},
    ("seth_corpus", "re", "train"): {"inside": 1},
    ("tmvar_v1", "ner", "test"): {"inside": 2},
    ("tmvar_v2", "ner", "train"): {"inside": 1},
    ("tmvar_v2", "nen", "train"): {"inside": 1},
}


@pytest.mark.parametrize(("name", "task_name", "form", "split"), CASES)
def test_gold_answers_are_those_of_the_grammar(name: str, task_name: str, form: str, split: Split) -> None:
    corpus, root = catalogue.get(name), catalogue.corpora_dir()
    task = task_of(task_name, corpus, root)
    lost = Counter[str]()
    for number, record in enumerate(_spread(task, corpus, split)):
        (types, *_) = fixed(task, corpus, Selection(corpus=name, task=tasks.listed_as(task_name)), record.lang)
        templates = tasks.load_templates(task, record.lang)
        template = templates[number % len(templates)]
        focus = next(iter(task.focuses(record, types)), None)
        if focus is None:
            continue
        example = task.render(record, template, form=form, types=types, focus=focus)
        if isinstance(example, Reject):
            continue
        assert tasks.grammar(example)
        why = _lost(task, record, example)
        assert has(example, example.answer) == (not why), example.answer
        lost.update([why] if why else [])
    if WHOLE:
        assert lost == LOST.get((name, task_name, split), {})


def _spread(task: Task, corpus: Corpus, split: Split) -> Iterator[Record]:
    yield from spread([record for record in records(corpus.name, split) if task.applies(record)], RECORDS)


def _lost(task: Task, record: Record, example: Example) -> str:
    """Return what mentions of an answer are that do not stand in its source; what is chosen from a list always does."""
    if example.source is None:
        return ""
    if task.name == "cre" and example.form == "json":
        rows = [leaves(row) for row in json.loads(example.answer)]
        texts = [text for found, _ in rows for text in found]
        assert all(depth <= 2 for _, depth in rows)
    else:
        texts = texts_of(example.gold)
    values = {value for role in example.roles for value in role.values}
    parts: set[str] = set()
    if isinstance(record, Document):
        parts = {entity.text for entity in record.entities if len(entity.spans) > 1}
        parts |= {event.trigger for event in record.events if len(event.trigger_spans) > 1}
    found: set[str] = set()
    for text in texts:
        if text not in values and not is_quoted(text, example):
            found.add("parts" if text in parts else "inside" if text in example.source_text else "absent")
    return " and ".join(sorted(found))
