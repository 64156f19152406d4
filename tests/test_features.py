"""What an encoder reads: windows that leave nothing out, words that mentions align with, and tags that say mentions."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi import features
from taiyi.features import Found, Head, Item, Word
from taiyi.schema import Span

TEXTS = (
    "Aspirin (100mg/d) caused  upper-GI bleeding.\nNo harm in type 2 diabetes 😀 or β-thalassaemia.",
    "2型糖尿病患者口服阿司匹林100mg后出现皮疹😀、头痛。",
)
NAMES = ("Chemical", "Disease")


@cache
def tokenizer() -> Any:
    from taiyi.train.encoder_model import make_tokenizer

    return make_tokenizer(TEXTS)


@cache
def wordpieces() -> Any:
    """A tokenizer as BERT's: small letters, white space dropped, and unknown what it has not seen."""
    from tokenizers import BertWordPieceTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    made = BertWordPieceTokenizer()
    made.train_from_iterator([TEXTS[0]], vocab_size=80, min_frequency=1)
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(t, made.token_to_id(t)) for t in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made._tokenizer,  # pyright: ignore
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


TOKENIZERS = pytest.mark.parametrize("make", [tokenizer, wordpieces])


@TOKENIZERS
@pytest.mark.parametrize("text", TEXTS)
def test_mentions_come_back_from_their_tags_with_exact_offsets(make: Any, text: str) -> None:
    words = features.words_of(text, make())
    wanted = (
        "Aspirin",
        "upper-GI bleeding",
        "type 2 diabetes",
        "β-thalassaemia",
        "2型糖尿病",
        "阿司匹林",
        "皮疹",
        "头痛",
    )
    spans = [(Span(at, at + len(name)), "Disease") for name in wanted if (at := text.find(name)) >= 0]
    assert len(spans) >= 4
    tags = features.tags(spans, words, NAMES)
    assert features.spans(tags, words, NAMES) == sorted(spans)


@given(st.text(alphabet="aB1 -，糖尿😀\u0301\n", max_size=40))
def test_words_are_apart_and_leave_nothing_but_white_space(text: str) -> None:
    words = features.words_of(text, tokenizer())
    assert all(word.start < word.end <= len(text) for word in words)
    assert all(one.end <= other.start for one, other in pairwise(words))
    assert "".join("".join(text[w.start : w.end] for w in words).split()) == "".join(text.split())


def test_types_may_nest_and_cross_and_of_one_type_the_longest_stays() -> None:
    words = [Word(n, n + 1) for n in range(6)]
    whole, inner, crossing, within = (Span(0, 4), "A"), (Span(1, 2), "B"), (Span(3, 6), "C"), (Span(1, 3), "A")
    tags = features.tags([within, whole, inner, crossing], words, ("A", "B", "C"))
    assert features.spans(tags, words, ("A", "B", "C")) == sorted([whole, inner, crossing])


def test_neighbours_of_one_type_are_two_and_an_inner_tag_alone_begins_one() -> None:
    words = [Word(n, n + 1) for n in range(4)]
    spans = [(Span(0, 2), "A"), (Span(2, 3), "A")]
    assert features.spans(features.tags(spans, words, ("A",)), words, ("A",)) == spans
    assert features.spans([[0], [2], [2], [0]], words, ("A",)) == [(Span(1, 3), "A")]


def test_what_begins_inside_a_word_has_all_of_it_and_an_unknown_type_is_left_out() -> None:
    words = [Word(0, 5), Word(6, 9)]
    tags = features.tags([(Span(2, 9), "A"), (Span(0, 1), "Z")], words, ("A",))
    assert features.spans(tags, words, ("A",)) == [(Span(0, 9), "A")]


@TOKENIZERS
@pytest.mark.parametrize(("tokens", "overlap"), [(8, 0), (12, 4), (16, 64)])
def test_every_word_of_a_long_text_is_in_a_window(make: Any, tokens: int, overlap: int) -> None:
    head = Head(kind="spans", names=NAMES, max_tokens=tokens, overlap_tokens=overlap)
    text = " ".join(TEXTS) * 3
    read = features.read(Item(texts=(text,)), make(), head)
    assert len(read.windows) > 3
    assert {word for window in read.windows for word in window.words} == set(range(len(read.words)))
    assert all(len(window.inputs["input_ids"]) <= tokens for window in read.windows)


@TOKENIZERS
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("aspirin", None),
        (TEXTS[0], None),
        ("aspirin", TEXTS[0]),
        (TEXTS[0], "aspirin"),
        (TEXTS[0], TEXTS[1]),
        ("", "a"),
    ],
)
def test_windows_of_pairs_hold_all_of_both(make: Any, first: str, second: str | None) -> None:
    head = Head(kind="label", names=NAMES, max_tokens=16, overlap_tokens=3)
    item = Item(texts=(first,) if second is None else (first, second))
    windows = features.read(item, make(), head).windows
    assert all(len(window.inputs["input_ids"]) <= 16 for window in windows)
    for part, side in ((first, 0), (second or "", 1)):
        ids = make()(part, add_special_tokens=False)["input_ids"]
        special = set(make().all_special_ids) - {make().unk_token_id}
        read = {
            tuple(i for i, t in zip(w.inputs["input_ids"], w.inputs["token_type_ids"], strict=True)
                  if t == side and i not in special)
            for w in windows
        }  # fmt: skip
        pairs = {pair for row in read for pair in pairwise(row)}
        # With an overlap every two tokens that stand side by side do so in a window, but where a part was cut.
        missing = [pair for pair in pairwise(ids) if pair not in pairs]
        assert {i for row in read for i in row} >= set(ids)
        assert len(missing) <= len(ids) // 6


def test_each_option_is_read_after_the_question() -> None:
    item = Item(texts=("which?", "because"), options=("one", "two", "three"), gold=Found(option=1))
    windows = features.read(item, tokenizer(), Head(kind="option")).windows
    assert [window.option for window in windows] == [0, 1, 2]
    decoded = [tokenizer().decode(window.inputs["input_ids"], skip_special_tokens=True) for window in windows]
    assert decoded == ["which?\nbecauseone", "which?\nbecausetwo", "which?\nbecausethree"]


@pytest.mark.parametrize(
    ("kind", "golds", "found", "score"),
    [
        ("spans", [Found(spans=((Span(0, 1), "A"), (Span(2, 3), "A")))], [Found(spans=((Span(0, 1), "A"),))], 2 / 3),
        ("spans", [Found()], [Found()], 1.0),
        ("labels", [Found(labels=("a",)), Found()], [Found(labels=("a", "b")), Found()], 2 / 3),
        ("label", [Found(labels=("a",)), Found(labels=("b",))], [Found(labels=("a",)), Found(labels=("a",))], 0.5),
        ("option", [Found(option=1)], [Found(option=2)], 0.0),
        ("value", [Found(value=0.5)], [Found(value=0.25)], 0.75),
        ("spans", [], [], 0.0),
    ],
)
def test_scores_by_hand(kind: Any, golds: list[Found], found: list[Found], score: float) -> None:
    assert features.score(golds, found, kind) == pytest.approx(score)
