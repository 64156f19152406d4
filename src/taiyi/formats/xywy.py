"""Diseases of the encyclopaedia of xywy.com, one JSON object a line, as dialogues.

Each object has the disease's name and its attributes, texts or lists of texts. There are no questions in the file: a
dialogue asks for one attribute after another in wordings of ours, and the encyclopaedia answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Dialogue, Lang, Record, Reject, Split, Turn

WITHOUT_ATTRIBUTES = "disease without an attribute"
# By attribute, in the order in which a dialogue asks for them. `_id`, `category` (sections of the site), `drug_detail`
# (brands of the drugs) say nothing of the disease.
QUESTIONS = {
    "desc": "{name}是什么病？",
    "cause": "{name}的病因是什么？",
    "symptom": "{name}有哪些症状？",
    "acompany": "{name}会引起哪些并发症？",
    "easy_get": "哪些人容易得{name}？",
    "get_prob": "{name}的发病率是多少？",
    "get_way": "{name}会传染吗？",
    "prevent": "怎样预防{name}？",
    "cure_department": "得了{name}应该看什么科？",
    "check": "确诊{name}需要做哪些检查？",
    "cure_way": "{name}怎么治疗？",
    "common_drug": "治疗{name}常用哪些药？",
    "recommand_drug": "得了{name}推荐用哪些药？",
    "cure_lasttime": "治疗{name}需要多长时间？",
    "cured_prob": "{name}的治愈率是多少？",
    "cost_money": "治疗{name}大概要花多少钱？",
    "yibao_status": "{name}属于医保范围吗？",
    "do_eat": "得了{name}宜吃什么？",
    "not_eat": "得了{name}不能吃什么？",
    "recommand_eat": "得了{name}推荐吃什么食谱？",
}
_BETWEEN = "、"
_ENCODINGS = ("utf-8", "gb18030")


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read a dialogue a disease, named by its id in the encyclopaedia; items of lists are joined by `、`.

    The file may be in UTF-8 or GB18030.
    """
    for index, (where, item) in enumerate(json_lines.items(path, encodings=_ENCODINGS)):
        if isinstance(item, Reject):
            yield item
            continue
        name, key = item.get("name"), _id(item.get("_id"), index)
        if not isinstance(name, str) or not name.strip():
            yield Reject(where=where, reason=checked.MALFORMED, detail="the name of a disease was expected")
            continue
        turns: list[Turn] = []
        for attribute, wording in QUESTIONS.items():
            answer = _text(item.get(attribute, ""))
            if answer is None:
                detail = f"a text or list of texts was expected under {attribute}"
                yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            elif answer:
                asked = wording.format(name=name.strip())
                turns += (Turn(role="user", text=asked), Turn(role="assistant", text=answer))
        if not turns:
            yield Reject(where=where, reason=WITHOUT_ATTRIBUTES, detail=checked.shown(name))
            continue
        yield checked.record(Dialogue, where, id=key, corpus=corpus, split=split, lang=lang, turns=tuple(turns))


def _id(value: Any, index: int) -> str:
    """Return the id that MongoDB exported, `{"$oid": "..."}`, else the position."""
    match value:
        case {"$oid": str() as key} if key.strip():
            return key
        case _:
            return str(index)


def _text(value: Any) -> str | None:
    """Return a text, or those of a list together; None of anything else."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(part, str) for part in cast("list[Any]", value)):
        return _BETWEEN.join(part.strip() for part in cast("list[str]", value) if part.strip())
    return None
