"""PromptCBLUE's JSON lines: prompts already written out from CBLUE's corpora, and the answers that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"input", "target", "task_dataset", ...}` as questions without context.

    The options of a choice stand in the prompt itself. `sample_id` repeats within and between files, so ids are
    `file.position`. An empty target is rejected.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        prompt, target = item.get("input"), item.get("target")
        if not isinstance(prompt, str) or not isinstance(target, str):
            yield Reject(where=where, reason=checked.MALFORMED, detail="input and target were expected")
            continue
        if not target.strip():
            yield Reject(where=where, reason="no answer", detail=checked.shown(item.get("sample_id")))
            continue
        yield checked.record(
            Question,
            where,
            id=f"{path.stem}.{index}",
            corpus=corpus,
            split=split,
            lang=lang,
            kind="simple",
            question=prompt,
            answers=(target,),
        )
