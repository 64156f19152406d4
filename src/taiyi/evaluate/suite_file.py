"""A suite in a file of a user's own: YAML that names test sets of the catalogue, or files with the reader of each."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from taiyi import catalogue, recipe_file, tasks
from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.errors import Misfit, RecipeError, TaiyiError, suggestion
from taiyi.evaluate import protocols
from taiyi.evaluate.protocols import OWN
from taiyi.evaluate.test_set import TestSet
from taiyi.schema import Lang, Record, Reject, Scale, Split
from taiyi.tasks import Task

At = Callable[..., str]
_READER = "read"
_GIVEN = frozenset({"path", "corpus", "split", "lang"})
_NO_TASK = "the corpus does not have this task"


class _Settings(BaseModel):
    """A part of a suite: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ScaleSettings(_Settings):
    """What is graded of pairs, and from which number to which."""

    measure: Literal["similarity", "relatedness"] = "similarity"
    """What the grades are of."""
    lowest: float
    """The grade of the least alike."""
    highest: float
    """The grade of the most alike."""


class SetSettings(_Settings):
    """One test set."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    """What it is called in results and options: small letters, digits and `_`."""
    title: str = ""
    """What reports call it; its name if not given."""
    corpus: str | None = None
    """A corpus of the catalogue; or give `path` and `format`."""
    path: str | None = None
    """A file or folder of your own, beside the file of the suite or absolute."""
    format: str | None = None
    """The reader of `path`: a module of `taiyi.formats`, such as `conll`, or one of its readers, such as
    `cblue.read_mentions`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the reader, as its docstring has them."""
    lang: Lang | None = None
    """The language of `path`, `en` or `zh`."""
    split: Split = "test"
    """The split of the corpus; of a `path`, what it is called."""
    task: str
    """What is asked, such as `ner`."""
    types: tuple[str, ...] | dict[str, str] = ()
    """Entity, relation or event types, or labels. Of a corpus those that are asked for, all if not given; of a `path`
    all that there are, as a list, or as a mapping from what stands in the file to what prompts show."""
    merge_types: dict[str, str] = Field(default_factory=dict)
    """Entity types that count as another one."""
    multi_label: bool = False
    """Of a `path`: whether a text may have several labels."""
    scale: ScaleSettings | None = None
    """Of a `path` with graded pairs: their scale."""
    protocol: str = ""
    """The protocol whose measure is the score of the set; if not given, the first with `metric`, or the task's own."""
    metric: str = ""
    """The measure that is the score; the first of the protocol if not given."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many records, always the same ones."""
    note: str = ""
    """What a reader of the report should know."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.corpus is None) == (self.path is None):
            raise Misfit("a test set is of a corpus of the catalogue, or of a path", expected="one of corpus and path")
        own = ("format", "options", "lang", "multi_label", "scale")
        if self.path is None and (said := next((key for key in own if key in self.model_fields_set), None)):
            raise Misfit(f"`{said}` is said of a path, and this is a corpus of the catalogue", said, mend="take it out")
        if self.path is None and isinstance(self.types, dict):
            raise Misfit("the types of a corpus of the catalogue have their names", "types", expected="a list of them")
        for key in ("format", "lang"):
            if self.path is not None and getattr(self, key) is None:
                raise Misfit(f"a path needs `{key}`", mend=f"add `{key}`")
        return self


class SuiteSettings(_Settings):
    """A suite."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    """What it is called: small letters, digits, `-` and `_`."""
    title: str = ""
    """What it is, in a few words."""
    test_sets: Annotated[tuple[SetSettings, ...], Field(min_length=1)]
    """Its test sets."""


def load(path: Path) -> tuple[TestSet, ...]:
    """Read a suite; the corpora of its own files are then known by the names of their test sets.

    Raises:
        RecipeError: says the line and the key, what is there, and what was expected or probably meant.
    """
    changed = path.stat().st_mtime_ns if path.exists() else 0
    sets, corpora = _load(path.resolve(), path, changed)
    catalogue.add(*corpora)
    return sets


@lru_cache(maxsize=16)
def _load(resolved: Path, path: Path, changed: int) -> tuple[tuple[TestSet, ...], tuple[Corpus, ...]]:
    file = recipe_file.read(
        path, "suite", there="how to write one stands in docs/evaluation.md", begin="the example of docs/evaluation.md"
    )
    try:
        suite = SuiteSettings.model_validate(file.content)
    except ValidationError as error:
        raise recipe_file.explained(error, SuiteSettings, file) from error
    sets: list[TestSet] = []
    corpora: list[Corpus] = []
    for number, said in enumerate(suite.test_sets):
        at = partial(file.at, "test_sets", number)
        if said.name in [test_set.name for test_set in sets]:
            raise RecipeError("two test sets have one name", where=at("name"), got=said.name)
        task = _known(at("task"), lambda said=said: tasks.get(said.task))
        if said.corpus is not None:
            corpus = _known(at("corpus"), lambda said=said: catalogue.get(cast("str", said.corpus)))
            _check(said, corpus, task, at)
        else:
            corpus = _own(said, task, resolved.parent, at)
            corpora.append(corpus)
        sets.append(_scored(said, corpus, task, at))
    return tuple(sets), tuple(corpora)


def _known(at: str, find: Callable[[], Any]) -> Any:
    """Return what is found; RecipeError names the place in the file where it is not."""
    try:
        return find()
    except TaiyiError as error:
        raise RecipeError(error.what, where=at, got=error.got, expected=error.expected, mend=error.mend) from error


def _check(said: SetSettings, corpus: Corpus, task: Task, at: At) -> None:
    """Fail where a corpus of the catalogue does not have what is asked of it."""
    if tasks.listed_as(task.name) not in corpus.tasks:
        raise RecipeError(_NO_TASK, where=at("task"), got=task.name, expected=" or ".join(corpus.tasks))
    if said.split not in corpus.splits:
        raise RecipeError(
            "the corpus has no such split", where=at("split"), got=said.split, expected=" or ".join(corpus.splits)
        )
    known = {*_types_of(corpus, task), *said.merge_types.values()}
    for key, names in (("types", said.types), ("merge_types", said.merge_types)):
        for name in names:
            if name not in known:
                raise RecipeError("unknown type", where=at(key), got=name, mend=suggestion(name, known))


def _types_of(corpus: Corpus, task: Task) -> Mapping[str, TypeName]:
    kinds: dict[str | None, Mapping[str, TypeName]] = {
        "entities": corpus.entity_types,
        "relations": corpus.relation_types,
        "events": corpus.event_types,
        "labels": corpus.labels,
    }
    return kinds.get(task.kind, {})


# --- files of users' own ---------------------------------------------------------------------------------------------


def _own(said: SetSettings, task: Task, folder: Path, at: At) -> Corpus:
    """Return the entry of a corpus that is read from a user's own file, of which the first record was read."""
    path = folder / Path(cast("str", said.path)).expanduser()
    if not path.exists():
        raise RecipeError("there is no such file", where=at("path"), got=path, expected="a file or folder")
    if task.kind is not None and not said.types and said.scale is None:
        mend = f"add `types` with the {task.kind} of the file"
        raise RecipeError(f"the task {task.name} asks for {task.kind}", where=at("types"), got="none", mend=mend)
    if task.kind is None and said.types:
        raise RecipeError(f"the task {task.name} asks for no types", where=at("types"), mend="take `types` out")
    shown = said.types if isinstance(said.types, dict) else {name: name for name in said.types}
    types = {name: TypeName(en=text, zh=text) for name, text in shown.items()}
    reader = _reader(cast("str", said.format), at)
    options = {key: _frozen(value) for key, value in said.options.items()}
    _check_options(reader, options, at)
    corpus = Corpus(
        name=said.name,
        title=said.title or said.name,
        langs=(cast("Lang", said.lang),),
        tasks=(tasks.listed_as(task.name),),
        licence="",
        access="open",
        homepage="",
        citation="",
        verified="fixture",
        files={said.split: (Source(path=path.name, read=reader, options=options),)},
        entity_types=types if task.kind == "entities" else {},
        relation_types=types if task.kind == "relations" else {},
        event_types=types if task.kind == "events" else {},
        labels=types if task.kind == "labels" else {},
        multi_label=said.multi_label,
        scale=_scale(said.scale, at),
        bundled=path.parent,
    )
    if corpus.name in catalogue.names():
        mend = "give the test set another name"
        raise RecipeError("a corpus of the catalogue has this name", where=at("name"), got=corpus.name, mend=mend)
    _try(corpus, said.split, at)
    return corpus


