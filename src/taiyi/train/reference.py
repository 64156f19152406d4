"""Log-probabilities under the model that a preference stage begins from, computed once, before it is trained."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import PreTrainedModel

from taiyi.errors import TrainError
from taiyi.train.batch import batch
from taiyi.train.loss import log_probs
from taiyi.train.order import pack
from taiyi.train.rows import Rows
from taiyi.train.settings import StageSettings
from taiyi.train.state import save_file
from taiyi.train.world import World

FILE = "reference.npy"


def reference_log_probs(
    model: PreTrainedModel | PeftModel, rows: Rows, settings: StageSettings, world: World, out: Path
) -> Tensor:
    """Return the log-probability of each row's answer under a model, as [row]; from `out`, where it is there.

    The reference is then no second model in memory, and a stage that goes on has the same one.
    """
    path = out / FILE
    if not path.exists():
        found = _computed(model, rows, settings, world)
        if world.main:
            save_file(path, lambda file: np.save(file, found))
        world.wait()
    held = cast("np.ndarray[tuple[int], np.dtype[np.float32]]", np.load(path))
    if held.shape != (len(rows),):
        raise TrainError("the reference is not of these rows", where=path, mend="remove it: it is then made anew")
    return torch.from_numpy(held)


def _computed(
    model: PreTrainedModel | PeftModel, rows: Rows, settings: StageSettings, world: World
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    network = cast(nn.Module, model)
    training = network.training
    network.eval()
    most = settings.batch_tokens
    bins = pack(rows.lengths, most, most, seed=settings.seed, epoch=0)
    found: list[tuple[list[int], list[float]]] = []
    with torch.no_grad():
        for members in islice(bins, world.rank, None, world.size):
            one = batch(rows, members).to(world.device)
            found.append((members, log_probs(network, one).by_row(one).tolist()))
    network.train(training)
    values = np.zeros(len(rows), dtype=np.float32)
    for members, sums in world.gather(found):
        values[members] = sums
    return values
