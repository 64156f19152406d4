"""Tasks over texts, pairs and questions: every wording of each gives back its gold, and what models write is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from taiyi import catalogue, tasks
from taiyi.build.queries import fixed
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.catalogue.fixtures import fixtures, fixtures_dir
from taiyi.errors import CorpusError, Unparsable
from taiyi.schema import (
    Choice,
    Example,
    FreeText,
    Lang,
    Option,
    Pair,
    Parallel,
    Question,
    Record,
    Reject,
    Shown,
    TextToText,
)


def head(lang: Lang = "en") -> dict[str, Any]:
    return {"id": "r1", "corpus": "c", "split": "test", "lang": lang}


KEYS = st.sampled_from(
    [
        "ABCDE",
        "abc",
        ["1", "2", "10", "12"],
        ["@entity1", "@entity10", "@entity3"],
        ["①", "②"],
        ["A1", "A"],
        ["is", "answer"],
        [" .", "*"],
    ]
)


@st.composite
def choices(draw: st.DrawFn) -> Question:
    """Questions with keys of any kind, with and without passages."""
    keys: Sequence[str] = draw(KEYS | st.lists(strategies.texts, min_size=2, max_size=4, unique=True))
    return Question(
        **head(draw(strategies.langs)),
        kind="choice",
        question=draw(strategies.texts),
        answers=(draw(st.sampled_from(list(keys))),),
        contexts=tuple(draw(st.lists(strategies.texts, max_size=2))),
        options=tuple(Option(key=key, text=draw(strategies.words | st.sampled_from(keys))) for key in keys),
    )


RECORDS: dict[str, st.SearchStrategy[Any]] = {
    "mt": strategies.parallels(),
    "tp_ss": strategies.pairs(graded=False),
    "tp_te": strategies.pairs(graded=False),
    "summary": strategies.rewritings("summary"),
    "title": strategies.rewritings("title"),
    "report": strategies.rewritings("report"),
    "tc": strategies.labelled(),
    "qa_mc": choices(),
    "qa_yesno": strategies.questions("yesno"),
    "qa_sqa": strategies.questions("simple"),
    "qa_cqa": strategies.questions("context"),
    "mrd": strategies.dialogues(),
}


def render(name: str, record: Record, types: Sequence[Shown] = (), *, lang: Lang = "en", number: int = 1) -> Example:
    task = tasks.get(name)
    assert task.applies(record)
    made = task.render(record, tasks.load_templates(task, lang)[number - 1], form=task.forms[0], types=types)
    assert isinstance(made, Example), made
    return made


# --- every wording ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("name", RECORDS)
def test_every_wording_gives_back_its_gold(name: str, lang: Lang) -> None:
    """The language of the instruction may be another than the record's: labels are then shown in it as well."""
    task = tasks.get(name)
    wordings = tasks.load_templates(task, lang)

    @settings(max_examples=25)
    @given(RECORDS[name])
    def holds(record: Any) -> None:
        types = strategies.LABELS[record.lang] if task.kind else ()
        for template in wordings:
            made = task.render(record, template, form=task.forms[0], types=types)
            assert isinstance(made, Example), made
            assert (made.template, made.lang) == (template.id, lang)
            assert task.parse(made.answer, made) == made.gold
            assert task.merge([(made, made.gold)]) == made.gold
            score = task.score(made.gold, task.parse(made.answer, made), record=record.id)
            assert score.value == (None if task.metric == "micro_f1" else 1.0)
            assert all(counts.fp == counts.fn == 0 for counts in score.counts.values())
            assert all(text in made.messages[-1].content for text in _asked(record))

    holds()


def _asked(record: Record) -> list[str]:
    """The texts that a prompt about a record must hold as they are."""
    match record:
        case Parallel() | TextToText():
            return [record.source]
        case Pair():
            return [record.first, record.second]
        case Question():
            return [record.question, *record.contexts, *(f"{o.key}. {o.text}" for o in record.options)]
        case _:
            return []


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("name", RECORDS)
def test_there_are_fifteen_wordings_and_the_last_two_are_held_out(name: str, lang: Lang) -> None:
    found = tasks.load_templates(tasks.get(name), lang)
    assert len(found) == 15
    assert [t.held_out for t in found] == [False] * 13 + [True] * 2


# Each corpus under each of these tasks that its entry names.
CORPORA = [(corpus, name) for corpus in catalogue.all_corpora() for name in corpus.tasks if name in RECORDS]


