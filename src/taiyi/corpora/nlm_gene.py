"""NLM-Gene: genes of 28 organisms in PubMed abstracts, with NCBI Gene concepts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import bioc

_OPTIONS: dict[str, Any] = {
    "id_separators": ",;",
    "id_keys": {"NCBI Gene identifier": "NCBIGene"},
    "second_database": "HomoloGene",
}


def _split(name: str) -> tuple[Source, ...]:
    # Every file of the folder is opened, and those of the list are read.
    return (
        Source(
            path="Corpus/FINAL/*.BioC.XML",
            read=bioc.read,
            options={**_OPTIONS, "ids": f"../Pmidlist.{name}.txt"},
            needs=(f"Corpus/Pmidlist.{name}.txt",),
        ),
    )


CORPORA = (
    Corpus(
        name="nlm_gene",
        title="NLM-Gene corpus",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC0 1.0",
        access="open",
        homepage="https://zenodo.org/record/5089049",
        citation="Islamaj et al. NLM-Gene, a richly annotated gold standard dataset for gene entities that addresses "
        "ambiguity and multi-species gene recognition. Journal of Biomedical Informatics, 2021.",
        verified="fixture",
        files={"train": _split("Train"), "test": _split("Test")},
        counts={"train": {"records": 450}, "test": {"records": 100}},
        sizes={"train": 450, "test": 100},
        unit="abstracts",
        listed=Listed(lang="en", number=27, task="NER/NEN", sizes={"train": 450, "test": 100}),
        downloads=(Download(url="https://zenodo.org/record/5089049/files/NLM-Gene-Corpus.zip", unpack=True),),
        entity_types={
            "Gene": TypeName(
                en="gene",
                zh="基因",
                definition_en="a gene or its product",
                definition_zh="基因或其产物",
            ),
            "STARGENE": TypeName(
                en="main gene",
                zh="核心基因",
                definition_en="a gene that the article is about",
                definition_zh="文章重点研究的基因",
            ),
            "GENERIF": TypeName(
                en="gene with a described function",
                zh="有功能描述的基因",
                definition_en="a gene whose function the article describes, so that NCBI Gene would cite it",
                definition_zh="文章描述了其功能、可为NCBI Gene引用的基因",
            ),
            "Domain": TypeName(
                en="protein domain",
                zh="蛋白质结构域",
                definition_en="a part of proteins that has a name of its own",
                definition_zh="有专门名称的蛋白质结构域",
            ),
            "Other": TypeName(
                en="other gene-like name",
                zh="其他类基因名称",
                definition_en="a name that looks like that of a gene and is none",
                definition_zh="形似基因名称但并非基因的名称",
            ),
        },
        notes="Several ids stand between commas, those of an enumeration with ellipsis between semicolons; after `|` "
        "an id of HomoloGene may follow, a concept of its own. Codes of the annotators (111: an ortholog, 222: a "
        "family, 444: a complex …) are attributes.",
    ),
)
