"""Filters of quality, and exact repeats: what is planted goes under its reason, and what looks like it stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.build.deduplicate import CONFLICT, DUPLICATE, Repeat, digests, repeats
from taiyi.build.filters import FILTERS, reject
from taiyi.build.items import Item
from taiyi.build.settings import DeduplicateSettings, FilterSettings
from taiyi.schema import Dialogue, Labelled, Lang, Option, Parallel, Question, Record, TextToText, Turn
from taiyi.text import normalise

EN = "Patients with heart failure were given a small dose of the new drug once a day for six weeks."
ZH = "患者因反复咳嗽、咳痰三周入院，胸片显示右下肺炎，给予抗生素治疗后体温恢复正常，食欲好转。"


def _labelled(text: str, lang: Lang) -> Record:
    return Labelled(id="1", corpus="c", split="train", lang=lang, text=text, labels=("a",))


def _question(answer: str = "", options: Sequence[str] = (), lang: Lang = "en", right: str = "A") -> Record:
    common: dict[str, Any] = {"id": "1", "corpus": "c", "split": "train", "lang": lang, "question": EN}
    if options:
        keys = "ABCDE"
        shown = tuple(Option(key=key, text=text) for key, text in zip(keys, options, strict=False))
        return Question(kind="choice", answers=(right,), options=shown, **common)
    return Question(kind="simple", answers=(answer,), **common)


def _reason(record: Record, **settings: Any) -> str | None:
    match record:
        case Labelled():
            texts = (record.text,)
        case Question():
            texts = (record.question,)
        case Dialogue():
            texts = ("\n".join(turn.text for turn in record.turns),)
        case Parallel() | TextToText():
            texts = (record.source,)
        case _:
            raise AssertionError
    item = Item(place="c/train/1", task="t", lang=record.lang, texts=texts)
    found = reject(record, item, FilterSettings(**settings))
    return found.reason if found else None


@pytest.mark.parametrize(
    ("text", "lang", "reason"),
    [
        ("I .", "en", "the text is too short"),
        ("？？", "zh", "the text is too short"),
        (EN.replace("e", "\ufffd"), "en", "the text is garbled"),
        ("\x00".join(EN), "en", "the text is garbled"),
        (ZH.encode().decode("latin-1"), "zh", "the text is garbled"),
        (ZH.encode("gbk").decode("latin-1"), "zh", "the text is garbled"),
        (ZH.encode().decode("gbk", "replace"), "zh", "the text is garbled"),
        ("naïve “café” – déjà vu à côté".encode().decode("cp1252", "replace"), "en", "the text is garbled"),
        ("BP ----------------------------------------------", "en", "the text has few letters"),
        (EN, "zh", "the text is in another language"),
        (ZH * 2, "en", "the text is in another language"),
        ("能够理解和遵守研究方案的各项要求；" * 20, "zh", "the text repeats itself"),
        ("The patient is able to follow the plan. " * 10, "en", "the text repeats itself"),
        ("word " * 50_000, "en", "the text is too long"),
        (EN, "en", None),
        (ZH, "zh", None),
        ("流感", "zh", None),
        ("p53", "en", None),
        # A lost character, bullets of private use, and the padding of a form.
        ("Cancer Res; 72(24); 6477-89. \ufffd2012 AACR.", "en", None),
        ("胆囊炎@\uf0b7 关键因素 \uf0b7 常见 \uf0b7 曾发作胆道疼痛", "zh", None),
        ("高血压\x04\x04\x04\x04冠心病\x04\x04", "zh", None),
        # Letters that other languages have, and formulas.
        ("Sjögren's syndrome, Ménière's disease and Guillain–Barré syndrome in Århus and Öland", "en", None),
        ("ΔΨm fell by 20 ± 3 % (n = 6; p < 0.05) at 10 µM H₂O₂", "en", None),
        ("(2)GAD抗体（antiglutamic acid decarboxylase antibody）阴性；", "zh", None),
        ("HBsAg(+)、HBeAg(+)、anti-HBc(+)", "zh", None),
    ],
)
def test_texts(text: str, lang: Lang, reason: str | None) -> None:
    assert _reason(_labelled(text, lang)) == reason


@pytest.mark.parametrize(
    ("record", "bad"),
    [
        (_question("https://example.org/a/b"), True),
        (_question("See above."), True),
        (_question("同上。", lang="en"), True),
        (_question("No answers"), True),
        (_question("……"), True),
        (_question(options=("aspirin", "ibuprofen", " aspirin ")), True),
        (_question(options=("aspirin", "ibuprofen", " aspirin "), right="B"), False),
        # Marks tell options apart.
        (_question(options=("Hb < 90 g/L", "Hb > 90 g/L")), False),
        (_question("None of them; see above all the leaflet at https://example.org for the dose."), False),
        (_question("无"), False),
        (_question("5"), False),
        (
            Parallel(id="1", corpus="c", split="train", lang="en", target_lang="zh", source=EN, target=EN),
            True,
        ),
        (TextToText(id="1", corpus="c", split="train", lang="en", kind="title", source=EN, target="A drug"), False),
        (
            Dialogue(
                id="1",
                corpus="c",
                split="train",
                lang="en",
                turns=(Turn(role="user", text=EN), Turn(role="assistant", text="...")),
            ),
            True,
        ),
    ],
)
def test_answers(record: Record, bad: bool) -> None:
    assert _reason(record) == ("the question cannot be answered" if bad else None)


def test_long_answer() -> None:
    assert _reason(_question(EN * 3), longest_answer_chars=200) == "the answer is too long"


def test_every_filter_can_be_turned_off() -> None:
    off = {name: None for name in FilterSettings.model_fields if name not in ("language_chars", "unanswerable")}
    for text in ("I .", "\ufffd" * 50, "a" + "-" * 50, ZH * 2, "again " * 60_000):
        assert _reason(_labelled(text, "en"), **off, unanswerable=False) is None
    assert _reason(_question("..."), **off, unanswerable=False) is None
    assert len(FILTERS) == 8


# --- exact repeats and contradictions --------------------------------------------------------------------------------


def _item(place: str, text: str, gold: str, task: str = "tc", *more: str) -> Item:
    return Item(place=place, task=task, lang="en", texts=(text, *more), gold=gold)


def _repeats(*items: Item, **settings: bool) -> list[Repeat]:
    asked = DeduplicateSettings(**settings)  # pyright: ignore[reportArgumentType]
    return repeats(digests(items, asked), asked)


def test_equal_texts_and_answers_are_one() -> None:
    found = _repeats(
        _item("a/train/1", "Fever, since two days!", "x"),
        _item("a/train/2", "fever since two days", "x"),
        _item("b/train/1", "Ｆever since two days", "x"),
        _item("a/train/3", "fever since three days", "x"),
        _item("a/train/4", "fever since two days", "x", "ner"),
    )
    assert found == [Repeat(1, 0, DUPLICATE), Repeat(2, 0, DUPLICATE)]


def test_conflicting_answers() -> None:
    found = _repeats(
        _item("a/train/1", "one text", "x"),
        _item("a/train/2", "one text", "y"),
        _item("a/train/3", "another text", "x"),
        _item("a/train/4", "another text", "y"),
        _item("a/train/5", "another text", "y"),
        # Another corpus annotates by other rules, and a question may have several answers.
        _item("b/train/1", "one text", "z"),
        _item("a/train/6", "one text", "p", "qa_sqa"),
        _item("a/train/7", "one text", "q", "qa_sqa"),
        # The texts of a choice hold its answer.
        _item("a/train/8", "which? A B", "A", "qa_mc", "which? A"),
        _item("a/train/9", "which? A B", "B", "qa_mc", "which? B"),
    )
    assert [(repeat.index, repeat.kept, repeat.reason) for repeat in found] == [
        (0, -1, CONFLICT),
        (1, -1, CONFLICT),
        (2, 3, CONFLICT),
        (4, 3, DUPLICATE),
        (8, -1, CONFLICT),
        (9, -1, CONFLICT),
    ]


def test_texts_of_marks_alone_are_not_equal() -> None:
    assert _repeats(_item("a/train/1", "+", "x"), _item("a/train/2", "-", "x")) == []


@pytest.mark.parametrize(
    ("exact", "conflicts", "gone"),
    [
        (True, True, [(1, 0, DUPLICATE), (2, 0, CONFLICT), (3, -1, CONFLICT), (4, -1, CONFLICT)]),
        (True, False, [(1, 0, DUPLICATE)]),
        (False, True, [(2, 0, CONFLICT), (3, -1, CONFLICT), (4, -1, CONFLICT)]),
        (False, False, []),
    ],
)
def test_duplicates_and_contradictions_are_asked_for_each_by_itself(
    exact: bool, conflicts: bool, gone: list[tuple[int, int, str]]
) -> None:
    found = _repeats(
        _item("a/train/1", "one text", "x"),
        _item("a/train/2", "One text.", "x"),
        _item("a/train/3", "one text", "y"),
        _item("a/train/4", "another text", "x"),
        _item("a/train/5", "another text", "y"),
        exact=exact,
        conflicts=conflicts,
    )
    assert [(repeat.index, repeat.kept, repeat.reason) for repeat in found] == gone


_ITEMS = st.lists(
    st.builds(
        lambda corpus, text, gold, task: _item(f"{corpus}/train/", text, gold, task),
        st.sampled_from("ab"),
        st.sampled_from(["p", "q q", "QQ"]),
        st.sampled_from("xyz"),
        st.sampled_from(["tc", "qa_sqa"]),
    ),
    max_size=12,
)
_SETTINGS = st.builds(DeduplicateSettings, exact=st.booleans(), conflicts=st.booleans())


@given(_ITEMS, _SETTINGS, st.randoms())
def test_repeats_do_not_depend_on_order_and_leave_none(
    items: list[Item], settings: DeduplicateSettings, random: Any
) -> None:
    numbers = digests(items, settings)
    found = {repeat.index: (repeat.kept, repeat.reason) for repeat in repeats(numbers, settings)}
    left = [index for index in range(len(items)) if index not in found]
    assert repeats(numbers[left], settings) == []
    order = list(range(len(items)))
    random.shuffle(order)
    again = repeats(numbers[order], settings, rank=np.array(order, dtype=np.int64))
    assert {order[r.index]: (order[r.kept] if r.kept >= 0 else -1, r.reason) for r in again} == found


@given(_ITEMS, _SETTINGS)
def test_what_goes_goes_under_a_reason_that_is_asked_for_and_what_stays_has_none(
    items: list[Item], settings: DeduplicateSettings
) -> None:
    found = {repeat.index: repeat.reason for repeat in repeats(digests(items, settings), settings)}
    assert set(found.values()) <= {
        name for name, on in ((DUPLICATE, settings.exact), (CONFLICT, settings.conflicts)) if on
    }
    both = {repeat.index: repeat.reason for repeat in _repeats(*items)}
    if settings.conflicts:
        # Whether equal answers are kept or not, contradictions are the same.
        assert {i for i in found if found[i] == CONFLICT} == {i for i in both if both[i] == CONFLICT}
    left = [item for index, item in enumerate(items) if index not in found]
    said = [(item.task, normalise(item.texts[0]), item.gold) for item in left]
    if settings.exact:
        assert len(set(said)) == len(said)
    if settings.conflicts:
        asked = {(i.corpus, i.task, normalise(i.texts[0]), i.gold) for i in left if i.task == "tc"}
        assert len({question[:-1] for question in asked}) == len(asked)
    # Nothing goes whose like does not stay, but where it was contradicted.
    for index, reason in found.items():
        if reason == DUPLICATE:
            item = items[index]
            assert (item.task, normalise(item.texts[0]), item.gold) in said
