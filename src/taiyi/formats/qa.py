"""Questions and answers in items of any kind (`formats.rows`), under keys of a corpus's own or Alpaca's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.schema import Lang, Question, Record, Reject, Split

ALPACA = {"question_keys": ("instruction", "input"), "answer_key": "output"}


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    question_keys: tuple[str, ...] = ("question",),
    answer_key: str = "answer",
    context_key: str = "",
    long_answer_key: str = "",
    id_key: str = "id",
    id_prefix: str = "",
    without_answer: str = "",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read questions; items without an id are named by their position from 0.

    Args:
        question_keys: keys whose texts, where not empty, make up the question, a line each; the first must be there.
        answer_key: key of the answer, or of a list of answers that are all right.
        context_key: key of the text, or texts, in which the answer stands; without it questions are without context.
        long_answer_key: key of a longer answer, such as the reasoning that leads to the short one.
        id_prefix: what is put before every id, where a split is read from several files, or several times from one.
        without_answer: reason under which questions with an empty answer are rejected; they are malformed if not given.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        parts = [part if (part := rows.value(item, key)) is not None else "" for key in question_keys]
        given = rows.value(item, answer_key)
        answers = () if given is None and without_answer else rows.texts(given)
        contexts = rows.texts(rows.value(item, context_key)) if context_key else ()
        long_answer = rows.value(item, long_answer_key) if long_answer_key else ""
        asked = rows.value(item, question_keys[0]) is not None and all(isinstance(part, str) for part in parts)
        key = rows.key_of(item, id_key, index)
        if without_answer and answers is not None and not any(answer.strip() for answer in answers):
            yield Reject(where=where, reason=without_answer, detail=f"no answer under {answer_key}")
            continue
        if not asked or answers is None or contexts is None or key is None:
            wanted = ", ".join((question_keys[0], answer_key, *filter(None, [context_key])))
            detail = f"texts were expected under {wanted}, and an id that is a text or number if any"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield checked.record(
            Question,
            where,
            id=f"{id_prefix}{key}",
            corpus=corpus,
            split=split,
            lang=lang,
            kind="context" if context_key else "simple",
            question="\n".join(part for part in parts if part.strip()),
            contexts=contexts,
            answers=tuple(answer for answer in answers if answer.strip()),
            long_answer=long_answer if isinstance(long_answer, str) else "",
        )


def write(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "lines") -> None:
    """Write questions as `{"id", "question", "answer", "context"}`; several answers or contexts become lists.

    Raises:
        FormatError: a record is not a question of kind simple or context.
    """
    json_lines.write((_item_of(record) for record in records), path, layout=layout)


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Question) or record.kind not in ("simple", "context"):
        raise FormatError("only questions with free answers can be written", where=record.id, got=type(record).__name__)
    item: dict[str, Any] = {"id": record.id, "question": record.question, "answer": _one_or_all(record.answers)}
    return item | ({"context": _one_or_all(record.contexts)} if record.contexts else {})


def _one_or_all(texts: tuple[str, ...]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)
