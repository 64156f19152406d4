"""Exports: the exported model answers as the trained one, in transformers and here; its card; GGUF; what is refused."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
)
from typer.testing import CliRunner

import toy
from taiyi import catalogue, cli, storage
from taiyi.checkpoint import Checkpoint
from taiyi.errors import TaiyiError
from taiyi.evaluate import report
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.report import RunResult
from taiyi.generate import LocalEngine
from taiyi.manifest import Manifest, manifest
from taiyi.steps.data import decontaminated
from taiyi.steps.gguf import CONVERTER
from taiyi.steps.model_card import Base, Facts, Training, model_card, strictest, terms
from taiyi.steps.model_export import export_model
from taiyi.steps.run import identity_in
from taiyi.train import export as writing
from taiyi.train.model import load_base
from taiyi.train.settings import LoraSettings

NEEDS_BITSANDBYTES = pytest.mark.skipif(not importlib.util.find_spec("bitsandbytes"), reason="needs bitsandbytes")
FAKE = """import pathlib, sys
pathlib.Path(sys.argv[0]).with_name("asked").write_text(" ".join(sys.argv[1:]))
pathlib.Path(sys.argv[sys.argv.index("--outfile") + 1]).write_bytes(b"GGUF")
"""
# Another chat template than ours, as models of the hub have theirs.
OWN_TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


def trained(folder: Path, method: Any, template: str | None = None) -> tuple[Any, Path]:
    """Train a model for a few steps; return it and the folder that it is in."""
    base, tokenizer = toy.model(), toy.tokenizer()
    base.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    lora = LoraSettings(r=4, alpha=8, dropout=0)
    model, _ = load_base(str(folder / "base"), method=method, dtype="fp32", lora=lora)
    ids = torch.tensor([tokenizer("Drug: aspirin at home")["input_ids"]])
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(5):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    if template is not None:
        (folder / "model" / "chat_template.jinja").write_text(template)
    return model, folder / "model"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model whose weights were all trained."""
    return trained(tmp_path_factory.mktemp("plain"), "full")[1]


def command(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)], env={"COLUMNS": "200", "NO_COLOR": "1"})


# --- The same answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("template", [None, OWN_TEMPLATE], ids=["our template", "its own template"])
def test_the_exported_model_answers_as_the_trained_one(method: str, template: str | None, tmp_path: Path) -> None:
    model, folder = trained(tmp_path, method, template)
    export_model(str(folder), tmp_path / "out", dtype="fp32")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    if template is not None:
        assert tokenizer.chat_template == template
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    ours = LocalEngine.load(tmp_path / "out")
    assert ours.encoder.end in exported.generation_config.eos_token_id
    for example in toy.yes_no_examples(8):
        turns = [{"role": m.role, "content": m.content} for m in example.messages]
        prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        assert prompt[0].tolist() == ours.encoder.prompt(example.messages).ids
        with torch.no_grad():
            assert (exported(prompt).logits - model(input_ids=prompt).logits).abs().max() < 1e-4
        answer = exported.generate(prompt, max_new_tokens=8)[0, prompt.shape[1] :]
        expected = model.generate(input_ids=prompt, max_new_tokens=8, do_sample=False)[0, prompt.shape[1] :]
        assert answer.tolist() == expected.tolist()
        (found,) = ours.generate([example], max_new_tokens=8, batch_tokens=512)
        assert found.text == tokenizer.decode([i for i in answer.tolist() if i != ours.encoder.end])


