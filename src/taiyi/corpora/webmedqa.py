"""webMedQA: Chinese questions of health sites, with the adopted answer and wrong ones."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import webmedqa

_REPOSITORY = "hejunqing/webMedQA"

CORPORA = (
    Corpus(
        name="webmedqa",
        title="webMedQA: Chinese medical questions from the web",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="Apache-2.0",
        access="open",
        homepage="https://github.com/hejunqing/webMedQA",
        citation="He et al. Applying deep matching networks to Chinese medical question answering: a study and a "
        "dataset. BMC Medical Informatics and Decision Making, 2019.",
        verified="fixture",
        sizes={"train": 50610, "dev": 6337, "test": 6337},
        unit="questions",
        listed=Listed(lang="zh", number=23, task="QA-sqa", sizes={"train": 252850, "dev": 31605, "test": 31655}),
        downloads=(
            Download(
                url=f"https://media.githubusercontent.com/media/{_REPOSITORY}/master/train.zip",
                sha256="601a21b9769356f04ae43b88eec7e4f77ea9d2fa75204c046171b18426846892",
                unpack=True,
                members=("medQA.train.txt",),
            ),
            Download(
                url=f"https://raw.githubusercontent.com/{_REPOSITORY}/master/valid.zip",
                unpack=True,
                members=("medQA.valid.txt",),
            ),
            Download(
                url=f"https://raw.githubusercontent.com/{_REPOSITORY}/master/test.zip",
                unpack=True,
                members=("medQA.test.txt",),
            ),
        ),
        files={
            "train": (Source(path="medQA.train.txt", read=webmedqa.read),),
            "dev": (Source(path="medQA.valid.txt", read=webmedqa.read),),
            "test": (Source(path="medQA.test.txt", read=webmedqa.read),),
        },
        counts={
            "train": {"records": 50610, "questions": 50610},
            "dev": {"records": 6337, "questions": 6337},
            "test": {"records": 6337, "questions": 6337},
        },
        notes="Each question has one right answer and four that were drawn at random, which are not read, nor is the "
        "department. The paper's list counts pairs of question and answer, and nearly as many as there should be: "
        "five a question are 253,050, 31,685 and 31,685 (the authors' page misprints the second as 21,685).",
    ),
)
