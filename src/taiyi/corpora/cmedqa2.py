"""cMedQA2: Chinese medical questions of a community with answers of doctors, and wrong candidates."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import cmedqa
from taiyi.schema import SPLITS

_RAW = "https://raw.githubusercontent.com/zhangsheng93/cMedQA2/master/"
_TABLES = ("question.csv", "answer.csv")

CORPORA = (
    Corpus(
        name="cmedqa2",
        title="cMedQA2: Chinese community medical question answering",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="GPL-3.0 (the page adds: for non-commercial research)",
        access="open",
        homepage="https://github.com/zhangsheng93/cMedQA2",
        citation="Zhang et al. Multi-scale attentive interaction networks for Chinese medical question answer "
        "selection. IEEE Access, 2018.",
        verified="fixture",
        sizes={"train": 100000, "dev": 4000, "test": 4000},
        unit="questions",
        listed=Listed(lang="zh", number=15, task="QA-sqa", sizes={"train": 100000, "dev": 4000, "test": 4000}),
        downloads=tuple(
            Download(url=f"{_RAW}{name}.zip", unpack=True)
            for name in ("question", "answer", *(f"{split}_candidates" for split in SPLITS))
        ),
        files={split: (Source(path=f"{split}_candidates.txt", read=cmedqa.read, needs=_TABLES),) for split in SPLITS},
        counts={
            "train": {"records": 100000, "questions": 100000},
            "dev": {"records": 4000, "questions": 4000},
            "test": {"records": 4000, "questions": 4000},
        },
        notes="A question has all of its right answers (188,490, 7,527 and 7,552 in all). Wrong candidates, 100 or so "
        "a question, were drawn at random for a ranker and are not read. The authors' page names the tables "
        "questions.csv and answers.csv; the files in the archives are question.csv and answer.csv.",
    ),
)
