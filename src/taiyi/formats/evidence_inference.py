"""Evidence Inference's tables: what a trial reports of an outcome under one treatment against another.

Prompts, answers of annotators and lists of articles are files of their own (Lehman et al., NAACL 2019; DeYoung et al.,
BioNLP 2020).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, choice, lines, tables
from taiyi.schema import Lang, Option, Question, Record, Reject, Split

# By the codes of the answers.
_EFFECTS = {"1": "significantly increased", "0": "no significant difference", "-1": "significantly decreased"}
_KEYS = dict(zip(_EFFECTS, choice.names(len(_EFFECTS)), strict=True))
_OPTIONS = tuple(Option(key=_KEYS[code], text=text) for code, text in _EFFECTS.items())
_ANNOTATION = ("PromptID", "Valid Label", "Valid Reasoning", "Label", "Annotations", "Label Code")
_TRUE = ("True", "1")
_NONE: Mapping[str, Collection[int]] = MappingProxyType({})

WITHOUT_ANSWER = "no valid answer"
DISAGREE = "annotators disagree"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    annotations: str,
    articles: str,
    flagged: Mapping[str, Collection[int]] = _NONE,
) -> Iterator[Record | Reject]:
    """Read the prompts of a split as questions of three options; the context is the evidence that annotators marked.

    The answer is that of most annotators whose label and reasoning a verifier found valid; prompts without one, or with
    two that as many gave, are rejected.

    Args:
        annotations: file of the answers, beside `path`.
        articles: file of the ids of the articles of the split, beside `path`.
        flagged: ids of prompts that are rejected, by the reason.
    """
    wanted = _articles(path.parent / articles)
    answers = yield from _answers(path.parent / annotations)
    reasons = {str(prompt): reason for reason, prompts in flagged.items() for prompt in prompts}
    for where, row in _rows(path, ("PromptID", "PMCID", "Outcome", "Intervention", "Comparator")):
        if isinstance(row, Reject):
            yield row
            continue
        key, article = row["PromptID"], row["PMCID"]
        if article not in wanted:
            continue
        if key in reasons:
            yield Reject(where=where, reason=reasons[key], detail=f"prompt {key}")
            continue
        intervention, comparator, outcome = (row[name].strip() for name in ("Intervention", "Comparator", "Outcome"))
        if not (intervention and comparator and outcome):
            yield Reject(where=where, reason="incomplete prompt", detail=f"prompt {key}")
            continue
        given = answers.get(key, [])
        counts = Counter(code for code, _ in given).most_common(2)
        if not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
            reason = DISAGREE if counts else WITHOUT_ANSWER
            yield Reject(where=where, reason=reason, detail=f"prompt {key}: {[_EFFECTS[code] for code, _ in given]}")
            continue
        best = counts[0][0]
        yield checked.record(
            Question,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmcid:PMC{article}",),
            kind="choice",
            question=f"What effect on {outcome} does the trial report for {intervention}, compared with {comparator}?",
            contexts=tuple(dict.fromkeys(evidence for code, evidence in given if code == best)),
            options=_OPTIONS,
            answers=(_KEYS[best],),
        )


def _articles(path: Path) -> set[str]:
    if not path.is_file():
        raise FormatError("the list of the articles of the split is missing", where=path, expected="one id a line")
    return {line.strip() for _, line in lines.numbered(path) if line.strip()}


def _answers(path: Path) -> Generator[Reject, None, dict[str, list[tuple[str, str]]]]:
    """Return, by prompt, what valid annotations answer and the evidence that they mark; yield rows that are none."""
    if not path.is_file():
        raise FormatError("the answers of the annotators are missing", where=path, expected="a table")
    answers: dict[str, list[tuple[str, str]]] = {}
    for _, row in _rows(path, _ANNOTATION):
        if isinstance(row, Reject):
            yield row
            continue
        code, evidence = row["Label Code"].strip().removesuffix(".0"), row["Annotations"].strip()
        valid = row["Valid Label"] in _TRUE and row["Valid Reasoning"] in _TRUE
        if valid and code in _EFFECTS and evidence and row["Label"] != "invalid prompt":
            answers.setdefault(row["PromptID"], []).append((code, evidence))
    return answers


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    for where, row in tables.items(path):
        if isinstance(row, Reject) or (all(isinstance(row.get(column), str) for column in columns) and row["PromptID"]):
            yield where, row
        else:
            yield where, Reject(where=where, reason=checked.MALFORMED, detail=f"{', '.join(columns)} were expected")
