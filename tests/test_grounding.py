"""The choices of tagged answers over tokens: tags of one token and of several, and tokens that could be either."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.grounding import Grounding, Placed, State
from taiyi.tagged import MAX_DEPTH

END = 99


def walk(grounding: Grounding, random: Random) -> list[int]:
    """Answer with tokens chosen at random, the end token apart."""
    state, tokens = State(), list[int]()
    while not state.ended:
        token = random.choice(grounding.allowed(state))
        state = grounding.advance(state, token)
        tokens.append(token)
    assert grounding.allowed(state) == ()
    return tokens[:-1]


# Token 1 stands for "<", which the source holds too; 2 for "/", 3 for ">", 4 and 5 for names.
MANY = {"opens": [(1, 4, 3), (1, 5, 3)], "closes": [(1, 2, 4, 3), (1, 2, 5, 3)], "end": END}
ONE = {"opens": [(50,), (51,)], "closes": [(60,), (61,)], "end": END}


def contains_tag(source: list[int], tags: list[tuple[int, ...]]) -> bool:
    return any(tuple(source[i : i + len(tag)]) == tag for tag in tags for i in range(len(source)))


@given(
    st.lists(st.integers(1, 8), min_size=1, max_size=12),
    st.sampled_from([ONE, MANY]),
    st.randoms(use_true_random=False),
)
def test_every_walk_is_an_answer_that_reads_in_one_way(source: list[int], tags: dict, random: Random) -> None:
    if contains_tag(source, [*tags["opens"], *tags["closes"]]):
        return
    grounding = Grounding(source, **tags)
    tokens = walk(grounding, random)
    placed = grounding.placed(tokens)
    rebuilt: list[int] = []
    done, stack = 0, list[Placed]()
    for place in placed:
        rebuilt.extend(source[done : place.at])
        done = place.at
        rebuilt.extend(tags["opens" if place.kind == "open" else "closes"][place.tag])
        if place.kind == "open":
            stack.append(place)
            assert len(stack) <= MAX_DEPTH
        else:
            opened = stack.pop()
            assert (opened.tag, True) == (place.tag, opened.at < place.at)
    assert not stack
    assert [*rebuilt, *source[done:]] == tokens


@given(
    st.lists(st.integers(1, 8), min_size=1, max_size=12),
    st.sampled_from([ONE, MANY]),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(1, 12)),
    st.randoms(use_true_random=False),
)
def test_a_walk_gives_the_choices_of_each_step(
    source: list[int], tags: dict, starts: set[int], stops: set[int], random: Random
) -> None:
    grounding = Grounding(source, **tags, starts=starts, stops=stops)
    tokens = [*walk(grounding, random), END]
    state, steps = State(), list[tuple[int, tuple[int, ...]]]()
    for token in tokens:
        steps.append((state.at, grounding.allowed(state)))
        state = grounding.advance(state, token)
    assert list(grounding.walk(tokens)) == steps


def test_choices_come_copy_first() -> None:
    grounding = Grounding([7, 8], **ONE)
    state = State()
    assert grounding.allowed(state) == (7, 50, 51)
    state = grounding.advance(state, 51)
    assert grounding.allowed(state) == (7, 50, 51)
    state = grounding.advance(state, 7)
    assert grounding.allowed(state) == (8, 61, 50, 51)
    state = grounding.advance(state, 8)
    assert grounding.allowed(state) == (61,)
    assert grounding.allowed(grounding.advance(state, 61)) == (END,)


def test_a_mention_begins_and_ends_only_where_it_may() -> None:
    grounding = Grounding([7, 8, 9], **ONE, starts=[1], stops=[2])
    state = State()
    assert grounding.allowed(state) == (7,)
    state = grounding.advance(grounding.advance(state, 7), 50)
    state = grounding.advance(state, 8)
    assert grounding.allowed(state) == (9, 60)
    state = grounding.advance(state, 9)
    assert grounding.allowed(state) == (60,), "what is open at the end of the source can be closed there"


def test_a_mention_may_begin_with_the_token_that_tags_begin_with() -> None:
    grounding = Grounding([7, 1, 8], **MANY)
    answer = [7, 1, 4, 3, 1, 8, 1, 2, 4, 3]
    state = State()
    for token in answer:
        assert token in grounding.allowed(state)
        state = grounding.advance(state, token)
    assert grounding.placed(answer) == [Placed("open", 0, 1), Placed("close", 0, 3)]
    assert grounding.allowed(state) == (END,)


def test_a_token_that_may_not_come_is_refused() -> None:
    with pytest.raises(ValueError, match="not among the choices"):
        Grounding([7], **ONE).advance(State(), 60)
    with pytest.raises(ValueError, match="not a whole"):
        Grounding([7], **ONE).placed([50, 7])
