"""Instruction data for other trainers: what rows carry comes back, their own loaders read them, and the card warns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import tiny
from strategies import examples, texts
from taiyi import catalogue, cli, storage
from taiyi.build import export
from taiyi.build.dataset_card import File, Part, dataset_card, gated, hub_licence
from taiyi.build.export import NO_TURNS, Conversation
from taiyi.build.making import Making
from taiyi.catalogue import TASK_NAMES
from taiyi.errors import TaiyiError
from taiyi.manifest import MANIFEST
from taiyi.schema import Example, Message, Reject
from taiyi.steps import export as step

FORMS = list(export.FORMATS.values())
DESCRIBED = [form for form in FORMS if form.described is not None]
MADE = Making(recipe="demo", version="1.0", seed=1, templates="abc", left_out={}, clean_of=())


@st.composite
def talks(draw: st.DrawFn) -> Example:
    """Examples with any number of earlier turns."""
    example = draw(examples())
    earlier: list[Message] = []
    for question, answer in draw(st.lists(st.tuples(texts, texts), max_size=2)):
        earlier += [Message(role="user", content=question), Message(role="assistant", content=answer)]
    *system, asked = example.messages
    return msgspec.structs.replace(example, messages=(*system, *earlier, asked))


def _row(example: Example, form: export.Format[Any]) -> dict[str, Any]:
    (row,) = export.rows([example], form)
    return msgspec.json.decode(msgspec.json.encode(row))


# --- Rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@given(example=talks())
def test_what_a_row_carries_comes_back(form: export.Format[Any], example: Example) -> None:
    (row,) = export.rows([example], form)
    back = form.back(msgspec.json.decode(msgspec.json.encode(row), type=form.kind))
    assert back == export.conversation(example)


@given(example=talks())
def test_a_conversation_is_the_messages_and_the_answer(example: Example) -> None:
    said = export.conversation(example)
    assert isinstance(said, Conversation)
    system = [said.system] if said.system else []
    spoken = [message.content for message in example.messages if message.role != "system" or message.content]
    assert [*system, *(text for turn in said.turns for text in turn)] == [*spoken, example.answer]
    for field in ("id", "corpus", "task", "lang", "split", "template"):
        assert getattr(said.origin, field) == getattr(example, field)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@given(first=talks(), second=talks())
def test_rows_of_a_file_have_the_same_keys(form: export.Format[Any], first: Example, second: Example) -> None:
    one, other = _row(first, form), _row(second, form)
    assert list(one) == list(other)
    assert {key: type(value) for key, value in one.items()} == {key: type(value) for key, value in other.items()}


def _example(task: str = "ner", lang: str = "en", **fields: Any) -> Example:
    said: dict[str, Any] = {
        "id": "c/train/1#t",
        "corpus": "c",
        "task": task,
        "lang": lang,
        "split": "train",
        "template": f"{task}.{lang}.01",
        "form": "text",
        "record": "1",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}],
        "answer": "A",
        "gold": {"answer": "text", "text": "A"},
    }
    return msgspec.convert(said | fields, Example)


ORIGIN = {
    "id": "c/train/1#t",
    "corpus": "c",
    "task": "ner",
    "lang": "en",
    "split": "train",
    "template": "ner.en.01",
}
TALK = [
    {"role": "user", "content": "Q1"},
    {"role": "assistant", "content": "A1"},
    {"role": "user", "content": "Q2"},
]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("openai", {"messages": [*TALK, {"role": "assistant", "content": "A"}]}),
        (
            "sharegpt",
            {
                "conversations": [
                    {"from": "human", "value": "Q1"},
                    {"from": "gpt", "value": "A1"},
                    {"from": "human", "value": "Q2"},
                    {"from": "gpt", "value": "A"},
                ],
                "system": "",
            },
        ),
        ("alpaca", {"instruction": "Q2", "input": "", "output": "A", "history": [["Q1", "A1"]], "system": ""}),
    ],
)
def test_a_dialogue_in_each_format(name: str, row: dict[str, Any]) -> None:
    assert _row(_example(messages=TALK), export.get(name)) == ORIGIN | row


def test_the_paper_s_own_rows() -> None:
    """The keys are those of the rows that the authors publish; what is beside them has names of its own."""
    made = list(export.rows([_example("qa_mc"), _example("mt"), _example("mt", "zh")], export.get("taiyi")))
    first, second, third = msgspec.to_builtins(made)
    assert first == {key: value for key, value in ORIGIN.items() if key not in ("corpus", "task", "template")} | {
        "dataset": "c",
        "task": "qa_mc",
        "template": "qa_mc.en.01",
        "conversation_id": 0,
        "category": "QA_choice",
        "language": "en",
        "conversation": ({"human": "Q", "assistant": "A"},),
        "system": "S",
    }
    assert (second["conversation_id"], second["category"], second["language"]) == (1, "MT-en2zh", "en-zh")
    assert (third["conversation_id"], third["category"], third["language"]) == (2, "MT-zh2en", "zh-en")


@pytest.mark.parametrize("task", TASK_NAMES)
def test_every_task_has_a_category(task: str) -> None:
    assert "{" not in _row(_example(task), export.get("taiyi"))["category"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_is_no_talk_is_left_out_with_a_reason(form: export.Format[Any]) -> None:
    twice = [{"role": "user", "content": "Q"}, {"role": "user", "content": "Q"}]
    made = list(export.rows([_example(messages=twice), _example()], form))
    assert made[0] == Reject(where="c/train/1#t", reason=NO_TURNS, detail="user, user")
    assert isinstance(made[1], form.kind)


def test_an_input_of_others_is_part_of_the_question() -> None:
    alpaca = export.get("alpaca")
    (row,) = export.rows([_example()], alpaca)
    said = alpaca.back(msgspec.structs.replace(row, instruction="Find diseases.", input="Flu."))
    assert said.turns == (("Find diseases.\nFlu.", "A"),)


# --- Files -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose data is built."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(tiny.RECIPE), encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["build", str(folder / "tiny.yaml"), "--runs", str(folder)])
    assert done.exit_code == 0, done.output
    return folder / "tiny"


@pytest.fixture(scope="module")
def written(run: Path) -> dict[str, Path]:
    """The run's data in every format, by format."""
    folders = {form.name: run.parent / f"as-{form.name}" for form in FORMS}
    for name, folder in folders.items():
        done = CliRunner().invoke(cli.app, ["data", "export", str(run), "--to", name, "--out", str(folder)])
        assert done.exit_code == 0, done.output
        assert f"{folder / 'stage1.jsonl'}\n" in done.stdout
        assert "redistributed" not in done.stderr
    return folders


