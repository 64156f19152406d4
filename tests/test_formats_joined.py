"""Formats of which files are joined by ids: cMedQA, webMedQA and KUAKE-IR."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import cmedqa, kuake_ir, webmedqa
from taiyi.schema import Pair, Question, Record, Reject

Read = Callable[..., Iterator[Record | Reject]]


def read(reader: Read, folder: Path, files: dict[str, str], **options: Any) -> list[Record | Reject]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(reader(folder / next(iter(files)), corpus="c", split="dev", lang="zh", **options))


def answers(items: list[Record | Reject]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(item.id, item.question, item.answers) for item in items if isinstance(item, Question)]


def reasons(items: list[Record | Reject]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Reject)]


TABLES = {
    "question.csv": 'question_id,content\n1,"甲,\n甲"\n2,乙\n',
    "answer.csv": "ans_id,question_id,content\n7,1,答一\n8,1,答二\n9,2,答三\n",
}


def test_right_answers_are_joined_in_the_order_of_the_candidates(tmp_path: Path) -> None:
    train = "question_id,pos_ans_id,neg_ans_id\n1,8,9\n1,8,7\n1,7,9\n2,9,7\n"
    items = read(cmedqa.read, tmp_path, {"train.txt": train, **TABLES})
    assert answers(items) == [("1", "甲,\n甲", ("答二", "答一")), ("2", "乙", ("答三",))]
    dev = "question_id,ans_id,cnt,label\n2,7,0,0\n2,9,1,1\n"
    assert answers(read(cmedqa.read, tmp_path, {"dev.txt": dev, **TABLES})) == [("2", "乙", ("答三",))]


def test_candidates_without_texts_are_rejected(tmp_path: Path) -> None:
    dev = "question_id,ans_id,cnt,label\n1,7,0,1\n1,77,1,1\n2,9,0,0\n3,9,0,1\n2,9,1,x\n"
    items = read(cmedqa.read, tmp_path, {"dev.txt": dev, **TABLES})
    assert answers(items) == [("1", "甲,\n甲", ("答一",))]
    assert reasons(items) == [
        ("dev.txt:6", "malformed line"),
        ("dev.txt:2", cmedqa.UNKNOWN),
        ("dev.txt:4", cmedqa.WITHOUT_ANSWER),
        ("dev.txt:5", cmedqa.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"dev.txt": "question_id,ans_id,cnt,label\n1,7,0,1\n"}, "question.csv: a table"),
        ({"dev.txt": "id,label\n1,1\n", **TABLES}, "lacks a column"),
        ({"dev.txt": "question_id,ans_id,cnt,label\n1,7,0,1\n", **TABLES, "answer.csv": "id,text\n7,x\n"}, "lacks a"),
    ],
)
def test_tables_that_lack_something_are_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(cmedqa.read, tmp_path, files)


def test_lines_of_a_question_need_not_stand_together(tmp_path: Path) -> None:
    text = (
        '内科\t0\t1\t甲"\t错\n外科\t1\t2\t乙\t对二\n内科\t1\t1\t甲"\t对一\n儿科\t0\t3\t丙\t错\n儿科\t?\t4\t丁\t错\n缺\n'
    )
    items = read(webmedqa.read, tmp_path, {"some.txt": text})
    assert answers(items) == [("1", '甲"', ("对一",)), ("2", "乙", ("对二",))]
    assert reasons(items) == [
        ("some.txt:5", "malformed line"),
        ("some.txt:6", "malformed line"),
        ("some.txt:4", webmedqa.WITHOUT_ANSWER),
    ]


RETRIEVAL = {
    "dev.tsv": "1\t5\n2\t6\n3\t5\n",
    "query.txt": "1\t甲\n2\t乙\n坏\n",
    "corpus.tsv": "5\t段五\n6\t段六\n7\t段七\n",
}
BESIDE = {"queries": "query.txt", "passages": "corpus.tsv"}


def test_relevant_passages_are_pairs(tmp_path: Path) -> None:
    items = read(kuake_ir.read, tmp_path, RETRIEVAL, **BESIDE)
    pairs = [(item.id, item.first, item.second, item.label) for item in items if isinstance(item, Pair)]
    assert pairs == [("1-5", "甲", "段五", "1"), ("2-6", "乙", "段六", "1")]
    assert reasons(items) == [("query.txt:3", "malformed line"), ("dev.tsv:3", kuake_ir.UNKNOWN)]


def test_a_missing_file_of_passages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"corpus\.tsv: a file that the pairs refer to is missing"):
        read(kuake_ir.read, tmp_path, {k: v for k, v in RETRIEVAL.items() if k != "corpus.tsv"}, **BESIDE)
