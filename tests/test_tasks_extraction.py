"""Tasks of extraction: what is rendered parses to its gold, whatever text it holds; answers are written as documented,
read as models write them, and scored as worked by hand."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from taiyi import catalogue, tasks
from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Argument,
    Chains,
    Concept,
    Coreference,
    Counts,
    Document,
    Entity,
    Event,
    Example,
    Filler,
    Happening,
    Happenings,
    Lang,
    Mention,
    Mentions,
    Normalisations,
    Normalised,
    Record,
    Reject,
    Relation,
    Shown,
    Span,
    TextToStruct,
    Tree,
    TreeNode,
    Triple,
    Triples,
)
from taiyi.tasks import Task, cre, facts, json_answer, listing
from taiyi.tasks.facts import End, Facts, Informed

HEAD: dict[str, Any] = {"id": "r1", "corpus": "c", "split": "test", "lang": "en"}
EVENT_TYPES: dict[str, tuple[Shown, ...]] = {
    "en": (Shown(name="Reg", shown="regulation: positive"), Shown(name="Exp", shown="gene | expression")),
    "zh": (Shown(name="Reg", shown="临床发现"), Shown(name="Exp", shown="表达：上调")),
}
TYPES = {"entities": strategies.ENTITY_TYPES, "relations": strategies.RELATION_TYPES, "events": EVENT_TYPES}
AWKWARD = (
    "plain", "a, b; c", "(a)", "（甲，乙）", ")(", "a \\", "\\", "#1", "#1 x", "a | b", "甲｜乙", "x: y", "甲：乙",
    "\"q\"", "“引”", "a\nb", "\\n", "None", "无", "[1]", "]", "<e1>", "a + b", "+", "a +", "；", ";", ",", "， ",
    "1. a", "{}", "a\u2028b", "a\r\nb",
)  # fmt: skip
awkward = st.sampled_from(AWKWARD) | strategies.texts


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents whose mentions, concepts, triggers and arguments are awkward texts."""
    lang: Lang = draw(strategies.langs)
    texts = draw(st.lists(awkward, min_size=1, max_size=5))
    text, entities, at = "", [], 0
    for number, part in enumerate(texts):
        at = len(text)
        text += part + draw(st.sampled_from((" ", "。", "")))
        names = draw(st.lists(awkward, max_size=2))
        concepts = tuple(Concept(db=draw(st.sampled_from(("MESH", "a b"))), id=name) for name in names)
        kind = draw(st.sampled_from(strategies.ENTITY_TYPES[lang])).name
        spans = (Span(at, at + len(part)),)
        entities.append(Entity(id=f"T{number}", type=kind, text=part, spans=spans, concepts=concepts))
    refs = [Argument(role="", kind="entity", ref=entity.id) for entity in entities]
    ends = st.sampled_from(refs) | st.builds(Argument, role=st.just(""), kind=st.just("text"), ref=awkward)
    relation_types = st.sampled_from([shown.name for shown in strategies.RELATION_TYPES[lang]])
    relations: list[Relation] = []
    for number in range(draw(st.integers(0, 4))):
        inner = [Argument(role="", kind="relation", ref=relation.id) for relation in relations]
        pair = (draw(ends), draw(st.sampled_from(inner) if inner and draw(st.booleans()) else ends))
        relations.append(Relation(id=f"R{number}", type=draw(relation_types), arguments=pair))
    count = draw(st.integers(0, 4))
    others = [Argument(role="Theme", kind="event", ref=f"E{number}") for number in range(count)]
    fillers = ends if not others else ends | st.sampled_from(others)
    events: list[Event] = []
    for number in range(count):
        place = draw(st.sampled_from(entities))
        given_place = draw(st.booleans())
        arguments = (
            Argument(role=draw(st.sampled_from(("Theme", "a: b", "x | y", "部位"))), kind=a.kind, ref=a.ref)
            for a in draw(st.lists(fillers, max_size=3))
        )
        events.append(
            Event(
                id=f"E{number}",
                type=draw(st.sampled_from(EVENT_TYPES[lang])).name,
                trigger=place.text if given_place else draw(st.just("") | awkward),
                trigger_spans=place.spans if given_place else (),
                arguments=tuple(arguments),
                attributes=draw(st.dictionaries(st.sampled_from(("Negation", "倾向")), awkward, max_size=1)),
            )
        )
    chains = draw(st.lists(st.lists(st.sampled_from([e.id for e in entities]), max_size=4), max_size=3))
    return Document(
        **(HEAD | {"lang": lang}),
        text=text,
        entities=tuple(entities),
        relations=tuple(relations),
        events=tuple(events),
        coreferences=tuple(Coreference(id=f"C{n}", entities=tuple(chain)) for n, chain in enumerate(chains)),
    )


