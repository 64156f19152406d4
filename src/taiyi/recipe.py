"""The recipe: one validated YAML file that says all of a run, from raw corpora to scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from taiyi import catalogue, tasks, templates
from taiyi.build.instructions import check_types
from taiyi.build.mixture import MixtureSettings
from taiyi.build.settings import (
    DecontaminateSettings,
    DeduplicateSettings,
    FilterSettings,
    Selection,
    Settings,
)
from taiyi.checkpoint import model_folder
from taiyi.errors import RecipeError, TaiyiError, suggestion
from taiyi.evaluate import suites
from taiyi.schema import Lang
from taiyi.train.settings import ScratchSettings, StageSettings

T = TypeVar("T")

MAX_NEW_TOKENS = {
    "re": 768,
    "ner": 256,
    "tc": 64,
    "qa_mc": 8,
    "qa_yesno": 8,
    "qa_sqa": 160,
    "qa_cqa": 96,
    "mrd": 160,
}
"""The longest answer of each task where a recipe says nothing else; the triples of an abstract can take 700 tokens."""


class EncodingSettings(Settings):
    """How examples become tokens; see `encoding.Encoder`."""

    positions: Literal["plain", "aligned"] = "plain"
    """Whether tokens of tagged answers take the positions of the source tokens that they copy."""
    decisions: bool = True
    """Whether tagged answers are learned among their choices only."""


class Stage(StageSettings):
    """One stage of training: its data, and how it is trained."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    data: tuple[Selection, ...] = ()
    """What it trains on."""
    mixture: MixtureSettings = MixtureSettings()
    """How often it draws from each of them."""
    replay: tuple[str, ...] = ()
    """Earlier stages whose data is trained on again, all of it, as the paper's second stage does."""


class EvaluateSettings(Settings):
    """What the last stage's model is evaluated on, and how."""

    suites: tuple[str, ...] = ()
    """Names of suites; `taiyi eval --list-suites` lists them."""
    forms: dict[str, str] = Field(default_factory=dict)
    """Form of the answer by task; else that of the training data, where it has one alone (`Recipe.forms`)."""
    template: str = "01"
    """Number of the template that every test set is asked with."""
    window_chars: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """By corpus: documents are asked about in windows of whole sentences up to about so many characters."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many records of each test set, drawn by the seed; all where none is given."""
    max_new_tokens: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=MAX_NEW_TOKENS.copy)
    """By task: the longest answer; `MAX_NEW_TOKENS` for those not named. Tagged answers are as long as their source and
    end by themselves."""
    batch_tokens: Annotated[int, Field(ge=64)] = 8192
    """Tokens of a batch in generation."""

    @field_validator("max_new_tokens")
    @classmethod
    def _with_defaults(cls, given: dict[str, int]) -> dict[str, int]:
        return MAX_NEW_TOKENS | given


class Recipe(Settings):
    """A run."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    """Also the name of its folder of runs."""
    description: str = ""
    """What it is, in a sentence or two: it heads the report."""
    seed: Annotated[int, Field(ge=0)] = 0
    base: str = "scratch"
    """A folder, a hub id, or `scratch`: a tokenizer and a model that begin from nothing."""
    scratch: ScratchSettings = ScratchSettings()
    encoding: EncodingSettings = EncodingSettings()
    stages: tuple[Stage, ...] = ()
    """What it is trained on, one stage after the other; without stages the base is evaluated as it is."""
    absent: Literal["refuse", "skip"] = "refuse"
    """What becomes of training data that is not there: the recipe is refused, or it is left out and reported."""
    filters: FilterSettings = FilterSettings()
    """Which records are unfit for training."""
    deduplicate: DeduplicateSettings = DeduplicateSettings()
    """Which records of a stage say what others say, or contradict them."""
    decontaminate: DecontaminateSettings = DecontaminateSettings()
    """By what a record is taken to be material of a test set."""
    evaluate: EvaluateSettings = EvaluateSettings()

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        seen: list[str] = []
        if not self.stages and self.base == "scratch":
            raise ValueError("a recipe needs stages to train, or a base to evaluate")
        for stage in self.stages:
            if stage.name in seen:
                raise ValueError(f"two stages are named {stage.name!r}")
            for name in stage.replay:
                if name not in seen:
                    raise ValueError(f"stage {stage.name!r} replays {name!r}, which is no earlier stage")
            if not stage.data and not stage.replay:
                raise ValueError(f"stage {stage.name!r} has neither data nor replay")
            if self.base == "scratch" and stage.method != "full":
                raise ValueError(f"stage {stage.name!r} trains adapters over a base of nothing: use method: full")
            seen.append(stage.name)
        return self

    def learned_forms(self) -> dict[str, str]:
        """Return the form of the answers of each task that the stages train on in one form alone."""
        found: dict[str, set[str]] = {}
        for selection in self._selections():
            found.setdefault(selection.task, set()).add(selection.form or tasks.get(selection.task).forms[0])
        return {name: next(iter(forms)) for name, forms in found.items() if len(forms) == 1}

    def forms(self) -> dict[str, str]:
        """Return the form in which tasks are evaluated: as given, else as learned; else it is the task's first."""
        return self.learned_forms() | self.evaluate.forms

    def window_chars(self) -> int:
        """Return the largest window that entities are learned in; 0 where all of them are learned in whole documents.

        Whole documents beside windows do not make it 0: nothing says that they are as long as what a user asks about.
        """
        return max((s.window_chars for s in self._selections() if tasks.get(s.task).kind == "entities"), default=0)

    def _selections(self) -> list[Selection]:
        return [selection for stage in self.stages for selection in stage.data]


