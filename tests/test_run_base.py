"""A recipe over a base that is there already: adapters in two stages, and the answers of what they make."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from taiyi import catalogue, steps, storage
from taiyi.manifest import Log, manifest
from taiyi.recipe import load
from taiyi.schema import Example, Message
from taiyi.steps import predictions as answers


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of two layers with random weights and a tokenizer of its own, as a folder."""
    from taiyi.train.model import scratch
    from taiyi.train.tokenizer import train_bpe

    folder = tmp_path_factory.mktemp("base")
    corpora = (catalogue.get("demo_cdr"), catalogue.get("demo_cmeee"), catalogue.get("demo_qa_zh"))
    texts = [msgspec.json.encode(r).decode() for c in corpora for r in catalogue.load(c, "train", Path())]
    tokenizer = train_bpe(texts, vocab_size=600, tags=())
    model = scratch(
        tokenizer, hidden=32, layers=2, heads=2, kv_heads=1, feed_forward=64, max_positions=1024, tie=False, seed=0
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def recipe(base: Path, method: str, folder: Path) -> Path:
    stage = {
        "method": method,
        **({} if method == "full" else {"lora": {"r": 4, "alpha": 8}}),
        "max_steps": 4,
        "batch_tokens": 1024,
        "learning_rate": 0.01,
    }
    path = folder / f"{method}.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": f"tiny-{method}",
                "base": str(base),
                "stages": [
                    {
                        "name": "stage1",
                        "data": [{"corpus": "demo_cdr", "task": "ner", "window_chars": 1, "max_records": 12}],
                        **stage,
                    },
                    {
                        "name": "stage2",
                        "replay": ["stage1"],
                        "data": [{"corpus": "demo_qa_zh", "task": "qa_sqa", "max_records": 12}],
                        **stage,
                    },
                ],
                "evaluate": {
                    "suites": ["demo_cdr_ner", "demo_qa_zh_qa_sqa"],
                    "window_chars": {"demo_cdr_ner": 1},
                    "max_records": 3,
                    "max_new_tokens": {"qa_sqa": 8},
                },
            }
        ),
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_two_stages_over_a_base(method: str, base: Path, tmp_path: Path) -> None:
    if method == "qlora":
        pytest.importorskip("bitsandbytes")
    run = steps.Run(load(recipe(base, method, tmp_path)), tmp_path / "run", tmp_path, Log(tmp_path / "run"))
    results = steps.carry_out(run)
    assert {r.name for r in results.results} == {"demo_cdr_ner", "demo_qa_zh_qa_sqa"}

    trained = sorted(run.folder.glob("train-*"))
    facts = [manifest(folder).facts for folder in trained]
    assert all(0 < f["trained"] <= f["parameters"] for f in facts)
    if method == "full":
        assert all(f["trained"] == f["parameters"] for f in facts)
    else:
        # Adapters over the given base, the second stage's going on from the first's.
        configs = [json.loads((folder / "model" / "adapter_config.json").read_text()) for folder in trained]
        assert all(c["r"] == 4 and Path(c["base_model_name_or_path"]).name == base.name for c in configs)
        assert all(f["trained"] < f["parameters"] for f in facts)
    (predictions,) = run.folder.glob("predictions-*")
    found = answers.read(predictions, "demo_cdr_ner")
    (data,) = run.folder.glob("data-*")
    examples = {e.id: e for e in storage.read_parquet(data / "test-demo_cdr_ner.parquet", Example)}
    assert {p.example for p in found} == set(examples)


def test_a_trained_adapter_answers_and_talks(base: Path, tmp_path: Path) -> None:
    from taiyi.generate import load_engine

    run = steps.Run(load(recipe(base, "lora", tmp_path)), tmp_path / "run", tmp_path, Log(tmp_path / "run"))
    steps.carry_out(run)
    engine = load_engine(run.folder)
    said = "".join(engine.stream([Message(role="user", content="头痛怎么办？")], max_new_tokens=5))
    assert isinstance(said, str)
