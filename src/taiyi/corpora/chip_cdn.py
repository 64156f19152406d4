"""CHIP-CDN and Yidu-N7K: Chinese diagnoses and operations, normalised to the terms of classifications."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import cdn

_DIAGNOSES: dict[str, Any] = {"type": "诊断", "db": "ICD-10 Beijing 601"}
_OPERATIONS: dict[str, Any] = {
    "type": "手术",
    "db": "ICD-9-CM-3 Union 2017",
    "text_key": "原始词",
    "target_key": "标准词",
}

CORPORA = (
    Corpus(
        name="chip_cdn",
        title="CHIP Clinical Diagnosis Normalization (CBLUE)",
        langs=("zh",),
        tasks=("nen", "ner"),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/95414",
        citation="Zhang et al. CBLUE: a Chinese biomedical language understanding evaluation benchmark. ACL, 2022.",
        verified="real",
        files={
            "train": (Source(path="CHIP-CDN_train.json", read=cdn.read, options=_DIAGNOSES),),
            "dev": (Source(path="CHIP-CDN_dev.json", read=cdn.read, options=_DIAGNOSES),),
        },
        counts={
            "train": {"records": 6000, "entities": 6000, "entities.诊断": 6000, "concepts": 6000},
            "dev": {"records": 2000, "entities": 2000, "entities.诊断": 2000, "concepts": 2000},
        },
        sizes={"train": 6000, "dev": 2000, "test": 10000},
        unit="terms",
        listed=Listed(lang="zh", number=8, task="NER", sizes={"train": 6000, "dev": 2000}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/95414, apply for CBLUE and agree to its terms; put "
        "CHIP-CDN_train.json and CHIP-CDN_dev.json into the folder of the corpus.",
        entity_types={
            "诊断": TypeName(en="diagnosis", zh="诊断", definition_zh="病历中医生书写的诊断，可含多个疾病。"),
        },
        notes="A term is a document that one mention fills; its concepts are the standard terms of the Beijing "
        "clinical version (v601) of ICD-10, by name, as the files give them (its codes stand in an XLSX beside "
        "them). Of several the order is the file's; 32 terms of train and 13 of dev name one of theirs twice, which "
        "is kept. 623 of the 10,948 standard terms of train and 215 of the 3,542 of dev are not names of that list as "
        "they stand, among them a bare O (34 and 6) and some in quotes; they are kept too. The list files the corpus "
        "under NER. The test file has no gold, and so is no split.",
    ),
    Corpus(
        name="clinical_terminology_standardization",
        title="Clinical Terminology Standardization (CHIP-2019 task 1, Yidu-N7K)",
        langs=("zh",),
        tasks=("nen", "ner"),
        licence="not stated",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/92094",
        citation="Huang et al. Overview of the CHIP2019 shared task track 1: normalization of Chinese clinical "
        "terminology. Journal of Chinese Information Processing, 2021.",
        verified="fixture",
        files={
            "train": (Source(path="train.xlsx", read=cdn.read, options=_OPERATIONS),),
            "dev": (Source(path="val.xlsx", read=cdn.read, options=_OPERATIONS),),
            "test": (Source(path="answer.xlsx", read=cdn.read, options=_OPERATIONS),),
        },
        counts={"train": {"records": 4000}, "dev": {"records": 1000}, "test": {"records": 2000}},
        sizes={"train": 4000, "dev": 1000, "test": 2000},
        unit="terms",
        listed=Listed(lang="zh", number=9, task="NER", sizes={"train": 4000, "dev": 1000, "test": 2000}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/92094, agree to the terms, and put train.xlsx, "
        "val.xlsx and answer.xlsx (the test terms with their answers) into the folder of the corpus.",
        entity_types={
            "手术": TypeName(en="operation", zh="手术", definition_zh="病历中医生书写的手术或操作名称。"),
        },
        notes="A term is a document that one mention fills; its concepts are the standard terms of the operations of "
        "ICD-9-CM-3 (Peking Union clinical version, 2017), by name, as the files give them. Names of files and "
        "columns are those of Yidu-N7K, as which Yidu Cloud passes on the data of the same task and sizes. The list "
        "files the corpus under NER.",
    ),
)
