"""Pairs of texts: labels, and grades on the scale of their corpus."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import strategies
from taiyi import catalogue, tasks
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.errors import RecipeError, SchemaError, Unparsable
from taiyi.evaluate import suites, tables
from taiyi.evaluate.aggregate import evaluate, verdict
from taiyi.schema import Example, Labels, Lang, Pair, Reject, Scale, Score, Shown, Value

PAIRED = (
    Shown(name="0", shown="not similar"),
    Shown(name="1", shown="similar"),
    Shown(name="2", shown="similar in part"),
)
FOUR = Scale(measure="similarity", lowest=0, highest=4)
SCALES = (
    FOUR,
    Scale(measure="relatedness", lowest=0, highest=1600),
    Scale(measure="relatedness", lowest=-2, highest=2),
)


def graded(scale: Scale = FOUR) -> tuple[Shown, ...]:
    return (Shown(name=scale.measure, shown=scale.measure, scale=scale),)


def pair(*, label: str | None = None, value: float | None = None, lang: Lang = "en") -> Pair:
    head: dict[str, Any] = {"id": "r1", "corpus": "c", "split": "test", "lang": lang}
    return Pair(**head, first="cold", second="flu", label=label, value=value)


def render(record: Pair, types: Sequence[Shown], *, name: str = "tp_ss", number: int = 1) -> Example:
    task = tasks.get(name)
    assert task.applies(record)
    made = task.render(record, tasks.load_templates(task, record.lang)[number - 1], form="answer", types=types)
    assert isinstance(made, Example), made
    return made


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_a_pair_is_asked_for_by_label_or_by_grade() -> None:
    labelled = render(pair(label="2"), PAIRED, number=5)
    assert labelled.messages[-1].content == (
        "Judge the semantic similarity of this pair.\n"
        "Possible judgements: not similar, similar, similar in part\nA: cold\nB: flu"
    )
    assert (labelled.answer, labelled.gold, labelled.types) == ("similar in part", Labels(items=("2",)), PAIRED)
    number = render(pair(value=3.32), graded(), number=5)
    assert number.messages[-1].content == "Score the semantic similarity of this pair (0 to 4).\nA: cold\nB: flu"
    assert (number.answer, number.gold, number.types) == ("3.32", Value(value=3.32, scale=FOUR), graded())
    assert (labelled.template, number.template) == ("tp_ss.en.05", "tp_ss.en.05")
    assert tasks.get("tp_ss").texts(pair(label="2")) == tasks.get("tp_ss").texts(pair(value=3.32))


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("scale", SCALES)
def test_every_wording_names_the_scale_and_gives_back_the_grade(scale: Scale, lang: Lang) -> None:
    task = tasks.get("tp_ss")
    wordings = tasks.load_templates(task, lang)

    @settings(max_examples=25)
    @given(strategies.pairs(graded=False), st.floats(scale.lowest, scale.highest))
    @example(pair(label="0"), -0.0)
    @example(pair(label="0"), 1e-7)
    def holds(drawn: Pair, value: float) -> None:
        record = msgspec.structs.replace(drawn, label=None, value=value)
        for template in wordings:
            made = task.render(record, template, form="answer", types=graded(scale))
            assert isinstance(made, Example), made
            prompt = made.messages[-1].content
            assert all(text in prompt for text in (record.first, record.second, scale.measure))
            assert all(f"{end:g}" in prompt for end in (scale.lowest, scale.highest))
            parsed = task.parse(made.answer, made)
            assert parsed == made.gold
            assert isinstance(parsed, Value)
            assert parsed.value == pytest.approx(value, abs=0.00501)
            score = task.score(made.gold, parsed, record=record.id)
            assert (score.value, score.grades) == (1.0, (parsed.value, parsed.value))

    holds()


@pytest.mark.parametrize(
    ("value", "written"),
    [(4.0, "4"), (0.0, "0"), (797.5, "797.5"), (-1.25, "-1.25"), (5 / 3, "1.67"), (3.4000000000000004, "3.4")],
)
def test_grades_are_written_as_corpora_write_them(value: float, written: str) -> None:
    scale = Scale(measure="relatedness", lowest=-1600, highest=1600)
    assert render(pair(value=value), graded(scale)).answer == written


def test_pairs_that_cannot_be_asked_for_are_rejected() -> None:
    task = tasks.get("tp_ss")
    template = tasks.load_templates(task, "en")[0]
    for record, types, reason in (
        (pair(label="9"), PAIRED, "a label is not in the corpus's set"),
        (pair(label="0"), (), "a label is not in the corpus's set"),
        (pair(label="0"), graded(), "a label is not in the corpus's set"),
        (pair(value=1.0), (), "the grades of the corpus have no scale"),
        (pair(value=1.0), PAIRED, "the grades of the corpus have no scale"),
        (pair(value=4.5), graded(), "the grade is outside of its scale"),
        (pair(value=math.nan), graded(), "the grade is outside of its scale"),
        (pair(value=math.inf), graded(), "the grade is outside of its scale"),
    ):
        made = task.render(record, template, form="answer", types=types)
        assert isinstance(made, Reject)
        assert made.reason == reason
    assert not tasks.get("tp_te").applies(pair(value=1.0))


def test_a_scale_has_an_extent() -> None:
    with pytest.raises(SchemaError, match="no extent"):
        Scale(measure="similarity", lowest=4, highest=4)


# --- the catalogue ---------------------------------------------------------------------------------------------------

GRADED = [corpus for corpus in catalogue.all_corpora() if corpus.scale is not None]


def test_what_is_graded_is_shown_in_the_language_of_the_record() -> None:
    task, corpus = tasks.get("tp_ss"), catalogue.get("umnsrs_relatedness")
    wanted = Selection(corpus=corpus.name, task="tp_ss")
    names: dict[Lang, str] = {"en": "relatedness", "zh": "相关度"}
    for lang, shown in names.items():
        assert fixed(task, corpus, wanted, lang) == [(Shown(name="relatedness", shown=shown, scale=corpus.scale),)]


def test_every_corpus_of_pairs_has_labels_or_a_scale() -> None:
    for corpus in catalogue.all_corpora():
        if {"tp_ss", "tp_te"} & set(corpus.tasks):
            assert bool(corpus.labels) != (corpus.scale is not None), corpus.name
    assert {corpus.name for corpus in GRADED} >= {"biosses", "umnsrs", "umnsrs_relatedness"}


def test_a_corpus_with_neither_has_nothing_to_ask_for() -> None:
    corpus = dataclasses.replace(catalogue.get("biosses"), scale=None)
    with pytest.raises(RecipeError, match="nothing to ask for"):
        fixed(tasks.get("tp_ss"), corpus, Selection(corpus="biosses", task="tp_ss"), "en")


@pytest.mark.real
@pytest.mark.parametrize("corpus", GRADED, ids=lambda corpus: corpus.name)
def test_real_grades_lie_on_their_scale(corpus: catalogue.Corpus) -> None:
    assert corpus.scale is not None
    root = catalogue.corpora_dir()
    for split in corpus.splits:
        if not corpus.layout(split, root):
            continue
        values = [item.value for item in catalogue.load(corpus, split, root) if isinstance(item, Pair)]
        assert all(value is not None and corpus.scale.lowest <= value <= corpus.scale.highest for value in values)


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("similar", "1"),
        ("Similar.", "1"),
        ("**Not similar**", "0"),
        ("similar in part", "2"),
        ("Answer: similar", "1"),
        ("The correct label is not similar.", "0"),
        ("similar, since both are infections", "1"),
        ("similar\nBoth are infections.", "1"),
        ("答案：similar。", "1"),
        ("similarly", None),
        ("similar to what?", None),
        ("very similar", None),
        ("similar-looking", None),
        ("", None),
    ],
)
def test_the_label_that_a_model_gives_is_read(text: str, label: str | None) -> None:
    task, made = tasks.get("tp_te"), render(pair(label="1"), PAIRED, name="tp_te")
    if label is None:
        with pytest.raises(Unparsable, match="names no label of the set"):
            task.parse(text, made)
    else:
        assert task.parse(text, made) == Labels(items=(label,))


def test_a_label_that_another_one_ends_with_is_not_taken_for_it() -> None:
    types = (Shown(name="0", shown="不相似"), Shown(name="1", shown="相似"))
    made = render(pair(label="1", lang="zh"), types)
    task = tasks.get("tp_ss")
    assert task.parse("不相似。", made) == Labels(items=("0",))
    assert task.parse("相似，问的是同一件事", made) == Labels(items=("1",))
    with pytest.raises(Unparsable):
        task.parse("二者并不相似", made)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.5", 3.5),
        (" 4. ", 4.0),
        ("**2**", 2.0),
        ("-1.5", -1.5),
        ("1e-07", 1e-7),
        ("Score: 3.5", 3.5),
        ("Similarity score of the pair: 3", 3.0),
        ("The similarity score is 3.5.", 3.5),
        ("3.5/4", 3.5),
        ("3.5 out of 4", 3.5),
        ("相似度得分：3.5分", 3.5),
        ("相关度：3，共4分", 3.0),
        ("I would say 3.5", 3.5),
        ("between 2 and 3", None),
        ("2-3", None),
        ("1,200", None),
        ("3.5.1", None),
        ("high", None),
        ("", None),
    ],
)
def test_the_grade_that_a_model_gives_is_read(text: str, value: float | None) -> None:
    scale = Scale(measure="similarity", lowest=-4, highest=4)
    task, made = tasks.get("tp_ss"), render(pair(value=1.0), graded(scale))
    if value is None:
        with pytest.raises(Unparsable, match="the answer is no number"):
            task.parse(text, made)
    else:
        assert task.parse(text, made) == Value(value=value, scale=scale)


@pytest.mark.parametrize("text", ["4.5", "-1", "1e999", "-1e999"])
def test_a_number_outside_of_the_scale_is_no_grade(text: str) -> None:
    with pytest.raises(Unparsable, match="outside of its scale"):
        tasks.get("tp_ss").parse(text, render(pair(value=1.0), graded()))


# --- how it is scored ------------------------------------------------------------------------------------------------


def test_grades_are_right_to_two_decimals_and_kept_with_their_gold() -> None:
    task = tasks.get("tp_ss")
    gold = Value(value=3.5, scale=FOUR)
    for value, right in ((3.5, 1.0), (3.504, 1.0), (3.51, 0.0), (3.4, 0.0)):
        score = task.score(gold, Value(value=value, scale=FOUR), record="r")
        assert (score.value, score.grades) == (right, (3.5, value))
    labels = task.score(Labels(items=("0",)), Labels(items=("1",)), record="r")
    assert (labels.value, labels.grades) == (0.0, None)


@pytest.mark.parametrize("scale", SCALES)
def test_in_place_of_an_answer_that_cannot_be_read_stands_the_middle_of_the_scale(scale: Scale) -> None:
    middle = (scale.lowest + scale.highest) / 2
    for value in (scale.lowest, middle, scale.highest):
        missed = tasks.get("tp_ss").score(Value(value=value, scale=scale), None, record="r", reason="why")
        assert (missed.value, missed.grades, missed.state, missed.reason) == (0.0, (value, middle), "unparsable", "why")


def test_a_graded_test_set_is_scored_by_correlation() -> None:
    (biosses,) = suites.get("biosses")
    task = tasks.get("tp_ss")

    def scores(*answers: float | None) -> list[Any]:
        said = [None if answer is None else Value(value=answer, scale=FOUR) for answer in answers]
        gold = [Value(value=value, scale=FOUR) for value in (0.0, 1.0, 2.0, 4.0)]
        return [task.score(g, p, record=str(n), reason="") for n, (g, p) in enumerate(zip(gold, said, strict=True))]

    perfect = evaluate(biosses, scores(0.0, 1.0, 2.0, 4.0))
    assert (perfect.metric, perfect.value, perfect.num_records) == ("pearson", pytest.approx(1.0), 4)
    assert evaluate(biosses, scores(1.0, 1.5, 2.0, 3.0)).value == pytest.approx(1.0), "half the slope goes as well"
    assert evaluate(biosses, scores(4.0, 3.0, 2.0, 0.0)).value == pytest.approx(-1.0)
    # gold 0 1 2 4 and answers 0 2 2 4, the second the middle: 8 / √(8.75 · 8), by hand.
    missed = evaluate(biosses, scores(0.0, None, 2.0, 4.0))
    assert missed.value == pytest.approx(8 / math.sqrt(8.75 * 8))
    assert missed.num_unparsable == 1
    assert evaluate(biosses, scores(2.0, 2.0, 2.0, 2.0)).value is None
    assert perfect.ci_low == pytest.approx(1.0)
    assert [verdict(score) for score in scores(0.0, 3.0, None, 4.0)] == [
        "right",
        "3 where the gold is 1",
        "unparsable",
        "right",
    ]


def graded_scores(gold: Sequence[float], answers: Sequence[float | None]) -> list[Score]:
    task = tasks.get("tp_ss")
    said = [None if answer is None else Value(value=answer, scale=FOUR) for answer in answers]
    return [
        task.score(Value(value=value, scale=FOUR), answer, record=str(n), reason="" if answer else "no number")
        for n, (value, answer) in enumerate(zip(gold, said, strict=True))
    ]


@given(st.lists(st.integers(0, 400).map(lambda grade: grade / 100), min_size=2, max_size=30, unique=True))
def test_a_model_that_says_nothing_has_no_correlation(gold: list[float]) -> None:
    (biosses,) = suites.get("biosses")
    silent = evaluate(biosses, graded_scores(gold, [None] * len(gold)), resamples=20)
    assert (silent.value, silent.ci_low, silent.ci_high) == (None, None, None)
    (row,) = tables.score_table([silent]).rows
    assert row.cells[2:5] == ("n/a", "n/a", f"{len(gold)} (100.0%)")


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=3, max_size=30), st.data())
def test_what_stands_for_an_answer_that_cannot_be_read_does_not_depend_on_its_gold(
    drawn: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Gold on the scale turned around gives the same r with the other sign, whichever answers cannot be read."""
    (biosses,) = suites.get("biosses")
    unread = data.draw(st.sets(st.integers(0, len(drawn) - 1)))
    gold = [g / 100 for g, _ in drawn]
    answers = [None if n in unread else p / 100 for n, (_, p) in enumerate(drawn)]
    turned = evaluate(biosses, graded_scores([4 - g for g in gold], answers), resamples=2)
    straight = evaluate(biosses, graded_scores(gold, answers), resamples=2)
    assert straight.num_unparsable == turned.num_unparsable == len(unread)
    assert (straight.value is None) == (turned.value is None)
    if straight.value is not None and turned.value is not None:
        assert turned.value == pytest.approx(-straight.value, abs=1e-9)
