"""The steps of training: the tokenizer of a model from nothing, and the rows and the training of each stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from taiyi import storage, templates
from taiyi.build import statistics
from taiyi.checkpoint import Checkpoint
from taiyi.errors import RecipeError
from taiyi.manifest import manifest, step
from taiyi.recipe import Stage
from taiyi.steps.run import VERSIONS, Run, examples, identity, point

if TYPE_CHECKING:
    from taiyi.encoding import Encoder


def train_stages(run: Run, data: Path) -> str | Path:
    """Train every stage, point the run to the last one's model and return it; the base where there is no stage."""
    previous: Path | None = None
    for index in range(len(run.recipe.stages)):
        previous = train(run, data, index, previous)
    if previous is None:
        return run.recipe.base
    point(run, model=f"{previous.name}/model")
    return previous / "model"


def train(run: Run, data: Path, index: int, previous: Path | None) -> Path:
    """Train a stage, from the base or from what the previous stage left, and return its folder, with `model/` in it."""
    recipe = run.recipe
    stage = recipe.stages[index]
    settings = stage.model_dump(mode="json", exclude={"name", "data", "replay", "mixture"})
    rows = encode(run, data, index)
    inputs = {
        "version": VERSIONS["train"],
        "rows": rows.name,
        "settings": settings,
        "begins": previous.name
        if previous
        else {"base": _base(run), "scratch": recipe.scratch.model_dump(mode="json")},
    }
    return step(run.folder, f"train-{stage.name}", inputs, lambda out: _train(run, stage, rows, previous, out), run.log)


def _train(run: Run, stage: Stage, rows_folder: Path, previous: Path | None, out: Path) -> dict[str, Any]:
    from taiyi.train import loop, model, rows
    from taiyi.train.settings import StageSettings

    recipe = run.recipe
    settings = StageSettings.model_validate(stage.model_dump(exclude={"name", "data", "replay", "mixture"}))
    if previous is not None:
        learner, tokenizer = model.load_base(
            str(previous / "model"), method=stage.method, dtype="auto", lora=stage.lora
        )
    elif recipe.base == "scratch":
        tokenizer = model.load_tokenizer(str(run.folder / manifest(rows_folder).inputs["tokenizer"] / "tokenizer"))
        size = recipe.scratch.model_dump(exclude={"vocab_size"})
        learner = model.scratch(tokenizer, **size, seed=recipe.seed)
    else:
        learner, tokenizer = model.load_base(recipe.base, method=stage.method, dtype="auto", lora=stage.lora)
    checkpoint = Checkpoint(
        recipe=recipe.name,
        stage=stage.name,
        base=recipe.base,
        positions=recipe.encoding.positions,
        decisions=recipe.encoding.decisions,
        max_tokens=stage.max_tokens,
        templates=templates.digest(),
        form=recipe.learned_forms().get("ner") or recipe.forms().get("ner", "tagged"),
        window_chars=recipe.window_chars(),
    )
    with run.progress() as progress:
        bar = progress.add_task(f"training {stage.name}", total=None)

        def advance(done: loop.Step) -> None:
            text = f"training {stage.name}, loss {done.loss:.3f}, {done.tokens / done.seconds:,.0f} tokens/s"
            progress.update(bar, completed=done.step, total=done.steps, description=text)

        result = loop.train(rows.read(rows_folder), out, settings, learner, tokenizer, checkpoint, progress=advance)
    facts: dict[str, Any] = msgspec.to_builtins(result)
    del facts["losses"]  # they are in loss.jsonl
    return facts


def encode(run: Run, data: Path, index: int) -> Path:
    """Encode the examples of a stage; under `scratch` the tokenizer, trained on all stages, comes first."""
    recipe = run.recipe
    stage = recipe.stages[index]
    inputs: dict[str, Any] = {
        "version": VERSIONS["rows"],
        "data": data.name,
        "stages": [*stage.replay, stage.name],
        "max_tokens": stage.max_tokens,
        "encoding": recipe.encoding.model_dump(mode="json"),
        "base": _base(run),
    }
    if recipe.base == "scratch":
        inputs["tokenizer"] = make_tokenizer(run, data).name

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.train import rows

        chosen = (e for name in (*stage.replay, stage.name) for e in examples(data / f"{name}.parquet"))
        encoded, rejects = rows.prepare(chosen, _encoder(run, inputs), folder, max_tokens=stage.max_tokens)
        storage.write_jsonl(rejects, folder / "rejects.jsonl")
        if not len(encoded):
            raise RecipeError(
                "no example is left to train on",
                where=f"stage {stage.name}",
                got=statistics.count_reasons(rejects),
                mend=f"raise max_tokens, or look into {folder / 'rejects.jsonl'}",
            )
        return {
            "num_rows": len(encoded),
            "num_tokens": encoded.tokens,
            "num_targets": encoded.targets,
            "rejects": statistics.count_reasons(rejects),
        }

    return step(run.folder, f"rows-{stage.name}", inputs, work, run.log)


def make_tokenizer(run: Run, data: Path) -> Path:
    """Train the tokenizer of a model from nothing, on the texts of all stages; tags are tokens of their own."""
    recipe = run.recipe
    inputs = {"version": VERSIONS["tokenizer"], "data": data.name, "vocab_size": recipe.scratch.vocab_size}

    def work(folder: Path) -> dict[str, Any]:
        from taiyi import tagged
        from taiyi.train.tokenizer import train_bpe

        tags: set[str] = set()
        texts: dict[str, None] = {}
        for stage in recipe.stages:
            for example in examples(data / f"{stage.name}.parquet"):
                for message in example.messages:
                    texts[message.content] = None
                if example.tagging is None:
                    texts[example.answer] = None
                else:
                    tags.update(f(tag) for tag in example.tagging.tags for f in (tagged.open_tag, tagged.close_tag))
        tokenizer = train_bpe(texts, vocab_size=recipe.scratch.vocab_size, tags=sorted(tags))
        tokenizer.save_pretrained(folder / "tokenizer")
        return {"vocab_size": len(tokenizer), "num_tags": len(tags), "num_texts": len(texts)}

    return step(run.folder, "tokenizer", inputs, work, run.log)


def _encoder(run: Run, inputs: dict[str, Any]) -> Encoder:
    from taiyi.encoding import Encoder
    from taiyi.train.model import load_tokenizer

    encoding = run.recipe.encoding
    own = run.folder / inputs["tokenizer"] / "tokenizer" if "tokenizer" in inputs else run.recipe.base
    return Encoder(load_tokenizer(str(own)), positions=encoding.positions, decisions=encoding.decisions)


def _base(run: Run) -> object:
    return "scratch" if run.recipe.base == "scratch" else identity(run, run.recipe.base)
