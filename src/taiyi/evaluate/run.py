"""From predictions to scores: parse each answer, put the windows of a record together, compare with its gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from taiyi import tasks
from taiyi.errors import TaiyiError, Unparsable
from taiyi.evaluate.aggregate import verdict
from taiyi.evaluate.report import Sample
from taiyi.metrics import f1
from taiyi.schema import Answer, Example, Prediction, Score, Value
from taiyi.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A record of a test set, with all that was asked about it and answered.

    Attributes:
        record: `corpus/split/record`.
        examples: what was asked: one example, or one for each of its parts (windows, pairs, sets of types).
        predictions: what was answered to each.
        answers: what each prediction says; None where it cannot be parsed.
        gold: the gold of the parts together.
        answer: what was answered to the parts together; None where no answer could be parsed. A part whose answer
            cannot be parsed counts as one in which nothing was found.
        unparsable: how many answers could not be parsed, by reason.
    """

    record: str
    examples: tuple[Example, ...]
    predictions: tuple[Prediction, ...]
    answers: tuple[Answer | None, ...]
    gold: Answer
    answer: Answer | None
    unparsable: Mapping[str, int]

    @property
    def cluster(self) -> str:
        """What the record was taken from: its first document, else the record itself.

        Records of one document, such as the sentences of an abstract, are not independent: the bootstrap draws them
        together.
        """
        return next(iter(self.examples[0].document_ids), self.record)

    @property
    def num_cut(self) -> int:
        """How many answers were cut at the limit of tokens, beside those that never began."""
        return sum(p.finish == "length" and p.text != "" for p in self.predictions)

    def score(self) -> Score:
        """Score the record as its task does."""
        reason = next(iter(self.unparsable), "") if self.answer is None else ""
        found = tasks.get(self.examples[0].task).score(self.gold, self.answer, record=self.record, reason=reason)
        return msgspec.structs.replace(found, num_answers=len(self.examples), unparsable=dict(self.unparsable))


def answered(examples: Sequence[Example], predictions: Mapping[str, Prediction]) -> list[Answered]:
    """Put examples and what was answered to them together by record, in the order of the records' first examples.

    Of an answer that was cut at the limit of tokens, what is whole counts. Raises TaiyiError where an example has no
    prediction.
    """
    return [_answered(group, predictions) for group in by_record(examples).values()]


def score(examples: Sequence[Example], predictions: Mapping[str, Prediction]) -> list[Score]:
    """Score the records of a test set as its task does, in the order of their first examples."""
    return [found.score() for found in answered(examples, predictions)]


def score_alone(example: Example, prediction: Prediction) -> Score:
    """Score one answer by itself, as if its example were all that its record is asked."""
    return _answered([example], {example.id: prediction}).score()


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
                verdict=verdict(score_alone(example, predictions[example.id])),
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


def _answered(group: Sequence[Example], predictions: Mapping[str, Prediction]) -> Answered:
    task = tasks.get(group[0].task)
    read: list[tuple[Example, Answer]] = []
    answers: list[Answer | None] = []
    given: list[Prediction] = []
    unparsable: dict[str, int] = {}
    for example in group:
        if (prediction := predictions.get(example.id)) is None:
            raise TaiyiError("an example has no prediction", where=example.id, mend="run the evaluation again")
        given.append(prediction)
        answer = _read(task, example, prediction)
        if isinstance(answer, str):
            unparsable[answer] = unparsable.get(answer, 0) + 1
            answers.append(None)
        else:
            read.append((example, answer))
            answers.append(answer)
    return Answered(
        record=_name(group[0]),
        examples=tuple(group),
        predictions=tuple(given),
        answers=tuple(answers),
        gold=task.merge([(example, example.gold) for example in group]),
        answer=task.merge(read) if read else None,
        unparsable=unparsable,
    )


def _read(task: Task, example: Example, prediction: Prediction) -> Answer | str:
    """Return what the model answered to an example, or why that cannot be parsed."""
    if prediction.finish == "refused":
        return prediction.reason
    text = prediction.text
    if prediction.finish == "length":
        text = task.cut(text, example)
        if not text.strip():
            return "the answer was cut within its first item" if prediction.text.strip() else "no room to answer"
    try:
        return task.parse(text, example)
    except Unparsable as fault:
        return fault.what
