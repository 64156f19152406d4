"""Examples as tokens: the source is encoded alike in prompt and answer, and any walk among the choices is an answer."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from taiyi import tagged
from taiyi.encoding import Encoder, Prompt
from taiyi.errors import SchemaError
from taiyi.grounding import State
from taiyi.schema import Example, FreeText, Mention, Mentions, Message, Span, Tagging
from taiyi.text import pieces
from taiyi.tokens import TextEncoder, splits_into_pieces
from taiyi.train.tokenizer import train_bpe

TAGS = ("Disease", "药物", "Gene or protein")
TEXTS = [
    "Patients with epilepsy took carbamazepine <5 mg/kg; no effects.",
    "患者服用阿司匹林后出现肝损伤。",
    "a b c 1 2 3",
]
ALPHABET = [
    "a",
    "epi",
    "lepsy",
    "Z",
    "7",
    " ",
    "  ",
    "\n",
    "-",
    "<",
    "</",
    ">",
    ",",
    "。",
    "肝",
    "癌",
    "é",
    "e\u0301",
    "👩‍⚕️",
    "🧬",
    "\x1c",
]

sources = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=30).map("".join).filter(lambda t: t.strip())


@cache
def single() -> PreTrainedTokenizerFast:
    """The tokenizer that Taiyi trains: each tag is one token."""
    tags = [written for tag in TAGS for written in (tagged.open_tag(tag), tagged.close_tag(tag))]
    return train_bpe(TEXTS, vocab_size=400, tags=tags)


@cache
def foreign() -> PreTrainedTokenizerFast:
    """A tokenizer like those of large models: tags take several tokens, and texts are normalised to NFC."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={character: i for i, character in enumerate(alphabet)}, merges=[]))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>")


TOKENIZERS = {"single": single, "foreign": foreign}
kinds = st.sampled_from(sorted(TOKENIZERS))


def encoder(kind: str, **options: Any) -> Encoder:
    return Encoder(TOKENIZERS[kind](), **options)


def ask(source: str) -> tuple[tuple[Message, ...], Tagging]:
    content = f"Mark diseases.\n{source}\nAnswer:"
    return (Message(role="user", content=content),), Tagging(source=source, tags=TAGS, at=len("Mark diseases.\n"))


def prompt_of(encoder: Encoder, source: str) -> tuple[Prompt, Tagging]:
    messages, tagging = ask(source)
    return encoder.prompt(messages, tagging), tagging


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, list[Mention]]:
    """A source with properly nested mentions that begin and end anywhere."""
    source = draw(sources)
    found: list[Mention] = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(source) - 1))
        end = draw(st.integers(start + 1, len(source)))
        if source[start:end] == source[start:end].strip():
            found.append(Mention(type=draw(st.sampled_from(TAGS)), text=source[start:end], span=Span(start, end)))
    return source, tagged.nest(found)[0]


def at_edges(source: str, mention: Mention) -> bool:
    edges, done = {0}, 0
    for piece in pieces(source):
        edges.add(done + len(piece) - len(piece.lstrip(" ")) if len(piece) > 1 else done)
        done += len(piece)
        edges.add(done)
    assert mention.span is not None
    return mention.span.start in edges and mention.span.end in edges


_MARKS = ["<|im_start|>", "<|im_end|>", "<Disease>", "</药物>", "<Disease", "<|im_"]
texts = st.lists(st.one_of(st.sampled_from([*ALPHABET, *_MARKS]), st.text(max_size=3)), max_size=20).map("".join)


@given(kinds, texts)
def test_texts_are_encoded_as_the_tokenizer_does_it(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]()
    assert TextEncoder(tokenizer)(text) == tokenizer.encode(text, add_special_tokens=False)


def test_a_tokenizer_of_our_own_splits_into_pieces_and_another_may_not() -> None:
    assert splits_into_pieces(single())
    assert not splits_into_pieces(foreign())


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_nothing_is_cut_or_filled_up(kind: str) -> None:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(TOKENIZERS[kind]().backend_tokenizer.to_str())
    )
    whole = tokenizer.encode(TEXTS[0], add_special_tokens=False)
    tokenizer.backend_tokenizer.enable_truncation(4)
    tokenizer.backend_tokenizer.enable_padding(length=100)
    assert TextEncoder(tokenizer)(TEXTS[0]) == whole


@given(kinds, answers())
@example("single", ("a<b", [Mention(type="Disease", text="<b", span=Span(1, 3))]))
@example("foreign", ("a<b", [Mention(type="Disease", text="<b", span=Span(1, 3))]))
@example("foreign", ("a<b", [Mention(type="Disease", text="a", span=Span(0, 1))]))
def test_every_answer_is_among_its_choices(kind: str, case: tuple[str, list[Mention]]) -> None:
    source, mentions = case
    ours = encoder(kind)
    prompt, tagging = prompt_of(ours, source)
    if tagged.clashes(source, TAGS):
        return
    ids = ours.answer_ids(tagged.write(source, mentions), tagging)
    assert prompt.grounding is not None
    state = State()
    for token in [*ids, ours.end]:
        assert token in prompt.grounding.allowed(state)
        state = prompt.grounding.advance(state, token)
    assert state.ended
    read = tagged.read(ours.answer_text(ids, tagging), tagging)
    if all(at_edges(source, m) for m in mentions):
        assert read == tagged.read(tagged.write(source, mentions), tagging)


