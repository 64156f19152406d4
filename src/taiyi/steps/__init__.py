"""The steps that carry a recipe out: data, tokenizer, rows, training, predictions, report."""

from __future__ import annotations

from taiyi.evaluate.report import RunResult
from taiyi.steps.data import build, decontaminated
from taiyi.steps.evaluation import predict, report_folder, statistics_rows, write_report
from taiyi.steps.run import Run, at_hand
from taiyi.steps.training import train_stages


def carry_out(run: Run) -> RunResult:
    """Carry out every step of a recipe that is not done yet, and return its results.

    A recipe without stages evaluates its base as it is.
    """
    data = build(run)
    model = train_stages(run, data)
    predictions = predict(run, data, model)
    return write_report(run, data, predictions, model)


__all__ = [
    "Run",
    "at_hand",
    "build",
    "carry_out",
    "decontaminated",
    "predict",
    "report_folder",
    "statistics_rows",
    "train_stages",
    "write_report",
]
