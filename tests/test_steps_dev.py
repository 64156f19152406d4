"""Evaluation during training: the tasks' metrics over the dev sample, the same however many processes share it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taiyi.checkpoint import Checkpoint
from taiyi.errors import TaiyiError
from taiyi.evaluate.report import Sample
from taiyi.generate import LocalEngine
from taiyi.schema import Example, Prediction, Scale, Shown, Value
from taiyi.steps.dev import evaluator
from taiyi.storage import read_jsonl
from taiyi.train import rows as store
from taiyi.train.loop import Hooks, train
from taiyi.train.selection import DevScore
from taiyi.train.settings import DevSettings, StageSettings
from taiyi.train.world import world
from toy import CHECKPOINT, model, tagged_examples, tokenizer, yes_no_examples


class OneOfTwo:
    """A process of two that does not wait for the other, and hears of what it found beforehand."""

    def __init__(self, rank: int) -> None:
        self.rank, self.size, self.main = rank, 2, rank == 0
        self.found: list[Any] = []
        self.others: list[Any] = []

    def gather(self, values: Sequence[Any]) -> list[Any]:
        self.found = list(values)
        return [*self.found, *self.others]

    def told(self, value: Any) -> Any:
        return 1.0


def graded(number: int, gold: float, lang: Any = "en", highest: float = 4) -> Example:
    scale = Scale(measure="similarity", lowest=0, highest=highest)
    return msgspec.structs.replace(
        yes_no_examples(1)[0],
        id=f"g{number}",
        record=f"g{number}",
        task="tp_ss",
        lang=lang,
        answer=str(gold),
        gold=Value(value=gold, scale=scale),
        types=(Shown(name="similarity", shown="similarity", scale=scale),),
    )


def scripted(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> None:
    """Let the engine give answers that a test has written, by the ids of examples; else the gold ones."""

    def generate(self: Any, examples: Sequence[Example], **_: Any) -> list[Prediction]:
        return [Prediction(example=e.id, text=answers.get(e.id, e.answer), finish="stop") for e in examples]

    monkeypatch.setattr(LocalEngine, "generate", generate)


def evaluate(examples: Sequence[Example], of: Any = None, **more: Any) -> DevScore:
    made = evaluator(
        examples, tokenizer(), CHECKPOINT, DevSettings(max_new_tokens=8), of or world(), batch_tokens=512, **more
    )
    return made(model(), 4)


def test_the_score_is_the_mean_over_tasks_of_the_mean_over_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    english, tagged = yes_no_examples(4), tagged_examples(4)
    chinese = [msgspec.structs.replace(e, id=f"z{n}", record=f"z{n}", lang="zh") for n, e in enumerate(english)]
    # One of four wrong, all of two unparsable; and a mention too many.
    wrong = {english[0].id: "no", chinese[0].id: "?", chinese[1].id: ""}
    assert tagged[1].tagging is not None
    wrong[tagged[1].id] = "<Drug>codeine</Drug> at <Drug>home</Drug>"
    scripted(monkeypatch, wrong)
    found = evaluate([*english, *chinese[:2], *tagged])
    f1 = 2 * 4 / (2 * 4 + 1)
    assert found.tasks == {"ner/en": pytest.approx(f1), "qa_yesno/en": 0.75, "qa_yesno/zh": 0.0}
    assert found.score == pytest.approx((f1 + 0.375) / 2)
    assert (found.step, found.num_answers, found.num_unparsable) == (4, 10, 2)


def test_queries_about_one_record_are_scored_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    first = tagged_examples(1)[0]
    again = msgspec.structs.replace(first, id="again", types=(*first.types, Shown(name="Gene", shown="Gene")))
    assert first.tagging is not None
    scripted(monkeypatch, {"again": first.tagging.source})
    # What one query finds is not found by the other: together they would have missed nothing.
    assert evaluate([first, again]).tasks == {"ner/en": pytest.approx(2 / 3)}


def test_grades_score_by_how_they_go_with_the_gold(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [graded(0, 0.0), graded(1, 1.0), graded(2, 3.0), graded(3, 20.0, highest=20)]
    scripted(monkeypatch, {"g0": "1", "g1": "2", "g2": "4", "g3": "20"})
    # The last grade is the highest of another scale. Pearson of (0, .25, .75, 1) and (.25, .5, 1, 1).
    assert evaluate(examples).tasks == {"tp_ss/en": pytest.approx(0.9737, abs=1e-3)}
    scripted(monkeypatch, {"g0": "4", "g1": "3", "g2": "1", "g3": "0"})
    assert evaluate(examples).tasks == {"tp_ss/en": 0.0}
    # Of two grades there is no correlation: they are right or wrong.
    scripted(monkeypatch, {"g0": "4"})
    assert evaluate(examples[:2]).tasks == {"tp_ss/en": 0.5}


def test_where_nothing_is_to_be_found_finding_nothing_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    from taiyi.schema import Mentions

    empty = [
        msgspec.structs.replace(e, gold=Mentions(), answer=e.tagging.source) for e in tagged_examples(2) if e.tagging
    ]
    scripted(monkeypatch, {})
    assert evaluate(empty).tasks == {"ner/en": 1.0}


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(TaiyiError, match="the dev sample is empty"):
        evaluator([], tokenizer(), CHECKPOINT, DevSettings(), world(), batch_tokens=512)


def test_processes_share_the_records_and_have_the_same_score() -> None:
    """Windows of a record stay with one process."""
    examples = [*tagged_examples(7), *yes_no_examples(6)]
    window = examples[3]
    examples.append(msgspec.structs.replace(window, id=window.id + "@40", offset=40))
    alone = evaluate(examples)
    worlds: list[Any] = [OneOfTwo(0), OneOfTwo(1)]
    # The first call of each only answers; in the second one it hears what the other has found.
    for one in worlds:
        with pytest.raises(TaiyiError, match="no prediction"):
            evaluate(examples, one)
    worlds[0].others, worlds[1].others = worlds[1].found, worlds[0].found
    scores = [evaluate(examples, one) for one in worlds]
    assert scores[0] == scores[1] == msgspec.structs.replace(alone, seconds=1.0)
    held = [{p.example for p in one.found} for one in worlds]
    assert not held[0] & held[1] and held[0] | held[1] == {e.id for e in examples}
    assert any({window.id, window.id + "@40"} <= ids for ids in held)
    assert abs(len(held[0]) - len(held[1])) <= 2


def test_some_answers_are_written_for_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [*tagged_examples(9), *yes_no_examples(9)]
    scripted(monkeypatch, {e.id: "no" for e in examples if e.task == "qa_yesno"})
    evaluate(examples, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "answers-step-00000004.jsonl"
    found = list(read_jsonl(path, Sample))
    assert [s.set for s in found] == ["ner/en"] * 3 + ["qa_yesno/en"] * 3
    assert {(s.gold, s.answer, s.verdict) for s in found if s.task == "qa_yesno"} <= {
        ("yes", "no", "wrong"),
        ("no", "no", "right"),
    }
    assert all(s.prompt and s.verdict == "right" for s in found if s.task == "ner")


def test_a_stage_is_evaluated_as_it_trains_and_is_the_same_model_as_without(tmp_path: Path) -> None:
    from taiyi.encoding import Encoder

    examples = [*tagged_examples(), *yes_no_examples()]
    encoder = Encoder(tokenizer(), positions="aligned", decisions=True)
    rows = store.write([encoder.row(e) for e in examples], tmp_path / "rows")
    settings = StageSettings(max_tokens=64, batch_tokens=256, learning_rate=1e-2, epochs=5)
    plain = train(rows, tmp_path / "plain", settings, model(), tokenizer(), CHECKPOINT)
    dev = DevSettings(every_steps=4, max_new_tokens=8)
    hooks = Hooks(dev=evaluator(examples[::3], tokenizer(), CHECKPOINT, dev, world(), batch_tokens=512))
    watched = train(
        rows,
        tmp_path / "dev",
        settings.model_copy(update={"dev": dev}),
        model(),
        tokenizer(),
        Checkpoint(),
        hooks=hooks,
    )
    assert watched.losses == plain.losses
    scores = list(read_jsonl(tmp_path / "dev" / "dev.jsonl", DevScore))
    assert len(scores) == -(-plain.steps // 4)
    assert scores[-1].score > scores[0].score + 0.2
