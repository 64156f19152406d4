"""Dialogues as JSON or JSON lines: lists of turns under usual keys, and MOSS's turns with their marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Dialogue, Lang, Record, Reject, Split, Turn

Role = Literal["user", "assistant", "system"]
_LISTS = ("turns", "messages", "conversations")
_ROLES: dict[str, Role] = {
    "user": "user", "human": "user", "patient": "user", "患者": "user", "病人": "user",
    "assistant": "assistant", "gpt": "assistant", "bot": "assistant", "doctor": "assistant", "医生": "assistant",
    "system": "system",
}  # fmt: skip
_MOSS_OPENING = re.compile(r"\s*<\|(?:Human|MOSS)\|>:\s*")
_MOSS_CLOSING = re.compile(r"\s*<eo[hm]>\s*$")
# Replies of MOSS that quote tools point at their results: <sup><|1|></sup>, at times without the tags.
_MOSS_SOURCE = re.compile(r"\s*<sup>\s*(?:<\|\d+\|>[\s,，、]*)+</sup>|\s*(?:<sup>)?<\|/?\d+\|>(?:</sup>)?|<eor>")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[A-Za-z]+")


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    detect_lang: bool = False,
    id_from_file: bool = False,
    id_prefix: str = "",
) -> Iterator[Record | Reject]:
    """Read dialogues; items without an id are named by their position from 0.

    Args:
        detect_lang: tell the language of each dialogue by what its users write (`lang` where they write neither).
        id_from_file: the file holds one dialogue, and its name is the id.
        id_prefix: what is put before every id, where a split is read from several files.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        turns, key = _turns(item), path.stem if id_from_file else checked.name(item, index)
        if turns is None or key is None:
            detail = "turns of known roles with texts were expected, and an id that is a text or number if any"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield checked.record(
            Dialogue,
            where,
            id=f"{id_prefix}{key}",
            corpus=corpus,
            split=split,
            lang=language(" ".join(t.text for t in turns if t.role == "user")) or lang if detect_lang else lang,
            turns=turns,
        )


def language(text: str) -> Lang | None:
    """Return the language of a text: Chinese if it has more Han characters than words in Latin letters."""
    han, words = len(_HAN.findall(text)), len(_WORD.findall(text))
    return None if not han and not words else "zh" if han > words else "en"


def _turns(item: dict[str, Any]) -> tuple[Turn, ...] | None:
    if "chat" in item:
        return _moss_turns(item["chat"])
    listed = next((item[key] for key in _LISTS if isinstance(item.get(key), list)), None)
    if listed is None:
        return None
    turns: list[Turn] = []
    for value in cast("list[Any]", listed):
        match value:
            case (
                {"role": str() as role, "text": str() as text}
                | {"role": str() as role, "content": str() as text}
                | {"from": str() as role, "value": str() as text}
            ) if role.lower() in _ROLES:
                turns.append(Turn(role=_ROLES[role.lower()], text=text))
            case _:
                return None
    return tuple(turns)


def _moss_turns(chat: Any) -> tuple[Turn, ...] | None:
    """Return what the user and MOSS said; its thoughts, commands and tool results are not part of the dialogue."""
    if not isinstance(chat, dict):
        return None
    turns: list[Turn] = []
    for value in cast("dict[str, Any]", chat).values():
        match value:
            case {"Human": str() as human, "MOSS": str() as moss}:
                turns += (Turn(role="user", text=_said(human)), Turn(role="assistant", text=_said(moss)))
            case _:
                return None
    return tuple(turns)


def _said(text: str) -> str:
    return _MOSS_SOURCE.sub("", _MOSS_CLOSING.sub("", _MOSS_OPENING.sub("", text, count=1))).strip()


def write(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "lines") -> None:
    """Write dialogues as `{"id", "turns": [{"role", "text"}]}`.

    Raises:
        FormatError: a record is no dialogue.
    """
    json_lines.write((_item_of(record) for record in records), path, layout=layout)


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, Dialogue):
        raise FormatError("only dialogues can be written", where=record.id, got=type(record).__name__)
    return {"id": record.id, "turns": [{"role": turn.role, "text": turn.text} for turn in record.turns]}