def _scale(said: ScaleSettings | None, at: At) -> Scale | None:
    return None if said is None else _known(at("scale"), lambda: Scale(**said.model_dump()))


def _reader(name: str, at: At) -> Callable[..., Iterator[Record | Reject]]:
    """Return a reader by the name of its module, with that of the function where it is not `read`."""
    package = importlib.import_module("taiyi.formats")
    modules = [info.name for info in pkgutil.iter_modules(package.__path__)]
    module, _, function = name.partition(".")
    if module in modules:
        named = vars(importlib.import_module(f"taiyi.formats.{module}"))
        readers: dict[str, Any] = {
            key: value for key, value in named.items() if key.startswith(_READER) and inspect.isfunction(value)
        }
        if (function or _READER) in readers:
            return readers[function or _READER]
        if readers:
            expected = " or ".join(module if key == _READER else f"{module}.{key}" for key in readers)
            raise RecipeError("the format has no such reader", where=at("format"), got=name, expected=expected)
    raise RecipeError("unknown format", where=at("format"), got=name, mend=suggestion(module, modules))


def _check_options(reader: Callable[..., object], options: Mapping[str, object], at: At) -> None:
    parameters = inspect.signature(reader).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    known = [name for name in parameters if name not in _GIVEN]
    for name in options:
        if name not in known:
            mend = suggestion(name, known) if known else "take `options` out: the reader has none"
            raise RecipeError("the reader has no such option", where=at("options", name), mend=mend)


