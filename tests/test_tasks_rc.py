"""Relations of marked pairs: which pairs, how they are marked, and what is read of the marks."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import assume, given

import strategies
from extraction import HEAD, document, documents, flat, relation, render
from taiyi import tasks
from taiyi.errors import Unparsable
from taiyi.schema import Argument, Concept, Document, Entity, Example, Lang, Reject, Relation, Span, Triple, Triples
from taiyi.tasks import facts
from taiyi.tasks.facts import End, Facts, Informed
from taiyi.tasks.rc import RelationClassification


def pairs(record: Document, known: Facts | None) -> list[Example | Reject]:
    task = tasks.get("rc")
    if known is not None and isinstance(task, Informed):
        task = task.informed(known)
    found = task.focuses(record, strategies.RELATION_TYPES[record.lang])
    assert len(set(found)) == len(found)
    return [render("rc", record, known=known, focus=focus, number=n) for n, focus in enumerate(found)]


@given(strategies.documents(with_all=False) | documents().map(flat))
def test_the_pairs_of_a_document_make_its_relations(record: Document) -> None:
    examples = pairs(record, facts.gather((record,)))
    whole = render("re", record)
    task = tasks.get("rc")
    if any(isinstance(example, Reject) for example in examples):
        reasons = {example.reason for example in examples if isinstance(example, Reject)}
        assert reasons <= {"the text contains a tag", "a relation is not between two things that can be marked"}
        return
    good = [example for example in examples if isinstance(example, Example)]
    parsed = [(example, task.parse(example.answer, example)) for example in good]
    assert len({example.id for example in good}) == len(good)
    # Crossing mentions of one concept, and parts of interleaved ones, cannot be read back from tags: the build rejects
    # them. All others are.
    if all(answer == example.gold for example, answer in parsed) and isinstance(whole, Example):
        assert set(getattr(task.merge(parsed), "items", ())) == set(getattr(whole.gold, "items", ()))
    simple = all(len(entity.spans) == 1 and not entity.concepts for entity in record.entities)
    apart = all(entity.text.strip() for entity in record.entities)
    if simple and apart:
        assert all(answer == example.gold for example, answer in parsed)


def test_a_pair_is_marked_in_the_order_of_its_types() -> None:
    record = document(("Disease", "asthma"), ("Chemical", "aspirin"), relations=(relation("R1", "CID", "T2", "T1"),))
    known = facts.gather((record,))
    assert known.joins == (("CID", End("entity", "Chemical"), End("entity", "Disease")),)
    (example,) = pairs(record, known)
    assert isinstance(example, Example)
    assert example.id == "c/test/r1#rc.en.01.label:CID+Bind!entity+T2+entity+T1"
    assert example.messages[0].content.endswith("\n<e2>asthma</e2><e1> aspirin</e1>")
    assert example.answer == "induces"
    (backwards,) = pairs(record, None)
    assert isinstance(backwards, Example)
    assert backwards.answer == "induces (e2, e1)"
    assert backwards.gold == example.gold == Triples(items=(Triple(head="aspirin", tail="asthma", type="CID"),))
    task = tasks.get("rc")
    assert task.parse("None", example) == Triples()
    assert task.parse("induces（e2，e1）", backwards) == backwards.gold
    for wrong in ("", "treats"):
        with pytest.raises(Unparsable):
            task.parse(wrong, example)


def test_pairs_follow_from_the_corpus_and_not_from_the_record() -> None:
    mentions = (("Chemical", "a"), ("Disease", "b"), ("G", "c"), ("Disease", "d" * 9), ("G", "e"))
    related = document(*mentions, relations=(relation("R1", "CID", "T1", "T2"), relation("R2", "Bind", "T3", "T3")))
    known = facts.gather((related,))
    assert (known.reach, known.loops) == (1, (("Bind", End("entity", "G")),))
    asked = [example.id.split("!")[1] for example in pairs(document(*mentions), known) if isinstance(example, Example)]
    assert asked == ["entity+T1+entity+T2", "entity+T3+entity+T3", "entity+T5+entity+T5"]
    wider = Facts(joins=known.joins, reach=100)
    assert len(pairs(document(*mentions), wider)) == 2
    assert pairs(document(), known) == []


def test_all_mentions_of_a_concept_and_parts_of_mentions_are_marked() -> None:
    text = "left and right lung; lungs ASA"
    parts = ((0, 4), (15, 19)), ((9, 19),), ((21, 26),), ((27, 30),)
    ids = ("L", "R", "L", "C")
    entities = tuple(
        Entity(
            id=f"T{n}", type="G" if id != "C" else "Chemical", text=" ".join(text[a:b] for a, b in spans),
            spans=tuple(Span(a, b) for a, b in spans), concepts=(Concept(db="X", id=id),),
        )
        for n, (spans, id) in enumerate(zip(parts, ids, strict=True))
    )  # fmt: skip
    record = Document(**HEAD, text=text, entities=entities, relations=(relation("R1", "Bind", "L", "C"),))
    first, second = pairs(record, facts.gather((record,)))
    assert isinstance(first, Example)
    assert "<e1>left</e1> and right<e1+> lung</e1+>;<e1> lungs</e1><e2> ASA</e2>" in first.messages[0].content
    gold = {("left lung", "ASA"), ("lungs", "ASA")}
    assert {(t.head, t.tail) for t in getattr(first.gold, "items", ())} == gold
    assert tasks.get("rc").parse("binds", first) == first.gold
    assert isinstance(second, Example)
    assert second.answer == "None"


def test_what_cannot_be_marked_is_said() -> None:
    text_end = Relation(id="R1", type="CID", arguments=(Argument(role="", kind="text", ref="x"),) * 2)
    (made_of_text,) = pairs(document(("Chemical", "a"), relations=(text_end,)), None)
    assert isinstance(made_of_text, Reject)
    assert made_of_text.reason == "a relation is not between two things that can be marked"
    (tagged,) = pairs(document(("Chemical", "<e1>"), ("Disease", "b")), None)
    assert isinstance(tagged, Reject)
    assert tagged.reason == "the text contains a tag"


def in_text(text: str, *mentions: tuple[str, str], pairs: tuple[tuple[str, str], ...] = ()) -> Document:
    """A document of mentions, given as type and text, each at the next place where it stands."""
    entities: list[Entity] = []
    at = 0
    for number, (kind, part) in enumerate(mentions, start=1):
        at = text.index(part, at)
        spans = (Span(at, at + len(part)),)
        concept = (Concept(db="X", id=part.casefold()),)
        entities.append(Entity(id=f"T{number}", type=kind, text=part, spans=spans, concepts=concept))
        at += len(part)
    relations = tuple(relation(f"R{n}", "CID", *ends) for n, ends in enumerate(pairs))
    return Document(**HEAD, text=text, entities=tuple(entities), relations=relations)


LONG = "Of aspirin. One. Asthma came. Two. ASPIRIN or x. Three. Then asthma: aspirin. Four."
FAR = "Title. Asthma and pain. One. It is aspirin. Two. Three. Four. Pain, again."


def shown(record: Document, known: Facts, *, near: bool = True) -> list[str]:
    task = RelationClassification(known, near=near)
    wording, *_ = tasks.load_templates(task, "en")
    found: list[str] = []
    for focus in task.focuses(record, strategies.RELATION_TYPES["en"]):
        made = task.render(record, wording, form="label", types=strategies.RELATION_TYPES["en"], focus=focus)
        assert isinstance(made, Example)
        assert task.parse(made.answer, made) == made.gold
        found.append(made.messages[0].content.partition("\n")[2])
    return found


def test_a_near_view_shows_the_first_sentence_and_those_in_which_a_pair_is_nearest() -> None:
    mentions = (
        ("Chemical", "aspirin"), ("Disease", "Asthma"), ("Chemical", "ASPIRIN"), ("Disease", "asthma"),
        ("Chemical", "aspirin"),
    )  # fmt: skip
    together = in_text(LONG, *mentions, pairs=(("aspirin", "asthma"),))
    known = facts.gather((together,))
    assert shown(together, known) == ["Of<e1> aspirin</e1>. … Then<e2> asthma</e2>:<e1> aspirin</e1>."]
    (whole,) = shown(together, known, near=False)
    assert whole.replace("<e1>", "").replace("</e1>", "").replace("<e2>", "").replace("</e2>", "") == LONG
    apart = in_text(FAR, ("Disease", "Asthma"), ("Disease", "pain"), ("Chemical", "aspirin"), ("Disease", "Pain"))
    # The nearest mentions are two sentences apart, and the same is left out between them; neighbours are one part.
    assert shown(apart, known) == [
        "Title.<e2> Asthma</e2> and pain. … It is<e1> aspirin</e1>.",
        "Title. Asthma and<e2> pain</e2>. … It is<e1> aspirin</e1>.",
    ]


def test_what_a_near_view_does_not_show_is_not_asked() -> None:
    record = in_text(
        "Asthma. Of ASA. One. Two. We gave asa for asthma.",
        ("Disease", "Asthma"), ("Chemical", "ASA"), ("Chemical", "asa"), ("Disease", "asthma"),
        pairs=(("asa", "asthma"),),
    )  # fmt: skip
    task = RelationClassification(facts.gather((record,)), near=True)
    (focus,) = task.focuses(record, strategies.RELATION_TYPES["en"])
    wording, *_ = tasks.load_templates(task, "en")
    near = task.render(record, wording, form="label", types=strategies.RELATION_TYPES["en"], focus=tuple(focus))
    assert isinstance(near, Example)
    assert {(t.head, t.tail) for t in getattr(near.gold, "items", ())} == {("asa", "Asthma"), ("asa", "asthma")}
    induces = strategies.RELATION_TYPES["en"][0]
    said = task.triples(record, tuple(focus), induces, backwards=False)
    assert {(t.head, t.tail) for t in said} == {(h, t) for h in ("ASA", "asa") for t in ("Asthma", "asthma")}
    assert {(t.tail, t.head) for t in task.triples(record, tuple(focus), induces, backwards=True)} == {
        (t.head, t.tail) for t in said
    }


@given(strategies.documents(with_all=False) | documents().map(flat))
def test_a_near_view_is_read_as_the_whole_is(record: Document) -> None:
    # White space that is a mention, or at the end of one, lies in no sentence.
    assume(all(entity.text == entity.text.strip() for entity in record.entities))
    known, types = facts.gather((record,)), strategies.RELATION_TYPES[record.lang]
    whole, near = RelationClassification(known), RelationClassification(known, near=True)
    wording, *_ = tasks.load_templates(whole, record.lang)
    for focus in near.focuses(record, types):
        made = [task.render(record, wording, form="label", types=types, focus=focus) for task in (whole, near)]
        if any(isinstance(example, Reject) for example in made):
            assert all(isinstance(example, Reject) for example in made)
            continue
        full, part = (example for example in made if isinstance(example, Example))
        assert (part.id, part.answer) == (full.id, full.answer)
        assert len(part.messages[0].content) <= len(full.messages[0].content) + 3 * part.messages[0].content.count("…")
        assert set(getattr(part.gold, "items", ())) <= set(getattr(full.gold, "items", ()))
        assert bool(getattr(part.gold, "items", ())) == bool(getattr(full.gold, "items", ()))


@given(strategies.documents(with_all=False) | documents().map(flat))
def test_what_facts_allow_holds_every_answer_of_one_relation(record: Document) -> None:
    types = strategies.RELATION_TYPES[record.lang]
    task = RelationClassification(facts.gather((record,)))
    wording, *_ = tasks.load_templates(task, record.lang)
    for focus in task.focuses(record, types):
        if not focus:
            return
        made = task.render(record, wording, form="label", types=types, focus=focus)
        labels = task.labels(record, focus, types)
        assert labels, "a pair is asked about for what can join it"
        if isinstance(made, Example) and made.answer in labels:
            said = task.triples(record, focus, labels[made.answer][0], backwards=labels[made.answer][1])
            assert set(getattr(made.gold, "items", ())) == set(said)
        elif isinstance(made, Example) and getattr(made.gold, "items", ()):
            assert ";" in made.answer or "；" in made.answer


@pytest.mark.parametrize("lang", get_args(Lang))
def test_wordings_of_pairs_hold_no_tag(lang: Lang) -> None:
    assert not any("<e" in template.text for template in tasks.load_templates(tasks.get("rc"), lang))


# --- the relations that fit a pair -----------------------------------------------------------------------------------


@given(strategies.documents(with_all=False) | documents().map(flat))
def test_a_prompt_of_fitting_relations_asks_for_the_same(record: Document) -> None:
    known, types = facts.gather((record,)), strategies.RELATION_TYPES[record.lang]
    every, fitting = RelationClassification(known), RelationClassification(known, fitting=True)
    wording, *_ = tasks.load_templates(every, record.lang)
    assert fitting.focuses(record, types) == every.focuses(record, types)
    for focus in every.focuses(record, types):
        made = [task.render(record, wording, form="label", types=types, focus=focus) for task in (every, fitting)]
        if any(isinstance(example, Reject) for example in made):
            assert made[0] == made[1]
            continue
        whole, some = (example for example in made if isinstance(example, Example))
        assert (some.id, some.answer, some.gold) == (whole.id, whole.answer, whole.gold)
        assert fitting.parse(some.answer, some) == every.parse(whole.answer, whole)
        asked = {type.name for type in some.types}
        assert {type.name for type, _ in fitting.labels(record, focus, types).values()} <= asked
        assert [type for type in types if type.name in asked] == list(some.types)
        assert len(some.messages[0].content) <= len(whole.messages[0].content)


def test_a_relation_that_joins_other_types_is_not_named() -> None:
    record = in_text("Aspirin, asthma and pain.", ("Chemical", "Aspirin"), ("Disease", "asthma"), ("Disease", "pain"))
    one, other, *_ = strategies.RELATION_TYPES["en"]
    chemical, disease = facts.End("entity", "Chemical"), facts.End("entity", "Disease")
    known = facts.Facts(joins=((one.name, chemical, disease), (other.name, disease, disease)), reach=100)
    task = RelationClassification(known, fitting=True)
    wording, *_ = tasks.load_templates(task, "en")
    record = flat(record)
    made = [
        task.render(record, wording, form="label", types=(one, other), focus=focus)
        for focus in task.focuses(record, (one, other))
    ]
    named = {
        tuple(t.shown for t in example.types): example.messages[0].content
        for example in made
        if isinstance(example, Example)
    }
    assert named.keys() == {(one.shown,), (other.shown,)}
    for shown, other_one in ((one.shown, other.shown), (other.shown, one.shown)):
        assert shown in named[shown,] and other_one not in named[shown,]
