"""PubMedQA's JSON: questions of PubMed articles by PMID, answered yes, no or maybe (Jin et al., EMNLP 2019)."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split

_DECISIONS = ("yes", "no", "maybe")
_NUM_FOLDS = 10
_SEED = 0


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, official_split: bool = False, test_ids: str = ""
) -> Iterator[Record | Reject]:
    """Read questions with their abstracts (without the conclusion, which is the long answer).

    Args:
        official_split: cut the 1,000 labelled questions as the authors' `split_dataset.py` does: 500 for test, and of
            the other 500 the first of ten folds for dev. Else all questions belong to the split.
        test_ids: the authors' file of the answers to the test questions, beside `path`; must name the same ones.
    """
    items = json_lines.members(path)
    keys = list(items)
    if official_split:
        parts = _official(items, path)
        if test_ids:
            _check_test(path.parent / test_ids, parts["test"])
        keys = parts[split]
    for key in keys:
        where = f"{path.name}:{key}"
        match items[key]:
            case Reject() as reject:
                yield reject
            case {"QUESTION": str() as question, "CONTEXTS": [*contexts], "final_decision": str() as decision, **rest}:
                yield checked.record(
                    Question,
                    where,
                    id=key,
                    corpus=corpus,
                    split=split,
                    lang=lang,
                    document_ids=(f"pmid:{key}",),
                    kind="yesno",
                    question=question,
                    contexts=tuple(contexts),
                    answers=(decision,),
                    long_answer=rest.get("LONG_ANSWER", ""),
                )
            case _:
                detail = "QUESTION, CONTEXTS and final_decision were expected"
                yield Reject(where=where, reason=checked.MALFORMED, detail=detail)


def _check_test(path: Path, keys: list[str]) -> None:
    if not path.is_file():
        raise FormatError("the answers to the test questions are missing", where=path, expected="an object by PMID")
    if json_lines.members(path).keys() != {*keys}:
        raise FormatError("the test questions are not those of the official split", where=path)


def _official(items: Mapping[str, Any], path: Path) -> Mapping[Split, list[str]]:
    """Return the ids of each split, drawn as the authors drew them: the same numbers from the same generator.

    Raises:
        FormatError: a question has no decision; without it nothing can be drawn as they did.
    """
    generator = random.Random(_SEED)
    decisions: dict[str, str] = {}
    for key, item in items.items():
        match item:
            case {"final_decision": str() as decision} if decision in _DECISIONS:
                decisions[key] = decision
            case _:
                raise FormatError(
                    "a question without a decision of PubMedQA, so that the official split cannot be drawn",
                    where=f"{path}:{key}",
                    expected=", ".join(_DECISIONS),
                    mend="fetch the file again",
                )
    learning, test = _folds(list(items), decisions, 2, generator, path)
    dev, *train = _folds(learning, decisions, _NUM_FOLDS, generator, path)
    return {"train": [key for fold in train for key in fold], "dev": dev, "test": test}


def _folds(
    keys: list[str], decisions: Mapping[str, str], number: int, generator: random.Random, path: Path
) -> list[list[str]]:
    """Cut ids into folds with the same share of each decision.

    Every fold but the last takes the quotient, rounded up, of each decision; where the last is left with less, each of
    the others gives it one id, drawn at random.
    """
    folds: list[list[str]] = [[] for _ in range(number)]
    for decision in _DECISIONS:
        group = [key for key in keys if decisions[key] == decision]
        generator.shuffle(group)
        size = math.ceil(len(group) / number)
        for index, fold in enumerate(folds):
            fold += group[index * size : (index + 1) * size if index < number - 1 else None]
    if len(folds[-1]) != len(folds[0]):
        for fold in folds[:-1]:
            if not fold:
                raise FormatError("too few questions for the official split", where=path, got=len(decisions))
            given = generator.choice(fold)
            fold.remove(given)
            folds[-1].append(given)
    return folds
