"""Training is exact: it is what it was, does not depend on how a step is cut or where it was interrupted, and stops
where what it learns is no longer a number, or what it learns from is not what was written."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import world_driver as driver
from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Row
from taiyi.errors import TaiyiError, TrainError
from taiyi.train import rows as store
from taiyi.train import state
from taiyi.train.loop import TrainResult, train
from taiyi.train.optimizer import optimizer
from taiyi.train.order import planned
from taiyi.train.settings import StageSettings

LORA: dict[str, Any] = {"method": "lora", "lora": {"r": 4, "alpha": 8, "dropout": 0.2}}
EVERY_STEP: dict[str, Any] = {"save_every_steps": 1}

# The first ten losses of the tiny model, as torch 2.13 computes them on a CPU in 32 bit.
GOLDEN: dict[str, tuple[dict[str, Any], list[float]]] = {
    "adamw": ({}, [3.77959, 2.56073, 2.73065, 2.83566, 2.07369, 2.68217, 3.35796, 2.30869, 2.00307, 1.81894]),
    "muon": (
        {"optimizer": "muon", "schedule": "wsd"},
        [3.77959, 2.56073, 2.74557, 2.95802, 2.0986, 2.64659, 3.27173, 2.22026, 1.88229, 1.73253],
    ),
    "lora": (LORA, [3.77959, 2.56073, 2.77101, 3.01678, 2.42899, 3.04083, 3.70804, 2.74792, 2.46704, 2.32806]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_ten_losses_are_what_they_were(name: str, tmp_path: Path) -> None:
    settings, golden = GOLDEN[name]
    result = driver.carry_out(tmp_path / "out", settings | {"epochs": 3, "max_steps": 10})
    assert result is not None
    # Muon makes matrices orthogonal in bf16, in which what processors round differently shows.
    assert result.losses == pytest.approx(golden, rel=1e-3 if name == "muon" else 1e-4)


def weights(out: Path) -> dict[str, torch.Tensor]:
    (file,) = (out / "model").glob("*.safetensors")
    return load_file(file)


def differences(one: Path, other: Path) -> list[str]:
    theirs = weights(other)
    return [name for name, weight in weights(one).items() if not torch.equal(weight, theirs[name])]


@pytest.mark.parametrize("settings", [LORA, {"optimizer": "muon"}, {"kind": "dpo"}], ids=["lora", "muon", "dpo"])
def test_a_stage_that_is_interrupted_at_every_step_is_the_same_to_the_bit(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    whole = driver.carry_out(unbroken, settings)
    assert whole is not None
    for step in range(1, whole.steps):
        # It stops before it saves: each start makes the last step of the one before again, and one more.
        assert driver.carry_out(broken, settings | EVERY_STEP, stop=step + 1) is None
    found = driver.carry_out(broken, settings | EVERY_STEP)
    assert found is not None
    assert found.losses == whole.losses
    assert not differences(unbroken, broken)


def test_evaluations_are_taken_up_again(tmp_path: Path) -> None:
    whole = driver.carry_out(tmp_path / "unbroken", {}, dev=True)
    for step in (4, 7):
        assert driver.carry_out(tmp_path / "broken", EVERY_STEP, dev=True, stop=step) is None
    found = driver.carry_out(tmp_path / "broken", EVERY_STEP, dev=True)
    assert whole is not None and found is not None
    assert (found.losses, found.kept) == (whole.losses, whole.kept) == (whole.losses, 6)
    logs = [(tmp_path / name / "dev.jsonl").read_text() for name in ("unbroken", "broken")]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == 3
    assert not differences(tmp_path / "unbroken", tmp_path / "broken")


def test_a_step_may_be_cut_into_micro_batches_of_any_size(tmp_path: Path) -> None:
    # Rows of one length fill bins of any multiple of it, so that a step of an epoch has all rows however it is cut.
    ids = [[5 + (7 * n + 3 * i) % 150 for i in range(16)] for n in range(16)]
    made = [Row(f"e{n}", row, list(range(16)), list(range(8, 16)), [()] * 8, "t") for n, row in enumerate(ids)]
    store.write(made, tmp_path / "rows")
    found: list[TrainResult] = []
    for batch_tokens, accumulation in ((256, 1), (128, 2), (64, 4), (16, 16)):
        cut = {"max_tokens": 16, "batch_tokens": batch_tokens, "accumulation": accumulation, "epochs": 6}
        result = driver.carry_out(tmp_path / f"{batch_tokens}", cut)
        assert result is not None and result.steps == 6
        found.append(result)
    for other in found[1:]:
        assert other.losses == pytest.approx(found[0].losses, rel=1e-6)
    first = weights(tmp_path / "256")
    for name, weight in weights(tmp_path / "16").items():
        assert (weight - first[name]).abs().max() < 1e-5, name


def poisoned(tmp_path: Path, token: int) -> tuple[set[str], set[int]]:
    """Return the ids of the rows with a token, and the steps from 1 that they are in."""
    rows = store.read(tmp_path / "rows")
    having = {index for index in range(len(rows)) if token in rows[index].ids}
    steps = planned(rows.lengths, StageSettings.model_validate(driver.SETTINGS))
    at = {n for n, step in enumerate(steps, 1) if having & {row for bin in step.bins for row in bin}}
    return {rows.example(index) for index in having}, at


def test_a_loss_that_is_not_a_number_stops_with_the_rows_of_its_step(tmp_path: Path) -> None:
    driver.write(tmp_path)
    # A token that the first step does not have.
    token = next(t for t in range(5, 200) if (at := poisoned(tmp_path, t)[1]) and min(at) > 2)
    names, at = poisoned(tmp_path, token)
    out = tmp_path / "out"
    with pytest.raises(TrainError, match=f"the loss is not a number at step {min(at)};") as caught:
        driver.carry_out(out, EVERY_STEP, poison=token, tie=False)
    listed = set(caught.value.where.split(", ")) if caught.value.where else set()
    assert names & listed and listed < {row.example for row in driver.made()}
    # Nothing of the step was learned: the last checkpoint is that of the step before.
    assert [path.name for path in (out / "checkpoints").iterdir()] == [f"step-{min(at) - 1:08d}"]
    assert not (out / "model").exists()


def test_a_loss_that_explodes_stops_with_the_rows_of_its_step(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"c/train/.*the loss has exploded at step \d"):
        driver.carry_out(tmp_path / "out", {"learning_rate": 30.0, "warmup_ratio": 0.0})


@pytest.mark.parametrize("name", ["ids", "targets", "choices", "row_offsets"])
def test_damaged_rows_are_refused_before_anything_is_trained(name: str, tmp_path: Path) -> None:
    driver.write(tmp_path)
    path = tmp_path / "rows" / f"{name}.bin"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrainError, match=f"{name}.bin: the rows are damaged"):
        driver.carry_out(tmp_path / "out", {})
    assert not (tmp_path / "out" / "loss.jsonl").exists()


def test_a_disk_that_fills_leaves_the_last_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = driver.carry_out(tmp_path / "unbroken", {})
    out = tmp_path / "out"
    assert driver.carry_out(out, EVERY_STEP, stop=4) is None
    before = {path: path.read_bytes() for path in (out / "checkpoints").rglob("*") if path.is_file()}
    assert {path.parent.name for path in before} == {"step-00000003"}

    def full(value: Any, file: Any) -> None:
        file.write(b"half of")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", full)
        with pytest.raises(TrainError, match="cannot be written; got No space left"):
            driver.carry_out(out, EVERY_STEP)
    assert {path: path.read_bytes() for path in (out / "checkpoints").rglob("*") if path.is_file()} == before
    found = driver.carry_out(out, EVERY_STEP)
    assert found is not None and whole is not None and found.losses == whole.losses
    assert not differences(tmp_path / "unbroken", out)


def test_a_damaged_checkpoint_is_named_and_not_taken(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert driver.carry_out(out, EVERY_STEP, stop=4) is None
    (path,) = (out / "checkpoints").rglob("state.pt")
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 64  # in the numbers of a weight, where no reader would find anything wrong
    for damaged in (whole[:-1000], bytes(flipped)):
        path.write_bytes(damaged)
        with pytest.raises(TrainError, match="the checkpoint cannot be read"):
            driver.carry_out(out, EVERY_STEP)
    shutil.rmtree(out / "checkpoints")
    found = driver.carry_out(out, EVERY_STEP)
    assert found is not None and found.steps == 8


def test_a_stage_that_goes_on_does_not_hold_the_file_that_it_goes_on_from(tmp_path: Path) -> None:
    """On network disks a folder whose file is still open cannot be removed."""
    out = tmp_path / "out"
    assert driver.carry_out(out, EVERY_STEP, stop=4) is None
    settings = StageSettings.model_validate(driver.SETTINGS | EVERY_STEP)
    learner = driver.model(settings)
    adamw = optimizer(learner, settings)
    assert state.restore(out / "checkpoints", learner, adamw) is not None
    assert adamw.state
    assert "state.pt" not in Path("/proc/self/maps").read_text()


def test_a_model_that_cannot_be_written_at_the_end_is_evaluated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other scores too, as devices give that do not repeat theirs to the bit."""
    out = tmp_path / "out"
    kept: list[Path] = []

    def full(folder: Path, write: Any) -> None:
        if folder.name == "model":
            kept.extend((out / "candidates").iterdir())
            raise TrainError("cannot be written")
        save_whole(folder, write)

    save_whole = state.save_whole
    with monkeypatch.context() as patched:
        patched.setattr(state, "save_whole", full)
        with pytest.raises(TrainError, match="cannot be written"):
            driver.carry_out(out, {"save_every_steps": 4}, dev=True)
    # What the last checkpoint, of step 4, names is there until the stage is done.
    assert out / "candidates" / "step-00000003" in kept
    found = driver.carry_out(out, {"save_every_steps": 4}, dev=True)
    assert found is not None and found.kept == 6
    assert sorted(path.name for path in (out / "candidates").iterdir()) == ["step-00000006", "step-00000008"]


def test_rows_that_the_model_is_not_made_for_are_refused_at_once(tmp_path: Path) -> None:
    driver.write(tmp_path)
    out, settings = tmp_path / "out", StageSettings.model_validate(driver.SETTINGS)
    small = driver.model(settings, max_positions=24)
    with pytest.raises(TaiyiError, match=r"rows are longer than the model's context; .* at most 24"):
        train(store.read(tmp_path / "rows"), out, settings, small, driver.tokenizer(), Checkpoint(recipe="r"))
    assert not (out / "loss.jsonl").exists()


def test_a_finished_stage_is_not_that_of_other_settings(tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole = driver.carry_out(out, {})
    assert driver.carry_out(out, {}) == whole
    with pytest.raises(TrainError, match="other settings or other rows"):
        driver.carry_out(out, {"learning_rate": 0.5})


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert driver.carry_out(out, EVERY_STEP, stop=4) is None
    settings = StageSettings.model_validate(driver.SETTINGS | EVERY_STEP)
    larger = driver.model(settings, hidden=64)
    with pytest.raises(TrainError, match="the checkpoint is of another model"):
        train(store.read(tmp_path / "rows"), out, settings, larger, driver.tokenizer(), Checkpoint(recipe="r"))
