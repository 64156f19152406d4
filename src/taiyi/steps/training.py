"""The steps of training: the tokenizer of a model from nothing, and the rows and the training of each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

from taiyi import recipe_stages, storage, tasks, templates
from taiyi.checkpoint import Checkpoint, Joined
from taiyi.encoding import Positions
from taiyi.errors import RecipeError
from taiyi.manifest import is_done, manifest, step
from taiyi.recipe_stages import Stage
from taiyi.schema import Example, Reject, Tagging
from taiyi.steps import choice, joined, relating, sharing, watching
from taiyi.steps.learned import learned
from taiyi.steps.run import VERSIONS, Run, examples, identity, point
from taiyi.train import launch, tracking

if TYPE_CHECKING:
    from taiyi.encoding import Encoder
    from taiyi.recipe import Recipe
    from taiyi.train.rows import Rows
    from taiyi.train.selection import DevScore
    from taiyi.train.settings import Parallel

_PART_EXAMPLES = 16_384
"""How many examples are encoded at a time: two groups of rows of their file."""


class Begin(msgspec.Struct, frozen=True):
    """The model that a stage leaves, and others begin from.

    Attributes:
        step: name of the folder of the stage's training.
        model: folder of the model below it.
    """

    step: str
    model: str = "model"

    @property
    def name(self) -> str:
        """What tells it from others in what is made of it."""
        return self.step if self.model == "model" else f"{self.step}/{self.model}"


def check(recipe: Recipe, parallel: Parallel) -> None:
    """Check what can be known before the data is made and any stage is trained.

    Raises:
        TrainError: a tracker is not installed, or several processes would have to share weights that are in 4 bit.
        RecipeError: a stage needs a package that is not installed.
    """
    tracking.check(recipe.track)
    four_bit = [stage for stage in recipe.stages if stage.method == "qlora"]
    if not four_bit:
        return
    where = f"stage {four_bit[0].name}"
    if not launch.alone():
        launch.check_four_bit(parallel, where=where)
    if find_spec("bitsandbytes") is None:
        raise RecipeError(
            "weights in 4 bit need bitsandbytes, which is not installed",
            where=where,
            mend="install the extra: pip install 'taiyi[gpu]', or use `method: lora`",
        )


def train_stages(run: Run, data: Path) -> str | Path:
    """Train every stage, point the run to the last one's model and return it; the base where there is no stage."""
    check(run.recipe, run.parallel)
    left: dict[str, Begin] = {}
    for index, stage in enumerate(run.recipe.stages):
        left[stage.name] = train(run, data, index, begins(run, index, left))
    if not left:
        return run.recipe.base
    last = left[run.recipe.stages[-1].name]
    place = f"{last.step}/{last.model}"
    if launch.is_main():
        point(run, model=place)
    return run.folder / place


def begins(run: Run, index: int, left: Mapping[str, Begin]) -> Begin | None:
    """Return what a stage begins from; None for the base of the recipe."""
    stages = run.recipe.stages
    first = recipe_stages.begins(stages[index], stages[:index])
    return None if first is None else left[first.name]


def train(run: Run, data: Path, index: int, begin: Begin | None) -> Begin:
    """Train a stage from the base or from what an earlier stage left, and return what it leaves itself."""
    stage = run.recipe.stages[index]
    if stage.kind == "dpo":
        rows = pairs(run, data, index, begin)
    else:
        rows = sharing.together(run, lambda: encode(run, data, index))
    inputs: dict[str, Any] = {
        "version": VERSIONS["train"],
        "rows": rows.name,
        "settings": stage.settings.telling(),
        "begins": begin.name
        if begin
        else {"base": _base(run), "scratch": run.recipe.scratch.model_dump(mode="json"), "seed": run.recipe.seed},
    }
    if stage.dev is not None or stage.kind == "grpo":
        # How many tokens are answered at once decides how logits are rounded.
        inputs["batch_tokens"] = run.recipe.evaluate.batch_tokens
    if stage.dev is not None and (relations := run.recipe.relations()) != "written":
        # By what is answered so, the best model is known.
        inputs["relations"] = relations
    name = f"train-{stage.name}"
    if run.together is not None and launch.alone() and not is_done(run.folder, name, inputs):
        run.together()
    folder = sharing.collective(run, name, inputs, lambda out: _train(run, data, stage, rows, begin, out))
    return Begin(folder.name, choice.chosen(run, folder, stage))