@st.composite
def trees(draw: st.DrawFn) -> TextToStruct:
    lang: Lang = draw(strategies.langs)
    kinds = st.sampled_from([shown.name for shown in strategies.RELATION_TYPES[lang]])
    triples = st.lists(st.builds(Triple, head=awkward | st.just(""), tail=awkward, type=kinds), max_size=3)
    node = st.builds(
        TreeNode,
        role=st.sampled_from(("condition", "decision")),
        triples=triples.map(tuple),
        logic=st.sampled_from(("and", "or", "null")),
    )
    nodes = draw(st.lists(node, min_size=1, max_size=5))
    return TextToStruct(**(HEAD | {"lang": lang}), source=draw(strategies.texts), nodes=tuple(nodes))


def flat(document: Document) -> Document:
    """The document without relations of relations."""
    kept = tuple(r for r in document.relations if all(a.kind != "relation" for a in r.arguments))
    return Document(**(HEAD | {"lang": document.lang}), text=document.text, entities=document.entities, relations=kept)


RECORDS: dict[str, st.SearchStrategy[Any]] = {
    "ner": documents(),
    "nen": documents(),
    "re": documents().map(flat),
    "cre": documents(),
    "ee": documents(),
    "coref": documents(),
    "struct": trees(),
}
FORMS = [(name, form) for name in RECORDS for form in tasks.get(name).forms if form != "tagged"]


def types_of(task: Task, lang: Lang) -> tuple[Shown, ...]:
    return TYPES[task.kind][lang] if task.kind in TYPES else ()  # pyright: ignore[reportArgumentType]


def render(
    name: str,
    record: Record,
    *,
    form: str | None = None,
    types: tuple[Shown, ...] | None = None,
    known: Facts | None = None,
    focus: tuple[str, ...] = (),
    number: int = 0,
) -> Example | Reject:
    task = tasks.get(name)
    if known is not None and isinstance(task, Informed):
        task = task.informed(known)
    wordings = tasks.load_templates(task, record.lang)
    asked = types_of(task, record.lang) if types is None else types
    return task.render(record, wordings[number % len(wordings)], form=form or task.forms[0], types=asked, focus=focus)


def made(name: str, record: Record, **options: Any) -> Example:
    example = render(name, record, **options)
    assert isinstance(example, Example), example
    return example


def parse(name: str, text: str, *, form: str | None = None, lang: Lang = "en") -> Answer:
    """Read what a model wrote about a text with nothing in it."""
    record: Record = Document(**(HEAD | {"lang": lang}), text="x")
    if name == "struct":
        record = TextToStruct(**(HEAD | {"lang": lang}), source="x", nodes=(TreeNode(role="decision"),))
    return tasks.get(name).parse(text, made(name, record, form=form))


def document(*entities: tuple[str, str], lang: Lang = "en", **parts: Any) -> Document:
    """A document of mentions side by side, given as type and text."""
    found: list[Entity] = []
    text = ""
    for number, (kind, part) in enumerate(entities, start=1):
        text += " " if text else ""
        span = Span(len(text), len(text) + len(part))
        found.append(Entity(id=f"T{number}", type=kind, text=part, spans=(span,)))
        text += part
    return Document(**(HEAD | {"lang": lang}), text=text or "x", entities=tuple(found), **parts)


def relation(id: str, type: str, head: str, tail: str) -> Relation:
    kinds = {"T": "entity", "R": "relation", "E": "event"}
    ends = tuple(Argument(role="", kind=kinds.get(ref[0], "concept"), ref=ref) for ref in (head, tail))  # pyright: ignore[reportArgumentType]
    return Relation(id=id, type=type, arguments=ends)


