"""Pairs of clinical terms of the University of Minnesota and the Mayo Clinic: MayoSRS, MiniMayoSRS and UMNSRS."""

from __future__ import annotations

from typing import Any, Literal

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source
from taiyi.formats import pairs
from taiyi.schema import Scale

_WORDS: dict[str, Any] = {
    "columns": ("first", "second", "value"),
    "delimiter": "\t",
    "quoted": False,
    "value_key": "value",
}
_UMN = "https://conservancy.umn.edu/handle/11299/196265"
_UMN_FILES = "https://conservancy.umn.edu/bitstream/handle/11299/196265"
_MAYO: dict[str, Any] = {"first_key": "TERM1", "second_key": "TERM2"}
_UMNSRS: dict[str, Any] = {"first_key": "Term1", "second_key": "Term2", "value_key": "Mean"}
_UMNSRS_SHORT = {"similarity": "sim", "relatedness": "rel"}


def _umnsrs(
    name: str,
    measure: Literal["similarity", "relatedness"],
    *,
    size: int,
    listed: Listed | None = None,
    notes: str = "",
) -> Corpus:
    """Return the entry of one half of UMNSRS: the halves share most pairs, and grade different things of them."""
    own = f"UMNSRS_{measure}.csv"
    copy = f"UMNSRS/UMNSRS-{_UMNSRS_SHORT[measure]}.txt"
    return Corpus(
        name=name,
        title=f"UMNSRS-{measure.title()}",
        langs=("en",),
        tasks=("tp_ss",),
        licence="CC0 1.0",
        access="open",
        homepage=_UMN,
        citation="Pakhomov et al. Semantic Similarity and Relatedness between Clinical Terms: An Experimental Study. "
        "AMIA Annual Symposium, 2010.",
        verified="fixture",
        files={"train": (Source(path=own, read=pairs.read, options=_UMNSRS),)},
        copies=(
            Layout(
                name="wvlib",
                files={"train": (Source(path=copy, read=pairs.read, options=_WORDS),)},
                verified="real",
                counts={"train": {"records": size}},
                notes="Lower-cased terms and means between tabs, as bio-simverb's wvlib passes them on.",
            ),
        ),
        sizes={"train": size},
        unit="pairs",
        listed=listed,
        downloads=(Download(url=f"{_UMN_FILES}/{own}", path=own),),
        scale=Scale(measure=measure, lowest=0, highest=1600),
        notes=" ".join(
            (
                f"Pairs of clinical terms; the value is the mean of the marks that medical residents set for their "
                f"{measure} on a bar of 0 to 1,600 (Pakhomov et al., 2010).",
                "Similarity and relatedness of much the same pairs are two corpora here, umnsrs and "
                "umnsrs_relatedness.",
                notes,
            )
        ).strip(),
        folder="umnsrs",
    )


CORPORA = (
    Corpus(
        name="mayosrs",
        title="MayoSRS",
        langs=("en",),
        tasks=("tp_ss",),
        licence="CC0 1.0",
        access="open",
        homepage=_UMN,
        citation="Pakhomov et al. Towards a framework for developing semantic relatedness reference standards. Journal "
        "of Biomedical Informatics, 2011.",
        verified="fixture",
        files={
            "train": (Source(path="MayoSRS.csv", read=pairs.read, options=_MAYO | {"value_key": "Mean"}),),
        },
        counts={"train": {"records": 101}},
        copies=(
            Layout(
                name="wvlib",
                files={"train": (Source(path="MayoSRS/MayoSRS.txt", read=pairs.read, options=_WORDS),)},
                verified="real",
                counts={"train": {"records": 101}},
                notes="Lower-cased terms and means between tabs, as bio-simverb's wvlib passes them on.",
            ),
        ),
        sizes={"train": 101},
        unit="pairs",
        listed=Listed(lang="en", number=64, task="TP-ss", sizes={"train": 101}),
        downloads=(Download(url=f"{_UMN_FILES}/MayoSRS.csv", path="MayoSRS.csv"),),
        scale=Scale(measure="relatedness", lowest=1, highest=10),
        notes="Pairs of clinical terms; the value is the mean of nine coders' and three physicians' ratings of how "
        "related they are, 1 to 10 (Pakhomov et al., 2011).",
    ),
    Corpus(
        name="minimayosrs",
        title="MiniMayoSRS",
        langs=("en",),
        tasks=("tp_ss",),
        licence="CC0 1.0",
        access="open",
        homepage=_UMN,
        citation="Pedersen et al. Measures of semantic similarity and relatedness in the biomedical domain. Journal of "
        "Biomedical Informatics, 2007.",
        verified="fixture",
        files={
            "train": (
                Source(
                    path="MiniMayoSRS.csv", read=pairs.read, options=_MAYO | {"value_key": ("Physicians", "Coders")}
                ),
            ),
        },
        counts={"train": {"records": 29}},
        copies=(
            Layout(
                name="wvlib",
                files={"train": (Source(path="MayoSRS/MiniMayoSRS.txt", read=pairs.read, options=_WORDS),)},
                verified="real",
                counts={"train": {"records": 29}},
                notes="Lower-cased terms and means between tabs, as bio-simverb's wvlib passes them on.",
            ),
        ),
        sizes={"train": 29},
        unit="pairs",
        listed=Listed(lang="en", number=65, task="TP-ss", sizes={"train": 29}),
        downloads=(Download(url=f"{_UMN_FILES}/MiniMayoSRS.csv", path="MiniMayoSRS.csv"),),
        scale=Scale(measure="relatedness", lowest=1, highest=4),
        notes="Those pairs of MayoSRS on which raters agreed most; the value is the mean of what physicians and coders "
        "gave, 1 to 4 (Pedersen et al., 2007). The paper has 30 pairs, the file 29.",
    ),
    _umnsrs(
        "umnsrs",
        "similarity",
        size=566,
        listed=Listed(lang="en", number=67, task="TP-ss", sizes={"train": 566}),
        notes="It is this half of the reference standard that the paper's list counts.",
    ),
    _umnsrs("umnsrs_relatedness", "relatedness", size=587),
)
