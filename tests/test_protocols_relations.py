"""Protocols of relations, by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from answers import a_set, asked, record, together, value, values
from taiyi import tasks
from taiyi.evaluate import protocols
from taiyi.evaluate.protocols import relations
from taiyi.evaluate.run import Answered
from taiyi.schema import Triple, Triples

RE = a_set("re")


def triples(*items: tuple[str, str, str]) -> Triples:
    return Triples(items=tuple(Triple(head=head, tail=tail, type=type) for head, tail, type in items))


def test_a_wrong_type_keeps_its_ends_and_a_part_of_a_name_overlaps() -> None:
    gold = triples(("aspirin", "severe headache", "treats"), ("smoking", "cancer", "causes"), ("a", "b", "causes"))
    given = triples(("aspirin", "Headache", "treats"), ("smoking", "cancer", "treats"))
    records = [record(0, "re", gold, given, types=("treats", "causes"))]
    assert value(RE, "own", records) == 0.0
    # Ends: smoking and cancer alone: 1 of 2, 1 of 3.
    assert value(RE, "ends", records) == pytest.approx(2 / 5)
    # Overlap: the headache alone: 1 of 2, 1 of 3.
    found = values(RE, "relaxed", records)["loose_f1"]
    assert (found.precision, found.recall) == (0.5, pytest.approx(1 / 3))


def test_one_answer_may_find_several_by_overlap() -> None:
    gold = triples(("acute liver failure", "x", "r"), ("chronic liver failure", "x", "r"))
    found = values(RE, "relaxed", [record(0, "re", gold, triples(("liver failure", "x", "r")))])["loose_f1"]
    assert (found.precision, found.recall, found.value) == (1.0, 1.0, 1.0)


def test_an_end_without_text_overlaps_nothing() -> None:
    gold = triples(("liver failure", "x", "r"))
    found = values(RE, "relaxed", [record(0, "re", gold, triples(("", "", "r"), ("", "x", "r")))])["loose_f1"]
    assert (found.precision, found.recall) == (0.0, 0.0)


def test_cmeie_compares_small_letters_without_the_marks_of_titles() -> None:
    test_set = a_set("re", corpus="cmeie_v2")
    gold = triples(("《HIV感染》", "CD4", "实验室检查"), ("脑炎", "MRI", "影像学检查"))
    given = triples(("hiv感染", "cd4", "实验室检查"), ("脑炎", "mri", "影像学检查"), ("脑炎", "MRI", "影像学检查"))
    records = [record(0, "re", gold, given, corpus="cmeie_v2")]
    # mri and MRI are one: 2 of 2, and for PromptCBLUE, as for the paper, 1 of 3 and 1 of 2.
    assert value(test_set, "cblue", records) == 1.0
    assert value(test_set, "promptcblue", records) == value(test_set, "own", records) == pytest.approx(2 / 5)
    assert relations.cmeie("《HIV") == "《hiv"


def pair(number: int, names: tuple[str, str], gold: Triples, given: Triples | None) -> tuple[object, Triples | None]:
    prompt = f"<e1>{names[0]}</e1> and <e2>{names[1]}</e2>"
    return asked(0, "rc", gold, source=prompt, part=number, types=("activates", "inhibits")), given


def test_pairs_are_items_as_in_blurb() -> None:
    # Pair 0: activates, right. Pair 1: inhibits, answered the other way round. Pair 2: nothing, answered inhibits.
    # Pair 3: nothing and nothing. Pair 4: activates, unparsable. 1 right, 2 too many, 2 missed.
    pairs = [
        pair(0, ("a", "b"), triples(("a", "b", "activates")), triples(("a", "b", "activates"))),
        pair(1, ("a", "c"), triples(("a", "c", "inhibits")), triples(("c", "a", "inhibits"))),
        pair(2, ("a", "d"), triples(), triples(("a", "d", "inhibits"))),
        pair(3, ("a", "e"), triples(), triples()),
        pair(4, ("a", "f"), triples(("a", "f", "activates")), None),
    ]
    examples, answers = [one for one, _ in pairs], [other for _, other in pairs]
    task = tasks.get("rc")
    gold = task.merge([(one, one.gold) for one in examples])  # pyright: ignore
    given = task.merge([(one, other) for one, other in pairs if other is not None])  # pyright: ignore
    records = [together(examples, answers, gold, given)]  # pyright: ignore
    found = values(a_set("rc"), "blurb", records)["micro_f1"]
    assert (found.precision, found.recall) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    [score] = protocols.get(a_set("rc"), "blurb").scores(records).scores
    assert (score.counts["activates"].tp, score.counts["activates"].fn) == (1, 1)
    assert (score.counts["inhibits"].fp, score.counts["inhibits"].fn) == (2, 1)
    assert (score.num_answers, score.unparsable) == (5, {"empty": 1})


def test_a_type_of_a_pair_counts_once_however_many_names_it_has() -> None:
    # Two names of one concept: two triples for the own score, one item by pair.
    gold = triples(("a", "b", "activates"), ("A", "b", "activates"))
    example = asked(0, "rc", gold, source="<e1>a</e1> <e1>A</e1> <e2>b</e2>", types=("activates",))
    records = [together([example], [gold], gold, gold)]
    [score] = protocols.get(a_set("rc"), "blurb").scores(records).scores
    assert score.counts["activates"].tp == 1
    [own] = protocols.get(a_set("rc"), "own").scores(records).scores
    assert own.counts["activates"].tp == 2


def test_nothing_and_unparsable() -> None:
    test_set = a_set("re", corpus="cmeie_v2")
    nothing: Sequence[Answered] = [record(0, "re", triples(), triples())]
    broken = [record(0, "re", triples(("a", "b", "r")), None)]
    for protocol in protocols.of(test_set):
        assert value(test_set, protocol.name, nothing) is None
        assert value(test_set, protocol.name, broken) == 0.0
        assert value(test_set, protocol.name, [record(0, "re", triples(), triples(("a", "b", "r")))]) == 0.0