def _examples(run: Path, stage: str) -> list[Example]:
    return list(storage.read_parquet(step.data_folder(run) / f"{stage}.parquet", Example))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_files_hold_every_example(run: Path, written: dict[str, Path], form: export.Format[Any], stage: str) -> None:
    rows = storage.read_jsonl(written[form.name] / f"{stage}.jsonl", form.kind)
    back = {said.origin.id: said for said in map(form.back, rows)}
    made = _examples(run, stage)
    assert len(back) == len(made) > 0
    assert all(back[example.id] == export.conversation(example) for example in made)


def test_a_filled_history_stands_first(run: Path, written: dict[str, Path]) -> None:
    """Loaders that find only empty ones in their first block take the column for one of nothing."""
    first, *others = storage.read_jsonl(written["alpaca"] / "stage2.jsonl", export.AlpacaRow)
    assert first.history
    assert [row.id for row in others] == [e.id for e in _examples(run, "stage2") if e.id != first.id]
    assert not _row(_examples(run, "stage2")[0], export.get("alpaca"))["history"]


def test_the_card_counts_what_is_there(run: Path, written: dict[str, Path]) -> None:
    page = (written["openai"] / "README.md").read_text(encoding="utf-8")
    _, header, body = page.split("---\n", 2)
    facts = yaml.safe_load(header)
    assert facts["language"] == ["en", "zh"]
    assert facts["license"] == ["apache-2.0"]
    assert facts["size_categories"] == ["n<1K"]
    assert facts["configs"][0] == {"config_name": "stage1", "data_files": "stage1.jsonl"}
    first, second = len(_examples(run, "stage1")), len(_examples(run, "stage2"))
    assert f"\n{first + second} examples in English and Chinese, of 5 corpora, in the form of OpenAI messages" in body
    row = next(line for line in body.splitlines() if line.startswith("| `stage2.jsonl`"))
    assert row.split(" | ")[1::3] == [str(second), f"{first + second} |"]
    assert "demo_cdr (test)" in body


