"""Chia: entities and their logic in the eligibility criteria of clinical trials."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import brat

_OPTIONS: dict[str, Any] = {"documents": {r"(NCT\d+)_(?:inc|exc)": r"nct:\1"}}
_FIGSHARE = "https://figshare.com/ndownloader/files"

_ENTITIES = {
    "Condition": TypeName(
        en="condition",
        zh="病况",
        definition_en="a disease, symptom or other state of health",
        definition_zh="疾病、症状或其他健康状态",
    ),
    "Drug": TypeName(
        en="drug", zh="药物", definition_en="a medicine or class of medicines", definition_zh="药物或药物类别"
    ),
    "Procedure": TypeName(
        en="procedure", zh="操作", definition_en="a treatment or examination", definition_zh="治疗或检查操作"
    ),
    "Measurement": TypeName(
        en="measurement",
        zh="测量指标",
        definition_en="something that is measured of a patient",
        definition_zh="对患者测量的指标",
    ),
    "Observation": TypeName(
        en="observation",
        zh="观察情况",
        definition_en="a fact of a patient's history or life that is none of the others",
        definition_zh="不属于其他类型的病史或生活情况",
    ),
    "Device": TypeName(en="device", zh="器械", definition_en="a medical device", definition_zh="医疗器械"),
    "Person": TypeName(
        en="person",
        zh="人群特征",
        definition_en="age, sex and other data of a person",
        definition_zh="年龄、性别等人口学特征",
    ),
    "Visit": TypeName(
        en="visit", zh="就诊", definition_en="an encounter with a place of care", definition_zh="在医疗机构的就诊"
    ),
    "Value": TypeName(
        en="value", zh="取值", definition_en="a value or range, often of a measurement", definition_zh="取值或取值范围"
    ),
    "Temporal": TypeName(
        en="time", zh="时间", definition_en="when something was or is the case", definition_zh="时间表达"
    ),
    "Qualifier": TypeName(
        en="qualifier", zh="修饰语", definition_en="what narrows another entity down", definition_zh="对其他实体的限定"
    ),
    "Multiplier": TypeName(
        en="multiplier",
        zh="频次与用量",
        definition_en="how often, how many, how much or for how long",
        definition_zh="频次、数量、用量或持续时间",
    ),
    "Negation": TypeName(
        en="negation", zh="否定", definition_en="words that negate another entity", definition_zh="否定其他实体的词语"
    ),
    "Mood": TypeName(
        en="mood",
        zh="语气",
        definition_en="whether something is planned, needed or only possible",
        definition_zh="表示计划、需要或可能的语气",
    ),
    "Reference_point": TypeName(
        en="reference point",
        zh="参照时点",
        definition_en="the event that a time is counted from",
        definition_zh="计时所参照的事件",
    ),
    "Line": TypeName(
        en="line of treatment",
        zh="治疗线数",
        definition_en="first, second or later treatment",
        definition_zh="一线、二线等治疗",
    ),
    "Non-query-able": TypeName(
        en="not a matter of records",
        zh="无法查询",
        definition_en="a criterion that no query of health records can answer",
        definition_zh="无法用病历数据查询的条件",
    ),
    "Non-representable": TypeName(
        en="not to be said in the data model",
        zh="无法表示",
        definition_en="a criterion that the data model has no place for",
        definition_zh="数据模型无法表示的条件",
    ),
    "Post-eligibility": TypeName(
        en="matter after enrolment",
        zh="入组后事项",
        definition_en="something that can be known only after enrolment",
        definition_zh="入组后才能确定的事项",
    ),
    "Informed_consent": TypeName(
        en="informed consent", zh="知情同意", definition_en="that the patient agrees", definition_zh="患者同意参与"
    ),
    "Competing_trial": TypeName(
        en="competing trial", zh="其他试验", definition_en="part in another trial", definition_zh="参加其他试验"
    ),
    "Pregnancy_considerations": TypeName(
        en="pregnancy",
        zh="妊娠相关",
        definition_en="pregnancy, nursing or contraception",
        definition_zh="妊娠、哺乳或避孕",
    ),
    "Intoxication_considerations": TypeName(
        en="intoxication",
        zh="中毒或成瘾相关",
        definition_en="use of alcohol or other substances",
        definition_zh="酒精或其他物质使用",
    ),
    "Subjective_judgement": TypeName(
        en="judgement of the investigator",
        zh="研究者判断",
        definition_en="what the investigator is to judge",
        definition_zh="由研究者主观判断的内容",
    ),
    "Not_a_criteria": TypeName(
        en="not a criterion",
        zh="非入排条件",
        definition_en="text that is no criterion",
        definition_zh="不属于条件的文字",
    ),
    "Undefined_semantics": TypeName(
        en="unclear meaning",
        zh="语义不明",
        definition_en="text whose meaning is not clear",
        definition_zh="含义不清的文字",
    ),
    "Context_Error": TypeName(
        en="missing context",
        zh="语境缺失",
        definition_en="text that needs what is not there",
        definition_zh="缺少上下文的文字",
    ),
    "Parsing_Error": TypeName(
        en="parsing error",
        zh="切分错误",
        definition_en="text broken by its processing",
        definition_zh="因处理而损坏的文字",
    ),
    "Grammar_Error": TypeName(
        en="grammar error", zh="语法错误", definition_en="text with wrong grammar", definition_zh="语法有误的文字"
    ),
    "c-Requires_causality": TypeName(
        en="causality needed",
        zh="需要因果关系",
        definition_en="a criterion that asks for a cause",
        definition_zh="要求因果关系的条件",
    ),
}
_RELATIONS = {
    "OR": TypeName(
        en="or", zh="或", definition_en="one of them is enough", definition_zh="满足其一即可", symmetric=True
    ),
    "AND": TypeName(en="and", zh="且", definition_en="both are needed", definition_zh="二者须同时满足", symmetric=True),
    "v-AND": TypeName(
        en="faulty and",
        zh="误用的“和”",
        definition_en="the second is an `and` that is marked as an error of grammar, next to the first",
        definition_zh="后者为被标为语法错误的 and，与前者相连",
    ),
    "NOT": TypeName(en="not", zh="非", definition_en="what is not to be the case", definition_zh="不得出现的情况"),
    "Subsumes": TypeName(
        en="subsumes", zh="包含", definition_en="the second is a kind of the first", definition_zh="后者是前者的一种"
    ),
    "Has_value": TypeName(
        en="has value",
        zh="取值为",
        definition_en="the second is the value of the first",
        definition_zh="后者为前者的取值",
    ),
    "Has_qualifier": TypeName(
        en="has qualifier",
        zh="由……修饰",
        definition_en="the second narrows the first down",
        definition_zh="后者限定前者",
    ),
    "Has_temporal": TypeName(
        en="has time",
        zh="时间为",
        definition_en="the second is the time of the first",
        definition_zh="后者为前者的时间",
    ),
    "Has_index": TypeName(
        en="has reference point",
        zh="参照于",
        definition_en="the time is counted from the second",
        definition_zh="时间以后者为参照",
    ),
    "Has_negation": TypeName(
        en="has negation", zh="被否定", definition_en="the second negates the first", definition_zh="后者否定前者"
    ),
    "Has_multiplier": TypeName(
        en="has multiplier",
        zh="频次或用量为",
        definition_en="the second says how often, how much or for how long the first is",
        definition_zh="后者表示前者的频次、用量或持续时间",
    ),
    "Has_mood": TypeName(
        en="has mood",
        zh="语气为",
        definition_en="the second is the mood of the first",
        definition_zh="后者为前者的语气",
    ),
    "Has_context": TypeName(
        en="has context",
        zh="背景为",
        definition_en="the second, an observation, is the setting or the finding that the first is told with",
        definition_zh="后者（观察情况）为前者的背景或所见",
    ),
    "multi": TypeName(
        en="same words of another type",
        zh="同一文字的另一类型",
        definition_en="the two are the same words, or one is within the other, with a type each",
        definition_zh="二者为同一段文字或一方包含另一方，各有类型",
        symmetric=True,
    ),
    "causal": TypeName(
        en="cause and effect",
        zh="因果",
        definition_en="one is the cause of the other, mostly the second that of the first",
        definition_zh="二者存在因果关系，多以后者为因",
    ),
}

CORPORA = (
    Corpus(
        name="chia",
        title="Chia, eligibility criteria of clinical trials",
        langs=("en",),
        tasks=("ner", "re"),
        licence="CC BY 4.0",
        access="open",
        homepage="https://github.com/WengLab-InformaticsResearch/CHIA",
        citation="Kury et al. Chia, a large annotated corpus of clinical trial eligibility criteria. "
        "Scientific Data, 2020.",
        verified="real",
        files={"train": (Source(path="chia_without_scope", read=brat.read, options=_OPTIONS),)},
        counts={
            "train": {
                "records": 1997,
                "documents": 1000,
                "entities": 44613,
                "entities.Condition": 12038,
                "entities.Drug": 3801,
                "entities.Procedure": 3595,
                "entities.Measurement": 3304,
                "entities.Value": 4002,
                "entities.Temporal": 3580,
                "entities.Qualifier": 4157,
                "discontinuous": 1795,
                "relations": 25168,
                "relations.OR": 5018,
                "relations.NOT": 4,
                "rejects.mention differs from the text in white space": 11,
                "rejects.mention does not match the text": 3,
                "rejects.invalid record": 3,
            }
        },
        copies=(
            Layout(
                name="with_scope",
                files={"train": (Source(path="chia_with_scope", read=brat.read, options=_OPTIONS),)},
                verified="fixture",
                notes="The authors' other release of the same criteria, in which the scope of a logical word is an "
                "entity (Scope) that relations lead to (Has_scope).",
            ),
        ),
        sizes={"train": 2000},
        listed=Listed(lang="en", number=88, task="NER,RE", sizes={"train": 2000}),
        downloads=(
            Download(url=f"{_FIGSHARE}/21728853", path="chia_without_scope", unpack=True),
            Download(url=f"{_FIGSHARE}/21728850", path="chia_with_scope", unpack=True),
        ),
        entity_types=_ENTITIES
        | {
            "Scope": TypeName(
                en="scope",
                zh="作用范围",
                definition_en="the stretch of text that a logical word or qualifier applies to",
                definition_zh="逻辑词或修饰语所作用的文字范围",
            )
        },
        relation_types=_RELATIONS
        | {
            "Has_scope": TypeName(
                en="has scope",
                zh="范围为",
                definition_en="the second is the scope of the first",
                definition_zh="后者为前者的范围",
            )
        },
        notes="Each of 1,000 trials has two files, its criteria of inclusion (_inc) and of exclusion (_exc): two "
        "records of one document. Texts keep their CRLF, which the offsets count. Parts of discontinuous mentions "
        "are in the order of the text. `* OR` and `* NOT` lines are relations of all their members. Of 44,616 "
        "mentions, 11 whose span takes in the end of the line are kept with the text at the span, and 3 whose text "
        "is not the one at their span (NCT02137369_inc T8, NCT02590822_inc T5, NCT03460002_inc T5) are dropped. "
        "Three files of criteria are empty and give no record. The form without scopes is read, the other one if "
        "only that is there.",
    ),
)
