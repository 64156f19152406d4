"""Whether the parts of a recipe name what there is, and say nothing that would have no effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from taiyi import catalogue, tasks, templates
from taiyi.build.instructions import check_types, wordings
from taiyi.build.queries import type_names
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.errors import RecipeError, TaiyiError, suggestion
from taiyi.evaluate import suites
from taiyi.evaluate.suites import TestSet
from taiyi.schema import Lang
from taiyi.tasks import Pairing, PlainText, Task
from taiyi.tasks.classification import Classification
from taiyi.tasks.texts import Translation
from taiyi.templates import Template

T = TypeVar("T")

At = Callable[..., str]
"""Says where a key of a part of a recipe stands, for an error."""

_NO_WINDOWS = "only documents are cut into windows"
_OF_DOCUMENTS = "a task about documents, such as ner or re"
_NO_LEADS = "only of texts that get labels the first sentences are shown alone"
_OF_LABELS = "the task tc"


def check_selection(selection: Selection, at: At) -> None:
    """Raise RecipeError where a corpus, task, form, split, template or type does not exist, or what is said of them has
    no effect."""
    corpus = known(at("corpus"), lambda: catalogue.get(selection.corpus))
    task = known(at("task"), lambda: tasks.get(selection.task))
    plain = isinstance(task, PlainText)
    if not plain and tasks.listed_as(task.name) not in corpus.tasks:
        raise RecipeError(
            f"{corpus.name} is no corpus for this task",
            where=at("task"),
            got=task.name,
            expected=" or ".join(corpus.tasks),
            mend=f"`taiyi corpora show {corpus.name}` says what the corpus has",
        )
    if selection.form is not None:
        check_form(task, selection.form, at("form"))
    for number, split in enumerate(selection.splits):
        if split not in corpus.splits:
            raise RecipeError(
                f"{corpus.name} has no such split",
                where=at("splits", number),
                got=split,
                expected=" or ".join(corpus.splits),
            )
    for lang in () if plain else corpus.langs:
        chosen = check_templates(task, lang, selection.templates, at("templates"))
        if selection.templates and (held_out := [template.id for template in chosen if template.held_out]):
            raise RecipeError(
                "wordings that are held out are never trained on",
                where=at("templates"),
                got=", ".join(held_out),
                mend="leave them out here; `template:` under `evaluate:` asks test sets with them",
            )
    known(
        at("merge_types" if selection.merge_types else "task"),
        lambda: check_types(selection.model_copy(update={"subtasks": ()})),
    )
    known(at("subtasks"), lambda: check_types(selection))
    _check_effect(selection, task, corpus, at)


def check_choices(choices: str, test_sets: Sequence[TestSet], where: str) -> None:
    """Refuse to have answers chosen where no test set has answers to choose from."""
    closed = any(isinstance(tasks.get(test_set.task), tasks.Closed) for test_set in test_sets)
    if choices != "generate" and not closed:
        raise RecipeError(
            "no test set has a few answers to choose from",
            where=where,
            got=choices,
            expected="a test set of a task such as qa_mc or qa_yesno",
            mend="leave it out",
        )


def _check_effect(selection: Selection, task: Task, corpus: Corpus, at: At) -> None:
    """Refuse settings that have no effect under this task or beside the others, and prompts that hold the answer."""
    asked = f"the task {task.name}"
    # Tasks about documents are those that windows can be cut for.
    documents, kind, asks = task.windowed, task.kind, not isinstance(task, PlainText)
    window, overlap, splits = selection.window_chars, selection.overlap_chars, selection.splits
    twice = next((i for i, split in enumerate(splits) if split in splits[:i]), 0)
    prompt = any(stands for _, stands in selection.prompt)
    asking = selection if asks else selection.model_copy(update={"templates": ()})
    num_wordings = min(len(wordings(task, asking, lang, training=True)) for lang in corpus.langs)
    # Where it stands, whether it is given, whether it fits, what is wrong where it does not, what is there, and what
    # should be.
    rows: tuple[tuple[tuple[str | int, ...], object, object, str, object, str], ...] = (
        (("splits",), True, splits, "no split is selected", "none", "train, dev or test"),
        (("splits", twice), twice, False, "a split is named twice", splits[twice] if twice else "", "each once"),
        (
            ("merge_types",),
            selection.merge_types,
            kind == "entities",
            "only tasks about entities merge types",
            asked,
            "a task about entities, such as ner",
        ),
        (
            ("reverse",),
            selection.reverse,
            isinstance(task, Translation),
            "only translations have another direction",
            asked,
            "a task of translation, such as mt",
        ),
        (
            ("subtasks",),
            selection.subtasks,
            type_names(task, corpus),
            "there are no types to choose from",
            f"{asked} of {corpus.name}",
            "a task about types or labels of the corpus, such as ner or tc",
        ),
        (
            ("query",),
            selection.query,
            documents and kind,
            "there are no types to draw from",
            asked,
            "a task about types in documents, such as ner or re",
        ),
        (
            ("query",),
            selection.query,
            not selection.subtasks,
            "no types are drawn where subtasks say which are asked for",
            "`subtasks` beside it",
            "one of the two",
        ),
        (
            ("empty",),
            selection.empty < 1,
            asks and (documents or kind == "labels"),
            "the answer is never empty",
            asked,
            "a task that may find nothing, such as ner, re or tc",
        ),
        (
            ("prompt", "entities"),
            selection.prompt.entities,
            documents and kind in ("relations", "events"),
            "entities may be given where relations or events are asked for; to others they are the answer, or nothing",
            asked,
            "a task about relations or events, such as re or ee",
        ),
        (
            ("pairs",),
            any(set_ for _, set_ in selection.pairs),
            isinstance(task, Pairing),
            "only a task that asks about pairs marks them",
            asked,
            "the task rc",
        ),
        (("templates",), selection.templates, asks, "texts are learned without a wording", asked, "no templates"),
        (("prompt",), prompt, asks, "texts are learned without a prompt", asked, "no `prompt`"),
        (("window_chars",), window, documents, _NO_WINDOWS, asked, _OF_DOCUMENTS),
        (("overlap_chars",), overlap, overlap < window, *_overlap(overlap, window)),
        (("lead_chars",), selection.lead_chars, isinstance(task, Classification), _NO_LEADS, asked, _OF_LABELS),
        (
            ("templates_per_record",),
            True,
            selection.templates_per_record <= num_wordings,
            "there are not so many wordings to train on",
            selection.templates_per_record,
            f"at most {num_wordings}",
        ),
    )
    for loc, given, fits, what, got, expected in rows:
        if given and not fits:
            mend = f"take `{'.'.join(map(str, loc))}` out"
            raise RecipeError(what, where=at(*loc), got=got, expected=expected, mend=mend)


def check_leads(lead_chars: Mapping[str, int], asked: Sequence[suites.TestSet], at: At) -> None:
    """Raise RecipeError where leads are said of what is no test set that is asked, or that has no texts with labels."""
    _check_sets(
        "lead_chars", lead_chars, asked, at, lambda task: isinstance(task, Classification), (_NO_LEADS, _OF_LABELS)
    )


def check_windows(
    window_chars: Mapping[str, int], overlap_chars: Mapping[str, int], asked: Sequence[suites.TestSet], at: At
) -> None:
    """Raise RecipeError where windows are said of what is no test set that is asked, or that has no documents."""
    for key, sizes in (("window_chars", window_chars), ("overlap_chars", overlap_chars)):
        _check_sets(key, sizes, asked, at, lambda task: task.windowed, (_NO_WINDOWS, _OF_DOCUMENTS))
    for name, overlap in overlap_chars.items():
        if overlap and overlap >= (window := window_chars.get(name, 0)):
            what, got, expected = _overlap(overlap, window)
            mend = f"take {name} out here, or give it a larger window"
            raise RecipeError(what, where=at("overlap_chars", name), got=got, expected=expected, mend=mend)


def _check_sets(
    key: str,
    sizes: Mapping[str, int],
    asked: Sequence[suites.TestSet],
    at: At,
    fits: Callable[[Task], bool],
    said: tuple[str, str],
) -> None:
    """Raise RecipeError where a setting by test set names what is none, is not asked, or is of a task that has no use
    for it; `said` is then what is wrong, and what is expected."""
    there = {test_set.name: tasks.get(test_set.task) for test_set in asked}
    for name in sizes:
        where = at(key, name)
        known(where, lambda name=name: suites.test_set(name))
        if name not in there:
            mend = f"add {name} to `suites`, or take it out here"
            raise RecipeError(
                "the recipe does not ask this test set",
                where=where,
                got=name,
                expected="a test set of its suites",
                mend=mend,
            )
        if not fits(there[name]):
            what, expected = said
            got = f"the task {there[name].name}"
            raise RecipeError(what, where=where, got=got, expected=expected, mend=f"take {name} out here")


def _overlap(overlap: int, window: int) -> tuple[str, object, str]:
    """Return what is wrong with an overlap, what it is, and what it should be."""
    expected = f"less than window_chars, which is {window}" if window else "window_chars beside it, which is larger"
    return "windows overlap by less than they are long", overlap, expected


def check_form(task: Task, form: str, at: str) -> None:
    """Raise RecipeError where a task has no such form."""
    if form not in task.forms:
        mend = suggestion(form, task.forms)
        raise RecipeError(f"the task {task.name} has no such form", where=at, got=form, mend=mend)


def check_templates(task: Task, lang: Lang, wanted: tuple[str, ...], at: str) -> tuple[Template, ...]:
    """Return the templates of a task that are wanted; RecipeError where one does not exist."""
    # What is wrong in a file of templates is said of that file, not of the recipe.
    there = tasks.load_templates(task, lang)
    return known(at, lambda: templates.choose(there, wanted))


def known(at: str, find: Callable[[], T]) -> T:
    """Return what is found; RecipeError names the place in the recipe where it is not."""
    try:
        return find()
    except TaiyiError as error:
        raise RecipeError(error.what, where=at, got=error.got, expected=error.expected, mend=error.mend) from error
