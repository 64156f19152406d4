"""The stages of a recipe, and whether they go together: what each begins from, trains on, and is evaluated on
meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from taiyi import tasks
from taiyi.build.mixture import MixtureSettings
from taiyi.build.settings import Selection
from taiyi.errors import Misfit, suggestion
from taiyi.train.settings import BASE, DevSettings, StageSettings

_REPLAYS: Mapping[str, tuple[str, ...]] = {
    "cpt": ("cpt",),
    "sft": ("sft",),
    "dpo": ("sft", "dpo", "grpo"),
    "grpo": ("sft", "dpo", "grpo"),
}
"""By the kind of a stage, the kinds of those whose data it can train on again: texts are learned as texts alone."""

_ASKING = "a task that asks something, such as ner"


class StageDev(DevSettings):
    """Evaluation during training, and the data for it."""

    data: tuple[Selection, ...] = ()
    """What is asked about instead of records of the stage's own data: `records` of these, drawn as those would be. No
    stage trains on what they hold."""


class Stage(StageSettings):
    """One stage of training: its data, and how it is trained."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    """What the stage is called in `replay`, in files and in the report: small letters, digits, `_` and `-`."""
    data: tuple[Selection, ...] = ()
    """What it trains on."""
    mixture: MixtureSettings = MixtureSettings()
    """How often it draws from each selection of `data`."""
    dev: StageDev | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    """Evaluation during training, the best model, and early stopping; none if not given."""
    replay: tuple[str, ...] = ()
    """Names of earlier stages whose data is trained on again, all of it, as in the paper's second stage. Texts (`cpt`)
    are trained on again as texts alone, and answers (`sft`) as answers."""

    @property
    def settings(self) -> StageSettings:
        """How it is trained, without what it is trained on."""
        other = {"name": True, "data": True, "replay": True, "mixture": True, "dev": {"data"}}
        return StageSettings.model_validate(self.model_dump(exclude=other, exclude_unset=True))

    @property
    def dev_data(self) -> tuple[Selection, ...]:
        """What it is evaluated on during training beside records of its own `data`."""
        return self.dev.data if self.dev is not None else ()


def check_stages(base: str, stages: Sequence[Stage]) -> None:
    """Raise Misfit where stages have one name, or refer to what is no stage before them, or can never be trained."""
    if not stages and base == "scratch":
        raise Misfit(
            "a recipe needs stages to train, or a base to evaluate",
            expected="`stages:` with one stage or more, or `base:` with the folder or hub id of a model",
        )
    for index, stage in enumerate(stages):
        earlier = stages[:index]
        _check_name(stage, stages, index)
        _check_replay(stage, earlier, index)
        _check_data(stage, index)
        _check_begin(base, stage, earlier, index)
        _check_dev(stage, earlier, index)
        if base == "scratch" and stage.method != "full":
            raise Misfit(
                f"stage {stage.name!r} trains adapters over a base of nothing",
                *("stages", index, "method"),
                got=stage.method,
                expected="full",
                mend="use method: full, or name a base",
            )


def begins(stage: Stage, earlier: Sequence[Stage]) -> Stage | None:
    """Return the stage that a stage begins from: the one that it names, else the one before it; None for the base."""
    if stage.init_from == BASE or not earlier:
        return None
    return next((e for e in earlier if e.name == stage.init_from), None) if stage.init_from else earlier[-1]


def maker(stage: Stage, earlier: Sequence[Stage]) -> Stage:
    """Return the stage that began the adapter that a stage trains, where it trains one: itself or an earlier one."""
    before = begins(stage, earlier)
    if stage.adapter == "merge" or before is None or before.method == "full":
        return stage
    return maker(before, earlier[: earlier.index(before)])


def _check_name(stage: Stage, stages: Sequence[Stage], index: int) -> None:
    at = ("stages", index, "name")
    if stage.name in [earlier.name for earlier in stages[:index]]:
        raise Misfit(f"two stages are named {stage.name!r}", *at, mend="give this one another name")
    if stage.name == BASE:
        mend = "give it another name"
        raise Misfit("no stage is named as the base is in `init_from`", *at, got=repr(stage.name), mend=mend)
    if owner := next((s.name for s in stages if s.dev is not None and stage.name == f"dev-{s.name}"), None):
        raise Misfit(
            f"the dev sample of stage {owner!r} has this name", *at, got=repr(stage.name), mend="give it another name"
        )


def _check_replay(stage: Stage, earlier: Sequence[Stage], index: int) -> None:
    names = [e.name for e in earlier]
    for number, name in enumerate(stage.replay):
        at = ("stages", index, "replay", number)
        if name not in names:
            raise Misfit(
                f"stage {stage.name!r} replays what is no earlier stage",
                *at,
                got=repr(name),
                expected="the name of a stage before it",
                mend=suggestion(name, names) if names else "the first stage has nothing to replay",
            )
        other, kinds = earlier[names.index(name)].kind, _REPLAYS[stage.kind]
        if other not in kinds:
            raise Misfit(
                f"a stage of kind {stage.kind} cannot train on the data of one of kind {other}",
                *at,
                got=repr(name),
                expected=f"a stage of kind {' or '.join(kinds)}",
                mend=f"take {name} out here, or give this stage data of its own",
            )


def _check_data(stage: Stage, index: int) -> None:
    if not stage.data and "mixture" in stage.model_fields_set:
        raise Misfit(
            "`mixture` weighs the data of a stage, and this one has none of its own",
            *("stages", index, "mixture"),
            mend="take it out: what is replayed is trained on as the earlier stage drew it",
        )
    if not stage.data and not stage.replay:
        mend = "add `data:` with one selection or more, or `replay:` with the names of earlier stages"
        raise Misfit(f"stage {stage.name!r} has neither data nor replay", "stages", index, mend=mend)
    for number, selection in enumerate(stage.data):
        if (selection.task == tasks.TEXT) != (stage.kind == "cpt"):
            what, expected, mend = (
                ("texts as they stand", tasks.TEXT, f"use task: {tasks.TEXT}, or kind: sft")
                if stage.kind == "cpt"
                else (f"from answers, and the task {tasks.TEXT} has none", _ASKING, "use another task, or kind: cpt")
            )
            raise Misfit(
                f"a stage of kind {stage.kind} learns {what}",
                *("stages", index, "data", number, "task"),
                got=selection.task,
                expected=expected,
                mend=mend,
            )


def _check_begin(base: str, stage: Stage, earlier: Sequence[Stage], index: int) -> None:
    """Check what a stage begins from, and what becomes of the adapter of that."""
    at, names = ("stages", index), [e.name for e in earlier]
    if stage.init_from not in (None, BASE, *names):
        raise Misfit(
            f"stage {stage.name!r} begins from what is no earlier stage",
            *(*at, "init_from"),
            got=repr(stage.init_from),
            expected=f"the name of a stage before it, or {BASE}",
            mend=suggestion(str(stage.init_from), [BASE, *names]),
        )
    first = begins(stage, earlier)
    of = f"stage {first.name!r}, trained by method {first.method}" if first is not None else "the base"
    there = first is not None and first.method != "full"
    # Whether a base has an adapter is known once it is loaded.
    known = first is not None or base == "scratch"
    if stage.adapter in ("continue", "merge") and known and not there:
        raise Misfit(
            f"stage {stage.name!r} begins from what has no adapter",
            *(*at, "adapter"),
            got=f"{stage.adapter}, where it begins from {of}",
            expected="new" if stage.method != "full" else "no adapter",
            mend="take `adapter` out, or begin from a stage of method lora or qlora",
        )
    if stage.adapter == "new" and there:
        raise Misfit(
            f"stage {stage.name!r} begins from what has an adapter already",
            *(*at, "adapter"),
            got=f"new, where it begins from {of}",
            expected="continue, or merge",
            mend=f"use adapter: merge for a new one over it, or init_from: {BASE}",
        )
    if base == "scratch" and first is None and stage.kind in ("dpo", "grpo"):
        raise Misfit(
            f"stage {stage.name!r} learns from answers of a model that has learned nothing",
            *(*at, "kind"),
            got=f"{stage.kind}, from a base of nothing",
            expected="an earlier stage to begin from",
            mend="put a stage of kind sft before it, or name a base",
        )
    began = maker(stage, earlier)
    if stage.method != "full" and began is not stage and "lora" in stage.model_fields_set:
        for name in ("variant", "r", "alpha"):
            own, theirs = getattr(stage.lora, name), getattr(began.lora, name)
            if name in stage.lora.model_fields_set and own != theirs:
                raise Misfit(
                    "an adapter that is trained on keeps its shape",
                    *(*at, "lora", name),
                    got=str(own),
                    expected=f"{theirs}, as stage {began.name!r} has it",
                    mend="take it out, or use adapter: merge for a new one over it",
                )


def _check_dev(stage: Stage, earlier: Sequence[Stage], index: int) -> None:
    """Check that there is something to ask during training."""
    if stage.dev is None:
        return
    at = ("stages", index, "dev")
    for number, selection in enumerate(stage.dev.data):
        if selection.task == tasks.TEXT:
            raise Misfit(
                f"a model is evaluated by its answers, and the task {tasks.TEXT} has none",
                *(*at, "data", number, "task"),
                got=selection.task,
                expected=_ASKING,
            )
        for name in ("draws", "templates_per_record", "empty"):
            if getattr(selection, name) != type(selection).model_fields[name].default:
                raise Misfit(
                    "each record of a dev sample is asked about once, whatever its answer",
                    *(*at, "data", number, name),
                    got=str(getattr(selection, name)),
                    mend=f"take `{name}` out",
                )
    if stage.dev.data:
        return
    if stage.kind == "cpt":
        mend = "add `data:` here, of tasks that ask something"
        raise Misfit("the texts of a stage of kind cpt ask nothing that could be evaluated", *at, mend=mend)
    if not stage.data and not any(e.dev is not None for e in earlier if e.name in stage.replay):
        raise Misfit(
            f"stage {stage.name!r} has no records of its own to evaluate on, nor have the stages that it replays",
            *at,
            mend="add `data:` here, or `dev:` to a stage that it replays",
        )
