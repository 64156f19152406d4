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

# What says that the answer follows: "The answer is C.", "答案：D", "应选C", "\\boxed{C}".
_NAMED = r"(?:(?i:answer|option|choice)|答案|选项)"
_IS = r"(?:[\s*]*(?:(?i:is|:)|：|是|应?为|选择?(?!项)))+(?:[\s*]*(?:(?i:option)|选项))?"
_STATES = rf"(?:{_NAMED}{_IS}|选择?(?!项)|\\boxed\{{(?:\\text\{{)?)"
_STATED = regex.compile(_STATES + r"[\s*]*")
# What follows a key that is only spoken of: "Option A is incorrect", "选项A错误".
_DENIED = (
    r"[\s*)）】\]]*(?:(?i:(?:(?:is|was|are|would be|can be)\s+)?(?:not|incorrect|wrong|false|excluded|unlikely)\b"
    r"|cannot\b|can't\b|isn't\b)|也?不|也?错|有误|排除)"
)
# What stands around a key or an option without being part of it.
_AROUND = " .。*\"'"
_AFTER_KEY = _AROUND + ",，、:：;；)）】]"
# How long a question is, in its normal form, that no unlike question shares: not "Which of these is correct?".
_TELLING: dict[Lang, int] = {"en": 60, "zh": 20}
# What stands before the word of a yes/no answer.
_BEFORE = r"[\s*\"'“”‘(（]*"
_LEAD = regex.compile(
    rf"^[\s*]*(?:(?:the\s+)?(?:final\s+)?answer|答案)(?:[\s*]*(?:is|:|：|为|是(?=[\s*:：是否不])))*{_BEFORE}|^{_BEFORE}",
    regex.I,
)


class _Patterns(NamedTuple):
    """How answers name the keys of a question; the first group of each pattern is the key."""

    alone: regex.Pattern[str]
    """A key alone, with a mark after it, or before the text of its option: not the article of "A patient ..."."""
    stated: regex.Pattern[str]
    """A key after what says that it is the answer."""
    named: regex.Pattern[str]
    """A key that is called an option, and not denied: "Option C", "Answer C"."""
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
        named=regex.compile(rf"{_NAMED}[\s*(（【\[]*({stated})(?![A-Za-z]){ends}(?!{_DENIED})"),
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
        begins = _begins(text, texts)
        stated = [] if begins else [said[match.end() :] for match in _STATED.finditer(said)]
        keys = {squeeze(key).strip(_AROUND): key for key in texts}
        # An option may begin with a key ("B超", "C. difficile"), or be one: a key alone comes first, then the whole
        # text of an option, and only then keys within what is said.
        for whole in (said, *stated[-1:]):
            if not (whole := whole.strip(_AROUND)):
                continue
            if whole in keys:
                return Choice(key=keys[whole])
            if len(same := [key for key, option in texts.items() if option == whole]) == 1:
                return Choice(key=same[0])
        if key := _key(text, texts, begins=begins):
            return Choice(key=key)
        if (match := _patterns(frozenset(texts)).before_text.search(said)) and match[2].startswith(
            texts.get(match[1], said)
        ):
            return Choice(key=match[1])
        raise Unparsable("no option is named", got=repr(text[:60]), expected=_one_of(texts))


