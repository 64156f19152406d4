"""Text classification (TC), single and multi-label: the answer is the names of the labels.

Scored as the paper does: micro-F1 over the labels of each record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import regex

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Example, Labelled, Labels, Lang, Record, Reject, Score, Shown, Span
from taiyi.tasks import grammars, listing
from taiyi.tasks.task import Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words

_COMMA = regex.compile(r"[,，、]")


class Classification(Whole):
    """The labels of a text."""

    name = "tc"
    forms: tuple[str, ...] = ("list",)
    slots = frozenset({"labels", "text"})
    kind: Kind | None = "labels"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def applies(self, record: Record) -> bool:
        return isinstance(record, Labelled)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Labelled)
        return (record.text,)

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
        assert isinstance(record, Labelled)
        identifier = example_id(record, template, form)
        shown = {t.name: t.shown for t in types}
        if unknown := set(record.labels) - set(shown):
            return Reject(
                where=identifier, reason="a label is not in the corpus's set", detail=", ".join(sorted(unknown))
            )
        labels = tuple(name for name in shown if name in record.labels)
        return example(
            record,
            template,
            form,
            prompt=template.fill(labels=words(template.lang).comma.join(shown.values()), text=record.text),
            answer=_write(labels, types, template.lang),
            gold=Labels(items=labels),
            types=types,
        )

    def parse(self, text: str, example: Example) -> Labels:
        if not text.strip():
            raise Unparsable("the answer is empty", where=example.id, expected="labels, or the word for none")
        names = {shown.shown: shown.name for shown in example.types}
        found: dict[str, None] = {}
        none = words(example.lang).none
        for item in (listing.unescape(item) for line in text.split("\n") for item in listing.split(line)):
            for label in [item] if item in names else [part.strip() for part in _COMMA.split(item)]:
                if label in names or label not in ("", none):
                    found[names.get(label, label)] = None
        if found and not set(found) & set(names.values()):
            raise Unparsable("the answer names no label of the set", got=repr(text[:60]), expected=", ".join(names))
        return Labels(items=tuple(sorted(found, key=_rank(example))))

    def write(self, answer: Answer, example: Example) -> str:
        assert isinstance(answer, Labels)
        return _write(answer.items, example.types, example.lang)

    def grammar(self, example: Example) -> str:
        return grammars.labels((listing.escape(t.shown) for t in example.types), example.lang)

    def cut(self, text: str, example: Example) -> str:
        return listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Labels:
        merged: dict[str, None] = {}
        for _, answer in answers:
            assert isinstance(answer, Labels)
            merged.update(dict.fromkeys(answer.items))
        return Labels(items=tuple(merged))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Labels)
        assert predicted is None or isinstance(predicted, Labels)
        ours = {(label, "") for label in gold.items}
        theirs = {(label, "") for label in predicted.items} if predicted is not None else None
        return set_score(ours, theirs, record=record, reason=reason)


def _write(labels: Sequence[str], types: Sequence[Shown], lang: Lang) -> str:
    marks = words(lang)
    names = (listing.escape(t.shown) for t in types if t.name in labels)
    return marks.semicolon.join(names) or marks.none


def _rank(example: Example) -> Callable[[str], tuple[int, str]]:
    order = {shown.name: rank for rank, shown in enumerate(example.types)}
    return lambda label: (order.get(label, len(order)), label)
