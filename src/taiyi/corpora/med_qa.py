"""MedQA: multiple-choice questions of medical licensing examinations in the United States and in mainland China."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Source
from taiyi.formats import medqa

_CITATION = (
    "Jin et al. What disease does this patient have? A large-scale open domain question answering dataset from medical "
    "exams. Applied Sciences, 2021."
)

CORPORA = (
    Corpus(
        name="med_qa_us",
        title="MedQA, United States, four options",
        langs=("en",),
        tasks=("qa_mc",),
        licence="MIT",
        access="open",
        homepage="https://github.com/jind11/MedQA",
        citation=_CITATION,
        verified="real",
        folder="med_qa",
        files={
            "dev": (Source(path="US/4_options/phrases_no_exclude_dev.jsonl", read=medqa.read),),
            "test": (Source(path="US/4_options/phrases_no_exclude_test.jsonl", read=medqa.read),),
        },
        counts={"dev": {"records": 1272, "questions": 1272}, "test": {"records": 1273, "questions": 1273}},
        notes="Train (10,178) is not here.",
    ),
    Corpus(
        name="med_qa_mainland",
        title="MedQA, mainland China, four options",
        langs=("zh",),
        tasks=("qa_mc",),
        licence="MIT",
        access="open",
        homepage="https://github.com/jind11/MedQA",
        citation=_CITATION,
        verified="real",
        folder="med_qa",
        files={
            "dev": (Source(path="Mainland/4_options/dev.jsonl", read=medqa.read),),
            "test": (Source(path="Mainland/4_options/test.jsonl", read=medqa.read),),
        },
        counts={"dev": {"records": 3425, "questions": 3425}, "test": {"records": 3426, "questions": 3426}},
        notes="Train (27,400) is not here. Dev and test share 68 questions, and repeat some within.",
    ),
)