# --- what is rendered parses back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_what_is_rendered_parses_to_its_gold(name: str, form: str) -> None:
    task = tasks.get(name)

    @given(RECORDS[name], st.integers(0, 20))
    def holds(record: Any, number: int) -> None:
        example = made(name, record, form=form, number=number)
        assert example.form == form
        assert form != "json" or "\n" not in example.answer
        parsed = task.parse(example.answer, example)
        assert parsed == example.gold
        assert task.merge([(example, parsed)]) == example.gold
        score = task.score(example.gold, parsed, record=record.id)
        assert score.state == "parsed"
        assert all(counts.fp == counts.fn == 0 for counts in score.counts.values())
        nothing = task.score(example.gold, None, record=record.id, reason="?")
        assert nothing.state == "unparsable"
        assert {type: c.tp for type, c in score.counts.items()} == {type: c.fn for type, c in nothing.counts.items()}

    holds()


@pytest.mark.parametrize("name", RECORDS)
def test_json_may_stand_in_fences_and_between_words(name: str) -> None:
    task, form = tasks.get(name), "json"

    @given(RECORDS[name])
    def holds(record: Any) -> None:
        example = made(name, record, form=form)
        for text in (
            f"```json\n{example.answer}\n```",
            f"Here it is [as asked]:\n{example.answer}\nAnything else?",
            json.dumps(json.loads(example.answer), indent=2),
        ):
            assert task.parse(text, example) == example.gold

    holds()


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_whatever_a_model_writes_is_an_answer_or_unparsable(name: str, form: str) -> None:
    task = tasks.get(name)

    @given(RECORDS[name], strategies.words, st.integers(0, 300), st.booleans())
    def holds(record: Any, noise: str, at: int, ends: bool) -> None:
        example = made(name, record, form=form)
        damaged = example.answer[:at] + noise + ("" if ends else example.answer[at:])
        for text in (noise, damaged):
            try:
                parsed = task.parse(text, example)
            except Unparsable:
                continue
            task.score(example.gold, parsed, record=record.id)
            task.merge([(example, parsed), (example, example.gold)])

    holds()


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_an_answer_that_was_cut_keeps_what_is_whole(name: str, form: str) -> None:
    task = tasks.get(name)

    @given(RECORDS[name], st.integers(0, 300))
    def holds(record: Any, at: int) -> None:
        example = made(name, record, form=form)
        kept = task.cut(example.answer[:at], example)
        if form == "json":
            assert task.cut(example.answer, example) == example.answer
        if not kept:
            return
        answer = task.parse(kept, example)
        if name not in ("ner", "nen", "ee"):
            # Items in the order of the answer; of the others the order, or the places of events, are their own.
            items = getattr(answer, "items", None) or getattr(answer, "nodes", ())
            whole = getattr(example.gold, "items", None) or getattr(example.gold, "nodes", ())
            assert items == whole[: len(items)]

    holds()


@pytest.mark.parametrize("deep", ["[" * 5000, '{"a":' * 5000, "(" * 5000, "(a, " * 5000, "[[" * 50 + "]]" * 50])
@pytest.mark.parametrize(("name", "form"), FORMS)
def test_brackets_without_end_are_unparsable(name: str, form: str, deep: str) -> None:
    try:
        parse(name, deep, form=form)
    except Unparsable:
        return
    assert form == "list"


# --- how answers are written -----------------------------------------------------------------------------------------


def test_json_says_types_once_and_is_read_in_other_shapes() -> None:
    record = document(("Chemical", "aspirin"), ("Disease", "asthma"), ("Chemical", "ASA"))
    example = made("ner", record, form="json")
    assert example.answer == '{"chemical": ["aspirin", "ASA"], "disease: any": ["asthma"]}'
    task = tasks.get("ner")
    rows = [{"text": m.text, "type": m.type} for m in getattr(example.gold, "items", ())]
    assert task.parse(json.dumps(rows), example) == example.gold
    assert task.parse('{"type": "chemical", "text": "ASA"}', example) == Mentions(
        items=(Mention(type="Chemical", text="ASA"),)
    )
    assert task.parse('{"organ": "lung"}', example) == Mentions(items=(Mention(type="organ", text="lung"),))
    assert task.parse("None", example) == task.parse("{}", example) == Mentions()
    for text in ("", "aspirin", '{"chemical": [["x"]]}', '{"chemical": ["\\ud800"]}', '[{"type": "chemical"}]'):
        with pytest.raises(Unparsable):
            task.parse(text, example)


