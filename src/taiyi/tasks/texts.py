"""From a text to a text: translation (MT), and summaries, titles and reports (TT-ds, TT-ts). Scored by chrF.

The paper counts these among the tasks of its first stage, although their answers are texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from taiyi.schema import Example, FreeText, Lang, Parallel, Record, Reject, Shown, Span, TextToText
from taiyi.tasks.questions import FreeAnswer
from taiyi.tasks.task import example
from taiyi.templates import Template

# What the languages are called, by the language of the instruction.
_LANGUAGES: Mapping[Lang, Mapping[Lang, str]] = MappingProxyType(
    {"en": {"en": "English", "zh": "Chinese"}, "zh": {"en": "英文", "zh": "中文"}}
)


class Translation(FreeAnswer):
    """A text in the other language.

    The direction is the record's, from its language to its `target_lang`; the language of the instruction is that of
    the template, and may be either.
    """

    name = "mt"
    slots = frozenset({"text", "target"})
    generative = False

    def applies(self, record: Record) -> bool:
        return isinstance(record, Parallel)

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the source and the target: a pair asked for in the other direction is about the same material."""
        assert isinstance(record, Parallel)
        return (record.source, record.target)

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
        assert isinstance(record, Parallel)
        target = _LANGUAGES[template.lang][record.target_lang]
        answer = record.target.strip()
        return example(
            record,
            template,
            form,
            prompt=template.fill(text=record.source, target=target),
            answer=answer,
            gold=FreeText(text=answer),
        )


class _Rewriting(FreeAnswer):
    """A text made from another one, of one kind."""

    slots = frozenset({"text"})
    generative = False
    text_kind: Literal["summary", "title", "report"]

    def applies(self, record: Record) -> bool:
        return isinstance(record, TextToText) and record.kind == self.text_kind

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, TextToText)
        return (record.source,)

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
        assert isinstance(record, TextToText)
        answer = record.target.strip()
        return example(
            record,
            template,
            form,
            prompt=template.fill(text=record.source),
            answer=answer,
            gold=FreeText(text=answer),
        )


class Summaries(_Rewriting):
    """What a text says, in short; of a question, what is asked."""

    name = "summary"
    text_kind = "summary"


class Titles(_Rewriting):
    """The title of an abstract."""

    name = "title"
    text_kind = "title"


class Reports(_Rewriting):
    """The report of a consultation, by sections where the corpus has them."""

    name = "report"
    text_kind = "report"
