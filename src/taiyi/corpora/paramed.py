"""ParaMed: sentences of the New England Journal of Medicine in Chinese and English."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import parallel
from taiyi.schema import Split

_FOLDER = "processed_data/open_access/open_access"


def _sources(split: Split) -> tuple[Source, ...]:
    target = f"nejm.{split}.en"
    options: dict[str, Any] = {"target": target, "target_lang": "en"}
    path = f"{_FOLDER}/nejm.{split}.zh"
    return (Source(path=path, read=parallel.read_lines, options=options, needs=(f"{_FOLDER}/{target}",)),)


CORPORA = (
    Corpus(
        name="paramed",
        title="ParaMed",
        langs=("zh",),
        tasks=("mt",),
        licence="CC BY 4.0",
        access="open",
        homepage="https://github.com/boxiangliu/ParaMed",
        citation="Liu and Huang. ParaMed: a parallel corpus for English–Chinese translation in the biomedical domain. "
        "BMC Medical Informatics and Decision Making, 2021.",
        verified="fixture",
        files={"train": _sources("train"), "dev": _sources("dev"), "test": _sources("test")},
        counts={"train": {"records": 62127}, "dev": {"records": 2036}, "test": {"records": 2102}},
        sizes={"train": 62127, "dev": 2036, "test": 2102},
        unit="sentence pairs",
        listed=Listed(lang="en", number=1, task="MT", sizes={"train": 62127, "dev": 2036, "test": 2102}),
        downloads=(
            Download(
                url="https://github.com/boxiangliu/ParaMed/raw/master/data/nejm-open-access.tar.gz",
                unpack=True,
            ),
        ),
        notes="The open part of the corpus, about 70% of its training sentences (the whole one, of some 93,000, is "
        "given to subscribers of the journal). Texts are as published: tokenised, with the case of the first word "
        "normalised. Records go from Chinese to English.",
    ),
)
