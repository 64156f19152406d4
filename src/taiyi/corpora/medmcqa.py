"""MedMCQA: multiple-choice questions of entrance examinations of medical colleges in India."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import choice

_OPTIONS: dict[str, Any] = {
    "option_keys": ("opa", "opb", "opc", "opd"),
    "answer_key": "cop",
    "answer_is": "number",
    "long_answer_key": "exp",
    "without_answer": "no answer",
}

CORPORA = (
    Corpus(
        name="medmcqa",
        title="MedMCQA",
        langs=("en",),
        tasks=("qa_mc",),
        licence="MIT",
        access="open",
        homepage="https://medmcqa.github.io/",
        citation="Pal et al. MedMCQA: a large-scale multi-subject multi-choice dataset for medical domain question "
        "answering. CHIL, 2022.",
        verified="real",
        files={
            "train": (Source(path="train.json", read=choice.read, options=_OPTIONS),),
            "dev": (Source(path="dev.json", read=choice.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 182822}, "dev": {"records": 4183, "questions": 4183}},
        sizes={"train": 182822, "dev": 4183, "test": 6150},
        unit="questions",
        listed=Listed(lang="en", number=37, task="QA-multiple_choice", sizes={"train": 70735, "dev": 4183}),
        downloads=(
            Download(
                url="https://drive.google.com/uc?export=download&confirm=t&id=15VkJdq5eyWIkfb_aoD3oS8i4tScbHYky",
                unpack=True,
            ),
        ),
        notes="Dev was checked on the real file; train was not there. The answers to the 6,150 test questions are not "
        "public. The paper's list has 70,735 questions in train, the authors have 182,822. `choice_type` says of a "
        "third of the questions that several options are right, but one is given, and that one is the answer. The "
        "explanation is the long answer; subject and topic are not read.",
    ),
)
