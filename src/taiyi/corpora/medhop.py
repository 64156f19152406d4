"""MedHop: which drug interacts with another, to be inferred over several abstracts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import choice

_OPTIONS: dict[str, Any] = {
    "question_key": "query",
    "options_key": "candidates",
    "context_key": "supports",
    "named": "numbers",
}
_FOLDER = "qangaroo_v1.1/medhop"

CORPORA = (
    Corpus(
        name="medhop",
        title="MedHop (QAngaroo 1.1)",
        langs=("en",),
        tasks=("qa_mc",),
        licence="CC-BY-SA-3.0",
        access="open",
        homepage="http://qangaroo.cs.ucl.ac.uk/",
        citation="Welbl et al. Constructing datasets for multi-hop reading comprehension across documents. "
        "Transactions of the ACL, 2018.",
        verified="fixture",
        files={
            "train": (Source(path=f"{_FOLDER}/train.json", read=choice.read, options=_OPTIONS),),
            "dev": (Source(path=f"{_FOLDER}/dev.json", read=choice.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 1620}, "dev": {"records": 342}},
        sizes={"train": 1620, "dev": 342},
        unit="questions",
        listed=Listed(lang="en", number=35, task="QA-multiple_choice", sizes={"train": 1620, "dev": 342}),
        downloads=(
            Download(
                url="https://drive.google.com/uc?export=download&confirm=t&id=1ytVZ4AhubFDOEL7o7XrIRIyhU8g9wvKA",
                unpack=True,
                members=(f"{_FOLDER}/*",),
            ),
        ),
        notes="The files without masks. Questions and options are as in the files: a relation and a drug "
        "(interacts_with DB…?), drugs by their DrugBank ids; options are numbered. The answers to the test questions "
        "are not public.",
    ),
)
