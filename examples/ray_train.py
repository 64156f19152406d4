"""Train a recipe on a Ray cluster: as many workers as are asked for, with a GPU each where there are some.

    pip install "ray[train]"
    python examples/ray_train.py recipes/two-stage.yaml --workers 16 --gpus --runs /shared/runs

The recipe, the folder of the runs and the corpora (`TAIYI_CORPORA`) must have the same paths on all machines. Given
again, the same command goes on where it was stopped, with as many workers or others.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer


def work(asked: dict[str, Any]) -> None:
    """Do one worker's part. Ray tells it its rank as torchrun does, so it is what `taiyi train` does there."""
    from taiyi import steps
    from taiyi.cli.recipes import prepared
    from taiyi.steps import sharing

    if asked["corpora"]:
        os.environ["TAIYI_CORPORA"] = asked["corpora"]
    run = prepared(Path(asked["recipe"]), None, Path(asked["runs"]), parallel=asked["parallel"], trains=True)
    steps.train_stages(run, sharing.together(run, lambda: steps.build(run)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a recipe on a Ray cluster.")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpus", action="store_true", help="a GPU for each worker")
    parser.add_argument("--parallel", choices=("ddp", "fsdp"), default="ddp")
    arguments = parser.parse_args()
    asked = {
        "recipe": str(arguments.recipe.resolve()),
        "runs": str(arguments.runs.resolve()),
        "parallel": arguments.parallel,
        "corpora": os.environ.get("TAIYI_CORPORA"),
    }
    trainer = TorchTrainer(
        work,
        train_loop_config=asked,
        # Workers wait for the first one while it makes the data, which may take hours.
        torch_config=TorchConfig(timeout_s=24 * 3600),
        scaling_config=ScalingConfig(num_workers=arguments.workers, use_gpu=arguments.gpus),
        run_config=RunConfig(name="taiyi", storage_path=asked["runs"]),
    )
    trainer.fit()


if __name__ == "__main__":
    main()