def test_the_card_says_how_the_rows_were_made(written: dict[str, Path]) -> None:
    body = (written["openai"] / "README.md").read_text(encoding="utf-8")
    for said in (
        "Stage stage2 trains on its own file and again on `stage1.jsonl`: give a trainer all of them.",
        "what the recipe's filters find unfit, exact duplicates, near duplicates and contradictions are taken. ",
        "Wordings that are held out (`14` and `15` of each task) are in no row",
        "its id has the offset of the window after `@`. demo_cdr (`ner`): one sentence.\n",
        "Answers of `ner` whose id says `tagged` are the text with tags in place.",
        "Training records that have a document id, an equal text, long runs of characters or a nearly equal text in "
        "common with these were removed: ",
    ):
        assert said in body
    rows = list(storage.read_jsonl(written["openai"] / "stage1.jsonl", export.OpenAIRow))
    assert {row.corpus for row in rows if "@" in row.id} == {"demo_cdr"}
    assert {row.task for row in rows if ".tagged:" in row.id} == {"ner"}
    assert not {"14", "15"} & {row.template.rpartition(".")[2] for row in rows}


def test_the_card_says_what_was_not_done(run: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((run.parent / "tiny.yaml").read_text(encoding="utf-8"))
    settings |= {"deduplicate": {"near": False}, "decontaminate": {"by_text": False, "by_overlap": False}}
    settings["stages"][0]["data"][0] |= {"form": "list", "window_chars": 200, "overlap_chars": 20}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["build", str(tmp_path / "tiny.yaml"), "--runs", str(tmp_path)])
    assert done.exit_code == 0, done.output
    for stage in ("stage1", "stage2"):
        step.export(tmp_path / "tiny", "openai", tmp_path / stage, stages=[stage])
    body = (tmp_path / "stage1" / "README.md").read_text(encoding="utf-8")
    assert "exact duplicates and contradictions are taken; near duplicates stay. " in body
    assert "that have a document id or a nearly equal text in common with these" in body
    assert " Not looked for: an equal text, long runs of characters.\n" in body
    assert "demo_cdr (`ner`): up to about 200 characters, 20 or more of them from the window before.\n" in body
    body = (tmp_path / "stage2" / "README.md").read_text(encoding="utf-8")
    assert "trains on its own file and again on that of stage1, which is not here:" in body
    assert "windows of" not in body
    assert "tagged" not in body


def test_the_card_says_what_was_not_there() -> None:
    made = msgspec.structs.replace(MADE, absent={"one": ["toy ner train", "toy ner dev"], "two": []})
    page = dataset_card([File(stage="one", name="one.jsonl", parts={})], export.get("openai"), made)
    assert "The recipe asks for more in one, which was not there: toy ner train, toy ner dev.\n" in page
    assert "more in two" not in page