@pytest.mark.parametrize(("corpus", "name"), CORPORA, ids=lambda value: getattr(value, "name", value))
def test_the_fixture_of_every_corpus_comes_back(corpus: Corpus, name: str) -> None:
    """The real files of many corpora are not at hand: their records are known by the fixtures alone."""
    task = tasks.get(name)
    try:
        found = list(fixtures(corpus))
    except CorpusError:
        assert corpus.bundled, "only what comes with the package needs no fixture"
        return
    num_examples = 0
    for layout, alone in found:
        for split in alone.splits:
            records = catalogue.load(alone, split, fixtures_dir(layout.name))
            for number, record in enumerate(r for r in records if not isinstance(r, Reject) and task.applies(r)):
                (types, *_) = fixed(task, corpus, Selection(corpus=corpus.name, task=name), record.lang)
                made = render(name, record, types, lang=record.lang, number=number % 15 + 1)
                assert task.parse(made.answer, made) == made.gold
                num_examples += 1
    assert num_examples


# --- multiple choice: passages, and keys that are no letters ---------------------------------------------------------


def question(*options: tuple[str, str], contexts: Sequence[str] = (), lang: Lang = "en") -> Question:
    return Question(
        **head(lang),
        kind="choice",
        question="Which drug?",
        answers=(options[-1][0],),
        options=tuple(Option(key=key, text=text) for key, text in options),
        contexts=tuple(contexts),
    )


LETTERS, NUMBERS = [("A", "aspirin"), ("B", "1 mg")], [("1", "aspirin"), ("2", "10 mg"), ("10", "1.5 mg")]
ENTITIES = [("@entity1", "patients"), ("@entity10", "gout, Podagra's attack"), ("@entity3", "")]


@pytest.mark.parametrize(
    ("lang", "number", "prompt"),
    [
        ("en", 1, "Which drug?\nA. aspirin\nB. 1 mg\nAnswer with the letter of the right option."),
        ("en", 2, "Choose the correct answer to this medical question.\nQuestion: Which drug?\nA. aspirin\nB. 1 mg"),
        (
            "en",
            3,
            "The following is a multiple-choice question. Give the letter of the best option.\n\nWhich drug?\n\n"
            "A. aspirin\nB. 1 mg",
        ),
        ("zh", 1, "Which drug?\nA. aspirin\nB. 1 mg\n请回答正确选项的字母。"),
        ("zh", 2, "请选出下面医学题目的正确答案。\n题目：Which drug?\nA. aspirin\nB. 1 mg"),
        ("zh", 3, "以下是一道选择题，请给出最佳选项的字母。\n\nWhich drug?\n\nA. aspirin\nB. 1 mg"),
    ],
)
def test_questions_with_letters_and_without_passages_are_asked_as_they_were(
    lang: Lang, number: int, prompt: str
) -> None:
    assert render("qa_mc", question(*LETTERS), lang=lang, number=number).messages[-1].content == prompt


def test_passages_stand_in_the_prompt_whole_and_in_order() -> None:
    for number in range(1, 16):
        made = render("qa_mc", question(*LETTERS, contexts=["First {question}.", "Second."]), number=number)
        assert "First {question}.\nSecond." in made.messages[-1].content
        assert made.template == f"qa_mc.en.{number:02}"


@pytest.mark.parametrize(("lang", "word"), [("en", "letter"), ("zh", "字母")])
@pytest.mark.parametrize("contexts", [(), ("A passage.",)])
@pytest.mark.parametrize("options", [NUMBERS, ENTITIES])
def test_no_letter_is_asked_for_where_keys_are_none(
    options: list[tuple[str, str]], contexts: Sequence[str], lang: Lang, word: str
) -> None:
    wordings = tasks.load_templates(tasks.get("qa_mc"), lang)
    assert any(word in template.text for template in wordings)
    for number in range(1, len(wordings) + 1):
        made = render("qa_mc", question(*options, contexts=contexts), lang=lang, number=number)
        assert word not in made.messages[-1].content


