"""LINNAEUS: species in full-text articles of PubMed Central, with NCBI Taxonomy concepts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import brat, linnaeus, pubtator

_AIONER: dict[str, Any] = {
    "databases": {"species": "NCBITaxon"},
    "type_names": {"Species": "species"},
    "document_prefix": "pmcid:PMC",
}
_STANDOFF: dict[str, Any] = {
    # The folders hold files of macOS beside the texts, whose names begin with a dot.
    "pattern": "[!.]*.txt",
    "types": {"LIVB": "species"},
    "documents": {r"(\d+)": r"pmcid:PMC\1"},
}

CORPORA = (
    Corpus(
        name="linnaeus",
        title="LINNAEUS manual corpus of species",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC BY 4.0",
        access="open",
        homepage="https://linnaeus.sourceforge.net/",
        citation="Gerner, Nenadic and Bergman. LINNAEUS: a species name identification system for biomedical "
        "literature. BMC Bioinformatics, 2010.",
        verified="fixture",
        files={
            "train": (
                Source(
                    path="manual-corpus-species-1.0/txt",
                    read=linnaeus.read,
                    options={"tags": "../tags.tsv", "databases": {"ncbi": "NCBITaxon"}},
                    needs=("manual-corpus-species-1.0/tags.tsv",),
                ),
            ),
        },
        counts={"train": {"records": 100}},
        copies=(
            Layout(
                name="aioner",
                files={
                    "train": (
                        Source(path="Linnaeus_Train.PubTator", read=pubtator.read, options=_AIONER),
                        Source(path="Linnaeus_Test.PubTator", read=pubtator.read, options=_AIONER),
                    ),
                },
                counts={"train": {"records": 100, "entities": 2897, "entities.species": 2897, "concepts": 2897}},
                verified="real",
                notes="As the authors of AIONER pass it on: PubTator, in 80 and 20 articles, both read as one split as "
                "the corpus has no others. Clues to a species (patients, women) and what the taxonomy lacks are left "
                "out, and line breaks are spaces.",
            ),
            Layout(
                name="standoff",
                files={
                    "train": tuple(
                        Source(path=f"Linnaeus_standoff/{part}", read=brat.read, options=_STANDOFF)
                        for part in ("train", "valid", "test")
                    ),
                },
                counts={"train": {"records": 100, "entities": 4259, "entities.species": 4259}},
                verified="real",
                notes="A copy as brat standoff without concepts, in 60, 11 and 29 articles, read as one split.",
            ),
        ),
        sizes={"train": 100},
        unit="articles",
        listed=Listed(lang="en", number=11, task="NER", sizes={"train": 95}),
        downloads=(
            Download(
                url="https://sourceforge.net/projects/linnaeus/files/Corpora/manual-corpus-species-1.0.tar.gz/download",
                unpack=True,
            ),
        ),
        entity_types={
            "species": TypeName(
                en="species",
                zh="物种",
                definition_en="the name of a species, or a word for members of one, such as patients",
                definition_zh="物种名称，或指代某物种成员的词，如 patients",
            ),
        },
        notes="100 articles, of which 95 mention a species: the paper's list counts the latter; all are read. Concept "
        "0 (a species that the taxonomy lacks) is none. The last column, a code of the annotators (0 misspelling, "
        "1 error of optical recognition, 2 wrong name, 20 wrong case, 3 enumeration, 4 modifier), is the attribute "
        "`code`. Version 1.1 differs in its licence alone, which is the one stated here; its folder is "
        "manual-corpus-species-1.1, to be renamed.",
    ),
)