def test_what_is_there_is_kept_unless_asked(run: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text('{"mine": {"file_name": "mine.json"}}')
    assert step.export(run, "alpaca", tmp_path, stages=["stage2"]).rejects == ()
    (file,) = [path.name for path in tmp_path.glob("*.jsonl")]
    assert file == "stage2.jsonl"
    described = json.loads((tmp_path / "dataset_info.json").read_text())
    assert list(described) == ["mine", "tiny_stage2"]
    before = (tmp_path / file).read_bytes()
    with pytest.raises(TaiyiError, match=r"there are files already; got stage2.jsonl, README.md\. Give another folder"):
        step.export(run, "openai", tmp_path, stages=["stage2"])
    assert (tmp_path / file).read_bytes() == before
    step.export(run, "openai", tmp_path, stages=["stage2"], again=True)
    assert (tmp_path / file).read_bytes() != before


def test_what_has_no_row_is_counted_and_kept(run: Path, tmp_path: Path) -> None:
    data = step.data_folder(run)
    copy = tmp_path / "run" / data.name
    copy.mkdir(parents=True)
    for name in (MANIFEST, "statistics.json", "stage1.parquet", "stage2.parquet"):
        (copy / name).write_bytes((data / name).read_bytes())
    odd = _examples(run, "stage1")[0]
    twice = msgspec.structs.replace(odd, id="odd", messages=(*odd.messages, *odd.messages), tagging=None)
    storage.write_parquet([odd, twice], copy / "stage1.parquet", Example)
    out = tmp_path / "out"
    arguments = ["data", "export", str(copy.parent), "--to", "openai", "--out", str(out), "--stage", "stage1"]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    assert f"         1  left out, in {out / 'rejects.jsonl'}" in done.stdout
    (reject,) = storage.read_jsonl(out / "rejects.jsonl", Reject)
    assert (reject.where, reject.reason) == ("odd", NO_TURNS)


@pytest.mark.parametrize(
    ("to", "stages", "said"),
    [
        ("sharegtp", (), "unknown format of instruction data; got sharegtp. Did you mean 'sharegpt'?"),
        ("openai", ("stage3",), "the run has no such stage; got stage3. Did you mean 'stage2'?"),
    ],
)
def test_what_there_is_none_of_is_said(run: Path, tmp_path: Path, to: str, stages: tuple[str, ...], said: str) -> None:
    with pytest.raises(TaiyiError) as error:
        step.export(run, to, tmp_path / "out", stages=stages)
    assert said.replace("stage2", "stage1") in str(error.value).replace("stage2", "stage1")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(TaiyiError, match=r"no instruction data here.*taiyi build RECIPE"):
        step.data_folder(tmp_path)


# --- The card --------------------------------------------------------------------------------------------------------


def _card(*corpora: str) -> tuple[dict[str, Any], str]:
    parts = {Part(name, catalogue.get(name).tasks[0], catalogue.get(name).langs[0], "train"): 10 for name in corpora}
    file = File(stage="stage1", name="stage1.jsonl", parts=parts)
    page = dataset_card([file], export.get("openai"), MADE)
    _, header, body = page.split("---\n", 2)
    return yaml.safe_load(header), body


def test_gated_corpora_are_not_to_be_redistributed() -> None:
    header, body = _card("bc5cdr", "cmeee_v2")
    assert "> **Not to be redistributed.**" in body
    assert "not to be passed on: cmeee_v2." in body
    row = next(line for line in body.splitlines() if line.startswith("| [cmeee_v2]"))
    assert row.endswith("| **form**, not to be redistributed |")
    assert header["license_name"] == "licences-of-the-corpora"
    assert gated(["bc5cdr", "cmeee_v2", "cmeee_v2"]) == ["cmeee_v2"]


def test_open_corpora_may_be_passed_on() -> None:
    _, body = _card("demo_cdr")
    assert "redistributed" not in body
    assert "**It was not cleaned of any test set.**" in body


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ("Apache-2.0", "apache-2.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0"),
        ("CC0 1.0", "cc0-1.0"),
        ("GPL-3.0", "gpl-3.0"),
        ("Open Database License (ODbL)", "odbl"),
        ("not stated", "unknown"),
        ("CC BY-SA 3.0 (annotations)", "other"),
        ("n2c2 Data Use Agreement", "other"),
    ],
)
def test_licences_under_the_hub_s_names(licence: str, name: str) -> None:
    assert hub_licence(licence) == name


def test_every_corpus_has_a_row_that_cites_it() -> None:
    corpora = [corpus for corpus in catalogue.all_corpora() if corpus.tasks]
    header, body = _card(*(corpus.name for corpus in corpora))
    assert {"other", "cc-by-4.0", "cc-by-nc-4.0"} <= set(header["license"])
    assert header["license"] == sorted({hub_licence(corpus.licence) for corpus in corpora})
    for corpus in corpora:
        assert f"\n- {corpus.name}: {corpus.citation}\n" in body


def test_the_hub_s_own_reader_takes_the_card() -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    parts = {Part("bc5cdr", "ner", "en", "train"): 12_000}
    file = File(stage="stage1", name="stage1.jsonl", parts=parts)
    read = hub.DatasetCard(dataset_card([file], export.get("alpaca"), MADE)).data
    assert read.language == ["en"]
    assert read.size_categories == ["10K<n<100K"]
    assert read.task_categories == ["text-generation", "token-classification"]


