"""The steps that carry a recipe out: data, tokenizer, rows, training, predictions, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from taiyi.evaluate.report import RunResult
from taiyi.steps.baselines import ENCODER, fit, is_baseline, said_of, supplied
from taiyi.steps.data import build, decontaminated
from taiyi.steps.evaluation import predict, report_folder, statistics_rows, write_report
from taiyi.steps.run import Run, at_hand
from taiyi.steps.training import train_stages
from taiyi.train.settings import EncoderSettings


def carry_out(run: Run) -> RunResult:
    """Carry out every step of a recipe that is not done yet, and return its results.

    A recipe without stages evaluates its base as it is.
    """
    data = build(run)
    model = train_stages(run, data)
    predictions = predict(run, data, model)
    return write_report(run, data, predictions, model)


def carry_out_baseline(
    run: Run, settings: EncoderSettings, left_out: Mapping[str, str] | None = None, named: Sequence[str] = ()
) -> RunResult:
    """Learn, answer and report, as far as that is not done yet; the recipe of the run is one of `supplied`, which tells
    what is left out too. `named` are the suites of the recipe before that."""
    data = build(run)
    fits = {stage.name: fit(run, data, stage.name, settings) for stage in run.recipe.stages}
    # What is reported is a model as it is: no stage of this run has trained one.
    alone = replace(run, recipe=run.recipe.model_copy(update={"stages": ()}))
    predictions = predict(alone, data, run.recipe.base, fits=fits)
    return write_report(alone, data, predictions, run.recipe.base, left_out=left_out, named=named)


__all__ = [
    "ENCODER",
    "Run",
    "at_hand",
    "build",
    "carry_out",
    "carry_out_baseline",
    "decontaminated",
    "is_baseline",
    "predict",
    "report_folder",
    "said_of",
    "statistics_rows",
    "supplied",
    "train_stages",
    "write_report",
]
