"""The recipe: one validated YAML file that says all of a run, from raw corpora to scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from taiyi import catalogue, recipe_file, reference, tasks
from taiyi.build.settings import (
    DecontaminateSettings,
    DeduplicateSettings,
    FilterSettings,
    PromptSettings,
    Selection,
    Settings,
)
from taiyi.checkpoint import Answering, is_address, model_folder
from taiyi.endpoint import EndpointSettings, base_url
from taiyi.errors import Misfit, ModelError, RecipeError
from taiyi.evaluate import suites
from taiyi.recipe_check import (
    check_choices,
    check_form,
    check_leads,
    check_selection,
    check_templates,
    check_windows,
    known,
)
from taiyi.recipe_file import RecipeFile
from taiyi.recipe_stages import Stage, check_stages
from taiyi.schema import Split
from taiyi.train.settings import ScratchSettings
from taiyi.train.tracking import Tracker

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
    """How examples become tokens."""

    positions: Literal["plain", "aligned"] = "plain"
    """The positions of tokens in tagged answers: counted on (`plain`), or those of the source tokens that they copy
    (`aligned`), which a small model learns to copy by."""
    decisions: bool = True
    """Whether tagged answers are learned as choices among what may come next (a tag, or the next token of the source)
    instead of among the whole vocabulary."""


class EvaluateSettings(Settings):
    """What the last stage's model is evaluated on, and how."""

    suites: tuple[str, ...] = ()
    """Names of suites, or of single test sets; `taiyi eval --list-suites` lists them. Or the YAML of a suite of your
    own (docs/evaluation.md). Of these the training data is cleaned."""
    forms: dict[str, str] = Field(default_factory=dict)
    """By task: the form of the answer. For a task that is not named it is the form that the stages train on, where that
    is one alone, else the first of the task."""
    template: str = "01"
    """Number of the template that every test set is asked with, in quotes; `14` and `15` are never trained on."""
    prompt: PromptSettings = PromptSettings()
    """What stands in the prompt of every test set beside its wording. `entities` is refused: they would be gold."""
    window_chars: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """By test set: documents are asked about in windows of whole sentences up to about so many characters; 0 keeps them
    whole."""
    overlap_chars: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """By test set: how many characters of the window before it a window has again at least, in whole sentences; less
    than its `window_chars`."""
    lead_chars: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """By test set of the task `tc`: only the first sentences of its texts are shown, up to about so many characters but
    at least one, for models that learned from short texts, such as titles; 0 shows whole texts."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many records of each test set, drawn by the seed; all where none is given."""
    few_shot: Annotated[int, Field(ge=0)] = 0
    """Shots: how many worked examples stand before each question, as earlier turns of the dialogue. They are of the
    training split of the same corpus, the same for all of a test set, balanced over labels or types as far as their
    number allows, and have nothing in common with any record of the test set."""
    choices: Literal["generate", "likelihood", "likelihood_per_byte"] = "generate"
    """How questions are answered that have a few answers to choose from, such as options, or yes, no and maybe: with
    what the model writes; or with the answer whose tokens it holds most probable, their sum of log-probabilities taken
    as it is or divided by the length of the answer in bytes."""
    relations: Answering | None = None
    """How relations (`re`) are answered: `written`, as a list; by a `cascade`, which finds entities and asks about
    pairs of them (`rc`), and finds no relations of types that the model learned in no pair; or `either`, where those
    are written. If not given, by a cascade where the stages train `ner` and `rc` and not `re`; without stages, as the
    base was trained to."""
    pair_bias: float | None = None
    """Of a cascade: how much more probable a relation of a pair counts than the model says, as a difference of
    log-probabilities; 0 takes what is the most probable. If not given, what gives the best micro-F1 on the `re` of the
    dev sample of the last stage, where it has some."""
    endpoint: EndpointSettings | None = None
    """How the server is asked whose address is the `base`."""
    max_new_tokens: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=MAX_NEW_TOKENS.copy)
    """By task: the longest answer; tasks that are not named keep their default, or have 256. Tagged answers are as long
    as their source and end by themselves."""
    constrained: Literal["none", "extraction", "all"] = "extraction"
    """Which answers are written under the grammar of their form, so that they can be parsed, hold only types that are
    asked for and, of extraction, only mentions that the text has: those of `extraction`, `all` of them, those that are
    labels or choices too, or `none`, as the paper's. Tagged answers always are."""
    batch_tokens: Annotated[int, Field(ge=64)] = 8192
    """Tokens of a batch in generation."""
    runtime: Literal["torch", "numpy"] = "torch"
    """What computes answers: `torch`, which trains models too, or `numpy`, with which small models answer in `taiyi
    extract`, so that the two can be compared. They are the same within rounding."""

    def beside(self) -> str:
        """Return the setting by which something stands in prompts beside their wording, if there is one."""
        beside = next((f"prompt.{name}" for name, stands in self.prompt if stands), "")
        return beside or ("few_shot" if self.few_shot else "")

    @field_validator("prompt")
    @classmethod
    def _without_gold(cls, given: PromptSettings) -> PromptSettings:
        if given.entities:
            raise Misfit(
                "prompts of a test set would have its gold entities; those that a model finds cannot be given yet",
                "entities",
                got="true",
                expected="false",
                mend="take it out",
            )
        return given

    @field_validator("max_new_tokens")
    @classmethod
    def _with_defaults(cls, given: dict[str, int]) -> dict[str, int]:
        return MAX_NEW_TOKENS | given


