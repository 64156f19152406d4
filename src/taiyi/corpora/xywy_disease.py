"""Diseases of the encyclopaedia of xywy.com, as a knowledge graph's project collected them, read as dialogues."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source
from taiyi.formats import xywy

_FORM = (
    "The file has attributes of diseases (what it is, its causes, symptoms, drugs, ...), not questions. A dialogue a "
    "disease asks for one attribute after another in wordings of ours. An attribute that is empty or missing is not "
    "asked for; category, drug_detail (brands) and the id of the database are left out. "
)
_CITATION = "Liu. QASystemOnMedicalKG. GitHub, 2018 (the data); Bai. chatbot-base-on-Knowledge-Graph. GitHub, 2018."
_HOMEPAGE = "https://github.com/baiyang2464/chatbot-base-on-Knowledge-Graph/tree/master/data"

CORPORA = (
    Corpus(
        name="xywy_disease",
        title="Diseases of xywy.com",
        langs=("zh",),
        tasks=("mrd",),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 8808},
        unit="diseases",
        listed=Listed(lang="zh", number=4, task="MRD", sizes={"train": 8808}),
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/liuhuanyong/QASystemOnMedicalKG/master/data/medical.json",
                path="medical.json",
            ),
        ),
        files={"train": (Source(path="medical.json", read=xywy.read),)},
        counts={"train": {"records": 8808, "dialogues": 8808}},
        notes=f"{_FORM}The whole file is that of the project that the listed one builds on.",
    ),
    Corpus(
        name="xywy_disease_subset",
        title="Diseases of xywy.com, subset of 100",
        langs=("zh",),
        tasks=("mrd",),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="real",
        sizes={"train": 100},
        unit="diseases",
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/baiyang2464/chatbot-base-on-Knowledge-Graph/master/data/medical2.json.bak",
                path="medical2.json.bak",
            ),
        ),
        files={"train": (Source(path="medical2.json.bak", read=xywy.read),)},
        counts={"train": {"records": 100, "dialogues": 100, "turns": 3804}},
        copies=(
            Layout(
                name="utf8",
                files={"train": (Source(path="medical2.json", read=xywy.read),)},
                verified="real",
                counts={"train": {"records": 20, "dialogues": 20, "turns": 746}},
                notes="The first 20 of the diseases.",
            ),
        ),
        notes=f"{_FORM}The file of 100 diseases is in GB18030, that of 20 of them in UTF-8; both are told by content.",
    ),
)
