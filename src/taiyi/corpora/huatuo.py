"""Huatuo-26M: Chinese medical questions of three origins; and the instruction data of HuatuoGPT."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import utterances, wordings
from taiyi.schema import Split

_CITATION = "Li et al. Huatuo-26M, a large-scale Chinese medical QA dataset. arXiv:2305.01526, 2023."
_HUB = "https://huggingface.co/datasets/FreedomIntelligence/"
_FILES: dict[Split, str] = {
    "train": "train_datasets.jsonl",
    "dev": "validation_datasets.jsonl",
    "test": "test_datasets.jsonl",
}
_SPEAKERS: dict[str, Any] = {
    "key": "data",
    "marks": {"问：": "user", "答：": "assistant", "问:": "user", "答:": "assistant"},
    "questions": True,
}


def _downloads(name: str, *files: str) -> tuple[Download, ...]:
    return tuple(Download(url=f"{_HUB}{name}/resolve/main/{file}", path=file) for file in files)


def _sources() -> dict[Split, tuple[Source, ...]]:
    return {split: (Source(path=file, read=wordings.read),) for split, file in _FILES.items()}


CORPORA = (
    Corpus(
        name="huatuo_encyclopedia_qa",
        title="Huatuo-26M: questions from a medical encyclopaedia",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="Apache-2.0",
        access="open",
        homepage=f"{_HUB}huatuo_encyclopedia_qa",
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 362420, "dev": 1000, "test": 1000},
        unit="answers",
        listed=Listed(lang="zh", number=16, task="QA-sqa", sizes={"train": 362000, "dev": 1000, "test": 1000}),
        downloads=_downloads("huatuo_encyclopedia_qa", *_FILES.values()),
        files=_sources(),
        notes="An item has one question in several wordings, a list in a list; each different wording is a record, "
        "so there are more records than items. The paper's list rounds the size.",
    ),
    Corpus(
        name="huatuo_knowledge_graph_qa",
        title="Huatuo-26M: questions from medical knowledge graphs",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="Apache-2.0",
        access="open",
        homepage=f"{_HUB}huatuo_knowledge_graph_qa",
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 796444, "dev": 1000, "test": 1000},
        unit="answers",
        listed=Listed(lang="zh", number=17, task="QA-sqa", sizes={"train": 796000, "dev": 1000, "test": 1000}),
        downloads=_downloads("huatuo_knowledge_graph_qa", *_FILES.values()),
        files=_sources(),
        notes="Questions were made from triples by templates, and answers list the names of the graph. The paper's "
        "list rounds the size.",
    ),
    Corpus(
        name="huatuo_consultation_qa",
        title="Huatuo-26M: questions from online consultations",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="Apache-2.0",
        access="open",
        homepage=f"{_HUB}huatuo_consultation_qa",
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 25341578, "dev": 1000, "test": 1000},
        unit="answers",
        listed=Listed(lang="zh", number=18, task="QA-sqa", sizes={"train": 25341578, "dev": 1000, "test": 1000}),
        downloads=_downloads("huatuo_consultation_qa", *_FILES.values()),
        files=_sources(),
        notes="The answers that are published are addresses of the pages on which the real ones stand, for the "
        "authors may not pass on the text. They are read as they are: nothing is to be learned from them before they "
        "are replaced by the text of the pages.",
    ),
    Corpus(
        name="huatuogpt_sft_data_v1",
        title="HuatuoGPT supervised fine-tuning data, version 1",
        langs=("zh",),
        tasks=("qa_sqa", "mrd"),
        licence="Apache-2.0",
        access="open",
        homepage=f"{_HUB}HuatuoGPT-sft-data-v1",
        citation="Zhang et al. HuatuoGPT, towards taming language model to be a doctor. Findings of EMNLP, 2023.",
        verified="fixture",
        sizes={"train": 226042},
        unit="dialogues",
        listed=Listed(lang="zh", number=22, task="QA-sqa", sizes={"train": 226042}),
        downloads=_downloads("HuatuoGPT-sft-data-v1", "HuatuoGPT_sft_data_v1.jsonl"),
        files={"train": (Source(path="HuatuoGPT_sft_data_v1.jsonl", read=utterances.read, options=_SPEAKERS),)},
        notes="An item is a list of utterances that begin with 问： and 答：. Those of one question and one answer "
        "are questions, those of more are dialogues. Answers are partly a model's.",
    ),
)
