"""ChatDoctor's training data: patients' questions of two sites, with answers of doctors and of models."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import qa

_CITATION = (
    "Li et al. ChatDoctor: a medical chat model fine-tuned on a large language model meta-AI (LLaMA) using medical "
    "domain knowledge. Cureus, 2023."
)
_LICENCE = "not stated (the repository with the code is Apache-2.0; the authors allow academic research only)"
_HOMEPAGE = "https://github.com/Kent0n-Li/ChatDoctor"
_DRIVE = "https://drive.google.com/uc?export=download&confirm=t&id="
_ANSWERS = ("icliniq", "chatgpt", "chatdoctor")


def _options(answers: str) -> dict[str, Any]:
    return {
        "question_keys": ("input",),
        "answer_key": f"answer_{answers}",
        "id_prefix": f"{answers}-",
        "without_answer": "no answer",
    }


CORPORA = (
    Corpus(
        name="icliniq_10k",
        title="iCliniq-10k (ChatDoctor)",
        langs=("en",),
        tasks=("qa_sqa",),
        licence=_LICENCE,
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        files={"train": tuple(Source(path="iCliniq.json", read=qa.read, options=_options(name)) for name in _ANSWERS)},
        sizes={"train": 21963},
        unit="question-answer pairs",
        listed=Listed(lang="en", number=41, task="QA-sqa", sizes={"train": 21963}),
        downloads=(Download(url=f"{_DRIVE}1ZKbqgYqWc7DJHs3N9TQYQVPdDQmZaClA", path="iCliniq.json"),),
        notes="7,321 questions, each with three answers, which are three records, as the paper counts them: of a "
        "doctor (`icliniq-…`), of ChatGPT (`chatgpt-…`) and of ChatDoctor (`chatdoctor-…`). Only the first are written "
        "by people. The paper's list gives the address of HealthCareMagic-100k; the one here is that of the authors.",
    ),
    Corpus(
        name="healthcaremagic_100k",
        title="HealthCareMagic-100k (ChatDoctor)",
        langs=("en",),
        tasks=("qa_sqa",),
        licence=_LICENCE,
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        files={
            "train": (
                Source(
                    path="HealthCareMagic-100k.json",
                    read=qa.read,
                    options={"question_keys": ("input",), "answer_key": "output", "without_answer": "no answer"},
                ),
            )
        },
        sizes={"train": 112165},
        unit="question-answer pairs",
        listed=Listed(lang="en", number=42, task="QA-sqa", sizes={"train": 112164}),
        downloads=(Download(url=f"{_DRIVE}1lyfqIwlLSClhgrCutWuEe_IACNq6XNUt", path="HealthCareMagic-100k.json"),),
        notes="The `instruction`, the same one everywhere, is left out. The paper's list has one pair less.",
    ),
)
