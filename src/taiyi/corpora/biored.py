"""BioRED: six types of entities and eight types of relations between concepts, with novelty, in PubMed abstracts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.formats import pubtator

# Ids of variants hold `|` themselves, so only a comma separates the ids of a composite mention.
_OPTIONS: dict[str, Any] = {
    "id_separators": ",",
    "databases": {
        "GeneOrGeneProduct": "NCBIGene",
        "OrganismTaxon": "NCBITaxon",
        "SequenceVariant": "tmVar",
        "CellLine": "Cellosaurus",
    },
}

CORPORA = (
    Corpus(
        name="biored",
        title="BioRED, a rich biomedical relation extraction corpus",
        langs=("en",),
        tasks=("ner", "re"),
        licence="Public domain (US government work)",
        access="open",
        homepage="https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/",
        citation="Luo et al. BioRED: a rich biomedical relation extraction dataset. Briefings in Bioinformatics, 2022.",
        verified="real",
        files={
            "train": (Source(path="BioRED/Train.PubTator", read=pubtator.read, options=_OPTIONS),),
            "dev": (Source(path="BioRED/Dev.PubTator", read=pubtator.read, options=_OPTIONS),),
            "test": (Source(path="BioRED/Test.PubTator", read=pubtator.read, options=_OPTIONS),),
        },
        entity_types={
            "GeneOrGeneProduct": TypeName(en="gene or gene product", zh="基因或基因产物"),
            "DiseaseOrPhenotypicFeature": TypeName(en="disease or phenotypic feature", zh="疾病或表型特征"),
            "ChemicalEntity": TypeName(en="chemical", zh="化学物质"),
            "OrganismTaxon": TypeName(en="species", zh="物种"),
            "SequenceVariant": TypeName(en="sequence variant", zh="序列变异"),
            "CellLine": TypeName(en="cell line", zh="细胞系"),
        },
        relation_types={
            "Association": TypeName(en="association", zh="关联"),
            "Positive_Correlation": TypeName(en="positive correlation", zh="正相关"),
            "Negative_Correlation": TypeName(en="negative correlation", zh="负相关"),
            "Bind": TypeName(en="binding", zh="结合"),
            "Cotreatment": TypeName(en="cotreatment", zh="联合治疗"),
            "Comparison": TypeName(en="comparison", zh="比较"),
            "Drug_Interaction": TypeName(en="drug interaction", zh="药物相互作用"),
            "Conversion": TypeName(en="conversion", zh="转化"),
        },
        counts={
            "train": {"records": 400, "entities": 13351, "relations": 4178},
            "dev": {"records": 100, "entities": 3533, "relations": 1162},
            "test": {"records": 100, "entities": 3535, "relations": 1163},
        },
        notes="Relations are between concepts, and stay so: they are not multiplied over pairs of mentions. Their "
        "novelty is an attribute.",
    ),
)
