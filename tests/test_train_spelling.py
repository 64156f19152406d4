"""Embeddings that learn by spelling: the same as if each were its own vector and those of its n-grams."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests import strategies
from torch import nn
from transformers import PreTrainedTokenizerFast

from taiyi.train.model import scratch
from taiyi.train.optimizer import optimizer
from taiyi.train.settings import StageSettings
from taiyi.train.spelling import Spelling, features, ngrams
from taiyi.train.tokenizer import train_bpe

BUCKETS = 256
BETAS = (0.9, 0.95)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    texts = ["nephropathy neuropathy retinopathy carditis nephritis Nephritis 肾炎 肾病 心肌炎"] * 20
    return train_bpe(texts, vocab_size=360, tags=["<disease>", "</disease>"])


def row(text: str) -> torch.Tensor:
    (token,) = tokenizer().encode(text, add_special_tokens=False)
    return features(tokenizer(), len(tokenizer()), 1 << 20)[token].to_dense()


def test_what_is_spelled_alike_has_features_in_common() -> None:
    alike, apart = row(" nephritis") @ row(" carditis"), row(" nephritis") @ row(" retinopathy")
    assert alike > 0.2 > apart
    assert torch.equal(row(" nephritis"), row(" Nephritis"))
    assert row(" nephritis") @ row(" nephritis") == pytest.approx(1.0)


def test_special_tokens_and_bytes_have_none() -> None:
    made = features(tokenizer(), len(tokenizer()) + 3, BUCKETS).to_dense()
    assert made.shape == (len(tokenizer()) + 3, BUCKETS)
    (begin, *_) = tokenizer().encode("\U0001f9ec", add_special_tokens=False)
    assert "\ufffd" in tokenizer().decode([begin])
    for token in (*tokenizer().all_special_ids, begin):
        assert not made[token].any()
    assert not made[-3:].any()


@given(strategies.texts)
def test_ngrams_are_of_the_text_and_mark_its_ends(text: str) -> None:
    found = list(ngrams(text))
    whole = ("^" + text[1:] if text.startswith(" ") else text).lower() + "$"
    assert all(gram in whole for gram in found)
    assert {len(gram) for gram in found} <= {1, 2, 3, 4}
    assert any(gram.endswith("$") for gram in found)


@given(st.integers(0, 1000), st.integers(1, 4))
def test_it_is_adam_over_the_vectors_of_ngrams(seed: int, steps: int) -> None:
    """Adam over embeddings that are made as a sum is the same as both optimizers over the sum."""
    known = features(tokenizer(), len(tokenizer()), BUCKETS)
    generator = torch.Generator().manual_seed(seed)
    begin = torch.randn(len(tokenizer()), 5, generator=generator)
    aims = [torch.randn(begin.shape, generator=generator) for _ in range(steps)]

    own, of_ngrams = nn.Parameter(begin.clone()), nn.Parameter(torch.zeros(BUCKETS, 5))
    apart = torch.optim.Adam([own, of_ngrams], lr=0.1, betas=BETAS)
    together = nn.Parameter(begin.clone())
    parts = [
        torch.optim.Adam([together], lr=0.1, betas=BETAS),
        Spelling(together, known, learning_rate=0.1, betas=BETAS),
    ]
    for aim in aims:
        apart.zero_grad()
        ((own + known @ of_ngrams) * aim).sum().backward()
        apart.step()
        together.grad = None
        (together * aim).sum().backward()
        for part in parts:
            part.step()
    torch.testing.assert_close(together.detach(), (own + known @ of_ngrams).detach(), atol=1e-5, rtol=1e-5)


def test_without_a_gradient_nothing_moves() -> None:
    weight = nn.Parameter(torch.ones(len(tokenizer()), 4))
    made = Spelling(weight, features(tokenizer(), len(weight), BUCKETS), learning_rate=0.1, betas=BETAS)
    made.step()
    assert torch.equal(weight, torch.ones_like(weight))
    assert not made.state[weight]


def test_the_schedule_reaches_it() -> None:
    embeddings = nn.Embedding(len(tokenizer()), 4)
    spelled = (embeddings.weight, features(tokenizer(), len(tokenizer()), BUCKETS))
    for settings in (StageSettings(), StageSettings(optimizer="muon", embedding_learning_rate=0.5)):
        made = optimizer(embeddings, settings, spelled)
        assert made.param_groups[-1]["lr"] == (settings.embedding_learning_rate or settings.learning_rate)
        assert made.param_groups[-1]["params"] == [embeddings.weight]


def test_it_is_of_the_method_full() -> None:
    with pytest.raises(ValidationError, match="method full"):
        StageSettings(method="lora", spelling=4096)


def test_a_model_from_nothing_begins_with_what_is_spelled_alike_nearby() -> None:
    size: dict[str, Any] = {
        "hidden": 64,
        "layers": 1,
        "heads": 1,
        "kv_heads": 1,
        "feed_forward": 16,
        "max_positions": 64,
        "seed": 1,
    }

    def nearness(one: str, other: str, spelling: int | None) -> float:
        weight = cast(nn.Embedding, scratch(tokenizer(), **size, spelling=spelling).get_input_embeddings()).weight
        (a,), (b,) = (tokenizer().encode(text, add_special_tokens=False) for text in (one, other))
        return float(nn.functional.cosine_similarity(weight[a], weight[b], dim=0))

    assert nearness(" nephritis", " Nephritis", None) < 0.3 < nearness(" nephritis", " Nephritis", 4096)
    assert nearness(" nephritis", " retinopathy", 4096) < 0.3
