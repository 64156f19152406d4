"""PromptCBLUE: prompts and answers, with the line ends that its copies have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.formats import promptcblue
from taiyi.formats.promptcblue import Ends
from taiyi.schema import Document, Question, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}


def line(**more: Any) -> str:
    return json.dumps({"input": "甲？", "target": "乙", "task_dataset": "X", "sample_id": "aug-0", **more})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_is_a_question(tmp_path: Path, end: str) -> None:
    path = tmp_path / "X-2.json"
    path.write_text(line() + end + line(input="丙？\n选项：丁") + end, encoding="utf-8", newline="")
    first, second = promptcblue.read(path, **HERE)
    assert isinstance(first, Question)
    assert (first.id, first.kind, first.question, first.answers) == ("X-2.0", "simple", "甲？", ("乙",))
    assert isinstance(second, Question)
    assert (second.id, second.question) == ("X-2.1", "丙？\n选项：丁")


def test_prompts_without_answer_are_rejected_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "X-2.json"
    path.write_text("\r".join([line(), line(target=" "), line(target=None), "{"]), encoding="utf-8", newline="")
    _, *rejects = promptcblue.read(path, **HERE)
    assert [(r.where, r.reason) for r in rejects if isinstance(r, Reject)] == [
        ("X-2.json:2", "no answer"),
        ("X-2.json:3", "malformed line"),
        ("X-2.json:4", "malformed line"),
    ]


# --- back into sentences ---------------------------------------------------------------------------------------------

TYPES = {"疾病": "dis", "身体部位": "bod"}
ENDS = {"病因": Ends("疾病", "社会学"), "并发症": Ends("疾病", "疾病")}
ENTITY_PROMPTS = [
    "{}\n问题：句子中的疾病，身体部位实体是什么？\n答：",
    "给出句子中的实体：\n{}\n医学实体选项：疾病，身体部位\n答：",
    "实体抽取：\n{}\n选项：疾病，身体部位",
    "{}\n这个句子里面实体有哪些？\n实体选项：疾病，身体部位\n答：",
]
TRIPLE_PROMPTS = [
    "找出指定的三元组：\n{}\n实体间关系：病因",
    "根据给定的实体间的关系，抽取具有这些关系的实体对：\n{}\n实体间关系标签：病因，并发症\n答：",
    "给出句子中的病因关系类型的实体对：{}",
    "{}\n这个句子里面具有一定医学关系的实体组有哪些？\n三元组关系选项：\n答：",
]


def put(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "X-2.json"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def named(*of_types: tuple[str, str]) -> str:
    return "\n".join(["上述句子中的实体包含：", *(f"{type}实体：{names}" for type, names in of_types)])


def entities(path: Path) -> list[Document | Reject]:
    found = list(promptcblue.read_entities(path, **HERE, types=TYPES))
    assert all(isinstance(one, Document | Reject) for one in found)
    return found  # pyright: ignore[reportReturnType]


def spans(document: Document | Reject) -> list[tuple[str, str, int]]:
    assert isinstance(document, Document)
    assert all(document.text[slice(*e.spans[0])] == e.text for e in document.entities)
    return sorted((e.type, e.text, e.spans[0].start) for e in document.entities)


@pytest.mark.parametrize("prompt", ENTITY_PROMPTS)
def test_entities_are_read_out_of_every_prompt(tmp_path: Path, prompt: str) -> None:
    asked = line(input=prompt.format("肺炎，常见于肺部。"), target=named(("疾病", "肺炎"), ("身体部位", "肺部")))
    [document] = entities(put(tmp_path, asked))
    assert isinstance(document, Document)
    assert (document.id, document.text) == ("X-2.0", "肺炎，常见于肺部。")
    assert spans(document) == [("bod", "肺部", 6), ("dis", "肺炎", 0)]


@pytest.mark.parametrize(
    ("text", "names", "starts"),
    [
        ("肺炎与肺炎", "肺炎，肺炎", [0, 3]),
        ("肺炎与肺炎", "肺炎", [0]),
        # Where a name is one fewer times than it stands there, it is not the place within a longer one.
        ("支气管肺炎与肺炎", "支气管肺炎，肺炎", [0, 6]),
        ("支气管肺炎与肺炎", "支气管肺炎，肺炎，肺炎", [0, 3, 6]),
        ("肺炎", "", []),
    ],
)
def test_a_name_is_placed_as_often_as_it_is_named(tmp_path: Path, text: str, names: str, starts: list[int]) -> None:
    [document] = entities(put(tmp_path, line(input=ENTITY_PROMPTS[2].format(text), target=named(("疾病", names)))))
    assert sorted(start for _, _, start in spans(document)) == starts


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("疾病实体：肺炎", promptcblue.ANOTHER),
        (named(("症状", "肺炎")), promptcblue.ANOTHER),
        (named(("疾病", "胃炎")), promptcblue.UNNAMED),
        (named(("疾病", "肺炎，肺炎")), promptcblue.UNNAMED),
    ],
)
def test_what_is_not_in_the_words_of_the_prompts_is_told(tmp_path: Path, target: str, reason: str) -> None:
    found = entities(put(tmp_path, line(input=ENTITY_PROMPTS[1].format("肺炎。"), target=target), "{"))
    assert [(one.where, one.reason) for one in found if isinstance(one, Reject)] == [
        ("X-2.json:1", reason),
        ("X-2.json:2", "malformed line"),
    ]


@given(st.lists(st.sampled_from("肺炎支气管"), min_size=1, max_size=12), st.data())
def test_entities_lie_apart_and_as_often_as_named(characters: list[str], data: st.DataObject) -> None:
    text = "".join(characters)
    begins = data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4))
    names = [text[at : at + data.draw(st.integers(1, 3))] for at in begins]
    # As often as they stand there at most, which is how they are named.
    names = [name for n, name in enumerate(names) if names[:n].count(name) < text.count(name)]
    places = promptcblue._places(text, names)  # pyright: ignore[reportPrivateUsage]
    assert places.keys() == set(names)
    for name, found in places.items():
        assert len(found) == len(set(found)) == text.count(name)
        assert all(text[slice(*span)] == name for span in found)


def related(relation: str, *pairs: tuple[str, str]) -> str:
    told = "".join(f"头实体为{head}，尾实体为{tail}。" for head, tail in pairs)
    return f"具有{relation}关系的头尾实体对如下：{told}"


@pytest.mark.parametrize("prompt", TRIPLE_PROMPTS)
def test_triples_join_names_wherever_they_stand(tmp_path: Path, prompt: str) -> None:
    text = "肺炎由细菌引起。肺炎可并发败血症，细菌性肺炎亦然。"
    target = "\n".join(
        [related("病因", ("肺炎", "细菌")), related("并发症", ("肺炎", "败血症"), ("细菌性肺炎", "败血症"))]
    )
    [document] = promptcblue.read_triples(
        put(tmp_path, line(input=prompt.format(text), target=target)), **HERE, ends=ENDS
    )
    assert isinstance(document, Document)
    assert spans(document) == [
        ("疾病", "细菌性肺炎", 17),
        ("疾病", "肺炎", 0),
        ("疾病", "肺炎", 8),
        ("疾病", "败血症", 13),
        ("社会学", "细菌", 3),
    ]
    names = {e.concepts[0].id: e.text for e in document.entities}
    assert [(names[r.arguments[0].ref], r.type, names[r.arguments[1].ref]) for r in document.relations] == [
        ("肺炎", "病因", "细菌"),
        ("肺炎", "并发症", "败血症"),
        ("细菌性肺炎", "并发症", "败血症"),
    ]


def test_prompts_about_one_text_are_one_document(tmp_path: Path) -> None:
    text, none = "肺炎由细菌引起，可并发败血症。", "没有指定类型的三元组"
    lines = [
        line(input=TRIPLE_PROMPTS[0].format(text), target=related("病因", ("肺炎", "细菌"))),
        line(input=TRIPLE_PROMPTS[2].format("多休息。"), target=none),
        line(input=TRIPLE_PROMPTS[1].format(text), target=related("并发症", ("肺炎", "败血症"))),
        line(input=TRIPLE_PROMPTS[3].format("无病。"), target=""),
        line(input=TRIPLE_PROMPTS[0].format(text), target=related("治疗", ("肺炎", "细菌"))),
        line(input=TRIPLE_PROMPTS[0].format(text), target=related("病因", ("肺炎", "病毒"))),
        line(input=TRIPLE_PROMPTS[0].format(text), target="肺炎的病因是细菌。"),
    ]
    found = list(promptcblue.read_triples(put(tmp_path, *lines), **HERE, ends=ENDS))
    documents = [one for one in found if isinstance(one, Document)]
    assert [(d.id, d.text, len(d.relations)) for d in documents] == [
        ("X-2.0", text, 2),
        ("X-2.1", "多休息。", 0),
        ("X-2.3", "无病。", 0),
    ]
    assert [(one.where, one.reason) for one in found if isinstance(one, Reject)] == [
        ("X-2.json:5", "undeclared type"),
        ("X-2.json:6", promptcblue.UNNAMED),
        ("X-2.json:7", promptcblue.ANOTHER),
    ]
