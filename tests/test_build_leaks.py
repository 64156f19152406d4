"""A leak of each kind, planted in raw files, is caught by the data step: it is in the audit and not in training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from taiyi import catalogue, storage
from taiyi.build.decontaminate import Match
from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.evaluate import suites
from taiyi.evaluate.suites import TestSet
from taiyi.formats import medqa, pubtator, qa
from taiyi.manifest import Log, manifest
from taiyi.recipe import Recipe
from taiyi.schema import Example, Lang
from taiyi.steps import Run, build
from taiyi.text import normalise

# --- the texts of the evaluation sets, and others that only training has ---------------------------------------------

CASES: dict[Lang, list[str]] = {
    "en": [
        "A farmer of 61 was brought in with fever and a painful swelling of the left knee that had begun after a fall "
        "from a ladder nine days before. Fluid from the joint was cloudy and grew staphylococci within a day.",
        "Of 340 pupils who ate in the canteen that week, 57 fell ill with cramps and fever. Cold rice pudding from "
        "the second counter was the one dish that nearly all of them had taken; a ladle carried the same strain.",
        "We asked whether a glass of beet juice each morning lowers blood pressure in people over seventy. After "
        "twelve weeks the mean fell by six points where juice was given and by one where it was coloured water. "
        "Fever, rash or stomach pain was not seen more often in either group.",
        "Two sisters came to the eye clinic because print had become blurred over some months. Both had taken the "
        "same tablets against fever and chills on a long journey. The macula of each showed a ring of pale tissue, "
        "and colours were named wrongly. The tablets were stopped, and sight has not become worse in two years.",
        "A baker of 44 has wheezed at work since the spring, less at weekends. A skin test with flour was positive, "
        "and breathing was free again after four weeks away from the oven.",
    ],
    "zh": [
        "农民，六十一岁，九天前从梯子上摔下后左膝肿痛，伴发热入院。关节穿刺液浑浊，培养一日即见金黄色葡萄球菌生长，予切开引流。",
        "该周在食堂就餐的三百四十名学生中，五十七人先后出现腹痛和发热。几乎所有病人都吃过二号窗口的冷米布丁，盛布丁的长勺检出同一菌株。",
        "本试验观察七十岁以上老人每天早晨饮用一杯甜菜汁能否降低血压。十二周后，饮用甜菜汁者平均下降六个单位，饮用染色清水者仅下降一个单位，"
        "两组发热、皮疹和胃痛的发生率没有差别。",
        "姐妹二人因数月来看书字迹模糊到眼科就诊。两人在长途旅行中都服用过同一种退发热的药片。检查见双眼黄斑周围有一圈浅色组织，辨色有误。"
        "停药随访两年，视力没有继续下降。",
        "面包师，四十四岁，入春以来上班时喘息，周末减轻。面粉皮肤试验阳性，离开烤炉四周后呼吸恢复通畅。",
    ],
}
OTHERS: dict[Lang, list[str]] = {
    "en": [
        "Rats that were kept in the dark for a month drank more water and slept in shorter bouts, with no sign of "
        "fever. Their kidneys weighed the same as those of rats that saw daylight.",
        "This survey of 88 village pharmacies looked at how syrups against cough and fever are stored in summer. In "
        "every third shop the shelves were warmer than the label of the bottle allows, mostly in the afternoon.",
        "Old charts of a mountain sanatorium list the weight of each guest on Mondays and whether there was fever. "
        "From them we drew the course of four hundred stays, the longest of which lasted eleven winters.",
    ],
    "zh": [
        "大鼠在黑暗中饲养一个月后饮水增多，每次睡眠时间缩短，未见发热，肾脏重量与正常光照的大鼠相同。",
        "我们走访了八十八家乡村药店，了解夏季止咳糖浆和退发热药的存放情况。三分之一的店铺货架温度超过标签规定，多发生在午后。",
        "一所山间疗养院的旧病历记录了每位客人周一的体重和有无发热，据此绘出四百次住院的经过，其中最长的一次跨越了十一个冬天。",
    ],
}
FEVER: dict[Lang, str] = {"en": "fever", "zh": "发热"}
WIDE = {code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)}


def dressed(text: str) -> str:
    """The same text in another case, width, spacing and punctuation."""
    return text.upper().replace(" ", "  ").replace(".", " !").replace("，", ",").replace("。", " ; ").translate(WIDE)


def scattered(text: str, every: int) -> str:
    """The text with another letter in place of every so many, so that no long run of it is left."""
    return "".join("q" if at % every == every // 2 else letter for at, letter in enumerate(text))


class Leak(NamedTuple):
    """What is planted: a training record, what it matches, by what, and the texts that the audit has to show."""

    training: str
    evaluation: str
    by: str
    training_text: str
    evaluation_text: str


def documents(lang: Lang) -> tuple[dict[str, str], dict[str, str], list[Leak]]:
    """Return the training and test texts by PMID, one leak of each kind among them."""
    first, second, third, fourth, _ = CASES[lang]
    near, of_test = {"en": 34, "zh": 22}[lang], {"en": 150, "zh": 60}[lang]
    other, *clean = OTHERS[lang]
    same = {"en": "90000001", "zh": "90000011"}[lang]
    training = {
        same: other,
        "91000002": dressed(second),
        "91000003": f"{clean[0]} {third[:of_test]} {clean[1]}",
        "91000004": scattered(fourth, near),
        # What only looks like a leak: a phrase of a test text in a text that is about something else.
        "91000005": clean[0],
        "91000006": f"{clean[1]} {first[:20]}",
    }
    test = dict(zip((same, "90000002", "90000003", "90000004"), CASES[lang], strict=False))
    corpus = f"leaks_documents_{lang}"
    kinds = ("document id", "text", "overlap", "near duplicate")
    leaks = [
        Leak(f"{corpus}/train/{ours}", f"{corpus}/test/{theirs}", by, training[ours], test[theirs])
        for by, ours, theirs in zip(kinds, training, test, strict=False)
    ]
    return training, test, leaks


def as_pubtator(texts: dict[str, str], lang: Lang) -> str:
    """Write texts as titles without abstracts; fever is a disease."""
    blocks: list[str] = []
    for pmid, text in texts.items():
        at = text.lower().find(FEVER[lang])
        row = f"{pmid}\t{at}\t{at + len(FEVER[lang])}\t{text[at : at + len(FEVER[lang])]}\tDisease\n" if at >= 0 else ""
        blocks.append(f"{pmid}|t|{text}\n{pmid}|a|\n{row}")
    return "\n".join(blocks)


class Asked(NamedTuple):
    """A question of a test set, one of training that shares only a part with it, and one that shares nothing."""

    test: dict[str, Any]
    leak: dict[str, Any]
    shared: str
    other: dict[str, Any]


def choice(question: str, *options: str) -> dict[str, Any]:
    """A question whose first option is right."""
    return {"question": question, "options": dict(zip("ABCD", options, strict=False)), "answer_idx": "A"}


CHOICES: dict[Lang, Asked] = {
    "en": Asked(
        choice("Which vitamin is given against scurvy?", "Ascorbic acid", "Retinol", "Thiamine", "Biotin"),
        choice("Which vitamin is given against scurvy?", "ascorbic acid", "Folic acid", "Niacin", "Cobalamin"),
        "Which vitamin is given against scurvy?\nascorbic acid",
        choice("Which vitamin is given against pellagra?", "Niacin", "Retinol", "Thiamine", "Biotin"),
    ),
    "zh": Asked(
        choice("治疗坏血病应补充哪种维生素？", "维生素C", "维生素A", "维生素D", "维生素K"),
        choice("治疗坏血病应补充哪种维生素", "维生素Ｃ", "叶酸", "烟酸", "生物素"),
        "治疗坏血病应补充哪种维生素\n维生素Ｃ",
        choice("治疗糙皮病应补充哪种维生素？", "烟酸", "维生素A", "维生素D", "维生素K"),
    ),
}
CONTEXTS: dict[Lang, Asked] = {
    "en": Asked(
        {"question": "Which test was positive?", "context": CASES["en"][-1], "answer": "A skin test."},
        {"question": "What is his trade?", "context": dressed(CASES["en"][-1]), "answer": "He is a baker."},
        dressed(CASES["en"][-1]),
        {"question": "What did the rats drink?", "context": OTHERS["en"][0], "answer": "Water."},
    ),
    "zh": Asked(
        {"question": "哪项试验阳性？", "context": CASES["zh"][-1], "answer": "面粉皮肤试验。"},
        {"question": "他从事什么工作？", "context": dressed(CASES["zh"][-1]), "answer": "面包师。"},
        dressed(CASES["zh"][-1]),
        {"question": "大鼠饮水有何变化？", "context": OTHERS["zh"][0], "answer": "饮水增多。"},
    ),
}


def questions(kind: str, asked: Asked, lang: Lang) -> Leak:
    """The leak of a question through another of its texts than the first."""
    corpus = f"leaks_{kind}_{lang}"
    test = asked.test
    text = test["context"] if "context" in test else f"{test['question']}\n{test['options']['A']}"
    return Leak(f"{corpus}/train/1", f"{corpus}/test/0", "text", asked.shared, text)


LANGS: tuple[Lang, Lang] = ("en", "zh")
LEAKS: list[Leak] = [
    *(leak for lang in LANGS for leak in documents(lang)[2]),
    *(questions("choices", CHOICES[lang], lang) for lang in LANGS),
    *(questions("contexts", CONTEXTS[lang], lang) for lang in LANGS),
]
CLEAN = {
    *(f"leaks_documents_{lang}/train/{pmid}" for lang in LANGS for pmid in ("91000005", "91000006")),
    *(f"leaks_{kind}_{lang}/train/0" for kind in ("choices", "contexts") for lang in LANGS),
}
TASKS = {"documents": "ner", "choices": "qa_mc", "contexts": "qa_cqa"}


# --- the corpora, written as raw files -------------------------------------------------------------------------------


def corpus(name: str, lang: Lang, task: str, read: Callable[..., Any], **options: Any) -> Corpus:
    def sources(split: str) -> tuple[Source, ...]:
        return (Source(path=f"{split}.txt", read=read, options=options),)

    return Corpus(
        name=name,
        title=name,
        langs=(lang,),
        tasks=(task,),
        licence="x",
        access="open",
        homepage="x",
        citation="x",
        verified="fixture",
        files={"train": sources("train"), "test": sources("test")},
        entity_types={"Disease": TypeName(en="disease", zh="疾病")},
    )


def as_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of raw corpora, which are in the catalogue and the suites."""
    known: dict[str, Corpus] = {}
    raw: dict[tuple[str, str], str] = {}
    for lang in LANGS:
        training, test, _ = documents(lang)
        known[name] = corpus(name := f"leaks_documents_{lang}", lang, "ner", pubtator.read)
        raw[name, "train"], raw[name, "test"] = as_pubtator(training, lang), as_pubtator(test, lang)
        for kind, asked, read, options in (
            ("choices", CHOICES[lang], medqa.read, {}),
            ("contexts", CONTEXTS[lang], qa.read, {"context_key": "context"}),
        ):
            known[name] = corpus(name := f"leaks_{kind}_{lang}", lang, TASKS[kind], read, **options)
            raw[name, "train"], raw[name, "test"] = as_lines([asked.other, asked.leak]), as_lines([asked.test])
    for (name, split), text in raw.items():
        path = tmp_path / "raw" / name / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    test_sets = tuple(
        TestSet(name=name, title=name, corpus=name, split="test", task=c.tasks[0], metric="chrf", langs=c.langs)
        for name, c in known.items()
    )
    monkeypatch.setattr(catalogue, "get", known.__getitem__)
    monkeypatch.setitem(suites.SUITES, "leaks", test_sets)
    yield tmp_path / "raw"


