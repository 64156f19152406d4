"""From predictions to scores: parse each answer, put the windows of a record together, compare with its gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from taiyi import tasks
from taiyi.errors import TaiyiError, Unparsable
from taiyi.evaluate.aggregate import verdict
from taiyi.evaluate.report import Sample
from taiyi.metrics import f1
from taiyi.schema import Answer, Example, Prediction, Score, Value
from taiyi.tasks import Task


def score(examples: Sequence[Example], predictions: Mapping[str, Prediction]) -> list[Score]:
    """Score the records of a test set, in the order of their first examples.

    Of a record that is asked about in parts (windows, pairs, sets of types) a part whose answer cannot be parsed counts
    as one in which nothing was found: its gold is missed, but for what the answer to another part says, and the others
    count as they are. Of an answer that was cut at the limit of tokens, what is whole counts. Raises TaiyiError where
    an example has no prediction.
    """
    return [_score_one(group, predictions) for group in by_record(examples).values()]


def score_alone(example: Example, prediction: Prediction) -> Score:
    """Score one answer by itself, as if its example were all that its record is asked."""
    return _score_one([example], {example.id: prediction})


def worth(example: Example, score: Score) -> float:
    """Return what an answer that is scored by itself is worth, from 0 to 1.

    It is the score's value or the F1 of its counts, and of a grade how near it is to the gold one, in parts of the
    scale. An unparsable answer is worth 0; where there is nothing to find and nothing was found, it is worth 1.
    """
    if score.state == "unparsable":
        return 0.0
    if score.grades is not None and isinstance(example.gold, Value):
        gold, answer = score.grades
        return 1.0 - abs(gold - answer) / (example.gold.scale.highest - example.gold.scale.lowest)
    if score.value is not None:
        return score.value
    found = f1.f1(f1.total(score.counts.values()))
    return 1.0 if found is None else found


def clusters(examples: Sequence[Example]) -> list[str]:
    """Return what the record of each score of `score` was taken from: its first document, else the record itself.

    Records of one document, such as the sentences of an abstract, are not independent: the bootstrap draws them
    together.
    """
    return [next(iter(group[0].document_ids), name) for name, group in by_record(examples).items()]


def num_cut(examples: Sequence[Example], predictions: Mapping[str, Prediction]) -> int:
    """Return how many answers to the examples were cut at the limit of tokens, beside those that never began."""
    answers = (predictions[example.id] for example in examples if example.id in predictions)
    return sum(answer.finish == "length" and answer.text != "" for answer in answers)


def samples(name: str, examples: Sequence[Example], predictions: Mapping[str, Prediction], most: int) -> list[Sample]:
    """Return sample answers spread over a test set, with what was asked, the gold and how each was scored."""
    records = list(by_record(examples).values())
    stride = max(1, len(records) // most)
    found: list[Sample] = []
    for group in records[::stride][:most]:
        # Of several windows the one with the most to find says the most.
        example = max(group, key=lambda e: len(e.answer) - len(e.messages[-1].content))
        found.append(
            Sample(
                task=example.task,
                set=name,
                prompt="\n".join(m.content for m in example.messages),
                gold=example.answer,
                answer=predictions[example.id].text,
                verdict=verdict(_score_one([example], predictions)),
                lang=example.lang,
            )
        )
    return found


def by_record(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Return the examples of each record, under `corpus/split/record`, in the order of the first ones."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(_name(example), []).append(example)
    return groups


def _name(example: Example) -> str:
    return f"{example.corpus}/{example.split}/{example.record}"


def _score_one(group: Sequence[Example], predictions: Mapping[str, Prediction]) -> Score:
    task = tasks.get(group[0].task)
    record = _name(group[0])
    gold = task.merge([(example, example.gold) for example in group])
    answers: list[tuple[Example, Answer]] = []
    unparsable: dict[str, int] = {}
    for example in group:
        answer = _read(task, example, predictions)
        if isinstance(answer, str):
            unparsable[answer] = unparsable.get(answer, 0) + 1
        else:
            answers.append((example, answer))
    if answers:
        found = task.score(gold, task.merge(answers), record=record)
    else:
        found = task.score(gold, None, record=record, reason=next(iter(unparsable)))
    return msgspec.structs.replace(found, num_answers=len(group), unparsable=unparsable)


def _read(task: Task, example: Example, predictions: Mapping[str, Prediction]) -> Answer | str:
    """Return what the model answered to an example, or why that cannot be parsed."""
    prediction = predictions.get(example.id)
    if prediction is None:
        raise TaiyiError("an example has no prediction", where=example.id, mend="run the evaluation again")
    text = prediction.text
    if prediction.finish == "length":
        text = task.cut(text, example)
        if not text.strip():
            return "the answer was cut within its first item" if prediction.text.strip() else "no room to answer"
    try:
        return task.parse(text, example)
    except Unparsable as fault:
        return fault.what
