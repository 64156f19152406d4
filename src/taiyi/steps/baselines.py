"""The steps of baselines: what they learn for each test set, from the training examples of its own corpus."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from taiyi import catalogue, storage, tasks
from taiyi.build.settings import DeduplicateSettings, Selection
from taiyi.errors import RecipeError
from taiyi.evaluate import baselines, suites
from taiyi.evaluate.baselines import Baseline, BaselineEngine, Learned
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import manifest, step
from taiyi.recipe import Recipe
from taiyi.recipe_stages import Stage, StageDev
from taiyi.schema import Example, Split
from taiyi.steps.run import VERSIONS, Run, at_hand, examples, identity, test_sets
from taiyi.train.settings import EncoderSettings

if TYPE_CHECKING:
    from taiyi.features import Head, Item

ENCODER = "encoder:"
DEV_RECORDS = 500
"""How many records of the dev split, or of a tenth of training, what there is to choose is chosen on."""
_LEARNED = "learned.json"
_FIT = "fit.json"
_JOINED = "joined.json"


def is_baseline(model: str) -> bool:
    """Whether a model is named as a baseline is."""
    return model.startswith((baselines.PREFIX, ENCODER))


def supplied(recipe: Recipe, corpora: Path) -> tuple[Recipe, Mapping[str, str]]:
    """Return the recipe of a baseline, which is its base, with what it learns from; and what it has no answers to.

    Each test set has a stage of its name: the training examples of its corpus, clean of all test sets, and dev ones.
    Test sets that it has no answers to are left out, and returned with the reason.

    Raises:
        RecipeError: there is no such baseline, or it can answer none of the test sets.
    """
    model = recipe.base
    if not model.startswith(ENCODER):
        baselines.check(model)
    there = {t.name for t in at_hand(recipe, corpora)}
    left_out: dict[str, str] = {}
    stages: list[Stage] = []
    for test_set in test_sets(recipe):
        if test_set.name not in there:
            continue
        if reason := _unanswered(model, test_set, corpora):
            left_out[test_set.name] = reason
        else:
            stages.append(_stage(model, test_set, corpora))
    reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
    if not stages:
        raise RecipeError("the baseline can answer none of these test sets", where=model, got=reasons or "none at hand")
    kept = tuple(name for suite in recipe.evaluate.suites for name in _kept(suite, left_out))
    changes: dict[str, Any] = {
        "stages": tuple(stages),
        "evaluate": recipe.evaluate.model_copy(update={"suites": kept}),
        # Training data as its authors give it: only what the test sets have is taken out.
        "deduplicate": DeduplicateSettings(exact=False, conflicts=False, near=False),
    }
    return recipe.model_copy(update=changes), left_out


def _kept(suite: str, left_out: Collection[str]) -> list[str]:
    """Return a suite, or the names of its test sets where some are left out."""
    names = [test_set.name for test_set in suites.get(suite)]
    return [name for name in names if name not in left_out] if any(name in left_out for name in names) else [suite]


def _unanswered(model: str, test_set: TestSet, corpora: Path) -> str:
    """Return why a baseline has no answers to a test set; empty where it has."""
    task = tasks.get(test_set.task)
    if not isinstance(task, tasks.Writing):
        return f"no baseline answers the task {test_set.task}"
    if model == f"{baselines.PREFIX}dictionary" and task.kind not in ("entities", "relations"):
        return f"a dictionary finds mentions, and the task {test_set.task} has none"
    if catalogue.get(test_set.corpus).layout("train", corpora) is None:
        return f"the training split of {test_set.corpus} is not there"
    return ""


def _stage(model: str, test_set: TestSet, corpora: Path) -> Stage:
    """Return a stage with the training examples of a test set's corpus, asked as the test set is."""
    corpus = catalogue.get(test_set.corpus)
    named = [test_set.task]
    if model.startswith(ENCODER) and tasks.get(test_set.task).kind == "relations":
        # Of a text, relations are between its entities, which the encoder has to find first.
        named += [name for name in corpus.tasks if tasks.get(name).kind == "entities"][:1]

    def selections(split: Split) -> tuple[Selection, ...]:
        return tuple(
            Selection(
                corpus=test_set.corpus,
                task=name,
                splits=(split,),
                subtasks=(test_set.types,) if test_set.types and name == test_set.task else (),
                merge_types=dict(test_set.merge_types),
                templates=("01",),
            )
            for name in named
        )

    own = test_set.split == "dev" or corpus.layout("dev", corpora) is None
    dev = StageDev(records=DEV_RECORDS * len(named), data=() if own else selections("dev"))
    return Stage(name=test_set.name, data=selections("train"), dev=dev)


def fit(run: Run, data: Path, name: str, settings: EncoderSettings) -> Path:
    """Learn what a baseline knows for a test set, unless that is there."""
    model = run.recipe.base
    made = manifest(data).files
    task = next(t.task for t in test_sets(run.recipe) if t.name == name)
    inputs: dict[str, Any] = {
        "version": VERSIONS["fit"],
        "train": made[f"{name}.parquet"],
        "dev": made.get(f"dev-{name}.parquet"),
        "task": task,
    }
    if model.startswith(ENCODER):
        inputs |= {"encoder": _base_identity(run, model), "settings": settings.model_dump(mode="json")}
    else:
        inputs["baseline"] = model

    def work(folder: Path) -> dict[str, Any]:
        everything = [list(examples(data / f"{part}.parquet")) for part in (name, f"dev-{name}")]
        train, dev = ([e for e in part if e.task == task] for part in everything)
        facts: dict[str, Any] = {"num_train": len(train), "num_dev": len(dev)}
        if not train:
            raise RecipeError("nothing is left to learn from", where=name, mend=f"look into {data / 'rejects.jsonl'}")
        if model.startswith(ENCODER):
            found = _fit_encoder(run, name, everything, task, settings, folder)
            return facts | found
        learned = baselines.learn(baselines.check(model), train, dev)
        if isinstance(learned, str):
            raise RecipeError(learned, where=name)
        storage.write_json(learned, folder / _LEARNED)
        fields = msgspec.structs.asdict(learned)
        facts["chosen"] = {key: value for key, value in fields.items() if isinstance(value, str | int | float)}
        return facts

    return step(run.folder, f"fit-{name}", inputs, work, run.log)