class Recipe(Settings):
    """A run, from raw corpora to scores."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    """What the run is called, in small letters, digits, `.`, `_` and `-`; its files go into `runs/<name>`."""
    description: str = ""
    """What it is, in a sentence or two: it heads the report."""
    seed: Annotated[int, Field(ge=0)] = 0
    """What every choice of records, wordings and types follows from: the same recipe and seed give the same bytes."""
    base: str = "scratch"
    """The model that training begins with: a folder, an id of the Hugging Face hub, or `scratch`, a tokenizer and a
    model that begin from nothing. Where there is nothing to train, the address of a server, too."""
    scratch: ScratchSettings = ScratchSettings()
    """The size of the model of `base: scratch`."""
    encoding: EncodingSettings = EncodingSettings()
    """How examples become tokens."""
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
    """What the model is evaluated on, and how."""
    track: tuple[Tracker, ...] = ("tensorboard",)
    """Who is told what each step of training and each evaluation measured: `tensorboard` (`tensorboard --logdir
    runs/<name>`), `mlflow` or `wandb`, which are installed apart; nobody under `[]`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_stages(self.base, self.stages)
        self._check_endpoint()
        self._check_cascade()
        if self.base != "scratch" and "scratch" in self.model_fields_set:
            raise Misfit(
                "`scratch` is the size of a model from nothing, and the recipe names a base",
                "scratch",
                got=f"base: {self.base}",
                mend="take `scratch` out, or use base: scratch",
            )
        for index, stage in enumerate(self.stages):
            if self.base == "scratch" and stage.max_tokens > self.scratch.max_positions:
                raise Misfit(
                    "rows may be longer than the model is made for",
                    *("stages", index, "max_tokens"),
                    got=str(stage.max_tokens),
                    expected=f"at most scratch.max_positions, {self.scratch.max_positions}",
                    mend="lower it, or raise scratch.max_positions",
                )
            if not self.encoding.decisions and "decision_weight" in stage.model_fields_set:
                raise Misfit(
                    "`decision_weight` has no effect where nothing is learned as a decision",
                    *("stages", index, "decision_weight"),
                    got="encoding.decisions: false",
                    mend="take it out, or use decisions: true",
                )
        return self

    def _check_endpoint(self) -> None:
        if not is_address(self.base):
            if self.evaluate.endpoint is not None:
                raise Misfit(
                    "only a server is asked in this way",
                    *("evaluate", "endpoint"),
                    got=f"base: {self.base}",
                    expected="base: the address of a server",
                    mend="take `endpoint` out",
                )
            return
        try:
            base_url(self.base)
        except ModelError as error:
            raise Misfit(str(error), "base") from error
        if self.stages:
            raise Misfit("the model of a server cannot be trained here", "base", mend="take the stages out")
        if self.evaluate.runtime != "torch":
            raise Misfit("the model of a server is not computed here", *("evaluate", "runtime"), mend="take it out")
        if self.evaluate.endpoint is None or not self.evaluate.endpoint.model:
            raise Misfit(
                "it is not said which model of the server is asked",
                *("evaluate", "endpoint"),
                mend="name it: endpoint: {model: NAME}",
            )

    def _check_cascade(self) -> None:
        """Refuse what a cascade cannot do, or what has no effect without one."""
        given = self.evaluate
        if not self.stages and given.relations is None:
            return
        learned = {selection.task for selection in self._selections()}
        if self.relations() == "written":
            if given.pair_bias is not None:
                raise Misfit(
                    "`pair_bias` is of relations that a cascade answers",
                    *("evaluate", "pair_bias"),
                    got="relations: written",
                    mend="take it out, or use relations: cascade",
                )
            return
        if self.stages and not learned >= {"ner", "rc"}:
            raise Misfit(
                "a cascade finds entities and asks about pairs of them, which the stages do not train",
                *("evaluate", "relations"),
                got=f"stages with {', '.join(sorted(learned))}",
                expected="stages with the tasks ner and rc",
                mend="use relations: written, or train both",
            )
        if beside := given.beside():
            raise Misfit(
                "a cascade asks with the wording alone",
                *("evaluate", *beside.split(".")),
                got=f"relations: {self.relations()}",
                mend=f"take `{beside}` out, or use relations: written",
            )

    @field_validator("track")
    @classmethod
    def _each_once(cls, given: tuple[Tracker, ...]) -> tuple[Tracker, ...]:
        if twice := next((name for name in given if given.count(name) > 1), None):
            raise Misfit("a tracker is named twice", got=twice, mend="name it once")
        return given

    def learned_forms(self) -> dict[str, str]:
        """Return the form of the answers of each task that the stages train on in one form alone."""
        found: dict[str, set[str]] = {}
        for selection in self._selections():
            found.setdefault(selection.task, set()).add(selection.form or tasks.get(selection.task).forms[0])
        return {name: next(iter(forms)) for name, forms in found.items() if len(forms) == 1}

    def forms(self) -> dict[str, str]:
        """Return the form in which tasks are evaluated: as given, else as learned; else it is the task's first."""
        return self.learned_forms() | self.evaluate.forms

    def relations(self) -> Answering:
        """Return how the model of the stages answers what is asked about relations: as given, else as it learned."""
        if self.evaluate.relations is not None:
            return self.evaluate.relations
        learned = {selection.task for selection in self._selections()}
        return "cascade" if learned >= {"ner", "rc"} and "re" not in learned else "written"

    def window_chars(self) -> int:
        """Return the largest window that entities are learned in; 0 where all of them are learned in whole documents.

        Whole documents beside windows do not make it 0: nothing says that they are as long as what a user asks about.
        """
        return max((s.window_chars for s in self._selections() if tasks.get(s.task).kind == "entities"), default=0)

    def _selections(self) -> list[Selection]:
        return [selection for stage in self.stages for selection in stage.data]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe, by which editors check and complete YAML, with the names that there are."""
    schema = reference.schema(Recipe)
    selection = schema["$defs"]["Selection"]["properties"]
    selection["corpus"]["enum"] = [corpus.name for corpus in catalogue.all_corpora()]
    selection["task"]["enum"] = [*tasks.names(), tasks.TEXT]
    named = [*suites.SUITES, *(test_set.name for suite in suites.SUITES.values() for test_set in suite)]
    schema["$defs"]["EvaluateSettings"]["properties"]["suites"]["items"] = {
        "anyOf": [{"enum": list(dict.fromkeys(named))}, {"type": "string", "pattern": r"\.ya?ml$"}]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def load(path: Path) -> Recipe:
    """Read and validate a recipe.

    Raises:
        RecipeError: says the line and the key, what is there, and what was expected or probably meant.
    """
    file = recipe_file.read(path)
    try:
        recipe = Recipe.model_validate(file.content)
    except ValidationError as error:
        raise recipe_file.explained(error, Recipe, file) from error
    _check_names(recipe, file)
    return recipe


def _check_names(recipe: Recipe, file: RecipeFile) -> None:
    """Fail before anything runs where a base, corpus, split, task, form, type, template or suite does not exist."""
    at = file.at
    if recipe.base != "scratch":
        _check_base(recipe.base, at("base"))
    for index, stage in enumerate(recipe.stages):
        for number, selection in enumerate(stage.data):
            check_selection(selection, partial(at, "stages", index, "data", number))
        for number, selection in enumerate(stage.dev_data):
            check_selection(selection, partial(at, "stages", index, "dev", "data", number))
        for name in stage.mixture.max_task_records:
            known(at("stages", index, "mixture", "max_task_records", name), lambda name=name: tasks.get(name))
    for key in ("several_answers", "answer_in_texts"):
        for number, name in enumerate(getattr(recipe.deduplicate, key)):
            known(at("deduplicate", key, number), lambda name=name: tasks.get(name))
    evaluate = recipe.evaluate
    test_sets = [
        test_set
        for index, suite in enumerate(evaluate.suites)
        for test_set in known(at("evaluate", "suites", index), lambda suite=suite: suites.get(suite))
    ]
    _check_apart(recipe, test_sets, at)
    for name, form in evaluate.forms.items():
        task = known(at("evaluate", "forms", name), lambda name=name: tasks.get(name))
        check_form(task, form, at("evaluate", "forms", name))
    for name in evaluate.max_new_tokens:
        known(at("evaluate", "max_new_tokens", name), lambda name=name: tasks.get(name))
    check_windows(evaluate.window_chars, evaluate.overlap_chars, test_sets, partial(at, "evaluate"))
    check_leads(evaluate.lead_chars, test_sets, partial(at, "evaluate"))
    check_choices(evaluate.choices, test_sets, at("evaluate", "choices"))
    for test_set in test_sets:
        task = tasks.get(test_set.task)
        for lang in test_set.langs:
            check_templates(task, lang, (evaluate.template,), at("evaluate", "template"))


_Taken = Mapping[tuple[str, Split], tuple[str, str]]
"""By corpus and split: what has it, and how to take it out there."""


def _check_apart(recipe: Recipe, test_sets: Sequence[suites.TestSet], at: Callable[..., str]) -> None:
    """Refuse to train on what is evaluated, now or during training: all of it would be taken out again, or,
    decontamination off, learned; and to choose a model by what it is evaluated on."""
    asked: _Taken = {
        (t.corpus, t.split): (f"the test set {t.name}", f"{t.name} out of the suites under `evaluate:`")
        for t in test_sets
    }
    held: _Taken = {
        (s.corpus, split): (f"that of the dev sample of stage {stage.name}", f"it out of `dev:` of stage {stage.name}")
        for stage in recipe.stages
        for s in stage.dev_data
        for split in s.splits
    }
    for index, stage in enumerate(recipe.stages):
        here = partial(at, "stages", index)
        for number, selection in enumerate(stage.data):
            what = "an evaluation set is never trained on"
            _check_splits(selection, {**held, **asked}, what, partial(here, "data", number))
        for number, selection in enumerate(stage.dev_data):
            what = "a model is never chosen by an evaluation set"
            _check_splits(selection, asked, what, partial(here, "dev", "data", number))


def _check_splits(selection: Selection, taken: _Taken, what: str, at: Callable[..., str]) -> None:
    for place, split in enumerate(selection.splits):
        if found := taken.get((selection.corpus, split)):
            name, mend = found
            raise RecipeError(
                what,
                where=at("splits", place),
                got=f"{selection.corpus} {split}, which is {name}",
                expected="other splits",
                mend=f"take {split} out here, or {mend}",
            )


def _check_base(base: str, at: str) -> None:
    """Check a base that is a folder; whether there is one of an id is known only where it is fetched."""
    folder = Path(base).expanduser()
    if is_address(base):
        return
    if folder.exists():
        known(at, lambda: model_folder(folder))
    elif folder.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise RecipeError(
            "there is no such folder",
            where=at,
            got=base,
            expected="a folder with a model, an id of the Hugging Face hub such as Qwen/Qwen3-0.6B-Base, or scratch",
        )
