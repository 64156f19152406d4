"""Questions with a closed set of answers: multiple choice (QA-mc) and yes/no/maybe (QA-yesno). Scored by accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import regex

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Choice, Example, Lang, Question, Record, Reject, Score, Shown, Span
from taiyi.tasks.task import Kind, Whole, example, example_id
from taiyi.templates import Template, words
from taiyi.text import fingerprints, normalise, squeeze

# What a model states: "The answer is C.", "答案：D", "**B**". A lower-case letter may be an article, unless nothing
# follows.
_STATES = r"(?i:answer|option|答案|选项?)(?:[\s*]*(?i:is|:|：|是|为|应为))*"
_STATED = regex.compile(_STATES + r"[\s*(（【\[]*([A-Z]|[a-z](?!\s*\w))(?![A-Za-z])")
_WHAT_IS_STATED = regex.compile(_STATES + r"[\s*]*(.*)", regex.DOTALL)
# A letter alone, with a mark after it, or before the text of its option: not the article of "A patient ...".
_LETTER = regex.compile(r"^[\s*(（【\[\"']*([A-Z])(?=[ \t]*(?:$|\n|[^\s\p{L}\p{N}]|\p{Han}))")
_LETTER_AND_TEXT = regex.compile(r"^[\s*(（【\[\"']*([A-Z])\s+(\S.*)", regex.DOTALL)
# Another letter after the first, in a list of letters alone: "A, C", "A和C".
_ANOTHER = regex.compile(
    r"[)）】\]\"'*]*(?:\s*[,，、;；/&+\n]|\s*(?:和|与|及|或)|\s+(?:and|or)\b)+[\s*(（【\[\"']*([A-Z])"
    r"(?=[)）】\]\"'*.。\s]*(?:$|[,，、;；/&+\n]|和|与|及|或|and\b|or\b))"
)
# What stands around a key or an option without being part of it.
_AROUND = " .。*\"'"
_AFTER_KEY = _AROUND + ",，、:：;；)）】]"
# How long a question is, in its normal form, that no unlike question shares: not "Which of these is correct?".
_TELLING: dict[Lang, int] = {"en": 60, "zh": 20}
_LEAD = regex.compile(
    r"^[\s*]*(?:(?:the\s+)?(?:final\s+)?answer|答案)(?:[\s*]*(?:is|:|：|为|是(?=[\s*:：是否不])))*[\s*]*|^[\s*]+",
    regex.I,
)


class _Closed(Whole):
    """What both tasks share: an answer is one of a few keys, and it is right or wrong."""

    name: str
    forms: tuple[str, ...] = ("key",)
    slots: frozenset[str]
    kind: Kind | None = None
    metric: Literal["micro_f1", "accuracy", "chrf"] = "accuracy"
    generative = True

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the question with all its options and with the right one, and its contexts.

        The question alone is one more where it is long enough to be no other question's.
        """
        assert isinstance(record, Question)
        right = [option.text for option in record.options if option.key in record.answers]
        telling = len(normalise(record.question)) >= _TELLING[record.lang]
        return (
            "\n".join([record.question, *sorted(option.text for option in record.options)]),
            *(f"{record.question}\n{text}" for text in right),
            *([record.question] if telling else []),
            *record.contexts,
        )

    def _example(
        self, record: Question, template: Template, form: str, prompt: str, answer: str, types: Sequence[Shown]
    ) -> Example:
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=answer,
            gold=Choice(key=record.answers[0]),
            content=fingerprints(*self.texts(record)),
            types=types,
        )

    def cut(self, text: str, example: Example) -> str:
        return text

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Answer:
        return answers[0][1]

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        state = "parsed" if predicted is not None else "unparsable"
        return Score(record=record, value=float(gold == predicted), state=state, reason=reason)


class MultipleChoice(_Closed):
    """One option of several; the answer is its letter."""

    name = "qa_mc"
    slots = frozenset({"question", "options"})

    def applies(self, record: Record) -> bool:
        return isinstance(record, Question) and record.kind == "choice"

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
        if len(record.answers) != 1:
            return Reject(where=example_id(record, template, form), reason="more than one right option")
        options = "\n".join(f"{option.key}. {option.text}" for option in record.options)
        prompt = template.fill(question=record.question, options=options)
        shown = [Shown(name=option.key, shown=squeeze(option.text)) for option in record.options]
        return self._example(record, template, form, prompt, record.answers[0], shown)

    def parse(self, text: str, example: Example) -> Choice:
        texts = {shown.name: squeeze(shown.shown).strip(_AROUND) for shown in example.types}
        said = squeeze(text)
        stated = _WHAT_IS_STATED.search(said)
        # An option may begin with a letter ("B超", "C. difficile"), or be one: a key alone comes first, then the whole
        # text of an option, and only then letters within what is said.
        for whole in (said, stated[1] if stated else ""):
            if (whole := whole.strip(_AROUND)) in texts:
                return Choice(key=whole)
            if whole and len(same := [key for key, option in texts.items() if option == whole]) == 1:
                return Choice(key=same[0])
        expected = f"one of {', '.join(sorted(texts))}"
        for pattern in (_LETTER, _STATED):
            if (match := pattern.search(text)) and (key := match[1].upper()) in texts:
                rest = squeeze(text[match.end(1) :]).lstrip(_AFTER_KEY)
                # After "B、" comes no second answer where it is the text of option B ("C", "C+D").
                own = texts[key] and rest.startswith(texts[key])
                if (more := _ANOTHER.match(text, match.end(1))) and not own and more[1] in texts and more[1] != key:
                    raise Unparsable("several options are named", got=repr(text[:60]), expected=expected)
                return Choice(key=key)
        if (match := _LETTER_AND_TEXT.search(said)) and match[2].startswith(texts.get(match[1], said)):
            return Choice(key=match[1])
        raise Unparsable("no option is named", got=repr(text[:60]), expected=expected)


class YesNo(_Closed):
    """Yes, no or maybe, from a context where there is one."""

    name = "qa_yesno"
    slots = frozenset({"question", "context", "choices"})

    def applies(self, record: Record) -> bool:
        return isinstance(record, Question) and record.kind == "yesno" and bool(record.contexts)

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
        if len(record.answers) != 1:
            return Reject(where=example_id(record, template, form), reason="more than one answer")
        marks = words(template.lang)
        says = _says(template)
        prompt = template.fill(
            question=record.question, context="\n".join(record.contexts), choices=marks.comma.join(says.values())
        )
        return self._example(record, template, form, prompt, says[record.answers[0]], ())

    def parse(self, text: str, example: Example) -> Choice:
        marks = words(example.lang)
        said = _LEAD.sub("", text).casefold()
        for key, word in (("yes", marks.yes), ("no", marks.no), ("maybe", marks.maybe)):
            if regex.match(regex.escape(word) + r"(?![a-z])", said):
                return Choice(key=key)
        raise Unparsable(
            "neither yes, no nor maybe", got=repr(text[:60]), expected=f"{marks.yes}, {marks.no} or {marks.maybe}"
        )


def _says(template: Template) -> Mapping[str, str]:
    marks = words(template.lang)
    return {"yes": marks.yes, "no": marks.no, "maybe": marks.maybe}
