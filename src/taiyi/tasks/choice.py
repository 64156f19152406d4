"""Questions with a closed set of answers: multiple choice (QA-mc) and yes/no/maybe (QA-yesno). Scored by accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Choice, Example, Lang, Question, Record, Reject, Score, Shown, Span
from taiyi.tasks import grammars
from taiyi.tasks.families import Family
from taiyi.tasks.task import Kind, Whole, example, example_id
from taiyi.templates import Template, words
from taiyi.text import normalise, squeeze

# What a model states: "The answer is C.", "答案：D", "**B**".
_STATES = r"(?i:answer|option|答案|选项?)(?:[\s*]*(?i:is|:|：|是|为|应为))*"
_WHAT_IS_STATED = regex.compile(_STATES + r"[\s*]*(.*)", regex.DOTALL)
# What stands around a key or an option without being part of it.
_AROUND = " .。*\"'"
_AFTER_KEY = _AROUND + ",，、:：;；)）】]"
# How long a question is, in its normal form, that no unlike question shares: not "Which of these is correct?".
_TELLING: dict[Lang, int] = {"en": 60, "zh": 20}
_LEAD = regex.compile(
    r"^[\s*]*(?:(?:the\s+)?(?:final\s+)?answer|答案)(?:[\s*]*(?:is|:|：|为|是(?=[\s*:：是否不])))*[\s*]*|^[\s*]+",
    regex.I,
)


class _Patterns(NamedTuple):
    """How answers name the keys of a question; the first group of each pattern is the key."""

    alone: regex.Pattern[str]
    """A key alone, with a mark after it, or before the text of its option: not the article of "A patient ..."."""
    stated: regex.Pattern[str]
    """A key after what says that it is the answer."""
    before_text: regex.Pattern[str]
    """A key and, in the second group, what may be the text of its option."""
    another: regex.Pattern[str]
    """Another key after the first, in a list of keys alone: "A, C", "A和C"."""


@lru_cache(maxsize=256)
def _patterns(keys: frozenset[str]) -> _Patterns:
    """Return the patterns of a question's keys: of letters in general, or of just these."""
    if letters := _are_letters(keys):
        # A lower-case letter may be an article, unless nothing follows.
        key, stated = "[A-Z]", r"[A-Z]|[a-z](?!\s*\w)"
    else:
        # The longest first, for 1 is in 10.
        ordered = [regex.escape(key) for key in sorted(keys, key=lambda key: (-len(key), key)) if key]
        key = "|".join(ordered)
        stated = "|".join(rf"{key}(?!\s*\w)" if regex.fullmatch("[a-z]", key) else key for key in ordered)
    # "1.5 mg" does not name option 1, nor "2-3" option 2.
    ends = "" if letters else r"(?!\p{N}|[.,:/~-]\p{N})"
    return _Patterns(
        alone=regex.compile(rf"^[\s*(（【\[\"']*({key})(?=[ \t]*(?:$|\n|[^\s\p{{L}}\p{{N}}]|\p{{Han}})){ends}"),
        stated=regex.compile(rf"{_STATES}[\s*(（【\[]*({stated})(?![A-Za-z]){ends}"),
        before_text=regex.compile(rf"^[\s*(（【\[\"']*({key})\s+(\S.*)", regex.DOTALL),
        another=regex.compile(
            r"[)）】\]\"'*]*(?:\s*[,，、;；/&+\n]|\s*(?:和|与|及|或)|\s+(?:and|or)\b)+[\s*(（【\[\"']*"
            rf"({key})(?=[)）】\]\"'*.。\s]*(?:$|[,，、;；/&+\n]|和|与|及|或|and\b|or\b))"
        ),
    )


def _are_letters(keys: Iterable[str]) -> bool:
    return all(len(key) == 1 and "A" <= key <= "Z" for key in keys)


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
            types=types,
        )

    def write(self, answer: Answer, example: Example) -> str:
        assert isinstance(answer, Choice)
        return answer.key

    def grammar(self, example: Example) -> str:
        keys = [shown.name for shown in example.types] or list(_says(example.lang).values())
        return grammars.grammar("KEY", KEY=grammars.either(keys))

    def cut(self, text: str, example: Example) -> str:
        return text

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Answer:
        return answers[0][1]

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        state = "parsed" if predicted is not None else "unparsable"
        return Score(record=record, value=float(gold == predicted), state=state, reason=reason)