def _try(corpus: Corpus, split: Split, at: At) -> None:
    """Read the first record of a file: what is wrong with it, or with the options, is told before a run begins."""
    try:
        items = catalogue.load(corpus, split, Path())
        rejects: list[Reject] = []
        for item in items:
            if not isinstance(item, Reject):
                return
            rejects.append(item)
    except TypeError as error:
        raise RecipeError("the reader cannot be called so", where=at("options"), got=error) from error
    except TaiyiError as error:
        where = f"{at('path')}: {error.where}" if error.where else at("path")
        raise RecipeError(error.what, where=where, got=error.got, expected=error.expected, mend=error.mend) from error
    got = f"{rejects[0].reason}: {rejects[0].detail}" if rejects else None
    raise RecipeError(
        "the file has no record", where=at("path"), got=got, expected="a file in the format that is named"
    )


def _frozen(value: Any) -> Any:
    """Return an option as readers take it: what is a list in YAML is a tuple."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


# --- how it is scored ------------------------------------------------------------------------------------------------


def _scored(said: SetSettings, corpus: Corpus, task: Task, at: At) -> TestSet:
    graded = task.kind == "labels" and not corpus.labels and corpus.scale is not None
    test_set = TestSet(
        name=said.name,
        title=said.title or said.name,
        corpus=corpus.name,
        split=said.split,
        task=task.name,
        metric="pearson" if graded else task.metric,
        langs=corpus.langs,
        types=tuple(said.types) if said.corpus is not None and said.types else None,
        merge_types=said.merge_types,
        note=said.note,
        max_records=said.max_records,
    )
    known = {protocol.name: protocol for protocol in protocols.of(test_set)}
    if said.protocol and said.protocol not in known:
        mend = suggestion(said.protocol, known)
        raise RecipeError("no such protocol for this test set", where=at("protocol"), got=said.protocol, mend=mend)
    wanted = [known[said.protocol]] if said.protocol else [*known.values()]
    measures = {measure.name: protocol for protocol in reversed(wanted) for measure in protocol.measures}
    if not said.metric:
        chosen, metric = wanted[0], wanted[0].measures[0].name
    elif said.metric in measures:
        chosen, metric = measures[said.metric], said.metric
    else:
        mend = suggestion(said.metric, measures)
        raise RecipeError("no such metric for this test set", where=at("metric"), got=said.metric, mend=mend)
    return replace(test_set, protocol="" if chosen.name == OWN else chosen.name, metric=metric)
