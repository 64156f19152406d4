"""PubMedQA: research questions answered yes, no or maybe by their abstracts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Source
from taiyi.formats import pubmedqa

_TEST_IDS = "test_ground_truth.json"
_OPTIONS: dict[str, Any] = {"official_split": True, "test_ids": _TEST_IDS}
_SOURCES = (Source(path="ori_pqal.json", read=pubmedqa.read, options=_OPTIONS, needs=(_TEST_IDS,)),)

CORPORA = (
    Corpus(
        name="pubmed_qa",
        title="PubMedQA, labelled by experts (PQA-L)",
        langs=("en",),
        tasks=("qa_yesno",),
        licence="MIT",
        access="open",
        homepage="https://pubmedqa.github.io/",
        citation="Jin et al. PubMedQA: a dataset for biomedical research question answering. EMNLP-IJCNLP, 2019.",
        verified="real",
        files={"train": _SOURCES, "dev": _SOURCES, "test": _SOURCES},
        counts={
            "train": {"records": 450, "answers.yes": 249, "answers.no": 152, "answers.maybe": 49},
            "dev": {"records": 50, "answers.yes": 27, "answers.no": 17, "answers.maybe": 6},
            "test": {"records": 500, "answers.yes": 276, "answers.no": 169, "answers.maybe": 55},
        },
        notes="Test is the official 500 (test_ground_truth.json). The other 500 are cut as the authors' "
        "split_dataset.py does with its seed: dev is the first of its ten folds, train the other nine.",
    ),
)
