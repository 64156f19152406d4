"""GAD: sentences with a gene and a disease, and whether they state an association."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import labelled

_NAMES = {"0": "negative", "1": "positive"}
# BLURB's dev set is the end of the training set of the first fold.
_TRAIN_SIZE = 4261
_TRAIN: dict[str, Any] = {
    "columns": ("sentence", "label"),
    "delimiter": "\t",
    "quoted": False,
    "text_keys": ("sentence",),
    "names": _NAMES,
}
_TEST: dict[str, Any] = {
    "delimiter": "\t",
    "quoted": False,
    "text_keys": ("sentence",),
    "id_key": "index",
    "names": _NAMES,
}
_ROWS: dict[str, Any] = {"label_key": "relation.0.relation_type"}

CORPORA = (
    Corpus(
        name="gad",
        title="Gene Associations Database corpus",
        langs=("en",),
        tasks=("tc",),
        licence="CC BY 4.0",
        access="open",
        homepage="https://github.com/dmis-lab/biobert",
        citation="Bravo et al. Extraction of relations between genes and diseases from text and large-scale data "
        "analysis: implications for translational research. BMC Bioinformatics, 2015.",
        verified="fixture",
        files={
            "train": (Source(path="GAD/1/train.tsv", read=labelled.read, options=_TRAIN | {"part": (0, _TRAIN_SIZE)}),),
            "dev": (
                Source(path="GAD/1/train.tsv", read=labelled.read, options=_TRAIN | {"part": (_TRAIN_SIZE, None)}),
            ),
            "test": (Source(path="GAD/1/test.tsv", read=labelled.read, options=_TEST),),
        },
        counts={"train": {"records": 4261}, "dev": {"records": 535}, "test": {"records": 534}},
        sizes={"train": 4261, "dev": 535, "test": 534},
        unit="sentences",
        listed=Listed(lang="en", number=51, task="TC", sizes={"train": 4261}),
        copies=(
            Layout(
                name="blurb_rows",
                files={
                    "train": (Source(path="train_0.json", read=labelled.read, options=_ROWS),),
                    "dev": (Source(path="dev_0.json", read=labelled.read, options=_ROWS),),
                    "test": (Source(path="test_0.json", read=labelled.read, options=_ROWS),),
                },
                verified="real",
                counts={
                    "dev": {"records": 535, "labels.positive": 293, "labels.negative": 242},
                    "test": {"records": 534, "labels.positive": 281, "labels.negative": 253},
                },
                notes="BLURB's split with marked entities, as PPI-Relation-Extraction passes it on (a JSON object a "
                "line); checked on dev and test.",
            ),
        ),
        downloads=(
            Download(
                url="https://drive.google.com/uc?export=download&id=1-jDKGcXREb2X9xTFnuiJ36PvsqoyHWcw",
                unpack=True,
                members=("GAD/*",),
            ),
        ),
        labels={
            "positive": TypeName(
                en="associated",
                zh="有关联",
                definition_en="The sentence states that the gene is associated with the disease.",
            ),
            "negative": TypeName(
                en="not associated",
                zh="无关联",
                definition_en="The sentence states no association, or that there is none.",
            ),
        },
        notes="Sentences of abstracts in which the gene and the disease are masked as @GENE$ and @DISEASE$; the labels "
        "were drawn from the Genetic Association Database, not annotated. BioBERT's authors publish ten folds of 4,796 "
        "and 534 sentences; the first one is split as BLURB does: the first 4,261 lines of its training file are "
        "train, the 535 after them dev. The list gives train only.",
    ),
)