def _key(text: str, texts: Mapping[str, str], *, begins: bool) -> str | None:
    """Return the key that an answer names, given the texts of the options by their keys, and whether it begins with it;
    None where there is none.

    A key at the beginning counts where it stands alone in its line or before the text of its option, then the last one
    that is stated as the answer, for reasons come before it; then any other at the beginning, and one that is called
    an option.

    Raises:
        Unparsable: several are named.
    """
    patterns = _patterns(frozenset(texts))

    def key_of(match: regex.Match[str]) -> str | None:
        return next((key for key in (match[1], match[1].upper()) if key in texts), None)

    first = patterns.alone.search(text)
    stated = [match for match in patterns.stated.finditer(text) if key_of(match)]
    match = first if first and key_of(first) else None
    if stated and not begins:
        match = stated[-1]
    if match is None:
        named = [match for match in patterns.named.finditer(text) if key_of(match)]
        if len({key_of(match) for match in named}) > 1:
            raise Unparsable("several options are named", got=repr(text[:60]), expected=_one_of(texts))
        match = named[-1] if named else None
    if match is None:
        return None
    # After "B、" comes no second answer where it is the text of option B ("C", "C+D").
    another = patterns.another.match(text, match.end(1))
    if another and another[1] in texts and another[1] != key_of(match) and not _has_its_text(match, text, texts):
        raise Unparsable("several options are named", got=repr(text[:60]), expected=_one_of(texts))
    return key_of(match)


def _begins(text: str, texts: Mapping[str, str]) -> bool:
    """Whether an answer begins with a key alone in its line, or before the text of its option."""
    match = _patterns(frozenset(texts)).alone.search(text)
    if match is None or match[1] not in texts:
        return False
    return not text[match.end(1) :].partition("\n")[0].strip(_AFTER_KEY) or _has_its_text(match, text, texts)


def _has_its_text(match: regex.Match[str], text: str, texts: Mapping[str, str]) -> bool:
    option = texts.get(match[1])
    return bool(option) and squeeze(text[match.end(1) :]).lstrip(_AFTER_KEY).startswith(option)


def _one_of(texts: Mapping[str, str]) -> str:
    return f"one of {', '.join(sorted(texts))}"


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
        keys = {marks.yes: "yes", marks.no: "no", marks.maybe: "maybe"}
        expected = f"{marks.yes}, {marks.no} or {marks.maybe}"
        patterns = _said(tuple(keys))
        said = _LEAD.sub("", text).casefold()
        match = patterns.first.match(said)
        # "No definitive answer can be given; the answer is maybe": what is stated counts, but for a word by itself.
        if (match is None or match[2] is None) and (stated := [*patterns.stated.finditer(said)]):
            match = stated[-1]
        if match is not None:
            if patterns.another.match(said, match.end(1)):
                raise Unparsable("several answers are named", got=repr(text[:60]), expected=expected)
            return Choice(key=keys[match[1]])
        raise Unparsable("neither yes, no nor maybe", got=repr(text[:60]), expected=expected)

    def write(self, answer: Answer, example: Example) -> str:
        assert isinstance(answer, Choice)
        return _says(example.lang)[answer.key]


class _Said(NamedTuple):
    """How answers say yes, no or maybe; the first group of each pattern is the word, but for `another`."""

    first: regex.Pattern[str]
    """A word at the beginning, and in the second group the mark after it, if it stands by itself."""
    stated: regex.Pattern[str]
    """A word after what says that it is the answer."""
    another: regex.Pattern[str]
    """Another word after the first, in a list of such words: "yes, no or maybe", not "yes, no harm was seen"."""


@lru_cache
def _said(words: tuple[str, ...]) -> _Said:
    one = "|".join(map(regex.escape, sorted(words, key=len, reverse=True)))
    return _Said(
        first=regex.compile(rf"({one})(?![a-z])(\s*(?:[^\s\w]|$))?"),
        stated=regex.compile(rf"(?:answer|答案){_IS}{_BEFORE}({one})(?![a-z])"),
        another=regex.compile(
            rf"[\s\"'”’*]*(?:[,，、/|;；]|\b(?:or|and)\b|或|和)+{_BEFORE}(?:{one})(?![a-z])"
            rf"(?=[\s\"'”’*.。]*(?:$|[,，、/|;；]|or\b|and\b|或|和))"
        ),
    )


def _says(lang: Lang) -> Mapping[str, str]:
    marks = words(lang)
    return {"yes": marks.yes, "no": marks.no, "maybe": marks.maybe}
