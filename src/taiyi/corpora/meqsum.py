"""MeQSum: summaries of consumers' health questions."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import texts

_FILE = "MeQSum_ACL2019_BenAbacha_Demner-Fushman.xlsx"
_OPTIONS: dict[str, Any] = {
    "kind": "summary",
    "source_keys": ("CHQ",),
    "target_key": "Summary",
    "id_key": "File",
}

CORPORA = (
    Corpus(
        name="meqsum",
        title="MeQSum",
        langs=("en",),
        tasks=("summary",),
        licence="CC BY 4.0",
        access="open",
        homepage="https://github.com/abachaa/MeQSum",
        citation="Ben Abacha and Demner-Fushman. On the Summarization of Consumer Health Questions. ACL, 2019.",
        verified="real",
        files={"train": (Source(path=_FILE, read=texts.read, options=_OPTIONS),)},
        counts={"train": {"records": 1000}},
        sizes={"train": 1000},
        unit="questions",
        listed=Listed(lang="en", number=70, task="TT-ds", sizes={"train": 1000}),
        downloads=(Download(url=f"https://github.com/abachaa/MeQSum/raw/master/{_FILE}", path=_FILE),),
        notes="The summary of a question is a shorter question with the same answers. Subject and message of a "
        "question stand in one text, as in the sheet.",
    ),
)
