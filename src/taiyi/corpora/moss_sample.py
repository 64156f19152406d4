"""MOSS's supervised data, general dialogues in Chinese and English: all of it, and the sample in its repository."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Source
from taiyi.formats import dialogue

_CITATION = "Sun et al. MOSS: an open conversational large language model. Machine Intelligence Research, 2024."
_NOTES = (
    "The language of a dialogue is the one that its user writes. What MOSS is told of itself (meta_instruction), what "
    "it thought, its commands and the results of its tools are left out, and so are its marks."
)
_OPTIONS: dict[str, Any] = {"detect_lang": True, "id_from_file": True}
_WITH_TOOLS = (
    "conversations_with_tools_with_inner_instruction_no_text2image_train_all_random_meta0.5_0.1_0.01_moss_0709.jsonl"
)
_HUB = "https://huggingface.co/datasets/fnlp/moss-003-sft-data/resolve/main"

CORPORA = (
    Corpus(
        name="moss",
        title="MOSS supervised fine-tuning data (moss-003-sft-data)",
        langs=("zh", "en"),
        tasks=("mrd",),
        domain="general",
        licence="CC BY 4.0 on its page, CC BY-NC 4.0 in MOSS's repository",
        access="open",
        homepage="https://huggingface.co/datasets/fnlp/moss-003-sft-data",
        citation=_CITATION,
        verified="fixture",
        files={
            "train": (
                Source(
                    path="moss-003-sft-no-tools.jsonl",
                    read=dialogue.read,
                    options={"detect_lang": True, "id_prefix": "no_tools-"},
                ),
                Source(path=_WITH_TOOLS, read=dialogue.read, options={"detect_lang": True, "id_prefix": "with_tools-"}),
            )
        },
        sizes={"train": 1074551},
        unit="dialogues without tools",
        downloads=(
            Download(url=f"{_HUB}/moss-003-sft-no-tools.jsonl.zip", unpack=True),
            Download(url=f"{_HUB}/moss-003-sft-with-tools-no-text2image.zip", unpack=True),
        ),
        notes=f"{_NOTES} The size is that of the dialogues without tools; those with tools are about 300,000 more. Ids "
        "are positions in the file.",
    ),
    Corpus(
        name="moss_sample",
        title="MOSS supervised fine-tuning data, sample",
        langs=("zh", "en"),
        tasks=("mrd",),
        domain="general",
        licence="CC-BY-NC-4.0",
        access="open",
        homepage="https://github.com/OpenMOSS/MOSS",
        citation=_CITATION,
        verified="real",
        files={"train": (Source(path="conversations/**/*.json", read=dialogue.read, options=_OPTIONS),)},
        counts={"train": {"records": 1120, "dialogues": 1120, "turns": 8546, "lang.zh": 656, "lang.en": 464}},
        sizes={"train": 1120},
        unit="dialogues",
        downloads=(
            Download(
                url="https://github.com/OpenMOSS/MOSS/archive/refs/heads/main.zip",
                unpack=True,
                strip=2,
                members=("*/SFT_data/conversations/*",),
            ),
        ),
        notes=_NOTES,
    ),
)