@NEEDS_BITSANDBYTES
def test_what_learned_over_4_bit_is_near_after_its_export(tmp_path: Path) -> None:
    """The export differs from what was trained by what 4 bit round off, no more: far less than training changed."""
    model, folder = trained(tmp_path, "qlora")
    export_model(str(folder), tmp_path / "out", dtype="fp32")
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base").eval()
    four_bit, _ = load_base(str(tmp_path / "base"), method="qlora", dtype="fp32", lora=LoraSettings(r=4))
    ids = torch.tensor([toy.tokenizer()("Drug: aspirin at home")["input_ids"]])
    with torch.no_grad():
        # Adapters begin as nothing, so this is the base in 4 bit.
        whole, rounded = base(input_ids=ids).logits, four_bit.eval()(input_ids=ids).logits
        before, after = model(input_ids=ids).logits, exported(input_ids=ids).logits
    rounding = float((whole - rounded).abs().max())
    difference = float((before - after).abs().max())
    assert 0 < difference < 3 * rounding
    assert difference < 0.25 * float((after - whole).abs().max())
    page = (tmp_path / "out" / "README.md").read_text()
    assert "Nothing here tells whether that was trained over weights in 4 bit" in page


def test_weights_too_large_for_16_bit_are_refused(plain: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(plain)
    model.lm_head.weight.data[0, 0] = 1e5
    model.save_pretrained(tmp_path / "large")
    toy.tokenizer().save_pretrained(tmp_path / "large")
    with pytest.raises(TaiyiError, match="not a number in this type"):
        export_model(str(tmp_path / "large"), tmp_path / "out", dtype="fp16")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["large"]


def test_an_adapter_is_merged_in_32_bit_and_rounded_once(tmp_path: Path) -> None:
    """In 32 bit nothing of the adapter is lost over a base in 16 bit; in 16 bit no more than by rounding the sums."""
    _, folder = trained(tmp_path, "lora")
    AutoModelForCausalLM.from_pretrained(tmp_path / "base").bfloat16().save_pretrained(tmp_path / "base")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    adapted: Any = PeftModel.from_pretrained(base, str(folder))
    sums = adapted.merge_and_unload().state_dict()
    for dtype in ("fp32", "fp16", "bf16"):
        export_model(str(folder), tmp_path / dtype, dtype=dtype)
        exported = AutoModelForCausalLM.from_pretrained(tmp_path / dtype, dtype="auto")
        assert exported.dtype == writing.DTYPES[dtype]
        for name, weight in exported.state_dict().items():
            assert torch.equal(weight, sums[name].to(exported.dtype)), name


# --- For programs on transformers 4 ----------------------------------------------------------------------------------

SIZE: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
    "intermediate_size": 64, "max_position_embeddings": 128, "eos_token_id": 2, "pad_token_id": 0, "bos_token_id": None,
}  # fmt: skip
FACTORS: dict[str, Any] = {"short_factor": [1.0 + i for i in range(8)], "long_factor": [2.0 + i for i in range(8)]}
LLAMA: dict[str, Any] = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip


def gemma() -> Any:
    rope = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 2e4},
    }
    layers = ["sliding_attention", "full_attention"]
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=320, head_dim=32, sliding_window=16, layer_types=layers, rope_parameters=rope, **SIZE
        )
    )


def llama() -> Any:
    return LlamaForCausalLM(LlamaConfig(vocab_size=320, rope_parameters=LLAMA | {"rope_theta": 5e5}, **SIZE))


def phi() -> Any:
    rope = FACTORS | {"rope_type": "longrope", "rope_theta": 2e4, "partial_rotary_factor": 0.5}
    return Phi3ForCausalLM(
        Phi3Config(vocab_size=320, original_max_position_embeddings=32, rope_parameters=rope, **SIZE)
    )


def experts() -> Any:
    rope = {"rope_type": "default", "rope_theta": 1e6}
    return Qwen3MoeForCausalLM(
        Qwen3MoeConfig(
            vocab_size=320,
            head_dim=32,
            moe_intermediate_size=24,
            num_experts=4,
            num_experts_per_tok=2,
            rope_parameters=rope,
            **SIZE,
        )
    )


