"""Pairs of right and wrong answers: which answers make one, and that making them can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taiyi.encoding import Encoder
from taiyi.generate import LocalEngine, Sampled
from taiyi.generate.torch_model import TorchModel
from taiyi.schema import Example, Prediction, Reject
from taiyi.steps import pairs as steps
from taiyi.steps.pairs import CLOSE, CUT, EMPTY, RIGHT, Preference, encode_pair, make_pairs, prepare_pairs
from taiyi.storage import read_jsonl, read_parquet, write_parquet
from taiyi.train import rows as store
from taiyi.train.settings import PreferenceSettings, StageSettings
from toy import CHECKPOINT, model, tagged_examples, tokenizer, yes_no_examples

YES, NO = yes_no_examples(2)[0], yes_no_examples(8)[4]
TAGGED = tagged_examples(1)[0]


class Scripted:
    """Gives answers that a test has written: the greedy one first. One that ends with `...` was cut."""

    def __init__(self, *answers: str) -> None:
        self.answers = [(a.removesuffix("..."), "length" if a.endswith("...") else "stop") for a in answers]

    def generate(self, examples: Sequence[Example], **_: Any) -> Iterator[Prediction]:
        text, finish = self.answers[0]
        return (Prediction(example=e.id, text=text, finish=finish) for e in examples)  # pyright: ignore[reportArgumentType]

    def sample(self, examples: Sequence[Example], **_: Any) -> Iterator[Sampled]:
        for example in examples:
            for number, (text, finish) in reversed([*enumerate(self.answers[1:])]):
                yield Sampled(example.id, number, (), text, finish)  # pyright: ignore[reportArgumentType]


def pair(example: Example, *answers: str, **settings: Any) -> Preference | Reject:
    engine: Any = Scripted(*answers)
    (made,) = make_pairs([example], engine, PreferenceSettings(**settings), seed=0, batch_tokens=1)
    return made


def chosen(made: Preference | Reject) -> tuple[str, str, bool]:
    assert isinstance(made, Preference)
    return made.right, made.wrong, made.own


def test_the_right_answer_is_the_models_own_if_it_has_one() -> None:
    assert chosen(pair(YES, "no", "Yes.", "yes")) == ("Yes.", "no", True)
    assert chosen(pair(YES, "no", "Yes.", "yes", right="gold")) == ("yes", "no", False)
    assert chosen(pair(YES, "no", "no")) == ("yes", "no", False)


def test_the_wrong_answer_is_the_worst() -> None:
    drug, place = "aspirin", "home"
    at = "at home aspirin"
    assert TAGGED.tagging is not None and TAGGED.tagging.source == at
    right = f"at home <Drug>{drug}</Drug>"
    half = f"<Drug>at</Drug> home <Drug>{drug}</Drug>"
    none = f"at <Drug>{place}</Drug> {drug}"
    made = pair(TAGGED, half, none, right)
    assert chosen(made) == (right, none, True)
    assert isinstance(made, Preference) and (made.right_score, made.wrong_score) == (1, 0)
    made = pair(TAGGED, half)
    assert isinstance(made, Preference) and made.wrong_score == pytest.approx(2 / 3)
    # It is not wrong by the margin.
    reject = pair(TAGGED, half, right, margin=0.5)
    assert isinstance(reject, Reject) and reject.reason == CLOSE


def test_answers_that_were_cut_are_neither_right_nor_wrong() -> None:
    assert chosen(pair(YES, "no", "yes...")) == ("yes", "no", False)
    for answers in (("no...", "no..."), ("yes", "no...")):
        made = pair(YES, *answers)
        assert isinstance(made, Reject) and made.reason == CUT and made.where == YES.id


def test_where_there_is_no_pair_it_is_said_why() -> None:
    reasons = {("yes", "Yes"): RIGHT, (" ", ""): EMPTY}
    for answers, reason in reasons.items():
        made = pair(YES, *answers)
        assert isinstance(made, Reject) and made.reason == reason


def test_an_answer_that_cannot_be_read_is_wrong() -> None:
    assert chosen(pair(NO, "perhaps so", "no")) == ("no", "perhaps so", True)


def test_rows_of_a_pair_are_both_there_or_neither() -> None:
    encoder = Encoder(tokenizer(), positions="aligned")
    made = pair(YES, "no", "yes")
    assert isinstance(made, Preference)
    both, rejects = encode_pair(made, encoder, max_tokens=64)
    assert both is not None and not rejects
    right, wrong = both
    assert right == encoder.row(YES)
    assert wrong == encoder.row(msgspec.structs.replace(YES, answer="no"))
    longer = msgspec.structs.replace(made, wrong="no " * 9)
    both, (reject,) = encode_pair(longer, encoder, max_tokens=len(right.ids))
    assert both is None and reject.reason == store.TOO_LONG
    same = msgspec.structs.replace(made, wrong=made.right)
    both, (reject,) = encode_pair(same, encoder, max_tokens=64)
    assert both is None and reject.reason == steps.SAME


SETTINGS = StageSettings(
    kind="dpo",
    max_tokens=64,
    batch_tokens=512,
    preference=PreferenceSettings(answers=3, examples=12, max_new_tokens=24),
)


def prepare(folder: Path, engine: LocalEngine | None = None, **changes: Any) -> dict[str, Any]:
    engine = engine or LocalEngine(TorchModel(model()), tokenizer(), CHECKPOINT)
    return prepare_pairs(
        [folder / "one.parquet", folder / "two.parquet"], engine, SETTINGS, folder / "pairs", seed=5, **changes
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_parquet(tagged_examples(), tmp_path / "one.parquet", Example)
    write_parquet(yes_no_examples(), tmp_path / "two.parquet", Example)
    monkeypatch.setattr(steps, "_PART_EXAMPLES", 3)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_stage_has_its_pairs_their_rows_and_what_was_rejected(folder: Path) -> None:
    facts = prepare(folder)
    pairs = list(read_parquet(folder / "pairs" / steps.FILE, Preference))
    rejects = list(read_jsonl(folder / "pairs" / steps.REJECTS, Reject))
    rows = store.read(folder / "pairs" / "rows")
    assert facts["num_examples"] == 12 == len(pairs) + len(rejects)
    assert facts["num_pairs"] == len(pairs) > 3 and facts["num_rows"] == len(rows) == 2 * len(pairs)
    assert sum(facts["rejects"].values()) == len(rejects)
    assert [rows.example(2 * n) for n in range(len(pairs))] == [p.example.id for p in pairs]
    assert all(pair.right_score > pair.wrong_score for pair in pairs)
    encoder = Encoder(tokenizer(), positions="aligned", decisions=True)
    for number, made in enumerate(pairs):
        for offset, answer in enumerate((made.right, made.wrong)):
            assert rows[2 * number + offset] == encoder.row(msgspec.structs.replace(made.example, answer=answer))
    # Which examples are drawn follows from the seed and their ids.
    assert {r.where.split("#")[0] for r in rejects} | {p.example.id.split("#")[0] for p in pairs} < {
        e.id.split("#")[0] for e in (*tagged_examples(), *yes_no_examples())
    }


def test_an_interrupted_step_goes_on_and_leaves_the_same_files(folder: Path) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        assert total > 3
        if done == 2:
            raise Killed

    prepare(folder)
    whole = contents(folder / "pairs")
    assert not [name for name in whole if name.startswith("work")]
    (folder / "pairs").rename(folder / "unbroken")
    with pytest.raises(Killed):
        prepare(folder, progress=kill)

    asked: list[str] = []
    engine: Any = LocalEngine(TorchModel(model()), tokenizer(), CHECKPOINT)
    generate = engine.generate

    def counted(examples: Sequence[Example], **more: Any) -> Iterator[Prediction]:
        asked.extend(e.id for e in examples)
        return generate(examples, **more)

    engine.generate = counted
    prepare(folder, engine)
    assert contents(folder / "pairs") == whole
    assert len(asked) < 12
    # Done is done.
    asked.clear()
    prepare(folder, engine)
    assert not asked
