"""Questions whose answer is a text: simple ones (QA-sqa) and those with a context (QA-cqa). Scored by chrF."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from taiyi.errors import Unparsable
from taiyi.metrics.text import chrf
from taiyi.schema import Answer, Example, FreeText, Question, Record, Reject, Score, Shown, Span
from taiyi.tasks.task import Kind, Whole, example
from taiyi.templates import Template


class FreeAnswer(Whole):
    """What tasks with a text for an answer share."""

    name: str
    forms: tuple[str, ...] = ("text",)
    slots: frozenset[str]
    kind: Kind | None = None
    metric: Literal["micro_f1", "accuracy", "chrf"] = "chrf"
    generative = True

    def parse(self, text: str, example: Example) -> FreeText:
        if not text.strip():
            raise Unparsable("the answer is empty", where=example.id)
        return FreeText(text=text.strip())

    def cut(self, text: str, example: Example) -> str:
        return text

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Answer:
        return answers[0][1]

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, FreeText)
        if predicted is None:
            return Score(record=record, value=0.0, state="unparsable", reason=reason)
        assert isinstance(predicted, FreeText)
        # chrF of a text with itself is 1, and takes milliseconds to say so.
        return Score(record=record, value=1.0 if predicted == gold else chrf(predicted.text, [gold.text]))


class SimpleQuestions(FreeAnswer):
    """A question and its answer; of several answers the first is the gold."""

    name = "qa_sqa"
    slots = frozenset({"question"})
    question_kind: Literal["simple", "context"] = "simple"

    def applies(self, record: Record) -> bool:
        return isinstance(record, Question) and record.kind == self.question_kind

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Question)
        return (record.question, *record.contexts)

    def render(
        self,
        record: Record,
        template: Template,
        *,
        form: str,
        types: Sequence[Shown] = (),
        window: Span | None = None,
        focus: tuple[str, ...] = (),
    ) -> Example | Reject:
        assert isinstance(record, Question)
        slots = {"question": record.question, "context": "\n".join(record.contexts)}
        answer = record.answers[0].strip()
        return example(
            record,
            template,
            form,
            prompt=template.fill(**slots),
            answer=answer,
            gold=FreeText(text=answer),
        )


class ContextQuestions(SimpleQuestions):
    """A question answered from the passages given with it."""

    name = "qa_cqa"
    slots = frozenset({"question", "context"})
    question_kind: Literal["simple", "context"] = "context"