# What transformers 4.57 must find to compute the same logits, as was tried with it.
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            gemma,
            {"rope_theta": 1e6, "rope_local_base_freq": 2e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
        ),
        (llama, {"rope_theta": 5e5, "rope_scaling": LLAMA}),
        (phi, {"rope_theta": 2e4, "partial_rotary_factor": 0.5, "rope_scaling": {"type": "longrope", **FACTORS}}),
        (experts, {"rope_theta": 1e6, "num_experts": 4}),
    ],
)
def test_an_export_speaks_to_transformers_4_too(make: Any, words: dict[str, Any], tmp_path: Path) -> None:
    model, tokenizer = make().eval(), AutoTokenizer.from_pretrained(toy_tokenizer(tmp_path / "base"))
    model.save_pretrained(tmp_path / "base")
    export_model(str(tmp_path / "base"), tmp_path / "out", dtype="fp32")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    told = {name: config.get(name) for name in ("torch_dtype", "dtype", *words)}
    assert told == {"torch_dtype": "float32", "dtype": "float32", **words}
    assert ("rope_scaling" in config) == ("rope_scaling" in words)
    settings = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert settings["model_input_names"] == ["input_ids", "attention_mask"]
    assert settings["additional_special_tokens"] == ["<image>"] and "extra_special_tokens" not in settings
    # And transformers 5 loads what it would have loaded.
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    ids = torch.randint(5, 300, (1, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(exported(ids).logits, model(ids).logits)
    found = AutoTokenizer.from_pretrained(tmp_path / "out")
    text = "aspirin 疸 <image> <Drug>x</Drug><|im_end|>"
    assert type(found) is type(tokenizer) and found(text) == tokenizer(text)
    ids = tokenizer(text)["input_ids"]
    assert found.decode(ids, skip_special_tokens=True) == tokenizer.decode(ids, skip_special_tokens=True)


def toy_tokenizer(folder: Path) -> Path:
    """Write our tokenizer with a special token more, as models of the hub have them."""
    toy.tokenizer().save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"extra_special_tokens": ["<image>"]})
    tokenizer.save_pretrained(folder)
    return folder


