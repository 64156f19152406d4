"""The Chinese textbooks of MedQA, as plain text."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import book

_FOLDER = "data_clean/textbooks/zh_paragraph"

CORPORA = (
    Corpus(
        name="medical_books_zh",
        title="MedQA's Chinese medical textbooks",
        langs=("zh",),
        tasks=("text",),
        licence="MIT (MedQA's repository; the books are their publishers')",
        access="open",
        homepage="https://github.com/jind11/MedQA",
        citation="Jin et al. What disease does this patient have? A large-scale open domain question answering "
        "dataset from medical exams. Applied Sciences, 2021.",
        verified="fixture",
        sizes={"train": 33},
        unit="books",
        listed=Listed(lang="zh", number=30, task="TC", sizes={"train": 33}),
        downloads=(
            Download(
                url="https://huggingface.co/datasets/bigbio/med_qa/resolve/main/data_clean.zip",
                unpack=True,
                members=(f"{_FOLDER}/*.txt",),
            ),
        ),
        # `all_books.txt` beside the books is all of them.
        files={"train": (Source(path=f"{_FOLDER}/[!a]*.txt", read=book.read),)},
        counts={"train": {"records": 33}},
        notes="The paper lists 33 books under text classification, but they have no labels: each is a document "
        "without annotations, to be trained on as plain text. zh_sentence has the same books cut into sentences, and "
        "all_books.txt all of them; neither is read.",
    ),
)