def test_relations_in_json_and_of_events() -> None:
    events = (Event(id="E1", type="Exp", trigger="expression", trigger_spans=()),)
    record = document(
        ("Chemical", "TNF"), ("Disease", "flu"), events=events,
        relations=(relation("R1", "CID", "T1", "T2"), relation("R2", "Bind", "E1", "T1")),
    )  # fmt: skip
    example = made("re", record, form="json")
    assert example.answer == (
        '[{"head": "TNF", "tail": "flu", "relation": "induces"}, '
        '{"head": "expression", "tail": "TNF", "relation": "binds"}]'
    )
    assert made("re", record).answer == "(TNF, flu, induces); (expression, TNF, binds)"
    assert parse("re", '[{"head": "a", "tail": "b", "relation": "treats"}]', form="json") == Triples(
        items=(Triple(head="a", tail="b", type="treats"),)
    )


def test_a_relation_inside_another_is_written_in_its_brackets() -> None:
    types = tuple(Shown(name=n, shown=n) for n in ("因果关系", "条件关系"))
    entities = (("m", "腹泻"), ("m", "肠道感染"), ("m", "脱水"))
    inner = relation("R2", "因果关系", "T2", "T3")
    stated = Relation(id="R2", type=inner.type, arguments=inner.arguments, attributes={cre.ONLY_INSIDE: "x"})
    record = document(*entities, lang="zh", relations=(relation("R1", "条件关系", "T1", "R2"), stated))
    gold = Triples(items=(Triple(head="腹泻", tail="(肠道感染, 脱水, 因果关系)", type="条件关系"),))
    example = made("cre", record, types=types)
    assert (example.answer, example.gold) == ("(腹泻, (肠道感染, 脱水, 因果关系), 条件关系)", gold)
    twice = made("cre", record, types=types, form="json")
    assert json.loads(twice.answer) == [
        {"head": "腹泻", "relation": "条件关系", "tail": {"head": "肠道感染", "relation": "因果关系", "tail": "脱水"}}
    ]
    task = tasks.get("cre")
    assert task.parse("（腹泻，（肠道感染，脱水，因果关系），条件关系）", example) == gold
    for wrong in ("腹泻", "(a, b)", "(a, (b, c, d)", "(a, b, c) d", "((a, b, c)e, b, c)"):
        with pytest.raises(Unparsable):
            task.parse(wrong, example)


def test_concepts_are_named_with_their_terminology_or_by_their_name() -> None:
    concepts = (Concept(db="MESH", id="D001"), Concept(db="OMIM", id="1 2"))
    entity = Entity(id="T1", type="Disease", text="a: b", spans=(Span(0, 4),), concepts=concepts)
    record = Document(**HEAD, text="a: b", entities=(entity,))
    example = made("nen", record, known=facts.gather((record,)))
    assert example.answer == "a\\: b: MESH:D001 + 1 2"
    assert "MESH, OMIM" in example.messages[0].content
    gold = (Normalised(text="a: b", concept="MESH:D001"), Normalised(text="a: b", concept="1 2"))
    assert example.gold == Normalisations(items=gold)
    assert made("nen", record, form="json", number=1).answer == (
        '[{"mention": "a: b", "concepts": ["MESH:D001", "1 2"]}]'
    )
    nothing = made("nen", document(("Disease", "flu")), known=Facts())
    assert (nothing.answer, nothing.gold) == ("None", Normalisations())
    with pytest.raises(Unparsable, match="gives a mention no concept"):
        parse("nen", "flu")


