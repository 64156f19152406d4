"""GSM8K: word problems of grade-school mathematics, with their reasoning."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Source
from taiyi.formats import gsm8k

_RAW = "https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data"

CORPORA = (
    Corpus(
        name="gsm8k",
        title="GSM8K",
        langs=("en",),
        tasks=("qa_sqa",),
        domain="general",
        licence="MIT",
        access="open",
        homepage="https://github.com/openai/grade-school-math",
        citation="Cobbe et al. Training verifiers to solve math word problems. arXiv:2110.14168, 2021.",
        verified="real",
        files={
            "train": (Source(path="train.jsonl", read=gsm8k.read),),
            "test": (Source(path="test.jsonl", read=gsm8k.read),),
        },
        counts={"train": {"records": 7473, "questions": 7473}, "test": {"records": 1319, "questions": 1319}},
        sizes={"train": 7473, "test": 1319},
        unit="problems",
        downloads=(
            Download(url=f"{_RAW}/train.jsonl", path="train.jsonl"),
            Download(url=f"{_RAW}/test.jsonl", path="test.jsonl"),
        ),
        notes="The paper adds 7,473 of them as chain of thought. The answer is the number after ####; the reasoning "
        "before it, without the marks for a calculator (<<48/2=24>>), is the long answer.",
    ),
)
