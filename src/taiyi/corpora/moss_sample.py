"""The published sample of MOSS's supervised data: general dialogues, Chinese and English."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Source
from taiyi.formats import dialogue

_OPTIONS: dict[str, Any] = {"detect_lang": True, "id_from_file": True}

CORPORA = (
    Corpus(
        name="moss_sample",
        title="MOSS supervised fine-tuning data, sample",
        langs=("zh", "en"),
        tasks=("mrd",),
        domain="general",
        licence="CC-BY-NC-4.0",
        access="open",
        homepage="https://github.com/OpenMOSS/MOSS",
        citation="Sun et al. MOSS: an open conversational large language model. Machine Intelligence Research, 2024.",
        verified="real",
        files={"train": (Source(path="conversations/**/*.json", read=dialogue.read, options=_OPTIONS),)},
        counts={"train": {"records": 1120, "dialogues": 1120, "turns": 8546, "lang.zh": 656, "lang.en": 464}},
        notes="The language of a dialogue is the one that its user writes. What MOSS thought, its commands and the "
        "results of its tools are left out, and so are its marks.",
    ),
)
