"""The Biology How/Why Corpus's XML: questions with passages of a textbook that answer them (Jansen et al., 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, xml
from taiyi.schema import Lang, Question, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `question` elements with `text` and, in each `answer`, a `justification`: the passage that answers.

    Ids are the name of the file and positions from 0. Where the passages stand (`docid`, `sentences`) is left out.

    Raises:
        FormatError: the file holds no question.
    """
    index = -1
    for index, element in enumerate(xml.elements(path, ("question",))):
        where = f"{path.name}:{element.sourceline}"
        question = " ".join("".join(part.itertext()).strip() for part in element.findall("text"))
        passages = ["".join(part.itertext()).strip() for part in element.iter("justification")]
        answers = tuple(dict.fromkeys(passage for passage in passages if passage))
        if not question or not answers:
            detail = "a text and the justification of an answer were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield checked.record(
            Question,
            where,
            id=f"{path.stem}-{index}",
            corpus=corpus,
            split=split,
            lang=lang,
            kind="simple",
            question=question,
            answers=answers,
        )
    if index < 0:
        raise FormatError("the file holds no <question>", where=path)
