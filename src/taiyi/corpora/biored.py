"""BioRED: six types of entities and eight types of relations between concepts, with novelty, in PubMed abstracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from taiyi.catalogue import Corpus, Counts, Download, Layout, Listed, Source, TypeName
from taiyi.formats import bioc, bioc_json, pubtator
from taiyi.schema import Record, Reject, Split

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

_COUNTS: dict[Split, Counts] = {
    "train": {
        "records": 400,
        "entities": 13351,
        "entities.GeneOrGeneProduct": 4430,
        "entities.DiseaseOrPhenotypicFeature": 3646,
        "entities.ChemicalEntity": 2853,
        "entities.OrganismTaxon": 1429,
        "entities.SequenceVariant": 890,
        "entities.CellLine": 103,
        "relations": 4178,
        "relations.Association": 2192,
        "relations.Positive_Correlation": 1089,
        "relations.Negative_Correlation": 763,
        "relations.Bind": 61,
        "relations.Cotreatment": 31,
        "relations.Comparison": 28,
        "relations.Drug_Interaction": 11,
        "relations.Conversion": 3,
    },
    "dev": {
        "records": 100,
        "entities": 3533,
        "entities.GeneOrGeneProduct": 1087,
        "entities.DiseaseOrPhenotypicFeature": 982,
        "entities.ChemicalEntity": 822,
        "entities.OrganismTaxon": 370,
        "entities.SequenceVariant": 250,
        "entities.CellLine": 22,
        "relations": 1162,
        "relations.Association": 560,
        "relations.Positive_Correlation": 352,
        "relations.Negative_Correlation": 216,
        "relations.Bind": 19,
        "relations.Cotreatment": 10,
        "relations.Comparison": 5,
    },
    "test": {
        "records": 100,
        "entities": 3535,
        "entities.GeneOrGeneProduct": 1180,
        "entities.DiseaseOrPhenotypicFeature": 917,
        "entities.ChemicalEntity": 754,
        "entities.OrganismTaxon": 393,
        "entities.SequenceVariant": 241,
        "entities.CellLine": 50,
        "relations": 1163,
        "relations.Association": 635,
        "relations.Positive_Correlation": 325,
        "relations.Negative_Correlation": 171,
        "relations.Cotreatment": 14,
        "relations.Bind": 9,
        "relations.Comparison": 6,
        "relations.Drug_Interaction": 2,
        "relations.Conversion": 1,
    },
}


def _files(ending: str, read: Callable[..., Iterator[Record | Reject]]) -> dict[Split, tuple[Source, ...]]:
    names: dict[Split, str] = {"train": "Train", "dev": "Dev", "test": "Test"}
    return {
        split: (Source(path=f"BioRED/{name}.{ending}", read=read, options=_OPTIONS),) for split, name in names.items()
    }


CORPORA = (
    Corpus(
        name="biored",
        title="BioRED, a rich biomedical relation extraction corpus",
        langs=("en",),
        tasks=("ner", "nen", "re"),
        licence="Public domain (US government work)",
        access="open",
        homepage="https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/",
        citation="Luo et al. BioRED: a rich biomedical relation extraction dataset. Briefings in Bioinformatics, 2022.",
        verified="real",
        files=_files("PubTator", pubtator.read),
        counts=_COUNTS,
        copies=(
            Layout(
                name="bioc_xml",
                files=_files("BioC.XML", bioc.read),
                counts=_COUNTS,
                verified="real",
                notes="The authors' own BioC XML, in the same archive; it says the same.",
            ),
            Layout(
                name="bioc_json",
                files=_files("BioC.JSON", bioc_json.read),
                counts=_COUNTS,
                verified="real",
                notes="The authors' own BioC JSON, in the same archive; it says the same, but does not say which "
                "passage is the title.",
            ),
        ),
        sizes={"train": 400, "dev": 100, "test": 100},
        unit="abstracts",
        listed=Listed(lang="en", number=93, task="NER,RE", sizes={"train": 400, "dev": 100, "test": 100}),
        downloads=(Download(url="https://ftp.ncbi.nlm.nih.gov/pub/lu/BioRED/BIORED.zip", unpack=True),),
        entity_types={
            "GeneOrGeneProduct": TypeName(
                en="gene or gene product",
                zh="基因或基因产物",
                definition_en="a gene, RNA, protein, or a family or complex of them",
                definition_zh="基因、RNA、蛋白质，或其家族、复合物",
            ),
            "DiseaseOrPhenotypicFeature": TypeName(
                en="disease or phenotypic feature",
                zh="疾病或表型特征",
                definition_en="a disease, symptom or other abnormal feature",
                definition_zh="疾病、症状或其他异常特征",
            ),
            "ChemicalEntity": TypeName(
                en="chemical",
                zh="化学物质",
                definition_en="a chemical or drug",
                definition_zh="化学物质或药物",
            ),
            "OrganismTaxon": TypeName(
                en="species",
                zh="物种",
                definition_en="a species, people and patients included",
                definition_zh="物种，包括人和患者",
            ),
            "SequenceVariant": TypeName(
                en="sequence variant",
                zh="序列变异",
                definition_en="a change of a sequence of DNA, RNA or protein",
                definition_zh="DNA、RNA或蛋白质序列的变化",
            ),
            "CellLine": TypeName(
                en="cell line",
                zh="细胞系",
                definition_en="a cell line that was studied",
                definition_zh="研究所用的细胞系",
            ),
        },
        relation_types={
            "Association": TypeName(
                en="association",
                zh="关联",
                definition_en="the two are linked in a way that no other type tells",
                definition_zh="两者有关联，但不属于其他任何类型",
                symmetric=True,
            ),
            "Positive_Correlation": TypeName(
                en="positive correlation",
                zh="正相关",
                definition_en="the one raises, causes or comes with more of the other",
                definition_zh="一方升高、引起另一方，或与其同向变化",
                symmetric=True,
            ),
            "Negative_Correlation": TypeName(
                en="negative correlation",
                zh="负相关",
                definition_en="the one lowers, treats or comes with less of the other",
                definition_zh="一方降低、治疗另一方，或与其反向变化",
                symmetric=True,
            ),
            "Bind": TypeName(
                en="binding",
                zh="结合",
                definition_en="the two bind each other physically",
                definition_zh="两者发生物理结合",
                symmetric=True,
            ),
            "Cotreatment": TypeName(
                en="cotreatment",
                zh="联合治疗",
                definition_en="the two chemicals are given together",
                definition_zh="两种化学物质联合使用",
                symmetric=True,
            ),
            "Comparison": TypeName(
                en="comparison",
                zh="比较",
                definition_en="the effects of the two chemicals are compared",
                definition_zh="比较两种化学物质的作用",
                symmetric=True,
            ),
            "Drug_Interaction": TypeName(
                en="drug interaction",
                zh="药物相互作用",
                definition_en="the one drug changes the effect of the other when both are given",
                definition_zh="两药合用时一方改变另一方的作用",
                symmetric=True,
            ),
            "Conversion": TypeName(
                en="conversion",
                zh="转化",
                definition_en="the one chemical is turned into the other",
                definition_zh="一种化学物质转化为另一种",
                symmetric=True,
            ),
        },
        notes="Relations are between concepts, and stay so: they are not multiplied over pairs of mentions. Their "
        "novelty is an attribute. Ids of variants are dbSNP's (rs28897672) where they have one, else the parts of the "
        "variant as tmVar writes them (`c|INS|5382|C`). Four mentions of two diseases have their ids between `|`, "
        "which stay one id, for relations name them so.",
    ),
)
