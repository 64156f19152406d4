"""Relations by a cascade: what it asks, what it makes of the answers, and what it never looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from extraction import HEAD
from taiyi import tasks
from taiyi.cascade import Cascade, Judged, Weight, fitted
from taiyi.checkpoint import Checkpoint, Joined
from taiyi.generate.engine import Asked, Weighed
from taiyi.schema import (
    Argument,
    Concept,
    Document,
    Entity,
    Example,
    Message,
    Prediction,
    Relation,
    Shown,
    Span,
    Triple,
    Triples,
)

TYPES = (Shown(name="CID", shown="induces"), Shown(name="Bind", shown="binds", symmetric=True))
ENTITIES = {"Chemical": "chemical", "Disease": "disease", "Gene": "gene"}
KNOWN = Joined(
    corpus="c",
    lang="en",
    entities=(("chemical", "disease"), ("chemical", "disease", "gene")),
    joins=(
        ("induces", "concept", "chemical", "concept", "disease"),
        ("binds", "concept", "chemical", "concept", "gene"),
        ("binds", "concept", "gene", "concept", "gene"),
    ),
    symmetric=("binds",),
)
ALLOWED = {("CID", "Chemical", "Disease"), ("Bind", "Chemical", "Gene"), ("Bind", "Gene", "Gene")}


class Oracle:
    """Finds the entities of documents as they are annotated, and takes for true what their gold says of two texts."""

    def __init__(self, *documents: Document) -> None:
        self.documents = {document.id: document for document in documents}
        self.asked: list[Example] = []
        self.weighed: list[Example] = []

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        for example in reversed(examples):
            self.asked.append(example)
            yield Prediction(example=example.id, text=self.text(example), finish="stop", num_tokens=2, seconds=0.5)

    def text(self, example: Example) -> str:
        task = tasks.get(example.task)
        if example.task != "ner":
            return "(written, by hand, induces)"
        # A text that is asked about by the cascade is a record of the example that asks for its relations.
        record = self.documents[example.record.partition("#")[0].rpartition("/")[2]]
        entities = tuple(msgspec.structs.replace(e, type=ENTITIES[e.type]) for e in record.entities)
        record = msgspec.structs.replace(record, entities=entities, relations=())
        window = Span(example.offset, example.offset + len(example.source_text))
        wording = next(t for t in tasks.load_templates(task, "en") if t.id == example.template)
        made = task.render(record, wording, form=example.form, types=example.types, window=window)
        assert isinstance(made, Example)
        return made.answer

    def weigh(self, asked: Sequence[Asked], *, batch_tokens: int) -> Iterator[Weighed]:
        gold = {triple for document in self.documents.values() for triple in truth(document)}
        for example, candidates in reversed(asked):
            self.weighed.append(example)
            said = [tasks.get("rc").parse(text, example) for text in candidates]
            scores = [float(bool(gold & items(answer))) for answer in said]
            scores[0] = 0.5
            yield Weighed(example.id, scores, [1] * len(scores), 0.25)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        yield messages[-1].content


def truth(document: Document) -> set[Triple]:
    return items(asks(document).gold)


def items(answer: object) -> set[Triple]:
    assert isinstance(answer, Triples)
    return set(answer.items)


def wording(number: int = 0) -> Any:
    return tasks.load_templates(tasks.get("re"), "en")[number]


def asks(document: Document, *, form: str = "list", types: tuple[Shown, ...] = TYPES, number: int = 0) -> Example:
    made = tasks.get("re").render(document, wording(number), form=form, types=types)
    assert isinstance(made, Example)
    return made


def answered(cascade: Cascade, examples: Sequence[Example]) -> dict[str, Prediction]:
    made = list(cascade.generate(examples, max_new_tokens=100, batch_tokens=512))
    assert len(made) == len(examples)
    return {prediction.example: prediction for prediction in made}


def triples(cascade: Cascade, example: Example) -> set[Triple]:
    prediction = answered(cascade, [example])[example.id]
    assert (prediction.finish, prediction.constrained) == ("stop", True)
    return items(tasks.get("re").parse(prediction.text, example))


def checkpoint(**changes: Any) -> Checkpoint:
    given: dict[str, Any] = {"relations": "cascade", "joined": (KNOWN,)} | changes
    return Checkpoint(**given)


NAMES = ("aspirin", "Aspirin", "asthma", "p53", "a, b; (c)", "阿司匹林")


@st.composite
def documents(draw: st.DrawFn, names: Sequence[str] = NAMES) -> Document:
    """Documents of names in sentences, with relations of concepts whose types are joined."""
    text = ""
    entities: list[Entity] = []
    for number in range(draw(st.integers(0, 6))):
        text += draw(st.sampled_from(("", "And ", "It was. So ", "。")))
        name = draw(st.sampled_from(names))
        spans = (Span(len(text), len(text) + len(name)),)
        ids = draw(st.lists(st.sampled_from("XYZ"), min_size=1, max_size=2, unique=True))
        kind = draw(st.sampled_from(sorted(ENTITIES)))
        concepts = tuple(Concept(db="MESH", id=f"{kind}:{id}") for id in ids)
        entities.append(Entity(id=f"T{number}", type=kind, text=name, spans=spans, concepts=concepts))
        text += name + " "
    ends = sorted({(concept.id, entity.type) for entity in entities for concept in entity.concepts})
    joined = [
        (r, a, b) for r, head, tail in sorted(ALLOWED) for a in ends for b in ends if (a[1], b[1]) == (head, tail)
    ]
    chosen = draw(st.lists(st.sampled_from(joined), max_size=3)) if joined else []
    relations = tuple(
        Relation(id=f"R{n}", type=r, arguments=tuple(Argument(role="", kind="concept", ref=id) for id, _ in both))
        for n, (r, *both) in enumerate(chosen)
    )
    return Document(**HEAD, text=text or "x", entities=tuple(entities), relations=relations)


def allowed(document: Document) -> set[Triple]:
    """What a cascade says that is right wherever a name of a pair is in the gold: all names of the two concepts."""
    gold = truth(document)
    names: dict[tuple[str, str], set[str]] = {}
    for entity in document.entities:
        names.setdefault((entity.type, entity.text.casefold()), set()).add(entity.text)
    found: set[Triple] = set()
    for (one, heads), (other, tails) in product(names.items(), names.items()):
        for shown in TYPES:
            ways = {(shown.name, one[0], other[0])}
            ways |= {(shown.name, b, a) for _, a, b in ways if shown.symmetric}
            told = {Triple(head=h, tail=t, type=shown.name) for h, t in product(heads, tails)}
            if shown.symmetric:
                told = {Triple(head=min(t.head, t.tail), tail=max(t.head, t.tail), type=t.type) for t in told}
            if one != other and ways & ALLOWED and told & gold:
                found |= told
    return found


@given(documents(), st.sampled_from(["list", "json"]), st.sampled_from([0, 1, 40]), st.booleans(), st.booleans())
def test_of_all_that_is_found_the_answer_is_the_gold_as_far_as_names_are_concepts(
    document: Document, form: str, window_chars: int, near: bool, fitting: bool
) -> None:
    known = msgspec.structs.replace(KNOWN, near=near, fitting=fitting)
    cascade = Cascade(Oracle(document), checkpoint(joined=(known,), window_chars=window_chars))
    found = triples(cascade, asks(document, form=form))
    assert found <= allowed(document) if near else found == allowed(document)
    # Where no name is written in two ways, that is the gold; but what is related to another of its name is not asked.
    names = {(entity.type, entity.text.casefold()) for entity in document.entities}
    distinct = len(names) == len({(entity.type, entity.text) for entity in document.entities})
    if distinct and all(triple.head != triple.tail for triple in truth(document)):
        assert found == truth(document)


@given(documents())
def test_mentions_that_are_listed_are_found_where_they_stand(document: Document) -> None:
    types: dict[str, set[str]] = {}
    for entity in document.entities:
        types.setdefault(entity.text, set()).add(entity.type)
    # A text that is listed stands wherever it does, under each of its types.
    if all(len(kinds) == 1 for kinds in types.values()):
        tagged, listed = (Cascade(Oracle(document), checkpoint(form=form)) for form in ("tagged", "list"))
        assert triples(tagged, asks(document)) == triples(listed, asks(document))


@given(documents())
def test_gold_is_never_looked_at(document: Document) -> None:
    example = asks(document)
    blank = msgspec.structs.replace(example, gold=Triples(), answer="None")
    first, second = Oracle(document), Oracle(document)
    with_gold = answered(Cascade(first, checkpoint()), [example])
    assert with_gold == answered(Cascade(second, checkpoint()), [blank])
    assert (first.asked, first.weighed) == (second.asked, second.weighed)
    # What is asked is made of the text alone.
    assert not any(msgspec.to_builtins(one.gold).get("items") for one in (*first.asked, *first.weighed))


@given(st.lists(documents(), min_size=1, max_size=4))
def test_examples_are_answered_each_as_alone(records: list[Document]) -> None:
    several = [msgspec.structs.replace(record, id=f"r{n}") for n, record in enumerate(records)]
    examples = [asks(record, form=form) for record in several for form in ("list", "json")]
    together = answered(Cascade(Oracle(*several), checkpoint()), examples)
    alone = [answered(Cascade(Oracle(*several), checkpoint()), [example])[example.id] for example in examples]
    assert [together[example.id] for example in examples] == alone


def test_entities_are_asked_for_as_the_model_learned_them() -> None:
    text = "Aspirin came. Asthma went. Nothing else."
    record = Document(**HEAD, text=text)
    engine = Oracle(record)
    answered(Cascade(engine, checkpoint(window_chars=30)), [asks(record, number=4)])
    asked = [(example.offset, example.source_text) for example in reversed(engine.asked)]
    assert asked == [(0, "Aspirin came. Asthma went."), (27, "Nothing else.")]
    assert {example.template for example in engine.asked} == {"ner.en.05"}
    # The smallest set of types that has been asked for and has what the asked relations join.
    assert {tuple(t.shown for t in example.types) for example in engine.asked} == {("chemical", "disease", "gene")}
    engine = Oracle(record)
    answered(Cascade(engine, checkpoint(window_chars=9), window_chars=100), [asks(record, types=TYPES[:1])])
    assert [example.source_text for example in engine.asked] == [text]
    assert [tuple(t.shown for t in example.types) for example in engine.asked] == [("chemical", "disease")]
    engine = Oracle(record)
    alone = msgspec.structs.replace(KNOWN, entities=())
    answered(Cascade(engine, checkpoint(joined=(alone,))), [asks(record, types=TYPES[:1])])
    assert [tuple(t.shown for t in example.types) for example in engine.asked] == [("chemical", "disease")]


def test_a_text_without_entities_is_asked_about_no_pair() -> None:
    record = Document(**HEAD, text="Nothing is here.")
    engine = Oracle(record)
    (prediction,) = answered(Cascade(engine, checkpoint()), [asks(record)]).values()
    assert (prediction.text, prediction.finish, engine.weighed) == ("None", "stop", [])
    (prediction,) = answered(Cascade(engine, checkpoint()), [asks(record, form="json")]).values()
    assert prediction.text == "[]"


def test_what_no_pair_was_learned_of_is_not_found_or_written() -> None:
    record = Document(**HEAD, text="Aspirin came.")
    unknown = asks(record, types=(Shown(name="Treats", shown="treats"),))
    engine = Oracle(record)
    (prediction,) = answered(Cascade(engine, checkpoint()), [unknown]).values()
    assert (prediction.text, engine.asked) == ("None", [])
    either = Cascade(engine, checkpoint(relations="either"))
    found = answered(either, [unknown, asks(record)])
    assert found[unknown.id].text == "(written, by hand, induces)"
    assert found[asks(record).id].text == "None"
    other = msgspec.structs.replace(KNOWN, lang="zh")
    assert not Cascade(engine, checkpoint(relations="either", joined=(other,))).answers(asks(record))


def test_a_corpus_whose_pairs_were_learned_says_alone_what_its_relations_join() -> None:
    record = Document(**HEAD, text="Aspirin came.")
    others = msgspec.structs.replace(
        KNOWN, corpus="d", entities=(), joins=(("induces", "entity", "gene", "entity", "disease"),)
    )
    engine = Oracle(record)
    answered(Cascade(engine, checkpoint(joined=(others, KNOWN))), [asks(record)])
    assert [tuple(t.shown for t in example.types) for example in engine.asked] == [("chemical", "disease", "gene")]
    engine = Oracle(record)
    elsewhere = msgspec.structs.replace(asks(record), corpus="input")
    answered(Cascade(engine, checkpoint(joined=(others, KNOWN))), [elsewhere])
    asked = sorted(tuple(t.shown for t in example.types) for example in engine.asked)
    assert asked == [("chemical", "disease", "gene"), ("gene", "disease")]


def test_other_tasks_are_answered_by_the_engine_itself() -> None:
    choice = msgspec.structs.replace(asks(RELATED), id="other", task="qa_sqa")
    found = answered(Cascade(Oracle(RELATED), checkpoint()), [choice, asks(RELATED)])
    assert found["other"].text == "(written, by hand, induces)"
    assert found[asks(RELATED).id].text == "(Aspirin, asthma, induces)"
    stream = Cascade(Oracle(), checkpoint()).stream([Message(role="user", content="hi")], max_new_tokens=1)
    assert list(stream) == ["hi"]


class Broken(Oracle):
    """Has no answer to what is asked in one of its two steps."""

    def __init__(self, *documents: Document, step: str) -> None:
        super().__init__(*documents)
        self.step = step

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        for made in super().generate(examples, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens):
            if self.step == "refused":
                yield Prediction(example=made.example, text="", finish="refused", reason="no room to answer")
            else:
                yield msgspec.structs.replace(made, text="?" if self.step == "unparsable" else made.text)

    def weigh(self, asked: Sequence[Asked], *, batch_tokens: int) -> Iterator[Weighed]:
        for weighed in super().weigh(asked, batch_tokens=batch_tokens):
            yield weighed._replace(scores=()) if self.step == "long" else weighed


RELATED = Document(
    **HEAD,
    text="Aspirin and asthma.",
    entities=(
        Entity(id="T1", type="Chemical", text="Aspirin", spans=(Span(0, 7),), concepts=(Concept(db="M", id="C"),)),
        Entity(id="T2", type="Disease", text="asthma", spans=(Span(12, 18),), concepts=(Concept(db="M", id="D"),)),
    ),
    relations=(
        Relation(
            id="R1",
            type="CID",
            arguments=(Argument(role="", kind="concept", ref="C"), Argument(role="", kind="concept", ref="D")),
        ),
    ),
)


@pytest.mark.parametrize(("step", "reason"), [("refused", "no room to answer"), ("long", "no room to answer")])
def test_a_text_of_which_a_part_has_no_answer_has_none(step: str, reason: str) -> None:
    (prediction,) = answered(Cascade(Broken(RELATED, step=step), checkpoint()), [asks(RELATED)]).values()
    assert (prediction.finish, prediction.reason, prediction.text) == ("refused", reason, "")


def test_a_text_that_holds_a_mark_is_refused() -> None:
    record = msgspec.structs.replace(RELATED, text="Aspirin and asthma. <e1>")
    (prediction,) = answered(Cascade(Oracle(record), checkpoint()), [asks(record)]).values()
    assert (prediction.finish, prediction.reason) == ("refused", "the text contains a tag")


def test_entities_that_cannot_be_parsed_are_none() -> None:
    engine = Broken(RELATED, step="unparsable")
    (prediction,) = answered(Cascade(engine, checkpoint(form="json")), [asks(RELATED)]).values()
    assert (prediction.finish, prediction.text, engine.weighed) == ("stop", "None", [])


def test_an_answer_takes_what_its_parts_took() -> None:
    (prediction,) = answered(Cascade(Oracle(RELATED), checkpoint()), [asks(RELATED)]).values()
    assert prediction.text == "(Aspirin, asthma, induces)"
    assert (prediction.num_tokens, prediction.seconds) == (2, 0.75)


def test_a_bias_makes_relations_more_or_less_probable() -> None:
    # The oracle holds a relation that is true 0.5 more probable than none, and another 0.5 less.
    assert triples(Cascade(Oracle(RELATED), checkpoint(pair_bias=-0.4)), asks(RELATED)) == truth(RELATED)
    assert not triples(Cascade(Oracle(RELATED), checkpoint(pair_bias=-0.6)), asks(RELATED))
    assert triples(Cascade(Oracle(RELATED), checkpoint(pair_bias=-0.6), pair_bias=0.0), asks(RELATED)) == truth(RELATED)
    unrelated = msgspec.structs.replace(RELATED, relations=())
    assert not triples(Cascade(Oracle(unrelated), checkpoint(pair_bias=0.4)), asks(unrelated))
    assert triples(Cascade(Oracle(unrelated), checkpoint(pair_bias=0.6)), asks(unrelated)) == truth(RELATED)


def judged(margins: Sequence[float], right: Sequence[bool], missed: int) -> list[Judged]:
    """Examples of up to three pairs, each with a triple of its own."""
    found: list[Judged] = []
    told = [Triple(head=str(n), tail="t", type="CID") for n in range(len(margins))]
    for start in range(0, len(margins), 3):
        part = range(start, min(start + 3, len(margins)))
        gold = [told[n] for n in part if right[n]]
        gold += [Triple(head=str(n), tail="missed", type="CID") for n in range(missed if start == 0 else 0)]
        example = msgspec.structs.replace(asks(RELATED), gold=Triples(items=tuple(gold)))
        found.append(Judged(example, [Weight(margins[n], (told[n],)) for n in part]))
    return found


@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), max_size=12), st.integers(0, 2))
def test_the_bias_that_is_fitted_is_the_best(pairs: list[tuple[int, bool]], missed: int) -> None:
    found = judged([float(margin) for margin, _ in pairs], [right for _, right in pairs], missed)

    def f1(bias: float) -> float:
        gold = sum(len(items(one.example.gold)) for one in found)
        said = [(one, triple) for one in found for triple in one.answer(bias).items]
        right = sum(triple in items(one.example.gold) for one, triple in said)
        return 2 * right / (len(said) + gold) if right else 0.0

    bias, best = fitted(found)
    assert best == pytest.approx(f1(bias))
    assert best == pytest.approx(max(f1(edge + 0.5) for edge in range(-7, 7)))
    if best == 0:
        assert bias == 0


@given(strategies.langs)
def test_types_are_those_whose_pairs_were_learned(lang: Any) -> None:
    known = Cascade(Oracle(), checkpoint())
    expected = [Shown(name="induces", shown="induces"), Shown(name="binds", shown="binds", symmetric=True)]
    assert known.types(lang) == (expected if lang == "en" else [])
