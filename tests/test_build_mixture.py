"""Mixtures: what is asked for is what is drawn, within every limit, whatever the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.build.mixture import MixtureSettings, Source, allocate, draws


def source(name: str, records: int, task: str = "ner", lang: str = "en") -> Source:
    return Source(corpus=name, task=task, lang=lang, num_records=records)  # pyright: ignore[reportArgumentType]


SOURCES = [source("a", 1000), source("b", 100), source("c", 10, "tc"), source("d", 400, "tc", "zh")]


def test_without_settings_everything_is_drawn_once() -> None:
    assert allocate(SOURCES, MixtureSettings()) == [1000, 100, 10, 400]


def test_a_limit_holds_for_each_corpus() -> None:
    assert allocate(SOURCES, MixtureSettings(max_records=150)) == [150, 100, 10, 150]


def test_a_task_is_limited_in_proportion() -> None:
    assert allocate(SOURCES, MixtureSettings(max_task_records={"ner": 220})) == [200, 20, 10, 400]


def test_temperature_brings_sizes_together() -> None:
    plain = allocate(SOURCES[:2], MixtureSettings(total_records=110, temperature=1.0))
    warm = allocate(SOURCES[:2], MixtureSettings(total_records=110, temperature=0.5))
    assert plain == [100, 10]
    assert warm == [84, 26]


def test_a_small_corpus_is_repeated_up_to_the_limit() -> None:
    drawn = allocate(SOURCES[1:3], MixtureSettings(total_records=1000, max_epochs=3))
    assert drawn == [300, 30]


def test_languages_get_their_shares() -> None:
    settings = MixtureSettings(langs={"en": 1, "zh": 1})
    drawn = allocate(SOURCES, settings)
    assert sum(drawn[:3]) == drawn[3] == 400


sources = st.lists(
    st.builds(
        Source,
        corpus=st.sampled_from("abcd"),
        task=st.sampled_from(["ner", "tc"]),
        lang=st.sampled_from(["en", "zh"]),
        num_records=st.integers(0, 5000),
        num_wordings=st.integers(1, 5),
    ),
    min_size=1,
    max_size=8,
)
mixtures = st.builds(
    MixtureSettings,
    total_records=st.none() | st.integers(1, 20_000),
    temperature=st.floats(0.1, 1),
    max_records=st.none() | st.integers(1, 3000),
    max_task_records=st.dictionaries(st.sampled_from(["ner", "tc"]), st.integers(1, 3000)),
    max_epochs=st.floats(1, 5),
)


@given(sources=sources, settings=mixtures)
def test_no_limit_is_passed_and_the_total_is_met_where_it_can_be(
    sources: list[Source], settings: MixtureSettings
) -> None:
    drawn = allocate(sources, settings)
    repeats = settings.max_epochs if settings.total_records is not None else 1
    limits = [
        min(repeats * min(s.num_records, settings.max_records or s.num_records), s.num_records * s.num_wordings)
        for s in sources
    ]
    assert all(0 <= n <= limit + 1e-6 for n, limit in zip(drawn, limits, strict=True))
    for task, most in settings.max_task_records.items():
        assert sum(n for s, n in zip(sources, drawn, strict=True) if s.task == task) <= most
    if settings.total_records is not None:
        assert sum(drawn) <= settings.total_records
        if not settings.max_task_records:
            assert sum(drawn) >= min(settings.total_records, sum(map(int, limits))) - len(sources)


@given(sources=sources, settings=mixtures, random=st.randoms(use_true_random=False))
def test_the_order_of_sources_does_not_matter(sources: list[Source], settings: MixtureSettings, random: object) -> None:
    one = dict(zip(range(len(sources)), allocate(sources, settings), strict=True))
    order = list(range(len(sources)))
    random.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue]
    other = dict(zip(order, allocate([sources[i] for i in order], settings), strict=True))
    assert all(abs(one[i] - other[i]) <= 1 for i in order)


@given(
    places=st.lists(st.text("abc", min_size=1), min_size=1, unique=True, max_size=30),
    total=st.integers(0, 100),
    seed=st.integers(0, 5),
)
def test_records_are_drawn_evenly_and_by_the_seed_alone(places: list[str], total: int, seed: int) -> None:
    counts = dict(zip(places, draws(places, total, seed), strict=True))
    assert sum(counts.values()) == total
    assert max(counts.values()) - min(counts.values()) <= 1
    again = sorted(places)
    assert dict(zip(again, draws(again, total, seed), strict=True)) == counts


def test_another_seed_draws_others() -> None:
    places = [str(n) for n in range(100)]
    assert draws(places, 10, 1) != draws(places, 10, 2)


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"max_epochs": 0.5}, {"total_records": 0}, {"langs": {"fr": 1}}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        MixtureSettings(**wrong)  # pyright: ignore[reportArgumentType]
