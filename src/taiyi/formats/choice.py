"""Multiple-choice questions in items of any kind (`formats.rows`), under keys of a corpus's own."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from taiyi.formats import checked, rows
from taiyi.schema import Lang, Option, Question, Record, Reject, Split


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    question_key: str = "question",
    option_keys: tuple[str, ...] = (),
    options_key: str = "",
    answer_key: str = "answer",
    answer_is: Literal["text", "number"] = "text",
    named: Literal["letters", "numbers"] = "letters",
    ordered: bool = True,
    context_key: str = "",
    long_answer_key: str = "",
    id_key: str = "id",
    without_answer: str = "",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read questions; items without an id are named by their position from 0, options by letters or numbers.

    Args:
        option_keys: keys of the options, one each; either they or `options_key`, of a list of all, must be given.
        answer_is: whether the answer is said by the text of its option, or by the number of it from 1.
        ordered: whether options have an order of their own. Those that have none (a right one and the wrong ones) are
            put in that of the alphabet, so that the place of an option does not tell the right one.
        context_key: key of the text, or texts, that the question is about; may be empty.
        long_answer_key: key of an explanation of the answer.
        without_answer: reason under which questions without an answer are rejected; they are malformed if not given.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        question, answer = rows.value(item, question_key), rows.value(item, answer_key)
        options = rows.texts(
            rows.value(item, options_key) if options_key else [rows.value(item, k) for k in option_keys]
        )
        context = rows.value(item, context_key) if context_key else None
        contexts = rows.texts(context) if context is not None else ()
        key = rows.key_of(item, id_key, index)
        if without_answer and answer in (None, ""):
            yield Reject(where=where, reason=without_answer, detail=f"no answer under {answer_key}")
            continue
        if not isinstance(question, str) or not options or contexts is None or key is None:
            wanted = ", ".join((question_key, options_key or " ".join(option_keys), *filter(None, [context_key])))
            detail = f"texts were expected under {wanted}, and an id that is a text or number if any"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        right = _place(answer, options, answer_is)
        if right is None:
            detail = f"{checked.shown(answer)} under {answer_key} is none of the {len(options)} options"
            yield Reject(where=where, reason="answer is no option", detail=detail)
            continue
        order = list(range(len(options)))
        if not ordered:
            order = [place for _, _, place in sorted((text.casefold(), text, n) for n, text in enumerate(options))]
        keys = names(len(options), named)
        explanation = rows.value(item, long_answer_key) if long_answer_key else ""
        yield checked.record(
            Question,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            kind="choice",
            question=question,
            contexts=tuple(text for text in contexts if text.strip()),
            options=tuple(Option(key=name, text=options[place]) for name, place in zip(keys, order, strict=True)),
            answers=(keys[order.index(right)],),
            long_answer=explanation if isinstance(explanation, str) else "",
        )


def names(number: int, named: Literal["letters", "numbers"] = "letters") -> list[str]:
    """Return keys of options: A, B, …, or 1, 2, … where letters are not asked for or not enough."""
    if named == "letters" and number <= len(string.ascii_uppercase):
        return list(string.ascii_uppercase[:number])
    return [str(place) for place in range(1, number + 1)]


def _place(answer: Any, options: tuple[str, ...], answer_is: str) -> int | None:
    """Return the place, from 0, of the option that an answer says; None if it says none of them."""
    if answer_is == "text":
        return options.index(answer) if answer in options else None
    if isinstance(answer, str):
        answer = checked.number(answer.strip())
    if isinstance(answer, bool) or not isinstance(answer, int):
        return None
    return answer - 1 if 1 <= answer <= len(options) else None
