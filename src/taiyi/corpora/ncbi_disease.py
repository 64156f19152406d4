"""The NCBI Disease corpus: disease mentions in PubMed abstracts, in four classes, with MeSH and OMIM concepts."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pubtator

_SITE = "https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/"

CORPORA = (
    Corpus(
        name="ncbi_disease",
        title="NCBI Disease corpus",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="Public domain (US government work)",
        access="open",
        homepage=_SITE,
        citation="Doğan, Leaman and Lu. NCBI disease corpus: a resource for disease name recognition and concept "
        "normalization. Journal of Biomedical Informatics, 2014.",
        verified="real",
        files={
            "train": (Source(path="train/NCBItrainset_corpus.txt", read=pubtator.read),),
            "dev": (Source(path="devel/NCBIdevelopset_corpus.txt", read=pubtator.read),),
            "test": (Source(path="test/NCBItestset_corpus.txt", read=pubtator.read),),
        },
        entity_types={
            "SpecificDisease": TypeName(
                en="specific disease",
                zh="具体疾病",
                definition_en="the name of one particular disease",
                definition_zh="某一种具体疾病的名称",
            ),
            "DiseaseClass": TypeName(
                en="disease class",
                zh="疾病类别",
                definition_en="the name of a class of diseases",
                definition_zh="一类疾病的名称",
            ),
            "Modifier": TypeName(
                en="disease modifier",
                zh="疾病修饰语",
                definition_en="a disease name that modifies another noun",
                definition_zh="用来修饰其他名词的疾病名称",
            ),
            "CompositeMention": TypeName(
                en="composite disease mention",
                zh="复合疾病提及",
                definition_en="several diseases named in one phrase",
                definition_zh="一个短语中同时提到的多种疾病",
            ),
        },
        sizes={"train": 592, "dev": 100, "test": 100},
        unit="abstracts",
        listed=Listed(lang="en", number=26, task="NER/NEN", sizes={"train": 592, "dev": 100, "test": 100}),
        downloads=(
            Download(
                url=f"{_SITE}NCBItrainset_corpus.zip",
                path="train",
                sha256="26157233d70aeda0b2ac1dda4fc9369b0717bd888f5afe511d0c1c6a5ad307a0",
                unpack=True,
            ),
            Download(
                url=f"{_SITE}NCBIdevelopset_corpus.zip",
                path="devel",
                sha256="61681ad09356619c8f4f3e1738663dd007ad0135720fdc90195120fea944cbe9",
                unpack=True,
            ),
            Download(
                url=f"{_SITE}NCBItestset_corpus.zip",
                path="test",
                sha256="b978442f39c739deb6619c70e7b07327d9eb1b71aff64996c02a592435583f46",
                unpack=True,
            ),
        ),
        counts={
            "train": {
                "records": 592,
                "entities": 5134,
                "entities.SpecificDisease": 2962,
                "entities.DiseaseClass": 769,
                "entities.Modifier": 1288,
                "entities.CompositeMention": 115,
                "rejects.repeated document": 1,
                "rejects.mention differs from the text in white space": 1,
            },
            "dev": {
                "records": 100,
                "entities": 787,
                "entities.SpecificDisease": 412,
                "entities.DiseaseClass": 126,
                "entities.Modifier": 214,
                "entities.CompositeMention": 35,
            },
            "test": {
                "records": 100,
                "entities": 960,
                "entities.SpecificDisease": 555,
                "entities.DiseaseClass": 121,
                "entities.Modifier": 264,
                "entities.CompositeMention": 20,
            },
        },
        notes="Train holds document 8528200 twice, alike; the first is kept (5,145 mentions with the 11 of the "
        "second). The one mention whose text ends in spaces that its document does not have is kept with the "
        "document's text. Ids of a composite mention stand between `|`, those of a mention of several concepts "
        "between `+`; both are read alike. Each archive holds one file, which is kept in a folder by split.",
    ),
)
