"""BenTsao's instruction data: Chinese medical questions with answers written by a model from a knowledge graph."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import qa

CORPORA = (
    Corpus(
        name="bentsao_llamadata",
        title="BenTsao (HuaTuo) instruction data",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="Apache-2.0",
        access="open",
        homepage="https://github.com/SCIR-HI/Huatuo-Llama-Med-Chinese",
        citation="Wang et al. HuaTuo: tuning LLaMA model with Chinese medical knowledge. arXiv:2304.06975, 2023.",
        verified="real",
        sizes={"train": 8658},
        unit="questions",
        listed=Listed(lang="zh", number=20, task="QA-sqa", sizes={"train": 8658}),
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/SCIR-HI/Huatuo-Llama-Med-Chinese/main/data/llama_data.json",
                path="llama_data.json",
            ),
        ),
        files={"train": (Source(path="llama_data.json", read=qa.read, options=qa.ALPACA),)},
        counts={"train": {"records": 8658, "questions": 8658}},
        notes="The file is JSON lines despite its name. Seven questions are asked twice. Answers are a model's, not a "
        "doctor's.",
    ),
)
