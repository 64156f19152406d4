"""Corpora that come with SETH: its own of sequence variants, and the human variome corpus of Verspoor et al."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Counts, Download, Layout, Listed, Source, TypeName
from taiyi.formats import brat, seth
from taiyi.schema import Split

_ARCHIVE = "https://github.com/rockt/SETH/archive/refs/heads/master.zip"
# PubMed ids of the ten articles, by their PubMed Central ids, from the readme of the corpus.
_ARTICLES = {
    "1266026": "16202134",
    "1334229": "16356174",
    "1360090": "16403224",
    "1373649": "16426447",
    "1557864": "16879751",
    "1601966": "16982006",
    "1619718": "16879389",
    "2275286": "18257912",
    "2386495": "18433509",
    "3034663": "21247423",
}


def _seth(folder: str) -> dict[Split, tuple[Source, ...]]:
    return {"train": (Source(path=f"{folder}annotations", read=seth.read, needs=(f"{folder}corpus.txt",)),)}


_SETH_COUNTS: dict[Split, Counts] = {
    "train": {
        "records": 630,
        "documents": 630,
        "entities": 3219,
        "entities.Gene": 2315,
        "entities.SNP": 895,
        "entities.RS": 9,
        "relations": 593,
        "relations.AssociatedTo": 384,
        "relations.Equals": 209,
        "rejects.event without arguments": 7,
    }
}

CORPORA = (
    Corpus(
        name="seth_corpus",
        title="SETH corpus of sequence variants",
        langs=("en",),
        tasks=("ner", "re"),
        licence="Apache-2.0",
        access="open",
        homepage="https://github.com/rockt/SETH",
        citation="Thomas et al. SETH detects and normalizes genetic variants in text. Bioinformatics, 2016.",
        verified="real",
        files=_seth("resources/SETH-corpus/"),
        counts=_SETH_COUNTS,
        copies=(
            Layout(
                name="corpus_folder",
                files=_seth(""),
                verified="real",
                counts=_SETH_COUNTS,
                notes="The folder of the corpus alone, without the rest of the repository.",
            ),
        ),
        sizes={"train": 630},
        listed=Listed(lang="en", number=90, task="NER,RE", sizes={"train": 630}),
        downloads=(Download(url=_ARCHIVE, unpack=True, strip=1, members=("resources/SETH-corpus/*",)),),
        entity_types={
            "Gene": TypeName(
                en="gene or protein",
                zh="基因或蛋白质",
                definition_en="a gene or a gene product",
                definition_zh="基因或基因产物",
            ),
            "SNP": TypeName(
                en="sequence variant",
                zh="序列变异",
                definition_en="a mutation or polymorphism that the text describes",
                definition_zh="文中描述的突变或多态性",
            ),
            "RS": TypeName(
                en="dbSNP identifier",
                zh="dbSNP编号",
                definition_en="a variant by its number in dbSNP",
                definition_zh="以dbSNP编号表示的变异",
            ),
        },
        relation_types={
            "AssociatedTo": TypeName(
                en="variant of the gene",
                zh="基因的变异",
                definition_en="the variant is one of the gene",
                definition_zh="该变异属于该基因",
            ),
            "Equals": TypeName(
                en="other name of the same gene",
                zh="同一基因的别名",
                definition_en="the two are names of one gene",
                definition_zh="二者为同一基因的名称",
                symmetric=True,
            ),
        },
        notes="Texts are title and abstract in one line of corpus.txt, without a mark between them; the annotations "
        "are brat files. One file (11058905.ann) has seven events without arguments, which say no more than their "
        "triggers: these are kept as mentions, the events are rejects.",
    ),
    Corpus(
        name="verspoor_2013",
        title="Human variome corpus (Verspoor et al., 2013)",
        langs=("en",),
        tasks=("ner", "re"),
        licence="not stated",
        access="open",
        homepage="https://github.com/rockt/SETH/tree/master/resources/Verspoor2013",
        citation="Verspoor et al. Annotating the biomedical literature for the human variome. Database, 2013.",
        verified="real",
        files={
            "train": (
                Source(
                    path="resources/Verspoor2013/corpus",
                    read=brat.read,
                    options={
                        "annotations": "../annotations",
                        "documents": {rf"{pmc}-.*": f"pmid:{pmid}" for pmc, pmid in _ARTICLES.items()}
                        | {r"(\d+)-.*": r"pmcid:PMC\1"},
                    },
                ),
            )
        },
        counts={
            "train": {
                "records": 120,
                "documents": 10,
                "entities": 6991,
                "entities.disease": 1700,
                "entities.cohort-patient": 1272,
                "entities.gene": 1086,
                "entities.size": 675,
                "entities.mutation": 598,
                "entities.body-part": 465,
                "entities.Concepts_Ideas": 359,
                "entities.Disorder": 353,
                "entities.Physiology": 252,
                "entities.age": 85,
                "entities.ethnicity": 62,
                "entities.gender": 62,
                "entities.Phenomena": 22,
                "relations": 4650,
                "relations.has": 4007,
                "relations.relatedTo": 643,
            }
        },
        sizes={"train": 120},
        unit="paragraphs",
        listed=Listed(lang="en", number=91, task="NER,RE", sizes={"train": 120}),
        downloads=(Download(url=_ARCHIVE, unpack=True, strip=1, members=("resources/Verspoor2013/*",)),),
        entity_types={
            "gene": TypeName(en="gene", zh="基因", definition_en="a gene or its product"),
            "mutation": TypeName(
                en="mutation", zh="突变", definition_en="a change of the sequence, named or described"
            ),
            "body-part": TypeName(en="body part", zh="身体部位", definition_en="an organ or other part of the body"),
            "disease": TypeName(en="disease", zh="疾病", definition_en="a disease, such as a kind of cancer"),
            "Disorder": TypeName(
                en="disorder", zh="异常", definition_en="a feature of the disease or tumour that is not normal"
            ),
            "cohort-patient": TypeName(
                en="patient or cohort", zh="患者或队列", definition_en="a person, family or group that was studied"
            ),
            "size": TypeName(en="size", zh="数量", definition_en="how many, of patients, mutations or others"),
            "age": TypeName(en="age", zh="年龄", definition_en="an age, or range of ages"),
            "gender": TypeName(en="gender", zh="性别", definition_en="the gender of a patient or cohort"),
            "ethnicity": TypeName(
                en="ethnicity or place", zh="族裔或地域", definition_en="the ethnic or geographical origin of a cohort"
            ),
            "Concepts_Ideas": TypeName(
                en="concept or idea", zh="概念", definition_en="a characteristic, such as the way of inheritance"
            ),
            "Physiology": TypeName(en="physiology", zh="生理过程", definition_en="a process or function of the body"),
            "Phenomena": TypeName(en="phenomenon", zh="现象", definition_en="something observed, such as a staining"),
        },
        relation_types={
            "has": TypeName(
                en="has",
                zh="具有",
                definition_en="one has the other: a patient or cohort a disease, size or mutation, a gene a mutation, "
                "a disease or patient the feature, concept, age or process that stands first",
            ),
            "relatedTo": TypeName(
                en="related to",
                zh="相关",
                definition_en="the two are related in another way, as a disease and its place, gene or mutation",
            ),
        },
        notes="A document is a paragraph of one of ten articles on inherited colorectal cancer, named after the "
        "article in PubMed Central, its section and its place; the PubMed id is the one that the readme gives. Which "
        "argument of `has` is the owner depends on the types: arguments are in the order of the files. Texts "
        "are in corpus/, annotations in annotations/. Checked on the copy that comes with SETH, which is the one in "
        "use.",
    ),
)
