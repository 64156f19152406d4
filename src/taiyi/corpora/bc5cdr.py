"""BC5CDR: chemicals, diseases and chemical-induced diseases in PubMed abstracts."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.formats import pubtator

_OPTIONS = {"roles": {"CID": ("Chemical", "Disease")}}

CORPORA = (
    Corpus(
        name="bc5cdr",
        title="BioCreative V Chemical Disease Relation corpus",
        langs=("en",),
        tasks=("ner", "re"),
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
        counts={
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
        },
        notes="Relations are between concepts (MeSH), not mentions. The parts of composite mentions (7th column) are "
        "not kept; their concepts are.",
    ),
)
