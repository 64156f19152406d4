"""Every document of the real corpora in windows: answers are read back, and put together they are the gold of the whole
but for what is told to lie in no window, which counts as missed."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from taiyi import catalogue, tasks
from taiyi.build.instructions import ACROSS, PAIR_ACROSS, Instructions, task_of
from taiyi.build.settings import Selection
from taiyi.schema import Answer, Document, Example, Reject, Split
from taiyi.tasks import Task, rc, relations
from taiyi.tasks.windowed import Windowed

pytestmark = [pytest.mark.real, pytest.mark.whole]

NAMES = ("re", "rc", "cre", "ee", "coref")
CASES = [
    (corpus.name, name, split)
    for corpus in catalogue.all_corpora()
    if corpus.bundled is None
    for name in NAMES
    if tasks.listed_as(name) in corpus.tasks
    for split in corpus.splits
    if corpus.layout(split, catalogue.corpora_dir())
]


@pytest.mark.parametrize(("name", "task_name", "split"), CASES)
def test_the_answers_of_windows_are_the_gold_but_for_what_is_told(name: str, task_name: str, split: Split) -> None:
    corpus, root = catalogue.get(name), catalogue.corpora_dir()
    task = task_of(task_name, corpus, root)
    selection = Selection(
        corpus=name, task=task_name, form=task.forms[0], window_chars=600, overlap_chars=200, templates=("01",)
    )
    in_windows, at_once = (
        Instructions(wanted, task, corpus, seed=1, training=False)
        for wanted in (selection, selection.model_copy(update={"window_chars": 0}))
    )
    reasons: Counter[str] = Counter()
    for record in catalogue.load(corpus, split, root):
        if not isinstance(record, Document):
            continue
        made, whole = list(in_windows.of(record)), list(at_once.of(record))
        rejects = [item for item in made if isinstance(item, Reject)]
        examples = [item for item in made if isinstance(item, Example)]
        reasons.update(reject.reason for reject in rejects)
        gold = _items(task, [(e, e.gold) for e in whole if isinstance(e, Example)])
        told = _items(task, [(example, task.parse(example.answer, example)) for example in examples])
        missed = {_first(task, reject) for reject in rejects if reject.reason == ACROSS}
        assert told == gold - missed, record.id
        assert missed <= gold, record.id
        assert not examples or _items(task, [(e, e.gold) for e in examples]) == gold, record.id
    assert set(reasons) <= {ACROSS, PAIR_ACROSS, relations.NOT_BETWEEN_TWO, rc.NOT_MARKED}


def _items(task: Task, answers: list[tuple[Example, Answer]]) -> set[str]:
    merged = task.merge(answers)
    return set(task.items(merged) if isinstance(task, Windowed) else relations.items(merged))


def _first(task: Task, reject: Reject) -> str:
    item = msgspec.json.decode(reject.detail, type=Answer)
    return next(iter(task.items(item) if isinstance(task, Windowed) else relations.items(item)))
