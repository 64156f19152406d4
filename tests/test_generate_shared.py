"""What prompts begin with in common is read once, and answers are those of reading each prompt by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from taiyi.encoding import Prompt
from taiyi.generate import LocalEngine, likelihood
from taiyi.generate.beginnings import _alike, begun  # pyright: ignore[reportPrivateUsage]
from taiyi.generate.decoder import Decoder
from taiyi.generate.torch_model import TorchModel
from taiyi.schema import Example, FreeText, Message
from test_generate_local import engine, model, sliding_model, tagged_example, windowed_model

DOCUMENT = "No disease at all was seen in this longer sentence about aspirin, epilepsy, and a few other things."


def prompt(*ids: int) -> Prompt:
    return Prompt(list(ids), list(range(len(ids))))


# --- which prompts are read together ---------------------------------------------------------------------------------

few_tokens = st.lists(st.integers(0, 2), min_size=1, max_size=6)


def num_shared(prompts: list[Prompt]) -> int:
    shared = 0
    for places in zip(*(p.ids[:-1] for p in prompts), strict=False):
        if len(set(places)) > 1:
            break
        shared += 1
    return shared


def most_saved(prompts: list[Prompt]) -> int:
    """The most that any way of grouping sorted prompts saves, by trying all."""
    ordered = sorted(prompts, key=lambda p: p.ids)
    n = len(ordered)
    best = 0
    for cuts in range(2 ** (n - 1)):
        ends = [0, *(i + 1 for i in range(n - 1) if cuts >> i & 1), n]
        groups = [ordered[a:b] for a, b in pairwise(ends)]
        best = max(best, sum((len(group) - 1) * num_shared(group) for group in groups))
    return best


@given(st.lists(few_tokens, min_size=1, max_size=6))
def test_groups_share_what_they_say_and_save_the_most(tokens: list[list[int]]) -> None:
    prompts = [prompt(*ids) for ids in tokens]
    groups = _alike(prompts)
    assert sorted(member for group in groups for member in group.members) == list(range(len(prompts)))
    saved = 0
    for group in groups:
        held = [prompts[member] for member in group.members]
        assert group.shared <= num_shared(held)
        saved += (len(group.members) - 1) * group.shared
    assert saved == most_saved(prompts)


def test_tokens_at_other_positions_are_not_shared() -> None:
    one, other = prompt(*range(9)), Prompt(list(range(9)), list(range(1, 10)))
    assert all(not group.shared for group in _alike([one, other]))


# --- what is read ----------------------------------------------------------------------------------------------------


class Counting:
    """Counts the tokens that decoders are fed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens = 0
        feed = Decoder.feed

        def counted(decoder: Decoder, tokens: Any, positions: Any) -> Any:
            self.tokens += sum(map(len, tokens))
            return feed(decoder, tokens, positions)

        monkeypatch.setattr(Decoder, "feed", counted)


@pytest.mark.parametrize("make", [model, sliding_model, windowed_model], ids=lambda make: make.__name__)
def test_what_is_read_together_is_what_is_read_apart(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, counting = make(), Counting(monkeypatch)
    begin = list(range(5, 45))
    prompts = [prompt(*begin, *rest) for rest in ([1, 2], [3], [1, 2, 4], [1, 2])] + [prompt(9, 8, 7)]
    decoder, read = begun(TorchModel(made), prompts, capacity=64)
    assert read[4] == 0
    assert all(40 <= count < len(p.ids) for p, count in zip(prompts[:4], read, strict=False))
    assert counting.tokens < 2 * len(begin), "the document was read more than once"
    states: Any = decoder.feed(
        [p.ids[count:] for p, count in zip(prompts, read, strict=True)],
        [p.positions[count:] for p, count in zip(prompts, read, strict=True)],
    )
    for row, (p, count) in enumerate(zip(prompts, read, strict=True)):
        alone = Decoder(made, rows=1, capacity=64).feed([p.ids], [p.positions]).hidden[0, -1]
        assert torch.allclose(states.hidden[row, len(p.ids) - count - 1], alone, atol=1e-5)


def test_little_in_common_is_read_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    _, read = begun(TorchModel(model()), [prompt(1, 2, 3, 4), prompt(1, 2, 3, 5)], capacity=8)
    assert read == [0, 0]
    assert counting.tokens == 0, "a pass would have cost more than it saves"


# --- answers ---------------------------------------------------------------------------------------------------------


def about(index: int, kind: str, record: str) -> Example:
    return Example(
        id=f"{record}-{index}", corpus="c", task="qa_sqa", lang="en", split="test", template="x", form="text",
        record=record, messages=(Message(role="user", content=f"{DOCUMENT}\nFind: {kind}"),), answer="x",
        gold=FreeText(text="x"),
    )  # fmt: skip


KINDS = ("disease", "aspirin", "epilepsy", "other things", "sentence")


@pytest.mark.parametrize("positions", ["plain", "aligned"])
def test_a_document_that_is_asked_about_in_parts_is_read_once(positions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours: LocalEngine = engine(positions)
    asked = [about(n, kind, "r") for n, kind in enumerate(KINDS)]
    apart = {p.example: p.text for one in asked for p in ours.generate([one], max_new_tokens=20, batch_tokens=9999)}
    counting = Counting(monkeypatch)
    together = {p.example: p.text for p in ours.generate(asked, max_new_tokens=20, batch_tokens=9999)}
    assert together == apart
    lengths = [ours.num_tokens(one.messages) for one in asked]
    assert counting.tokens < sum(lengths)


def test_tagged_answers_about_one_document_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = engine()
    asked = [
        msgspec.structs.replace(
            one, id=f"t{n}", messages=(Message(role="user", content=one.messages[0].content + kind),), record="r"
        )
        for n, kind in enumerate(KINDS)
        for one in [tagged_example(n, DOCUMENT)]
    ]
    apart = {p.example: p.text for one in asked for p in ours.generate([one], max_new_tokens=900, batch_tokens=9999)}
    assert {p.example: p.text for p in ours.generate(asked, max_new_tokens=900, batch_tokens=9999)} == apart


def test_records_stay_together_in_batches() -> None:
    ours = engine()
    asked = [about(n, kind * (1 + record), str(record)) for record in range(3) for n, kind in enumerate(KINDS)]
    order = [p.example.split("-")[0] for p in ours.generate(asked[::-1], max_new_tokens=1, batch_tokens=9999)]
    changes = sum(a != b for a, b in pairwise(order))
    assert len(order) == len(asked)
    assert changes == 2


def test_probabilities_are_those_of_prompts_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = engine()
    prompts = [ours.encoder.prompt(about(n, kind, "r").messages) for n, kind in enumerate(KINDS)]
    answers = [[[5, 6], [7]]] * len(prompts)
    apart = [likelihood.score(ours.model, [p], [of])[0] for p, of in zip(prompts, answers, strict=True)]
    counting = Counting(monkeypatch)
    together = likelihood.score(ours.model, prompts, answers)
    assert counting.tokens < sum(len(p.ids) for p in prompts)
    for one, other in zip(apart, together, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