def _train(run: Run, data: Path, stage: Stage, rows_folder: Path, begin: Begin | None, out: Path) -> dict[str, Any]:
    from taiyi.train import loop, rows
    from taiyi.train.world import world as processes

    settings = stage.settings
    learner, tokenizer = _learner(run, stage, rows_folder, begin, out)
    checkpoint = _checkpoint(run, data, stage)
    learned = rows.read(rows_folder / "rows")
    budget = run.recipe.evaluate.batch_tokens
    evaluate = answer = None
    sample: list[Example] = []
    asked: tuple[list[str], list[str]] = ([], [])
    if settings.dev is not None:
        from taiyi.steps.dev import evaluator

        files = [data / f"dev-{name}.parquet" for name in (*stage.replay, stage.name)]
        sample = [example for path in files if path.exists() for example in examples(path)]
        evaluate = evaluator(
            sample, tokenizer, checkpoint, settings.dev, processes(), batch_tokens=budget, folder=out / "answers"
        )
    if settings.kind == "grpo":
        from taiyi.steps.rewards import Answerer

        held = _in_rows(learned, data, stage)
        asked = ([e.id for e in held], [e.task for e in held])
        answer = Answerer(held, tokenizer, checkpoint, settings.reward, seed=settings.seed, batch_tokens=budget)
    with watching.Watching(run, stage, out) as view:

        def dev(learner: Any, at: int) -> DevScore:
            assert evaluate is not None
            found = evaluate(learner, at)
            view.dev(found)
            return found

        hooks = loop.Hooks(dev=dev if evaluate else None, answer=answer, asked=asked, progress=view.step)
        result = loop.train(learned, out, settings, learner, tokenizer, checkpoint, hooks=hooks, parallel=run.parallel)
    facts: dict[str, Any] = msgspec.to_builtins(result)
    del facts["losses"]  # they are in loss.jsonl
    if sample and run.recipe.evaluate.pair_bias is None and launch.is_main():
        most = run.recipe.evaluate.max_new_tokens["re"]
        if biases := relating.fit(out, sample, checkpoint, max_new_tokens=most, batch_tokens=budget):
            facts["pair_bias"] = biases
    return facts


def _checkpoint(run: Run, data: Path, stage: Stage) -> Checkpoint:
    recipe = run.recipe
    return Checkpoint(
        recipe=recipe.name,
        stage=stage.name,
        base=recipe.base,
        positions=recipe.encoding.positions,
        decisions=recipe.encoding.decisions,
        max_tokens=stage.max_tokens,
        templates=templates.digest(),
        form=recipe.learned_forms().get("ner") or recipe.forms().get("ner", "tagged"),
        window_chars=recipe.window_chars(),
        relations=recipe.relations(),
        learned=learned(run, stage, manifest(data).facts["training"]),
        joined=tuple(storage.read_json(data / joined.FILE, list[Joined])),
        pair_bias=recipe.evaluate.pair_bias or 0.0,
    )


def _learner(run: Run, stage: Stage, rows_folder: Path, begin: Begin | None, out: Path) -> tuple[Any, Any]:
    """Return the model that a stage trains, as it is before, and its tokenizer."""
    from taiyi.train import model
    from taiyi.train.base import load_tokenizer

    recipe = run.recipe
    if begin is None and recipe.base == "scratch":
        tokenizer = load_tokenizer(_tokenizer_folder(run, rows_folder))
        size = recipe.scratch.model_dump(exclude={"vocab_size"})
        return model.scratch(tokenizer, **size, seed=recipe.seed), tokenizer
    return _based(run, stage, begin, out / "base")


def _based(run: Run, stage: Stage, begin: Begin | None, merged_to: Path) -> tuple[Any, Any]:
    """Return the model that a stage begins from, ready for its method, and its tokenizer."""
    from taiyi.train import model
    from taiyi.train.world import world

    # A merged base is written by one process, and read by the others once it is there.
    with world().main_first():
        return model.load_base(
            # An adapter names its base, for whoever loads it from another folder.
            _absolute(run.recipe.base if begin is None else run.folder / begin.step / begin.model),
            method=stage.method,
            # Updates of all weights are too small for 16 bit; a base under adapters stays as it is.
            dtype="fp32" if stage.method == "full" else "auto",
            lora=stage.lora if "lora" in stage.model_fields_set else None,
            adapter=stage.adapter,
            merged_to=merged_to.resolve(),
            seed=run.recipe.seed,
            device=world().device,
        )


def _absolute(model: str | Path) -> str:
    """Return the whole path of a folder; a hub id as it is."""
    path = Path(model).expanduser()
    return str(path.resolve() if path.is_dir() else model)


def _files(data: Path, stage: Stage) -> list[Path]:
    """Return the files of the examples that a stage trains on: those that it replays, and its own."""
    return [data / f"{name}.parquet" for name in (*stage.replay, stage.name)]


