"""Medication QA: consumers' questions about drugs, with answers from trusted sources."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import qa

_FILE = "MedInfo2019-QA-Medications.xlsx"
_OPTIONS: dict[str, Any] = {"question_keys": ("Question",), "answer_key": "Answer"}

CORPORA = (
    Corpus(
        name="medication_qa",
        title="Medication QA (MedInfo 2019)",
        langs=("en",),
        tasks=("qa_sqa",),
        licence="not stated",
        access="open",
        homepage="https://github.com/abachaa/Medication_QA_MedInfo2019",
        citation="Ben Abacha et al. Bridging the gap between consumers' medication questions and trusted answers. "
        "MEDINFO, 2019.",
        verified="real",
        files={"train": (Source(path=_FILE, read=qa.read, options=_OPTIONS),)},
        counts={"train": {"records": 690, "questions": 690}},
        sizes={"train": 690},
        unit="question-answer pairs",
        listed=Listed(lang="en", number=39, task="QA-sqa", sizes={"train": 690}),
        downloads=(
            Download(
                url=f"https://raw.githubusercontent.com/abachaa/Medication_QA_MedInfo2019/master/{_FILE}", path=_FILE
            ),
        ),
        notes="The corpus has no split; all of it is train here, as in the paper's list. Its paper speaks of 674 "
        "pairs, the file holds 690. Focus, type and source of the answers are left out.",
    ),
)
