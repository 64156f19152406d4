"""Decoding under a grammar: whatever the model, an answer parses and quotes its source; one that is right stays."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from extraction import document, made, relation
from taiyi import tasks
from taiyi.checkpoint import Checkpoint
from taiyi.errors import ModelError
from taiyi.generate import LocalEngine, constrained
from taiyi.generate.constrained import Constraint, Vocabulary, decide
from taiyi.generate.head import Logits
from taiyi.generate.torch_model import TorchModel
from taiyi.schema import Example, Prediction
from taiyi.train.tokenizer import train_bpe
from test_generate_local import logits_of
from test_grammars import FORMS, quotes, texts_of, types_of

SOURCES = {
    "en": document(("Chemical", "IL-2; (a)"), ("Disease", 'asthma, "mild"'), ("G", "p53\nand None")),
    "odd": replace(
        document(("Chemical", "a\\b"), ("G", 'a\\b; "a"\r\n'), ("Disease", "👩‍⚕️ a, (a\\b)"), ("G", "None")), id="odd"
    ),
    "zh": document(("dis", "肝损伤；重"), ("sym", "恶心，呕吐"), ("bod", "👩‍⚕️无"), lang="zh"),
}
CASES = [(name, form, lang) for name, form in FORMS if name != "struct" for lang in SOURCES]


def example(name: str, form: str, lang: str, number: int = 0) -> Example:
    return made(name, SOURCES[lang], form=form, number=number)


@cache
def tokenizer() -> Any:
    texts = [text for case in CASES for e in [example(*case)] for text in (e.messages[0].content, tasks.grammar(e))]
    return train_bpe(texts, vocab_size=420, tags=[])


def model(seed: int = 0, more: int = 0) -> PreTrainedModel:
    """A model of random weights, with some logits more than there are tokens."""
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer()) + more, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=2048,
        initializer_range=0.3, tie_word_embeddings=True,
    )  # fmt: skip
    return Qwen3ForCausalLM(config).eval()


def engine(made: PreTrainedModel | None = None, grammar: Any = tasks.grammar) -> LocalEngine:
    return LocalEngine(TorchModel(made or model()), tokenizer(), Checkpoint(), grammar=grammar)


def answers(ours: LocalEngine, examples: list[Example], *, limit: int = 60, batch: int = 8192) -> dict[str, Prediction]:
    return {p.example: p for p in ours.generate(examples, max_new_tokens=limit, batch_tokens=batch)}


@pytest.mark.parametrize("more", [0, 37])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_model_answers_parse_and_quote_their_source(seed: int, more: int) -> None:
    examples = [example(*case) for case in CASES]
    found = answers(engine(model(seed, more)), examples)
    whole = 0
    for each in examples:
        task, prediction = tasks.get(each.task), found[each.id]
        assert prediction.constrained
        text = prediction.text
        if prediction.finish == "length":
            assert prediction.num_tokens == 60
            text = task.cut(text, each)
        if not text:
            continue
        whole += 1
        parsed = task.parse(text, each)
        assert types_of(parsed) <= {shown.name for shown in each.types}
        assert all(quotes(quoted, each) for quoted in texts_of(parsed))
    assert whole > len(examples) // 2


def slowly(model: PreTrainedModel, ours: LocalEngine, asked: Example, limit: int) -> str:
    """Take the most probable of the tokens that the grammar allows, one by one, without a cache."""
    vocabulary = Vocabulary(tokenizer(), {ours.encoder.end}, len(tokenizer()))
    constraint = vocabulary.constraint(tasks.grammar(asked))
    assert constraint is not None
    ids = list(ours.encoder.prompt(asked.messages).ids)
    length = len(ids)
    while len(ids) < length + limit:
        logits = logits_of(model, ids, list(range(len(ids))))
        [allowed] = vocabulary.allowed([constraint])
        token = int(logits.masked_fill(~torch.from_numpy(allowed), -torch.inf).argmax())
        assert constraint.take(token)
        if token == ours.encoder.end:
            break
        ids.append(token)
    return tokenizer().decode(ids[length:])


def test_answers_are_those_of_deciding_token_by_token_in_every_batch() -> None:
    made = model()
    ours = engine(made)
    examples = [example(*case) for case in CASES]
    found = answers(ours, examples, limit=24)
    assert {p.text for p in answers(ours, examples, limit=24, batch=64).values()} == {p.text for p in found.values()}
    for each in examples[::3]:
        assert found[each.id].text == slowly(made, ours, each, 24), each.id


@cache
def taught() -> tuple[PreTrainedModel, list[Example]]:
    """A model that knows a few answers by heart, in each form."""
    lesson = document(("Chemical", "aspirin"), ("Disease", "asthma"), relations=(relation("R", "CID", "T1", "T2"),))
    forms = (("ner", "list"), ("re", "list"), ("re", "json"))
    examples = [made(name, lesson, form=form, number=number) for number, (name, form) in enumerate(forms)]
    learner = model()
    encoder = engine(learner).encoder
    rows = [encoder.row(each) for each in examples]
    optimizer = torch.optim.AdamW(learner.parameters(), lr=0.01)
    for _ in range(60):
        for row in rows:
            ids = torch.tensor([row.ids])
            labels = torch.full_like(ids, -100)
            labels[0, row.targets] = ids[0, row.targets]
            learner(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return learner.eval(), examples


def test_an_answer_that_is_right_by_itself_is_the_same_under_its_grammar() -> None:
    learned, examples = taught()
    free = answers(engine(learned, None), examples)
    assert {free[each.id].text for each in examples} == {each.answer for each in examples}
    held = answers(engine(learned), examples)
    for each in examples:
        assert not free[each.id].constrained
        assert held[each.id].constrained
        assert (held[each.id].text, held[each.id].finish) == (each.answer, "stop")


def test_only_what_has_a_grammar_is_held_to_one() -> None:
    both = [example("ner", "list", "en"), example("ner", "json", "zh")]
    some = answers(engine(grammar=lambda each: tasks.grammar(each) if each.form == "json" else ""), both)
    none = answers(engine(grammar=None), both)
    assert [some[each.id].constrained for each in both] == [False, True]
    assert some[both[0].id].text == none[both[0].id].text
    assert not any(prediction.constrained for prediction in none.values())


def test_a_grammar_that_cannot_be_used_leaves_the_answer_free(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [example("ner", "list", "en"), example("ner", "list", "zh")]
    broken = engine(grammar=lambda each: "start: X" if each.lang == "en" else tasks.grammar(each))
    assert [answers(broken, both)[each.id].constrained for each in both] == [False, True]
    small = constrained.LLParserLimits(initial_lexer_fuel=10)
    monkeypatch.setattr(constrained, "_LIMITS", small)
    assert not any(prediction.constrained for prediction in answers(engine(), both).values())


def test_an_answer_that_cannot_go_on_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = example("ner", "json", "en")
    taken: list[int] = []

    def take(self: Constraint, token: int) -> bool:
        if len(taken) == 3 or not original(self, token):
            return False  # As a matcher that has reached a limit.
        taken.append(token)
        return True

    original = Constraint.take
    monkeypatch.setattr(Constraint, "take", take)
    prediction = answers(engine(grammar=lambda _: "start: /[a-z]{50}/"), [asked])[asked.id]
    assert (prediction.finish, prediction.num_tokens) == ("length", 3)


def test_the_most_probable_token_that_may_come_is_taken() -> None:
    vocabulary = Vocabulary(tokenizer(), {tokenizer().eos_token_id}, len(tokenizer()))
    one, other = (vocabulary.constraint('start: "ab" | "ac"') for _ in range(2))
    a, b, c, z = (tokenizer().encode(letter, add_special_tokens=False)[0] for letter in "abcz")
    logits = torch.zeros(3, len(tokenizer()))
    logits[:, z], logits[:, a] = 9, 5
    assert decide(Logits(logits), [one, None, other]) == [a, z, a]
    logits[:, a], logits[0, b], logits[2, c] = 8, 1, 1
    assert decide(Logits(logits), [one, None, other]) == [b, z, c]
    end = tokenizer().eos_token_id
    assert decide(Logits(logits), [one, None, None]) == [end, z, z]


def test_a_tokenizer_without_bytes_is_refused() -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0, "<e>": 1}, "a")), eos_token="<e>")
    with pytest.raises(ModelError, match="byte-level"):
        Vocabulary(words, {1}, 2)
