"""Anatomical entities at all levels of the body: AnatEM, and AnEM, which it grew from."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import brat

_DOCUMENTS = {r"PMID-(\d+)": r"pmid:\1", r"PMC-(\d+)-.*": r"pmcid:PMC\1"}
_OPTIONS: dict[str, Any] = {"documents": _DOCUMENTS}
_LICENCE = "CC BY-SA 3.0 (annotations; the texts are their publishers')"


def _listed(names: str) -> Source:
    """Return the source of the documents whose names a file lists."""
    options = {**_OPTIONS, "selection": f"../{names}"}
    return Source(path="standoff", read=brat.read, options=options, needs=(names,))


_NORMAL = {
    "Organism_subdivision": TypeName(
        en="organism subdivision",
        zh="身体分区",
        definition_en="a region of the body, such as the head or a limb",
        definition_zh="身体的一个区域，如头部或肢体",
    ),
    "Anatomical_system": TypeName(
        en="anatomical system",
        zh="解剖系统",
        definition_en="a system of the body, such as the nervous system",
        definition_zh="身体的系统，如神经系统",
    ),
    "Organ": TypeName(
        en="organ",
        zh="器官",
        definition_en="a distinct part of the body with a function of its own, such as the liver",
        definition_zh="具有独立功能的身体部分，如肝脏",
    ),
    "Multi-tissue_structure": TypeName(
        en="multi-tissue structure",
        zh="多组织结构",
        definition_en="a part of an organ made of several tissues, such as a blood vessel",
        definition_zh="由多种组织构成的结构，如血管",
    ),
    "Tissue": TypeName(
        en="tissue",
        zh="组织",
        definition_en="cells of one kind, or a few, that make up a fabric, such as endothelium",
        definition_zh="由一种或几种细胞构成的组织，如内皮",
    ),
    "Cell": TypeName(
        en="cell", zh="细胞", definition_en="a cell or a kind of cell", definition_zh="一个细胞或一类细胞"
    ),
    "Cellular_component": TypeName(
        en="cellular component",
        zh="细胞组分",
        definition_en="a part of a cell, such as the nucleus",
        definition_zh="细胞的组成部分，如细胞核",
    ),
    "Developing_anatomical_structure": TypeName(
        en="developing anatomical structure",
        zh="发育中的解剖结构",
        definition_en="a structure of the embryo or fetus",
        definition_zh="胚胎或胎儿期的结构",
    ),
    "Organism_substance": TypeName(
        en="organism substance",
        zh="机体物质",
        definition_en="a fluid or other substance that the body makes, such as blood",
        definition_zh="机体产生的液体或其他物质，如血液",
    ),
    "Immaterial_anatomical_entity": TypeName(
        en="immaterial anatomical entity",
        zh="非物质解剖实体",
        definition_en="a space, surface or line of the body, such as a lumen",
        definition_zh="身体的空间、表面或界线，如管腔",
    ),
    "Pathological_formation": TypeName(
        en="pathological formation",
        zh="病理结构",
        definition_en="a structure made by a disease, such as a tumour or a wound",
        definition_zh="疾病形成的结构，如肿瘤或伤口",
    ),
}

CORPORA = (
    Corpus(
        name="anat_em",
        title="AnatEM, anatomical entity mentions",
        langs=("en",),
        tasks=("ner",),
        licence=_LICENCE,
        access="open",
        homepage="http://nactem.ac.uk/anatomytagger/#AnatEM",
        citation="Pyysalo and Ananiadou. Anatomical entity mention recognition at literature scale. "
        "Bioinformatics, 2014.",
        verified="real",
        files={
            "train": (Source(path="standoff/train", read=brat.read, options=_OPTIONS),),
            "dev": (Source(path="standoff/devel", read=brat.read, options=_OPTIONS),),
            "test": (Source(path="standoff/test", read=brat.read, options=_OPTIONS),),
        },
        counts={
            "train": {
                "records": 606,
                "entities": 6946,
                "entities.Organism_subdivision": 165,
                "entities.Anatomical_system": 66,
                "entities.Organ": 413,
                "entities.Multi-tissue_structure": 874,
                "entities.Tissue": 458,
                "entities.Cell": 2436,
                "entities.Cellular_component": 407,
                "entities.Developing_anatomical_structure": 45,
                "entities.Organism_substance": 338,
                "entities.Immaterial_anatomical_entity": 116,
                "entities.Pathological_formation": 181,
                "entities.Cancer": 1447,
            },
            "dev": {"records": 202, "entities": 2139, "entities.Cancer": 501, "entities.Cell": 656},
            "test": {"records": 404, "entities": 4616, "entities.Cancer": 1117, "entities.Cell": 1429},
        },
        sizes={"train": 606, "dev": 202, "test": 404},
        listed=Listed(lang="en", number=3, task="NER", sizes={"train": 606, "dev": 202, "test": 404}),
        downloads=(
            Download(
                url="http://nactem.ac.uk/anatomytagger/AnatEM-1.0.2.tar.gz",
                unpack=True,
                strip=1,
                members=("standoff/*",),
            ),
        ),
        entity_types=_NORMAL
        | {
            "Cancer": TypeName(
                en="cancer",
                zh="癌症",
                definition_en="a malignant tumour, or a structure of one",
                definition_zh="恶性肿瘤或其结构",
            )
        },
        notes="The brat files are read; the archive has the same annotation in columns (CoNLL and NERsuite). "
        "Documents are abstracts and extracts of full articles (sections and captions), so several can be of one "
        "article. Files without annotation lines are documents without mentions. The texts of AnEM are among them, "
        "so do not train on one and test on the other. A text that occurs in two splits, such as a caption, stays in "
        "both.",
    ),
    Corpus(
        name="an_em",
        title="AnEM, anatomical entity mentions in the open domain",
        langs=("en",),
        tasks=("ner", "re", "coref"),
        licence=_LICENCE,
        access="open",
        homepage="http://www.nactem.ac.uk/anatomy/",
        citation="Ohta et al. Open-domain Anatomical Entity Mention Detection. "
        "Workshop on Detecting Structure in Scholarly Discourse (DSSD), 2012.",
        verified="real",
        files={
            "train": (_listed("development/train-files.list"),),
            "dev": (_listed("development/test-files.list"),),
            "test": (_listed("test/test-files.list"),),
        },
        counts={
            "train": {
                "records": 250,
                "entities": 1616,
                "coreferences": 10,
                "relations": 43,
                "relations.Part-of": 20,
                "relations.frag": 23,
            },
            "dev": {
                "records": 50,
                "entities": 263,
                "coreferences": 2,
                "relations": 11,
                "relations.Part-of": 6,
                "relations.frag": 5,
            },
            "test": {
                "records": 200,
                "entities": 1256,
                "coreferences": 14,
                "relations": 28,
                "relations.Part-of": 19,
                "relations.frag": 9,
            },
        },
        sizes={"train": 250, "dev": 50, "test": 200},
        listed=Listed(lang="en", number=102, task="NER,RE,COREF", sizes={"train": 250, "dev": 50, "test": 200}),
        downloads=(
            Download(
                url="http://www.nactem.ac.uk/anatomy/data/AnEM-1.0.4.tar.gz",
                unpack=True,
                strip=1,
                members=("standoff/*", "*.list"),
            ),
        ),
        entity_types=_NORMAL,
        relation_types={
            "frag": TypeName(
                en="fragment of the same mention",
                zh="同一提及的片段",
                definition_en="two separate pieces of text make up one mention",
                definition_zh="两段不相邻的文字构成同一提及",
                symmetric=True,
            ),
            "Part-of": TypeName(
                en="part of",
                zh="部分与整体",
                definition_en="the first structure is a part of the second",
                definition_zh="前一结构是后一结构的一部分",
            ),
        },
        notes="One folder holds all texts; the splits are the lists of names of the archive: "
        "development/train-files.list is train and development/test-files.list dev. Equiv lines are coreferences. "
        "Documents are abstracts and extracts of full articles. Checked on the files of openbiocorpora/anem, laid "
        "out as the archive of version 1.0.4.",
    ),
)