def test_events_are_numbered_and_those_that_say_the_same_are_one() -> None:
    def event(id: str, type: str, at: int, *arguments: tuple[str, str], **attributes: str) -> Event:
        found = tuple(
            Argument(role=role, kind="event" if ref[0] == "E" else "entity", ref=ref) for role, ref in arguments
        )
        trigger = record_text[at : at + 3]
        return Event(
            id=id, type=type, trigger=trigger, trigger_spans=(Span(at, at + 3),), arguments=found, attributes=attributes
        )

    record_text = "IL4 ups exp fos exp"
    events = (
        event("E1", "Reg", 4, ("Cause", "T1"), ("Theme", "E2"), Negation="true"),
        event("E2", "Exp", 8, ("Theme", "T2")),
        event("E3", "Exp", 16, ("Theme", "T2")),
    )
    places = (("T1", "IL4", 0), ("T2", "fos", 12))
    entities = tuple(Entity(id=id, type="G", text=text, spans=(Span(at, at + 3),)) for id, text, at in places)
    record = Document(**HEAD, text=record_text, events=events, entities=entities)
    example = made("ee", record)
    assert example.answer == (
        "1. regulation\\: positive: ups | Cause: IL4 | Theme: #2 | Negation: true\n"
        "2. gene \\| expression: exp | Theme: fos"
    )
    cause, theme, negated = (
        Filler(role="Cause", text="IL4"),
        Filler(role="Theme", text="exp", event=1),
        Filler(role="Negation", text="true"),
    )
    one = Happening(type="Reg", trigger="ups", fillers=(cause, theme, negated))
    other = Happening(type="Exp", trigger="exp", fillers=(Filler(role="Theme", text="fos"),))
    assert example.gold == Happenings(items=(one, other))
    assert json.loads(made("ee", record, form="json").answer)[0] == {
        "id": 1, "type": "regulation: positive", "trigger": "ups",
        "arguments": [
            {"role": "Cause", "text": "IL4"}, {"role": "Theme", "event": 2}, {"role": "Negation", "text": "true"}
        ],
    }  # fmt: skip
    only = made("ee", record, types=EVENT_TYPES["en"][:1])
    assert only.answer.endswith("Theme: exp | Negation: true"), "an event that is not asked for goes by its trigger"
    task = tasks.get("ee")
    one_line = "7) regulation\\: positive: ups | Negation: true | Theme: #9 | Cause: IL4"
    swapped = f"{one_line}\n9) gene \\| expression: exp | Theme: fos"
    score = task.score(example.gold, task.parse(swapped, example), record="r")
    assert score.counts == {"Exp": Counts(tp=1), "Reg": Counts(tp=1)}
    wrong = task.parse(swapped.replace("fos", "jun"), example)
    assert task.score(example.gold, wrong, record="r").counts == {"Exp": Counts(fp=1, fn=1), "Reg": Counts(fp=1, fn=1)}
    assert parse("ee", "1. x: y | Theme: #4") == Happenings(
        items=(Happening(type="x", trigger="y", fillers=(Filler(role="Theme", text="#4"),)),)
    )
    with pytest.raises(Unparsable, match="names no role"):
        parse("ee", "1. x: y | z")


def test_events_in_a_circle_are_compared() -> None:
    def ring(size: int) -> Happenings:
        return Happenings(
            items=tuple(
                Happening(type="Reg", trigger="x", fillers=(Filler(role="Theme", text="x", event=(n + 1) % size),))
                for n in range(size)
            )
        )

    task = tasks.get("ee")
    assert task.score(ring(2), ring(3), record="r").counts == {"Reg": Counts(tp=1)}
    example = made("ee", document())
    assert task.merge([(example, ring(3))]) == ring(1)


def test_chains_are_in_the_order_of_the_text_and_scored_by_links() -> None:
    chains = (("T3", "T1"), ("T2", "T4"), ("T2",))
    record = document(
        ("G", "p53"), ("G", "it"), ("G", "p53"), ("G", "they; all"),
        coreferences=tuple(Coreference(id=f"C{n}", entities=c) for n, c in enumerate(chains)),
    )  # fmt: skip
    example = made("coref", record)
    assert example.answer == "p53; p53\nit; they\\; all"
    assert made("coref", record, form="json").answer == '[["p53", "p53"], ["it", "they; all"]]'
    task = tasks.get("coref")
    predicted = Chains(items=(("p53", "p53", "it"),))
    assert task.score(example.gold, predicted, record="r").counts == {"link": Counts(tp=1, fp=1, fn=1)}
    assert task.score(example.gold, Chains(items=(("a",) * 5000,)), record="r").counts["link"].fp == 1


def test_trees_are_nodes_in_brackets() -> None:
    types = (Shown(name="药", shown="治疗药物"),)
    one, other = Triple(head="甲", tail="乙", type="药"), Triple(head="丙", tail="丁", type="药")
    nodes = (
        TreeNode(role="condition", triples=(one, other), logic="or"),
        TreeNode(role="decision", triples=(one,)),
        TreeNode(role="decision"),
    )
    record = TextToStruct(**(HEAD | {"lang": "zh"}), source="文", nodes=nodes)
    example = made("struct", record, types=types)
    assert example.answer == "[条件，或：(甲, 乙, 治疗药物)；(丙, 丁, 治疗药物)]\n[决策：(甲, 乙, 治疗药物)]\n[决策]"
    task = tasks.get("struct")
    swapped = Tree(nodes=(nodes[0], nodes[2], nodes[1]))
    assert task.score(example.gold, swapped, record="r").counts == {
        "condition": Counts(tp=1),
        "decision": Counts(fp=2, fn=2),
    }
    assert task.parse("【condition, or: (甲, 乙, 治疗药物)】", example) == Tree(
        nodes=(TreeNode(role="condition", triples=(one,), logic="or"),)
    )
    for wrong in ("", "条件", "[分支]", "[条件，非]", "[条件：甲]"):
        with pytest.raises(Unparsable):
            task.parse(wrong, example)
    refused = render("struct", record, types=())
    assert isinstance(refused, Reject)
    assert refused.reason == "a relation of the tree is not asked for"


