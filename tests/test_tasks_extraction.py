"""Tasks of extraction: what is rendered parses to its gold, whatever text it holds, and answers are read as models
write them. What each task makes of its records is tested by task."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from extraction import FORMS, RECORDS, document, made, parse
from taiyi import catalogue, tasks
from taiyi.errors import Unparsable
from taiyi.schema import Example, Mention, Mentions, Reject, Shown
from taiyi.tasks import facts, json_answer, listing
from taiyi.tasks.facts import Informed

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
        types = [Shown(name=n, shown=t.shown(record.lang), symmetric=t.symmetric) for n, t in found]
        for form in task.forms:
            for focus in task.focuses(record, types):
                template = tasks.load_templates(task, record.lang)[0]
                example = task.render(record, template, form=form, types=types, focus=focus)
                if isinstance(example, Example) and form != "tagged":
                    assert task.parse(example.answer, example) == example.gold