def test_positions_that_transformers_4_has_no_words_for_are_left_alone(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_words_of_4", lambda config: config | {"rope_parameters": {"rope_theta": 1.0}})
    export_model(str(plain), tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["rope_parameters"]["rope_theta"] == 10000


# --- What is in the way ----------------------------------------------------------------------------------------------


def test_an_earlier_export_stays_until_the_new_one_is_whole(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export_model(str(plain), out, dtype="fp32")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    with pytest.raises(TaiyiError, match=r"files already.*--again"):
        export_model(str(plain), out)
    write = writing.write_model

    def broken(model: str, folder: Path, **options: Any) -> Any:
        write(model, folder, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_model", broken)
    with pytest.raises(KeyboardInterrupt):
        export_model(str(plain), out, again=True)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    monkeypatch.undo()
    (out / "model-00001-of-00002.safetensors").write_bytes(b"of an earlier export")
    export_model(str(plain), out, dtype="bf16", again=True)
    assert sorted(p.name for p in out.iterdir()) == sorted(before)
    assert AutoModelForCausalLM.from_pretrained(out).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_but_an_export_is_replaced(kind: str, plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_model(str(plain), out, dtype="fp32")
    (out / "thesis.odt").mkdir() if kind == "folder" else (out / "thesis.odt").write_text("mine")
    with pytest.raises(TaiyiError, match=r"more than an export; got thesis\.odt"):
        export_model(str(plain), out, again=True)
    assert (out / "thesis.odt").exists()


def test_neither_a_model_nor_its_base_is_written_over(tmp_path: Path) -> None:
    _, folder = trained(tmp_path, "lora")
    for place in (folder, tmp_path / "base", tmp_path):
        with pytest.raises(TaiyiError, match="the folder holds the model itself"):
            export_model(str(folder), place, again=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(TaiyiError, match="there is a file of this name"):
        export_model(str(folder), tmp_path / "file", again=True)


def test_a_hub_id_that_cannot_be_had_is_refused_in_words(tmp_path: Path) -> None:
    done = command("taiyi-no-such/model", tmp_path / "out")
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("taiyi: taiyi-no-such/model: the model cannot be loaded")
    assert not list(tmp_path.iterdir())


def test_a_model_of_the_hub_is_exported_from_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--org--tiny" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "models--org--tiny" / "refs").mkdir()
    (tmp_path / "models--org--tiny" / "refs" / "main").write_text("abc")
    toy.model().save_pretrained(snapshot)
    toy.tokenizer().save_pretrained(snapshot)
    (snapshot / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    export_model("org/tiny", tmp_path / "out")
    header, page = (tmp_path / "out" / "README.md").read_text().split("---\n", 2)[1:]
    read = yaml.safe_load(header)
    assert (read["base_model"], read["license"]) == ("org/tiny", "cc-by-nc-4.0")
    assert "**The strictest is: no commercial use (base: org/tiny)" in page


# --- The command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_what_it_wrote(plain: Path, tmp_path: Path) -> None:
    done = command(plain, tmp_path / "out", "--dtype", "fp32", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "out") and told["gguf"] is None and told["gated"] == []
    assert told["facts"]["dtype"] == "float32" and told["facts"]["end"] == "<|im_end|>"
    said = command(plain, tmp_path / "out", "--again").stdout
    assert f"taiyi eval {tmp_path / 'out'} --suite SUITE" in said
    assert "in bfloat16" in (tmp_path / "out" / "README.md").read_text()


def test_a_relative_name_is_enough_to_score_an_export(
    plain: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_model(str(plain), tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    assert decontaminated(Path("out")) is None
    # Of a run, it tells the same as from elsewhere.
    for folder, name in (("train-two-0", "model"), ("train-two-0/candidates", "step-00000004")):
        monkeypatch.chdir(run / folder)
        assert decontaminated(Path(name)) == frozenset()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (["--dtype", "bf17"], "no such type of weights; got bf17. Did you mean 'bf16'?"),
        (["--gguf", "q9"], "no such type of GGUF; got q9"),
        (["--gguf", "f16", "--llama-cpp", "nowhere"], "nowhere: llama.cpp's converter is not there"),
    ],
)
def test_the_command_refuses_in_one_line(given: list[str], fault: str, plain: Path, tmp_path: Path) -> None:
    done = command(plain, tmp_path / "out", *given)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert fault in line
    assert not list(tmp_path.iterdir())


# --- GGUF ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", [None, OWN_TEMPLATE], ids=["our template", "its own template"])
def test_gguf_is_made_by_the_converter_with_a_modelfile(template: str | None, tmp_path: Path) -> None:
    _, folder = trained(tmp_path, "full", template)
    (tmp_path / CONVERTER).write_text(FAKE)
    made = export_model(str(folder), tmp_path / "out", gguf_type="q8_0", llama_cpp=tmp_path)
    assert made.gguf == tmp_path / "out" / "out-q8_0.gguf" and made.gguf.read_bytes() == b"GGUF"
    assert (tmp_path / "asked").read_text().endswith("--model-name out --outtype q8_0")
    text = (tmp_path / "out" / "Modelfile").read_text()
    assert text.startswith("FROM ./out-q8_0.gguf\n") and 'PARAMETER stop "<|im_end|>"' in text
    assert ("TEMPLATE" in text) == (template is None)


def test_what_the_converter_says_last_is_said(plain: Path, tmp_path: Path) -> None:
    (tmp_path / CONVERTER).write_text("raise SystemExit('no such tokenizer')")
    with pytest.raises(TaiyiError, match="converter failed; got no such tokenizer"):
        export_model(str(plain), tmp_path / "out", gguf_type="f16", llama_cpp=tmp_path)
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


# --- The card --------------------------------------------------------------------------------------------------------

WRITTEN = {
    "architecture": "Qwen3ForCausalLM", "parameters": "1,000", "dtype": "bfloat16", "end": "<|im_end|>", "base": "",
    "method": "full",
}  # fmt: skip
STAGE = Training(
    name="stage1",
    settings={"kind": "sft", "method": "full", "learning_rate": 1e-3},
    facts={"steps": 1200, "tokens": 34567, "seconds": 1800.0},
    counts={"demo_cdr ner train": 1000, "demo_cdr re train": 20},
    kept=600,
)
SCORED = RunResult(
    name="tiny",
    title="tiny",
    description="",
    results=(
        SetResult(
            name="demo_cdr_ner",
            title="demo_cdr",
            corpus="demo_cdr",
            split="test",
            task="ner",
            langs=("en",),
            metric="micro_f1",
            value=0.8125,
            ci_low=0.75,
            ci_high=0.875,
            num_records=60,
        ),
    ),
)


def card(**changes: Any) -> tuple[Any, str]:
    """Return the data of a card, as the hub's own reader reads it, and its page."""
    given: dict[str, Any] = {"name": "tiny", "written": WRITTEN, "stages": (STAGE,), "base": Base(name="scratch")}
    text = model_card(Facts(**(given | changes)))
    header = yaml.safe_load(text.split("---\n")[1])
    read = ModelCard(text)
    assert read.data.to_dict()["license"] == header["license"]
    return read.data, read.text


def counts(*corpora: str) -> tuple[Training]:
    return (
        Training(name="one", settings=STAGE.settings, facts=STAGE.facts, counts={f"{c} ner train": 1 for c in corpora}),
    )


def test_the_card_tells_data_training_and_scores() -> None:
    data, page = card(scores=SCORED, base=Base(name="org/base", hub="org/base", licence="apache-2.0"))
    assert (data.datasets, data.language, data.license) == (["demo_cdr"], ["en"], "apache-2.0")
    assert (data.base_model, data.model_name, data.library_name) == ("org/base", "tiny", "transformers")
    (result,) = data.eval_results
    assert (result.metric_value, result.metric_type, result.dataset_split) == (81.25, "micro_f1", "test")
    assert "| demo_cdr | ner | test | micro-F1 | 81.2 | 75.0 to 87.5 | 60 |" in page
    assert "| demo_cdr | ner | 1,000 |" in page
    assert "| stage1 | sft | full | 1,020 | 1,200 | 34,567 | 0.001 | 0.50 | step 600 |" in page
    assert "4 bit" not in page
    assert "Not scored" in card()[1]


def test_what_learned_over_4_bit_is_said_on_the_card() -> None:
    adapter = WRITTEN | {"method": "adapter"}
    over = msgspec.structs.replace(STAGE, name="two", settings=STAGE.settings | {"method": "qlora"})
    page = card(stages=(STAGE, over), written=adapter)[1]
    assert "not those that it was trained over" in page and "taiyi eval OUT --suite NAME" in page
    # What a later stage trained over is what it was merged into before.
    assert "4 bit" not in card(stages=(over, STAGE))[1]


def test_the_example_of_the_card_runs(plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_model(str(plain), tmp_path / "out", dtype="fp32")
    page = (tmp_path / "out" / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code.replace('folder = "."', f"folder = {str(tmp_path / 'out')!r}"), {})
    assert capsys.readouterr().out.endswith("\n")


def test_the_card_of_a_model_that_cannot_talk_asks_it_nothing(plain: Path) -> None:
    page = card(talks=False)[1]
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    made: dict[str, Any] = {}
    exec(code.replace('folder = "."', f"folder = {str(plain)!r}"), made)
    assert made["model"].num_parameters() > 0
    assert "taiyi chat" not in page and "taiyi extract" in page


@pytest.mark.parametrize(
    ("licence", "access", "asked"),
    [
        ("n2c2 Data Use Agreement", "form", ["signature"]),
        ("CC BY 4.0", "credentialed", ["signature", "attribution"]),
        ("not stated", "open", ["unknown"]),
        ("unknown", "open", ["unknown"]),
        ("CC BY-NC-ND 4.0", "open", ["no derivatives", "no commerce", "attribution"]),
        ("cc-by-nc-4.0", "open", ["no commerce", "attribution"]),
        ("CC BY-NC-SA 3.0", "open", ["no commerce", "share alike", "attribution"]),
        ("GPL-3.0 (the page adds: for non-commercial research)", "open", ["no commerce", "share alike"]),
        ("for research use", "open", ["no commerce"]),
        ("academic licence", "open", ["no commerce"]),
        ("CC BY-SA 4.0", "open", ["share alike", "attribution"]),
        ("llama3", "open", ["own"]),
        ("Apache-2.0", "open", ["attribution"]),
        ("CC0 1.0", "open", ["none"]),
    ],
)
def test_what_a_licence_asks_is_read_from_its_name(licence: str, access: str, asked: list[str]) -> None:
    assert terms(licence, access) == asked


def test_one_sentence_says_which_licence_is_the_strictest() -> None:
    said = strictest([("a", ["attribution"]), ("b", ["signature"]), ("c", ["no commerce"])])
    assert said == (
        "The strictest is: given out on signature only (b): do not pass the weights on; use them as far as those who "
        "signed may; use them for no commercial purpose (by the licences of c)."
    )
    assert strictest([(name, ["no commerce"]) for name in "abcde"]).startswith(
        "The strictest is: no commercial use (a, b, c and 2 more): pass"
    )
    assert strictest([]).startswith("Nothing here tells")


def test_the_card_inherits_the_licences(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        name: replace(catalogue.get("demo_cdr"), name=name, licence=licence, access=access)
        for name, licence, access in [
            ("open_one", "CC BY 4.0", "open"),
            ("closed_one", "Data Use Agreement", "form"),
            ("nc", "CC BY-NC 4.0", "open"),
        ]
    }
    monkeypatch.setattr(catalogue, "get", found.__getitem__)
    data, page = card(stages=counts("open_one"))
    assert data.license == "cc-by-4.0" and "**The strictest is: attribution (open_one)" in page
    data, page = card(stages=counts("open_one", "nc"))
    assert (data.license, data.license_name) == ("other", "licences-of-base-and-corpora")
    assert "**The strictest is: no commercial use (nc)" in page and "for no commercial purpose" in page
    data, page = card(stages=counts("open_one", "nc", "closed_one"))
    assert "**The strictest is: given out on signature only (closed_one): do not pass the weights on" in page
    assert "| closed_one | Data Use Agreement | form | given out on signature only |" in page
    # A base brings its licence, and what it learned from.
    data, page = card(stages=counts("open_one"), base=Base(name="b", licence="not stated"))
    assert data.license == "other" and "**The strictest is: no licence is stated (base: b)" in page
    data, page = card(stages=counts("open_one"), base=Base(name="b", licence="cc-by-4.0", corpora=("nc",)))
    assert "no commercial use (nc)" in page and data.datasets == ["nc", "open_one"]
    for licence, shown in (("llama3", "llama3"), ("other: my-terms", "other"), ("not stated", "unknown")):
        assert card(stages=(), base=Base(name="org/b", hub="org/b", licence=licence))[0].license == shown


def test_the_base_s_own_card_tells_its_licence(plain: Path, tmp_path: Path) -> None:
    _, folder = trained(tmp_path, "lora")
    readme = tmp_path / "base" / "README.md"

    def page(out: str) -> str:
        export_model(str(folder), tmp_path / out, dtype="fp32")
        return (tmp_path / out / "README.md").read_text()

    assert "no licence is stated (base: base)" in page("none")
    readme.write_text("---\nlicense: cc-by-nc-4.0\ndatasets:\n- demo_cdr\n- elsewhere/other\n---\n")
    told = page("closed")
    assert "**The strictest is: no commercial use (base: base)" in told
    assert "| demo_cdr | Apache-2.0 | open | attribution |" in told and "elsewhere" not in told
    readme.write_text("---\nlicense: [\n---\n")
    assert "no licence is stated (base: base)" in page("broken")


# --- Of a run --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run, as its steps leave it: two stages, a candidate of the second, and scores of the second's model."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"

    def made(step: str, inputs: dict[str, Any], facts: dict[str, Any]) -> None:
        (folder / step).mkdir(parents=True, exist_ok=True)
        told = Manifest(step=step[:-2], inputs=inputs, facts=facts, files={}, seconds=1.0, finished="")
        storage.write_json(told, folder / step / "manifest.json")

    made("data-0", {}, {"training": {"one": {"demo_cdr ner train": 70}, "two": {"demo_qic tc train": 30}}})
    for name, stages, begins in (
        ("one", ["one"], {"base": "scratch"}),
        ("two", ["one", "two"], "train-one-0/candidates/step-00000002"),
    ):
        made(f"rows-{name}-0", {"data": "data-0", "stages": stages}, {})
        made(
            f"train-{name}-0",
            {"rows": f"rows-{name}-0", "settings": STAGE.settings, "begins": begins},
            {"steps": 6, "tokens": 600, "seconds": 36.0, "kept": 6},
        )
    for place in ("model", "candidates/step-00000004"):
        model, tokenizer = load_base(str(plain), method="full")
        model.save_pretrained(folder / "train-two-0" / place)
        tokenizer.save_pretrained(folder / "train-two-0" / place)
        Checkpoint(recipe="tiny", stage="two", base="scratch").save(folder / "train-two-0" / place)
    made("predictions-0", {"model": "train-two-0"}, {})
    made("report-0", {"predictions": "predictions-0"}, {})
    report.write(SCORED, folder / "report-0")
    storage.write_json({"model": "train-two-0/model", "report": "report-0"}, folder / "run.json")
    return folder


def page_of(model: Path, out: Path) -> str:
    export_model(str(model), out, dtype="fp32")
    return (out / "README.md").read_text()


def test_the_card_of_a_run_s_model_tells_its_stages_and_scores(run: Path, tmp_path: Path) -> None:
    for number, model in enumerate((run, run / "train-two-0" / "model")):
        page = page_of(model, tmp_path / str(number))
        assert "from nothing, with random weights" in page
        assert "| one | sft | full | 70 | 6 | 600 | 0.001 | 0.01 | step 2 |" in page
        assert "| two | sft | full | 100 | 6 | 600 | 0.001 | 0.01 | the last step |" in page
        assert "| demo_qic | tc | 0 | 30 |" in page and "81.2" in page


def test_a_candidate_keeps_its_training_but_not_another_model_s_scores(run: Path, tmp_path: Path) -> None:
    page = page_of(run / "train-two-0" / "candidates" / "step-00000004", tmp_path / "out")
    assert "| two | sft | full | 100 | 6 | 600 | 0.001 | 0.01 | step 4 |" in page
    assert "Not scored" in page and "81.2" not in page


def test_scores_of_a_folder_are_its_own_while_its_files_are_the_same(run: Path, plain: Path, tmp_path: Path) -> None:
    place = tmp_path / "scored"
    for step in ("predictions-0", "report-0"):
        told = manifest(run / step)
        if step == "predictions-0":
            told = msgspec.structs.replace(told, inputs={"model": identity_in(place, plain)})
        storage.write_json(told, place / step / "manifest.json")
    (place / "report-0" / "results.json").write_bytes((run / "report-0" / "results.json").read_bytes())
    storage.write_json({"model": str(plain), "report": "report-0"}, place / "run.json")
    assert "81.2" in page_of(place, tmp_path / "same")
    (plain / "notes.txt").write_text("changed since")
    try:
        assert "Not scored" in page_of(place, tmp_path / "changed")
    finally:
        (plain / "notes.txt").unlink()


def test_a_base_that_a_run_trained_brings_what_it_learned_from(run: Path, plain: Path, tmp_path: Path) -> None:
    model, tokenizer = load_base(str(plain), method="full")
    model.save_pretrained(tmp_path / "next")
    tokenizer.save_pretrained(tmp_path / "next")
    Checkpoint(recipe="next", base=str(run)).save(tmp_path / "next")
    page = page_of(tmp_path / "next", tmp_path / "out")
    assert "- demo_qic" in page and "| demo_cdr | Apache-2.0 |" in page
