"""What patients write and the medical concepts that they mean: AskAPatient and TwADR-L."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import phrases
from taiyi.schema import Split

_TYPE = "medical_concept"
_FILES: dict[Split, str] = {"train": "train", "dev": "validation", "test": "test"}
_URL = "https://zenodo.org/record/55013/files/datasets.zip"
_CITATION = (
    "Limsopatham and Collier. Normalising Medical Concepts in Social Media Texts by Learning Semantic Representation. "
    "ACL, 2016."
)
_NOTES = (
    "Published as ten folds. Fold 0 is read, about a tenth of the sizes, which (as in the list of the paper) are the "
    "sums over all folds. A record is a phrase without its context, which one mention covers; the name of the concept "
    "is an attribute of it. Bytes outside ASCII are read as Latin-1 where a file is not UTF-8."
)


def _files(folder: str, database: str) -> dict[Split, tuple[Source, ...]]:
    options = {"database": database, "type": _TYPE, "encodings": ("utf-8", "latin-1")}
    return {
        split: (Source(path=f"datasets/{folder}/{folder}.fold-0.{name}.txt", read=phrases.read, options=options),)
        for split, name in _FILES.items()
    }


CORPORA = (
    Corpus(
        name="ask_a_patient",
        title="AskAPatient",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC BY 4.0",
        access="open",
        homepage="https://zenodo.org/record/55013",
        citation=_CITATION,
        verified="fixture",
        files=_files("AskAPatient", "SNOMED CT or AMT"),
        sizes={"train": 156652, "dev": 7926, "test": 8662},
        unit="phrases over ten folds",
        listed=Listed(lang="en", number=9, task="NER", sizes={"train": 156652, "dev": 7926, "test": 8662}),
        downloads=(Download(url=_URL, unpack=True, members=("datasets/AskAPatient/*fold-0*",)),),
        entity_types={
            _TYPE: TypeName(
                en="medical concept",
                zh="医学概念",
                definition_en="what a patient says of a symptom, disease, finding or drug",
                definition_zh="患者对症状、疾病、表现或药物的说法",
            )
        },
        notes="Phrases of reviews of drugs by patients (of the CADEC corpus), with concepts of SNOMED CT and of the "
        f"Australian Medicines Terminology, which the ids do not tell apart. {_NOTES}",
    ),
    Corpus(
        name="twadrl",
        title="TwADR-L",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC BY 4.0",
        access="open",
        homepage="https://zenodo.org/record/55013",
        citation=_CITATION,
        verified="fixture",
        files=_files("TwADR-L", "SIDER 4"),
        sizes={"train": 48200, "dev": 1300, "test": 1430},
        unit="phrases over ten folds",
        listed=Listed(lang="en", number=16, task="NER", sizes={"train": 48200, "dev": 1300, "test": 1430}),
        downloads=(Download(url=_URL, unpack=True, members=("datasets/TwADR-L/*fold-0*",)),),
        entity_types={
            _TYPE: TypeName(
                en="medical concept",
                zh="医学概念",
                definition_en="what a tweet says of a side effect of a drug or of a reason to take it",
                definition_zh="推文中对药物副作用或用药原因的说法",
            )
        },
        notes=f"Phrases of tweets, with concepts of SIDER 4. {_NOTES}",
    ),
)
