"""SciQ: science examination questions written by a crowd, with a right answer and three wrong ones."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import choice

_OPTIONS: dict[str, Any] = {
    "option_keys": ("correct_answer", "distractor1", "distractor2", "distractor3"),
    "answer_key": "correct_answer",
    "ordered": False,
    "context_key": "support",
}
_FOLDER = "SciQ dataset-2 3"

CORPORA = (
    Corpus(
        name="sciq",
        title="SciQ",
        langs=("en",),
        tasks=("qa_mc",),
        licence="CC-BY-NC-3.0",
        access="open",
        homepage="https://allenai.org/data/sciq",
        citation="Welbl et al. Crowdsourcing multiple choice science questions. Workshop on noisy user-generated text, "
        "2017.",
        verified="fixture",
        files={
            "train": (Source(path=f"{_FOLDER}/train.json", read=choice.read, options=_OPTIONS),),
            "dev": (Source(path=f"{_FOLDER}/valid.json", read=choice.read, options=_OPTIONS),),
            "test": (Source(path=f"{_FOLDER}/test.json", read=choice.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 11679}, "dev": {"records": 1000}, "test": {"records": 1000}},
        sizes={"train": 11679, "dev": 1000, "test": 1000},
        unit="questions",
        listed=Listed(
            lang="en", number=36, task="QA-multiple_choice", sizes={"train": 11679, "dev": 1000, "test": 1000}
        ),
        downloads=(Download(url="https://ai2-public-datasets.s3.amazonaws.com/sciq/SciQ.zip", unpack=True),),
        notes="Options are in the order of the alphabet, since the files give the right one apart from the wrong ones. "
        "The passage that supports the answer, where there is one, is the context.",
    ),
)