def load(path: Path) -> Recipe:
    """Read and validate a recipe; RecipeError names the key, and what was probably meant."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise RecipeError("no such recipe", where=path, mend="recipes that ship are in recipes/") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError("not YAML", where=path, got=" ".join(str(error).split())) from error
    if not isinstance(data, dict):
        raise RecipeError("a recipe is a mapping of keys to values", where=path, got=type(data).__name__)
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        raise _explained(error, path) from error
    _check_names(recipe, path)
    return recipe


def _explained(error: ValidationError, path: Path) -> RecipeError:
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    where = f"{path}: {key}" if key else str(path)
    others = f" ({error.error_count() - 1} more faults follow)" if error.error_count() > 1 else ""
    if fault["type"] == "extra_forbidden":
        known = _keys_at(fault["loc"][:-1])
        return RecipeError("unknown key" + others, where=where, mend=suggestion(str(fault["loc"][-1]), known))
    got = None if fault["type"] == "missing" else repr(fault.get("input"))[:80]
    return RecipeError(fault["msg"].removeprefix("Value error, ") + others, where=where, got=got)


def _keys_at(loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that a recipe may have at a place."""
    model: type[BaseModel] = Recipe
    for part in loc:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def _check_names(recipe: Recipe, path: Path) -> None:
    """Fail before anything runs where a base, corpus, split, task, form, type, template or suite does not exist."""
    if recipe.base != "scratch":
        _check_base(recipe.base, f"{path}: base")
    for index, stage in enumerate(recipe.stages):
        for number, selection in enumerate(stage.data):
            _check_selection(selection, f"{path}: stages.{index}.data.{number}")
    evaluate = recipe.evaluate
    at = f"{path}: evaluate"
    test_sets = [
        test_set
        for index, suite in enumerate(evaluate.suites)
        for test_set in _known(f"{at}.suites.{index}", lambda suite=suite: suites.get(suite))
    ]
    for name, form in evaluate.forms.items():
        task = _known(f"{at}.forms", lambda name=name: tasks.get(name))
        _check_form(task, form, f"{at}.forms.{name}")
    for name in evaluate.max_new_tokens:
        _known(f"{at}.max_new_tokens", lambda name=name: tasks.get(name))
    for name in evaluate.window_chars:
        _known(f"{at}.window_chars", lambda name=name: catalogue.get(name))
    for test_set in test_sets:
        task = tasks.get(test_set.task)
        for lang in test_set.langs:
            _check_template(task, lang, (evaluate.template,), f"{at}.template")


def _check_base(base: str, at: str) -> None:
    """Check a base that is a folder; whether there is one of an id is known only where it is fetched."""
    folder = Path(base).expanduser()
    if folder.exists():
        _known(at, lambda: model_folder(folder))
    elif folder.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise RecipeError(
            "there is no such folder",
            where=at,
            got=base,
            expected="a folder with a model, an id of the Hugging Face hub such as Qwen/Qwen3-0.6B-Base, or scratch",
        )


def _check_selection(selection: Selection, at: str) -> None:
    corpus = _known(f"{at}.corpus", lambda: catalogue.get(selection.corpus))
    task = _known(f"{at}.task", lambda: tasks.get(selection.task))
    if tasks.listed_as(task.name) not in corpus.tasks:
        raise RecipeError(
            f"{corpus.name} is no corpus for this task",
            where=f"{at}.task",
            got=task.name,
            expected=" or ".join(corpus.tasks),
        )
    if selection.form is not None:
        _check_form(task, selection.form, f"{at}.form")
    for split in selection.splits:
        if split not in corpus.splits:
            raise RecipeError(
                f"{corpus.name} has no such split", where=f"{at}.splits", got=split, expected=" or ".join(corpus.splits)
            )
    for lang in corpus.langs:
        _check_template(task, lang, selection.templates, f"{at}.templates")
    _known(f"{at}.merge_types", lambda: check_types(selection.model_copy(update={"subtasks": ()})))
    _known(f"{at}.subtasks", lambda: check_types(selection))


def _check_form(task: tasks.Task, form: str, at: str) -> None:
    if form not in task.forms:
        mend = suggestion(form, task.forms)
        raise RecipeError(f"the task {task.name} has no such form", where=at, got=form, mend=mend)


def _check_template(task: tasks.Task, lang: Lang, wanted: tuple[str, ...], at: str) -> None:
    _known(at, lambda: templates.choose(tasks.load_templates(task, lang), wanted))


def _known(at: str, find: Callable[[], T]) -> T:
    """Return what is found; RecipeError names the place in the recipe where it is not."""
    try:
        return find()
    except TaiyiError as error:
        raise RecipeError(error.what, where=at, got=error.got, expected=error.expected, mend=error.mend) from error
