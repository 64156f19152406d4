"""From predictions to scores: parse each answer, put the windows of a record together, compare with its gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taiyi import tasks
from taiyi.errors import TaiyiError, Unparsable
from taiyi.evaluate.aggregate import verdict
from taiyi.evaluate.report import Sample
from taiyi.schema import Answer, Example, Prediction, Score


def score(examples: Sequence[Example], predictions: Mapping[str, Prediction]) -> list[Score]:
    """Score the records of a test set, in the order of their first examples.

    A record of several windows is unparsable where the answer to one of them is. Raises TaiyiError where an example
    has no prediction.
    """
    return [scored for _, scored in _scored(examples, predictions)]


def samples(name: str, examples: Sequence[Example], predictions: Mapping[str, Prediction], most: int) -> list[Sample]:
    """Return sample answers spread over a test set, with what was asked, the gold and how each was scored."""
    records = _scored(examples, predictions)
    stride = max(1, len(records) // most)
    found: list[Sample] = []
    for group, scored in records[::stride][:most]:
        # Of several windows the one with the most to find says the most.
        example = max(group, key=lambda e: len(e.answer) - len(e.messages[-1].content))
        shown = scored if len(group) == 1 else _score_one([example], predictions)
        found.append(
            Sample(
                task=example.task,
                set=name,
                prompt="\n".join(m.content for m in example.messages),
                gold=example.answer,
                answer=predictions[example.id].text,
                verdict=verdict(shown),
                lang=example.lang,
            )
        )
    return found


def _scored(examples: Sequence[Example], predictions: Mapping[str, Prediction]) -> list[tuple[list[Example], Score]]:
    groups: dict[tuple[str, str, str], list[Example]] = {}
    for example in examples:
        groups.setdefault((example.corpus, example.split, example.record), []).append(example)
    return [(group, _score_one(group, predictions)) for group in groups.values()]


def _score_one(group: Sequence[Example], predictions: Mapping[str, Prediction]) -> Score:
    task = tasks.get(group[0].task)
    record = "/".join((group[0].corpus, group[0].split, group[0].record))
    gold = task.merge([(example, example.gold) for example in group])
    answers: list[tuple[Example, Answer]] = []
    for example in group:
        prediction = predictions.get(example.id)
        if prediction is None:
            raise TaiyiError("an example has no prediction", where=example.id, mend="run the evaluation again")
        try:
            answers.append((example, task.parse(prediction.text, example)))
        except Unparsable as fault:
            return task.score(gold, None, record=record, reason=fault.what)
    return task.score(gold, task.merge(answers), record=record)