class MultipleChoice(_Closed):
    """One option of several; the answer is its key, mostly a letter.

    A question that comes with passages has wordings of its own, and so has one without them whose keys are no letters.
    """

    name = "qa_mc"
    slots = frozenset({"question", "options"})
    with_context = Family("qa_mc_context", frozenset({"question", "options", "context"}))
    keyed = Family("qa_mc_keyed", slots)
    families = (with_context, keyed)

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
        if record.contexts:
            template = self.with_context.of(template)
        elif not _are_letters(option.key for option in record.options):
            template = self.keyed.of(template)
        # Wordings without the slot have no use for the passages.
        prompt = template.fill(question=record.question, options=options, context="\n".join(record.contexts))
        shown = [Shown(name=option.key, shown=squeeze(option.text)) for option in record.options]
        return self._example(record, template, form, prompt, record.answers[0], shown)

    def candidates(self, example: Example) -> tuple[str, ...]:
        """Return the keys of the options, as lm-eval has them for MedQA."""
        return tuple(shown.name for shown in example.types)

    def parse(self, text: str, example: Example) -> Choice:
        texts = {shown.name: squeeze(shown.shown).strip(_AROUND) for shown in example.types}
        if text in texts:
            return Choice(key=text)
        said = squeeze(text)
        stated = _WHAT_IS_STATED.search(said)
        keys = {squeeze(key).strip(_AROUND): key for key in texts}
        # An option may begin with a key ("B超", "C. difficile"), or be one: a key alone comes first, then the whole
        # text of an option, and only then keys within what is said.
        for whole in (said, stated[1] if stated else ""):
            if not (whole := whole.strip(_AROUND)):
                continue
            if whole in keys:
                return Choice(key=keys[whole])
            if len(same := [key for key, option in texts.items() if option == whole]) == 1:
                return Choice(key=same[0])
        expected = f"one of {', '.join(sorted(texts))}"
        patterns = _patterns(frozenset(texts))
        for pattern in (patterns.alone, patterns.stated):
            if (match := pattern.search(text)) and (
                key := match[1] if match[1] in texts else match[1].upper()
            ) in texts:
                rest = squeeze(text[match.end(1) :]).lstrip(_AFTER_KEY)
                # After "B、" comes no second answer where it is the text of option B ("C", "C+D").
                own = texts[key] and rest.startswith(texts[key])
                more = patterns.another.match(text, match.end(1))
                if more and not own and more[1] in texts and more[1] != key:
                    raise Unparsable("several options are named", got=repr(text[:60]), expected=expected)
                return Choice(key=key)
        if (match := patterns.before_text.search(said)) and match[2].startswith(texts.get(match[1], said)):
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
        says = _says(template.lang)
        prompt = template.fill(
            question=record.question, context="\n".join(record.contexts), choices=marks.comma.join(says.values())
        )
        return self._example(record, template, form, prompt, says[record.answers[0]], ())

    def candidates(self, example: Example) -> tuple[str, ...]:
        return tuple(_says(example.lang).values())

    def parse(self, text: str, example: Example) -> Choice:
        marks = words(example.lang)
        said = _LEAD.sub("", text).casefold()
        for key, word in (("yes", marks.yes), ("no", marks.no), ("maybe", marks.maybe)):
            if regex.match(regex.escape(word) + r"(?![a-z])", said):
                return Choice(key=key)
        raise Unparsable(
            "neither yes, no nor maybe", got=repr(text[:60]), expected=f"{marks.yes}, {marks.no} or {marks.maybe}"
        )

    def write(self, answer: Answer, example: Example) -> str:
        assert isinstance(answer, Choice)
        return _says(example.lang)[answer.key]


def _says(lang: Lang) -> Mapping[str, str]:
    marks = words(lang)
    return {"yes": marks.yes, "no": marks.no, "maybe": marks.maybe}
