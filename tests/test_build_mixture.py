"""Mixtures: what is asked for is what is drawn, within every limit, whatever the order."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.build.mixture import MixtureSettings, Supply, allocate, draws, num_different, share_out
from taiyi.schema import Lang


def supply(name: str, records: int, task: str = "ner", lang: str = "en", **others: Any) -> Supply:
    return Supply(corpus=name, task=task, lang=lang, num_records=records, **others)  # pyright: ignore[reportArgumentType]


SUPPLIES = [supply("a", 1000), supply("b", 100), supply("c", 10, "tc"), supply("d", 400, "tc", "zh")]


def test_without_settings_everything_is_drawn_once() -> None:
    assert allocate(SUPPLIES, MixtureSettings()) == [1000, 100, 10, 400]


def test_a_limit_holds_for_each_corpus() -> None:
    assert allocate(SUPPLIES, MixtureSettings(max_records=150)) == [150, 100, 10, 150]


def test_a_task_is_limited_in_proportion() -> None:
    assert allocate(SUPPLIES, MixtureSettings(max_task_records={"ner": 220})) == [200, 20, 10, 400]


def test_temperature_brings_sizes_together() -> None:
    plain = allocate(SUPPLIES[:2], MixtureSettings(total_records=110, temperature=1.0))
    warm = allocate(SUPPLIES[:2], MixtureSettings(total_records=110, temperature=0.5))
    assert plain == [100, 10]
    assert warm == [84, 26]


def test_a_small_corpus_is_repeated_up_to_the_limit() -> None:
    drawn = allocate(SUPPLIES[1:3], MixtureSettings(total_records=1000, max_epochs=3))
    assert drawn == [300, 30]


def test_languages_get_their_shares() -> None:
    settings = MixtureSettings(langs={"en": 1, "zh": 1})
    drawn = allocate(SUPPLIES, settings)
    assert sum(drawn[:3]) == drawn[3] == 400


@pytest.mark.parametrize("others", [[], [supply("z", 0, lang="zh")], [supply("z", 50, lang="zh", draws=7)]])
@pytest.mark.parametrize("total", [None, 500])
def test_a_language_that_has_nothing_to_draw_leaves_the_others_alone(others: list[Supply], total: int | None) -> None:
    settings = MixtureSettings(langs={"en": 1, "zh": 1}, total_records=total)
    assert allocate([supply("a", 1000), *others], settings) == [total or 1000, *(s.draws or 0 for s in others)]


def test_of_a_language_that_is_not_named_nothing_is_drawn() -> None:
    pair = [supply("a", 1000), supply("a", 500, lang="zh")]
    assert allocate(pair, MixtureSettings(langs={"en": 2})) == [1000, 0]
    assert allocate(pair, MixtureSettings(langs={"en": 2}, max_task_records={"ner": 60}, max_records=90)) == [60, 0]


@pytest.mark.parametrize(
    ("total", "epochs", "expected"),
    [(None, 1, [100, 100]), (None, 5, [100, 100]), (1000, 1, [100, 100]), (1000, 3, [300, 300]), (120, 3, [60, 60])],
)
def test_shares_hold_whatever_the_total(total: int | None, epochs: float, expected: list[int]) -> None:
    settings = MixtureSettings(total_records=total, max_epochs=epochs, langs={"en": 1, "zh": 1})
    assert allocate([supply("a", 10_000), supply("b", 100, lang="zh")], settings) == expected


def test_what_a_small_corpus_cannot_give_another_of_its_language_does() -> None:
    supplies = [supply("a", 10_000), supply("b", 10), supply("c", 5000, lang="zh")]
    settings = MixtureSettings(total_records=2000, temperature=0.1, langs={"en": 1, "zh": 1})
    assert allocate(supplies, settings) == [990, 10, 1000]


def test_the_different_records_of_a_corpus_are_limited_however_often_they_are_drawn() -> None:
    settings = MixtureSettings(max_records=100, total_records=300, max_epochs=3)
    corpus = [supply("a", 1000)]
    assert num_different(corpus, settings) == [100]
    assert allocate(corpus, settings) == [300]


def test_languages_and_selections_share_the_limit_of_their_corpus() -> None:
    supplies = [supply("a", 600), supply("a", 300, lang="zh"), supply("a", 100), supply("a", 50, "tc")]
    supplies += [supply("a", 500, draws=70), supply("b", 40)]
    assert num_different(supplies, MixtureSettings(max_records=90)) == [54, 27, 9, 50, 500, 40]
    assert allocate(supplies, MixtureSettings(max_records=90)) == [54, 27, 9, 50, 70, 40]


@given(
    sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=6),
    total=st.integers(0, 5000),
)
def test_what_is_shared_out_is_whole_and_in_proportion(sizes: list[int], total: int) -> None:
    parts = share_out(total, sizes)
    assert sum(parts) == (total if any(sizes) else 0)
    assert all(abs(part - total * size / (sum(sizes) or 1)) < 1 for part, size in zip(parts, sizes, strict=True))


@pytest.mark.parametrize(("total", "expected"), [(1, [1, 0]), (3, [2, 1]), (4, [2, 2])])
def test_halves_are_not_lost_or_made(total: int, expected: list[int]) -> None:
    assert share_out(total, [7, 7]) == expected


supplies = st.lists(
    st.builds(
        Supply,
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
    langs=st.dictionaries(st.sampled_from(["en", "zh"]), st.floats(0.2, 5)),
    max_epochs=st.floats(1, 5),
)


@given(supplies=supplies, settings=mixtures)
def test_no_limit_is_passed_and_the_total_is_met_where_it_can_be(
    supplies: list[Supply], settings: MixtureSettings
) -> None:
    drawn, different = allocate(supplies, settings), num_different(supplies, settings)
    repeats = settings.max_epochs if settings.total_records is not None else 1
    limits = [int(min(repeats, s.num_wordings) * n + 1e-9) for s, n in zip(supplies, different, strict=True)]
    assert all(0 <= n <= limit for n, limit in zip(drawn, limits, strict=True))
    for task, most in settings.max_task_records.items():
        assert sum(n for s, n in zip(supplies, drawn, strict=True) if s.task == task) <= most
    if settings.total_records is not None:
        assert sum(drawn) <= settings.total_records
    if not settings.max_task_records and not settings.langs:
        assert sum(drawn) == min(settings.total_records or sum(limits), sum(limits))


@given(supplies=supplies, settings=mixtures)
def test_a_corpus_and_task_has_no_more_different_records_than_its_limit(
    supplies: list[Supply], settings: MixtureSettings
) -> None:
    different = num_different(supplies, settings)
    assert all(0 <= n <= s.num_records for s, n in zip(supplies, different, strict=True))
    for key in {(s.corpus, s.task) for s in supplies}:
        found = [(s, n) for s, n in zip(supplies, different, strict=True) if (s.corpus, s.task) == key]
        there = sum(s.num_records for s, _ in found if not settings.langs or s.lang in settings.langs)
        assert sum(n for _, n in found) == min(there, settings.max_records or there)


@given(supplies=supplies, settings=mixtures, shares=st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)))
def test_languages_have_their_shares_and_as_much_as_these_allow(
    supplies: list[Supply], settings: MixtureSettings, shares: tuple[float, float]
) -> None:
    langs: dict[Lang, float] = {"en": shares[0], "zh": shares[1]}
    settings = settings.model_copy(update={"langs": langs, "max_task_records": {}})
    drawn, different = allocate(supplies, settings), num_different(supplies, settings)
    repeats = settings.max_epochs if settings.total_records is not None else 1
    most: dict[Lang, int] = dict.fromkeys(langs, 0)
    got: dict[Lang, int] = dict.fromkeys(langs, 0)
    for s, n, limit in zip(supplies, drawn, different, strict=True):
        most[s.lang] += int(min(repeats, s.num_wordings) * limit + 1e-9)
        got[s.lang] += n
    there: dict[Lang, float] = {lang: share for lang, share in langs.items() if most[lang]}
    sums = [most[lang] / share * sum(there.values()) for lang, share in there.items()]
    total = min([settings.total_records or sum(most.values()), *sums]) if there else 0
    assert abs(sum(got.values()) - total) <= 0.5 + 1e-6
    assert all(abs(got[k] - total * there.get(k, 0) / (sum(there.values()) or 1)) < 1 + 1e-6 for k in langs)


@given(supplies=supplies, settings=mixtures)
def test_no_total_is_a_total_of_all_there_is_once(supplies: list[Supply], settings: MixtureSettings) -> None:
    without = settings.model_copy(update={"total_records": None})
    large = settings.model_copy(update={"total_records": 10**6, "max_epochs": 1.0})
    assert allocate(supplies, without) == allocate(supplies, large)


@given(supplies=supplies, settings=mixtures, random=st.randoms(use_true_random=False))
def test_the_order_of_supplies_does_not_matter(supplies: list[Supply], settings: MixtureSettings, random: Any) -> None:
    order = list(supplies)
    random.shuffle(order)
    for ask in (allocate, num_different):
        one = sorted(zip(supplies, ask(supplies, settings), strict=True))
        assert one == sorted(zip(order, ask(order, settings), strict=True))


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


@given(
    places=st.lists(st.text("abc", min_size=1), min_size=1, unique=True, max_size=30),
    total=st.integers(0, 100),
    different=st.integers(0, 40),
    seed=st.integers(0, 5),
)
def test_no_more_different_records_are_drawn_than_may_be(
    places: list[str], total: int, different: int, seed: int
) -> None:
    counts = dict(zip(places, draws(places, total, seed, different), strict=True))
    drawn = {place for place, count in counts.items() if count}
    assert len(drawn) == min(total, different, len(places))
    assert sum(counts.values()) == (total if different else 0)
    assert max(counts.values()) <= ceil(total / max(1, min(different, len(places))))
    # The same ones as where each is drawn once.
    assert drawn == {place for place, count in zip(places, draws(places, len(drawn), seed), strict=True) if count}


def test_another_seed_draws_others() -> None:
    places = [str(n) for n in range(100)]
    assert draws(places, 10, 1) != draws(places, 10, 2)


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"max_epochs": 0.5}, {"total_records": 0}, {"langs": {"fr": 1}}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        MixtureSettings(**wrong)  # pyright: ignore[reportArgumentType]
