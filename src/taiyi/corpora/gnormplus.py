"""The GNormPlus corpus, and the Citation GIA Test Collection that it contains: genes in PubMed abstracts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pubtator

_HOMEPAGE = "https://www.ncbi.nlm.nih.gov/research/bionlp/Tools/gnormplus/"
_ARCHIVE = "https://www.ncbi.nlm.nih.gov/CBBresearch/Lu/Demo/tmTools/download/GNormPlus/GNormPlusCorpus.zip"
_CITATION = (
    "Wei, Kao and Lu. GNormPlus: an integrative approach for tagging genes, gene families, and protein domains. "
    "BioMed Research International, 2015."
)
_OPTIONS: dict[str, Any] = {
    "id_separators": ",",
    "databases": {"Gene": "NCBIGene", "FamilyName": "NCBIGene", "DomainMotif": "NCBIGene"},
    "species_suffix": True,
}
_GIA = Source(path="GNormPlusCorpus/NLMIAT.PubTator.txt", read=pubtator.read, options=_OPTIONS)
_TYPES = {
    "Gene": TypeName(
        en="gene",
        zh="基因",
        definition_en="a gene or its product",
        definition_zh="基因或其产物",
    ),
    "FamilyName": TypeName(
        en="gene family",
        zh="基因家族",
        definition_en="a family of genes or proteins",
        definition_zh="基因或蛋白质家族",
    ),
    "DomainMotif": TypeName(
        en="protein domain or motif",
        zh="蛋白质结构域或基序",
        definition_en="a part of proteins that has a name of its own",
        definition_zh="有专门名称的蛋白质结构域或基序",
    ),
}

CORPORA = (
    Corpus(
        name="gnormplus",
        title="GNormPlus corpus",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        files={
            "train": (
                Source(path="GNormPlusCorpus/BC2GNtrain.PubTator.txt", read=pubtator.read, options=_OPTIONS),
                _GIA,
            ),
            "test": (Source(path="GNormPlusCorpus/BC2GNtest.PubTator.txt", read=pubtator.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 432}, "test": {"records": 262}},
        sizes={"train": 432, "test": 262},
        unit="abstracts",
        listed=Listed(lang="en", number=25, task="NER/NEN", sizes={"train": 432, "test": 262}),
        downloads=(Download(url=_ARCHIVE, unpack=True),),
        entity_types=_TYPES,
        notes="Training set: the 281 abstracts of the BioCreative II gene normalisation task and the 151 of the "
        "Citation GIA Test Collection, which the paper's list has as a corpus of its own "
        "(citation_gia_test_collection): do not train on the one and test on the other. Families and domains mostly "
        "have no id; their mentions are kept. A gene of another species than man has it after its id, as in "
        "`101(Tax:10090)`: the attribute `species`. Some mentions of the test set are off by one, and are rejected "
        "where they do not match the text.",
    ),
    Corpus(
        name="citation_gia_test_collection",
        title="Citation GIA Test Collection",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        files={"test": (_GIA,)},
        counts={"test": {"records": 151}},
        sizes={"test": 151},
        unit="abstracts",
        listed=Listed(lang="en", number=10, task="NER", sizes={"test": 151}),
        downloads=(Download(url=_ARCHIVE, unpack=True),),
        entity_types=_TYPES,
        notes="Made for the indexing of genes at the National Library of Medicine, and annotated anew with families "
        "and domains for GNormPlus, of whose training set it is a part. The list has it for recognition alone; its "
        "genes are normalised too.",
    ),
)
