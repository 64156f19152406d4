"""Evaluation during training: a model in the making answers the dev sample of its stage, and the tasks score it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from taiyi import storage, tasks
from taiyi.build.settings import PromptSettings
from taiyi.checkpoint import Checkpoint
from taiyi.errors import TaiyiError
from taiyi.evaluate import report
from taiyi.evaluate import run as scoring
from taiyi.metrics import f1
from taiyi.metrics.measures import PEARSON
from taiyi.schema import Example, Prediction, Score, Value
from taiyi.steps.relating import answered

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from taiyi.train.selection import Dev, DevScore
    from taiyi.train.settings import DevSettings
    from taiyi.train.world import World

_FEWEST_GRADES = 3
"""Of fewer grades a correlation says nothing."""


class _Part(NamedTuple):
    """What one number says how well a model does: a task in a language."""

    task: str
    lang: str

    def __str__(self) -> str:
        return f"{self.task}/{self.lang}"


def evaluator(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerFast,
    checkpoint: Checkpoint,
    settings: DevSettings,
    world: World,
    *,
    batch_tokens: int,
    folder: Path | None = None,
) -> Dev:
    """Return what evaluates a model in the making; every process calls it, and all get the same score.

    The model answers greedily, each process for records of its own; relations by a cascade where it is trained for one,
    under the bias that is the best for the sample. A task in a language scores by the task's metric
    over its records: the micro-F1 of entities, relations and the like, else the mean of the records' values; of three
    or more graded records Pearson's r of their grades, as parts of their scales, in place of each of their values; it
    counts as 0 below 0 and where it is undefined. The score of the model is the mean over tasks of the mean over their
    languages.

    Args:
        examples: of the dev sample; the windows of a record are put together.
        tokenizer: of the model.
        checkpoint: how the model is trained.
        settings: of the evaluation.
        world: the processes that share the work.
        batch_tokens: how many tokens are answered at once.
        folder: where the first process writes some answers of each evaluation, to be read by a person.
    """
    if not examples:
        raise TaiyiError("the dev sample is empty", mend="give the stage more records, or leave out `dev`")
    parts = _parts(examples)
    # The longest first, so that all processes have about as much to do.
    records = [group for part in parts.values() for group in _asked(part)]
    records.sort(key=lambda group: -sum(len(m.content) for example in group for m in example.messages))
    mine = [example for group in records[world.rank :: world.size] for example in group]

    def evaluate(model: PreTrainedModel | PeftModel, step: int) -> DevScore:
        from taiyi.generate import LocalEngine
        from taiyi.generate.torch_model import TorchModel
        from taiyi.train.loss import causal_model
        from taiyi.train.selection import DevScore

        began = time.perf_counter()
        engine = LocalEngine(TorchModel(causal_model(model)), tokenizer, checkpoint)
        made = answered(engine, mine, world, max_new_tokens=settings.max_new_tokens, batch_tokens=batch_tokens)
        predictions = {prediction.example: prediction for prediction in made}
        scores = {
            part: [score for group in _asked(of_part) for score in scoring.score(group, predictions)]
            for part, of_part in parts.items()
        }
        values = {part: _value(parts[part], found) for part, found in scores.items()}
        if folder is not None and world.main:
            _show(parts, predictions, folder / f"answers-step-{step:08d}.jsonl")
        return DevScore(
            step=step,
            score=_mean(values),
            tasks={str(part): value for part, value in values.items()},
            num_answers=len(examples),
            num_unparsable=sum(sum(s.unparsable.values()) for found in scores.values() for s in found),
            seconds=world.told(round(time.perf_counter() - began, 3)),
        )

    return evaluate


def _parts(examples: Iterable[Example]) -> dict[_Part, list[Example]]:
    parts: dict[_Part, list[Example]] = {}
    for example in examples:
        parts.setdefault(_Part(example.task, example.lang), []).append(example)
    return dict(sorted(parts.items()))


def _asked(examples: Sequence[Example]) -> list[list[Example]]:
    """Return the examples that are scored together: the windows of a record, asked for the same types."""
    groups: dict[object, list[Example]] = {}
    for example in examples:
        types = tuple(shown.name for shown in example.types)
        key = (example.corpus, example.split, example.record, example.form, types, _beside(example))
        groups.setdefault(key, []).append(example)
    return list(groups.values())


def _beside(example: Example) -> str:
    """Return what stands beside the wording of an example's prompt, as its id ends with it."""
    name = example.id.rpartition("~")[2]
    return name if set(name.split("+")) <= set(PromptSettings.model_fields) else ""


def _value(examples: Sequence[Example], scores: Sequence[Score]) -> float:
    """Return the score of a task in a language, from 0 to 1."""
    if tasks.get(examples[0].task).metric == "micro_f1":
        found = f1.f1(f1.total(count for score in scores for count in score.counts.values()))
        # Nothing to find, and nothing was found.
        return 1.0 if found is None else found
    asked = _asked(examples)
    grades = [_relative(group[0], s.grades) for group, s in zip(asked, scores, strict=True) if s.grades is not None]
    if len(grades) < _FEWEST_GRADES:
        return math.fsum(score.value or 0.0 for score in scores) / len(scores)
    related = max(0.0, PEARSON.of([Score(record="", grades=pair) for pair in grades]) or 0.0)
    labels = [score.value or 0.0 for score in scores if score.grades is None]
    return math.fsum([related * len(grades), *labels]) / len(scores)


def _relative(example: Example, grades: tuple[float, float]) -> tuple[float, float]:
    """Return the gold grade and the answer as parts of their scale, since corpora have scales of their own."""
    assert isinstance(example.gold, Value)
    scale = example.gold.scale
    gold, answer = ((grade - scale.lowest) / (scale.highest - scale.lowest) for grade in grades)
    return gold, answer


def _mean(values: Mapping[_Part, float]) -> float:
    """Return the mean over tasks of the mean over languages."""
    by_task: dict[str, list[float]] = {}
    for part, value in values.items():
        by_task.setdefault(part.task, []).append(value)
    return math.fsum(math.fsum(found) / len(found) for found in by_task.values()) / len(by_task)


def _show(parts: Mapping[_Part, Sequence[Example]], predictions: Mapping[str, Prediction], path: Path) -> None:
    """Write some answers of each part: always to the same examples, so that models can be compared."""
    most = report.SAMPLES_PER_TASK
    storage.write_jsonl(
        (
            sample
            for part, examples in parts.items()
            for sample in scoring.samples(str(part), examples, predictions, most)
        ),
        path,
    )
