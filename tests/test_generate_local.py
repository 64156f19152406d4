"""The engine in this process: what it writes is what deciding token by token, without a cache, would write."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM, PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from taiyi import tagged, tasks
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.encoding import Encoder
from taiyi.errors import ModelError, Unparsable
from taiyi.generate import Asked, Ended, LocalEngine, grounded, load_engine
from taiyi.generate.engine import NO_ROOM, NOT_LEARNED
from taiyi.generate.torch_model import TorchModel
from taiyi.grounding import State
from taiyi.schema import Example, FreeText, Mentions, Message, Prediction, Shown, Tagging
from taiyi.train.tokenizer import train_bpe

TAGS = ("Disease", "药物")
TEXTS = [
    "Patients with epilepsy took carbamazepine (<5 mg/kg); no effects.",
    "患者服用阿司匹林后出现肝损伤。",
    "Hi 👩‍⚕️🧬",
    "No disease at all was seen in this longer sentence about aspirin, epilepsy, and a few other things.",
]
WRITTEN = [written for tag in TAGS for written in (tagged.open_tag(tag), tagged.close_tag(tag))]


@cache
def tokenizer() -> Any:
    return train_bpe(TEXTS, vocab_size=400, tags=WRITTEN)


def options(**more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer()), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
        "initializer_range": 0.3, "tie_word_embeddings": True, **more,
    }  # fmt: skip


def model(seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(Qwen3Config(**options(head_dim=8))).eval()


def sliding_model() -> PreTrainedModel:
    torch.manual_seed(0)
    config = Qwen3Config(**options(head_dim=8), use_sliding_window=True, sliding_window=8, max_window_layers=1)
    assert set(config.layer_types or ()) == {"full_attention", "sliding_attention"}
    return Qwen3ForCausalLM(config).eval()


def windowed_model() -> PreTrainedModel:
    torch.manual_seed(0)
    return MistralForCausalLM(MistralConfig(**options(), sliding_window=8)).eval()


def engine(positions: Any = "aligned", made: PreTrainedModel | None = None) -> LocalEngine:
    return LocalEngine(TorchModel(made or model()), tokenizer(), Checkpoint(positions=positions))


def tagged_example(index: int, source: str) -> Example:
    content = f"Mark: {source}\nNow:"
    return Example(
        id=f"t{index}", corpus="c", task="ner", lang="en", split="test", template="x", form="tagged", record=str(index),
        messages=(Message(role="user", content=content),), answer=source, gold=Mentions(),
        tagging=Tagging(source=source, tags=TAGS, at=len("Mark: ")),
    )  # fmt: skip


def free_example(index: int, question: str) -> Example:
    return Example(
        id=f"f{index}", corpus="c", task="qa_sqa", lang="en", split="test", template="x", form="text",
        record=str(index), messages=(Message(role="user", content=question),), answer="x", gold=FreeText(text="x"),
    )  # fmt: skip


EXAMPLES = [*map(tagged_example, range(4), TEXTS), *map(free_example, range(4), TEXTS)]


@torch.no_grad()
def logits_of(model: PreTrainedModel, ids: list[int], positions: list[int]) -> torch.Tensor:
    """The logits after the last token, from one forward pass over all of them."""
    n = len(ids)
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    mask: Any = causal[None, None]
    config = model.config
    if window := getattr(config, "sliding_window", None):
        near = causal & (torch.arange(n)[None, :] > torch.arange(n)[:, None] - window)
        kinds = getattr(config, "layer_types", None)
        mask = {"full_attention": mask, "sliding_attention": near[None, None]} if kinds else near[None, None]
    out = model(
        input_ids=torch.tensor([ids]), position_ids=torch.tensor([positions]), attention_mask=mask, use_cache=False
    )
    return out.logits[0, -1]


def slowly(model: PreTrainedModel, encoder: Encoder, example: Example, limit: int) -> str:
    """Decide token by token, without a cache."""
    prompt = encoder.prompt(example.messages, example.tagging)
    ids, positions, state = list(prompt.ids), list(prompt.positions), State()
    for written in range(limit):
        logits = logits_of(model, ids, positions)
        if prompt.grounding is None:
            token = int(logits.argmax())
            after = state
        else:
            choices = prompt.grounding.allowed(state)
            token = choices[int(logits[list(choices)].argmax())]
            after = prompt.grounding.advance(state, token)
        if token == encoder.end:
            break
        positions.append(encoder.position(prompt, state.at, written))
        ids.append(token)
        state = after
    answer = ids[len(prompt.ids) :]
    if example.tagging is None:
        return encoder.tokenizer.decode(answer)
    return encoder.answer_text(answer, example.tagging)


@pytest.mark.parametrize("positions", ["plain", "aligned"])
@pytest.mark.parametrize("make", [model, sliding_model, windowed_model], ids=lambda make: make.__name__)
def test_answers_are_those_of_deciding_token_by_token(make: Any, positions: Any) -> None:
    made = make()
    ours = engine(positions, made)
    tagged_ones = ours.generate(EXAMPLES[:4], max_new_tokens=10_000, batch_tokens=8192)
    free_ones = ours.generate(EXAMPLES[4:], max_new_tokens=40, batch_tokens=4096)
    found = {p.example: p for p in (*tagged_ones, *free_ones)}
    assert found.keys() == {e.id for e in EXAMPLES}
    opened = 0
    for example in EXAMPLES:
        limit = 40 if example.tagging is None else 10_000
        assert found[example.id].text == slowly(made, ours.encoder, example, limit), example.id
        opened += found[example.id].text.count("</")
    assert opened, "the case is empty: no tag was chosen"


@pytest.mark.parametrize(
    ("base", "task", "lang", "answered"),
    [
        ("scratch", "ner", "en", [True, False]),
        ("scratch", "qa_sqa", "en", [False, True]),
        ("scratch", "ner", "zh", [False, False]),
        ("some/base", "tc", "zh", [True, True]),
    ],
)
def test_who_began_from_nothing_answers_what_it_learned_alone(
    base: str, task: str, lang: Any, answered: list[bool]
) -> None:
    learned = (Learned(task=task, corpus="c", lang=lang, form=tasks.get(task).forms[0]),)
    ours = LocalEngine(TorchModel(model()), tokenizer(), Checkpoint(base=base, learned=learned))
    asked = [EXAMPLES[0], EXAMPLES[4]]
    assert {one.lang for one in asked} == {"en"}
    generated = {p.example: p for p in ours.generate(asked, max_new_tokens=20, batch_tokens=4096)}
    candidates = [Asked(example, ("a", "b")) for example in asked]
    chosen = {p.example: p for p in ours.choose(candidates, per_byte=False, batch_tokens=4096)}
    for found in (generated, chosen):
        assert [not found[example.id].reason for example in asked] == answered
        assert {p.reason for p in found.values() if p.finish == "refused"} <= {NOT_LEARNED}
    if base == "scratch" and task != "qa_sqa":
        with pytest.raises(ModelError, match="cannot talk"):
            next(ours.stream(asked[1].messages, max_new_tokens=5))
    else:
        list(ours.stream(asked[1].messages, max_new_tokens=5))


def test_an_answer_ends_with_any_token_that_the_model_s_own_generation_ends_at() -> None:
    made = model()
    [whole] = engine("plain", made).generate(EXAMPLES[4:5], max_new_tokens=12, batch_tokens=4096)
    assert whole.finish == "length"
    third = engine("plain", made).tokenizer(whole.text, add_special_tokens=False)["input_ids"][2]
    made.generation_config.eos_token_id = [2, third]
    [cut] = engine("plain", made).generate(EXAMPLES[4:5], max_new_tokens=12, batch_tokens=4096)
    assert cut.finish == "stop" and whole.text.startswith(cut.text) and cut.num_tokens < whole.num_tokens


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("draft", [0, 1, 5, 100])
@pytest.mark.parametrize("most", [0, 3, 60])
def test_drafts_change_nothing(seed: int, draft: int, most: int) -> None:
    ours = engine(made=model(seed))
    prompts = [ours.encoder.prompt(e.messages, e.tagging) for e in EXAMPLES[:4]]
    one, other = (
        sorted(grounded.decode(ours.model, ours.encoder, prompts, max_tags=most, draft=n)) for n in (draft, None)
    )
    assert [a[:3] for a in one] == [a[:3] for a in other]
    for first, second in zip(one, other, strict=True):
        assert first.log_probs == pytest.approx(second.log_probs, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most", [5, 10_000])
def test_how_probable_a_mention_is_follows_from_all_decisions_about_it(seed: int, most: int) -> None:
    made = model(seed)
    ours = engine(made=made)
    given = {e.id: e for e in EXAMPLES[:4]}
    mentions = 0
    for found in ours.generate(list(given.values()), max_new_tokens=most, batch_tokens=8192):
        example = given[found.example]
        assert example.tagging is not None
        prompt = ours.encoder.prompt(example.messages, example.tagging)
        assert prompt.grounding is not None
        ids, positions, state = list(prompt.ids), list(prompt.positions), State()
        ended = found.finish == "stop"
        open_at: list[tuple[int, int]] = []
        product: dict[int, float] = {}
        answer = ours.encoder.text_ids(found.text)
        decided = len(prompt.grounding.source) + ours._most_tags(prompt, most) + 1  # pyright: ignore[reportPrivateUsage]
        for written, token in enumerate(answer):
            choices = prompt.grounding.allowed(state)
            chosen = logits_of(made, ids, positions)[list(choices)].log_softmax(-1)[choices.index(token)].item()
            after = prompt.grounding.advance(state, token)
            if len(after.stack) > len(state.stack):
                open_at.append((len(product), written))
                product[len(product)] = 0.0
            for number, _ in open_at:
                product[number] += chosen if ended or written < decided else 0.0
            if len(after.stack) < len(state.stack):
                open_at.pop()
            positions.append(ours.encoder.position(prompt, state.at, written))
            ids.append(token)
            state = after
        assert found.confidences == pytest.approx([math.exp(product[n]) for n in sorted(product)], rel=1e-3)
        assert len(found.confidences) == len(tagged.marked(found.text, example.tagging))
        mentions += len(product)
    assert mentions, "the case is empty: no tag was chosen"


@pytest.mark.parametrize("positions", ["plain", "aligned"])
@pytest.mark.parametrize("most", [3, 40, 10_000])
def test_batches_change_nothing(positions: Any, most: int) -> None:
    ours = engine(positions)
    examples = EXAMPLES if most < 10_000 else EXAMPLES[:4]
    one, many = (
        {p.example: (p.text, p.finish) for p in ours.generate(examples, max_new_tokens=most, batch_tokens=n)}
        for n in (1, 9999)
    )
    assert one == many


@pytest.mark.parametrize("bias", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize("summed", [False, True])
def test_rules(bias: float, summed: bool) -> None:
    ours = engine()
    ours.rule = grounded.Rule(open_bias=bias, open_summed=summed)
    for prediction, example in zip(
        sorted(ours.generate(EXAMPLES[:4], max_new_tokens=500, batch_tokens=4096), key=lambda p: p.example),
        EXAMPLES,
        strict=False,
    ):
        assert example.tagging is not None
        mentions = tagged.read(prediction.text, example.tagging)
        assert all(m.span and m.text == example.tagging.source[m.span.start : m.span.end] for m in mentions)
        assert not mentions if bias < 0 else mentions or bias == 0


def test_a_tagged_answer_is_whole_even_where_its_tags_reach_the_bound() -> None:
    ours = engine()
    ours.rule = grounded.Rule(open_bias=100.0)
    (prediction,) = ours.generate(EXAMPLES[:1], max_new_tokens=5, batch_tokens=4096)
    assert prediction.finish == "length"
    assert EXAMPLES[0].tagging is not None
    assert tagged.read(prediction.text, EXAMPLES[0].tagging)


def test_a_free_answer_that_reaches_the_bound_says_so() -> None:
    ours = engine()
    found = list(ours.generate(EXAMPLES[4:], max_new_tokens=3, batch_tokens=4096))
    assert {p.finish for p in found if p.num_tokens == 3} <= {"length", "stop"}
    assert all(p.num_tokens <= 3 for p in found)
    assert any(p.finish == "length" for p in found)


@pytest.mark.parametrize("make", [tagged_example, free_example])
@pytest.mark.parametrize("positions", ["plain", "aligned"])
def test_a_prompt_longer_than_the_context_has_an_empty_answer_and_the_others_theirs(make: Any, positions: Any) -> None:
    ours = engine(positions)
    example = make(7, "epilepsy " * 600)
    first, *others = ours.generate([*EXAMPLES, example], max_new_tokens=10, batch_tokens=4096)
    assert first == Prediction(example=example.id, text="", finish="refused", reason=NO_ROOM)
    assert [p.text for p in others] == [p.text for p in ours.generate(EXAMPLES, max_new_tokens=10, batch_tokens=4096)]
    with pytest.raises(ModelError, match="the dialogue is longer than the model's context"):
        list(ours.stream(example.messages, max_new_tokens=10))


def test_a_prompt_that_leaves_no_room_for_its_copy_is_too_long_only_where_the_copy_takes_positions() -> None:
    example = tagged_example(7, "epilepsy " * 40)
    size = len(engine().encoder.prompt(example.messages, example.tagging).ids)
    for positions, room, answered in (("aligned", 1, True), ("aligned", 0, False), ("plain", 1, False)):
        ours = engine(positions)
        ours.context = size + room
        [prediction] = ours.generate([example], max_new_tokens=10, batch_tokens=4096)
        assert bool(prediction.text) == answered


@pytest.mark.parametrize("name", tasks.names())
def test_an_empty_answer_is_unparsable(name: str) -> None:
    """What a prompt that is too long gets must count as wrong in every task."""
    example = msgspec.structs.replace(free_example(0, "x"), types=(Shown(name="a", shown="a"),))
    with pytest.raises(Unparsable):
        tasks.get(name).parse("", example)
    if name == "ner":
        with pytest.raises(Unparsable):
            tasks.get(name).parse("", tagged_example(0, "x"))


def test_the_stream_is_the_answer() -> None:
    ours = engine()
    for example in EXAMPLES[4:]:
        for most in (60, 3):
            pieces = ours.stream(example.messages, max_new_tokens=most)
            streamed = ""
            while True:
                try:
                    streamed += next(pieces)
                except StopIteration as stop:
                    ended: Ended = stop.value
                    break
            (prediction,) = ours.generate([example], max_new_tokens=most, batch_tokens=4096)
            assert streamed == prediction.text
            assert (ended.finish, ended.answer_tokens) == (prediction.finish, prediction.num_tokens)
            assert ended.prompt_tokens == ours.num_tokens(example.messages)


def save(folder: Path) -> Path:
    model().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    Checkpoint(positions="aligned", recipe="tiny").save(folder)
    return folder


def test_load_a_folder_and_a_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    save(run / "model")
    (run / "run.json").write_text('{"model": "model"}')
    expected = [p.text for p in engine().generate(EXAMPLES, max_new_tokens=30, batch_tokens=4096)]
    for place in (run, run / "model"):
        ours = load_engine(place, device="cpu", runtime="torch")
        assert ours.checkpoint.positions == "aligned"
        assert [p.text for p in ours.generate(EXAMPLES, max_new_tokens=30, batch_tokens=4096)] == expected


def test_load_an_adapter(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    base = save(tmp_path / "base")
    adapted: Any = get_peft_model(model(), LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))  # pyright: ignore
    adapted.peft_config["default"].base_model_name_or_path = str(base)
    adapted.save_pretrained(tmp_path / "adapter")
    Checkpoint(positions="aligned").save(tmp_path / "adapter")
    merged = engine(made=adapted.merge_and_unload())
    ours = load_engine(tmp_path / "adapter", device="cpu")
    texts, expected = (
        [p.text for p in e.generate(EXAMPLES, max_new_tokens=30, batch_tokens=4096)] for e in (ours, merged)
    )
    assert texts == expected


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model here"):
        load_engine(tmp_path)
    with pytest.raises(ModelError, match="no model here"):
        load_engine(tmp_path / "nothing")
    with pytest.raises(ModelError, match="the model of a server cannot be loaded"):
        LocalEngine.load("http://localhost:8000")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_engine("no-such-model-anywhere")
