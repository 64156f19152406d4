"""Protocols of events, coreference, concepts and decision trees, by hand."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers import a_set, record, value, values
from taiyi.evaluate import protocols
from taiyi.metrics import coreference, trees
from taiyi.metrics.measures import Measure
from taiyi.schema import (
    Chains,
    Filler,
    Happening,
    Happenings,
    Normalisations,
    Normalised,
    Score,
    Tree,
    TreeNode,
    Triple,
)

# --- events ----------------------------------------------------------------------------------------------------------


def event(type: str, trigger: str, *fillers: tuple[str, str]) -> Happening:
    return Happening(type=type, trigger=trigger, fillers=tuple(Filler(role=role, text=text) for role, text in fillers))


def test_triggers_and_arguments_by_hand() -> None:
    gold = Happenings(
        items=(
            event("Binding", "binds", ("Theme", "p53"), ("Theme", "MDM2")),
            event("Regulation", "induces", ("Theme", "IL-2"), ("Cause", "IL-4")),
        )
    )
    # binds is right with one argument; induces has another type, and so have its arguments; expressed is spurious.
    given = Happenings(
        items=(
            event("Binding", "binds", ("Theme", "p53")),
            event("Positive_regulation", "induces", ("Theme", "IL-2")),
            event("Gene_expression", "expressed"),
        )
    )
    found = values(a_set("ee"), "parts", [record(0, "ee", gold, given)])
    rates = {name: (result.precision, result.recall) for name, result in found.items()}
    assert rates["trigger_i_f1"] == (pytest.approx(2 / 3), 1.0)
    assert rates["trigger_c_f1"] == (pytest.approx(1 / 3), 1 / 2)
    assert rates["argument_i_f1"] == (1 / 2, 1 / 4)
    assert rates["argument_c_f1"] == (1 / 2, 1 / 4)
    swapped = Happenings(items=(event("Regulation", "induces", ("Cause", "IL-2"), ("Theme", "IL-4")),))
    found = values(a_set("ee"), "parts", [record(0, "ee", gold, swapped)])
    assert found["argument_i_f1"].precision == 1.0
    assert found["argument_c_f1"].precision == 0.0, "each has the other's role"


# --- coreference -----------------------------------------------------------------------------------------------------


def coreferring(
    gold: list[tuple[str, ...]], given: list[tuple[str, ...]] | None
) -> dict[str, tuple[float | None, ...]]:
    answer = None if given is None else Chains(items=tuple(given))
    found = values(a_set("coref"), "conll", [record(0, "coref", Chains(items=tuple(gold)), answer)])
    return {name: (result.precision, result.recall, result.value) for name, result in found.items()}


def test_the_example_of_pradhan_and_others() -> None:
    # Section 3 of Scoring Coreference Partitions of Predicted Mentions (ACL 2014): key {a, b, c} {d, e, f, g}, response
    # {a, b} {c, d} {f, g, h, i}.
    found = coreferring([("a", "b", "c"), ("d", "e", "f", "g")], [("a", "b"), ("c", "d"), ("f", "g", "h", "i")])
    # MUC: (1 + 1) of (2 + 3) found; (1 + 0 + 1) of (1 + 1 + 3) right.
    assert found["muc_f1"][:2] == pytest.approx((2 / 5, 2 / 5))
    # B³: recall (4/3 + 1/3 + 1/4 + 4/4) / 7, precision (4/2 + 1/2 + 1/2 + 4/4) / 8.
    assert found["b_cubed_f1"][:2] == pytest.approx((4 / 8, 35 / 12 / 7))
    # CEAF-e: {a, b, c} with {a, b} is 2·2/5, {d, e, f, g} with {f, g, h, i} 2·2/8: 1.3 of 2 and of 3.
    assert found["ceaf_e_f1"][:2] == pytest.approx((1.3 / 3, 1.3 / 2))
    f1s = [2 * p * r / (p + r) for p, r in ((2 / 5, 2 / 5), (1 / 2, 35 / 84), (1.3 / 3, 1.3 / 2))]
    assert found["conll_f1"][2] == pytest.approx(sum(f1s) / 3)


def test_repeated_texts_are_told_apart_in_favour_of_the_answer() -> None:
    gold = [("it", "IL-2"), ("it", "p53")]
    for order in permutations([("IL-2", "it"), ("p53", "it")]):
        assert coreferring(gold, list(order))["conll_f1"][2] == 1.0
    # Of two chains with it, the one that is there is found whole, whichever it is.
    for one in gold:
        found = coreferring(gold, [one])
        assert found["muc_f1"][:2] == (1.0, 0.5)
        assert found["b_cubed_f1"][:2] == (1.0, 0.5)
    # A text twice in a chain is two mentions.
    assert coreferring([("it", "it", "p53")], [("it", "p53")])["muc_f1"][:2] == (1.0, 0.5)


def test_a_chain_of_one_is_none() -> None:
    assert coreferring([("a", "b")], [("a", "b"), ("c",)])["conll_f1"][2] == 1.0
    assert coreferring([("a", "b")], [("a",)])["conll_f1"][2] == 0.0


CHAINS = st.lists(st.lists(st.sampled_from("abcde"), min_size=2, max_size=4).map(tuple), max_size=4)


def partition(places: list[int]) -> list[tuple[str, ...]]:
    """Return chains of texts that each stand in one chain at most."""
    chains = [tuple(text for text, place in zip("abcdefg", places, strict=True) if place == n) for n in range(3)]
    return [chain for chain in chains if len(chain) > 1]


PARTITIONS = st.lists(st.integers(0, 3), min_size=7, max_size=7).map(partition)


@given(PARTITIONS, PARTITIONS)
def test_coreference_is_symmetric(gold: list[tuple[str, ...]], given: list[tuple[str, ...]]) -> None:
    ours, theirs = coreferring(gold, given), coreferring(given, gold)
    for name, (precision, recall, f1) in ours.items():
        assert f1 == (None if theirs[name][2] is None else pytest.approx(theirs[name][2], abs=1e-9))
        if name != "conll_f1":
            assert precision == (None if theirs[name][1] is None else pytest.approx(theirs[name][1], abs=1e-9))
            assert recall == (None if theirs[name][0] is None else pytest.approx(theirs[name][0], abs=1e-9))


@given(CHAINS, CHAINS)
def test_coreference_is_between_0_and_1_and_1_on_itself(
    gold: list[tuple[str, ...]], given: list[tuple[str, ...]]
) -> None:
    ours = coreferring(gold, given)
    for found in ours.values():
        assert all(value is None or -1e-12 <= value <= 1.0 + 1e-12 for value in found)
    assert coreferring(gold, gold)["conll_f1"][2] == (pytest.approx(1.0) if gold else None)
    assert coreferring(gold, given[::-1])["conll_f1"][2] == ours["conll_f1"][2]


@given(CHAINS, CHAINS)
def test_mentions_are_as_many_as_texts(gold: list[tuple[str, ...]], given: list[tuple[str, ...]]) -> None:
    for chains, found in zip((gold, given), coreference.mentions(gold, given), strict=True):
        assert sorted(map(len, chains)) == sorted(map(len, found))
        assert len({mention for chain in found for mention in chain}) == sum(map(len, chains))


# --- concepts --------------------------------------------------------------------------------------------------------


def normalised(*items: tuple[str, str]) -> Normalisations:
    return Normalisations(items=tuple(Normalised(text=text, concept=concept) for text, concept in items))


def test_concepts_by_hand() -> None:
    gold = normalised(("HTN", "D1"), ("high blood pressure", "D1"), ("stroke and TIA", "D2"), ("stroke and TIA", "D3"))
    given = normalised(("hypertension", "D1"), ("HTN", "D1"), ("stroke and TIA", "D2"), ("gout", "D9"))
    records = [record(0, "nen", gold, given)]
    # Pairs: HTN and stroke: 2 of 4, 2 of 4. Concepts: D1, D2 of three; D9 too many. Mentions: HTN alone has all of its
    # concepts.
    assert value(a_set("nen"), "own", records) == 1 / 2
    assert value(a_set("nen"), "concepts", records) == pytest.approx(4 / 6)
    assert value(a_set("nen"), "accuracy", records) == pytest.approx(1 / 3)


# --- decision trees --------------------------------------------------------------------------------------------------


def node(role: str, *names: str, logic: str = "null") -> TreeNode:
    triples = tuple(Triple(head=name, tail="t", type="r") for name in names)
    return TreeNode(role=role, triples=triples, logic=logic)  # pyright: ignore


GOLD = (node("condition", "A", "B", logic="and"), node("decision", "x"), node("decision", "y"))


def measured(*given: TreeNode) -> dict[str, float | None]:
    score = Score(record="1", sums=trees.sums(GOLD, given))
    return {measure.name.removeprefix("tree_"): measure.of([score]) for measure in trees.TREES}


def test_a_tree_is_itself_whatever_the_case_of_its_texts() -> None:
    same = measured(node("condition", "b", "a", logic="and"), node("decision", "X"), node("decision", "y"))
    assert set(same.values()) == {1.0}


def test_trees_by_hand() -> None:
    # One triple of the condition is missing: one edit. Most edits: triples 4 + 3, and twice the nodes with triples.
    found = measured(node("condition", "A", logic="and"), node("decision", "x"), node("decision", "y"))
    assert found["edit_ratio"] == pytest.approx(1 - 1 / (7 + 2 * 6))
    assert found["accuracy"] == 0.0
    assert found["triple_f1"] == pytest.approx(2 * 3 / 7)
    assert found["path_f1"] == 0.0, "the condition is on both"
    assert found["node_f1"] == pytest.approx(2 / 3)
    # The second decision is wrong: its path alone is.
    found = measured(GOLD[0], GOLD[1], node("decision", "z"))
    assert found["path_f1"] == 1 / 2
    assert found["edit_ratio"] == pytest.approx(1 - 2 / (8 + 2 * 6))
    # A decision alone: role, logic and three triples of the root differ; the branches have two triples and two roles.
    found = measured(node("decision", "x"))
    assert found["edit_ratio"] == pytest.approx(1 - (2 + 3 + 2 * 2) / (4 + 1 + 2 * 4))
    assert found["path_f1"] == 0.0
    assert found["node_f1"] == pytest.approx(2 / 4)


def test_what_is_no_whole_tree_has_no_right_path() -> None:
    cut = measured(GOLD[0], GOLD[1])
    assert (cut["path_f1"], cut["accuracy"]) == (0.0, 0.0)
    assert cut["node_f1"] == pytest.approx(2 * 2 / 5)
    more = measured(*GOLD, node("decision", "w"))
    assert (more["path_f1"], more["accuracy"]) == (0.0, 0.0)
    # One node too many: its role and its triple.
    assert more["edit_ratio"] == pytest.approx(1 - 2 / (9 + 2 * 7))
    nothing = measured()
    assert {nothing[name] for name in ("accuracy", "triple_f1", "path_f1", "node_f1")} == {0.0}
    # All that is there has to be added: three roles, a logic and four triples.
    assert nothing["edit_ratio"] == pytest.approx(1 - 8 / (4 + 2 * 3))


def test_a_very_deep_tree_is_compared() -> None:
    # Deeper than Python calls functions.
    deep = [node("condition", f"{n}") for n in range(1200)] + [node("decision")] * 1201
    assert trees.sums(deep, deep)[2] == 1.0


def sum_measures(task: str) -> list[Measure]:
    return [measure for protocol in protocols.of(a_set(task)) for measure in protocol.measures]


@pytest.mark.parametrize(
    ("task", "gold", "nothing"),
    [
        ("ee", Happenings(items=(event("A", "a", ("r", "x")),)), Happenings()),
        ("coref", Chains(items=(("a", "b"),)), Chains()),
        ("nen", normalised(("a", "b")), normalised()),
        ("struct", Tree(nodes=GOLD), Tree()),
    ],
)
def test_zero_gold_zero_answers_and_unparsable(task: str, gold: object, nothing: object) -> None:
    test_set = a_set(task)
    for protocol in protocols.of(test_set):
        assert value(test_set, protocol.name, [record(0, task, gold, gold)]) == 1.0  # pyright: ignore
        assert value(test_set, protocol.name, [record(0, task, gold, None)]) == 0.0  # pyright: ignore
        score = value(test_set, protocol.name, [record(0, task, gold, nothing)])  # pyright: ignore
        # Of a tree that is not there less has to be edited than could have to be.
        assert score == 0.0 or (protocol.name == "text2dt" and score < 0.5)  # type: ignore[operator]
        assert value(test_set, protocol.name, [record(0, task, nothing, nothing)]) in (None, 1.0)  # pyright: ignore
