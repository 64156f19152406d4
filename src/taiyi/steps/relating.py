"""How a model is asked about relations: to write them, or by a cascade, and with what bias."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from taiyi import tasks
from taiyi.checkpoint import FILE, Answering, Checkpoint, model_folder
from taiyi.errors import RecipeError
from taiyi.evaluate.suites import TestSet
from taiyi.schema import Example, Prediction
from taiyi.steps.run import Run, at_hand
from taiyi.tasks.relations import Relations

if TYPE_CHECKING:
    from taiyi.cascade import Judged
    from taiyi.generate import Engine, LocalEngine
    from taiyi.train.world import World


class Way(NamedTuple):
    """How relations are answered in an evaluation.

    Attributes:
        relations: by writing, or by a cascade.
        pair_bias: of a cascade.
    """

    relations: Answering = "written"
    pair_bias: float = 0.0

    @property
    def said(self) -> str:
        """What a report notes of it."""
        bias = f", pair bias {self.pair_bias:+.2f}" if self.pair_bias else ""
        return "" if self.relations == "written" else f"relations by a cascade{bias}"


def asks(test_set: TestSet) -> bool:
    """Whether a test set asks for relations."""
    return isinstance(tasks.get(test_set.task), Relations)


def way(run: Run, model: str | Path) -> Way:
    """Return how a model is asked about relations: as the recipe says, else as the model was trained for.

    Raises:
        RecipeError: by a cascade, and it is not known which pairs the model can be asked about; or with something
            beside the wording.
    """
    settings = run.recipe.evaluate
    if not any(map(asks, at_hand(run.recipe, run.corpora))):
        return Way()
    checkpoint = Checkpoint.load(model_folder(model)) if Path(model).is_dir() else Checkpoint()
    chosen = settings.relations or (run.recipe.relations() if run.recipe.stages else checkpoint.relations)
    if chosen == "written":
        return Way()
    if not checkpoint.joined:
        raise RecipeError(
            "the model does not say which types relations join",
            where=f"{model}: {FILE}",
            got=f"relations: {chosen}",
            expected="a model in this process whose recipe trained `ner` and `rc`",
            mend="use relations: written",
        )
    if beside := settings.beside():
        raise RecipeError(
            "a cascade asks with the wording alone",
            where=f"evaluate.{beside}",
            got=f"relations: {chosen}",
            mend="take it out, or use relations: written",
        )
    return Way(chosen, checkpoint.pair_bias if settings.pair_bias is None else settings.pair_bias)


def answering(engine: Engine, way: Way) -> Engine:
    """Return what answers examples of relations."""
    from taiyi.cascade import Cascade
    from taiyi.generate import LocalEngine

    if way.relations == "written":
        return engine
    assert isinstance(engine, LocalEngine)  # Only a model in this process has said what relations join.
    checkpoint = msgspec.structs.replace(engine.checkpoint, relations=way.relations, pair_bias=way.pair_bias)
    return Cascade(engine, checkpoint)


def answered(
    engine: LocalEngine, examples: Sequence[Example], world: World, *, max_new_tokens: int, batch_tokens: int
) -> list[Prediction]:
    """Answer a dev sample, of which each process has a part, as the model is to answer; all get all answers.

    Relations by a cascade are answered under the bias that is the best for the sample.
    """
    from taiyi.cascade import Cascade, fitted

    cascade, by_pairs = Cascade(engine, engine.checkpoint), engine.checkpoint.relations != "written"
    pairs = [e for e in examples if by_pairs and cascade.answers(e)]
    others = [e for e in examples if not (by_pairs and cascade.answers(e))]
    made = world.gather(list(engine.generate(others, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens)))
    if not by_pairs:
        return made
    found: list[Judged] = world.gather(
        list(cascade.judge(pairs, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens))
    )
    bias, _ = fitted(found)
    return [*made, *(judged.prediction(bias) for judged in found)]


def fit(
    out: Path, sample: Sequence[Example], checkpoint: Checkpoint, *, max_new_tokens: int, batch_tokens: int
) -> dict[str, float]:
    """Give the models that a stage kept, in the folder of its training, the bias that is the best for a dev sample;
    return the biases, none where nothing of it is answered by a cascade."""
    from taiyi.cascade import Cascade, fitted
    from taiyi.generate import LocalEngine
    from taiyi.train.selection import CANDIDATES

    found: dict[str, float] = {}
    if checkpoint.relations == "written":
        return found
    for folder in (out / "model", *sorted((out / CANDIDATES).glob("step-*"))):
        cascade = Cascade(LocalEngine.load(folder, checkpoint=checkpoint), checkpoint)
        if asked := [example for example in sample if cascade.answers(example)]:
            judged = cascade.judge(asked, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens)
            bias, _ = fitted(list(judged))
            msgspec.structs.replace(checkpoint, pair_bias=bias).save(folder)
            found[str(folder.relative_to(out))] = bias
    return found
