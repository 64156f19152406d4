"""A toy of a task and of a model that can learn it within seconds: which word of a sentence is a drug."""

from __future__ import annotations

from functools import cache
from typing import Any

from taiyi import tagged
from taiyi.checkpoint import Checkpoint
from taiyi.schema import Choice, Example, Mention, Mentions, Message, Shown, Span, Tagging
from taiyi.train.model import scratch
from taiyi.train.tokenizer import train_bpe

DRUGS = ("aspirin", "codeine", "insulin", "digoxin")
PLACES = ("home", "work", "sea", "school")
TYPES = (Shown(name="Chemical", shown="Drug"),)
CHECKPOINT = Checkpoint(recipe="toy", positions="aligned", decisions=True, max_tokens=64)


def tagged_examples(count: int = 16) -> list[Example]:
    """Return examples that ask to tag the drug of a sentence."""
    found: list[Example] = []
    for number in range(count):
        drug, place = DRUGS[number % 4], PLACES[number // 4 % 4]
        source = f"{drug} at {place}" if number % 3 else f"at {place} {drug}"
        start = source.index(drug)
        mention = Mention(type="Chemical", text=drug, span=Span(start, start + len(drug)))
        found.append(
            Example(
                id=f"toy/train/{number}#ner.en.01.tagged",
                corpus="toy",
                task="ner",
                lang="en",
                split="train",
                template="ner.en.01",
                form="tagged",
                record=str(number),
                messages=(Message(role="user", content=f"Drug: {source}"),),
                answer=source.replace(drug, f"<Drug>{drug}</Drug>"),
                gold=Mentions(items=(mention,)),
                types=TYPES,
                tagging=Tagging(source=source, tags=("Drug",), at=len("Drug: ")),
            )
        )
    return found


def yes_no_examples(count: int = 16) -> list[Example]:
    """Return examples that ask whether a word is a drug."""
    found: list[Example] = []
    for number in range(count):
        word = (*DRUGS, *PLACES)[number % 8]
        key = "yes" if word in DRUGS else "no"
        found.append(
            Example(
                id=f"toy/train/q{number}#qa_yesno.en.01.text",
                corpus="toy",
                task="qa_yesno",
                lang="en",
                split="train",
                template="qa_yesno.en.01",
                form="text",
                record=f"q{number}",
                messages=(Message(role="user", content=f"{word}?"),),
                answer=key,
                gold=Choice(key=key),
            )
        )
    return found


@cache
def tokenizer() -> Any:
    texts = [text for e in (*tagged_examples(), *yes_no_examples()) for text in (e.messages[0].content, e.answer)]
    return train_bpe(texts, vocab_size=330, tags=[tagged.open_tag("Drug"), tagged.close_tag("Drug")])


def model(seed: int = 1, max_positions: int = 128) -> Any:
    size: dict[str, Any] = {
        "hidden": 32,
        "layers": 2,
        "heads": 2,
        "kv_heads": 2,
        "feed_forward": 64,
        "max_positions": max_positions,
    }
    return scratch(tokenizer(), **size, seed=seed)
