"""PubMedQA: research questions answered yes, no or maybe by their abstracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source
from taiyi.catalogue.entry import Counts
from taiyi.formats import pubmedqa
from taiyi.schema import Split

_TEST_IDS = "test_ground_truth.json"
_OPTIONS: dict[str, Any] = {"official_split": True, "test_ids": _TEST_IDS}
_RAW = "https://raw.githubusercontent.com/pubmedqa/pubmedqa/master/data"
_COUNTS: Mapping[Split, Counts] = {
    "train": {"records": 450, "answers.yes": 249, "answers.no": 152, "answers.maybe": 49},
    "dev": {"records": 50, "answers.yes": 27, "answers.no": 17, "answers.maybe": 6},
    "test": {"records": 500, "answers.yes": 276, "answers.no": 169, "answers.maybe": 55},
}


def _sources(folder: str) -> tuple[Source, ...]:
    path, needs = f"{folder}ori_pqal.json", (f"{folder}{_TEST_IDS}",)
    return (Source(path=path, read=pubmedqa.read, options=_OPTIONS, needs=needs),)


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
        files={"train": _sources("data/"), "dev": _sources("data/"), "test": _sources("data/")},
        counts=_COUNTS,
        copies=(
            Layout(
                name="files_alone",
                files={"train": _sources(""), "dev": _sources(""), "test": _sources("")},
                verified="real",
                counts=_COUNTS,
                notes="The files without the folder that they stand in at their source.",
            ),
        ),
        sizes={"train": 450, "dev": 50, "test": 500},
        unit="questions",
        listed=Listed(lang="en", number=44, task="QA-yesno", sizes={"train": 450, "dev": 50, "test": 500}),
        downloads=(
            Download(url=f"{_RAW}/ori_pqal.json", path="data/ori_pqal.json"),
            Download(url=f"{_RAW}/{_TEST_IDS}", path=f"data/{_TEST_IDS}"),
        ),
        notes="Test is the official 500 (test_ground_truth.json). The other 500 are cut as the authors' "
        "split_dataset.py does with its seed: dev is the first of its ten folds, train the other nine. The artificial "
        "and the unlabelled part of PubMedQA (PQA-A, PQA-U) are not read, nor are year, MeSH terms, headings of the "
        "abstract's sections and the single annotators' answers.",
    ),
)
