"""Rows on disk and packing: nothing is lost, nothing is cut, the same seed gives the same bins."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.encoding import Encoded, Encoder, Row
from taiyi.errors import TrainError
from taiyi.schema import Example, FreeText, Mentions, Message, Tagging
from taiyi.train import rows as store
from taiyi.train.order import Planned, load_order, pack, planned, save_order
from taiyi.train.settings import StageSettings
from taiyi.train.tokenizer import train_bpe


@st.composite
def encoded(draw: st.DrawFn) -> Row:
    ids = draw(st.lists(st.integers(0, 50), min_size=2, max_size=12))
    targets = sorted(draw(st.sets(st.integers(1, len(ids) - 1), min_size=1)))
    choices: list[tuple[int, ...]] = []
    for target in targets:
        others = draw(st.sets(st.integers(51, 60), max_size=3))
        choices.append(draw(st.sampled_from([(), (ids[target], *others)])))
    choices[0] = ()
    positions = draw(st.lists(st.integers(0, 20), min_size=len(ids), max_size=len(ids)))
    return Row(draw(st.text(max_size=5)), ids, positions, targets, choices)


@given(st.lists(encoded(), max_size=6))
def test_rows_survive_the_disk(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store.write(rows, Path(folder) / "rows")
        found = store.read(Path(folder) / "rows")
        assert list(found) == rows
        assert found.lengths.tolist() == [len(row.ids) for row in rows]
        assert found.targets == sum(len(choices) != 1 for row in rows for choices in row.choices)


@given(st.lists(st.lists(encoded(), max_size=3), max_size=4))
def test_rows_of_parts_are_those_of_one_folder(parts: list[list[Row]]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for number, rows in enumerate(parts):
            store.write(rows, folder / str(number))
        store.join([folder / str(number) for number in range(len(parts))], folder / "joined")
        store.write([row for rows in parts for row in rows], folder / "whole")
        files = sorted(path.name for path in (folder / "whole").iterdir())
        assert sorted(path.name for path in (folder / "joined").iterdir()) == files
        for name in files:
            assert (folder / "joined" / name).read_bytes() == (folder / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (Row("a", [1, 2], [0, 1], [], []), "no token to learn"),
        (Row("a", [1, 2], [0, 1], [1], [(2,)]), "all forced"),
        (Row("a", [1, 2], [0, 1], [0], [()]), "outside the row"),
        (Row("a", [1, 2], [0, 1], [1], [(3, 4)]), "not among its own choices"),
    ],
)
def test_a_row_that_teaches_nothing_or_is_wrong_is_refused(tmp_path: Path, row: Row, fault: str) -> None:
    with pytest.raises(TrainError, match=fault):
        store.write([row], tmp_path / "rows")
    with pytest.raises(TrainError, match="no rows here"):
        store.read(tmp_path / "rows")


def test_damaged_rows_are_refused(tmp_path: Path) -> None:
    store.write([Row("a", [1, 2], [0, 1], [1], [()])], tmp_path)
    (tmp_path / "ids.bin").write_bytes(b"\0")
    with pytest.raises(TrainError, match="damaged"):
        store.read(tmp_path)


def test_long_examples_are_rejected_and_counted(tmp_path: Path) -> None:
    class Words:
        def encode(self, example: Example) -> Encoded:
            n = len(example.answer.split()) + 1
            return Encoded(Row(example.id, list(range(n)), list(range(n)), list(range(1, n)), [()] * (n - 1)))

    def example(id: str, answer: str) -> Example:
        return Example(
            id=id, corpus="c", task="t", lang="en", split="train", template="x", form="text", record=id,
            messages=(Message(role="user", content="q"),), answer=answer, gold=FreeText(text=answer),
        )  # fmt: skip

    rows, rejects = store.prepare(
        [example("short", "a b"), example("long", "a b c d e f")], Words(), tmp_path / "rows", max_tokens=4
    )
    assert [row.example for row in rows] == ["short"]
    assert [(r.where, r.reason, r.detail) for r in rejects] == [
        ("long", "longer than max_tokens", "7 tokens, at most 4")
    ]


def test_mentions_that_are_widened_or_lost_are_counted(tmp_path: Path) -> None:
    def example(id: str, answer: str) -> Example:
        tagging = Tagging(source="antiepileptic drugs", tags=("D", "C"), at=0)
        return Example(
            id=id, corpus="c", task="ner", lang="en", split="train", template="x", form="tagged", record=id,
            messages=(Message(role="user", content=tagging.source),), answer=answer, gold=Mentions(), tagging=tagging,
        )  # fmt: skip

    encoder = Encoder(train_bpe(["antiepileptic drugs"], vocab_size=300, tags=["<D>", "</D>", "<C>", "</C>"]))
    answers = {
        "whole": "<D>antiepileptic</D> drugs",
        "inside": "anti<D>epileptic</D> drugs",
        "both": "<D>anti</D><C>epileptic drugs</C>",
        "lost": "<D>anti</D><D>epileptic</D> drugs",
        "none": "antiepileptic drugs",
    }
    rows, rejects = store.prepare(
        [example(id, answer) for id, answer in answers.items()], encoder, tmp_path / "rows", max_tokens=99
    )
    assert [row.example for row in rows] == list(answers)
    assert [(r.where, r.reason, r.detail) for r in rejects] == [
        ("inside", "mention widened to whole pieces, row kept", "antiepileptic"),
        ("both", "mention widened to whole pieces, row kept", "antiepileptic drugs; antiepileptic"),
        ("lost", "mention lost inside a piece, row kept", "epileptic"),
        ("lost", "mention widened to whole pieces, row kept", "antiepileptic"),
    ]


lengths = st.lists(st.integers(1, 16), max_size=60)


@given(lengths, st.integers(0, 3), st.integers(0, 3))
def test_packing_keeps_every_row_whole(lengths: list[int], seed: int, epoch: int) -> None:
    bins = pack(lengths, 16, 24, seed=seed, epoch=epoch)
    assert sorted(row for rows in bins for row in rows) == list(range(len(lengths)))
    assert all(0 < sum(lengths[row] for row in rows) <= 24 for rows in bins)
    assert list(bins) == list(pack(lengths, 16, 24, seed=seed, epoch=epoch))


def test_packing_wastes_little_and_epochs_differ() -> None:
    lengths = [5 + i * 7 % 90 for i in range(2000)]
    bins = pack(lengths, 100, 512, seed=0, epoch=0)
    assert sum(lengths) / (512 * len(bins)) > 0.98
    assert list(bins) != list(pack(lengths, 100, 512, seed=0, epoch=1))


def test_packing_refuses_what_does_not_fit() -> None:
    with pytest.raises(TrainError, match="too long"):
        pack([3, 9], 8, 16, seed=0, epoch=0)
    with pytest.raises(TrainError, match="cannot take the longest row"):
        pack([3], 8, 4, seed=0, epoch=0)


@given(lengths.filter(bool))
def test_an_order_survives_the_disk(lengths: list[int]) -> None:
    bins = pack(lengths, 16, 24, seed=0, epoch=0)
    with tempfile.TemporaryDirectory() as folder:
        save_order(bins, Path(folder) / "order-0.npy")
        assert list(load_order(Path(folder) / "order-0.npy")) == list(bins)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[int], StageSettings]:
    kind = draw(st.sampled_from(["sft", "dpo"]))
    sizes = draw(st.lists(st.integers(1, 16), min_size=2, max_size=60))
    ends = {"epochs": draw(st.integers(1, 4))} if draw(st.booleans()) else {"total_tokens": draw(st.integers(1, 900))}
    settings = StageSettings.model_validate(
        ends
        | {"kind": kind, "max_tokens": 16, "batch_tokens": 40, "accumulation": draw(st.integers(1, 5))}
        | {"max_steps": draw(st.none() | st.integers(1, 40)), "seed": draw(st.integers(0, 3))}
    )
    return sizes[: len(sizes) // 2 * 2], settings


@given(plans())
def test_a_plan_is_the_bins_of_its_epochs_one_step_after_another(made: tuple[list[int], StageSettings]) -> None:
    """As lists say it, in memory, as files that are written, and as files that are read."""
    sizes, settings = made
    unit = 2 if settings.kind == "dpo" else 1
    of_units = [sum(sizes[at : at + unit]) for at in range(0, len(sizes), unit)]
    expected: list[Planned] = []
    seen = epoch = 0
    while settings.total_tokens is not None or epoch < settings.epochs:
        bins = list(pack(of_units, 16 * unit, 40, seed=settings.seed, epoch=epoch))
        for at in range(0, len(bins), settings.accumulation):
            if len(expected) == settings.max_steps or (settings.total_tokens and seen >= settings.total_tokens):
                break
            step = bins[at : at + settings.accumulation]
            expected.append(Planned(epoch, [[unit * u + row for u in units for row in range(unit)] for units in step]))
            seen += sum(of_units[u] for units in step for u in units)
        else:
            epoch += 1
            continue
        break
    with tempfile.TemporaryDirectory() as folder:
        for out in (None, Path(folder), Path(folder)):
            plan = planned(np.array(sizes), settings, out)
            assert len(plan) == len(expected)
            assert list(plan) == [plan[n] for n in range(len(plan))] == plan[:] == expected
            assert plan[-1] == expected[-1]
            with pytest.raises(IndexError):
                plan[len(expected)]


def test_an_order_is_what_it_was() -> None:
    """What a seed means: an order that changes makes stages that are interrupted, and golden curves, others."""
    assert list(pack([5, 9, 3, 3, 8, 7, 2, 6, 4], 9, 12, seed=7, epoch=1)) == [[5], [1, 3], [6, 0, 2], [7, 8], [4]]


def test_orders_of_many_epochs_take_no_memory(tmp_path: Path) -> None:
    lengths = np.random.default_rng(0).integers(4, 60, 20_000)
    settings = StageSettings(epochs=12, max_tokens=64, batch_tokens=256)
    planned(lengths, settings, tmp_path)
    tracemalloc.start()
    plan = planned(lengths, settings, tmp_path)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert plan[-1].epoch == 11
    # Less than the rows of one epoch, of 8 bytes each.
    assert held < 8 * len(lengths)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([[0, 0], [0, 1], [1, 2]], "not of these rows"),
        ([[0, 0], [0, 1], [1, 1], [1, 3]], "not of these rows"),
        ([[0, 0], [2, 1], [2, 2], [2, 3]], "not of these rows"),
        ([[1, 0], [0, 1], [0, 2], [1, 3]], "not of these rows"),
        ([0, 1, 2, 3], "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_an_order_of_something_else_is_refused(pairs: Any, said: str, tmp_path: Path) -> None:
    settings = StageSettings(max_tokens=16, batch_tokens=16)
    planned(np.array([9, 9, 9, 9]), settings, tmp_path)
    path = tmp_path / "order-0.npy"
    if pairs is None:
        path.write_bytes(path.read_bytes()[:-8])
    else:
        np.save(path, np.array(pairs))
    with pytest.raises(TrainError, match=rf"order-0\.npy: the order of an epoch .*{said}"):
        planned(np.array([9, 9, 9, 9]), settings, tmp_path)
