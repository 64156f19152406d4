"""IMCS-V2 (IMCS-21): online consultations about children, with entities, symptoms, dialogue acts and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from taiyi.catalogue import Corpus, Counts, Download, Layout, Listed, Source, TypeName
from taiyi.formats import imcs, imcs_aligned, labelled
from taiyi.schema import Record, Reject, Split

_CITATION = (
    "Chen et al. A benchmark for automatic medical consultation system: frameworks, tasks and datasets. "
    "Bioinformatics, 2022."
)
_HOMEPAGE = "https://github.com/lemuria-wchen/imcs21"
_DOWNLOADS = tuple(
    Download(url=f"https://raw.githubusercontent.com/lemuria-wchen/imcs21/main/dataset/{name}", path=name)
    for name in ("train.json", "dev.json", "test.json")
)
_UNIT = "dialogues"
_SIZES: Mapping[Split, int] = {"train": 2472, "dev": 833, "test": 811}
_NORMS = {"db": "IMCS-21 symptoms"}
_SYMPTOM = TypeName(en="symptom", zh="症状", definition_zh="患者因患病而表现出的异常状况，如发热、鼻塞。")
_TYPES = {
    "Symptom": _SYMPTOM,
    "Drug": TypeName(en="drug", zh="药品名", definition_zh="具体的药物名称，如蒙脱石散。"),
    "Drug_Category": TypeName(
        en="drug category", zh="药物类别", definition_zh="按功能划分的药物种类，如消炎药、益生菌。"
    ),
    "Medical_Examination": TypeName(en="medical examination", zh="检查", definition_zh="医学检验和检查，如血常规。"),
    "Operation": TypeName(en="medical operation", zh="操作", definition_zh="相关的医疗操作，如输液、雾化。"),
}
_ACTS = {
    "Request-Symptom": TypeName(en="asking about symptoms", zh="提问-症状"),
    "Inform-Symptom": TypeName(en="telling symptoms", zh="告知-症状"),
    "Request-Etiology": TypeName(en="asking about the cause", zh="提问-病因"),
    "Inform-Etiology": TypeName(en="telling the cause", zh="告知-病因"),
    "Request-Basic_Information": TypeName(en="asking about basic information", zh="提问-基本信息"),
    "Inform-Basic_Information": TypeName(en="telling basic information", zh="告知-基本信息"),
    "Request-Existing_Examination_and_Treatment": TypeName(
        en="asking about examinations and treatments so far", zh="提问-已有检查和治疗"
    ),
    "Inform-Existing_Examination_and_Treatment": TypeName(
        en="telling examinations and treatments so far", zh="告知-已有检查和治疗"
    ),
    "Request-Drug_Recommendation": TypeName(en="asking for advice on drugs", zh="提问-用药建议"),
    "Inform-Drug_Recommendation": TypeName(en="giving advice on drugs", zh="告知-用药建议"),
    "Request-Medical_Advice": TypeName(en="asking for advice on seeing a doctor", zh="提问-就医建议"),
    "Inform-Medical_Advice": TypeName(en="giving advice on seeing a doctor", zh="告知-就医建议"),
    "Request-Precautions": TypeName(en="asking about precautions", zh="提问-注意事项"),
    "Inform-Precautions": TypeName(en="telling precautions", zh="告知-注意事项"),
    "Diagnose": TypeName(en="diagnosis", zh="诊断"),
    "Other": TypeName(en="other", zh="其他"),
}
# The order in which the authors' baseline (task4, preprocess.py) numbers the acts.
_NUMBERED = (
    "Request-Etiology",
    "Request-Precautions",
    "Request-Medical_Advice",
    "Inform-Etiology",
    "Diagnose",
    "Request-Basic_Information",
    "Request-Drug_Recommendation",
    "Inform-Medical_Advice",
    "Request-Existing_Examination_and_Treatment",
    "Inform-Basic_Information",
    "Inform-Precautions",
    "Inform-Existing_Examination_and_Treatment",
    "Inform-Drug_Recommendation",
    "Request-Symptom",
    "Inform-Symptom",
    "Other",
)
_ACT_LINES: dict[str, Any] = {
    "columns": ("text", "label"),
    "delimiter": "\t",
    "quoted": False,
    "names": {str(number): act for number, act in enumerate(_NUMBERED)},
}
_COPY = "As CBLUE 3.0 passes it on (https://tianchi.aliyun.com/dataset/95414, by registration); its test has no gold."
_FOLDER = "The four corpora of IMCS-V2 share the folder imcs_v2."


def _layouts(
    read: Callable[..., Iterator[Record | Reject]], options: Mapping[str, Any], counts: Mapping[Split, int]
) -> dict[str, Any]:
    """Return files and counts of the authors' repository, and CBLUE's share as a copy, for one task."""

    def source(name: str) -> tuple[Source, ...]:
        return (Source(path=name, read=read, options=options),)

    records: dict[Split, Counts] = {split: {"records": number} for split, number in counts.items()}
    return {
        "files": {"train": source("train.json"), "dev": source("dev.json"), "test": source("test.json")},
        "counts": records,
        "copies": (
            Layout(
                name="cblue",
                files={"train": source("IMCS-V2_train.json"), "dev": source("IMCS-V2_dev.json")},
                verified="fixture",
                counts={split: count for split, count in records.items() if split != "test"},
                notes=_COPY,
            ),
        ),
    }


CORPORA = (
    Corpus(
        name="imcs_v2_ner",
        title="IMCS-V2, named entities (CBLUE, DialoAMC)",
        langs=("zh",),
        tasks=("ner", "nen"),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        **_layouts(imcs.read, _NORMS, _SIZES),
        sizes=_SIZES,
        unit=_UNIT,
        listed=Listed(lang="zh", number=11, task="NER/NEN", sizes={"train": 2472, "dev": 833}),
        downloads=_DOWNLOADS,
        folder="imcs_v2",
        entity_types=_TYPES,
        notes="A dialogue is a document, a line an utterance behind its speaker. The patient's own report, which has "
        "no labels, is not part of it. Symptoms have their standard names as concepts, and the attribute `status`: "
        f"absent (0), present (1) or uncertain (2). {_FOLDER}",
    ),
    Corpus(
        name="imcs_v2_sr",
        title="IMCS-V2, symptom recognition (CBLUE, DialoAMC)",
        langs=("zh",),
        tasks=("ner", "nen", "ee"),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        **_layouts(imcs.read, {**_NORMS, "symptoms_only": True}, _SIZES),
        sizes=_SIZES,
        unit=_UNIT,
        listed=Listed(lang="zh", number=10, task="NER", sizes={"train": 2472, "dev": 833, "test": 811}),
        downloads=_DOWNLOADS,
        folder="imcs_v2",
        entity_types={"Symptom": _SYMPTOM},
        event_types={
            "Symptom": TypeName(
                en="symptom of the patient", zh="患者症状", definition_zh="由整段对话推断出的症状及患者是否患有该症状。"
            ),
        },
        roles={
            "status": TypeName(
                en="status",
                zh="状态",
                definition_zh="患者是否患有该症状",
                values=("absent", "present", "uncertain"),
            ),
        },
        notes="As imcs_v2_ner, with symptoms alone; what the dialogue as a whole tells of a symptom "
        "(`implicit_info`) is an event with its standard name as trigger and the attribute `status`. "
        "`local_implicit_info` says the same of each utterance as its symptoms do, and `explicit_info` and "
        "`diagnosis` are of the patient's own report and of the whole consultation; they are not read. The list "
        f"gives the name IMCS-V2-SR to a second row too (36, of pairs), whose sizes are those of KUAKE-IR. {_FOLDER}",
    ),
    Corpus(
        name="imcs_v2_dac",
        title="IMCS-V2, dialogue act classification (CBLUE, DialoAMC)",
        langs=("zh",),
        tasks=("tc",),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        **_layouts(imcs.read_acts, {}, {"train": 98529, "dev": 33267, "test": 32935}),
        sizes=_SIZES,
        unit=_UNIT,
        listed=Listed(lang="zh", number=31, task="TC", sizes={"train": 2472, "dev": 833, "test": 811}),
        downloads=_DOWNLOADS,
        folder="imcs_v2",
        labels=_ACTS,
        notes="Sizes are of dialogues; a record is an utterance behind its speaker. The counts of dev and test are "
        "those of the authors' prepared files (imcs21_derived_dac); that of train is what remains of the 164,731 "
        f"utterances that they count. {_FOLDER}",
    ),
    Corpus(
        name="imcs_v2_mrg",
        title="IMCS-V2, medical report generation (CBLUE, DialoAMC)",
        langs=("zh",),
        tasks=("report",),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        **_layouts(imcs.read_reports, {}, {"train": 4944, "dev": 1666, "test": 1622}),
        sizes=_SIZES,
        unit=_UNIT,
        listed=Listed(lang="zh", number=37, task="TT-ts", sizes={"train": 2472, "dev": 833}),
        downloads=_DOWNLOADS,
        folder="imcs_v2",
        notes="Each dialogue has two reports by two people, and is a record with each: twice as many records as "
        f"dialogues. The source is the patient's own report and the dialogue. {_FOLDER}",
    ),
    Corpus(
        name="imcs21_derived_ner",
        title="IMCS-V2, named entities, as the authors' baseline prepares them",
        langs=("zh",),
        tasks=("ner",),
        licence="not stated",
        access="form",
        homepage="https://github.com/lemuria-wchen/imcs21-cblue/tree/main/task1",
        citation=_CITATION,
        verified="real",
        files={
            "dev": (
                Source(
                    path="NER_dev/input.seq.char",
                    read=imcs_aligned.read,
                    options={"labels": "output.seq.bio"},
                    needs=("NER_dev/output.seq.bio",),
                ),
            )
        },
        counts={
            "dev": {
                "records": 33267,
                "entities": 22409,
                "entities.Symptom": 12761,
                "entities.Medical_Examination": 3925,
                "entities.Drug": 2748,
                "entities.Drug_Category": 2042,
                "entities.Operation": 933,
            }
        },
        sizes={"dev": 33267},
        unit="utterances",
        obtain="Get IMCS-V2 as imcs_v2_ner says, run the authors' task1/BERT-NER/preprocess.py on it, and put its "
        "input.seq.char and output.seq.bio of dev into the folder NER_dev under imcs21_derived.",
        folder="imcs21_derived",
        entity_types=_TYPES,
        notes="The dev dialogues of imcs_v2_ner, an utterance a record; the ids of the dialogues and the standard "
        "names of symptoms are gone. The speaker stands before the utterance, labelled O.",
    ),
    Corpus(
        name="imcs21_derived_dac",
        title="IMCS-V2, dialogue acts, as the authors' baseline prepares them",
        langs=("zh",),
        tasks=("tc",),
        licence="not stated",
        access="form",
        homepage="https://github.com/lemuria-wchen/imcs21-cblue/tree/main/task4",
        citation=_CITATION,
        verified="real",
        files={
            "dev": (Source(path="DAC/dev.txt", read=labelled.read, options=_ACT_LINES),),
            "test": (Source(path="DAC/test.txt", read=labelled.read, options=_ACT_LINES),),
        },
        counts={
            "dev": {
                "records": 33267,
                "labelled": 33267,
                "labels.Other": 11208,
                "labels.Inform-Symptom": 4348,
                "labels.Request-Symptom": 2957,
                "labels.Inform-Drug_Recommendation": 2366,
                "labels.Inform-Existing_Examination_and_Treatment": 1938,
                "labels.Inform-Basic_Information": 1659,
                "labels.Inform-Precautions": 1624,
                "labels.Inform-Medical_Advice": 1320,
                "labels.Request-Existing_Examination_and_Treatment": 1268,
                "labels.Request-Drug_Recommendation": 1256,
                "labels.Request-Basic_Information": 1010,
                "labels.Diagnose": 746,
                "labels.Inform-Etiology": 527,
                "labels.Request-Medical_Advice": 425,
                "labels.Request-Precautions": 326,
                "labels.Request-Etiology": 289,
            },
            "test": {
                "records": 32935,
                "labelled": 32935,
                "labels.Other": 11214,
                "labels.Inform-Symptom": 4481,
                "labels.Request-Symptom": 3020,
                "labels.Inform-Drug_Recommendation": 2118,
                "labels.Inform-Existing_Examination_and_Treatment": 1987,
                "labels.Inform-Precautions": 1752,
                "labels.Inform-Basic_Information": 1528,
                "labels.Request-Existing_Examination_and_Treatment": 1313,
                "labels.Inform-Medical_Advice": 1157,
                "labels.Request-Drug_Recommendation": 1061,
                "labels.Request-Basic_Information": 988,
                "labels.Diagnose": 737,
                "labels.Inform-Etiology": 508,
                "labels.Request-Precautions": 400,
                "labels.Request-Medical_Advice": 373,
                "labels.Request-Etiology": 298,
            },
        },
        sizes={"dev": 33267, "test": 32935},
        unit="utterances",
        obtain="Get IMCS-V2 as imcs_v2_dac says, run the authors' task4/BERT-DAC/preprocess.py on it, and put its "
        "dev.txt and test.txt into the folder DAC under imcs21_derived.",
        folder="imcs21_derived",
        labels=_ACTS,
        notes="The dev and test dialogues of imcs_v2_dac, an utterance a record; the ids of the dialogues are gone. "
        "Acts are numbered in the order of the authors' preprocess.py.",
    ),
)
