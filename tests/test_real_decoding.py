"""Tagged answers to real texts: with drafts they are, token for token, those of deciding one by one, in fp32."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from real_records import records, spread
from taiyi import catalogue, tagged, tasks
from taiyi.build.instructions import task_of
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.checkpoint import Checkpoint
from taiyi.generate import LocalEngine, grounded
from taiyi.generate.torch_model import TorchModel
from taiyi.schema import Document, Example, Span, Split
from taiyi.train.tokenizer import train_bpe
from whole import WHOLE

pytestmark = pytest.mark.real

SETS: list[tuple[str, Split, int]] = [
    ("bc5cdr", "test", 1500),
    ("ncbi_disease", "test", 1500),
    ("biored", "test", 1500),
    ("cmeee_v2", "dev", 300),
]
RECORDS = 10_000 if WHOLE else 16
"""How many records of a split are tried, evenly spread."""
BATCH = 16


def examples(name: str, split: Split, window: int) -> list[Example]:
    """Return examples with tagged answers, of the beginnings of texts."""
    corpus, root = catalogue.get(name), catalogue.corpora_dir()
    if not corpus.layout(split, root):
        pytest.skip(f"{name} {split} is not there")
    task = task_of("ner", corpus, root)
    given = [r for r in records(name, split) if isinstance(r, Document)]
    found: list[Example] = []
    for number, record in enumerate(spread(given, RECORDS)):
        (types, *_) = fixed(task, corpus, Selection(corpus=name, task="ner"), record.lang)
        templates = tasks.load_templates(task, record.lang)
        end = min(window, len(record.text))
        made = task.render(record, templates[number % len(templates)], form="tagged", types=types, window=Span(0, end))
        if isinstance(made, Example):
            found.append(made)
    return found


@cache
def engine(name: str, positions: Any) -> LocalEngine:
    """A model with random weights: it tags anywhere, much more than one that was trained."""
    split, window = next((split, window) for other, split, window in SETS if other == name)
    given = examples(name, split, window)[:200]
    tags = {
        written for e in given for t in e.types for written in (tagged.open_tag(t.shown), tagged.close_tag(t.shown))
    }
    tokenizer: Any = train_bpe((e.answer for e in given), vocab_size=2000, tags=sorted(tags))
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=8192, initializer_range=0.3,
        tie_word_embeddings=True,
    )  # fmt: skip
    model: PreTrainedModel = Qwen3ForCausalLM(config)
    return LocalEngine(TorchModel(model), tokenizer, Checkpoint(positions=positions))


@pytest.mark.parametrize("positions", ["plain", "aligned"])
@pytest.mark.parametrize(("name", "split", "window"), SETS, ids=[name for name, *_ in SETS])
def test_drafts_change_nothing(name: str, split: Split, window: int, positions: Any) -> None:
    ours, given = engine(name, positions), examples(name, split, window)
    # Below 0 for fewer tags than such a model makes, so that drafts are long and are taken, in part.
    rule = grounded.Rule(open_bias=-6.0)
    num_mentions = 0
    for begin in range(0, len(given), BATCH):
        batch = given[begin : begin + BATCH]
        prompts = [ours.encoder.prompt(e.messages, e.tagging) for e in batch]
        one_by_one, drafted = (
            sorted(grounded.decode(ours.model, ours.encoder, prompts, max_tags=200, rule=rule, draft=draft))
            for draft in (0, None)
        )
        assert [a[:3] for a in drafted] == [a[:3] for a in one_by_one]
        for example, (_, ids, _, _) in zip(batch, drafted, strict=True):
            assert example.tagging is not None
            text = ours.encoder.answer_text(ids, example.tagging)
            mentions = tagged.read(text, example.tagging)
            assert all(m.span and m.text == example.tagging.source[m.span.start : m.span.end] for m in mentions)
            num_mentions += len(mentions)
    assert num_mentions > len(given), "the case is empty: hardly a tag was chosen"
