"""Stages of every kind in one recipe, what each begins from, and which of its models it leaves."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import yaml
from typer.testing import CliRunner

from taiyi import steps, storage
from taiyi.cli import app
from taiyi.errors import TaiyiError
from taiyi.manifest import Log, finished, manifest
from taiyi.recipe import load
from taiyi.steps import choice, dev, pairs
from taiyi.steps.run import Run
from taiyi.train import loop
from taiyi.train.loop import Step
from taiyi.train.selection import Dev, DevScore

NER: dict[str, Any] = {"corpus": "demo_cdr", "task": "ner", "window_chars": 1, "max_records": 12}
QA: dict[str, Any] = {"corpus": "demo_pubmedqa", "task": "qa_yesno", "max_records": 12}
SCRATCH: dict[str, Any] = {"vocab_size": 500, "hidden": 16, "layers": 1, "heads": 1, "feed_forward": 32}
QUICK: dict[str, Any] = {"max_tokens": 512, "batch_tokens": 1024, "epochs": 40, "max_steps": 4, "learning_rate": 0.01}


def made(folder: Path, stages: list[dict[str, Any]], **more: Any) -> Run:
    """Return a run of these stages, over a model from nothing unless a base is given."""
    size = {} if "base" in more else {"scratch": SCRATCH}
    content = {"name": "stages", "stages": stages, "deduplicate": {"near": False}} | size | more
    path = folder / "stages.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return Run(load(path), folder / "run", folder, Log(folder / "run"))


def train(run: Run) -> Path:
    return Path(steps.train_stages(run, steps.build(run)))


def begins(run: Run, stage: str) -> Any:
    return finished(run.folder, f"train-{stage}")[-1][1].inputs["begins"]


def trained(run: Run, stage: str) -> Path:
    return finished(run.folder, f"train-{stage}")[-1][0]


def log(folder: Path) -> list[Step]:
    return list(storage.read_jsonl(folder / "loss.jsonl", Step))


@pytest.mark.slow
def test_stages_of_every_kind_follow_one_another(tmp_path: Path) -> None:
    run = made(
        tmp_path,
        [
            {"name": "texts", "kind": "cpt", "data": [{"corpus": "demo_cdr", "task": "text"}], **QUICK},
            {"name": "stage1", "data": [NER], **QUICK, "dev": {"records": 3, "every_steps": 2}},
            {"name": "stage2", "data": [QA], "replay": ["stage1"], **QUICK, "dev": {"records": 3, "every_steps": 3}},
            {"name": "pairs", "kind": "dpo", "data": [NER], **QUICK, "preference": {"answers": 2}},
            {
                "name": "rewards",
                "kind": "grpo",
                "data": [NER],
                **QUICK,
                "max_steps": 2,
                "reward": {"prompts": 2, "answers": 3, "max_new_tokens": 8},
            },
        ],
    )
    model = train(run)
    assert model == trained(run, "rewards") / "model"
    for stage, before in (("stage1", "texts"), ("stage2", "stage1"), ("pairs", "stage2"), ("rewards", "pairs")):
        assert begins(run, stage) == trained(run, before).name
    assert "loss/text" in log(trained(run, "texts"))[0].measures
    assert {name for line in log(trained(run, "stage2")) for name in line.measures} <= {"loss/ner", "loss/qa_yesno"}
    assert set(log(trained(run, "pairs"))[0].measures) == {"right", "margin"}
    assert set(log(trained(run, "rewards"))[0].measures) == {"reward/ner", "unparsable", "cut", "left out"}
    # The second stage is evaluated on what it replays as well.
    scores = choice.candidates(run.folder, "stage2").scores
    assert [score.step for score in scores] == [3, 4]
    assert {name.split("/")[0] for score in scores for name in score.tasks} == {"ner", "qa_yesno"}
    # The same command does nothing a second time.
    files = {
        path: path.stat().st_mtime_ns for path in run.folder.rglob("*") if path.is_file() and path.name != "log.txt"
    }
    assert train(run) == model
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_stages_begin_from_what_they_name(tmp_path: Path) -> None:
    run = made(
        tmp_path,
        [
            {"name": "first", "data": [NER], **QUICK},
            {"name": "aside", "data": [QA], **QUICK},
            {"name": "second", "data": [QA], "init_from": "first", **QUICK},
            {"name": "anew", "data": [QA], "init_from": "base", **QUICK},
        ],
    )
    train(run)
    assert begins(run, "second") == begins(run, "aside") == trained(run, "first").name
    assert begins(run, "anew")["base"] == "scratch"
    assert (trained(run, "aside") / "loss.jsonl").read_text().split('"seconds"')[0] == (
        trained(run, "second") / "loss.jsonl"
    ).read_text().split('"seconds"')[0]


def test_a_budget_of_tokens_takes_as_many_epochs_as_it_needs(tmp_path: Path) -> None:
    settings = {name: value for name, value in QUICK.items() if name not in ("epochs", "max_steps")}
    run = made(tmp_path, [{"name": "only", "data": [NER], **settings, "total_tokens": 20_000}])
    train(run)
    lines = log(trained(run, "only"))
    assert lines[-2].tokens < 20_000 <= lines[-1].tokens
    assert lines[-1].epoch >= 1


def test_a_person_chooses_before_the_run_goes_on(tmp_path: Path) -> None:
    asked = {"records": 3, "every_steps": 2, "candidates": 3, "choose": "person"}
    run = made(
        tmp_path,
        [{"name": "stage1", "data": [NER], **QUICK, "dev": asked}, {"name": "stage2", "data": [QA], **QUICK}],
    )
    with pytest.raises(TaiyiError, match="a person is to choose"):
        train(run)
    there = choice.candidates(run.folder, "stage1")
    assert set(there.steps) == {2, 4}
    other = next(step for step, place in there.steps.items() if place != "model")
    told = CliRunner().invoke(app, ["train", "choose", str(run.folder), "stage1"])
    assert told.exit_code == 0 and "candidates" in told.stdout and "Score" in told.stdout
    assert list((there.folder / "answers").iterdir())
    told = CliRunner().invoke(app, ["train", "choose", str(run.folder), "stage1", "--step", "3"])
    assert told.exit_code == 1
    told = CliRunner().invoke(
        app, ["train", "choose", str(run.folder), "stage1", "--step", str(other), "--why", "fewer slips"]
    )
    assert told.exit_code == 0
    train(run)
    assert begins(run, "stage2") == f"{there.folder.name}/{there.steps[other]}"
    assert choice.candidates(run.folder, "stage1").choice.why == "fewer slips"  # type: ignore[union-attr]


def test_the_best_model_is_kept_and_training_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {2: 0.2, 4: 0.5, 6: 0.4, 8: 0.5, 10: 0.1}

    def evaluator(*_: Any, **__: Any) -> Dev:
        return lambda model, step: DevScore(step=step, score=scores[step], tasks={}, num_answers=1, num_unparsable=0)

    monkeypatch.setattr(dev, "evaluator", evaluator)
    settings = QUICK | {"max_steps": 20, "dev": {"records": 4, "every_steps": 2, "patience": 3}}
    run = made(tmp_path, [{"name": "only", "data": [QA], **settings}])
    model = train(run)
    there = choice.candidates(run.folder, "only")
    assert [score.step for score in there.scores] == [*scores]
    assert manifest(there.folder).facts["steps"] == 10
    assert there.kept == 4 and set(there.steps) == {4, 10}
    weights = [(folder / "model.safetensors").read_bytes() for folder in (model, *_candidates(there.folder))]
    assert weights[0] == weights[1] != weights[2]


def _candidates(folder: Path) -> list[Path]:
    return sorted((folder / "candidates").iterdir())


def test_two_long_examples_end_a_run_that_wants_it(tmp_path: Path) -> None:
    stage = {"name": "only", "data": [QA], **QUICK, "max_tokens": 48, "too_long": "error"}
    with pytest.raises(TaiyiError, match="longer than max_tokens"):
        train(made(tmp_path, [stage]))


def test_a_killed_stage_with_evaluations_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    stage = {"name": "only", "data": [NER], **QUICK, "max_steps": 8, "save_every_steps": 3}
    stage["dev"] = {"records": 3, "every_steps": 2, "candidates": 2}
    whole, broken = (made(tmp_path / name, [stage]) for name in _folders(tmp_path))
    train(whole)
    import taiyi.train.selection as selection

    evaluate = selection.Selection.evaluate

    def dies(self: Any, step: int) -> bool:
        if step == 6:
            raise KeyboardInterrupt
        return evaluate(self, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection.Selection, "evaluate", dies)
        with pytest.raises(KeyboardInterrupt):
            train(broken)
    train(broken)
    ours, theirs = (trained(run, "only") for run in (broken, whole))
    for name in ("model/model.safetensors", "order-0.npy"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    assert [(line.step, line.loss) for line in log(ours)] == [(line.step, line.loss) for line in log(theirs)]
    mine, other = (choice.candidates(run.folder, "only") for run in (broken, whole))
    assert mine.steps == other.steps
    assert [msgspec.structs.replace(score, seconds=0) for score in mine.scores] == [
        msgspec.structs.replace(score, seconds=0) for score in other.scores
    ]


def _folders(folder: Path) -> list[str]:
    names = ["whole", "broken"]
    for name in names:
        (folder / name).mkdir()
    return names


def test_a_stage_without_evaluations_has_nothing_to_choose(tmp_path: Path) -> None:
    run = made(tmp_path, [{"name": "only", "data": [NER], **QUICK}])
    train(run)
    with pytest.raises(TaiyiError, match="not evaluated during training"):
        choice.candidates(run.folder, "only")
    with pytest.raises(TaiyiError, match="no such stage"):
        choice.candidates(run.folder, "onl")
    shutil.rmtree(run.folder)


@pytest.mark.parametrize("adapter", ["continue", "merge"])
def test_an_adapter_is_trained_on_or_becomes_part_of_the_base(adapter: str, tmp_path: Path) -> None:
    base = made(tmp_path / _folders(tmp_path)[0], [{"name": "only", "data": [NER], **QUICK}])
    model = train(base)
    lora = {"method": "lora", "lora": {"r": 4, "alpha": 8}, **QUICK}
    run = made(
        tmp_path / "broken",
        [{"name": "one", "data": [NER], **lora}, {"name": "two", "data": [QA], "adapter": adapter, **lora}],
        base=str(model),
    )
    train(run)
    place = trained(run, "two") / "model" / "adapter_config.json"
    over = storage.read_json(place, dict[str, Any])["base_model_name_or_path"]
    if adapter == "merge":
        assert Path(over) == trained(run, "two") / "base"
        assert (Path(over) / "model.safetensors").read_bytes() != (model / "model.safetensors").read_bytes()
    else:
        assert Path(over) == model
    facts = [manifest(trained(run, stage)).facts for stage in ("one", "two")]
    assert facts[0]["trained"] == facts[1]["trained"] < facts[0]["parameters"] / 2
    # The same of an adapter that another run left.
    (tmp_path / "again").mkdir()
    two = {"name": "two", "data": [QA], "adapter": adapter, **lora}
    again = made(tmp_path / "again", [two], base=str(trained(run, "one") / "model"))
    train(again)
    left = [(trained(of, "two") / "model" / "adapter_model.safetensors").read_bytes() for of in (run, again)]
    assert left[0] == left[1]


@pytest.mark.parametrize("adapter", ["continue", "merge"])
def test_pairs_are_of_the_model_in_4_bit_that_learns_from_them(
    adapter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bitsandbytes")
    model = train(made(tmp_path / _folders(tmp_path)[0], [{"name": "only", "data": [NER], **QUICK}]))
    # A new adapter changes no answer: that of the first stage is to be seen in them.
    qlora: dict[str, Any] = {"method": "qlora", "lora": {"r": 4, "alpha": 8}, **QUICK, "learning_rate": 0.1}
    stages = [
        {"name": "one", "data": [NER], **qlora},
        {
            "name": "two",
            "kind": "dpo",
            "data": [QA],
            "adapter": adapter,
            **qlora,
            "preference": {"answers": 1, "examples": 6},
        },
    ]
    run = made(tmp_path / "broken", stages, base=str(model))
    seen: dict[str, Any] = {}
    ids = torch.arange(5, 45)[None]

    def logits(model: Any) -> Any:
        with torch.no_grad():
            return model(input_ids=ids).logits

    def answered(paths: Any, engine: Any, *rest: Any, **more: Any) -> Any:
        seen["answers"] = logits(engine.model.model)
        return prepare_pairs(paths, engine, *rest, **more)

    def trained_on(rows: Any, out: Any, settings: Any, learner: Any, *rest: Any, **more: Any) -> Any:
        seen["learns"] = logits(learner.eval())
        return learn(rows, out, settings, learner, *rest, **more)

    prepare_pairs, learn = pairs.prepare_pairs, loop.train
    monkeypatch.setattr(pairs, "prepare_pairs", answered)
    monkeypatch.setattr(loop, "train", trained_on)
    train(run)
    assert torch.equal(seen["answers"], seen["learns"])
    # What was merged to be asked is merged anew to be trained.
    (folder, _), *others = finished(run.folder, "pairs-two")
    assert not others and not (folder / "work").exists()
