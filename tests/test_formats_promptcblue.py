"""PromptCBLUE: prompts and answers, with the line ends that its copies have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taiyi.formats import promptcblue
from taiyi.schema import Question, Reject

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