# --- pairs -----------------------------------------------------------------------------------------------------------


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
    assert example.messages[0].content.endswith("\n<e2>asthma</e2> <e1>aspirin</e1>")
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
    assert "<e1>left</e1> and right <e1+>lung</e1+>; <e1>lungs</e1> <e2>ASA</e2>" in first.messages[0].content
    gold = {("left lung", "ASA"), ("lungs", "ASA")}
    assert {(t.head, t.tail) for t in getattr(first.gold, "items", ())} == gold
    assert tasks.get("rc").parse("binds", first) == first.gold
    assert isinstance(second, Example)
    assert second.answer == "None"
    assert first.content[0] == second.content[0]
    assert first.content != second.content, "pairs of one text are no duplicates"


def test_what_cannot_be_marked_is_said() -> None:
    text_end = Relation(id="R1", type="CID", arguments=(Argument(role="", kind="text", ref="x"),) * 2)
    (made_of_text,) = pairs(document(("Chemical", "a"), relations=(text_end,)), None)
    assert isinstance(made_of_text, Reject)
    assert made_of_text.reason == "a relation is not between two things that can be marked"
    (tagged,) = pairs(document(("Chemical", "<e1>"), ("Disease", "b")), None)
    assert isinstance(tagged, Reject)
    assert tagged.reason == "the text contains a tag"


@pytest.mark.parametrize("lang", get_args(Lang))
def test_wordings_of_pairs_hold_no_tag(lang: Lang) -> None:
    assert not any("<e" in template.text for template in tasks.load_templates(tasks.get("rc"), lang))


# --- the pieces ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('["a", "b"', '["a", "b"]'),
        ('["a", "b", "c', '["a", "b"]'),
        ('["a\\"], [", "b', '["a\\"], ["]'),
        ("x [[1], [2", "[[1]]"),
        ('[{"a": ["b"]}, {"a": ["c"]', '[{"a": ["b"]}]'),
        ('["a', ""),
        ("none", ""),
        ('["a"] and more', '["a"] and more'),
    ],
)
def test_an_array_that_was_cut_is_closed(text: str, kept: str) -> None:
    assert json_answer.cut(text) == kept


def test_an_object_of_arrays_and_lines_are_cut_too() -> None:
    assert json_answer.cut('{"a": ["b", "c"], "d": ["e', "{[") == '{"a": ["b", "c"]}'
    assert listing.cut_lines("a; b\nc; d") == "a; b"
    assert listing.cut_lines("a; b\n") == "a; b"
    assert listing.cut_lines("a; b") == ""


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corpus", "name"),
    [
        (corpus, name)
        for corpus in catalogue.all_corpora()
        for name in (*corpus.tasks, *(["rc"] if "re" in corpus.tasks else []))
        if (name in RECORDS or name == "rc") and corpus.bundled is None
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_fixture_of_every_corpus_comes_back(corpus: catalogue.Corpus, name: str) -> None:
    root = catalogue.fixtures_dir("official")
    records = [
        item
        for split in corpus.splits
        if corpus.layout(split, root)
        for item in catalogue.load(corpus, split, root)
        if not isinstance(item, Reject)
    ]
    task = tasks.get(name)
    if isinstance(task, Informed):
        task = task.informed(facts.gather(records))
    for record in records:
        if not task.applies(record):
            continue
        known = {"entities": corpus.entity_types, "relations": corpus.relation_types, "events": corpus.event_types}
        found = known[task.kind].items() if task.kind in known else ()
        types = [Shown(name=n, shown=t.shown(record.lang)) for n, t in found]
        for form in task.forms:
            for focus in task.focuses(record, types):
                template = tasks.load_templates(task, record.lang)[0]
                example = task.render(record, template, form=form, types=types, focus=focus)
                if isinstance(example, Example) and form != "tagged":
                    assert task.parse(example.answer, example) == example.gold
