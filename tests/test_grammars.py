"""Grammars of answers: they have what is rendered, and nothing that cannot be parsed, is of another type or not in the
source."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import accumulate, product
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import strategies
from extraction import FORMS, RECORDS, document, made, relation
from taiyi import tagged, tasks
from taiyi.errors import Unparsable
from taiyi.generate.constrained import Constraint, Vocabulary
from taiyi.schema import (
    Answer,
    Argument,
    Chains,
    Choice,
    Concept,
    Coreference,
    Event,
    Example,
    Happenings,
    Labels,
    Mentions,
    Normalisations,
    Option,
    Pair,
    Question,
    Reject,
    Scale,
    Shown,
    Triples,
    Value,
)
from taiyi.tasks import json_answer
from taiyi.tasks.grammars import MOST_COPIED
from taiyi.templates import words
from taiyi.text import pieces
from taiyi.train.tokenizer import train_bpe

QUOTING = [(name, form) for name, form in FORMS if name != "struct"]
GRADED = Shown(name="similarity", shown="similarity", scale=Scale(measure="similarity", lowest=-0.5, highest=12))


@cache
def tokenizer() -> Any:
    """A tokenizer of few tokens, most of one byte, some of several characters."""
    return train_bpe(["None; (a, b), 无；：临床表现", '{"head": "relation", "text": "'] * 4, vocab_size=340, tags=[])


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary(tokenizer(), {tokenizer().eos_token_id}, len(tokenizer()) + 3)


def constraint(example: Example) -> Constraint:
    grammar = tasks.grammar(example)
    found = vocabulary().constraint(grammar)
    assert found is not None, grammar
    return found


def has(example: Example, answer: str) -> bool:
    """Whether an answer is one of the grammar of an example."""
    held = constraint(example)
    # Letter by letter where a text looks like a special token.
    parts = answer if "<|" in answer else [answer]
    ids = [token for part in parts for token in tokenizer().encode(part, add_special_tokens=False)]
    return all(map(held.take, ids)) and held.take(tokenizer().eos_token_id)


def walk(example: Example, seed: int, most: int = 80) -> tuple[str, bool]:
    """Write an answer that a grammar allows, token by token, by chance; say whether it came to an end."""
    held, end, chance = constraint(example), tokenizer().eos_token_id, random.Random(seed)
    ids: list[int] = []
    while len(ids) < most:
        [allowed] = vocabulary().allowed([held])
        choices = allowed.nonzero()[0].tolist()
        assert choices, (tasks.grammar(example), tokenizer().decode(ids))
        token = end if end in choices and chance.random() < 0.3 else chance.choice(choices)
        assert held.take(token)
        if token == end:
            return tokenizer().decode(ids), True
        ids.append(token)
    return tokenizer().decode(ids), False


def texts_of(answer: Answer) -> Iterator[str]:
    """Yield what an answer quotes."""
    match answer:
        case Mentions():
            yield from (mention.text for mention in answer.items)
        case Triples():
            yield from (text for triple in answer.items for text in (triple.head, triple.tail))
        case Normalisations():
            yield from (item.text for item in answer.items)
        case Happenings():
            for event in answer.items:
                yield from [event.trigger] if event.trigger else []
                yield from (filler.text for filler in event.fillers if filler.event is None)
        case Chains():
            yield from (text for chain in answer.items for text in chain)
        case _:
            raise AssertionError(answer)


def types_of(answer: Answer) -> set[str]:
    items = cast("Iterable[Any]", getattr(answer, "items", ()))
    return {item.type for item in items if not isinstance(item, tuple) and getattr(item, "type", "")}


def leaves(value: Any, depth: int = 0) -> tuple[list[str], int]:
    """Return the texts of nested triples in JSON, and how deep they nest."""
    if isinstance(value, str):
        return [value], depth
    parts = [leaves(part, depth + 1) for part in (value["head"], value["tail"])]
    return [text for texts, _ in parts for text in texts], max(deep for _, deep in parts)


def is_quoted(text: str, example: Example) -> bool:
    """Whether a text stands in the source, at edges of its pieces, and is spelled there as it is by itself.

    In triples a comma is escaped before white space and at the end of a text.
    """
    source = example.source_text
    edges, at = edges_of(source), source.find(text)
    while at >= 0:
        end = at + len(text)
        after = source[end : end + 1]
        spaced = not after or (after.isspace() and after not in "\n\x1c\x1d\x1e\x1f")
        escaped = text.endswith(",") and example.form == "list" and isinstance(example.gold, Triples)
        if at in edges and end in edges and (spaced or not escaped):
            return True
        at = source.find(text, at + 1)
    return False


@lru_cache(maxsize=4)
def edges_of(source: str) -> set[int]:
    """Where the pieces of a text begin and end, the spaces before them apart."""
    edges = {0, *accumulate(map(len, pieces(source)))}
    return edges | {at + 1 for at in edges if source[at : at + 1] == " "}


WHOLE = document(
    ("Chemical", "IL-2 (a)"),
    ("G", "x; y"),
    relations=(relation("R1", "CID", "T1", "T2"),),
    events=(
        Event(id="E1", type="Reg", trigger="x; y", arguments=(Argument(role="Theme", kind="entity", ref="T1"),)),
        Event(id="E2", type="Exp", trigger="IL", arguments=(Argument(role="Cause", kind="event", ref="E1"),)),
    ),
    coreferences=(Coreference(id="C1", entities=("T1", "T2")),),
)
CONCEPT = Concept(db="MESH", id="a + b")
WHOLE = replace(WHOLE, entities=tuple(replace(entity, concepts=(CONCEPT,)) for entity in WHOLE.entities))

# --- what is rendered is one of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), QUOTING)
def test_a_gold_answer_is_one_of_them_where_its_mentions_are_in_the_source(name: str, form: str) -> None:
    accepted: list[bool] = []

    @settings(max_examples=30)
    @given(RECORDS[name], st.integers(0, 20))
    def holds(record: Any, number: int) -> None:
        example = made(name, record, form=form, number=number)
        if name == "cre":
            rows = [leaves(row) for row in json.loads(made(name, record, form="json").answer)]
            texts, deep = [text for found, _ in rows for text in found], max((deep for _, deep in rows), default=0)
        else:
            texts, deep = list(texts_of(example.gold)), 0
        expected = deep <= 2 and all(is_quoted(text, example) for text in texts)
        assert has(example, example.answer) == expected, example.answer
        accepted.append(expected)

    holds()
    assert any(accepted)
    for form in tasks.get(name).forms:
        whole = made(name, WHOLE, form=form)
        assert form == "tagged" or (list(texts_of(whole.gold)) and has(whole, whole.answer)), whole.answer


@given(strategies.labelled())
def test_labels_are_one_of_them(record: Any) -> None:
    example = rendered("tc", record, strategies.LABELS[record.lang])
    assert has(example, example.answer)
    assert not has(example, "labels of another corpus")


def rendered(name: str, record: Any, types: Iterable[Shown] = ()) -> Example:
    task = tasks.get(name)
    form = task.forms[0]
    example = task.render(record, tasks.load_templates(task, record.lang)[0], form=form, types=tuple(types))
    assert isinstance(example, Example), example
    return example


HEAD: dict[str, Any] = {"id": "r", "corpus": "c", "split": "test"}
QUESTION = Question(
    **HEAD,
    lang="en",
    kind="choice",
    question="Which?",
    answers=("10",),
    options=tuple(Option(key=key, text=key * 2) for key in ("1", "10", "A")),
)
YES_NO = Question(**HEAD, lang="zh", kind="yesno", question="是吗？", answers=("maybe",), contexts=("文。",))
PAIR = Pair(**HEAD, lang="en", first="a", second="b", label="yes")
LABELS = (Shown(name="no", shown="not similar"), Shown(name="yes", shown="similar"))
RELATED = document(("Chemical", "aspirin"), ("Disease", "asthma"), relations=(relation("R1", "CID", "T1", "T2"),))


def closed() -> list[tuple[Example, set[str]]]:
    """Examples with all the answers that they allow."""
    rc = tasks.get("rc")
    induces = (strategies.RELATION_TYPES["en"][0],)
    (focus, *_) = rc.focuses(RELATED, induces)
    classified = rc.render(RELATED, tasks.load_templates(rc, "en")[0], form="label", types=induces, focus=tuple(focus))
    assert not isinstance(classified, Reject)
    labels = ("induces", "induces (e2, e1)")
    return [
        (rendered("qa_mc", QUESTION), {"1", "10", "A"}),
        (rendered("qa_yesno", YES_NO), {"是", "否", "不确定"}),
        (rendered("tp_ss", PAIR, LABELS), {"similar", "not similar"}),
        (rendered("tp_te", PAIR, LABELS), {"similar", "not similar"}),
        (classified, {"None", *labels, *map("; ".join, product(labels, repeat=2))}),
    ]


@pytest.mark.parametrize("number", range(5))
def test_choices_and_labels_are_those_that_there_are(number: int) -> None:
    example, expected = closed()[number]
    task = tasks.get(example.task)
    assert example.answer in expected
    assert all(has(example, answer) for answer in expected)
    found = {walk(example, seed) for seed in range(60)}
    assert {answer for answer, _ in found} <= expected
    assert len(found) > 1
    for answer, whole in found:
        assert whole
        task.parse(answer, example)
    assert not any(has(example, wrong) for wrong in ("", "2", "maybe not", "similar not", "induces;"))


@settings(max_examples=30)
@given(st.integers(-50, 1200).map(lambda n: n / 100), st.integers(0, 10**6))
def test_grades_are_the_numbers_of_their_scale_to_two_decimals(value: float, seed: int) -> None:
    example = rendered("tp_ss", Pair(**HEAD, lang="en", first="a", second="b", value=value), (GRADED,))
    assert has(example, example.answer)
    assert not any(has(example, wrong) for wrong in ("12.01", "-0.51", "13", "1.234", "1.", ".5", "01", "-1"))
    answer, whole = walk(example, seed)
    if whole:
        parsed = tasks.get("tp_ss").parse(answer, example)
        assert isinstance(parsed, Value)
        assert -0.5 <= parsed.value <= 12


@pytest.mark.parametrize("name", ["qa_sqa", "mrd", "mt"])
def test_texts_have_no_grammar(name: str) -> None:
    records = {"qa_sqa": strategies.questions("simple"), "mrd": strategies.dialogues(), "mt": strategies.parallels()}

    @given(records[name])
    def holds(record: Any) -> None:
        assert tasks.grammar(rendered(name, record)) == ""

    holds()


# --- and nothing else is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), QUOTING)
def test_all_of_them_parse_to_asked_types_and_quote_the_source(name: str, form: str) -> None:
    task = tasks.get(name)
    whole: list[bool] = []

    @settings(max_examples=30)
    @given(RECORDS[name], st.integers(0, 10**6))
    def holds(record: Any, seed: int) -> None:
        example = made(name, record, form=form)
        answer, ended = walk(example, seed)
        whole.append(ended)
        if not ended and not (answer := task.cut(answer, example)):
            return
        parsed = task.parse(answer, example)
        assert types_of(parsed) <= {shown.name for shown in example.types}
        for text in texts_of(parsed):
            assert text
            assert quotes(text, example), (text, answer)

    holds()
    assert any(whole)


def quotes(text: str, example: Example) -> bool:
    """Whether a text is a stretch of the source, a triple in a triple, or the number of an event that is not there."""
    if text in example.source_text:
        return text == text.strip()
    if example.task == "ee":
        return text.startswith("#") and text[1:].isdigit()
    if example.task == "cre" and text.startswith("("):
        # A gold triple is written in the list form, under the names of the corpus.
        inner = tasks.get("re").parse(text, made("re", document(("G", "x")), form="list", types=example.types))
        return all(quotes(part, example) for part in texts_of(inner))
    return False


def tagged_example(record: Any) -> Example | None:
    task, types = tasks.get("ner"), strategies.ENTITY_TYPES[record.lang]
    example = task.render(record, tasks.load_templates(task, record.lang)[0], form="tagged", types=types)
    return example if isinstance(example, Example) else None


@settings(max_examples=50)
@given(strategies.documents(with_all=False) | RECORDS["ner"], st.integers(0, 10**6))
def test_tagged_answers_are_the_source_with_tags_at_its_pieces(record: Any, seed: int) -> None:
    if not (example := tagged_example(record)) or example.tagging is None:
        return
    edges = edges_of(record.text)
    given = tagged.read(example.answer, example.tagging)
    aligned = all(mention.span and set(mention.span) <= edges for mention in given)
    assert has(example, example.answer) == aligned
    answer, whole = walk(example, seed, most=200)
    if whole:
        found = tagged.read(answer, example.tagging)
        assert all(mention.span and set(mention.span) <= edges for mention in found)
    else:
        assert all(
            part in (*example.tagging.source, "<", "/", ">") or part in "".join(example.tagging.tags)
            for part in answer.replace("\ufffd", "")
        )


def test_tags_nest_close_in_order_and_hold_something() -> None:
    example = tagged_example(document(("G", "a b \n c")))
    assert example is not None
    for right in ("a b \n c", "<gene>a b</gene> \n c", "<gene><chemical>a</chemical> b</gene> \n c",
                  "a b<gene> \n c</gene>", "<gene>" * 4 + "a" + "</gene>" * 4 + " b \n c"):  # fmt: skip
        assert has(example, right), right
    for wrong in ("a b", "a b \n c d", "<gene>a b \n c", "<gene></gene>a b \n c", "a b<gene> </gene>\n c",
                  "<gene>a</chemical> b \n c", "<gene>a<chemical> b</gene> \n c</chemical>", "<drug>a</drug> b \n c",
                  "a b \n c<gene></gene>", "<gene>" * 5 + "a" + "</gene>" * 5 + " b \n c"):  # fmt: skip
        assert not has(example, wrong), wrong


def test_a_source_that_is_too_long_for_its_tags_has_no_grammar() -> None:
    long = tagged_example(document(("G", "a " * (MOST_COPIED - 1) + "b")))
    assert long is not None
    answer = "<gene>a</gene> " + long.source_text[2:]
    assert has(long, answer)
    longer = tagged_example(document(("G", "a " * MOST_COPIED + "b")))
    assert longer is not None
    assert tasks.grammar(longer) == ""


def test_a_mention_is_a_stretch_of_the_source_however_it_is_spelled() -> None:
    source = 'took 1,2-dione; "x" | y #3\nand None, （甲，乙）'
    held = made("ner", document(("Chemical", source)), form="list")
    line = 'chemical: 1,2-dione\\; "x" | y; y #3\\nand None; \\None; （甲，乙）'
    assert has(held, line)
    assert [m.text for m in tasks.get("ner").parse(line, held).items] == sorted(  # type: ignore[union-attr]
        ['1,2-dione; "x" | y', "y #3\nand None", "None", "（甲，乙）"]
    )
    for wrong in (
        "chemical: 12-dione",
        "chemical: took took",
        "chemical: ",
        "chemical:  took",
        "drug: took",
        "chemical",
    ):
        assert not has(held, wrong), wrong
    triples = made("re", document(("Chemical", source)), form="list", types=strategies.RELATION_TYPES["en"])
    # A comma stands within a mention and after it, a bracket too.
    assert has(triples, "(1,2-dione, 1, induces); (1, 2, binds); (1,, None\\, （甲\\，乙）, binds)")
    assert not has(triples, "(1, 2, heals)")
    assert has(triples, words("en").none)


def test_types_that_begin_alike_are_told_apart() -> None:
    types = (Shown(name="a", shown="gene"), Shown(name="b", shown="gene: any"), Shown(name="c", shown="ge"))
    example = made("ner", document(("a", "any: TP53")), form="list", types=types)
    assert has(example, "gene: any: TP53\nge: TP53\ngene: TP53")
    nested = made("re", document(("a", "x, y)")), types=(Shown(name="r", shown="is, of"), Shown(name="s", shown="is")))
    assert has(nested, "(x\\, y, y), is, of); (x, y, is)")


def test_a_key_of_json_that_comes_twice_loses_nothing() -> None:
    example = made("ner", document(("Chemical", "a b")), form="json")
    answer = '{"chemical": ["a"], "gene": ["b"], "chemical": ["b"]}'
    assert has(example, answer)
    parsed = tasks.get("ner").parse(answer, example)
    assert isinstance(parsed, Mentions)
    assert {(m.type, m.text) for m in parsed.items} == {("Chemical", "a"), ("Chemical", "b"), ("G", "b")}
    assert json_answer.read('{"a": 1, "a": 2}', "en") == {"a": 2}


def test_what_fills_a_role_is_a_mention_an_event_or_a_value_of_the_role() -> None:
    roles = (Shown(name="Theme", shown="theme"), Shown(name="Negation", shown="negation", values=("true",)))
    ee = cast("Any", tasks.get("ee")).naming({"en": roles})
    types = (Shown(name="Reg", shown="regulation"),)
    for form, right, wrong in (
        ("list", "1. regulation: x | theme: #1 | theme2: y z | negation: true", "1. regulation: x | theme: true"),
        ("list", "1. regulation | theme: y", "1. regulation: x | negation: y"),
        (
            "json",
            '[{"id": 1, "type": "regulation", "arguments": [{"role": "theme2", "event": 1}, '
            '{"role": "negation", "text": "true"}]}]',
            '[{"id": 1, "type": "regulation", "arguments": [{"role": "negation", "text": "y"}]}]',
        ),
    ):
        template = tasks.load_templates(ee, "en")[0]
        example = ee.render(document(("G", "x"), ("G", "y z")), template, form=form, types=types)
        assert has(example, right), right
        assert not has(example, wrong), wrong


def test_an_answer_outside_of_the_grammar_is_what_parsing_refuses_or_invents() -> None:
    example = made("re", document(("Chemical", "aspirin heals")), form="json")
    for answer in ("[]", '[{"head": "aspirin", "tail": "heals", "relation": "binds"}]'):
        assert has(example, answer)
    assert not has(example, '[{"head": "aspirin", "tail": "asthma", "relation": "binds"}]')
    with pytest.raises(Unparsable):
        tasks.get("re").parse("nothing here", example)
    assert not has(example, "nothing here")
    assert isinstance(rendered("tc", next_labelled()).gold, Labels)
    assert isinstance(rendered("qa_mc", QUESTION).gold, Choice)


def next_labelled() -> Any:
    from taiyi.schema import Labelled

    return Labelled(**HEAD, lang="en", text="x", labels=())