def _in_rows(learned: Rows, data: Path, stage: Stage) -> list[Example]:
    """Return the examples that have rows, in the order of the rows."""
    there = {example.id: example for path in _files(data, stage) for example in examples(path)}
    # One that is replayed and drawn again has two rows.
    return [there[name] for name in dict.fromkeys(learned.example(index) for index in range(len(learned)))]


def pairs(run: Run, data: Path, index: int, begin: Begin | None) -> Path:
    """Make pairs of right and wrong answers of the model that a stage begins from, as rows."""
    stage = run.recipe.stages[index]
    model = run.recipe.base if begin is None else run.folder / begin.step / begin.model
    inputs: dict[str, Any] = {
        "version": VERSIONS["pairs"],
        "data": data.name,
        "stages": [*stage.replay, stage.name],
        "seed": stage.seed,
        "max_tokens": stage.max_tokens,
        "too_long": stage.too_long,
        "preference": stage.preference.model_dump(mode="json", exclude={"beta", "label_smoothing", "sft_weight"}),
        "batch_tokens": stage.batch_tokens,
        "encoding": run.recipe.encoding.model_dump(mode="json"),
        "model": _base(run) if begin is None else begin.name,
    }
    if four_bit := stage.method == "qlora":
        inputs |= {"method": stage.method, "adapter": stage.adapter}

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.generate import LocalEngine
        from taiyi.generate.torch_model import TorchModel
        from taiyi.steps.pairs import prepare_pairs
        from taiyi.train.loss import causal_model
        from taiyi.train.world import world

        if four_bit:
            # In 4 bit a model answers otherwise than in 16: the one that learns is to be the one that answered.
            learner, tokenizer = _based(run, stage, begin, folder / "work" / "base")
            answering = TorchModel(causal_model(learner))
        else:
            loaded = LocalEngine.load(model, device=str(world().device), runtime="torch")
            answering, tokenizer = loaded.model, loaded.tokenizer
        # The rows are those of this recipe, whatever the model was made by.
        engine = LocalEngine(answering, tokenizer, _checkpoint(run, data, stage))
        paths = _files(data, stage)
        with run.progress() as progress:
            bar = progress.add_task(f"{stage.name}: answers to learn from", total=None)

            def advance(done: int, total: int) -> None:
                progress.update(bar, completed=done, total=total)

            facts = prepare_pairs(
                paths, engine, stage.settings, folder, seed=stage.seed, world=world(), progress=advance
            )
        if not facts["num_pairs"]:
            raise RecipeError(
                "there is no pair to learn from",
                where=f"stage {stage.name}",
                got=facts["rejects"],
                mend="ask more examples, sample more answers, raise the temperature, or preference.max_new_tokens where"
                " answers were cut",
            )
        _check_too_long(stage, facts["rejects"], folder)
        return facts

    return sharing.collective(run, f"pairs-{stage.name}", inputs, work)


def encode(run: Run, data: Path, index: int) -> Path:
    """Encode the examples of a stage; under `scratch` the tokenizer, trained on all stages, comes first."""
    recipe = run.recipe
    stage = recipe.stages[index]
    inputs: dict[str, Any] = {
        "version": VERSIONS["rows"],
        "data": data.name,
        "stages": [*stage.replay, stage.name],
        "max_tokens": stage.max_tokens,
        "too_long": stage.too_long,
        "encoding": recipe.encoding.model_dump(mode="json"),
        "base": _base(run),
    }
    if recipe.base == "scratch":
        inputs["tokenizer"] = make_tokenizer(run, data).name

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.train import rows

        own = run.folder / inputs["tokenizer"] / "tokenizer" if "tokenizer" in inputs else run.recipe.base
        paths = _files(data, stage)
        jobs = [
            _Encode(
                examples=path,
                begin=begin,
                end=begin + _PART_EXAMPLES,
                tokenizer=str(own),
                positions=recipe.encoding.positions,
                decisions=recipe.encoding.decisions,
                max_tokens=stage.max_tokens,
                out=folder / "work" / f"{path.stem}-{begin:09}",
            )
            for path in paths
            for begin in range(0, storage.num_rows(path), _PART_EXAMPLES)
        ]
        with run.progress() as progress:
            bar = progress.add_task(f"{stage.name}: tokens", total=len(jobs))
            for _ in run.engine.map(_encode, jobs):
                progress.advance(bar)
        encoded = rows.join([job.out for job in jobs], folder / "rows")
        reasons: Counter[str] = Counter()
        with storage.writing_jsonl(folder / "rejects.jsonl") as lines:
            for job in jobs:
                for reject in storage.read_jsonl(job.out / "rejects.jsonl", Reject):
                    lines.append(reject)
                    reasons[reject.reason] += 1
        storage.remove(folder / "work")
        _check_too_long(stage, reasons, folder)
        if not len(encoded):
            raise RecipeError(
                "no example is left to train on",
                where=f"stage {stage.name}",
                got=dict(reasons.most_common()),
                mend=f"raise max_tokens, or look into {folder / 'rejects.jsonl'}",
            )
        return {
            "num_rows": len(encoded),
            "num_tokens": encoded.tokens,
            "num_targets": encoded.targets,
            "rejects": dict(reasons.most_common()),
        }

    return step(run.folder, f"rows-{stage.name}", inputs, work, run.log)


