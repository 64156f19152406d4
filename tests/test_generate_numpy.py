"""The runtime in NumPy: what torch computes of the same weights, and which models are given to it."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

import test_generate_choices as choices
import test_generate_constrained as constrained
import tiny
from taiyi import tasks
from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Encoder
from taiyi.errors import ModelError
from taiyi.generate import LocalEngine, grounded, likelihood, qwen3
from taiyi.generate.model import LanguageModel
from taiyi.generate.numpy_model import NumpyModel
from taiyi.generate.sampling import Chance, Sampler
from taiyi.generate.torch_model import TorchModel
from test_generate_local import EXAMPLES, options, sliding_model, tagged_example, tokenizer, windowed_model

SHAPES: dict[str, dict[str, Any]] = {
    "as ours": {"head_dim": 16, "num_attention_heads": 2, "num_key_value_heads": 1},
    "two groups of heads": {"head_dim": 8},
    "heads of their own, untied": {"head_dim": 24, "num_key_value_heads": 4, "tie_word_embeddings": False},
    "other positions": {"head_dim": 8, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
}


@cache
def made(name: str, seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(Qwen3Config(**options(**SHAPES[name]), rms_norm_eps=1e-5)).eval()
    with torch.no_grad():
        for parameter_name, weights in model.named_parameters():
            if "norm" in parameter_name:
                # Those of a model from nothing are all one, which would hide where they are forgotten.
                weights.uniform_(0.5, 1.5)
    return model


@cache
def saved(name: str, seed: int = 0) -> Path:
    folder = Path(mkdtemp())
    made(name, seed).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    Checkpoint(positions="aligned", decisions=True).save(folder)
    return folder


@cache
def both(name: str, seed: int = 0, threads: int = 1) -> tuple[TorchModel, NumpyModel]:
    return TorchModel(made(name, seed)), NumpyModel.load(saved(name, seed), threads=threads)


def close(one: Any, other: Any, atol: float = 1e-4) -> bool:
    return np.allclose(one, other, atol=atol, rtol=1e-4)


# --- hidden states and logits ----------------------------------------------------------------------------------------


class Feeding:
    """Two batches of rows that are fed the same."""

    def __init__(self, models: tuple[TorchModel, NumpyModel], rows: int) -> None:
        # So little room that it has to grow.
        self.torch, self.numpy = (model.begin(rows, 2) for model in models)

    def feed(self, tokens: list[list[int]], positions: list[list[int]]) -> None:
        ours, theirs = self.numpy.feed(tokens, positions), self.torch.feed(tokens, positions)
        at = [(row, place) for row, fed in enumerate(tokens) for place in range(len(fed))]
        hidden = theirs.hidden[[row for row, _ in at], [place for _, place in at]]
        assert ours.hidden.dtype == np.float32
        assert close(ours.hidden, hidden)
        few = np.array([[1, 5, -1]] * len(at))
        assert close(ours.logits_among(at, few), theirs.logits_among(at, few), 1e-3)
        assert close(ours.logits(at).values, theirs.logits(at).values, 1e-3)
        assert self.numpy.lengths == self.torch.lengths


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_hidden_states_are_those_of_torch_whatever_is_fed_and_taken_back(
    name: str, threads: int, seed: int, rows: int
) -> None:
    chance = random.Random(seed)
    feeding = Feeding(both(name, threads=threads), rows)
    for _ in range(5):
        counts = [chance.choice((0, 1, 2, 9, 40)) for _ in range(rows)]
        if not any(counts):
            continue
        tokens = [[chance.randrange(len(tokenizer())) for _ in range(count)] for count in counts]
        # Aligned answers repeat positions, and drafts may go past the context, of 512 tokens.
        feeding.feed(tokens, [[chance.randrange(600) for _ in row] for row in tokens])
        for row, length in enumerate(feeding.numpy.lengths):
            count = chance.randint(0, min(length, 3))
            feeding.torch.take_back(row, count)
            feeding.numpy.take_back(row, count)
        if chance.random() < 0.4:
            kept = [chance.randrange(rows) for _ in range(chance.randint(1, rows))]
            feeding.torch.keep(kept)
            feeding.numpy.keep(kept)
            rows = len(kept)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_weights_are_read_as_they_are_written(dtype: torch.dtype, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model: Any = Qwen3ForCausalLM(Qwen3Config(**options(head_dim=8)))
    model = model.to(dtype)
    model.save_pretrained(tmp_path)
    found = qwen3.read_tensors(tmp_path / "model.safetensors")
    expected = {name: value.float().numpy() for name, value in model.state_dict().items() if name != "lm_head.weight"}
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], value) for name, value in expected.items())


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_logits_say_the_same_as_those_of_torch(seed: int, count: int) -> None:
    from taiyi.generate.head import Logits
    from taiyi.generate.numpy_model import NumpyLogits

    numbers = np.random.default_rng(seed)
    values = numbers.normal(size=(4, 20)).astype(np.float32)
    ours, theirs = NumpyLogits(values)[[2, 0, 2]], Logits(torch.from_numpy(values))[[2, 0, 2]]
    assert ours.best() == theirs.best()
    assert ours.likeliest(count) == theirs.likeliest(count)
    allowed = numbers.random((3, 20)) < 0.3
    allowed[:, 7] = True
    assert ours.best_of(allowed) == theirs.best_of(allowed)
    assert close(ours.log_probs([3, 4, 5]), theirs.log_probs([3, 4, 5]))
    chances = numbers.random(3).tolist()
    assert ours.drawn(chances, 0.7) == theirs.drawn(chances, 0.7)


# --- answers ---------------------------------------------------------------------------------------------------------

texts = st.text(st.sampled_from("ab <>/é肝损 .1\n") | st.characters(codec="utf-8"), min_size=1, max_size=60)


@pytest.mark.parametrize("positions", ["plain", "aligned"])
@settings(max_examples=25, deadline=None)
@given(
    st.lists(texts.filter(lambda text: text.strip() and "<Disease>" not in text), min_size=1, max_size=5),
    st.integers(0, 2),
)
def test_tagged_answers_are_those_of_torch(positions: Any, sources: list[str], seed: int) -> None:
    encoder = Encoder(tokenizer(), positions=positions)
    prompts = [encoder.prompt(e.messages, e.tagging) for e in map(tagged_example, range(len(sources)), sources)]
    theirs, ours = both("as ours", seed)

    def answers(model: LanguageModel, **more: Any) -> list[Any]:
        return sorted(a[:3] for a in grounded.decode(model, encoder, prompts, max_tags=20, **more))

    assert answers(ours) == answers(theirs)
    rule = grounded.Rule(open_bias=-1.0, open_summed=True)
    assert answers(ours, rule=rule) == answers(theirs, rule=rule)
    sampler = Sampler(1.2, [Chance(seed, "x", number) for number in range(len(prompts))])
    assert answers(ours, sampler=sampler) == answers(theirs, sampler=sampler)


def engines(**more: Any) -> list[LocalEngine]:
    return [LocalEngine.load(saved("as ours"), device="cpu", runtime=name, **more) for name in ("numpy", "torch")]


def test_an_engine_answers_as_one_of_torch_does() -> None:
    ours, theirs = engines()
    assert isinstance(ours.model, NumpyModel)
    for one, other in zip(
        *([*e.generate(EXAMPLES, max_new_tokens=40, batch_tokens=900)] for e in (ours, theirs)), strict=True
    ):
        assert (one.example, one.text, one.finish, one.num_tokens) == (
            other.example, other.text, other.finish, other.num_tokens,
        )  # fmt: skip
    drawn: dict[str, Any] = {"answers": 2, "temperature": 1.1, "seed": 3, "max_new_tokens": 20, "batch_tokens": 900}
    assert [*ours.sample(EXAMPLES, **drawn)] == [*theirs.sample(EXAMPLES, **drawn)]
    messages = EXAMPLES[-1].messages
    assert [*ours.stream(messages, max_new_tokens=30)] == [*theirs.stream(messages, max_new_tokens=30)]
    assert ours.num_tokens(messages) == theirs.num_tokens(messages)
    assert (ours.about(), ours.limit, ours.context) == (theirs.about(), theirs.limit, theirs.context)


def test_candidates_are_as_probable_as_they_are_to_torch() -> None:
    ours, theirs = engines()
    prompts = [ours.encoder.prompt(one.example.messages) for one in choices.ASKED]
    answers = [[ours.encoder.text_ids(text) for text in one.candidates] for one in choices.ASKED]
    scores = [likelihood.score(engine.model, prompts, answers) for engine in (ours, theirs)]
    for one, other in zip(*scores, strict=True):
        assert one == pytest.approx(other, abs=1e-3)
    assert choices.found(ours, choices.ASKED) == choices.found(theirs, choices.ASKED)


@pytest.mark.parametrize("seed", range(2))
def test_answers_under_a_grammar_are_those_of_torch(seed: int, tmp_path: Path) -> None:
    model = constrained.model(seed, more=7)
    model.save_pretrained(tmp_path)
    constrained.tokenizer().save_pretrained(tmp_path)
    examples = [constrained.example(*case) for case in constrained.CASES]
    ours = LocalEngine.load(tmp_path, runtime="numpy", grammar=tasks.grammar)
    found, expected = (constrained.answers(engine, examples) for engine in (ours, constrained.engine(model)))
    assert all(prediction.constrained for prediction in found.values())
    assert {name: p.text for name, p in found.items()} == {name: p.text for name, p in expected.items()}


# --- which models ----------------------------------------------------------------------------------------------------


def runtime_of(folder: Path, **how: Any) -> type[Any]:
    return type(LocalEngine.load(folder, **how).model)


def test_small_models_are_computed_in_numpy_where_nothing_else_is_asked_for(tmp_path: Path) -> None:
    folder = saved("as ours")
    assert runtime_of(folder) is runtime_of(folder, device="cpu", dtype="float32") is NumpyModel
    assert runtime_of(folder, device="cpu", runtime="torch") is TorchModel
    assert runtime_of(folder, device="cpu", dtype="bfloat16") is TorchModel
    with pytest.raises(ModelError, match="computes folders, on a CPU, in 32 bit"):
        LocalEngine.load(folder, dtype="bfloat16", runtime="numpy")
    with pytest.raises(ModelError, match="computes folders"):
        LocalEngine.load("some/id", runtime="numpy")


@pytest.mark.parametrize("make", [sliding_model, windowed_model], ids=lambda make: make.__name__)
def test_other_architectures_are_left_to_torch(make: Any, tmp_path: Path) -> None:
    make().save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    assert runtime_of(tmp_path, device="cpu") is TorchModel
    with pytest.raises(ModelError, match=r"does not compute this architecture here; got .*expected Qwen3"):
        LocalEngine.load(tmp_path, runtime="numpy")


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("config.json", {"attention_bias": True}),
        ("config.json", {"hidden_act": "gelu"}),
        ("config.json", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}}),
        ("config.json", {"rope_scaling": {"type": "linear", "factor": 2.0}}),
        ("config.json", {"quantization_config": {"bits": 4}}),
        ("config.json", {"layer_types": ["linear_attention", "full_attention"]}),
        ("tokenizer_config.json", {"tokenizer_class": "Qwen2Tokenizer"}),
        ("tokenizer_config.json", {"eos_token": "<never seen>"}),
    ],
)
def test_what_it_does_not_know_is_refused(file: str, changes: dict[str, Any], tmp_path: Path) -> None:
    copied = copy(saved("as ours"), tmp_path)
    path = copied / file
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError):
        LocalEngine.load(copied, runtime="numpy")


def copy(folder: Path, to: Path) -> Path:
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_large_or_broken_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = copy(saved("as ours"), tmp_path)
    monkeypatch.setattr(qwen3, "MOST_BYTES", 1000)
    with pytest.raises(ModelError, match="computes small models here"):
        LocalEngine.load(copied, runtime="numpy")
    monkeypatch.undo()
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(ModelError, match="the weights cannot be read"):
        LocalEngine.load(copied, runtime="numpy")
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        LocalEngine.load(copied, device="cpu")


def test_an_answer_takes_neither_torch_nor_transformers() -> None:
    code = f"""
import sys
from pathlib import Path
from taiyi import tasks
from taiyi.generate import LocalEngine
from taiyi.schema import Message
engine = LocalEngine.load(Path({str(saved("as ours"))!r}), grammar=tasks.grammar)
print("".join(engine.stream([Message(role="user", content="Hi")], max_new_tokens=5)))
heavy = {{"torch", "transformers", "pydantic", "peft"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = tiny.python("-c", code)
    assert done.returncode == 0, done.stderr
