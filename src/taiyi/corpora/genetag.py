"""GENETAG: names of genes and proteins in sentences of Medline."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import genetag
from taiyi.schema import Split

_RAW = "https://raw.githubusercontent.com/openbiocorpora/genetag/master/original-data"
_FILES = ("TOKENIZED_CORPUS", "Gold.format", "Correct.Data")
_FOLDERS: dict[Split, str] = {"train": "train", "dev": "test", "test": "round1"}

CORPORA = (
    Corpus(
        name="genetag",
        title="GENETAG",
        langs=("en",),
        tasks=("ner",),
        licence="public domain (work of the United States government)",
        access="open",
        homepage="https://github.com/openbiocorpora/genetag",
        citation="Tanabe et al. GENETAG: a tagged corpus for gene/protein named entity recognition. "
        "BMC Bioinformatics, 2005.",
        verified="real",
        files={
            split: (
                Source(
                    path=f"{folder}/{_FILES[0]}",
                    read=genetag.read,
                    needs=tuple(f"{folder}/{name}" for name in _FILES[1:]),
                ),
            )
            for split, folder in _FOLDERS.items()
        },
        counts={
            "train": {
                "records": 7500,
                "entities": 8931,
                "entities.gene": 8931,
                "rejects.malformed line": 2,
                "rejects.mention does not match the text": 4,
                "rejects.mention differs from the text in case or white space": 2,
                "rejects.mention of a sentence that is not there": 1,
                "rejects.alternative that overlaps no mention": 44,
            },
            "dev": {
                "records": 2500,
                "entities": 2987,
                "entities.gene": 2987,
                "rejects.mention does not match the text": 1,
                "rejects.mention differs from the text in case or white space": 2,
                "rejects.alternative that overlaps no mention": 16,
            },
            "test": {
                "records": 5000,
                "entities": 5949,
                "entities.gene": 5949,
                "rejects.mention differs from the text in case or white space": 2,
                "rejects.alternative that overlaps no mention": 23,
            },
        },
        sizes={"train": 7500, "dev": 2500, "test": 5000},
        unit="sentences",
        listed=Listed(lang="en", number=19, task="NER", sizes={"train": 7500, "dev": 5000, "test": 2500}),
        downloads=tuple(
            Download(url=f"{_RAW}/{folder}/{name}", path=f"{folder}/{name}")
            for folder in _FOLDERS.values()
            for name in _FILES
        ),
        entity_types={
            "gene": TypeName(
                en="gene or protein",
                zh="基因或蛋白质",
                definition_en="a particular gene or protein, with the words that its name needs, or a family of them",
                definition_zh="具体的基因或蛋白质（含名称所需的词）或其家族",
            )
        },
        notes="The three parts of GENETAG that BioCreAtIvE task 1A used: train, test (on which systems were developed) "
        "and round1 (on which they were evaluated), so test is read as dev and round1 as test; the list of the paper "
        "has these two the other way round. Names are given by numbers of tokens; the text is the tokens with one "
        "space between them. Other names that the official evaluation counts as right (Correct.Data) are an attribute "
        "of the mentions that they overlap, as character spans. Faults of the files: in train a line of Gold.format "
        "lacks a bar, three names of it are not what their tokens are, and two lines of Correct.Data run together; in "
        "dev a name is in another case than its tokens, which are kept. Of Correct.Data a name in each of train and "
        "dev is not where it is said to be, one is of a sentence that is not in the part, a few differ in case or "
        "white space, and 83 overlap no mention.",
    ),
)