def _check_too_long(stage: Stage, rejects: Mapping[str, int], folder: Path) -> None:
    """Raise RecipeError where examples are too long and the recipe says that this is an error."""
    from taiyi.train.rows import TOO_LONG

    if stage.too_long == "error" and (count := rejects.get(TOO_LONG, 0)):
        raise RecipeError(
            "examples are longer than max_tokens",
            where=f"stage {stage.name}",
            got=f"{count:,} examples, listed in {folder / 'rejects.jsonl'}",
            expected=f"at most {stage.max_tokens} tokens, under `too_long: error`",
            mend="cut documents into windows (window_chars), raise max_tokens, or let them be dropped",
        )


def make_tokenizer(run: Run, data: Path) -> Path:
    """Train the tokenizer of a model from nothing, on the texts of all stages; tags, and marks of pairs, are tokens of
    their own."""
    recipe = run.recipe
    inputs = {"version": VERSIONS["tokenizer"], "data": data.name, "vocab_size": recipe.scratch.vocab_size}

    def work(folder: Path) -> dict[str, Any]:
        from taiyi import tagged
        from taiyi.train.tokenizer import train_bpe

        paths = [data / f"{stage.name}.parquet" for stage in recipe.stages]
        tags = {tag for path in paths for held in storage.read_parquet(path, _Tags) for tag in held.tags}
        pairing = (task for s in recipe.stages for d in s.data if isinstance(task := tasks.get(d.task), tasks.Pairing))
        of_pairs = {mark for task in pairing for mark in task.marks}
        marks = sorted({mark(tag) for tag in tags for mark in (tagged.open_tag, tagged.close_tag)} | of_pairs)
        seen: set[int] = set()
        texts = (text for path in paths for e in examples(path) for text in _texts(e) if _is_new(text, seen))
        tokenizer = train_bpe(texts, vocab_size=recipe.scratch.vocab_size, tags=marks)
        tokenizer.save_pretrained(folder / "tokenizer")
        return {"vocab_size": len(tokenizer), "num_tags": len(marks), "num_texts": len(seen)}

    return step(run.folder, "tokenizer", inputs, work, run.log)


class _Tags(msgspec.Struct, frozen=True):
    """Of an example, what its answer may be tagged with."""

    tagging: Tagging | None

    @property
    def tags(self) -> tuple[str, ...]:
        return self.tagging.tags if self.tagging else ()


def _texts(example: Example) -> Iterator[str]:
    """Yield what a tokenizer learns from: prompts, and answers that are not their source again."""
    yield from (message.content for message in example.messages)
    if example.tagging is None:
        yield example.answer


def _is_new(text: str, seen: set[int]) -> bool:
    """Whether a text was not there before; of millions of texts only hashes are held."""
    digest = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
    return digest not in seen and not seen.add(digest)


class _Encode(msgspec.Struct, frozen=True, kw_only=True):
    """Some examples of a file, to be encoded with a tokenizer that lies in a folder or has a hub id."""

    examples: Path
    begin: int
    end: int
    tokenizer: str
    positions: Positions
    decisions: bool
    max_tokens: int
    out: Path


def _encode(job: _Encode) -> None:
    """Encode a part unless it is there; its rejects are written last."""
    from taiyi.train import rows

    done = job.out / "rejects.jsonl"
    if not done.exists():
        chosen = storage.read_rows(job.examples, Example, range(job.begin, job.end))
        encoder = _encoder(job.tokenizer, job.positions, job.decisions)
        _, rejects = rows.prepare(chosen, encoder, job.out, max_tokens=job.max_tokens)
        storage.write_jsonl(rejects, done)


@lru_cache(maxsize=1)
def _encoder(tokenizer: str, positions: Positions, decisions: bool) -> Encoder:
    """Return an encoder, which every worker makes once."""
    from taiyi.encoding import Encoder
    from taiyi.train.base import load_tokenizer

    return Encoder(load_tokenizer(tokenizer), positions=positions, decisions=decisions)


def _tokenizer_folder(run: Run, rows_folder: Path) -> str:
    return str(run.folder / manifest(rows_folder).inputs["tokenizer"] / "tokenizer")


def _base(run: Run) -> object:
    return "scratch" if run.recipe.base == "scratch" else identity(run, run.recipe.base)
