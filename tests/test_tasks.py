"""Tasks: what is rendered parses back to its gold, scores are as worked by hand, and what models write is read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import strategies
from taiyi import tagged, tasks
from taiyi.errors import RecipeError, Unparsable
from taiyi.evaluate import run as evaluation
from taiyi.schema import (
    Argument,
    Choice,
    Concept,
    Counts,
    Dialogue,
    Document,
    Entity,
    Example,
    FreeText,
    Labelled,
    Labels,
    Lang,
    Mention,
    Mentions,
    Option,
    Prediction,
    Question,
    Record,
    Reject,
    Relation,
    Shown,
    Span,
    Triple,
    Triples,
    Turn,
)
from taiyi.tasks import listing
from taiyi.text import normalise

HEAD: dict[str, Any] = {"id": "r1", "corpus": "c", "split": "test", "lang": "en"}
CHEMICAL, DISEASE = Shown(name="Chemical", shown="chemical"), Shown(name="Disease", shown="disease")
TYPES = {"entities": strategies.ENTITY_TYPES, "relations": strategies.RELATION_TYPES, "labels": strategies.LABELS}
RECORDS: dict[str, st.SearchStrategy[Any]] = {
    "ner": strategies.documents(with_all=False),
    "re": strategies.documents(with_all=False),
    "tc": strategies.labelled(),
    "qa_mc": strategies.questions("choice"),
    "qa_yesno": strategies.questions("yesno"),
    "qa_sqa": strategies.questions("simple"),
    "qa_cqa": strategies.questions("context"),
    "mrd": strategies.dialogues(),
    "mt": strategies.parallels(),
    "tp_ss": strategies.pairs(graded=False),
    "tp_te": strategies.pairs(graded=False),
    "summary": strategies.rewritings("summary"),
    "title": strategies.rewritings("title"),
    "report": strategies.rewritings("report"),
}
# The other tasks of extraction have strategies of their own: extraction.py.
FORMS = [(name, form) for name in RECORDS for form in tasks.get(name).forms]


def render(
    name: str,
    record: Record,
    types: tuple[Shown, ...] = (),
    *,
    form: str | None = None,
    window: Span | None = None,
    number: int = 0,
) -> Example:
    task = tasks.get(name)
    assert task.applies(record)
    template = tasks.load_templates(task, record.lang)[number]
    made = task.render(record, template, form=form or task.forms[0], types=types, window=window)
    assert isinstance(made, Example), made
    return made


def document(text: str, *mentions: tuple[str, str], lang: Lang = "en") -> Document:
    """A document with the first place of each mention, given as its type and text."""
    entities = [
        Entity(id=f"T{i}", type=kind, text=part, spans=(Span(text.index(part), text.index(part) + len(part)),))
        for i, (kind, part) in enumerate(mentions)
    ]
    return Document(**(HEAD | {"lang": lang}), text=text, entities=tuple(entities))


def kinds(lang: Lang, *shown: str) -> tuple[Shown, ...]:
    return tuple(t for t in strategies.ENTITY_TYPES[lang] if t.name in shown)


# --- what is rendered parses back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_what_is_rendered_parses_to_its_gold(name: str, form: str) -> None:
    task = tasks.get(name)

    @given(RECORDS[name], st.integers(0, 9))
    def holds(record: Any, number: int) -> None:
        wordings = tasks.load_templates(task, record.lang)
        types = TYPES[task.kind][record.lang] if task.kind else ()
        made = task.render(record, wordings[number % len(wordings)], form=form, types=types)
        if isinstance(made, Reject):
            assert made.where.startswith(f"{record.corpus}/{record.split}/{record.id}#")
            assert made.reason in {"the text contains a tag", "a relation is not between two mentions"}
            return
        assert made.lang == record.lang
        assert made.messages[-1].role == "user"
        assert task.parse(made.answer, made) == _expected(made)
        assert task.merge([(made, made.gold)]) == made.gold
        score = task.score(made.gold, made.gold, record=record.id)
        assert score.state == "parsed"
        assert score.value in (None, pytest.approx(1.0))
        assert all(counts.fp == counts.fn == 0 for counts in score.counts.values())

    holds()


def _expected(example: Example) -> object:
    """The gold; of a tagged answer only the mentions that tags can hold together."""
    if example.tagging is None:
        return example.gold
    assert isinstance(example.gold, Mentions)
    # Mentions of one span nest in the order of their tags, which are the names that the prompt shows.
    shown = {t.name: t.shown for t in example.types}
    tags = {Mention(type=shown[m.type], text=m.text, span=m.span): m for m in example.gold.items if m.span is not None}
    placed, left = tagged.nest(tags)
    held = tuple(m for m in example.gold.items if m in [tags[tag] for tag in placed])
    assert len(held) + len(left) + sum(m.span is None for m in example.gold.items) == len(example.gold.items)
    return Mentions(items=held)


@pytest.mark.parametrize("form", tasks.get("ner").forms)
@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        (
            "chronic kidney failure",
            [("Disease", "chronic kidney failure"), ("Disease", "kidney failure"), ("G", "kidney")],
        ),
        ("1-(2,3);4: a\\b and (c)", [("Chemical", "1-(2,3);4: a\\b"), ("Chemical", "(c)")]),
        ("多；种\n病：无\\n", [("Disease", "种\n病：无\\n")]),
        ("None", [("Disease", "None")]),
        ("a\u2028b\r\nc", [("Disease", "a\u2028b"), ("Disease", "b\r\nc")][:1]),
    ],
)
def test_nested_mentions_and_marks_in_mentions_come_back(form: str, text: str, mentions: list[tuple[str, str]]) -> None:
    made = render("ner", document(text, *mentions), strategies.ENTITY_TYPES["en"], form=form)
    assert tasks.get("ner").parse(made.answer, made) == made.gold
    assert isinstance(made.gold, Mentions)
    assert {(m.type, m.text) for m in made.gold.items} == set(mentions)


@given(strategies.texts, strategies.texts, strategies.langs)
def test_triples_of_any_text_come_back(head: str, tail: str, lang: Lang) -> None:
    ends = tuple(Argument(role=role, kind="text", ref=ref) for role, ref in (("head", head), ("tail", tail)))
    relation = Relation(id="R1", type=strategies.RELATION_TYPES[lang][0].name, arguments=ends)
    made = render(
        "re", Document(**(HEAD | {"lang": lang}), text="x", relations=(relation,)), strategies.RELATION_TYPES[lang]
    )
    assert made.gold == Triples(items=(Triple(head=head.strip(), tail=tail.strip(), type=relation.type),))
    assert tasks.get("re").parse(made.answer, made) == made.gold


def test_a_relation_of_concepts_is_a_triple_of_every_pair_of_their_names() -> None:
    text = "Aspirin (ASA) and asthma"
    names = [("Chemical", "Aspirin", "D1"), ("Chemical", "ASA", "D1"), ("Disease", "asthma", "D2")]
    entities = tuple(
        Entity(
            id=f"T{i}",
            type=kind,
            text=name,
            spans=(Span(text.index(name), text.index(name) + len(name)),),
            concepts=(Concept(db="MESH", id=concept),),
        )
        for i, (kind, name, concept) in enumerate(names)
    )
    ends = tuple(Argument(role=role, kind="concept", ref=ref) for role, ref in (("a", "D1"), ("b", "D2")))
    record = Document(**HEAD, text=text, entities=entities, relations=(Relation(id="R", type="CID", arguments=ends),))
    made = render("re", record, strategies.RELATION_TYPES["en"])
    assert made.answer == "(Aspirin, asthma, induces); (ASA, asthma, induces)"


def test_answers_are_written_as_the_paper_shows_them() -> None:
    text = "Famotidine-associated delirium and mania."
    record = document(text, ("Disease", "delirium"), ("Chemical", "Famotidine"), ("Disease", "mania"))
    made = render("ner", record, (CHEMICAL, DISEASE), form="list")
    assert made.id == "c/test/r1#ner.en.01.list:Chemical+Disease"
    assert made.messages[0].content == f"Mark the chemical, disease entities in the text:\n{text}"
    assert made.answer == "chemical: Famotidine\ndisease: delirium; mania"
    marked = render("ner", record, (CHEMICAL, DISEASE), form="tagged")
    assert marked.answer == (
        "<chemical>Famotidine</chemical>-associated<disease> delirium</disease> and<disease> mania</disease>."
    )
    assert marked.tagging is not None
    assert marked.messages[0].content[marked.tagging.at :] == text
    nothing = render("ner", document("咳嗽", lang="zh"), kinds("zh", "dis"), form="list")
    assert (nothing.answer, nothing.gold) == ("无", Mentions())
    assert render("ner", record, (CHEMICAL,), form="list").answer == "chemical: Famotidine"


def test_a_text_that_contains_a_tag_is_rejected() -> None:
    task = tasks.get("ner")
    template = tasks.load_templates(task, "en")[0]
    made = task.render(document("a <disease> b"), template, form="tagged", types=(DISEASE,))
    assert isinstance(made, Reject)
    assert made.reason == "the text contains a tag"


@pytest.mark.parametrize(
    ("name", "answers", "reason"),
    [("qa_mc", ("A", "B"), "more than one right option"), ("qa_yesno", ("yes", "no"), "more than one answer")],
)
def test_a_question_with_several_right_answers_is_rejected(name: str, answers: tuple[str, ...], reason: str) -> None:
    options = (Option(key="A", text="one"), Option(key="B", text="two"))
    kind = "choice" if name == "qa_mc" else "yesno"
    record = Question(**HEAD, kind=kind, question="Which?", answers=answers, options=options, contexts=("c",))
    task = tasks.get(name)
    made = task.render(record, tasks.load_templates(task, "en")[0], form="key")
    assert isinstance(made, Reject)
    assert made.reason == reason


STEM = "A 40-year-old man has had a cough and fever for three days, and rust-coloured sputum since today."


@pytest.mark.parametrize(
    ("lang", "question", "others", "shares"),
    [
        ("en", "Which is right?", {}, True),  # all options
        ("en", "Which is right?", {"B": "other"}, True),  # the question with the right one
        ("en", "Which is right?", {"A": "other"}, False),
        ("en", STEM, {"A": "other", "B": "more"}, True),
        ("zh", "下列说法正确的是？", {"B": "其他"}, True),
        ("zh", "下列说法正确的是？", {"A": "其他"}, False),
        ("zh", "男，40岁，咳嗽、发热三天，今日起咳铁锈色痰，无胸痛。", {"A": "其他"}, True),
    ],
)
def test_questions_are_compared_with_all_options_with_the_right_one_and_alone_where_long(
    lang: Lang, question: str, others: dict[str, str], shares: bool
) -> None:
    def content(texts: dict[str, str]) -> set[str]:
        options = tuple(Option(key=key, text=text) for key, text in texts.items())
        head = HEAD | {"lang": lang}
        asked = Question(**head, kind="choice", question=question, answers=("A",), options=options)
        return {normalise(text) for text in tasks.get("qa_mc").texts(asked)}

    texts = {"A": "one", "B": "two", "C": "three"}
    assert bool(content(texts) & content(texts | others)) == shares
    assert content(texts) & content(dict(zip("ACB", texts.values(), strict=True))), "in whatever order"


def test_a_label_outside_the_set_is_rejected() -> None:
    task = tasks.get("tc")
    record = Labelled(**HEAD, text="x", labels=("z",))
    made = task.render(record, tasks.load_templates(task, "en")[0], form="list", types=strategies.LABELS["en"])
    assert isinstance(made, Reject)
    assert (made.reason, made.detail) == ("a label is not in the corpus's set", "z")


def test_a_dialogue_keeps_its_system_turn_and_leaves_out_what_nobody_answers() -> None:
    turns = [("system", "Be kind."), ("user", " Hi "), ("assistant", "Hello"), ("user", "Why?"), ("assistant", " So. ")]
    record = Dialogue(**HEAD, turns=tuple(Turn(role=role, text=text) for role, text in (*turns, ("user", "And?"))))  # pyright: ignore[reportArgumentType]
    made = render("mrd", record)
    assert [(m.role, m.content) for m in made.messages] == [*turns[:1], ("user", "Hi"), turns[2], turns[3]]
    assert (made.answer, made.gold) == ("So.", FreeText(text="So."))


def test_a_task_of_another_name_is_answered_with_a_suggestion() -> None:
    with pytest.raises(RecipeError, match=r"unknown task; got qa_mcq\. Did you mean 'qa_mc'"):
        tasks.get("qa_mcq")


# --- scores ----------------------------------------------------------------------------------------------------------


def test_entities_are_scored_as_unique_pairs_of_text_and_type() -> None:
    task = tasks.get("ner")
    gold = Mentions(
        items=(
            Mention(type="D", text="flu", span=Span(0, 3)),
            Mention(type="D", text="flu", span=Span(9, 12)),
            Mention(type="D", text="Flu", span=Span(20, 23)),
            Mention(type="C", text="aspirin", span=Span(30, 37)),
        )
    )
    written = Mentions(items=tuple(Mention(type=t, text=x) for t, x in [("D", "flu"), ("C", "flu"), ("X", "y")]))
    score = task.score(gold, written, record="r")
    assert score.counts == {"C": Counts(tp=0, fp=1, fn=1), "D": Counts(tp=1, fn=1), "X": Counts(fp=1)}
    missed = task.score(gold, None, record="r", reason="why")
    assert missed.counts == {"C": Counts(fn=1), "D": Counts(fn=2)}
    assert (missed.state, missed.reason) == ("unparsable", "why")


def test_triples_and_labels_are_scored_by_type() -> None:
    one, other, third = (Triple(head=h, tail="t", type=k) for h, k in (("h", "a"), ("H", "a"), ("h", "b")))
    score = tasks.get("re").score(Triples(items=(one, third)), Triples(items=(one, other)), record="r")
    assert score.counts == {"a": Counts(tp=1, fp=1), "b": Counts(fn=1)}
    score = tasks.get("tc").score(Labels(items=("a", "b")), Labels(items=("b", "c")), record="r")
    assert score.counts == {"a": Counts(fn=1), "b": Counts(tp=1), "c": Counts(fp=1)}
    for name, gold in (("re", Triples(items=(one,))), ("tc", Labels(items=("a",)))):
        missed = tasks.get(name).score(gold, None, record="r")
        assert (missed.counts, missed.state) == ({"a": Counts(fn=1)}, "unparsable")


@pytest.mark.parametrize("name", ["qa_mc", "qa_yesno"])
def test_choices_are_right_or_wrong(name: str) -> None:
    task = tasks.get(name)
    assert task.score(Choice(key="A"), Choice(key="A"), record="r").value == 1.0
    assert task.score(Choice(key="A"), Choice(key="B"), record="r").value == 0.0
    missed = task.score(Choice(key="A"), None, record="r", reason="why")
    assert (missed.value, missed.state, missed.reason) == (0.0, "unparsable", "why")


@pytest.mark.parametrize("name", ["qa_sqa", "qa_cqa", "mrd"])
def test_texts_are_scored_by_chrf(name: str) -> None:
    task = tasks.get(name)
    near, far = (
        task.score(FreeText(text="take rest"), FreeText(text=t), record="r").value for t in ("take a rest", "xyz")
    )
    assert near is not None
    assert far == 0.0 < near < 1.0
    assert task.score(FreeText(text="x"), None, record="r").state == "unparsable"


# --- what models write -----------------------------------------------------------------------------------------------


def choice(lang: Lang = "en") -> Example:
    options = tuple(Option(key=key, text=f"drug {key}") for key in "ABCD")
    return render(
        "qa_mc", Question(**(HEAD | {"lang": lang}), kind="choice", question="?", answers=("B",), options=options)
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("B", "B"),
        (" b.", None),
        ("B. drug B", "B"),
        ("(B)", "B"),
        ("（B）", "B"),
        ("【B】", "B"),
        ("**B**", "B"),
        ("B：drug B", "B"),
        ("B、drug", "B"),
        ("Answer: B", "B"),
        ("Answer: **B**", "B"),
        ("answer: b", "B"),
        ("The answer is C.", "C"),
        ("The correct option is (D).", "D"),
        ("I think that the answer is D, since", "D"),
        ("Option A", "A"),
        ("答案：D", "D"),
        ("答案是D。", "D"),
        ("正确答案为：（C）", "C"),
        ("应选C", "C"),
        ("选择 C", "C"),
        ("Option A is incorrect. Option B is incorrect. Therefore, the correct answer is D.", "D"),
        ("Option A is wrong because it irritates the stomach. The answer is C.", "C"),
        ("Option B would be harmful, so C is the best choice.\nAnswer: C", "C"),
        ("A: incorrect. B: incorrect. The correct option is D.", "D"),
        ("At first the answer is A. But no: the answer is B.", "B"),
        ("选项A错误，选项B也不对，因此答案是C。", "C"),
        ("A选项错误，B选项有误，故选D。", "D"),
        ("The answer is $\\boxed{C}$.", "C"),
        ("\\boxed{\\text{B}}", "B"),
        ("Option A is wrong, option C is right", "C"),
        ("Option A is incorrect", None),
        ("B\nThe answer is B since the answer is A for others", "B"),
        ("B. drug B\n\nAnswer: A", "B"),
        ("drug C", "C"),
        ("drug  C\n", "C"),
        ("E", None),
        ("The answer is a drug", None),
        ("Because", None),
        ("", None),
        ("I do not know", None),
        ("drug", None),
    ],
)
def test_the_option_that_a_model_names_is_read(text: str, key: str | None) -> None:
    task = tasks.get("qa_mc")
    if key is None:
        with pytest.raises(Unparsable):
            task.parse(text, choice())
    else:
        assert task.parse(text, choice()) == Choice(key=key)


LETTERED = ("B超", "C反应蛋白", "A", "X线。")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("B超", "A"),
        ("B超。", "A"),
        ("答案：B超", "A"),
        ("答案是C反应蛋白。", "B"),
        ("X线", "D"),
        ("A", "A"),  # a key comes before an option of that text
        ("答案：A", "A"),
        ("B", "B"),
        ("B。C反应蛋白", "B"),
        ("B、C反应蛋白", "B"),
        ("C、A", "C"),  # the key with its text, not a list
        ("答案：C，A", "C"),
        ("A. B超", "A"),
    ],
)
def test_an_option_that_begins_with_a_letter_is_no_letter(text: str, key: str) -> None:
    options = tuple(Option(key=k, text=t) for k, t in zip("ABCD", LETTERED, strict=True))
    record = Question(**(HEAD | {"lang": "zh"}), kind="choice", question="?", answers=("B",), options=options)
    assert tasks.get("qa_mc").parse(text, render("qa_mc", record)) == Choice(key=key)


def test_the_text_of_two_options_names_neither() -> None:
    options = tuple(Option(key=k, text=t) for k, t in zip("ABC", ("rest", "rest", "surgery"), strict=True))
    record = Question(**HEAD, kind="choice", question="?", answers=("B",), options=options)
    with pytest.raises(Unparsable, match="no option is named"):
        tasks.get("qa_mc").parse("rest", render("qa_mc", record))


@pytest.mark.parametrize(
    "text",
    [
        "A, C",
        "A，C",
        "A、B、C",
        "A和C",
        "(A), (C)",
        "**A** / **C**",
        "A\nC",
        "答案：A、C",
        "答案：B或D。",
        "The answer is A or C.",
        "Answer: A and C",
        "Option A may help. Option B may help too.",
    ],
)
def test_several_letters_are_unparsable(text: str) -> None:
    with pytest.raises(Unparsable, match="several options are named"):
        tasks.get("qa_mc").parse(text, choice())


@pytest.mark.parametrize(
    "text", ["A, since C is wrong", "A, E", "A, A", "The answer is A, and C is wrong.", "A\nC is not"]
)
def test_a_letter_that_is_only_spoken_of_is_no_second_answer(text: str) -> None:
    assert tasks.get("qa_mc").parse(text, choice()) == Choice(key="A")


@pytest.mark.parametrize(
    ("lang", "text", "key"),
    [
        ("en", "Yes", "yes"),
        ("en", "no.", "no"),
        ("en", " MAYBE, it depends", "maybe"),
        ("en", "**Yes**", "yes"),
        ("en", "Answer: yes", "yes"),
        ("en", "The answer is no.", "no"),
        ("en", '"Yes"', "yes"),
        ("en", "Based on the abstract, the answer is no.", "no"),
        ("en", "No definitive answer can be given; the answer is maybe.", "maybe"),
        ("en", "Yes, no harm was seen", "yes"),
        ("en", "No. The answer is yes for others", "no"),
        ("en", "no evidence was found", "no"),
        ("zh", "“是”", "yes"),
        ("zh", "根据摘要，答案是：不确定。", "maybe"),
        ("en", "nothing", None),
        ("en", "yesterday", None),
        ("en", "It does", None),
        ("en", "", None),
        ("zh", "是", "yes"),
        ("zh", "否。", "no"),
        ("zh", "不确定", "maybe"),
        ("zh", "答案：是", "yes"),
        ("zh", "答案是否", "no"),
        ("zh", "答案为：不确定", "maybe"),
        ("zh", "不是", None),
    ],
)
def test_yes_no_and_maybe_are_read(lang: Lang, text: str, key: str | None) -> None:
    record = Question(**(HEAD | {"lang": lang}), kind="yesno", question="?", answers=("yes",), contexts=("c",))
    made = render("qa_yesno", record)
    task = tasks.get("qa_yesno")
    if key is None:
        with pytest.raises(Unparsable, match="neither yes, no nor maybe"):
            task.parse(text, made)
    else:
        assert task.parse(text, made) == Choice(key=key)


@pytest.mark.parametrize(
    ("lang", "text"),
    [("en", "yes, no or maybe"), ("en", "Yes/No"), ("en", "the answer is yes or no"), ("zh", "是、否或不确定")],
)
def test_several_of_yes_no_and_maybe_are_unparsable(lang: Lang, text: str) -> None:
    record = Question(**(HEAD | {"lang": lang}), kind="yesno", question="?", answers=("yes",), contexts=("c",))
    with pytest.raises(Unparsable, match="several answers are named"):
        tasks.get("qa_yesno").parse(text, render("qa_yesno", record))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("chemical: a; b\ndisease: c", [("Chemical", "a"), ("Chemical", "b"), ("Disease", "c")]),
        ("chemical：a；b\r\n\r\ndisease： c ；", [("Chemical", "a"), ("Chemical", "b"), ("Disease", "c")]),
        ("  disease : c", [("Disease", "c")]),
        ("species: c", [("species", "c")]),
        ("chemical: a; a", [("Chemical", "a")]),
        ("chemical:", []),
        ("None", []),
        ("None.", []),
        ("disease: a:b", [("Disease", "a:b")]),
    ],
)
def test_lists_of_entities_are_read(text: str, items: list[tuple[str, str]]) -> None:
    made = render("ner", document("x"), (CHEMICAL, DISEASE), form="list")
    parsed = tasks.get("ner").parse(text, made)
    assert isinstance(parsed, Mentions)
    assert sorted((m.type, m.text) for m in parsed.items) == sorted(items)


@pytest.mark.parametrize(("form", "text"), [("list", "there are none"), ("tagged", "y"), ("tagged", "<disease>x")])
def test_what_is_no_list_and_no_copy_is_unparsable(form: str, text: str) -> None:
    with pytest.raises(Unparsable):
        tasks.get("ner").parse(text, render("ner", document("x"), (CHEMICAL, DISEASE), form=form))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("(a, b, induces)", [("a", "b", "CID")]),
        ("(a, b, induces); (c, d, binds)", [("a", "b", "CID"), ("c", "d", "Bind")]),
        (
            "（a，b，induces）；(c, d, binds)\n(e, f, cures)",
            [("a", "b", "CID"), ("c", "d", "Bind"), ("e", "f", "cures")],
        ),
        ("(1,2-x, b, induces)", [("1,2-x", "b", "CID")]),
        ("None", []),
        ("None.", []),
    ],
)
def test_triples_are_read(text: str, items: list[tuple[str, str, str]]) -> None:
    made = render("re", document("x"), strategies.RELATION_TYPES["en"])
    parsed = tasks.get("re").parse(text, made)
    assert parsed == Triples(items=tuple(Triple(head=h, tail=t, type=k) for h, t, k in items))


@pytest.mark.parametrize("text", ["a, b, induces", "(a, b)", "(a, b, c, d)", "(a, b, induces"])
def test_what_is_no_triple_is_unparsable(text: str) -> None:
    with pytest.raises(Unparsable):
        tasks.get("re").parse(text, render("re", document("x"), strategies.RELATION_TYPES["en"]))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Treatment", ("a",)),
        ("none; Treatment", ("a", "c")),
        ("Case Report, rare", ("b",)),
        ("Treatment, none", ("a", "c")),
        ("Treatment,", ("a",)),
        ("Treatment；none\nTreatment", ("a", "c")),
        ("Treatment; Other", ("a", "Other")),
        ("None", ()),
    ],
)
def test_labels_are_read(text: str, labels: tuple[str, ...]) -> None:
    made = render("tc", Labelled(**HEAD, text="x", labels=("a",)), strategies.LABELS["en"])
    assert tasks.get("tc").parse(text, made) == Labels(items=labels)


def test_an_answer_without_any_label_of_the_set_is_unparsable() -> None:
    made = render("tc", Labelled(**HEAD, text="x", labels=("a",)), strategies.LABELS["en"])
    with pytest.raises(Unparsable, match="names no label of the set"):
        tasks.get("tc").parse("This is about surgery", made)


@pytest.mark.parametrize("name", ["qa_sqa", "mrd"])
def test_an_empty_text_is_unparsable(name: str) -> None:
    turns = (Turn(role="user", text="Hi"), Turn(role="assistant", text="Hello"))
    record = (
        Dialogue(**HEAD, turns=turns)
        if name == "mrd"
        else Question(**HEAD, kind="simple", question="Why?", answers=("So.",))
    )
    made = render(name, record)
    with pytest.raises(Unparsable, match="the answer is empty"):
        tasks.get(name).parse(" \n", made)
    assert tasks.get(name).parse(" x ", made) == FreeText(text="x")


@pytest.mark.parametrize(("name", "types"), [("ner", "ENTITY_TYPES"), ("re", "RELATION_TYPES"), ("tc", "LABELS")])
def test_an_empty_list_is_unparsable_and_the_word_for_none_is_not(name: str, types: str) -> None:
    record = Labelled(**HEAD, text="x", labels=()) if name == "tc" else document("x")
    made = render(name, record, getattr(strategies, types)["en"], form="list")
    with pytest.raises(Unparsable, match="the answer is empty"):
        tasks.get(name).parse(" \n", made)
    assert not tasks.get(name).parse("None", made).items  # pyright: ignore[reportAttributeAccessIssue]


# --- answers that were cut -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("(a, b, induces); (c, d, bi", "(a, b, induces);"),
        ("(a，b，induces)；(c", "(a，b，induces)；"),
        ("(a, b, induces)\n(c, d", "(a, b, induces)"),
        ("(a\\; b, c, induces); (d", "(a\\; b, c, induces);"),
        ("(a\\\\; (d", "(a\\\\;"),
        ("a; b;", "a; b;"),
        ("a; b\n", "a; b"),
        ("a\\\nb", "a\\"),
        ("(a\\; b", ""),
        ("(a, b", ""),
        ("", ""),
    ],
)
def test_the_last_item_of_a_list_that_was_cut_is_left_out(text: str, whole: str) -> None:
    assert listing.cut(text) == whole


@given(st.lists(strategies.texts, min_size=1, max_size=4), st.data())
def test_a_list_that_was_cut_keeps_its_whole_items(items: list[str], data: st.DataObject) -> None:
    written = "; ".join(map(listing.escape, items))
    kept = listing.split(listing.cut(written[: data.draw(st.integers(0, len(written)))]))
    assert [listing.unescape(item) for item in kept] == [
        listing.unescape(item) for item in listing.split(written)[: len(kept)]
    ]


def answered(example: Example, text: str, finish: Literal["stop", "length"] = "length") -> dict[str, Prediction]:
    return {example.id: Prediction(example=example.id, text=text, finish=finish, num_tokens=9)}


def test_what_is_whole_of_an_answer_that_was_cut_is_scored() -> None:
    ends = [
        tuple(Argument(role=role, kind="text", ref=ref) for role, ref in (("head", head), ("tail", "t")))
        for head in "ab"
    ]
    relations = tuple(Relation(id=f"R{i}", type="CID", arguments=pair) for i, pair in enumerate(ends))
    record = Document(**HEAD, text="a b t", relations=relations)
    made = render("re", record, strategies.RELATION_TYPES["en"])
    text = made.answer[:-4]
    (stopped,) = evaluation.score([made], answered(made, text, "stop"))
    assert (stopped.state, stopped.counts) == ("unparsable", {"CID": Counts(fn=2)})
    (score,) = evaluation.score([made], answered(made, text))
    assert (score.state, score.counts) == ("parsed", {"CID": Counts(tp=1, fn=1)})
    (score,) = evaluation.score([made], answered(made, "(a, t"))
    assert (score.state, score.reason) == ("unparsable", "the answer was cut within its first item")
    (score,) = evaluation.score([made], answered(made, ""))
    assert (score.state, score.reason) == ("unparsable", "no room to answer")
    assert evaluation.answered([made], answered(made, text))[0].num_cut == 1
    assert evaluation.answered([made], answered(made, text, "stop"))[0].num_cut == 0
    assert evaluation.answered([made], answered(made, ""))[0].num_cut == 0


def test_cut_lists_of_entities_and_labels_lose_their_last_item_and_other_answers_nothing() -> None:
    task = tasks.get("ner")
    made = render("ner", document("x"), (CHEMICAL, DISEASE), form="list")
    assert task.cut("chemical: a; b\ndisease: c; asth", made) == "chemical: a; b\ndisease: c;"
    assert task.cut("chemical: a; b\ndisease: asth", made) == "chemical: a; b"
    marked = render("ner", document("a; b"), (DISEASE,), form="tagged")
    assert task.cut("a; b", marked) == "a; b"
    labels = render("tc", Labelled(**HEAD, text="x", labels=("a",)), strategies.LABELS["en"])
    assert tasks.get("tc").cut("Treatment; Case Rep", labels) == "Treatment;"
    for name in ("qa_mc", "qa_yesno", "qa_sqa", "qa_cqa", "mrd"):
        assert tasks.get(name).cut("B; since\nso", choice()) == "B; since\nso"


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", tasks.get("ner").forms)
def test_windows_of_a_text_come_together_in_its_offsets(form: str) -> None:
    text = "Flu is bad. Flu and asthma."
    record = document(text, ("Disease", "Flu"), ("Disease", "asthma"))
    second = Entity(id="S", type="Disease", text="Flu", spans=(Span(12, 15),))
    record = Document(**HEAD, text=text, entities=(*record.entities, second))
    made = [render("ner", record, (DISEASE,), form=form, window=Span(*ends)) for ends in ((0, 11), (12, 27))]
    assert [example.offset for example in made] == [0, 12]
    assert [example.id.rpartition("@")[2] for example in made] == ["0", "12"]
    task = tasks.get("ner")
    merged = task.merge([(example, task.parse(example.answer, example)) for example in made])
    assert merged == render("ner", record, (DISEASE,), form=form).gold if form == "tagged" else True
    assert isinstance(merged, Mentions)
    assert {(m.type, m.text) for m in merged.items} == {("Disease", "Flu"), ("Disease", "asthma")}
    right = {e.id: Prediction(example=e.id, text=e.answer, finish="stop") for e in made}
    assert [s.counts for s in evaluation.score(made, right)] == [{"Disease": Counts(tp=2)}]
    wrong = right | {made[1].id: Prediction(example=made[1].id, text="?", finish="length")}
    (part,) = evaluation.score(made, wrong)
    if form == "list":  # a list that was cut within its first item; the others do not begin as one
        assert part.unparsable == {"the answer was cut within its first item": 1}
    assert (part.state, part.counts) == ("parsed", {"Disease": Counts(tp=1, fn=1)})
    assert (part.num_answers, sum(part.unparsable.values())) == (2, 1)
    neither = {e.id: Prediction(example=e.id, text="?", finish="length") for e in made}
    (nothing,) = evaluation.score(made, neither)
    assert (nothing.state, nothing.counts) == ("unparsable", {"Disease": Counts(fn=2)})
    assert (nothing.num_answers, sum(nothing.unparsable.values())) == (2, 2)


def test_records_of_one_document_are_drawn_together() -> None:
    sentences = [
        Labelled(**(HEAD | {"id": f"s{i}"}), text="x", labels=("a",), document_ids=ids)
        for i, ids in enumerate([("pmid:1", "doi:1"), ("pmid:1",), ("pmid:2",), ()])
    ]
    made = [render("tc", sentence, strategies.LABELS["en"]) for sentence in sentences]
    right = {e.id: Prediction(example=e.id, text=e.answer, finish="stop") for e in made}
    assert [s.record for s in evaluation.score(made, right)] == [f"c/test/s{i}" for i in range(4)]
    assert [
        r.cluster
        for r in evaluation.answered(made, {e.id: Prediction(example=e.id, text="", finish="stop") for e in made})
    ] == ["pmid:1", "pmid:1", "pmid:2", "c/test/s3"]


def test_a_mention_over_the_end_of_a_window_is_gold_without_a_place() -> None:
    record = document("Flu virus", ("Disease", "Flu virus"))
    made = render("ner", record, (DISEASE,), window=Span(0, 5))
    assert made.gold == Mentions(items=(Mention(type="Disease", text="Flu virus"),))
    assert made.answer == "Flu v"
    rest = render("ner", record, (DISEASE,), window=Span(5, 9))
    assert rest.gold == Mentions()


@given(strategies.documents(with_all=False), st.data())
def test_every_mention_is_in_exactly_one_window(record: Document, data: st.DataObject) -> None:
    cuts = sorted({0, len(record.text), *data.draw(st.lists(st.integers(0, len(record.text)), max_size=3))})
    ends = [Span(a, b) for a, b in pairwise(cuts) if record.text[a:b].strip()]
    types = strategies.ENTITY_TYPES[record.lang]
    task = tasks.get("ner")
    template = tasks.load_templates(task, record.lang)[0]
    whole = task.render(record, template, form="list", types=types)
    made = [task.render(record, template, form="list", types=types, window=window) for window in ends]
    examples = [example for example in made if isinstance(example, Example)]
    assert len(examples) == len(ends)
    assert isinstance(whole, Example)
    begins = [e.spans[0].start for e in record.entities]
    assume(all(any(w.start <= start < w.end for w in ends) for start in begins))
    assert task.merge([(e, e.gold) for e in examples]) == whole.gold
