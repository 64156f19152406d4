"""BenTsao's dialogues about liver cancer, written by a model from the medical literature."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import utterances

_OPTIONS: dict[str, Any] = {"questions": True}

CORPORA = (
    Corpus(
        name="bentsao_livercancer",
        title="BenTsao (HuaTuo) literature data: liver cancer",
        langs=("zh",),
        tasks=("qa_sqa", "mrd"),
        licence="Apache-2.0",
        access="open",
        homepage="https://github.com/SCIR-HI/Huatuo-Llama-Med-Chinese",
        citation="Wang et al. HuaTuo: tuning LLaMA model with Chinese medical knowledge. arXiv:2304.06975, 2023.",
        verified="real",
        sizes={"train": 1000},
        unit="dialogues",
        listed=Listed(lang="zh", number=21, task="QA-sqa", sizes={"train": 1000}),
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/SCIR-HI/Huatuo-Llama-Med-Chinese/main/data-literature/liver_cancer.json",
                path="liver_cancer.json",
            ),
        ),
        files={"train": (Source(path="liver_cancer.json", read=utterances.read_inline, options=_OPTIONS),)},
        counts={"train": {"records": 1000, "questions": 292, "dialogues": 708, "turns": 4036}},
        notes="The paper calls it BenTsao_livercacer and lists it under questions. What is said before the last reply "
        "stands in one text, with <user>: and <bot>: between: items of one question and one answer are questions, "
        "those of several turns dialogues. Records are named by position, for 789 items have no id and the ids of the "
        "others repeat. Answers are a model's, not a doctor's.",
    ),
)
