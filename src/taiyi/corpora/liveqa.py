"""TREC 2017 LiveQA, medical task: questions that consumers sent to the National Library of Medicine."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import liveqa

# The training files were taken off the newest version of the repository.
_RAW = "https://raw.githubusercontent.com/abachaa/LiveQA_MedicalTask_TREC2017"
_TRAIN = tuple(f"TrainingDatasets/TREC-2017-LiveQA-Medical-Train-{number}.xml" for number in (1, 2))
_TEST = "TestDataset/TREC-2017-LiveQA-Medical-Test.xml"

CORPORA = (
    Corpus(
        name="liveqa",
        title="TREC 2017 LiveQA, medical task",
        langs=("en",),
        tasks=("qa_sqa",),
        licence="not stated",
        access="open",
        homepage="https://github.com/abachaa/LiveQA_MedicalTask_TREC2017",
        citation="Ben Abacha et al. Overview of the medical question answering task at TREC 2017 LiveQA. TREC, 2017.",
        verified="real",
        files={
            "train": tuple(Source(path=path, read=liveqa.read) for path in _TRAIN),
            "test": (Source(path=_TEST, read=liveqa.read),),
        },
        counts={
            "train": {"records": 446, "questions": 446, "documents": 199},
            "test": {"records": 104, "questions": 104, "documents": 104},
        },
        sizes={"train": 446, "test": 104},
        unit="questions",
        listed=Listed(lang="en", number=38, task="QA-sqa", sizes={"train": 446, "test": 104}),
        downloads=(
            *(Download(url=f"{_RAW}/74d361222a641703edd9874211cd84081bf1b042/{path}", path=path) for path in _TRAIN),
            Download(url=f"{_RAW}/master/{_TEST}", path=_TEST),
        ),
        notes="A record is a question with its answers: in train those to each of its sub-questions (388 in the first "
        "file, one a question in the second), in test the reference answers. Line breaks within texts, which are those "
        "of the XML, become spaces. Paraphrases, summaries and annotations of the questions are left out. Twelve "
        "questions of the second training file are questions of the test.",
    ),
)
