"""BC5CDR: chemicals, diseases and chemical-induced diseases in PubMed abstracts."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Counts, Download, Layout, Listed, Source, TypeName
from taiyi.formats import bioc, pubtator
from taiyi.schema import Split

_OPTIONS = {"roles": {"CID": ("Chemical", "Disease")}}

_COUNTS: dict[Split, Counts] = {
    "train": {
        "records": 500,
        "entities": 9385,
        "entities.Chemical": 5203,
        "entities.Disease": 4182,
        "relations": 1038,
        "relations.CID": 1038,
    },
    "dev": {
        "records": 500,
        "entities": 9591,
        "entities.Chemical": 5347,
        "entities.Disease": 4244,
        "relations": 1012,
        "relations.CID": 1012,
    },
    "test": {
        "records": 500,
        "entities": 9809,
        "entities.Chemical": 5385,
        "entities.Disease": 4424,
        "relations": 1066,
        "relations.CID": 1066,
    },
}
_PARTS = "rejects.part of a composite mention"

CORPORA = (
    Corpus(
        name="bc5cdr",
        title="BioCreative V Chemical Disease Relation corpus",
        langs=("en",),
        tasks=("ner", "nen", "re"),
        licence="Public domain (US government work)",
        access="open",
        homepage="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/",
        citation="Li et al. BioCreative V CDR task corpus: a resource for chemical disease relation extraction. "
        "Database, 2016.",
        verified="real",
        files={
            "train": (Source(path="CDR_TrainingSet.PubTator.txt", read=pubtator.read, options=_OPTIONS),),
            "dev": (Source(path="CDR_DevelopmentSet.PubTator.txt", read=pubtator.read, options=_OPTIONS),),
            "test": (Source(path="CDR_TestSet.PubTator.txt", read=pubtator.read, options=_OPTIONS),),
        },
        counts=_COUNTS,
        copies=(
            Layout(
                name="bioc_xml",
                files={
                    "train": (Source(path="CDR_TrainingSet.BioC.xml", read=bioc.read),),
                    "dev": (Source(path="CDR_DevelopmentSet.BioC.xml", read=bioc.read),),
                    "test": (Source(path="CDR_TestSet.BioC.xml", read=bioc.read),),
                },
                counts={
                    "train": {**_COUNTS["train"], _PARTS: 185},
                    "dev": {**_COUNTS["dev"], _PARTS: 182},
                    "test": {**_COUNTS["test"], _PARTS: 119},
                },
                verified="real",
                notes="The authors' own BioC XML. The parts of composite mentions are annotations of their own there; "
                "they are rejected, and their composite mention is kept, as in PubTator.",
            ),
        ),
        sizes={"train": 500, "dev": 500, "test": 500},
        unit="abstracts",
        listed=Listed(lang="en", number=100, task="NER/NEN,RE", sizes={"train": 500, "dev": 500, "test": 500}),
        downloads=(
            Download(
                url="https://biocreative.bioinformatics.udel.edu/media/store/files/2016/CDR_Data.zip",
                unpack=True,
                strip=2,
                members=("CDR_*Set.*",),
            ),
        ),
        entity_types={
            "Chemical": TypeName(
                en="chemical",
                zh="化学物质",
                definition_en="a chemical or drug",
                definition_zh="化学物质或药物",
            ),
            "Disease": TypeName(
                en="disease",
                zh="疾病",
                definition_en="a disease, symptom or adverse effect",
                definition_zh="疾病、症状或不良反应",
            ),
        },
        relation_types={
            "CID": TypeName(
                en="chemical-induced disease",
                zh="化学物质诱发疾病",
                definition_en="the chemical causes the disease",
                definition_zh="该化学物质引起该疾病",
            ),
        },
        notes="Relations are between concepts (MeSH), not mentions. The parts of composite mentions (7th column) are "
        "not kept; their concepts are.",
    ),
)
