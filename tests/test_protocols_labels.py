"""Protocols of labels, pairs and choices: cases worked by hand, and scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, classification_report, f1_score

from answers import a_set, record, value, values
from taiyi.evaluate import protocols
from taiyi.evaluate.run import Answered
from taiyi.schema import Choice, Labels

TOPICS = ("Treatment", "Diagnosis", "Prevention")
SUBSETS = st.lists(st.sampled_from(TOPICS), unique=True, max_size=3).map(tuple)
MULTI = st.lists(st.tuples(SUBSETS, SUBSETS), min_size=1, max_size=20)
SINGLE = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=25)


def labelled(
    number: int, gold: Sequence[str], given: Sequence[str] | None, *, corpus: str, types: Sequence[Any], **more: str
) -> Answered:
    answer = None if given is None else Labels(items=tuple(given))
    task = more.pop("task", "tc")
    return record(number, task, Labels(items=tuple(gold)), answer, corpus=corpus, types=types, **more)


# --- documents whose sentences are asked about -----------------------------------------------------------------------


def hallmark(number: int, document: str, gold: Sequence[str], given: Sequence[str] | None) -> Answered:
    return labelled(number, gold, given, corpus="hallmarks_of_cancer", types=("x", "y", "none"), document=document)


def test_hallmarks_by_sentence_and_by_document() -> None:
    # Document d: gold x, none; answers none, x. By sentence nothing is right: 0 of 2. By document it is x and x.
    # Document e: gold y; answered none. One of two hallmarks is found, and nothing is wrong: F1 = 2/3.
    records = [
        hallmark(0, "d", ["x"], ["none"]),
        hallmark(1, "d", ["none"], ["x"]),
        hallmark(2, "e", ["y"], ["none"]),
    ]
    test_set = a_set("tc", corpus="hallmarks_of_cancer")
    assert value(test_set, "own", records) == 0.0
    found = values(test_set, "blurb", records)["micro_f1"]
    assert (found.value, found.precision, found.recall) == (pytest.approx(2 / 3), 1.0, 0.5)
    scores = protocols.get(test_set, "blurb").scores(records)
    assert [score.record for score in scores.scores] == scores.clusters == ["d", "e"]
    assert set(scores.scores[0].counts) == {"x"}
    # A document of which no sentence can be parsed is missed.
    broken = protocols.get(test_set, "blurb").scores(
        [hallmark(0, "d", ["x", "y"], None), hallmark(1, "d", ["x"], None)]
    )
    assert [(score.state, score.num_answers, score.unparsable) for score in broken.scores] == [
        ("unparsable", 2, {"empty": 2})
    ]
    assert sum(count.fn for count in broken.scores[0].counts.values()) == 2


# --- LitCovid --------------------------------------------------------------------------------------------------------


def test_instances_by_hand() -> None:
    # P and R of the articles: 1 and 1/2; 0 and 0; nothing to find and found: 1 and 1. Means 2/3 and 1/2; F1 = 4/7.
    test_set = a_set("tc", corpus="bc7_litcovid")
    pairs = [(("Treatment", "Diagnosis"), ("Treatment",)), (("Treatment",), ("Diagnosis",)), ((), ())]
    records = [labelled(n, *pair, corpus="bc7_litcovid", types=TOPICS) for n, pair in enumerate(pairs)]
    found = values(test_set, "litcovid", records)
    assert found["instance_f1"].precision == pytest.approx(2 / 3)
    assert found["instance_f1"].recall == pytest.approx(1 / 2)
    assert found["instance_f1"].value == pytest.approx(4 / 7)
    # 1 right, 1 too many, 2 missed.
    assert found["micro_f1"].value == pytest.approx(2 / 5)
    # Treatment: 1 of 2 found: 2/3. Diagnosis: 1 too many, 1 missed: 0. Prevention takes no part.
    assert found["macro_f1"].value == pytest.approx(1 / 3)


@given(MULTI)
@settings(max_examples=40)
def test_litcovid_scores_as_scikit_learn_has_it(pairs: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
    gold, given = (np.array([[t in pair[side] for t in TOPICS] for pair in pairs]) for side in (0, 1))
    report = classification_report(gold, given, target_names=TOPICS, output_dict=True, zero_division=0)
    records = [labelled(n, *pair, corpus="bc7_litcovid", types=TOPICS) for n, pair in enumerate(pairs)]
    found = values(a_set("tc", corpus="bc7_litcovid"), "litcovid", records)
    assert (found["micro_f1"].value or 0.0) == pytest.approx(report["micro avg"]["f1-score"], abs=1e-12)
    there = (gold | given).any(axis=0)
    if there.all():
        assert found["macro_f1"].value == pytest.approx(report["macro avg"]["f1-score"], abs=1e-12)
    exact = value(a_set("tc", corpus="bc7_litcovid"), "exact", records)
    assert exact == pytest.approx(accuracy_score(gold, given), abs=1e-12)
    # As the track's own script computes it, whose means are over articles.
    rates = [
        (1.0, 1.0)
        if not set(g) | set(a)
        else (len(set(g) & set(a)) / max(1, len(a)), len(set(g) & set(a)) / max(1, len(g)))
        for g, a in pairs
    ]
    precision, recall = np.mean(rates, axis=0).tolist()
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert found["instance_f1"].value == pytest.approx(f1, abs=1e-12)


# --- CBLUE and PromptCBLUE -------------------------------------------------------------------------------------------

QIC = (("病情诊断", "病情诊断"), ("其他", "其他"), ("治疗方案", "治疗方案"))
STS = (("0", "语义不同"), ("1", "语义相同"))


def said(number: int, gold: str, text: str, *, corpus: str, types: Sequence[tuple[str, str]], task: str) -> Answered:
    names = {shown: name for name, shown in types}
    given = [names[text]] if text in names else None
    return labelled(number, [gold], given, corpus=corpus, types=types, said=text, task=task)


def test_promptcblue_is_kinder_to_silence_than_accuracy() -> None:
    # Ten pairs, half of them alike, and a model that says nothing: nothing is right, but for PromptCBLUE, which takes
    # silence for "alike" (是的, the first of its list): F1 of 1 is 2/3, of 0 it is 0, and their weighted mean 1/3.
    test_set = a_set("tp_ss", corpus="chip_sts", metric="accuracy")
    silent = [said(n, str(n % 2), "", corpus="chip_sts", types=STS, task="tp_ss") for n in range(10)]
    assert value(test_set, "own", silent) == 0.0
    assert value(test_set, "cblue", silent) == 0.0
    assert value(test_set, "promptcblue", silent) == pytest.approx(1 / 3)
    # What it says otherwise is a class of its own, which no weight falls on.
    rambling = [said(n, str(n % 2), "也许", corpus="chip_sts", types=STS, task="tp_ss") for n in range(10)]
    assert value(test_set, "promptcblue", rambling) == 0.0


def test_promptcblue_takes_silence_for_other_in_intents() -> None:
    # 其他 is gold once and 病情诊断 once; both answers are silent. F1 of 其他 is 2/3, of 病情诊断 it is 0: macro 1/3.
    test_set = a_set("tc", corpus="kuake_qic")
    records = [
        said(n, gold, "", corpus="kuake_qic", types=QIC, task="tc") for n, gold in enumerate(("其他", "病情诊断"))
    ]
    assert value(test_set, "promptcblue", records) == pytest.approx(1 / 3)
    assert value(test_set, "cblue", records) == 0.0
    # Of two that are right and one that rambles, the rambling adds a class: (1 + 2/3 + 0) / 3.
    records = [
        said(n, gold, text, corpus="kuake_qic", types=QIC, task="tc")
        for n, (gold, text) in enumerate((("其他", "其他"), ("病情诊断", "病情诊断"), ("病情诊断", "不知道")))
    ]
    assert value(test_set, "promptcblue", records) == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert value(test_set, "cblue", records) == pytest.approx(2 / 3)


@given(
    st.lists(
        st.tuples(st.sampled_from("012"), st.sampled_from(["无关", "子集", "等价", "", "也许"])),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=40)
def test_promptcblue_scores_as_scikit_learn_over_what_it_reads(pairs: list[tuple[str, str]]) -> None:
    types = (("0", "无关"), ("1", "子集"), ("2", "等价"))
    names = {shown: name for name, shown in types}
    records = [
        said(n, gold, text, corpus="kuake_qqr", types=types, task="tp_ss") for n, (gold, text) in enumerate(pairs)
    ]
    gold, read = [gold for gold, _ in pairs], [names.get(text, text) or "2" for _, text in pairs]
    theirs = f1_score(gold, read, average="weighted", zero_division=0)
    assert value(a_set("tp_ss", corpus="kuake_qqr", metric="accuracy"), "promptcblue", records) == pytest.approx(theirs)


def test_macro_f1_of_cblue_has_no_class_for_what_is_not_in_the_set() -> None:
    # Of three texts, one a and two b, one b is answered with something else. a: 1; b: 2/3. For scikit-learn, and for
    # the own macro-F1, which counts all classes that are named, there would be a third of 0.
    test_set = a_set("tc", corpus="chip_ctc", protocol="cblue", metric="macro_f1")
    answers = [(["a"], ["a"]), (["b"], ["b"]), (["b"], ["c"])]
    records = [labelled(n, *pair, corpus="chip_ctc", types=("a", "b")) for n, pair in enumerate(answers)]
    assert value(test_set, "cblue", records) == pytest.approx((1 + 2 / 3) / 2)
    assert value(test_set, "own", records, "macro_f1") == pytest.approx((1 + 2 / 3 + 0) / 3)


@given(SINGLE)
@settings(max_examples=40)
def test_pairs_score_as_scikit_learn_has_them(pairs: list[tuple[str, str]]) -> None:
    gold, given = zip(*pairs, strict=True)
    records = [labelled(n, [g], [a], corpus="c", types="abc", task="tp_te") for n, (g, a) in enumerate(pairs)]
    test_set = a_set("tp_te", metric="accuracy")
    found = values(test_set, "labels", records)
    assert value(test_set, "own", records) == pytest.approx(accuracy_score(gold, given))
    assert found["macro_f1"].value == pytest.approx(f1_score(gold, given, average="macro", zero_division=0))
    assert found["weighted_f1"].value == pytest.approx(f1_score(gold, given, average="weighted", zero_division=0))


def test_related_pairs_of_gad() -> None:
    # Two of three related ones are found, and one that is not related is taken for it: 2·2 / (2·2 + 1 + 1).
    pairs = [
        ("positive",) * 2,
        ("positive",) * 2,
        ("positive", "negative"),
        ("negative", "positive"),
        ("negative",) * 2,
    ]
    records = [labelled(n, [g], [a], corpus="gad", types=("positive", "negative")) for n, (g, a) in enumerate(pairs)]
    assert value(a_set("tc", corpus="gad"), "blurb", records) == pytest.approx(4 / 6)


# --- choices ---------------------------------------------------------------------------------------------------------


def chosen(number: int, gold: str, key: str | None, *, types: Sequence[str] = "ABCD", task: str = "qa_mc") -> Answered:
    return record(number, task, Choice(key=gold), None if key is None else Choice(key=key), types=types)


def test_what_cannot_be_read_is_wrong_or_a_or_left_out() -> None:
    # A is right and unread, B is right and read, B is right and unread, D is right and C is read.
    records = [chosen(0, "A", None), chosen(1, "B", "B"), chosen(2, "B", None), chosen(3, "D", "C")]
    test_set = a_set("qa_mc", metric="accuracy")
    assert value(test_set, "own", records) == 1 / 4
    assert value(test_set, "mirage", records) == 2 / 4
    assert value(test_set, "parsed", records) == 1 / 2
    assert value(test_set, "parsed", records[:1]) is None, "nothing was read"
    # Options that are not letters begin with their first.
    assert value(test_set, "mirage", [chosen(0, "1", None, types="123")]) == 1.0


def test_what_says_neither_yes_nor_no_is_yes_to_mirage() -> None:
    test_set = a_set("qa_yesno", metric="accuracy")
    records = [chosen(n, gold, None, types=(), task="qa_yesno") for n, gold in enumerate(("yes", "no", "maybe", "yes"))]
    assert value(test_set, "own", records) == 0.0
    assert value(test_set, "mirage", records) == 0.5
    # Macro-F1, as PubMedQA has beside accuracy: yes 1 of 2, and a no that is right: (2/3 + 1 + 0) / 3.
    keys = (("yes", "yes"), ("no", "no"), ("maybe", None), ("yes", None))
    answered = [chosen(n, *pair, types=(), task="qa_yesno") for n, pair in enumerate(keys)]
    assert value(test_set, "labels", answered, "macro_f1") == pytest.approx((2 / 3 + 1 + 0) / 3)


@pytest.mark.parametrize(
    ("task", "corpus", "metric"),
    [
        ("tc", "bc7_litcovid", "micro_f1"),
        ("tc", "hallmarks_of_cancer", "micro_f1"),
        ("tc", "kuake_qic", "micro_f1"),
        ("tc", "chip_ctc", "micro_f1"),
        ("tp_ss", "chip_sts", "accuracy"),
        ("tp_ss", "kuake_qqr", "accuracy"),
        ("tp_te", "c", "accuracy"),
    ],
)
def test_unparsable_answers_are_never_better_than_wrong_ones(task: str, corpus: str, metric: str) -> None:
    test_set = a_set(task, corpus=corpus, metric=metric)
    types = ("a", "b")
    broken = [labelled(n, ["a"], None, corpus=corpus, types=types, task=task, said="?") for n in range(3)]
    for protocol in protocols.of(test_set):
        assert value(test_set, protocol.name, broken) == 0.0, protocol.name
        assert all(s.state == "unparsable" for s in protocol.scores(broken).scores)
