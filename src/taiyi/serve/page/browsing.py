"""The catalogue for the page: rows to choose from, what each corpus is, and some records of those that are open."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from taiyi import catalogue
from taiyi.catalogue import Corpus, facts
from taiyi.catalogue.card import TASKS, examples
from taiyi.errors import SchemaError
from taiyi.schema import SPLITS, Reject, Split

TOGETHER = 5
"""How many records are shown at a time."""
MOST = 10_000
"""Records are counted from the first; so far in they can be looked at."""
_TEXT_CHARS = 20_000
TASKS_ZH: Mapping[str, str] = {
    "ner": "命名实体识别",
    "nen": "命名实体标准化",
    "re": "关系抽取",
    "cre": "因果关系抽取",
    "ee": "事件抽取",
    "coref": "共指消解",
    "tc": "文本分类",
    "qa_mc": "选择题",
    "qa_yesno": "是非问答",
    "qa_sqa": "简单问答",
    "qa_cqa": "依据上下文的问答",
    "mrd": "多轮对话",
    "mt": "机器翻译",
    "tp_ss": "文本对：语义相似度",
    "tp_te": "文本对：文本蕴含",
    "summary": "摘要生成",
    "title": "标题生成",
    "report": "报告生成",
    "struct": "文本到结构",
    "text": "用于预训练的原始文本",
}


def shown(corpus: Corpus) -> bool:
    """Whether records of a corpus may be shown to whoever reaches the page: the licence of others binds those alone who
    signed it."""
    return corpus.bundled is not None or corpus.access == "open"


def here(corpus: Corpus, root: Path | None) -> list[Split]:
    """Return the splits whose records can be shown."""
    if not shown(corpus) or (root is None and corpus.bundled is None):
        return []
    return [split for split in corpus.splits if corpus.layout(split, root or Path())]


def listing(root: Path | None) -> dict[str, Any]:
    """Return all corpora, with what they are looked for by."""
    rows = [
        facts.row(corpus) | {"here": here(corpus, root), "types": _types(corpus)} for corpus in catalogue.all_corpora()
    ]
    tasks = {task: {"en": title, "zh": TASKS_ZH.get(task, title)} for task, title in TASKS.items()}
    return {"corpora": rows, "tasks": tasks, "together": TOGETHER}


def details(corpus: Corpus, root: Path | None) -> dict[str, Any]:
    """Return what there is to be said of a corpus, with hand-written examples."""
    made = [msgspec.to_builtins(record) for record in examples(corpus)]
    return facts.details(corpus) | {"here": here(corpus, root), "shown": shown(corpus), "examples": made}


def records(corpus: Corpus, split: str, start: int, root: Path | None) -> dict[str, Any]:
    """Return some records of a split from a number on, and whether there are more.

    Raises:
        SchemaError: its records cannot be shown, or not so far in.
    """
    if split not in here(corpus, root):
        raise SchemaError("there are no records to be shown", where=f"{corpus.name}/{split}")
    if not 0 <= start < MOST:
        raise SchemaError("records are shown from the first on", got=start, expected=f"0 to {MOST - 1:,}")
    wanted: Split = next(one for one in SPLITS if one == split)
    items = (item for item in catalogue.load(corpus, wanted, root or Path()) if not isinstance(item, Reject))
    found = list(islice(items, start, start + TOGETHER + 1))
    more = len(found) > TOGETHER and start + TOGETHER < MOST
    return {"records": [_cut(msgspec.to_builtins(record)) for record in found[:TOGETHER]], "more": more}


def _cut(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with texts that a page can show, and with what stands in them; `cut` says that there is more."""
    long = {key: value for key, value in record.items() if isinstance(value, str) and len(value) > _TEXT_CHARS}
    if not long:
        return record
    within = [one for one in record.get("entities", []) if all(end <= _TEXT_CHARS for _, end in one["spans"])]
    short = {key: value[:_TEXT_CHARS] for key, value in long.items()}
    return {**record, **short, "entities": within, "relations": [], "events": [], "cut": True}


def _types(corpus: Corpus) -> list[str]:
    kinds: tuple[Mapping[str, Any], ...] = (
        corpus.entity_types,
        corpus.relation_types,
        corpus.event_types,
        corpus.labels,
    )
    return [text for kind in kinds for one in kind.values() for text in (one.en, one.zh)]
