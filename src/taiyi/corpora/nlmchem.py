"""NLM-Chem: chemicals in full-text articles of PubMed Central, with MeSH concepts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import bioc, pubtator_full

_OPTIONS: dict[str, Any] = {
    "id_separators": ",;",
    "document_types": ("MeSH_Indexing_Chemical",),
    "document_prefix": "pmcid:PMC",
    "respaced": True,
}

CORPORA = (
    Corpus(
        name="nlmchem",
        title="NLM-Chem corpus",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC0 1.0",
        access="open",
        homepage="https://ftp.ncbi.nlm.nih.gov/pub/lu/BC7-NLM-Chem-track/",
        citation="Islamaj et al. NLM-Chem, a new resource for chemical entity recognition in PubMed full text "
        "literature. Scientific Data, 2021.",
        verified="fixture",
        files={
            "train": (Source(path="BC7T2-NLMChem-corpus-train.BioC.xml", read=bioc.read, options=_OPTIONS),),
            "dev": (Source(path="BC7T2-NLMChem-corpus-dev.BioC.xml", read=bioc.read, options=_OPTIONS),),
            "test": (Source(path="BC7T2-NLMChem-corpus-test.BioC.xml", read=bioc.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 80}, "dev": {"records": 20}, "test": {"records": 50}},
        copies=(
            Layout(
                name="aioner",
                files={
                    "test": (Source(path="NLMchem_Test.PubTator", read=pubtator_full.read),),
                },
                counts={
                    "test": {
                        "records": 50,
                        "entities": 12411,
                        "entities.Chemical": 11772,
                        "entities.NonStandardRef": 69,
                        "entities.OTHER": 570,
                        "concepts": 11729,
                    },
                },
                verified="real",
                notes="The test set as the authors of AIONER pass it on: PubTator with a title line for every passage, "
                "and PubMed's numbers for ids. It lacks the terms by which articles are indexed.",
            ),
        ),
        sizes={"train": 80, "dev": 20, "test": 50},
        unit="articles",
        listed=Listed(lang="en", number=8, task="NER", sizes={"train": 80, "dev": 20, "test": 50}),
        downloads=(
            Download(
                url="https://ftp.ncbi.nlm.nih.gov/pub/lu/BC7-NLM-Chem-track/BC7T2-NLMChem-corpus_v2.BioC.xml.gz",
                unpack=True,
            ),
        ),
        entity_types={
            "Chemical": TypeName(
                en="chemical",
                zh="化学物质",
                definition_en="a chemical, drug or group of chemicals",
                definition_zh="化学物质、药物或一类化学物质",
            ),
            "NonStandardRef": TypeName(
                en="label of a compound",
                zh="化合物编号",
                definition_en="a label that stands for a compound within the article, such as compound 3a",
                definition_zh="文中代指某一化合物的编号，如 compound 3a",
            ),
            "OTHER": TypeName(
                en="chemical word within another name",
                zh="含化学物质名的其他名称",
                definition_en="a name of something else, such as an enzyme, that is built on that of a chemical",
                definition_zh="由化学物质名称构成的其他事物的名称，如某种酶",
            ),
        },
        notes="The terms by which an article is indexed (`MeSH_Indexing_Chemical`) have no place in the text and are "
        "rejected. Passages are set one space apart, and their mentions move with them. Ids of the official files are "
        "those of PubMed Central.",
    ),
)
