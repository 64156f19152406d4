"""GSM8K's JSON lines: word problems with their reasoning and, after `####`, their answer (Cobbe et al., 2021)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split

_BEFORE_ANSWER = "####"
# What a calculator was given and said, within the reasoning: <<48/2=24>>.
_CALCULATION = re.compile(r"<<[^<>]*>>")


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read problems; ids are positions from 0. The reasoning, without a calculator's marks, is the long answer."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        match item:
            case Reject():
                yield item
            case {"question": str() as question, "answer": str() as answer} if _BEFORE_ANSWER in answer:
                reasoning, final = answer.rsplit(_BEFORE_ANSWER, 1)
                yield checked.record(
                    Question,
                    where,
                    id=str(index),
                    corpus=corpus,
                    split=split,
                    lang=lang,
                    kind="simple",
                    question=question,
                    answers=(final.strip(),),
                    long_answer=_CALCULATION.sub("", reasoning).strip(),
                )
            case _:
                detail = f"question and answer were expected, with {_BEFORE_ANSWER} before the answer proper"
                yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
