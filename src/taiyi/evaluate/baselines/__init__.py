"""Baselines: what a model is worth more than, learned from the training examples of each test set's own corpus.

Each answers examples in the form that they ask for, so that its answers are read and scored as any model's are:

- `majority` answers what is most frequent in training.
- `dictionary` finds what was annotated in training by longest match, and relates what was related there.
- `encoder:MODEL` is an encoder with a head, fine-tuned for the test set (`encoder.py`): what one would use if it were
  not for generative models.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn, Protocol

from taiyi import tasks
from taiyi.errors import ModelError, RecipeError, suggestion
from taiyi.evaluate.baselines.dictionary import Dictionary, PairDictionary, learn_mentions, learn_pairs
from taiyi.evaluate.baselines.majority import Majority, learn_majority
from taiyi.schema import Answer, Example, Mentions, Message, Prediction, Triples

PREFIX = "baseline:"
NAMES = ("majority", "dictionary")

Learned = Majority | Dictionary | PairDictionary
"""What a baseline without weights has learned, as it is kept in a file."""


class Baseline(Protocol):
    """Answers examples of the test set that it learned for."""

    def answers(self, examples: Sequence[Example]) -> Iterable[Answer]:
        """Yield the answer to each example, in order."""
        ...


def check(name: str) -> str:
    """Return the name of a baseline without its prefix.

    Raises:
        RecipeError: there is none of that name.
    """
    found = name.removeprefix(PREFIX)
    if found not in NAMES:
        raise RecipeError("unknown baseline", got=repr(name), mend=suggestion(found, NAMES))
    return found


def learn(name: str, train: Sequence[Example], dev: Sequence[Example]) -> Learned | str:
    """Learn from the training examples of a test set, with what there is to choose chosen on dev ones.

    Returns:
        What was learned, or why this baseline has no answers to such examples.
    """
    task, gold = tasks.get(train[0].task), train[0].gold
    if not isinstance(task, tasks.Writing):
        return f"no baseline answers examples of the task {task.name}"
    if name == "majority":
        return learn_majority(train)
    if isinstance(gold, Mentions):
        return learn_mentions(train, dev)
    if isinstance(gold, Triples):
        return learn_pairs(train, dev)
    return f"a dictionary finds mentions, and the task {task.name} has none"


class BaselineEngine:
    """Answers examples as a baseline does, written in the form that each asks for."""

    context = 1 << 31

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, in order; the bounds are those of models that write token by token."""
        began = time.perf_counter()
        for example, answer in zip(examples, self.baseline.answers(examples), strict=True):
            task = tasks.get(example.task)
            assert isinstance(task, tasks.Writing)
            seconds, began = time.perf_counter() - began, time.perf_counter()
            yield Prediction(example=example.id, text=task.write(answer, example), finish="stop", seconds=seconds)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> NoReturn:
        raise ModelError("a baseline answers test sets, and holds no dialogue", mend="use: taiyi eval")
