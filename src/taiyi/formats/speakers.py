"""Who says what: the utterances of dialogues as texts, each labelled with the speaker that it begins with.

The format of the English dialogues that MedDialog's authors prepared for training (Zeng et al., 2020): an array of
`{"description": …, "utterances": ["patient: …", "doctor: …"]}`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Labelled, Lang, Record, Reject, Split

SPEAKER = "utterance without a known speaker"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    speakers: Collection[str],
) -> Iterator[Record | Reject]:
    """Read utterances as texts without their speakers; ids are positions from 0 of the dialogue and in it.

    Args:
        speakers: the names that an utterance may begin with, a colon behind them; they are the labels.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        utterances = item.get("utterances")
        if not isinstance(utterances, list):
            yield Reject(where=where, reason=checked.MALFORMED, detail="a list of utterances was expected")
            continue
        for turn, utterance in enumerate(cast("list[Any]", utterances)):
            if not isinstance(utterance, str):
                yield Reject(where=where, reason=checked.MALFORMED, detail=f"utterance {turn} is no text")
                continue
            speaker, found, text = utterance.strip().partition(":")
            if not found or speaker.strip() not in speakers:
                yield Reject(where=where, reason=SPEAKER, detail=f"utterance {turn}: {checked.shown(utterance)}")
                continue
            yield checked.record(
                Labelled,
                where,
                id=f"{index}_{turn}",
                corpus=corpus,
                split=split,
                lang=lang,
                text=text.strip(),
                labels=(speaker.strip(),),
            )
