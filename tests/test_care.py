"""What users are told for their own safety: the limit of use, and a notice where his text speaks of an emergency."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.use import care

TOLD: dict[str, Any] = tomllib.loads(resources.files("taiyi.use").joinpath("care.toml").read_text(encoding="utf-8"))

NOW = {
    "I have chest pain and my left arm feels strange": "emergency",
    "My father suddenly has crushing CHEST PAIN, what should he do?": "emergency",
    "sudden pressure in my chest, I feel dizzy": "emergency",
    "My daughter can’t breathe after eating nuts": "emergency",
    "she is unable to breathe": "emergency",
    "He passed out and won't wake up.": "emergency",
    "My baby is turning blue": "emergency",
    "I cut my hand and it won't stop bleeding": "emergency",
    "her speech is slurred and her face is drooping": "emergency",
    "I think I am having a heart attack": "emergency",
    "No fever, but I can't breathe": "emergency",
    "My husband collapsed and is not responding": "emergency",
    "I took too many of my pills": "poisoning",
    "my son swallowed a button battery": "poisoning",
    "What do I do, I overdosed on paracetamol": "poisoning",
    "my toddler drank some bleach": "poisoning",
    "I took 30 Tylenol tablets": "poisoning",
    "I did not notice that she swallowed bleach": "poisoning",
    "I want to kill myself": "suicide",
    "I feel like ending my life": "suicide",
    "No one would miss me if I killed myself": "suicide",
    "I don't want to live any more.": "suicide",
    "I keep thinking about suicide": "suicide",
    "everybody would be better off dead without me, I am suicidal": "suicide",
    "突然胸痛，出冷汗": "emergency",
    "我爸爸呼吸困难怎么办": "emergency",
    "孩子吃花生后喘不上气，嘴唇有点发紫": "emergency",
    "奶奶突然晕倒，叫不醒": "emergency",
    "没有发烧，但是胸口疼": "emergency",
    "他口角歪斜、口齿不清": "emergency",
    "胸口剧痛，出冷汗": "emergency",
    "鼻血止不住": "emergency",
    "没注意误服了清洁剂": "poisoning",
    "吃了三十片安眠药": "poisoning",
    "宝宝误服了妈妈的降压药": "poisoning",
    "我喝了半瓶农药": "poisoning",
    "吃了大量的安眠药怎么办": "poisoning",
    "我不想活了": "suicide",
    "活着没有意思，想死": "suicide",
    "她有自杀的念头": "suicide",
}
NOT = (
    "",
    "What is the recommended dose of metformin?",
    "I have no chest pain, and no trouble with my arm.",
    "He does not have any chest pain or shortness of breath today.",
    "She denies suicidal thoughts",
    "chest pain in patients with asthma: sudden or not?",
    "A 45-year-old man presents with crushing chest pain and shortness of breath. Which of the following is next?",
    "My chest freezer broke: painful, suddenly all was warm",
    "The drug is not responding to heat",
    "Is the incidence of suicide attempts higher in winter?",
    "We did not find that she took too many pills",
    "无胸痛、呼吸困难",
    "没有发热、咳嗽和胸痛",
    "否认自杀",
    "我不想死",
    "男，50岁。突发胸痛2小时。查体：血压正常。最可能的诊断是（　　）。",
    "患者,男,60岁,呼吸困难",
    "不要接触电器",
    "高血压的饮食",
)


@pytest.mark.parametrize("text", NOW)
def test_an_emergency_is_seen(text: str) -> None:
    assert care.kinds(text) and care.kinds(text)[0] == NOW[text]


@pytest.mark.parametrize("text", NOT)
def test_what_is_none_is_let_pass(text: str) -> None:
    assert not care.kinds(text)


def _spoken(phrase: str) -> str:
    """A phrase of the file as somebody would write it: with the first of its alternatives, and its gaps closed."""
    bare = phrase.replace("…", "")
    return " ".join(word.split("/")[0] for word in phrase.replace("…", " ").split()) if bare.isascii() else bare


@pytest.mark.parametrize("rule", TOLD["phrases"], ids=lambda rule: f"{rule['kind']}-{rule['any'][0]}")
def test_every_phrase_counts(rule: dict[str, Any]) -> None:
    beside = f"; {_spoken(rule['with'][0])}" if "with" in rule else ""
    for phrase in rule["any"]:
        text = _spoken(phrase)
        assert rule["kind"] in care.kinds(f"{text}{beside}"), phrase
        assert rule["kind"] in care.kinds(f"Please help! {text.upper()}{beside}"), phrase
        for word in rule.get("unless", ()):
            assert not care.kinds(f"{word}。{text}"), phrase
    if beside:
        assert not care.kinds(_spoken(rule["any"][0])), "it takes something beside it"


def test_each_word_has_other_words_for_alternatives() -> None:
    lists = [TOLD[key] for key in ("negators", "unaware", "reported")]
    lists += [rule[key] for rule in TOLD["phrases"] for key in ("any", "with", "unless") if key in rule]
    for phrase in (phrase for phrases in lists for phrase in phrases):
        for word in phrase.replace("…", " ").split():
            alternatives = word.split("/")
            # "my/my own" would be "my", then "own".
            assert all(alternatives) and len(set(alternatives)) == len(alternatives), phrase


def test_wording_is_there_in_both_languages() -> None:
    assert {rule["kind"] for rule in TOLD["phrases"]} == TOLD["notices"].keys()
    for told in (TOLD["limit"], *TOLD["notices"].values()):
        assert told.keys() == {"en", "zh"}
        assert all("\n" not in text and text.strip() == text for text in told.values())
    assert "not medical advice" in care.limit("en")
    assert "不是医疗建议" in care.limit("zh")


def test_a_notice_is_in_the_language_of_the_text_or_in_that_which_is_wanted() -> None:
    (english,) = care.notices("I want to kill myself")
    (chinese,) = care.notices("我不想活了")
    assert (english.kind, chinese.kind) == ("suicide", "suicide")
    assert "12356" in english.text and "12356" in chinese.text and "热线" in chinese.text
    assert care.notices("我不想活了", "en") == [english]


def test_a_text_may_speak_of_several() -> None:
    assert care.kinds("I took too many pills, I want to die, I can't breathe") == ["emergency", "poisoning", "suicide"]


words = st.sampled_from(
    ["chest pain", "no", "not", "胸痛", "无", "、", ", ", "but", " ", "arm", "suicidal", "( )", "😀", "'", "\n"]
)


@given(st.text() | st.lists(words).map(" ".join))
def test_any_text_is_read(text: str) -> None:
    kinds = care.kinds(text)
    assert len(set(kinds)) == len(kinds) and set(kinds) <= TOLD["notices"].keys()
    # Case, width and the form of apostrophes tell nothing.
    assert care.kinds(text.replace("'", "\u2019")) == kinds


@given(st.text("ab 肝了12,。!?\n'无不no"))
def test_what_stands_in_a_clause_before_hides_nothing(before: str) -> None:
    assert "emergency" in care.kinds(f"{before}. I can't breathe")
    assert "suicide" in care.kinds(f"{before}。我不想活了")
