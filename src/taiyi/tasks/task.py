"""What every task is: render, parse and score of one form of instruction, together, so that prompts cannot drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, Self, runtime_checkable

from taiyi import templates
from taiyi.schema import (
    Answer,
    Counts,
    Document,
    Example,
    Lang,
    Message,
    Record,
    Reject,
    Score,
    Shown,
    Span,
    Tagging,
)
from taiyi.templates import Template

Kind = Literal["entities", "relations", "events", "labels"]
"""Which names of a corpus's entry a task asks for in its prompt."""


class Task(Protocol):
    """One task.

    Attributes:
        name: as in recipes and ids, such as `ner`.
        forms: the forms that its answer can take, the default first.
        slots: the slots of its templates.
        kind: which names of the corpus its prompt lists, if any.
        metric: how its scores are summed up.
        generative: whether its answers are texts in nature (the paper's Type 2), or not (Type 1).
        windowed: whether its examples can be about windows of the first of `texts`, such as a long document.
    """

    name: str
    forms: tuple[str, ...]
    slots: frozenset[str]
    kind: Kind | None
    metric: Literal["micro_f1", "accuracy", "chrf"]
    generative: bool
    windowed: bool

    def applies(self, record: Record) -> bool:
        """Whether a record can be rendered as this task."""
        ...

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the texts of a record that its examples are made of, the one that they are about first.

        By them records are compared: those of two examples that share one are about the same material.
        """
        ...

    def focuses(self, record: Record, types: Sequence[Shown], window: Span | None = None) -> Sequence[tuple[str, ...]]:
        """Return what of a record, or of a window of it, an example is asked about, such as the ids of a pair of
        entities; one empty focus where it is about all of it."""
        ...

    def across(self, record: Record, types: Sequence[Shown], windows: Sequence[Span]) -> Sequence[Answer]:
        """Return what of the gold of a record can be told from none of its windows, each item as an answer."""
        ...

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
        """Make the example of a record; `window` is the part of a document's text that it is about.

        The answer may hold less than the gold where the form cannot express it all (crossing mentions): whoever
        trains on it checks that `parse` of the answer is the gold.
        """
        ...

    def parse(self, text: str, example: Example) -> Answer:
        """Read what a model wrote; raises Unparsable."""
        ...

    def grammar(self, example: Example) -> str:
        """Return the answers that the form of an example allows, as a grammar in llguidance's dialect of Lark.

        They are those that `render` writes, of the types that are asked for, with mentions that are stretches of the
        source.

        All of them can be parsed. It is empty where the form has none, as a text for an answer, or where it would be
        larger than engines can hold.
        """
        ...

    def cut(self, text: str, example: Example) -> str:
        """Return what is whole of an answer that was cut at the limit of tokens: of a list, all but its last item.

        Empty where the answer was cut within its first item. Answers that are no lists are left as they are.
        """
        ...

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Answer:
        """Put the answers about the windows of one record together, in offsets of its whole text."""
        ...

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        """Compare an answer with its gold; `predicted` is None where it was unparsable, for the given reason."""
        ...


@runtime_checkable
class Naming(Protocol):
    """A task that shows the roles of events under names."""

    def naming(self, roles: Mapping[Lang, Sequence[Shown]]) -> Self:
        """Return the task for a corpus whose roles have these names."""
        ...


@runtime_checkable
class Pairing(Protocol):
    """A task that asks about one pair after another.

    Attributes:
        marks: texts that pairs are marked with in its prompts.
    """

    marks: tuple[str, ...]

    def pairing(self, *, by_name: bool, near: bool, fitting: bool) -> Self:
        """Return the task for concepts that are names, or not; for prompts with little of a text, or all of it; and
        with the relations that fit a pair, or all of them."""
        ...


@runtime_checkable
class Closed(Protocol):
    """A task whose examples are answered by one of a few texts."""

    def candidates(self, example: Example) -> tuple[str, ...]:
        """Return these texts, each of which `parse` reads as an answer of its own; none where there is no end of
        them."""
        ...


@runtime_checkable
class Writing(Protocol):
    """A task whose answers follow from what they say: `parse` reads what `write` wrote."""

    def write(self, answer: Answer, example: Example) -> str:
        """Write an answer to an example, in the form that it asks for; spans that a form cannot hold are left out."""
        ...


def example_id(
    record: Record,
    template: Template,
    form: str,
    subset: Sequence[Shown] = (),
    window: Span | None = None,
    focus: tuple[str, ...] = (),
) -> str:
    """Return the id of an example, the same in every run: `corpus/split/record#task.lang.template.form`.

    A sub-task adds the types asked for, a window the character at which it begins, and a focus what it is about.
    """
    asked = "" if not subset else ":" + "+".join(shown.name for shown in subset)
    place = "" if window is None else f"@{window.start}"
    about = "" if not focus else "!" + "+".join(focus)
    return f"{record.corpus}/{record.split}/{record.id}#{template.id}.{form}{asked}{place}{about}"


class Whole:
    """A task whose examples are about all of a record, or of a window of it."""

    windowed = False

    def focuses(self, record: Record, types: Sequence[Shown], window: Span | None = None) -> Sequence[tuple[str, ...]]:
        return ((),)

    def across(self, record: Record, types: Sequence[Shown], windows: Sequence[Span]) -> Sequence[Answer]:
        return ()

    def grammar(self, example: Example) -> str:
        return ""


class AboutDocuments:
    """A task about the text of a document, which can be cut into windows."""

    windowed = True

    def applies(self, record: Record) -> bool:
        return isinstance(record, Document)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Document)
        return (record.text,)


def load_templates(task: Task, lang: Lang) -> tuple[Template, ...]:
    """Return the templates of a task in a language; a task that asks nothing has one without words."""
    if not task.slots:
        return (Template(id=f"{task.name}.{lang}.01", task=task.name, lang=lang, text="", version=1),)
    return templates.load(task.name, lang, task.slots)


def example(
    record: Record,
    template: Template,
    form: str,
    *,
    prompt: str,
    answer: str,
    gold: Answer,
    identifier: str = "",
    earlier: Sequence[Message] = (),
    types: Sequence[Shown] = (),
    roles: Sequence[Shown] = (),
    source: Span | None = None,
    tagging: Tagging | None = None,
    offset: int = 0,
) -> Example:
    """Make the example of a record under a template.

    Args:
        prompt: the user's message that the answer is to.
        identifier: its id; that of `example_id` for the whole record if it is empty.
        earlier: messages before the prompt, as dialogues have.
        source: where in the prompt the text stands that the answer is taken from.
    """
    return Example(
        id=identifier or example_id(record, template, form),
        corpus=record.corpus,
        task=template.task,
        lang=template.lang,
        split=record.split,
        template=template.id,
        form=form,
        record=record.id,
        messages=(*earlier, Message(role="user", content=prompt)),
        answer=answer,
        gold=gold,
        types=tuple(types),
        roles=tuple(roles),
        source=source,
        tagging=tagging,
        offset=offset,
        document_ids=record.document_ids,
    )


def set_score(
    gold: set[tuple[str, str]], predicted: set[tuple[str, str]] | None, *, record: str, reason: str = ""
) -> Score:
    """Score (type, item) pairs against gold ones; `predicted` is None where the answer was unparsable."""
    return Score(
        record=record,
        counts=count(gold, predicted or set()),
        state="parsed" if predicted is not None else "unparsable",
        reason=reason,
    )


def count(gold: set[tuple[str, str]], predicted: set[tuple[str, str]]) -> dict[str, Counts]:
    """Count (type, item) pairs as true and false positives and false negatives, by type."""
    counts: dict[str, Counts] = {}
    for name in sorted({name for name, _ in gold | predicted}):
        ours = {item for item in gold if item[0] == name}
        theirs = {item for item in predicted if item[0] == name}
        counts[name] = Counts(tp=len(ours & theirs), fp=len(theirs - ours), fn=len(ours - theirs))
    return counts
