"""The steps of training: the tokenizer of a model from nothing, and the rows and the training of each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import xxhash

from taiyi import storage, templates
from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Positions
from taiyi.errors import RecipeError
from taiyi.manifest import manifest, step
from taiyi.recipe import Stage
from taiyi.schema import Example, Reject, Tagging
from taiyi.steps.run import VERSIONS, Run, examples, identity, point

if TYPE_CHECKING:
    from taiyi.encoding import Encoder

_PART_EXAMPLES = 16_384
"""How many examples are encoded at a time: two groups of rows of their file."""


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
    from taiyi.train.base import load_tokenizer
    from taiyi.train.settings import StageSettings

    recipe = run.recipe
    settings = StageSettings.model_validate(stage.model_dump(exclude={"name", "data", "replay", "mixture"}))
    if previous is not None:
        learner, tokenizer = model.load_base(
            str(previous / "model"), method=stage.method, dtype="auto", lora=stage.lora
        )
    elif recipe.base == "scratch":
        tokenizer = load_tokenizer(str(run.folder / manifest(rows_folder).inputs["tokenizer"] / "tokenizer"))
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

        learned = rows.read(rows_folder / "rows")
        result = loop.train(learned, out, settings, learner, tokenizer, checkpoint, progress=advance)
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

        own = run.folder / inputs["tokenizer"] / "tokenizer" if "tokenizer" in inputs else run.recipe.base
        paths = [data / f"{name}.parquet" for name in (*stage.replay, stage.name)]
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


def make_tokenizer(run: Run, data: Path) -> Path:
    """Train the tokenizer of a model from nothing, on the texts of all stages; tags are tokens of their own."""
    recipe = run.recipe
    inputs = {"version": VERSIONS["tokenizer"], "data": data.name, "vocab_size": recipe.scratch.vocab_size}

    def work(folder: Path) -> dict[str, Any]:
        from taiyi import tagged
        from taiyi.train.tokenizer import train_bpe

        paths = [data / f"{stage.name}.parquet" for stage in recipe.stages]
        tags = {tag for path in paths for held in storage.read_parquet(path, _Tags) for tag in held.tags}
        marks = sorted(mark(tag) for tag in tags for mark in (tagged.open_tag, tagged.close_tag))
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


def _base(run: Run) -> object:
    return "scratch" if run.recipe.base == "scratch" else identity(run, run.recipe.base)
