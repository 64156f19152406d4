"""PUBHEALTH: whether claims on public health are true."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import labelled

_LABELS = {
    "true": TypeName(en="true", zh="真实", definition_en="The claim is right."),
    "false": TypeName(en="false", zh="虚假", definition_en="The claim is wrong."),
    "mixture": TypeName(en="mixture", zh="真假参半", definition_en="Part of the claim is right and part is wrong."),
    "unproven": TypeName(en="unproven", zh="未经证实", definition_en="There is too little evidence to tell."),
}
_OPTIONS: dict[str, Any] = {
    "text_keys": ("claim", "explanation"),
    "id_key": "",
    "delimiter": "\t",
    "known": frozenset(_LABELS),
    "without_label": "no label",
}

CORPORA = (
    Corpus(
        name="pubhealth",
        title="PUBHEALTH",
        langs=("en",),
        tasks=("tc",),
        licence="MIT",
        access="open",
        homepage="https://github.com/neemakot/Health-Fact-Checking",
        citation="Kotonya and Toni. Explainable Automated Fact-Checking for Public Health Claims. EMNLP, 2020.",
        verified="fixture",
        files={
            "train": (Source(path="PUBHEALTH/train.tsv", read=labelled.read, options=_OPTIONS),),
            "dev": (Source(path="PUBHEALTH/dev.tsv", read=labelled.read, options=_OPTIONS),),
            "test": (Source(path="PUBHEALTH/test.tsv", read=labelled.read, options=_OPTIONS),),
        },
        sizes={"train": 9817, "dev": 1227, "test": 1235},
        unit="claims",
        listed=Listed(lang="en", number=54, task="TC", sizes={"train": 9804, "dev": 1223, "test": 1231}),
        downloads=(
            Download(
                url="https://drive.google.com/uc?export=download&id=1eTtRs5cUlBP5dXsx-FTAlmXuB6JQi2qj",
                unpack=True,
            ),
        ),
        labels=_LABELS,
        notes="The text is the claim and the journalists' explanation of the verdict, a line each; the article itself "
        "(main_text) is not read. The files were written with quotes around cells that need them, and a cell may hold "
        "line breaks. Rows that are cut short, or have no label or a stray one, are dropped: the authors count all, "
        "the list those with a label. Test has a further column without a name. Records are named by their row.",
    ),
)
