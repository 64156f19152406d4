"""Multi-XScience: paragraphs of related work from the abstracts of a paper and of those that it cites."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import related_work

CORPORA = (
    Corpus(
        name="multi_xscience",
        title="Multi-XScience",
        langs=("en",),
        tasks=("summary",),
        licence="MIT",
        access="open",
        homepage="https://github.com/yaolu/Multi-XScience",
        citation="Lu, Dong and Charlin. Multi-XScience: A Large-scale Dataset for Extreme Multi-document Summarization "
        "of Scientific Articles. EMNLP, 2020.",
        verified="fixture",
        files={
            "train": (Source(path="data/train.json", read=related_work.read),),
            "dev": (Source(path="data/val.json", read=related_work.read),),
            "test": (Source(path="data/test.json", read=related_work.read),),
        },
        counts={"train": {"records": 30369}, "dev": {"records": 5066}, "test": {"records": 5093}},
        sizes={"train": 30369, "dev": 5066, "test": 5093},
        unit="paragraphs",
        listed=Listed(lang="en", number=71, task="TT-ds", sizes={"train": 30369, "dev": 5066, "test": 5093}),
        downloads=tuple(
            Download(
                url=f"https://raw.githubusercontent.com/yaolu/Multi-XScience/master/data/{name}.json.gz",
                path="data",
                unpack=True,
            )
            for name in ("train", "val", "test")
        ),
        notes="Papers of arXiv, not of medicine. The files are published compressed (.json.gz) and read when unpacked. "
        "The summary is the paragraph of related work, in which @cite_N stands for a cited paper; the source is the "
        "paper's abstract and, after their marks, those of the papers cited. (BigBio's loader pairs the abstract with "
        "the cited ones and leaves the paragraph out.)",
    ),
)
