"""The loss is that of the full logits, however it is computed."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

import world_driver as driver
from taiyi.encoding import Row
from taiyi.train import attention, loss
from taiyi.train.batch import Batch, batch
from taiyi.train.rows import hold
from taiyi.train.settings import StageSettings

# Targets over the whole vocabulary, among two or three choices, and forced ones.
ROWS = [
    Row("a", [3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5], [2, 3, 4, 5], [(), (5, 6), (7,), ()]),
    Row("b", [9, 10, 11, 12], [0, 1, 2, 3], [1, 2, 3], [(10, 11, 12), (), (4, 12)]),
    Row("c", [13, 14], [0, 1], [1], [()]),
]


def made() -> tuple[torch.nn.Module, Batch]:
    model = driver.model(StageSettings())
    attention.use(loss.causal_model(model))
    return model, batch(hold(ROWS), [0, 1, 2])


def loss_of(found: loss.LogProbs) -> Tensor:
    return -(found.free.sum() + 2.0 * found.decided.sum())


def gradients_of(model: torch.nn.Module, value: Tensor) -> list[Tensor]:
    model.zero_grad(set_to_none=True)
    value.backward()
    return [p.grad.clone() for p in model.parameters() if p.grad is not None]


def taught(model: torch.nn.Module, of: Batch, temperature: float) -> tuple[loss.LogProbs, list[Tensor]]:
    found = loss.log_probs(model, of, temperature=temperature)
    return found, gradients_of(model, loss_of(found))


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_it_is_that_of_the_full_logits(temperature: float) -> None:
    model, of = made()
    found, _ = taught(model, of, temperature)
    free: list[float] = []
    decided: list[float] = []
    for row in ROWS:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([row.ids]), cu_seq_lens_q=torch.tensor([0, len(row.ids)])).logits[0]
        for at, choices in zip(row.targets, row.choices, strict=True):
            if len(choices) == 1:
                continue
            among = list(choices) or list(range(logits.shape[1]))
            value = log_softmax(logits[at - 1, among] / temperature, 0)[among.index(row.ids[at])]
            (decided if choices else free).append(float(value))
    assert found.free.tolist() == pytest.approx(free, rel=1e-4)
    assert found.decided.tolist() == pytest.approx(decided, rel=1e-4)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_some_targets_at_a_time_are_learned_as_all_at_once(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model, of = made()
    whole, gradients = taught(model, of, temperature)
    parted = Mock(wraps=loss.checkpoint)  # pyright: ignore[reportUnknownArgumentType]
    monkeypatch.setattr(loss, "checkpoint", parted)
    monkeypatch.setattr(loss, "_LOGITS", 1)  # one target at a time
    parts, again = taught(model, of, temperature)
    assert parted.call_count > len(of.free) + len(of.decided)
    torch.testing.assert_close(parts, whole)
    torch.testing.assert_close(again, gradients)


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_the_sum_teaches_what_the_log_probabilities_do(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "_TARGETS", at_once)
    model, of = made()
    each, gradients = taught(model, of, 1.0)
    value, found = loss.learned(model, of, 2.0)
    torch.testing.assert_close(value, loss_of(each))
    torch.testing.assert_close(found, each)
    assert not found.free.requires_grad and not found.decided.requires_grad
    torch.testing.assert_close(gradients_of(model, value), gradients)


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("of", ["free", "decided"])
def test_a_batch_may_have_targets_of_one_kind_alone(of: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "_TARGETS", at_once)
    model, _ = made()
    row = ROWS[2] if of == "free" else Row("d", [3, 4, 5], [0, 1, 2], [2], [(5, 6)])
    one = batch(hold([row]), [0])
    each, gradients = taught(model, one, 1.0)
    value, found = loss.learned(model, one, 2.0)
    torch.testing.assert_close(value, loss_of(each))
    torch.testing.assert_close(found, each)
    torch.testing.assert_close(gradients_of(model, value), gradients)


@pytest.mark.parametrize(
    "learns", [(True, True, True), (True, False, False), (False, True, False), (True, False, True)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_the_sum_and_its_gradients_are_those_of_torch(
    dtype: torch.dtype, at_once: int, learns: tuple[bool, bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "_TARGETS", at_once)
    monkeypatch.setattr(loss, "_IN_32", {"cpu": 100})
    torch.manual_seed(0)
    made = [torch.randn(7, 8), 3 * torch.randn(50, 8), torch.randn(50)]
    targets = torch.tensor([4, 49, 0, -100, 7, 7, -100])
    values: list[Tensor] = []
    gradients: list[list[Tensor]] = []
    for ours in (False, True):
        # In 32 bit what is rounded to 16 is the same, and what that makes of it is compared with more room.
        given = [
            x.to(dtype).to(dtype if ours else torch.float32).requires_grad_(on)
            for x, on in zip(made, learns, strict=True)
        ]
        if ours:
            value, each = loss._TargetLoss.apply(*given, targets)  # pyright: ignore
            assert each[3] == each[6] == 0
        else:
            logits = given[0] @ given[1].t() + given[2]
            value = cross_entropy(logits, targets, ignore_index=-100, reduction="sum")
        (3 * value).backward()
        values.append(value.detach().float())
        gradients.append([x.grad.float() for x in given if x.grad is not None])
    loose = {"rtol": 0.05, "atol": 0.05} if dtype == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(values[1], values[0], **loose)
    torch.testing.assert_close(gradients[1], gradients[0], **loose)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_log_probabilities_and_gradients_are_those_of_torch(
    dtype: torch.dtype, at_once: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "_IN_32", {"cpu": at_once * 50})
    torch.manual_seed(0)
    given = (10 * torch.randn(7, 50)).to(dtype)
    targets, weights = torch.tensor([4, 49, 0, -100, 7, 7, -100]), torch.randn(7)

    def theirs(logits: Tensor) -> Tensor:
        return -cross_entropy(logits.float() / temperature, targets, ignore_index=-100, reduction="none")

    def ours(logits: Tensor) -> Tensor:
        return loss._TargetLogProbs.apply(logits, targets, temperature)  # pyright: ignore

    values: list[Tensor] = []
    gradients: list[Tensor] = []
    for compute in (theirs, ours):
        logits = given.clone().requires_grad_()
        found = compute(logits)
        (found * weights).sum().backward()
        assert logits.grad is not None
        assert logits.grad.dtype == dtype
        values.append(found.detach())
        gradients.append(logits.grad)
    assert values[1][3] == values[1][6] == 0
    torch.testing.assert_close(values[1], values[0], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradients[1], gradients[0])