@pytest.mark.parametrize(
    ("options", "text", "key"),
    [
        (NUMBERS, "2", "2"),
        (NUMBERS, "10", "10"),
        (NUMBERS, "**10**", "10"),
        (NUMBERS, "(2)", "2"),
        (NUMBERS, "2. 10 mg", "2"),
        (NUMBERS, "2 10 mg", "2"),
        (NUMBERS, "1.5 mg", "10"),
        (NUMBERS, "10 mg", "2"),
        (NUMBERS, "aspirin", "1"),
        (NUMBERS, "The answer is 10.", "10"),
        (NUMBERS, "The answer is 1.5 mg.", "10"),
        (NUMBERS, "答案：2", "2"),
        (NUMBERS, "答案是10，1.5 mg", "10"),
        (NUMBERS, "1、阿司匹林", "1"),
        (NUMBERS, "100", None),
        (NUMBERS, "The answer is 100", None),
        (NUMBERS, "1.7 mg", None),
        (NUMBERS, "2-10", None),
        (NUMBERS, "2 of them", None),
        (NUMBERS, "3", None),
        (ENTITIES, "@entity10", "@entity10"),
        (ENTITIES, "@entity1", "@entity1"),
        (ENTITIES, "@entity10: gout", "@entity10"),
        (ENTITIES, "@entity10 gout, Podagra's attack", "@entity10"),
        (ENTITIES, "The answer is @entity3.", "@entity3"),
        (ENTITIES, "gout, Podagra's attack", "@entity10"),
        (ENTITIES, "@entity11", None),
        (ENTITIES, "entity", None),
        ([("a", "rest"), ("b", "surgery")], "b", "b"),
        ([("a", "rest"), ("b", "surgery")], "The answer is a drug", None),
        ([("a", "rest"), ("b", "surgery")], "A patient", None),
        ([("a", "rest"), ("b", "surgery")], "The answer is b.", "b"),
    ],
)
def test_keys_that_are_no_letters_are_read(options: list[tuple[str, str]], text: str, key: str | None) -> None:
    task, made = tasks.get("qa_mc"), render("qa_mc", question(*options))
    if key is None:
        with pytest.raises(Unparsable):
            task.parse(text, made)
    else:
        assert task.parse(text, made) == Choice(key=key)


@pytest.mark.parametrize("text", ["1, 2", "1; 10", "The answer is 1 or 2.", "答案：2、10"])
def test_several_keys_are_unparsable(text: str) -> None:
    with pytest.raises(Unparsable, match="several options are named"):
        tasks.get("qa_mc").parse(text, render("qa_mc", question(*NUMBERS)))


# --- translation, and texts from texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "target_lang", "asked_in", "number", "prompt"),
    [
        ("zh", "en", "zh", 1, "把下面这段话翻译成英文：\n发热"),
        ("zh", "en", "en", 1, "Translate this text into English:\n发热"),
        ("en", "zh", "en", 6, "Text to translate: 发热\nTarget language: Chinese"),
        ("en", "zh", "zh", 6, "待译文本：发热\n目标语言：中文"),
    ],
)
def test_the_direction_is_the_records_and_the_instruction_may_be_in_either_language(
    lang: Lang, target_lang: Lang, asked_in: Lang, number: int, prompt: str
) -> None:
    record = Parallel(**head(lang), source="发热", target=" fever\n", target_lang=target_lang)
    made = render("mt", record, lang=asked_in, number=number)
    assert made.messages[-1].content == prompt
    assert (made.answer, made.gold, made.lang) == ("fever", FreeText(text="fever"), asked_in)


def test_a_pair_asked_for_in_both_directions_is_the_same_material() -> None:
    there = Parallel(**head(), source="fever", target="发热", target_lang="zh")
    back = Parallel(**head("zh"), source="发热", target="fever", target_lang="en")
    assert set(tasks.get("mt").texts(there)) == set(tasks.get("mt").texts(back))


def test_a_text_is_rewritten_by_the_task_of_its_kind_alone() -> None:
    for kind in ("summary", "title", "report"):
        record = TextToText(**head(), kind=kind, source="A long text.", target="Short.")
        assert [name for name in tasks.names() if tasks.get(name).applies(record)] == [kind]
        assert render(kind, record).answer == "Short."


def test_translations_are_scored_by_how_near_they_come() -> None:
    task = tasks.get("mt")
    gold = FreeText(text="发热三天，伴咳嗽")
    near, far = (task.score(gold, FreeText(text=t), record="r").value for t in ("发热三天，有咳嗽", "xyz"))
    assert near is not None
    assert far == 0.0 < near < 1.0
    assert task.score(gold, gold, record="r").value == 1.0
