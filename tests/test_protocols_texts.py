"""Protocols of texts: cases worked by hand, sacrebleu over a whole set, and rouge-score."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_chinese import Rouge
from rouge_score.rouge_scorer import RougeScorer

from answers import a_set, record, value, values
from taiyi.evaluate import protocols
from taiyi.evaluate.protocols.texts import sections
from taiyi.evaluate.run import Answered
from taiyi.metrics import bootstrap, text
from taiyi.schema import FreeText, Score

WORDS = ("the", "cat", "sat", "sitting", "on", "mats", "a", "dog", "ran,", "fast.")
ENGLISH = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
CHINESE = st.text(st.sampled_from("患者高血压糖尿病，。了MRI无"), min_size=1, max_size=20).filter(text.is_chinese)
PAIRS = st.lists(st.one_of(st.tuples(ENGLISH, ENGLISH), st.tuples(CHINESE, CHINESE)), min_size=1, max_size=8)


def written(pairs: Sequence[tuple[str, str | None]], task: str = "qa_sqa") -> list[Answered]:
    return [
        record(n, task, FreeText(text=gold), None if answer is None else FreeText(text=answer))
        for n, (gold, answer) in enumerate(pairs)
    ]


QA = a_set("qa_sqa", metric="chrf")


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_rouge_by_hand() -> None:
    # Stemmed: the cat sat | the cat sat on: 3 in common of 3 and 4: 6/7; bigrams 2 of 2 and 3: 4/5.
    assert text.rouge("the cats sat", "the cat sat on") == pytest.approx((6 / 7, 4 / 5, 6 / 7))
    # 患 者 有 高 血 压 | 患 者 有 糖 尿 病: 3 of 6 and 6, bigrams 2 of 5 and 5.
    assert text.rouge("患者有高血压", "患者有糖尿病") == pytest.approx((1 / 2, 2 / 5, 1 / 2))
    # Words of other scripts are whole, marks count, and case does not: mri 示 、 ct | MRI 示 ct.
    assert text.tokens("MRI示、ct2 扫描") == ["mri", "示", "、", "ct2", "扫", "描"]
    assert text.rouge("mri示、ct", "MRI示ct")[0] == pytest.approx(6 / 7)
    assert text.rouge("", "患者") == text.rouge("x", "患者") == (0.0, 0.0, 0.0)


def test_exact_match_and_f1_of_tokens_by_hand() -> None:
    # blood pressure | high blood pressure: 2 in common of 2 and 3.
    assert text.matches("The blood-pressure!", "bloodpressure") == (1.0, 1.0)
    assert text.matches("blood pressure", "a high blood pressure") == (0.0, pytest.approx(4 / 5))
    # 高 血 压 | 高 血 压 病: 3 of 3 and 4.
    assert text.matches("高血压。", "高血压病") == (0.0, pytest.approx(6 / 7))
    assert text.matches("the", "a!") == (1.0, 1.0), "neither says anything"
    assert text.matches("the", "x") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("given", "chinese"),
    [
        ("患者", True),
        ("MRI显示", True),
        ("MRI", False),
        ("", False),
        ("12", False),
        ("by 张 et al., of the authors", False),
    ],
)
def test_texts_are_taken_for_chinese_by_their_letters(given: str, chinese: bool) -> None:
    assert text.is_chinese(given) is chinese


def test_an_answer_that_cannot_be_read_counts_as_nothing_said() -> None:
    records = written([("the cat", "the cat"), ("the dog", None)])
    assert value(QA, "own", records) == 0.5
    assert value(QA, "rouge", records) == 0.5
    assert value(QA, "squad", records, "exact_match") == 0.5
    alone = written([("the dog ran", None)])
    for protocol in protocols.of(QA):
        assert value(QA, protocol.name, alone) == 0.0
    # Over a whole set, what is not said shortens the text: BLEU and chrF of both together.
    found = values(QA, "sacrebleu", records)
    assert found["bleu"].value == pytest.approx(
        sacrebleu.corpus_bleu(["the cat", ""], [["the cat", "the dog"]]).score / 100
    )


def test_reports_are_scored_by_section() -> None:
    gold = "主诉：咳嗽。\n现病史：三天。\n既往史：\n诊断：上呼吸道感染。"
    assert sections(gold) == {"主诉": "咳嗽。", "现病史": "三天。", "既往史": "", "诊断": "上呼吸道感染。"}
    assert sections("没有标题。") == {"": "没有标题。"}
    # Two sections as they are, one that is empty in both and so 无 。, and one that is missing: 无 。 has one of the
    # three tokens of 三 天 。, and no two: 2 / (2 + 3).
    records = written([(gold, "诊断：上呼吸道感染。\n主诉: 咳嗽。\n建议：多喝水。")], "report")
    found = values(a_set("report", metric="chrf"), "sections", records)
    assert found["rouge_l"].value == pytest.approx((3 + 2 / 5) / 4)
    assert found["rouge_2"].value == pytest.approx(3 / 4)


# --- beside the libraries --------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(ENGLISH, ENGLISH), min_size=1, max_size=8))
@settings(max_examples=40)
def test_a_set_of_english_texts_scores_as_sacrebleu_has_it(pairs: list[tuple[str, str]]) -> None:
    gold, answers = zip(*pairs, strict=True)
    found = values(QA, "sacrebleu", written(pairs))
    assert found["bleu"].value == pytest.approx(sacrebleu.corpus_bleu(answers, [gold]).score / 100, abs=1e-12)
    assert found["corpus_chrf"].value == pytest.approx(sacrebleu.corpus_chrf(answers, [gold]).score / 100, abs=1e-12)


@given(st.lists(st.tuples(CHINESE, CHINESE), min_size=1, max_size=8))
@settings(max_examples=40)
def test_a_set_of_chinese_texts_scores_as_sacrebleu_has_it(pairs: list[tuple[str, str]]) -> None:
    gold, answers = zip(*pairs, strict=True)
    found = values(QA, "sacrebleu", written(pairs))
    theirs = sacrebleu.corpus_bleu(answers, [gold], tokenize="zh").score / 100
    assert found["bleu"].value == pytest.approx(theirs, abs=1e-12)
    assert found["corpus_chrf"].value == pytest.approx(sacrebleu.corpus_chrf(answers, [gold]).score / 100, abs=1e-12)


@given(st.lists(st.tuples(ENGLISH, ENGLISH), min_size=1, max_size=6))
@settings(max_examples=40)
def test_rouge_of_english_is_the_mean_of_rouge_score(pairs: list[tuple[str, str]]) -> None:
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    theirs = [scorer.score(gold, answer) for gold, answer in pairs]
    found = values(QA, "rouge", written(pairs))
    for ours, name in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL")):
        mean = sum(score[name].fmeasure for score in theirs) / len(theirs)
        assert found[ours].value == pytest.approx(mean, abs=1e-12)


@given(st.lists(st.tuples(CHINESE, CHINESE), min_size=1, max_size=6))
@settings(max_examples=40)
def test_sections_score_as_rouge_chinese_has_them(pairs: list[tuple[str, str]]) -> None:
    gold, answers = ([" ".join(text.tokens(pair[side])) for pair in pairs] for side in (0, 1))
    theirs = Rouge().get_scores(answers, gold, avg=True)
    found = values(a_set("report", metric="chrf"), "sections", written(pairs, "report"))
    for ours, name in (("rouge_1", "rouge-1"), ("rouge_2", "rouge-2"), ("rouge_l", "rouge-l")):
        # Theirs adds 1e-8 to what it divides by.
        assert found[ours].value == pytest.approx(theirs[name]["f"], abs=1e-7)


@given(PAIRS)
@settings(max_examples=40)
def test_texts_are_worth_what_they_are_in_any_order_and_a_text_itself_is_worth_1(pairs: list[tuple[str, str]]) -> None:
    for name in ("sacrebleu", "rouge", "squad"):
        found, turned = (values(QA, name, written(given)) for given in (pairs, pairs[::-1]))
        for measure in found:
            assert found[measure].value == pytest.approx(turned[measure].value, abs=1e-12)
            assert 0.0 <= (found[measure].value or 0.0) <= 1.0 + 1e-12
    same = written([(gold, gold) for gold, _ in pairs])
    assert value(QA, "squad", same) == pytest.approx(1.0)
    assert value(QA, "sacrebleu", same, "corpus_chrf") == pytest.approx(1.0)


@given(PAIRS)
@settings(max_examples=40)
def test_bleu_adds_up_so_that_resamples_are_sets_of_texts(pairs: list[tuple[str, str]]) -> None:
    scores = protocols.get(QA, "sacrebleu").scores(written(pairs)).scores
    for measure in text.CORPUS:
        twice = measure.of([*scores, *scores])
        drawn = [*pairs, *pairs]
        again = protocols.get(QA, "sacrebleu").scores(written(drawn)).scores
        assert twice == measure.of(again)
        interval = bootstrap.interval(measure.sums(scores), range(len(scores)), resamples=20)
        assert interval is None or 0.0 <= interval.low <= interval.high <= 1.0 + 1e-12


def test_what_a_measure_of_sums_needs_must_be_there() -> None:
    with pytest.raises(ValueError, match=r"^1: 0 sums were given, and this measure needs more"):
        text.CORPUS[0].of([Score(record="1")])
