"""How answers differ from their gold, item by item."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.evaluate.differences import KINDS, Difference, Item, align, differences, items, tally, whole_word
from taiyi.evaluate.places import locate
from taiyi.schema import (
    Chains,
    Choice,
    Filler,
    FreeText,
    Happening,
    Happenings,
    Labels,
    Mention,
    Mentions,
    Normalisations,
    Normalised,
    Span,
    Tree,
    TreeNode,
    Triple,
    Triples,
)

TEXT = "Fever and chest pain after aspirin; no pain before."


def at(type: str, text: str, nth: int = 0, source: str = TEXT) -> Item:
    start = -1
    for _ in range(nth + 1):
        start = source.index(text, start + 1)
    return Item(type, (text,), Span(start, start + len(text)))


def told(found: list[Difference]) -> list[tuple[str, str, str]]:
    return [
        (d.kind, "".join(d.gold.texts) if d.gold else "", "".join(d.answer.texts) if d.answer else "") for d in found
    ]


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_each_kind_by_place() -> None:
    gold = [
        at("Sign", "Fever"),
        at("Sign", "chest pain"),
        at("Drug", "aspirin"),
        at("Sign", "pain", nth=1),
        at("Time", "before"),
    ]
    answer = [
        at("Sign", "Fever"),
        at("Sign", "pain"),
        at("Sign", "aspirin"),
        at("Drug", "no pain"),
        at("Sign", "after"),
    ]
    assert told(align(gold, answer)) == [
        ("right", "Fever", "Fever"),
        ("boundary", "chest pain", "pain"),
        ("spurious", "", "after"),
        ("type", "aspirin", "aspirin"),
        ("both", "pain", "no pain"),
        ("missed", "before", ""),
    ]


def test_an_equal_item_goes_before_one_that_overlaps_more_items() -> None:
    # The answer `chest pain` lies in the first gold mention and is the second.
    gold = [at("Sign", "Fever and chest pain"), at("Sign", "chest pain")]
    found = align(gold, [at("Sign", "chest pain")])
    assert told(found) == [("missed", "Fever and chest pain", ""), ("right", "chest pain", "chest pain")]


def test_of_two_that_overlap_the_nearer_one_is_taken_and_each_only_once() -> None:
    gold = [at("Sign", "chest pain")]
    found = align(gold, [at("Sign", "pain"), at("Sign", "chest pain after")])
    assert told(found) == [("boundary", "chest pain", "chest pain after"), ("spurious", "", "pain")]


def test_a_place_of_another_type_goes_before_an_overlap_of_the_same() -> None:
    found = align([at("Sign", "chest pain")], [at("Sign", "pain"), at("Drug", "chest pain")])
    assert told(found) == [("type", "chest pain", "chest pain"), ("spurious", "", "pain")]


def test_the_same_text_elsewhere_is_missed_and_spurious() -> None:
    found = align([at("Sign", "pain")], [at("Sign", "pain", nth=1)])
    assert told(found) == [("missed", "pain", ""), ("spurious", "", "pain")]


def test_what_touches_does_not_overlap() -> None:
    text = "感冒发热"
    found = align([at("dis", "感冒", source=text)], [at("sym", "发热", source=text)])
    assert told(found) == [("missed", "感冒", ""), ("spurious", "", "发热")]


@pytest.mark.parametrize(
    ("gold", "answer", "kind"),
    [
        ("lung cancer", "cancer", "boundary"),
        ("cancer", "lung cancer", "boundary"),
        ("ARDS", "AR", "missed"),  # within a word
        ("上呼吸道感染", "感染", "boundary"),  # Chinese has no spaces
        ("lung cancer", "severe lung", "missed"),
    ],
)
def test_without_offsets_texts_are_compared(gold: str, answer: str, kind: str) -> None:
    found = align([Item("Disease", (gold,))], [Item("Disease", (answer,))])
    assert found[0].kind == kind
    assert len(found) == (1 if kind == "boundary" else 2)


def test_a_gold_mention_without_a_place_is_compared_by_text() -> None:
    # Mentions of several parts have none.
    found = align([Item("Sign", ("chest pain",))], [at("Sign", "chest pain")])
    assert [d.kind for d in found] == ["right"]


def test_relations_are_compared_by_both_ends() -> None:
    gold = Triples(
        items=(
            Triple(head="aspirin", tail="ulcer", type="causes"),
            Triple(head="aspirin", tail="fever", type="treats"),
            Triple(head="zinc", tail="gastric ulcer", type="treats"),
            Triple(head="zinc", tail="fever", type="treats"),
        )
    )
    answer = Triples(
        items=(
            Triple(head="aspirin", tail="ulcer", type="treats"),
            Triple(head="aspirin", tail="fever", type="treats"),
            Triple(head="zinc", tail="ulcer", type="treats"),
            Triple(head="iron", tail="fever", type="treats"),
        )
    )
    found = differences(gold, answer)
    assert found is not None
    assert [d.kind for d in found] == ["type", "right", "boundary", "missed", "spurious"]


def test_labels_are_right_missed_or_spurious() -> None:
    found = differences(Labels(items=("A", "B")), Labels(items=("B", "C")))
    assert found is not None
    assert [(d.kind, d.type) for d in found] == [("missed", "A"), ("right", "B"), ("spurious", "C")]


def test_a_wrong_concept_is_a_wrong_type() -> None:
    gold = Normalisations(items=(Normalised(text="MI", concept="D009203"),))
    found = differences(gold, Normalisations(items=(Normalised(text="MI", concept="D008944"),)))
    assert found is not None
    assert [d.kind for d in found] == ["type"]


def test_of_an_answer_that_cannot_be_parsed_all_gold_is_missed() -> None:
    found = differences(Mentions(items=(Mention(type="Drug", text="aspirin"),)), None)
    assert found is not None
    assert [d.kind for d in found] == ["missed"]


def test_answers_of_other_kinds_have_no_items() -> None:
    assert differences(Choice(key="A"), Choice(key="B")) is None
    assert items(FreeText(text="yes")) is None


def test_every_structured_answer_has_items() -> None:
    event = Happening(type="Binding", trigger="binds", fillers=(Filler(role="Theme", text="IL-4"),))
    node = TreeNode(role="decision", triples=(Triple(head="a", tail="b", type="then"),))
    for answer, expected in (
        (Happenings(items=(event,)), [Item("Binding", ("binds", "Theme: IL-4"))]),
        (Chains(items=(("it", "the drug"),)), [Item("chain", ("it", "the drug"))]),
        (Tree(nodes=(node, node)), [Item("then", ("a", "b"))]),
    ):
        assert items(answer) == expected


def test_nothing_and_nothing_differ_in_nothing() -> None:
    assert differences(Mentions(), Mentions()) == []
    assert tally([]) == {}


# --- properties ------------------------------------------------------------------------------------------------------

SPANS = st.tuples(st.integers(0, 12), st.integers(1, 5)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))
ITEMS = st.lists(
    st.builds(lambda kind, span: Item(kind, (f"{span.start}-{span.end}",), span), st.sampled_from("ab"), SPANS),
    unique=True,
    max_size=6,
)


@given(ITEMS, ITEMS)
def test_every_item_is_counted_once(gold: list[Item], answer: list[Item]) -> None:
    found = align(gold, answer)
    assert Counter(d.gold for d in found if d.gold) == Counter(gold)
    assert Counter(d.answer for d in found if d.answer) == Counter(answer)
    for d in found:
        assert (d.gold is None) == (d.kind == "spurious")
        assert (d.answer is None) == (d.kind == "missed")
        assert (d.gold == d.answer) == (d.kind == "right")
    assert {d.gold for d in found if d.kind == "right"} == set(gold) & set(answer)
    assert sum(n for kinds in tally(found).values() for n in kinds.values()) == len(found)


@given(ITEMS, ITEMS)
def test_the_two_sides_are_alike(gold: list[Item], answer: list[Item]) -> None:
    mirrored = {"missed": "spurious", "spurious": "missed"}
    there = Counter(d.kind for d in align(gold, answer))
    back = Counter(mirrored.get(d.kind, d.kind) for d in align(answer, gold))
    assert sum(there.values()) == sum(back.values())
    assert there["right"] == back["right"]
    # Of a gold mention, what is right or of a wrong type alone does not depend on the side.
    assert there["type"] == back["type"]


@given(ITEMS)
def test_an_answer_that_is_the_gold_is_right(gold: list[Item]) -> None:
    assert {d.kind for d in align(gold, list(reversed(gold)))} <= {"right"}


# --- as nervaluate has it --------------------------------------------------------------------------------------------


APART = st.lists(
    st.tuples(
        st.sampled_from(["right", "type", "boundary", "both", "missed", "spurious"]),
        st.sampled_from("ab"),
        st.booleans(),
    ),
    max_size=8,
)


def laid_out(kinds: list[tuple[str, str, bool]]) -> tuple[list[Item], list[Item]]:
    """Mentions of the gold and an answer in which each has to do with one of the other side at most."""
    gold: list[Item] = []
    answer: list[Item] = []
    for number, (kind, type, longer) in enumerate(kinds):
        start = 10 * number
        own = Item(type, ("x",), Span(start, start + 4))
        end = start + (6 if longer else 2)
        other = {"a": "b", "b": "a"}[type]
        if kind != "spurious":
            gold.append(own)
        if kind != "missed":
            moved = Span(start, end) if kind in ("boundary", "both") else own.span
            answer.append(Item(other if kind in ("type", "both") else type, ("x",), moved))
    return gold, answer


@given(APART)
def test_kinds_are_those_of_nervaluate(kinds: list[tuple[str, str, bool]]) -> None:
    nervaluate = pytest.importorskip("nervaluate")
    gold, answer = laid_out(kinds)
    counts = Counter(d.kind for d in align(gold, answer))
    assert counts == Counter(kind for kind, _, _ in kinds)

    def told(side: list[Item]) -> list[dict[str, Any]]:
        return [{"label": i.type, "start": i.span.start, "end": i.span.end - 1} for i in side if i.span]

    if not gold and not answer:
        return
    theirs = nervaluate.Evaluator([told(gold)], [told(answer)], tags=["a", "b"], loader="dict").evaluate()["overall"]
    strict, kinds_of, exact, partial = (theirs[name] for name in ("strict", "ent_type", "exact", "partial"))
    assert strict.correct == counts["right"]
    assert strict.incorrect == counts["type"] + counts["boundary"] + counts["both"]
    assert (strict.missed, strict.spurious) == (counts["missed"], counts["spurious"])
    assert kinds_of.correct == counts["right"] + counts["boundary"]
    assert kinds_of.incorrect == counts["type"] + counts["both"]
    assert exact.correct == counts["right"] + counts["type"]
    assert partial.partial == counts["boundary"] + counts["both"]


# --- places ----------------------------------------------------------------------------------------------------------


def test_words_are_found_whole() -> None:
    assert not whole_word("AR").search("ARDS")
    assert [m.start() for m in whole_word("AR").finditer("AR, (AR) BAR")] == [0, 5]
    assert whole_word("热").search("发热")
    assert whole_word("+").search("a+b")


def test_items_without_a_place_are_searched() -> None:
    text = "Lung cancer, or cancer of the lung: lung cancer again. 癌症"
    placed = Item("Disease", ("cancer",), Span(5, 11))
    longer, shorter, none = (Item("Disease", (name,)) for name in ("lung cancer", "cancer", "stroke"))
    found = locate(text, [placed, longer, shorter, none, Item("Label", ())])
    assert found[placed] == (Span(5, 11),)
    assert [text[s:e] for s, e in found[longer]] == ["lung cancer"]
    # Not the one in `lung cancer`.
    assert found[shorter] == (Span(5, 11), Span(16, 22))
    assert found[none] == ()
    inside = Item("Disease", ("癌",))
    assert locate(text, [inside, Item("Disease", ("癌症",))])[inside] == (Span(55, 56),)


def test_kinds_have_an_order_that_alignment_goes_by() -> None:
    assert KINDS == ("right", "type", "boundary", "both", "missed", "spurious")
