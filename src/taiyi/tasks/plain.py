"""Texts as they stand, for continued pre-training: no prompt, no template, and nothing to score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taiyi.schema import (
    Dialogue,
    Document,
    Example,
    FreeText,
    Labelled,
    Pair,
    Parallel,
    Question,
    Record,
    Reject,
    Shown,
    Span,
    TextToText,
)
from taiyi.tasks.questions import FreeAnswer
from taiyi.tasks.task import example_id
from taiyi.templates import Template


class PlainText(FreeAnswer):
    """The texts of a record, or a window of them: what a model reads instead of what it answers.

    Its examples have no messages, and the text for an answer. Windows are cut from whatever record it is, since a
    dialogue or a chapter can be as long as a document.
    """

    name = "text"
    slots = frozenset[str]()
    windowed = True

    def applies(self, record: Record) -> bool:
        return True

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the texts of a record as one, a line each or more, and each by itself where there are several.

        Labels, grades and the answers of questions are not among them; turns of dialogues, translations and summaries
        are texts.
        """
        parts = tuple(part for part in _parts(record) if part.strip())
        return ("\n".join(part.strip() for part in parts), *parts) if len(parts) > 1 else parts

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
        whole = self.texts(record)[0]
        text = (whole if window is None else whole[window.start : window.end]).strip()
        return Example(
            id=example_id(record, template, form, window=window),
            corpus=record.corpus,
            task=self.name,
            lang=record.lang,
            split=record.split,
            template=template.id,
            form=form,
            record=record.id,
            messages=(),
            answer=text,
            gold=FreeText(text=text),
            offset=window.start if window else 0,
            document_ids=record.document_ids,
        )


def _parts(record: Record) -> Iterator[str]:
    """Yield the texts of a record in reading order."""
    match record:
        case Document() | Labelled():
            yield record.text
        case Pair():
            yield from (record.first, record.second)
        case Question():
            yield from (*record.contexts, record.question, *(option.text for option in record.options))
        case Dialogue():
            yield from (turn.text for turn in record.turns)
        case Parallel():
            yield from (record.source, record.target)
        case TextToText():
            # A title stands before its text.
            ends = (record.source, record.target)
            yield from reversed(ends) if record.kind == "title" else ends
        case _:
            yield record.source
