"""JNLPBA: five types of biological entities in Medline abstracts of the GENIA corpus."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import conll

_SITE = "http://www.nactem.ac.uk/GENIA/current/Shared-tasks/JNLPBA"
_OPTIONS: dict[str, Any] = {
    "columns": 2,
    "separator": "\t",
    "document_start": r"###MEDLINE:(\d+)\s*",
    "document_prefix": "medline:",
    "per_sentence": True,
}

CORPORA = (
    Corpus(
        name="jnlpba",
        title="JNLPBA 2004, bio-entity recognition task",
        langs=("en",),
        tasks=("ner",),
        licence="CC BY 3.0",
        access="open",
        homepage="http://www.geniaproject.org/shared-tasks/bionlp-jnlpba-shared-task-2004",
        citation="Kim et al. Introduction to the Bio-Entity Recognition Task at JNLPBA. NLPBA/BioNLP workshop, 2004.",
        verified="fixture",
        files={
            "train": (Source(path="Genia4ERtask1.iob2", read=conll.read, options=_OPTIONS),),
            "test": (Source(path="Genia4EReval1.iob2", read=conll.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 18546}, "test": {"records": 3856}},
        sizes={"train": 18546, "test": 3856},
        unit="sentences",
        listed=Listed(lang="en", number=96, task="NER", sizes={"train": 18546, "dev": 3856}),
        downloads=(
            Download(url=f"{_SITE}/Train/Genia4ERtraining.tar.gz", unpack=True, members=("*.iob2",)),
            Download(url=f"{_SITE}/Evaluation/Genia4ERtest.tar.gz", unpack=True, members=("*.iob2",)),
        ),
        entity_types={
            "protein": TypeName(
                en="protein",
                zh="蛋白质",
                definition_en="a protein, or a family, complex or part of proteins",
                definition_zh="蛋白质及其家族、复合物或部分",
            ),
            "DNA": TypeName(
                en="DNA",
                zh="DNA",
                definition_en="a gene or another stretch of DNA",
                definition_zh="基因或其他DNA片段",
            ),
            "RNA": TypeName(en="RNA", zh="RNA", definition_en="a kind of RNA", definition_zh="某种RNA"),
            "cell_line": TypeName(
                en="cell line",
                zh="细胞系",
                definition_en="cells that are kept in culture",
                definition_zh="培养保存的细胞",
            ),
            "cell_type": TypeName(
                en="cell type", zh="细胞类型", definition_en="a kind of cell", definition_zh="某一类细胞"
            ),
        },
        notes="2,000 abstracts for training and 404 for testing. The evaluation set of the task is test; the list of "
        "the paper calls it dev, after a copy on a hub. The paper of the task counts the lines of document ids as "
        "sentences (20,546 and 4,260). Records are sentences, their tokens joined by one space; the numbers of "
        "documents are the old ones of Medline, not of PubMed, and are kept as `medline:`.",
    ),
)
