"""CMeIE-V2: triples of 43 relation types in Chinese medical texts, without offsets (CBLUE)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import cmeie

_ENGLISH = {
    "预防": "prevention",
    "阶段": "stage",
    "就诊科室": "department to visit",
    "辅助治疗": "adjuvant therapy",
    "化疗": "chemotherapy",
    "放射治疗": "radiotherapy",
    "手术治疗": "surgical treatment",
    "药物治疗": "drug treatment",
    "实验室检查": "laboratory examination",
    "影像学检查": "imaging examination",
    "辅助检查": "auxiliary examination",
    "组织学检查": "histological examination",
    "内窥镜检查": "endoscopy",
    "筛查": "screening",
    "多发群体": "group often affected",
    "发病率": "incidence",
    "发病年龄": "age of onset",
    "多发地区": "region often affected",
    "发病性别倾向": "sex tendency",
    "死亡率": "mortality",
    "多发季节": "season of frequent onset",
    "传播途径": "route of transmission",
    "并发症": "complication",
    "病理分型": "pathological type",
    "相关（导致）": "related (causes)",
    "相关（转化）": "related (turns into)",
    "相关（症状）": "related (symptom)",
    "鉴别诊断": "differential diagnosis",
    "发病部位": "site of disease",
    "转移部位": "site of metastasis",
    "外侵部位": "site of invasion",
    "病因": "cause",
    "高危因素": "high-risk factor",
    "风险评估因素": "risk assessment factor",
    "病史": "medical history",
    "遗传因素": "genetic factor",
    "发病机制": "pathogenesis",
    "病理生理": "pathophysiology",
    "治疗后症状": "symptom after treatment",
    "临床表现": "clinical manifestation",
    "预后状况": "prognosis",
    "预后生存率": "survival rate",
    "同义词": "synonym",
}

CORPORA = (
    Corpus(
        name="cmeie_v2",
        title="Chinese Medical Information Extraction, version 2 (CBLUE)",
        langs=("zh",),
        tasks=("re",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/95414",
        citation="Guan et al. CMeIE: construction and evaluation of Chinese medical information extraction dataset. "
        "NLPCC, 2020.",
        verified="real",
        files={
            "train": (Source(path="CMeIE-V2_train.jsonl", read=cmeie.read),),
            "dev": (Source(path="CMeIE-V2_dev.jsonl", read=cmeie.read),),
        },
        sizes={"train": 14339, "dev": 3585},
        unit="texts",
        listed=Listed(lang="zh", number=24, task="RE", sizes={"train": 14339, "dev": 3585}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/95414, apply for CBLUE and agree to its terms; put "
        "CMeIE-V2_train.jsonl and CMeIE-V2_dev.jsonl into the folder of the corpus.",
        entity_types={
            "疾病": TypeName(en="disease", zh="疾病", definition_zh="疾病、综合征和损伤。"),
            "症状": TypeName(en="symptom", zh="症状", definition_zh="疾病引起的症状和体征。"),
            "检查": TypeName(en="examination", zh="检查", definition_zh="用于诊断的检查和检验。"),
            "药物": TypeName(en="drug", zh="药物", definition_zh="用于治疗的药物。"),
            "手术治疗": TypeName(en="surgical treatment", zh="手术治疗", definition_zh="以手术进行的治疗。"),
            "其他治疗": TypeName(en="other treatment", zh="其他治疗", definition_zh="药物和手术以外的治疗与辅助治疗。"),
            "部位": TypeName(en="body site", zh="部位", definition_zh="疾病发生、转移或侵及的身体部位。"),
            "流行病学": TypeName(
                en="epidemiology", zh="流行病学", definition_zh="发病率、死亡率、多发人群、地区、季节等。"
            ),
            "社会学": TypeName(en="sociology", zh="社会学", definition_zh="病因、风险因素、病史、遗传因素等。"),
            "预后": TypeName(en="prognosis", zh="预后", definition_zh="疾病的预后状况和生存率。"),
            "其他": TypeName(en="other", zh="其他", definition_zh="其他类型，如科室、阶段、同义词。"),
        },
        relation_types={zh: TypeName(en=en, zh=zh) for zh, en in _ENGLISH.items()},
        counts={"train": {"records": 14339}, "dev": {"records": 3585, "triples": 16309}},
        notes="Of dev, 18 texts have no triple, and are kept; 12 triples are repeated within their text, and are "
        "kept. Train was not checked: of it only the official number of texts is stated. The test file has no gold, "
        "and so is no split. Subjects and objects have no offsets, and not all of them stand in the text as they "
        "are. V1, of CHIP-2020, has 53 relations between the same types, not 43.",
    ),
)