def _base(model: str) -> str | Path:
    name = model.removeprefix(ENCODER)
    folder = Path(name).expanduser()
    return folder if name != "scratch" and folder.is_dir() else name


def _base_identity(run: Run, model: str) -> object:
    base = _base(model)
    return identity(run, base) if isinstance(base, Path) else base


def _fit_encoder(
    run: Run, name: str, parts: Sequence[Sequence[Example]], task: str, settings: EncoderSettings, folder: Path
) -> dict[str, Any]:
    from taiyi.evaluate.baselines import encoder
    from taiyi.schema import Triples

    train, dev = ([e for e in part if e.task == task] for part in parts)
    if not isinstance(train[0].gold, Triples):
        head = encoder.head_of(train)
        items, held = ([encoder.item_of(e, head) for e in part] for part in (train, dev))
        return {"encoder": _fit_one(run, name, head, items, held, settings, folder)}
    entities = [{e.record: e for e in part if e.task != task} for part in parts]
    texts, held = (
        [encoder.related(e, known.get(e.record)) for e in part if not known or e.record in known]
        for part, known in zip((train, dev), entities, strict=True)
    )
    joined, types = encoder.joined(texts), train[0].types
    pairs, held_pairs = (
        [item for text in part for _, item in encoder.pair_items(text, joined, types)] for part in (texts, held)
    )
    storage.write_json(joined, folder / _JOINED)
    found: dict[str, Any] = {
        "num_texts": len(texts),
        "num_triples": sum(len(text.triples) for text in texts),
        "num_triples_in_pairs": sum(len(item.gold.labels) for item in pairs),
        "num_pairs": len(pairs),
    }
    named, held_named = ([encoder.mention_item(text) for text in part] for part in (texts, held))
    head = encoder.mention_head(texts)
    found["mentions"] = _fit_one(run, f"{name}, names", head, named, held_named, settings, folder / "mentions")
    head = encoder.pair_head(types)
    found["pairs"] = _fit_one(run, f"{name}, pairs", head, pairs, held_pairs, settings, folder / "pairs", encoder.MARKS)
    return found


def _fit_one(
    run: Run,
    what: str,
    head: Head,
    items: Sequence[Item],
    held: Sequence[Item],
    settings: EncoderSettings,
    folder: Path,
    tokens: Sequence[str] = (),
) -> dict[str, Any]:
    """Fine-tune one encoder unless that is done, and return what came of it."""
    from taiyi import features
    from taiyi.generate.encoder import Classifier
    from taiyi.train import encoder

    done = folder / _FIT
    if not done.exists():

        def dev(model: Any, tokenizer: Any, head: Head) -> float:
            said = list(Classifier(model, tokenizer, head).predict(held))
            return features.score([item.gold for item in held], said, head.kind)

        result = encoder.fit(
            _base(run.recipe.base),
            head,
            items,
            folder,
            settings,
            dev=dev if held else None,
            tokens=tokens,
            say=lambda text: run.log.say(f"{what}: {text}"),
        )
        storage.write_json(result, done)
    storage.remove(folder / encoder.CHECKPOINTS)
    return storage.read_json(done, dict[str, Any])


def load_baseline(folder: Path) -> BaselineEngine:
    """Return what answers a test set, from the folder of what was learned for it."""
    return BaselineEngine(_load(folder))


def said_of(folder: Path) -> str:
    """Say in a line what was learned in the folder of a step, for the report."""
    made = manifest(folder)
    told = [f"{made.facts['num_train']:,} examples, {made.facts['num_dev']:,} of dev", f"{made.seconds:.0f} s"]
    chosen: dict[str, Any] = made.facts.get("chosen", {})
    told += [f"{key} {value:.2g}" if isinstance(value, float) else f"{key} {value}" for key, value in chosen.items()]
    fits: list[dict[str, Any]] = [made.facts[key] for key in ("encoder", "mentions", "pairs") if key in made.facts]
    for one in fits:
        rate, seed = one["learning_rate"], made.inputs["settings"]["seed"]
        told.append(f"{one['epochs']} epochs, that of {one['kept']} kept, learning rate {rate:g}, seed {seed}")
    return "; ".join(told)


def _load(folder: Path) -> Baseline:
    if (folder / _LEARNED).exists():
        return storage.read_json(folder / _LEARNED, Learned)
    from taiyi.evaluate.baselines.encoder import EncoderBaseline, Joined, PairBaseline
    from taiyi.generate.encoder import Classifier

    if (folder / _JOINED).exists():
        joined = storage.read_json(folder / _JOINED, Joined)
        mentions, pairs = (Classifier.load(folder / part / "model") for part in ("mentions", "pairs"))
        return PairBaseline(mentions, pairs, joined)
    return EncoderBaseline(Classifier.load(folder / "model"))
