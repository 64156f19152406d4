"""MEDIQA 2019, task 3: consumers' health questions with answers found by a system and judged by people."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import mediqa_qa

_FOLDER = "MEDIQA_Task3_QA"
_RAW = f"https://raw.githubusercontent.com/abachaa/MEDIQA2019/master/{_FOLDER}"
_FILES = ("TrainingSet1-LiveQAMed", "TrainingSet2-Alexa", "ValidationSet", "TestSet-wLabels")
_LIVE, _ALEXA, _DEV, _TEST = (f"{_FOLDER}/MEDIQA2019-Task3-QA-{name}.xml" for name in _FILES)

CORPORA = (
    Corpus(
        name="mediqa_qa",
        title="MEDIQA 2019, question answering",
        langs=("en",),
        tasks=("qa_cqa",),
        licence="not stated",
        access="open",
        homepage="https://github.com/abachaa/MEDIQA2019",
        citation="Ben Abacha et al. Overview of the MEDIQA 2019 shared task on textual inference, question entailment "
        "and question answering. BioNLP workshop, 2019.",
        verified="real",
        files={
            "train": (
                Source(path=_LIVE, read=mediqa_qa.read, options={"id_prefix": "liveqa-"}),
                Source(path=_ALEXA, read=mediqa_qa.read, options={"id_prefix": "alexa-"}),
            ),
            "dev": (Source(path=_DEV, read=mediqa_qa.read),),
            "test": (Source(path=_TEST, read=mediqa_qa.read),),
        },
        counts={
            "train": {"records": 174, "questions": 174, "rejects.no answer is judged right": 34},
            "dev": {"records": 25, "questions": 25},
            "test": {"records": 150, "questions": 150},
        },
        sizes={"train": 208, "dev": 25, "test": 150},
        unit="questions",
        listed=Listed(lang="en", number=29, task="QA-cqa", sizes={"train": 208, "dev": 25, "test": 150}),
        downloads=tuple(
            Download(url=f"{_RAW}/{path.removeprefix(f'{_FOLDER}/')}", path=path)
            for path in (_LIVE, _ALEXA, _DEV, _TEST)
        ),
        notes="The contexts of a question are all answers that the system found, in its order; the answers are those "
        "that people judged right (score 3 or 4), the best first. Questions of which no answer is right, 34 in train, "
        "are rejected. Addresses of answers are left out. The first training file asks the 104 questions of the test "
        "of LiveQA.",
    ),
)
