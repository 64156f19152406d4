"""Drafts of free answers: what followed before, no longer than it pays, and answers are the same with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import test_generate_constrained as constrained
from taiyi import tasks
from taiyi.generate import free
from taiyi.generate.constrained import Vocabulary
from taiyi.generate.decoder import Decoder
from taiyi.generate.lookup import Lookup

TOKENS = st.lists(st.integers(0, 3), max_size=40)


def lookup(tokens: list[int]) -> Lookup:
    found = Lookup(tokens[: len(tokens) // 2])
    for token in tokens[len(tokens) // 2 :]:
        found.add(token)
    return found


@given(TOKENS, st.floats(0, 600), st.integers(0, 20))
def test_a_draft_is_what_followed_the_last_time(tokens: list[int], pass_tokens: float, most: int) -> None:
    draft = lookup(tokens).draft(pass_tokens, most)
    assert len(draft) <= most
    if not draft:
        return
    lengths = (5, 2, 1)
    places = {
        n: at for n in lengths for at in range(n, len(tokens)) if n < len(tokens) and tokens[at - n : at] == tokens[-n:]
    }
    longest = next(n for n in lengths if n in places)
    whole = tokens + draft
    assert all(whole[places[longest] + n] == token for n, token in enumerate(draft))


def test_the_dearer_a_pass_and_the_longer_the_match_the_longer_a_draft() -> None:
    repeated = [1, 2, 3, 4, 5, 6, 7] * 8
    lengths = [len(lookup(repeated).draft(cost, 99)) for cost in (0, 1, 4, 32, 512)]
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[-1] > 40
    short = [9, 8, 1, 3, 1]
    assert 0 < len(lookup(short).draft(32, 99)) < lengths[3]
    assert lookup([]).draft(32, 99) == lookup([1, 2, 3]).draft(32, 99) == []


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_answers_are_the_same_with_drafts_and_take_fewer_passes(
    held: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [constrained.example(*case) for case in constrained.CASES]
    ours = constrained.engine(constrained.model(seed))
    prompts = [ours.encoder.prompt(each.messages) for each in examples]
    ends = {ours.encoder.end}
    vocabulary = Vocabulary(constrained.tokenizer(), ends, len(constrained.tokenizer()))
    passes: list[int] = []
    feed = Decoder.feed

    def counted(self: Decoder, *fed: Any) -> Any:
        passes[-1] += 1
        return feed(self, *fed)

    monkeypatch.setattr(Decoder, "feed", counted)

    def answers(drafts: bool, size: int) -> dict[int, tuple[list[int], int | None]]:
        passes.append(0)
        found: dict[int, tuple[list[int], int | None]] = {}
        for at in range(0, len(examples), size):
            part = range(at, min(at + size, len(examples)))
            constraints = [vocabulary.constraint(tasks.grammar(examples[i])) if held else None for i in part]
            given = free.decode(
                ours.model, [prompts[i] for i in part], limits=[20 + i for i in part], ends=ends,
                constraints=constraints, drafts=drafts,
            )  # fmt: skip
            found |= {at + index: (list(ids), end) for index, ids, end in given}
        return found

    plain = answers(False, 4)
    assert answers(True, 4) == answers(True, 1) == answers(True, len(examples)) == plain
    assert passes[1] < passes[0]
    assert all(len(ids) <= 20 + i for i, (ids, _) in plain.items())


def test_what_comes_next_whatever_the_model_is_not_asked_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = constrained.engine(grammar=lambda _: 'start: "the answer is " ("yes" | "no") ", and nothing else"')
    asked = constrained.example("ner", "json", "en")
    fed: list[int] = []
    feed = Decoder.feed

    def counted(self: Decoder, tokens: Any, positions: Any) -> Any:
        fed.append(sum(map(len, tokens)))
        return feed(self, tokens, positions)

    monkeypatch.setattr(Decoder, "feed", counted)
    prediction = constrained.answers(ours, [asked])[asked.id]
    assert prediction.text.removeprefix("the answer is ") in ("yes, and nothing else", "no, and nothing else")
    assert prediction.finish == "stop"
    # One pass decides which, another where it ends.
    assert len(fed) <= 3
    cut = constrained.answers(ours, [asked], limit=5)[asked.id]
    assert (cut.finish, cut.num_tokens) == ("length", 5)
    assert prediction.text.startswith(cut.text)