def built(root: Path, **decontaminate: bool) -> Path:
    """Build the training data of all corpora, documents in windows of a sentence, beside all test sets."""
    data = [
        {"corpus": f"leaks_{kind}_{lang}", "task": task} | ({"window_chars": 1} if kind == "documents" else {})
        for kind, task in TASKS.items()
        for lang in LANGS
    ]
    recipe = Recipe.model_validate(
        {
            "name": "leaks",
            "stages": [{"name": "one", "data": data}],
            "decontaminate": decontaminate,
            "evaluate": {"suites": ["leaks"]},
        }
    )
    return build(Run(recipe, root.parent / "run", root, Log(root.parent / "run", Console(quiet=True))))


def trained_on(folder: Path) -> dict[str, list[Example]]:
    """The examples of the training Parquet, by where their record is."""
    found: dict[str, list[Example]] = {}
    for example in storage.read_parquet(folder / "one.parquet", Example):
        found.setdefault(f"{example.corpus}/{example.split}/{example.record}", []).append(example)
    return found


# --- what is caught --------------------------------------------------------------------------------------------------


def test_every_planted_leak_is_in_the_audit_with_both_texts_and_not_in_training(root: Path) -> None:
    folder = built(root)
    audit = {match.training: match for match in storage.read_jsonl(folder / "decontamination.jsonl", Match)}
    assert {Leak(m.training, m.evaluation, m.by, m.training_text, m.evaluation_text) for m in audit.values()} == set(
        LEAKS
    )
    assert all(match.value and 0.5 <= match.similarity <= 1 for match in audit.values())
    training = trained_on(folder)
    assert set(training) == CLEAN
    # Windows of a document go with it.
    prompts = [normalise(e.messages[-1].content) for examples in training.values() for e in examples]
    for leak in LEAKS:
        pieces = [normalise(piece) for piece in leak.evaluation_text.replace("。", ".").split(".")]
        assert not [piece for piece in pieces for prompt in prompts if len(piece) > 25 and piece in prompt]
    rejects = storage.read_jsonl(folder / "rejects.jsonl", dict[str, str])
    gone = {row["where"]: (row["for"], row["reason"]) for row in rejects}
    assert gone == {leak.training: ("one", f"contaminated by {leak.by}") for leak in LEAKS}
    counts = {
        f"contaminated by {by}": n for by, n in (("text", 6), ("document id", 2), ("overlap", 2), ("near duplicate", 2))
    }
    assert manifest(folder).facts["rejects"]["one"] == counts


@pytest.mark.parametrize(
    ("off", "by"),
    [("by_document_id", "document id"), ("by_overlap", "overlap"), ("by_near_duplicate", "near duplicate")],
)
def test_each_kind_is_caught_by_its_own_sign_alone(root: Path, off: str, by: str) -> None:
    missed = {leak.training for leak in LEAKS if leak.by == by}
    assert len(missed) == 2
    assert set(trained_on(built(root, **{off: False}))) == CLEAN | missed


def test_without_decontamination_all_of_it_would_be_learned(root: Path) -> None:
    signs = ("by_document_id", "by_text", "by_overlap", "by_near_duplicate")
    folder = built(root, **dict.fromkeys(signs, False))
    assert set(trained_on(folder)) == CLEAN | {leak.training for leak in LEAKS}
    assert not list(storage.read_jsonl(folder / "decontamination.jsonl", Match))
