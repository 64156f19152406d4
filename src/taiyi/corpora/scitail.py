"""SciTail: whether a sentence of the web entails a statement of school science."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pairs

_OPTIONS: dict[str, Any] = {
    "columns": ("premise", "hypothesis", "label"),
    "delimiter": "\t",
    "quoted": False,
    "first_key": "premise",
    "second_key": "hypothesis",
    "label_key": "label",
}
_FOLDER = "SciTailV1.1/tsv_format"

CORPORA = (
    Corpus(
        name="scitail",
        title="SciTail",
        langs=("en",),
        tasks=("tp_te",),
        licence="Apache-2.0",
        access="open",
        homepage="https://allenai.org/data/scitail",
        citation="Khot, Sabharwal and Clark. SciTail: A Textual Entailment Dataset from Science Question Answering. "
        "AAAI, 2018.",
        verified="fixture",
        files={
            "train": (Source(path=f"{_FOLDER}/scitail_1.0_train.tsv", read=pairs.read, options=_OPTIONS),),
            "dev": (Source(path=f"{_FOLDER}/scitail_1.0_dev.tsv", read=pairs.read, options=_OPTIONS),),
            "test": (Source(path=f"{_FOLDER}/scitail_1.0_test.tsv", read=pairs.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 23596}, "dev": {"records": 1304}, "test": {"records": 2126}},
        sizes={"train": 23596, "dev": 1304, "test": 2126},
        unit="pairs",
        listed=Listed(lang="en", number=68, task="TP-te", sizes={"train": 23596, "dev": 1304, "test": 2126}),
        downloads=(
            Download(
                url="https://ai2-public-datasets.s3.amazonaws.com/scitail/SciTailV1.1.zip",
                unpack=True,
                members=(f"{_FOLDER}/*",),
            ),
        ),
        labels={
            "entails": TypeName(
                en="entails", zh="蕴含", definition_en="Whoever takes the first text as true takes the second as true."
            ),
            "neutral": TypeName(en="neutral", zh="中立", definition_en="The first text does not support the second."),
        },
        notes="The first text is a sentence of the web, the second a statement made of a school examination's question "
        "and its answer: general science, not only medicine. Quotes in the files are part of the texts: readers that "
        "take them as marks of cells find only 23,097 pairs in train.",
    ),
)
