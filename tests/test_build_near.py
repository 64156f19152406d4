"""Near duplicates: against brute force, in any order, and the recall that is promised."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi.build import near
from taiyi.build.shingles import covered, jaccard, points, runs, runs_of_all
from taiyi.text import normalise

THRESHOLD = 0.8
LETTERS = "abcdefghijklmnopqrstuvwxyz患者因反复咳嗽痰三周入院胸片显示右下肺炎给予抗生素治疗后体温恢复正常"


def _grams(text: str, length: int = near.SHINGLE) -> set[str]:
    form = normalise(text)
    return {form[i : i + length] for i in range(len(form) - length + 1)}


def _similarity(first: str, second: str) -> float:
    return len(_grams(first) & _grams(second)) / len(_grams(first) | _grams(second))


def _brute(texts: list[str], threshold: float) -> dict[int, int]:
    """Every text that is not the first of its cluster, and that first one."""
    first = list(range(len(texts)))
    long = [len(normalise(text)) >= near.SHORTEST for text in texts]
    for _ in texts:
        for i in range(len(texts)):
            for j in range(i):
                if long[i] and long[j] and first[i] != first[j] and _similarity(texts[i], texts[j]) >= threshold:
                    first[i] = first[j] = min(first[i], first[j])
    return {i: k for i, k in enumerate(first) if i != k}


@st.composite
def _clusters(draw: st.DrawFn) -> list[str]:
    """Texts, and copies of them in which some letters are others: alike to all degrees."""
    source = random.Random(draw(st.integers(0, 2**32)))
    texts: list[str] = []
    for _ in range(draw(st.integers(1, 4))):
        text = "".join(source.choices(LETTERS, k=draw(st.integers(20, 150))))
        texts.append(text)
        for _ in range(draw(st.integers(0, 3))):
            letters = list(text)
            for at in draw(st.lists(st.integers(0, len(letters) - 1), max_size=6)):
                letters[at] = source.choice(LETTERS)
            texts.append("".join(letters))
    return draw(st.permutations(texts))


def texts_of(texts: Sequence[str]) -> Callable[[Sequence[int]], Sequence[str]]:
    return lambda indices: [texts[index] for index in indices]


def _found(texts: list[str], threshold: float = THRESHOLD, **options: Any) -> dict[int, int]:
    matches = near.near_duplicates(near.signatures(texts), texts_of(texts), threshold, **options)
    for match in matches:
        assert match.similarity == pytest.approx(_similarity(texts[match.index], texts[match.kept]))
    return {match.index: match.kept for match in matches}


@settings(max_examples=60, deadline=None)
@given(_clusters())
def test_equals_brute_force(texts: list[str]) -> None:
    # Rows of two values in 60 bands: no pair at the threshold is missed, so that clusters are equal.
    assert _found(texts, bands=60, rows=2) == _brute(texts, THRESHOLD)


@settings(max_examples=60, deadline=None)
@given(_clusters(), st.randoms())
def test_neither_order_nor_batches_matter_and_nothing_is_left(texts: list[str], source: Any) -> None:
    found = _found(texts)
    order = list(range(len(texts)))
    source.shuffle(order)
    again = _found([texts[i] for i in order], rank=np.array(order, dtype=np.int64))
    assert {order[index]: order[kept] for index, kept in again.items()} == found
    left = [text for index, text in enumerate(texts) if index not in found]
    assert _found(left) == {}
    one_by_one = np.concatenate([near.signatures([text]) for text in texts])
    assert np.array_equal(one_by_one, near.signatures(texts))


def test_recall_at_the_threshold() -> None:
    source = random.Random(1)
    texts: list[str] = []
    while len(texts) < 1200:
        letters = source.choices(LETTERS, k=300)
        text = "".join(letters)
        while _similarity(text, "".join(letters)) > THRESHOLD + 0.02:
            letters[source.randrange(300)] = source.choice(LETTERS)
        if _similarity(text, "".join(letters)) >= THRESHOLD:
            texts += [text, "".join(letters)]
    found = _found(texts)
    assert all(kept == index - 1 for index, kept in found.items())
    assert len(found) >= 0.99 * len(texts) / 2


def test_signatures_are_those_of_any_run() -> None:
    # Of another version of the library, signatures are others, and so the few pairs at the threshold that are missed.
    row = near.signatures(
        ["患者因反复咳嗽、咳痰三周入院。 The patient was admitted with cough and sputum for three weeks."]
    )
    assert row.dtype == np.uint32
    assert row[0, :4].tolist() == [1057834345, 2000621502, 3225146420, 1237154133]


def test_short_texts_have_no_near_duplicates() -> None:
    texts = ["What are the symptoms of type 1 diabetes", "What are the symptoms of type 2 diabetes"]
    assert not near.signed(near.signatures(texts)).any()
    assert _found(texts, 0.1) == {}
    assert near.near_duplicates(near.signatures([]), texts_of([]), THRESHOLD) == []


def test_a_crowd_hangs_together() -> None:
    source = random.Random(2)
    text = "".join(source.choices(LETTERS, k=200))
    texts = [text + source.choice(LETTERS) for _ in range(1500)]
    assert set(_found(texts).values()) == {0}


@given(st.text(max_size=80))
def test_points_are_those_of_the_normal_form(text: str) -> None:
    assert "".join(map(chr, points(text).tolist())) == normalise(text)


@given(st.lists(st.text("ab", max_size=30), max_size=5), st.integers(1, 9))
def test_runs_are_equal_where_the_strings_are(texts: list[str], length: int) -> None:
    hashes, bounds = runs_of_all([points(text) for text in texts], length)
    strings = [text[i : i + length] for text in texts for i in range(len(text) - length + 1)]
    assert bounds[-1] == len(hashes) == len(strings)
    assert len(set(hashes.tolist())) == len(set(strings))
    assert len(set(zip(hashes.tolist(), strings, strict=True))) == len(set(strings))
    for index, text in enumerate(texts):
        own = hashes[int(bounds[index]) : int(bounds[index + 1])]
        assert np.array_equal(own, runs(points(text), length))


@given(st.text("abc", max_size=40), st.text("abc", max_size=40), st.integers(1, 6))
def test_what_is_covered_and_how_alike(first: str, second: str, length: int) -> None:
    marked: set[int] = set()
    for at in range(len(first) - length + 1):
        if first[at : at + length] in second:
            marked |= set(range(at, at + length))
    assert covered(points(first), points(second), length) == len(marked)
    one, other = _grams(first, length), _grams(second, length)
    expected = len(one & other) / len(one | other) if one and other else 0.0
    assert jaccard(*(np.unique(runs(points(text), length)) for text in (first, second))) == pytest.approx(expected)
