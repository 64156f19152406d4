"""The guard: a planted leak of each kind is caught, in both languages, and what only looks like one is not."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.build.decontaminate import Guard
from taiyi.build.items import Item
from taiyi.build.settings import DecontaminateSettings
from taiyi.schema import Lang

EN = (
    "A 54-year-old woman comes to the clinic because of joint pain and a rash on both cheeks that gets worse in the "
    "sun. She has lost four kilograms since the spring and feels tired most of the day. Her temperature is 37.8 C, and "
    "her blood pressure is 142/91 mm Hg. Laboratory studies show a low platelet count and protein in the urine."
)
ZH = (
    "患者女，三十四岁，因面部红斑伴关节疼痛半年就诊，日晒后红斑加重。近三个月体重下降约四公斤，常感乏力，伴低热和脱发。"
    "查体见双颊对称性红斑，口腔黏膜有两处溃疡，双手近端指间关节轻度肿胀。化验示血小板减少，尿蛋白阳性，补体水平降低。"
)
EN_OTHER = (
    "We followed 212 adults with chronic kidney disease for five years and measured their filtration rate "
    "each winter. Those who took part in a program of exercise lost less of it than the others, whatever their age."
)
ZH_OTHER = (
    "本研究随访二百余例慢性肾脏病患者五年，每年冬季测定肾小球滤过率，参加运动计划者下降较慢，与年龄和性别均无明显关系。"
)


def _item(*texts: str, lang: Lang = "en", place: str = "a/train/1", ids: tuple[str, ...] = ()) -> Item:
    return Item(place=place, task="t", lang=lang, document_ids=ids, texts=texts)


EVALUATION = [
    _item(EN, place="e/test/1", ids=("pmid:90000001",)),
    _item(ZH, lang="zh", place="e/test/2"),
    _item("Results.", place="e/test/3"),
    _item("小便带血怎么回事", lang="zh", place="e/test/4"),
    *(
        _item(f"{name}nna. Which of the following is the most appropriate next step in the management of this patient?")
        for name in map(chr, range(ord("A"), ord("U")))
    ),
]
GUARD = Guard(EVALUATION, DecontaminateSettings())


def _scattered(text: str, every: int) -> str:
    """The text with another letter in place of every so many."""
    source = random.Random(5)
    letters = list(text)
    for at in range(every // 2, len(letters), every):
        letters[at] = source.choice("xyz")
    return "".join(letters)


@pytest.mark.parametrize(
    ("item", "by", "evaluation"),
    [
        (_item(EN_OTHER, ids=("pmcid:1", "pmid:90000001")), "document id", "e/test/1"),
        (_item(EN.upper().replace(" ", "  ")), "text", "e/test/1"),
        (_item("Another text.", ZH.replace("，", ","), lang="zh"), "text", "e/test/2"),
        (_item("小便带血,怎么回事?", lang="zh"), "text", "e/test/4"),
        # Half of the text of the evaluation set within a longer one, and a piece of it alone.
        (_item(f"{EN_OTHER} {EN[:200]} {EN_OTHER}"), "overlap", "e/test/1"),
        (_item(f"{ZH_OTHER}{ZH[:70]}{ZH_OTHER}", lang="zh"), "overlap", "e/test/2"),
        (_item(EN[113:230]), "overlap", "e/test/1"),
        (_item(ZH[20:60], lang="zh"), "overlap", "e/test/2"),
        # No run of 70 letters, or of 24 characters, is left.
        (_item(_scattered(EN, 40)), "near duplicate", "e/test/1"),
        (_item(_scattered(ZH, 26), lang="zh"), "near duplicate", "e/test/2"),
    ],
)
def test_a_leak_is_caught(item: Item, by: str, evaluation: str) -> None:
    match = GUARD.match(item)
    assert match is not None
    assert (match.by, match.training, match.evaluation) == (by, item.place, evaluation)
    assert match.training_text in item.texts
    assert match.evaluation_text in {text for other in EVALUATION for text in other.texts}
    assert match.value
    assert 0.5 <= match.similarity <= 1


@pytest.mark.parametrize(
    "item",
    [
        _item(EN_OTHER, ids=("pmid:90000002",)),
        _item(ZH_OTHER, lang="zh"),
        _item(),
        _item("", "?!"),
        # What sections and questions are called in all of them.
        _item("RESULTS"),
        _item("怎么回事", lang="zh"),
        # A shared phrase in unlike texts.
        _item(f"{EN_OTHER} {EN[:100]}"),
        _item(f"{ZH_OTHER}{ZH[:30]}{ZH_OTHER}", lang="zh"),
        _item(
            f"{EN_OTHER} Which of the following is the most appropriate next step in the management of this patient?"
        ),
        # The same case in other words.
        _item("A woman of 54 has had painful joints and red cheeks for months, worse in sunlight, with weight loss."),
        _item("女性，34岁，半年来脸上起红斑，关节痛，晒太阳后更重，体重减轻，查血小板低，尿里有蛋白。", lang="zh"),
    ],
)
def test_a_look_alike_is_not(item: Item) -> None:
    assert GUARD.match(item) is None


@pytest.mark.parametrize(
    ("settings", "item"),
    [
        ({"by_document_id": False}, _item(EN_OTHER, ids=("pmid:90000001",))),
        ({"by_text": False, "by_overlap": False, "by_near_duplicate": False}, _item(EN)),
        ({"by_overlap": False}, _item(EN[113:230])),
        ({"overlap_share": 0.9}, _item(f"{EN_OTHER} {EN[:200]} {EN_OTHER}")),
        ({"overlap_chars_zh": 48}, _item(ZH[20:60], lang="zh")),
        ({"by_near_duplicate": False}, _item(_scattered(EN, 40))),
        ({"near_threshold": 0.99}, _item(_scattered(EN, 40))),
        ({"text_chars_zh": 9}, _item("小便带血怎么回事", lang="zh")),
    ],
)
def test_every_kind_can_be_set(settings: dict[str, Any], item: Item) -> None:
    assert GUARD.match(item) is not None
    assert Guard(EVALUATION, DecontaminateSettings(**settings)).match(item) is None


def test_an_empty_guard_lets_everything_pass() -> None:
    assert Guard([], DecontaminateSettings()).matches([_item(EN, ids=("pmid:1",)), _item()]) == [None, None]


def test_it_can_be_sent_to_workers() -> None:
    items = [
        _item(EN[113:230]),
        _item(_scattered(ZH, 26), lang="zh"),
        _item(EN_OTHER),
        _item(EN, ids=("pmid:90000001",)),
    ]
    other: Guard = pickle.loads(pickle.dumps(GUARD))
    assert other.matches(items) == GUARD.matches(items) == [GUARD.match(item) for item in items]


@given(st.integers(0, len(EN)), st.integers(0, len(EN)), st.booleans())
def test_no_piece_of_two_thirds_of_a_text_passes(start: int, end: int, chinese: bool) -> None:
    text = ZH if chinese else EN
    piece = text[min(start, end) : max(start, end)]
    match = GUARD.match(_item(f"{EN_OTHER} {piece} {ZH_OTHER}", lang="zh" if chinese else "en"))
    # By whose script most of the text is, it is compared: a mixture of both is none of them.
    if len(piece) > 0.67 * len(text) and not chinese:
        assert match is not None
    if len(piece) < 0.4 * len(text):
        assert match is None
