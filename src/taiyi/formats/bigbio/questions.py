"""Questions as rows of BigBio's qa: `type` says the kind, `choices` and `answer` are texts, `context` is one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked
from taiyi.formats.bigbio import schemas
from taiyi.schema import Option, Question, Record, Reject

Kind = Literal["choice", "yesno", "simple", "context"]
_TYPES: Mapping[str, Kind] = {
    **{"multiple_choice": "choice", "multiple-choice": "choice", "multiple choice": "choice"},
    **{"yesno": "yesno", "yes_no": "yesno", "yes/no": "yesno", "boolean": "yesno"},
}
_WRITTEN: Mapping[Kind, str] = {
    "choice": "multiple_choice",
    "yesno": "yesno",
    "simple": "simple",
    "context": "context",
}
_DECISIONS = ("yes", "no", "maybe")


def _keys(number: int) -> list[str]:
    """Return the keys of options in order: letters, then numbers."""
    return [chr(ord("A") + n) if n < 26 else str(n + 1) for n in range(number)]


def _texts(value: object) -> list[str] | None:
    """Return the texts of a list, or of one text; None where there is something else."""
    if isinstance(value, str):
        return [] if value in schemas.NOTHING else [value]
    if value is None:
        return []
    given = cast("list[object]", value) if isinstance(value, list) else [None]
    return cast("list[str]", given) if all(isinstance(text, str) for text in given) else None


def parse(row: Mapping[str, Any], where: str, head: dict[str, Any]) -> Record | Reject:
    """Return a row as a record; of other types than choice and yes/no, the context tells the kind."""
    question, context = row.get("question"), row.get("context")
    choices, answers = _texts(row.get("choices")), _texts(row.get("answer"))
    contexts = _texts(context)
    if not isinstance(question, str) or choices is None or answers is None or contexts is None:
        detail = f"a question with choices, answers and a context was expected: {checked.shown(row)}"
        return Reject(where=where, reason=checked.MALFORMED, detail=detail)
    if not answers:
        return Reject(where=where, reason="question without an answer", detail=checked.shown(question))
    kind = _kind(str(row.get("type") or ""), choices, contexts)
    options: tuple[Option, ...] = ()
    if kind == "choice":
        keys = _keys(len(choices))
        options = tuple(Option(key=key, text=text) for key, text in zip(keys, choices, strict=True))
        # Of equal choices the first is meant.
        by_text = {option.text: option.key for option in reversed(options)}
        answers = [by_text.get(answer, answer) for answer in answers]
    elif kind == "yesno":
        answers = [answer.strip().lower() for answer in answers]
    return checked.record(
        Question,
        where,
        **head,
        kind=kind,
        question=question,
        answers=tuple(answers),
        contexts=tuple(contexts),
        options=options,
    )


def _kind(type: str, choices: list[str], contexts: list[str]) -> Kind:
    if kind := _TYPES.get(type.strip().lower()):
        return kind
    if choices:
        return "yesno" if {choice.strip().lower() for choice in choices} <= {*_DECISIONS} else "choice"
    return "context" if contexts else "simple"


def render(record: Question) -> dict[str, Any]:
    """Return a question as a row.

    Raises:
        FormatError: the question has several contexts, or an empty one; options with other keys than A, B, C, ... or
            with equal texts; options without a choice; a longer answer.
    """
    keys, texts = [option.key for option in record.options], [option.text for option in record.options]
    faults = {
        "one context, which is not empty": len(record.contexts) > 1 or bool(schemas.NOTHING & {*record.contexts}),
        "a context for questions with one only": record.kind == "simple" and bool(record.contexts),
        "options with the keys A, B, C, … and texts of their own": keys != _keys(len(keys))
        or len({*texts}) < len(texts),
        "options for a choice only": record.kind != "choice" and bool(keys),
        "no longer answer": bool(record.long_answer),
    }
    if fault := next((what for what, wrong in faults.items() if wrong), None):
        raise FormatError("BigBio's qa cannot hold this question", where=record.id, expected=fault)
    by_key = dict(zip(keys, texts, strict=True))
    choices = list(_DECISIONS) if record.kind == "yesno" else texts
    return {
        "id": record.id,
        "question_id": record.id,
        "document_id": schemas.document_id(record.id, record.document_ids),
        "question": record.question,
        "type": _WRITTEN[record.kind],
        "choices": choices,
        "context": record.contexts[0] if record.contexts else "",
        "answer": [by_key.get(answer, answer) for answer in record.answers],
    }
