"""Multi-round dialogue (MRD), medical or general: the assistant's turns are learned, the last scored by chrF."""

from __future__ import annotations

from collections.abc import Sequence

from taiyi.schema import Dialogue, Example, FreeText, Message, Record, Reject, Shown, Span
from taiyi.tasks.questions import FreeAnswer
from taiyi.tasks.task import example
from taiyi.templates import Template


class Dialogues(FreeAnswer):
    """Turns of a user and an assistant; a last turn of the user, which nobody answers, is left out."""

    name = "mrd"
    slots = frozenset({"turn"})

    def applies(self, record: Record) -> bool:
        return isinstance(record, Dialogue)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Dialogue)
        return ("\n".join(turn.text for turn in record.turns),)

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
        assert isinstance(record, Dialogue)
        turns = record.turns if record.turns[-1].role == "assistant" else record.turns[:-1]
        messages = [Message(role=turn.role, content=turn.text.strip()) for turn in turns[:-1]]
        first = 1 if messages[0].role == "system" else 0
        messages[first] = Message(role="user", content=template.fill(turn=messages[first].content))
        answer = turns[-1].text.strip()
        return example(
            record,
            template,
            form,
            prompt=messages[-1].content,
            earlier=messages[:-1],
            answer=answer,
            gold=FreeText(text=answer),
        )