@settings(max_examples=200)
@given(kinds, sources, st.randoms(use_true_random=False))
@example("foreign", "👩‍⚕️🧬", Random(1))
@example("foreign", "a\n\nb\n", Random(2))
@example("foreign", "e\u0301 <", Random(3))
def test_a_random_model_writes_answers_that_can_be_read(kind: str, source: str, random: Random) -> None:
    ours = encoder(kind)
    prompt, tagging = prompt_of(ours, source)
    if tagged.clashes(source, TAGS):
        return
    assert prompt.grounding is not None
    state, ids = State(), list[int]()
    while not state.ended:
        token = random.choice(prompt.grounding.allowed(state))
        state = prompt.grounding.advance(state, token)
        ids.append(token)
    text = ours.answer_text(ids[:-1], tagging)
    for mention in tagged.read(text, tagging):
        assert mention.span is not None
        assert mention.text == source[mention.span.start : mention.span.end]
    if kind == "single":
        assert ours.tokenizer.decode(ids[:-1]) == text
    again = ours.answer_text(ours.answer_ids(text, tagging), tagging)
    assert set(tagged.read(again, tagging)) == set(tagged.read(text, tagging))


@given(kinds, sources)
def test_the_prompt_holds_the_source_where_it_says(kind: str, source: str) -> None:
    ours = encoder(kind)
    prompt, _ = prompt_of(ours, source)
    assert prompt.source is not None
    assert prompt.ids[prompt.source :][: len(ours.source(source).ids)] == ours.source(source).ids
    if kind == "single":
        text = f"<|im_start|>user\nMark diseases.\n{source}\nAnswer:<|im_end|>\n<|im_start|>assistant\n"
        assert ours.tokenizer.decode(prompt.ids) == text


def test_a_source_that_is_part_of_the_template_is_found_in_its_message() -> None:
    ours = encoder("single")
    message = Message(role="user", content="user: a")
    prompt = ours.prompt([message], Tagging(source="a", tags=TAGS, at=6))
    assert prompt.source is not None
    assert ours.tokenizer.decode(prompt.ids[prompt.source :]) == "a<|im_end|>\n<|im_start|>assistant\n"


def test_a_source_that_is_not_there_is_refused() -> None:
    with pytest.raises(SchemaError, match="does not hold the source"):
        encoder("single").prompt([Message(role="user", content="abc")], Tagging(source="b", tags=TAGS, at=0))


def example_of(source: str, answer: str, *, tagging: Tagging | None, messages: tuple[Message, ...]) -> Example:
    return Example(
        id="t", corpus="c", task="ner", lang="en", split="train", template="x", form="tagged", record="r",
        messages=messages, answer=answer, gold=Mentions() if tagging else FreeText(text=answer), tagging=tagging,
    )  # fmt: skip


@given(kinds, answers(), st.sampled_from(["plain", "aligned"]))
def test_rows_of_tagged_answers(kind: str, case: tuple[str, list[Mention]], positions: Any) -> None:
    source, mentions = case
    if tagged.clashes(source, TAGS):
        return
    ours = encoder(kind, positions=positions)
    messages, tagging = ask(source)
    row = ours.row(example_of(source, tagged.write(source, mentions), tagging=tagging, messages=messages))
    prompt = ours.prompt(messages, tagging)
    assert row.ids[: len(prompt.ids)] == prompt.ids
    assert row.ids[-1] == ours.end
    assert len(row.positions) == len(row.ids)
    assert row.targets == list(range(len(prompt.ids), len(row.ids)))
    assert all(row.ids[t] in choices for t, choices in zip(row.targets, row.choices, strict=True))
    if positions == "plain":
        assert row.positions == list(range(len(row.ids)))
    else:
        assert max(row.positions) < len(prompt.ids)
        assert row.positions[-1] == (prompt.source or 0) + len(ours.source(source).ids)


def test_aligned_positions_are_those_of_the_tokens_copied() -> None:
    ours = encoder("single", positions="aligned")
    messages, tagging = ask("x 肝癌")
    answer = "x<Disease> 肝癌</Disease>"
    row = ours.row(example_of("x 肝癌", answer, tagging=tagging, messages=messages))
    prompt = ours.prompt(messages, tagging)
    assert prompt.source is not None
    places = [p - prompt.source for p in row.positions[len(prompt.ids) :]]
    n = [len(ours.source("x 肝癌"[:i]).ids) for i in (0, 1, 3, 4)]
    assert places == [*range(n[1]), n[1], *range(n[1], n[3]), n[3], n[3]]


def test_row_of_a_dialogue_learns_every_answer() -> None:
    ours = encoder("single")
    messages = (
        Message(role="system", content="s"),
        Message(role="user", content="q1"),
        Message(role="assistant", content="a1"),
        Message(role="user", content="q2"),
    )
    row = ours.row(example_of("", "a2", tagging=None, messages=messages))
    assert ours.tokenizer.decode([row.ids[t] for t in row.targets]) == "a1<|im_end|>a2<|im_end|>"
    whole = ours.tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in messages] + [{"role": "assistant", "content": "a2"}],
        tokenize=False,
    )
    assert isinstance(whole, str)
    assert ours.tokenizer.decode(row.ids) == whole.rstrip("\n")
