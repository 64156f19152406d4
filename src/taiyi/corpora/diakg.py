"""DiaKG: entities and relations in Chinese guidelines and consensus papers on diabetes."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import diakg

_CITATION = "Chang et al. DiaKG: an annotated diabetes dataset for medical knowledge graph construction. CCKS, 2021."
_ENTITIES = {
    "Disease": TypeName(en="disease", zh="疾病", definition_zh="疾病和综合征的名称。"),
    "Class": TypeName(en="class of a disease", zh="疾病分型", definition_zh="疾病的分期和分型，如2型。"),
    "Reason": TypeName(en="cause", zh="病因", definition_zh="引起疾病的原因。"),
    "Pathogenesis": TypeName(en="pathogenesis", zh="发病机制", definition_zh="疾病发生和发展的机制，如胰岛素抵抗。"),
    "Symptom": TypeName(en="symptom", zh="临床表现", definition_zh="疾病的症状和体征。"),
    "Test": TypeName(en="test", zh="检查方法", definition_zh="实验室、影像学等检查的方法。"),
    "Test_items": TypeName(en="test item", zh="检查指标", definition_zh="检查中所测的指标，如空腹血糖。"),
    "Test_Value": TypeName(en="test value", zh="检查指标值", definition_zh="指标的数值或结果，如阳性。"),
    "Drug": TypeName(en="drug", zh="药品", definition_zh="药物的名称和类别，如胰岛素促泌剂。"),
    "Frequency": TypeName(en="frequency of use", zh="用药频率", definition_zh="用药的频率，如每日两次。"),
    "Amount": TypeName(en="amount of a drug", zh="用药剂量", definition_zh="用药的剂量。"),
    "Method": TypeName(en="way of giving a drug", zh="用药方法", definition_zh="用药的方法，如餐前、皮下注射。"),
    "Treatment": TypeName(en="treatment without drugs", zh="非药物治疗", definition_zh="药物以外的治疗，如饮食控制。"),
    "Operation": TypeName(en="operation", zh="手术", definition_zh="手术的名称。"),
    "ADE": TypeName(en="adverse drug effect", zh="不良反应", definition_zh="用药后的不良反应，如低血糖。"),
    "Anatomy": TypeName(en="anatomy", zh="部位", definition_zh="身体的部位、器官、组织和细胞。"),
    "Level": TypeName(en="degree", zh="程度", definition_zh="病情或缓解的程度。"),
    "Duration": TypeName(en="duration", zh="持续时间", definition_zh="症状或用药持续的时间。"),
}
_RELATIONS = {
    "Test_items_Disease": TypeName(en="test item of a disease", zh="检查指标-疾病"),
    "Class_Disease": TypeName(en="class of a disease", zh="分型-疾病"),
    "Anatomy_Disease": TypeName(en="site of a disease", zh="部位-疾病"),
    "Reason_Disease": TypeName(en="cause of a disease", zh="病因-疾病"),
    "Drug_Disease": TypeName(en="drug for a disease", zh="药品-疾病"),
    "Duration_Drug": TypeName(en="duration of a drug's use", zh="持续时间-药品"),
    "Method_Drug": TypeName(en="way of giving a drug", zh="用药方法-药品"),
    "Symptom_Disease": TypeName(en="symptom of a disease", zh="临床表现-疾病"),
    "Treatment_Disease": TypeName(en="treatment of a disease", zh="非药物治疗-疾病"),
    "Amount_Drug": TypeName(en="amount of a drug", zh="用药剂量-药品"),
    "Pathogenesis_Disease": TypeName(en="pathogenesis of a disease", zh="发病机制-疾病"),
    "ADE_Drug": TypeName(en="adverse effect of a drug", zh="不良反应-药品"),
    "Test_Disease": TypeName(en="test for a disease", zh="检查方法-疾病"),
    "Frequency_Drug": TypeName(en="frequency of a drug's use", zh="用药频率-药品"),
    "Operation_Disese": TypeName(en="operation for a disease", zh="手术-疾病"),
}
_RULE = (
    "A record is a sentence of the files (often a whole paragraph); offsets are relative to it. A relation to an "
    "entity of another sentence is rejected."
)

CORPORA = (
    Corpus(
        name="diakg",
        title="DiaKG: an annotated diabetes dataset",
        langs=("zh",),
        tasks=("ner", "re"),
        licence="not stated",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/88836",
        citation=_CITATION,
        verified="fixture",
        files={"train": (Source(path="0521_new_format/*.json", read=diakg.read),)},
        sizes={"train": 41},
        unit="documents",
        listed=Listed(lang="zh", number=12, task="NER,RE", sizes={"train": 2292}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/88836, agree to the terms, and put the folder "
        "0521_new_format with its 41 JSON files into the folder of the corpus.",
        entity_types=_ENTITIES,
        relation_types=_RELATIONS,
        notes=f"{_RULE} The authors count 41 documents with 22,050 entities and 6,890 relations; the list's 2,292 is "
        "a number of smaller parts, which their paper does not give. There is no official division. The files spell "
        "one relation Operation_Disese.",
    ),
    Corpus(
        name="diakg_sample",
        title="DiaKG, the sample in its authors' repository",
        langs=("zh",),
        tasks=("ner", "re"),
        licence="Apache-2.0",
        access="open",
        homepage="https://github.com/changdejie/diaKG-code",
        citation=_CITATION,
        verified="real",
        files={"train": (Source(path="sample.json", read=diakg.read),)},
        counts={
            "train": {
                "records": 83,
                "documents": 1,
                "entities": 424,
                "entities.Drug": 151,
                "entities.Disease": 99,
                "entities.Class": 43,
                "entities.Anatomy": 33,
                "entities.Test_items": 31,
                "entities.ADE": 27,
                "entities.Pathogenesis": 17,
                "entities.Test_Value": 13,
                "entities.Level": 5,
                "entities.Frequency": 2,
                "entities.Reason": 1,
                "entities.Duration": 1,
                "entities.Method": 1,
                "relations": 173,
                "relations.Drug_Disease": 46,
                "relations.Class_Disease": 43,
                "relations.Anatomy_Disease": 30,
                "relations.ADE_Drug": 25,
                "relations.Pathogenesis_Disease": 14,
                "relations.Test_items_Disease": 11,
                "relations.Frequency_Drug": 2,
                "relations.Reason_Disease": 1,
                "relations.Duration_Drug": 1,
            }
        },
        sizes={"train": 1},
        unit="documents",
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/changdejie/diaKG-code/main/data/sample.json", path="sample.json"
            ),
        ),
        entity_types=_ENTITIES,
        relation_types=_RELATIONS,
        notes=f"{_RULE} One document of diakg, in 83 sentences; the licence is that of the repository.",
    ),
)