# --- Others' own loaders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_datasets_loads_the_files(
    run: Path, written: dict[str, Path], form: export.Format[Any], tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    for stage in ("stage1", "stage2"):
        # The folder is loaded by its card, as from the hub.
        data = datasets.load_dataset(str(written[form.name]), stage, split="train", cache_dir=str(tmp_path))
        back = {said.origin.id: said for said in (form.back(msgspec.convert(row, form.kind)) for row in data)}
        made = _examples(run, stage)
        assert len(back) == len(made)
        assert all(back[example.id] == export.conversation(example) for example in made)


def _tokenizer() -> tuple[Any, int]:
    """A tokenizer with a token a byte, so that what is learned can be read, and the number of its tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {letter: n for n, letter in enumerate(["<pad>", "<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    inner = Tokenizer(models.BPE(letters, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>")
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content + '<eos>' }}"
        "{% endgeneration %}{% else %}{{ m.role + ': ' + m.content }}{% endif %}{% endfor %}"
    )
    return tokenizer, len(letters)


def test_trl_trains_on_the_messages(run: Path, written: dict[str, Path], tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="trl is not installed")
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    from transformers import LlamaConfig, LlamaForCausalLM

    data = datasets.load_dataset(
        "json", data_files=str(written["openai"] / "stage2.jsonl"), split="train", cache_dir=str(tmp_path)
    )
    assert trl.data_utils.is_conversational(data[0])
    tokenizer, size = _tokenizer()
    config = LlamaConfig(
        vocab_size=size, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    settings = trl.SFTConfig(
        output_dir=str(tmp_path / "out"),
        assistant_only_loss=True,
        max_steps=1,
        per_device_train_batch_size=2,
        max_length=None,
        bf16=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
    )
    trainer = trl.SFTTrainer(LlamaForCausalLM(config), settings, train_dataset=data, processing_class=tokenizer)
    made = {example.id: example for example in _examples(run, "stage2")}
    assert len(trainer.train_dataset) == len(made)
    for origin, row in zip(data["id"], trainer.train_dataset, strict=True):
        said = export.conversation(made[origin])
        assert isinstance(said, Conversation)
        batch = trainer.data_collator([row])
        learned = [label for label in batch["labels"][0].tolist() if label != -100]
        assert tokenizer.decode(learned) == "".join(f"{answer}<eos>" for _, answer in said.turns)
    assert trainer.train().training_loss > 0


@pytest.mark.parametrize("form", DESCRIBED, ids=lambda form: form.name)
def test_llama_factory_loads_the_files(
    run: Path, written: dict[str, Path], form: export.Format[Any], tmp_path: Path
) -> None:
    """Its own reading of `dataset_info.json` and the files gives the tokens of every example, all answers learned."""
    pytest.importorskip("llamafactory", reason="llamafactory is not installed")
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args

    tokenizer, _ = _tokenizer()
    model, data, training, *_ = get_train_args(
        {
            "stage": "sft",
            "do_train": True,
            "model_name_or_path": "none",
            "dataset_dir": str(written[form.name]),
            "dataset": "tiny_stage1,tiny_stage2",
            "template": "default",
            "cutoff_len": 1_000_000,
            "cache_dir": str(tmp_path / "cache"),
            "output_dir": str(tmp_path / "out"),
            "report_to": "none",
        }
    )
    template = get_template_and_fix_tokenizer(tokenizer, data)
    rows = get_dataset(template, model, data, training, "sft", tokenizer)["train_dataset"]
    made = [*_examples(run, "stage1"), *_examples(run, "stage2")]
    said = [talk for talk in map(export.conversation, made) if isinstance(talk, Conversation)]
    learned = [tokenizer.decode([t for t in row["labels"] if t != -100], skip_special_tokens=True) for row in rows]
    assert sorted("".join(text.split()) for text in learned) == sorted(
        "".join("".join(answer for _, answer in talk.turns).split()) for talk in said
    )
    seen = "\n".join(tokenizer.decode(row["input_ids"]) for row in rows)
    assert all(part in seen for talk in said for part in (talk.system, *(text for turn in talk.turns for text in turn)))
