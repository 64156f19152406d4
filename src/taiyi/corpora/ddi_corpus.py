"""DDI corpus: drugs and their interactions in DrugBank texts and MedLine abstracts (DDIExtraction 2013)."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import brat, pair_xml

_XML = "xml/DDICorpus"
_BRAT = "brat/DDICorpusBrat"
# Every pair of a sentence's entities is listed, so a pair marked false says only that it is none of the others.
_OPTIONS: dict[str, Any] = {"end": "inclusive", "pmid": "file", "relation_type": "int", "negatives": "drop"}
_BRAT_OPTIONS: dict[str, Any] = {
    "types": {
        "DRUG": "drug",
        "BRAND": "brand",
        "GROUP": "group",
        "DRUG_N": "drug_n",
        "MECHANISM": "mechanism",
        "EFFECT": "effect",
        "ADVISE": "advise",
        "INT": "int",
    },
    "documents": {r"(\d+)": r"pmid:\1"},
}


def _xml(folder: str) -> tuple[Source, ...]:
    return tuple(
        Source(path=f"{_XML}/{folder}/{part}/*.xml", read=pair_xml.read, options=_OPTIONS)
        for part in ("DrugBank", "MedLine")
    )


def _brat(folder: str) -> tuple[Source, ...]:
    return tuple(
        Source(path=f"{_BRAT}/{folder}/{part}", read=brat.read, options=_BRAT_OPTIONS)
        for part in ("DrugBank", "MedLine")
    )


_ENTITIES = {
    "drug": TypeName(
        en="drug",
        zh="药物",
        definition_en="a human medicine by its generic name",
        definition_zh="以通用名称呼的人用药物",
    ),
    "brand": TypeName(
        en="brand", zh="药品商品名", definition_en="a human medicine by its trade name", definition_zh="药物的商品名"
    ),
    "group": TypeName(en="drug group", zh="药物类别", definition_en="a class of drugs", definition_zh="一类药物的统称"),
    "drug_n": TypeName(
        en="active substance not approved for human use",
        zh="未获批的活性物质",
        definition_en="a substance that affects the body but is not approved as a medicine, such as a toxin",
        definition_zh="对人体有作用但未被批准为药物的物质，如毒素",
    ),
}
_RELATIONS = {
    "mechanism": TypeName(
        en="mechanism",
        zh="药动学机制",
        definition_en="one drug changes how the body takes up, breaks down or gets rid of the other",
        definition_zh="一种药物改变另一种药物的吸收、代谢或排泄",
        symmetric=True,
    ),
    "effect": TypeName(
        en="effect",
        zh="药效影响",
        definition_en="taken together, the drugs have an effect, or one changes the effect of the other",
        definition_zh="合用时产生某种效应，或一种药物改变另一种药物的药效",
        symmetric=True,
    ),
    "advise": TypeName(
        en="advice",
        zh="用药建议",
        definition_en="a recommendation or warning about taking the two together",
        definition_zh="关于两药合用的建议或警告",
        symmetric=True,
    ),
    "int": TypeName(
        en="interaction",
        zh="相互作用",
        definition_en="the text says that the drugs interact and nothing more",
        definition_zh="文中仅说明两药存在相互作用",
        symmetric=True,
    ),
}
_CITATION = (
    "Herrero-Zazo et al. The DDI corpus: an annotated corpus with pharmacological substances and drug-drug "
    "interactions. Journal of Biomedical Informatics, 2013."
)
_HOMEPAGE = "https://github.com/isegura/DDICorpus"
_LICENCE = "CC BY-NC 4.0"
_DOWNLOADS = (
    Download(
        url="https://github.com/isegura/DDICorpus/raw/master/DDICorpus-2013.zip",
        path="xml",
        unpack=True,
        members=("*.xml",),
    ),
)
_RULES = (
    "Ends of offsets are inclusive, and parts of discontinuous mentions are split by `;`. The sentences of a "
    "document are joined by one space unless the former ends in white space, as those from MedLine do (some in CRLF, "
    "which stays); empty ones, which hold nothing, are left out. MedLine files are named after the PubMed id."
)

CORPORA = (
    Corpus(
        name="ddi_corpus",
        title="DDI corpus (DDIExtraction 2013)",
        langs=("en",),
        tasks=("ner", "re"),
        licence=_LICENCE,
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="real",
        files={"train": _xml("Train"), "test": _xml("Test/Test for DDI Extraction task")},
        counts={
            "train": {
                "records": 714,
                "documents": 142,
                "entities": 14764,
                "entities.drug": 9424,
                "entities.brand": 1437,
                "entities.group": 3399,
                "entities.drug_n": 504,
                "discontinuous": 37,
                "relations": 4021,
                "relations.mechanism": 1319,
                "relations.effect": 1687,
                "relations.advise": 826,
                "relations.int": 189,
                "rejects.mention differs from the text in white space": 3,
                "rejects.mention does not match the text": 1,
            },
            "test": {
                "records": 191,
                "documents": 33,
                "entities": 3040,
                "entities.drug": 1864,
                "entities.brand": 369,
                "entities.group": 667,
                "entities.drug_n": 140,
                "discontinuous": 9,
                "relations": 979,
                "relations.mechanism": 302,
                "relations.effect": 360,
                "relations.advise": 221,
                "relations.int": 96,
            },
        },
        copies=(
            Layout(
                name="brat",
                files={"train": _brat("Train"), "test": _brat("Test")},
                verified="real",
                counts={
                    "train": {
                        "records": 714,
                        "entities": 14765,
                        "discontinuous": 38,
                        "relations": 4021,
                        "relations.mechanism": 1319,
                        "relations.effect": 1687,
                        "relations.advise": 826,
                        "relations.int": 189,
                        "rejects.mention differs from the text in white space": 5,
                    },
                    "test": {
                        "records": 303,
                        "entities": 3726,
                        "discontinuous": 11,
                        "relations": 979,
                        "relations.mechanism": 302,
                        "relations.effect": 360,
                        "relations.advise": 221,
                        "relations.int": 96,
                    },
                },
                notes="The authors' own conversion to brat (DDICorpus-2013(BRAT).zip, unpacked into `brat`), over "
                "texts that are joined differently. Types are given the names of the XML. Its test holds the "
                "documents of both tests, and those of the DrugNER task have no interactions because none were "
                "annotated: use the XML to evaluate relation extraction. Mentions whose parts adjoin (mu-selective "
                "opioids) are given their parts joined by a space, and each is counted as a reject.",
            ),
        ),
        sizes={"train": 714, "test": 191},
        listed=Listed(lang="en", number=85, task="NER,RE", sizes={"train": 714, "test": 303}),
        downloads=_DOWNLOADS,
        entity_types=_ENTITIES,
        relation_types=_RELATIONS,
        notes=f"{_RULES} The test is that of the DDI extraction task (191 documents). The list counts the 112 "
        "documents of the drug recognition task with it (303): their interactions were never annotated, so they are "
        "a corpus of their own here, ddi_corpus_ner. Every pair of a sentence's entities is listed; those marked "
        "false are no relations and are not kept. One positive pair (DDI-DrugBank.d236.s29.p0) states no type: it is "
        "`int`, as in the authors' brat files. Three discontinuous mentions whose parts adjoin in their given text "
        "have their parts joined by a space, and one (DDI-DrugBank.d216.s16.e2) has offsets that are one off and is "
        "dropped; it is in no interaction. Three texts of the test are in train too.",
    ),
    Corpus(
        name="ddi_corpus_ner",
        title="DDI corpus, test set of the drug recognition task (DDIExtraction 2013, task 9.1)",
        langs=("en",),
        tasks=("ner",),
        licence=_LICENCE,
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="real",
        files={"test": _xml("Test/Test for DrugNER task")},
        counts={
            "test": {
                "records": 112,
                "documents": 58,
                "entities": 686,
                "entities.drug": 351,
                "entities.brand": 59,
                "entities.group": 155,
                "entities.drug_n": 121,
                "discontinuous": 2,
            }
        },
        sizes={"test": 112},
        downloads=_DOWNLOADS,
        entity_types=_ENTITIES,
        notes=f"{_RULES} Interactions of these documents were not annotated: all their pairs are marked false. The "
        "training documents of the task are those of ddi_corpus, which the list counts these documents with.",
        folder="ddi_corpus",
    ),
)
