"""The tokenizer: tokens respect pieces, tags are one token, the same texts give the same bytes."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from taiyi.encoding import end_token
from taiyi.errors import TrainError
from taiyi.text import pieces
from taiyi.train.tokenizer import train_bpe

TEXTS = [
    "Aspirin reduces the risk of myocardial infarction by 25%.",
    "阿司匹林可降低心肌梗死的风险。患者口服阿司匹林100mg。",
    "The patient was given aspirin and aspirin again; the risk was reduced.",
] * 20
ALPHABET = "aspirin the risk Δβ 阿司匹林心肌 0123 ，。%-()\n\t😀🧬é"


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_bpe(TEXTS, vocab_size=400, tags=["<Disease>", "</Disease>", "<疾病>"])


def encode(text: str) -> list[int]:
    return tokenizer().encode(text, add_special_tokens=False)


@given(st.text(st.sampled_from(ALPHABET), max_size=60))
def test_tokens_of_a_text_are_those_of_its_pieces(text: str) -> None:
    assert encode(text) == [token for piece in pieces(text) for token in encode(piece)]


@given(st.text(max_size=40))
def test_any_text_survives(text: str) -> None:
    assert tokenizer().decode(encode(text)) == text


def test_tags_are_one_token_wherever_they_stand() -> None:
    for tag in ("<Disease>", "</Disease>", "<疾病>"):
        (token,) = encode(tag)
        assert encode(f"risk{tag}of")[1:-1].count(token) == 1
        assert token not in tokenizer().all_special_ids
        assert tokenizer().decode([token], skip_special_tokens=True) == tag


def test_words_of_the_texts_become_tokens() -> None:
    assert len(encode(" aspirin")) == 1
    assert len(encode("阿司匹林")) == 4


def test_size_and_special_tokens() -> None:
    assert len(tokenizer()) <= 400
    assert tokenizer().pad_token == "<|endoftext|>"
    assert end_token(tokenizer()) == tokenizer().convert_tokens_to_ids("<|im_end|>") == tokenizer().eos_token_id


def test_a_saved_tokenizer_is_the_same(tmp_path) -> None:
    tokenizer().save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = "Aspirin <Disease>risk</Disease> 阿司匹林 😀<|im_end|>"
    assert again.encode(text, add_special_tokens=False) == encode(text)
    assert again.chat_template == tokenizer().chat_template


def test_another_process_trains_the_same_bytes() -> None:
    code = (
        "from taiyi.train.tokenizer import train_bpe;"
        f"print(train_bpe({TEXTS!r}, vocab_size=400, tags=['<Disease>', '</Disease>', '<疾病>'])"
        ".backend_tokenizer.to_str().encode())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(tokenizer().backend_tokenizer.to_str().encode())


def test_a_vocabulary_without_room_for_bytes_and_tags_is_refused() -> None:
    with pytest.raises(TrainError, match="too small"):
        train_bpe(TEXTS, vocab_size=258, tags=["<A>"])
