"""Pairs of texts: semantic similarity (TP-ss) and entailment (TP-te); the answer is a label or a grade.

Labels are scored by accuracy. A pair has exactly one label, and so has an answer that can be read: micro-F1 over the
labels would differ from accuracy only in how it takes answers that cannot be read.

A grade is right where it is the gold to two decimals; how near the others are is what correlation tells, over all pairs
of a test set, so that a score keeps both grades. In place of a grade that cannot be read stands the middle of the
scale, which says nothing of the pair, so that correlation goes towards 0 with every answer that is missing, and there
is none where all are. What stood there by the gold, such as the end of the scale farther from it, would correlate with
the gold: a model that says nothing would seem to know all of it, and to say the reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, floor
from typing import Literal

import msgspec
import regex

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Example, Labels, Pair, Record, Reject, Scale, Score, Shown, Span, Value
from taiyi.tasks import grammars
from taiyi.tasks.families import Family
from taiyi.tasks.task import Kind, Whole, example, example_id
from taiyi.templates import Template, words
from taiyi.text import squeeze

# What models put before an answer: "The answer is ...", "Label: ...", "相似度得分：...".
_LEAD = regex.compile(
    r"^[\s*]*(?:(?:the\s+)?(?:(?:correct|final|right|similarity|relatedness)\s+)?(?:answer|label|score|rating)"
    r"|similarity|relatedness|(?:正确)?(?:答案|标签)|(?:相[似关]度)?(?:得分|评分|分数)|相[似关]度)"
    r"[\s*]*(?:(?:would\s+be|is|:|：|应?为|是)[\s*]*)+",
    regex.IGNORECASE,
)
# A number that stands alone: no part of "1,200", of "2-3" or of a word.
_NUMBER = regex.compile(
    r"(?<![A-Za-z\p{N}.,]|[0-9]\s*[~～–—-]\s*)[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
    r"(?![.,]?[A-Za-z\p{N}]|\s*[~～–—-]\s*[0-9])"
)
# What ends a label: a mark, and not the next word.
_MARK = regex.compile(r"\s*[^\s\p{L}\p{N}/-]")
_AROUND = " .。,，;；*\"'“”()（）[]【】"
# Means of three raters' grades are written with so many; no corpus has finer ones of its own.
_DECIMALS = 2


NO_SCALE = "the grades of the corpus have no scale"
OFF_SCALE = "the grade is outside of its scale"


class _Pairs(Whole):
    """What both tasks share: one label of the corpus's set."""

    name: str
    forms: tuple[str, ...] = ("answer",)
    slots = frozenset({"first", "second", "labels"})
    kind: Kind | None = "labels"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "accuracy"
    generative = False

    def applies(self, record: Record) -> bool:
        return isinstance(record, Pair) and record.label is not None

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the pair as one text, in whatever order: each of the two alone may stand in other pairs as well."""
        assert isinstance(record, Pair)
        return ("\n".join(sorted((record.first, record.second))),)

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
        assert isinstance(record, Pair)
        shown = {t.name: t.shown for t in types}
        if record.label is None or record.label not in shown:
            return Reject(
                where=example_id(record, template, form),
                reason="a label is not in the corpus's set",
                detail=record.label or "",
            )
        labels = words(template.lang).comma.join(shown.values())
        return example(
            record,
            template,
            form,
            prompt=template.fill(first=record.first, second=record.second, labels=labels),
            answer=shown[record.label],
            gold=Labels(items=(record.label,)),
            types=types,
        )

    def candidates(self, example: Example) -> tuple[str, ...]:
        """Return the labels as the prompt shows them; none where a grade is asked for."""
        graded = any(shown.scale is not None for shown in example.types)
        return () if graded else tuple(dict.fromkeys(shown.shown for shown in example.types))

    def parse(self, text: str, example: Example) -> Labels | Value:
        """Read the label that an answer consists of or begins with, for "not similar" does not say "similar"."""
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        if text.strip() in names:
            return Labels(items=(names[text.strip()],))
        said = _LEAD.sub("", text).strip()
        for part in (_plain(said), _plain(said.split("\n", 1)[0])):
            # Of labels that begin alike the longest counts.
            for label, name in sorted(names.items(), key=lambda item: -len(item[0])):
                plain = _plain(label)
                if plain and (part == plain or (part.startswith(plain) and _MARK.match(part, len(plain)))):
                    return Labels(items=(name,))
        raise Unparsable("the answer names no label of the set", got=repr(text[:60]), expected=", ".join(names))

    def write(self, answer: Answer, example: Example) -> str:
        if isinstance(answer, Value):
            return _written(round(answer.value, _DECIMALS))
        assert isinstance(answer, Labels)
        return next(t.shown for t in example.types if t.name in answer.items)

    def grammar(self, example: Example) -> str:
        _, scale = _graded(example.types)
        if scale is not None:
            return grammars.grammar("GRADE", GRADE=_grades(scale))
        labels = [t.shown for t in example.types]
        return grammars.grammar("LABEL", LABEL=grammars.either(labels)) if labels else ""

    def cut(self, text: str, example: Example) -> str:
        return text

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Answer:
        return answers[0][1]

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        state = "parsed" if predicted is not None else "unparsable"
        return Score(record=record, value=float(gold == predicted), state=state, reason=reason)


def _plain(text: str) -> str:
    return squeeze(text).strip(_AROUND).casefold()


class Entailment(_Pairs):
    """Whether one text of a pair follows from the other, or is contradicted by it."""

    name = "tp_te"


class Similarity(_Pairs):
    """How near the texts of a pair are in meaning: a label, or a number on the corpus's own scale.

    What is graded, and on which scale, is the one `Shown` of a graded pair.
    """

    name = "tp_ss"
    graded = Family("tp_ss_graded", frozenset({"first", "second", "measure", "lowest", "highest"}))
    families = (graded,)

    def applies(self, record: Record) -> bool:
        return isinstance(record, Pair)

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
        assert isinstance(record, Pair)
        if record.value is None:
            return super().render(record, template, form=form, types=types, window=window, focus=focus)
        (measure, scale), where = _graded(types), example_id(record, template, form)
        if scale is None:
            return Reject(where=where, reason=NO_SCALE)
        if not scale.lowest <= record.value <= scale.highest:
            return Reject(where=where, reason=OFF_SCALE, detail=str(record.value))
        value = round(record.value, _DECIMALS)
        return example(
            record,
            template,
            form,
            prompt=self.graded.of(template).fill(
                first=record.first,
                second=record.second,
                measure=measure,
                lowest=_written(scale.lowest),
                highest=_written(scale.highest),
            ),
            answer=_written(value),
            gold=Value(value=value, scale=scale),
            types=types,
        )

    def parse(self, text: str, example: Example) -> Labels | Value:
        _, scale = _graded(example.types)
        if scale is None:
            return super().parse(text, example)
        # What comes first counts ("3.5 out of 4"), or the only number there is.
        found = [match[0] for match in _NUMBER.finditer(text)]
        first = _NUMBER.match(said := _LEAD.sub("", text).strip().lstrip(_AROUND))
        number = first[0] if first else found[0] if len(found) == 1 else ""
        expected = f"a number from {_written(scale.lowest)} to {_written(scale.highest)}"
        if not number:
            raise Unparsable("the answer is no number", got=repr(said[:60]), expected=expected)
        if not scale.lowest <= (value := float(number)) <= scale.highest:
            raise Unparsable(OFF_SCALE, got=number[:60], expected=expected)
        return Value(value=value, scale=scale)

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        found = super().score(gold, predicted, record=record, reason=reason)
        if not isinstance(gold, Value):
            return found
        assert predicted is None or isinstance(predicted, Value)
        answer = predicted.value if predicted is not None else (gold.scale.lowest + gold.scale.highest) / 2
        right = predicted is not None and round(answer, _DECIMALS) == round(gold.value, _DECIMALS)
        return msgspec.structs.replace(found, value=float(right), grades=(gold.value, answer))


def _graded(types: Sequence[Shown]) -> tuple[str, Scale | None]:
    """Return what is graded, as the prompt names it, and its scale; None where there are labels, or nothing."""
    return next(((shown.shown, shown.scale) for shown in types if shown.scale is not None), ("", None))


@lru_cache(maxsize=64)
def _grades(scale: Scale) -> str:
    """Return what stands for a number of a scale in a grammar, to as many decimals as grades have."""
    unit = 10**_DECIMALS
    decimals: dict[str, list[str]] = {}
    for number in range(ceil(scale.lowest * unit), floor(scale.highest * unit) + 1):
        whole, mark, rest = _written(number / unit).partition(".")
        decimals.setdefault(whole, []).append(mark + rest)
    # Most whole numbers have all decimals, and a scale may go to 1600.
    full = [whole for whole, found in decimals.items() if len(found) == unit]
    others = [whole + rest for whole, found in decimals.items() if len(found) < unit for rest in found]
    either = [
        *([rf"{grammars.either(full)} /(?:\.(?:[0-9][1-9]|[1-9]))?/"] if full else []),
        *map(grammars.literal, others),
    ]
    return " | ".join(either)


def _written(value: float) -> str:
    """Return the shortest text that reads as the number: 9.32 and 4, as corpora write their grades."""
    return repr(value + 0.0).removesuffix(".0")
