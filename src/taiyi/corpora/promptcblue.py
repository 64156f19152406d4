"""Parts of PromptCBLUE: CBLUE's corpora, written out as prompts and answers by others."""

from __future__ import annotations

from functools import partial

from taiyi.catalogue import Corpus, Source
from taiyi.corpora import cmeee, cmeie_v2
from taiyi.formats import promptcblue
from taiyi.formats.promptcblue import Ends

_FILES = (
    "CHIP-CDEE-1588.json",
    "CHIP-CDN-2000.json",
    "CHIP-CDN-500.json",
    "CHIP-CTC-822.json",
    "CHIP-MDCFNPC-1000.json",
    "CHIP-STS-2502.json",
    "CMeEE-1000.json",
    "CMeIE-2000.json",
    "IMCS-MRG-1000.json",
    "IMCS-NER-1000.json",
    "KUAKE-IR-1866.json",
    "KUAKE-IR-500.json",
    "KUAKE-QIC-1100.json",
    "KUAKE-QTR-1000.json",
    "STS_2000.json",
)
_SUBSET = "promptcblue_subset"
_corpus = partial(
    Corpus,
    langs=("zh",),
    licence="not stated",
    access="form",
    homepage="https://github.com/michael-wzhu/PromptCBLUE",
    citation="Zhu et al. PromptCBLUE: a Chinese prompt tuning benchmark for the medical domain. "
    "arXiv:2310.14151, 2023.",
    verified="real",
    unit="prompts",
    obtain="Sign in at Tianchi for PromptCBLUE (see the homepage), whose prompts are lines of the same JSON; the "
    "division into these 15 files was made by others.",
)
# What its prompts call the types of CMeEE.
_TYPES = {
    "疾病": "dis",
    "临床表现": "sym",
    "医疗程序": "pro",
    "医疗设备": "equ",
    "药物": "dru",
    "医学检验项目": "ite",
    "身体部位": "bod",
    "医院科室": "dep",
    "微生物类": "mic",
}
# As the schema of CMeIE-V2 has it; synonyms, which are of any type, are most often diseases.
_TAILS = {
    "疾病": "并发症 病理分型 相关（导致） 相关（转化） 相关（症状） 鉴别诊断 同义词",
    "症状": "临床表现 治疗后症状",
    "检查": "实验室检查 影像学检查 辅助检查 组织学检查 内窥镜检查 筛查",
    "药物": "药物治疗",
    "手术治疗": "手术治疗",
    "其他治疗": "辅助治疗 化疗 放射治疗",
    "部位": "发病部位 转移部位 外侵部位",
    "流行病学": "多发群体 发病率 发病年龄 多发地区 发病性别倾向 死亡率 多发季节 传播途径",
    "社会学": "病因 高危因素 风险评估因素 病史 遗传因素 发病机制 病理生理",
    "预后": "预后状况 预后生存率",
    "其他": "预防 阶段 就诊科室",
}
_ENDS = {relation: Ends("疾病", tail) for tail, relations in _TAILS.items() for relation in relations.split()}

CORPORA = (
    _corpus(
        name=_SUBSET,
        title="PromptCBLUE, a part of its prompts by task",
        tasks=("qa_sqa",),
        files={"train": tuple(Source(path=name, read=promptcblue.read) for name in _FILES)},
        counts={"train": {"records": 19410, "questions": 19410, "rejects.no answer": 15}},
        sizes={"train": 19425},
        notes="No corpus of the list; prompts and answers are in the words of PromptCBLUE's templates. 15 prompts of "
        "CMeIE ask for nothing and have an empty answer; they are rejected. The CMeIE prompts are of 1,500 texts, "
        "four of which are in the dev set of CMeIE-V2 too, but for punctuation, and the IMCS prompts may be of its dev "
        "set: what is evaluated there is trained without these. The lines of four files end in a lone CR, those of two "
        "in CR and LF.",
    ),
    _corpus(
        name="promptcblue_cmeee",
        title="CMeEE-V2 as a part of PromptCBLUE has it",
        tasks=("ner",),
        folder=_SUBSET,
        files={"train": (Source(path="CMeEE-1000.json", read=promptcblue.read_entities, options={"types": _TYPES}),)},
        entity_types=cmeee.CORPORA[0].entity_types,
        counts={
            "train": {
                "records": 1000,
                "entities": 5442,
                "entities.bod": 1574,
                "entities.dis": 1242,
                "entities.sym": 1135,
                "entities.pro": 700,
                "entities.ite": 305,
                "entities.dru": 276,
                "entities.mic": 137,
                "entities.equ": 46,
                "entities.dep": 27,
            }
        },
        sizes={"train": 1000},
        notes="No corpus of the list: sentences of the training set of CMeEE-V2, read back out of prompts. These name "
        "entities without places, each as often as it is one: 4,953 of the 5,442 as often as they stand in the "
        "sentence; of the others the places within a longer name are left out first, then the last ones. Prompts ask "
        "for some of the nine types alone, but for nearly all that a sentence has: of the types that CMeEE's first "
        "version has in the same sentences, 7% are not asked for. That version has other entities in them.",
    ),
    _corpus(
        name="promptcblue_cmeie",
        title="CMeIE-V2 as a part of PromptCBLUE has it",
        tasks=("ner", "re"),
        folder=_SUBSET,
        files={"train": (Source(path="CMeIE-2000.json", read=promptcblue.read_triples, options={"ends": _ENDS}),)},
        entity_types=cmeie_v2.CORPORA[0].entity_types,
        relation_types=cmeie_v2.CORPORA[0].relation_types,
        counts={
            "train": {
                "records": 1500,
                "entities": 9384,
                "relations": 6701,
                "relations.临床表现": 1681,
                "relations.相关（导致）": 711,
                "relations.药物治疗": 532,
                "relations.同义词": 511,
                "rejects.undeclared type": 1,
            }
        },
        sizes={"train": 2000},
        notes="No corpus of the list: texts of the training set of CMeIE-V2, read back out of its 2,000 prompts, "
        "those about one text put together. What triples join is marked wherever it stands, within longer names only "
        "where it stands nowhere else; its types are those that the schema has for the relation, and those of "
        "synonyms, which may be of any type, diseases. One triple has a relation of the first version. Four texts "
        "are in the dev set of CMeIE-V2 too, but for punctuation.",
    ),
)
