"""BELLE's school mathematics: Chinese word problems solved step by step by a model."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Source
from taiyi.formats import qa

_FILE = "school_math_0.25M.json"
_OPTIONS: dict[str, Any] = {**qa.ALPACA, "without_answer": "no answer"}

CORPORA = (
    Corpus(
        name="belle_cot",
        title="BELLE chain of thought (School Math 0.25M)",
        langs=("zh",),
        tasks=("qa_sqa",),
        domain="general",
        licence="GPL-3.0",
        access="open",
        homepage="https://huggingface.co/datasets/BelleGroup/school_math_0.25M",
        citation="Ji et al. BELLE: be everyone's large language model engine. "
        "https://github.com/LianjiaTech/BELLE, 2023.",
        verified="fixture",
        files={"train": (Source(path=_FILE, read=qa.read, options=_OPTIONS),)},
        sizes={"train": 248481},
        unit="problems",
        downloads=(
            Download(
                url=f"https://huggingface.co/datasets/BelleGroup/school_math_0.25M/resolve/main/{_FILE}", path=_FILE
            ),
        ),
        notes="The paper adds 50,000 instances that it calls belle_COT_cn, and does not say of which file of BELLE; "
        "this is the one whose answers are reasoning. The answer is the solution with its steps, which a model wrote "
        "and nobody checked. The file is JSON lines despite its name.",
    ),
)
