"""KUAKE-QIC: the intent of Chinese medical search queries (CBLUE)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import labelled

_OPTIONS = {"text_keys": ("query",)}

CORPORA = (
    Corpus(
        name="kuake_qic",
        title="KUAKE Query Intent Classification",
        langs=("zh",),
        tasks=("tc",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/95414",
        citation="Zhang et al. CBLUE: a Chinese biomedical language understanding evaluation benchmark. ACL, 2022.",
        verified="real",
        sizes={"train": 6931, "dev": 1955, "test": 1994},
        unit="queries",
        listed=Listed(lang="zh", number=27, task="TC", sizes={"train": 6931, "dev": 1955}),
        obtain="Register at https://tianchi.aliyun.com/dataset/95414, accept CBLUE's terms, and put the files of its "
        "folder KUAKE-QIC under kuake_qic/.",
        files={
            "train": (Source(path="KUAKE-QIC_train.json", read=labelled.read, options=_OPTIONS),),
            "dev": (Source(path="KUAKE-QIC_dev.json", read=labelled.read, options=_OPTIONS),),
        },
        labels={
            "病情诊断": TypeName(en="diagnosis", zh="病情诊断", definition_zh="根据表现询问得了什么病或是不是某种病"),
            "病因分析": TypeName(en="cause analysis", zh="病因分析", definition_zh="询问疾病或症状的原因"),
            "治疗方案": TypeName(en="treatment plan", zh="治疗方案", definition_zh="询问怎样治疗、用药或缓解"),
            "就医建议": TypeName(
                en="advice on seeing a doctor", zh="就医建议", definition_zh="询问看什么科、去哪家医院、做什么检查"
            ),
            "指标解读": TypeName(
                en="interpretation of test results", zh="指标解读", definition_zh="询问检查指标的含义或是否正常"
            ),
            "疾病表述": TypeName(
                en="description of a disease", zh="疾病表述", definition_zh="询问疾病是什么、有什么症状和特点"
            ),
            "后果表述": TypeName(
                en="description of consequences", zh="后果表述", definition_zh="询问疾病或行为会有什么后果、影响"
            ),
            "注意事项": TypeName(en="precautions", zh="注意事项", definition_zh="询问能不能做什么、要注意什么"),
            "功效作用": TypeName(en="effects and efficacy", zh="功效作用", definition_zh="询问药物、食物等有什么功效"),
            "医疗费用": TypeName(en="medical costs", zh="医疗费用", definition_zh="询问治疗、检查或药物的费用"),
            "其他": TypeName(en="other", zh="其他", definition_zh="不属于以上任何一类"),
        },
        counts={
            "train": {
                "records": 6931,
                "labelled": 6931,
                "labels.治疗方案": 1750,
                "labels.其他": 1617,
                "labels.病情诊断": 877,
                "labels.注意事项": 650,
                "labels.疾病表述": 594,
                "labels.就医建议": 371,
                "labels.功效作用": 370,
                "labels.后果表述": 235,
                "labels.医疗费用": 177,
                "labels.病因分析": 153,
                "labels.指标解读": 137,
            },
            "dev": {
                "records": 1955,
                "labelled": 1955,
                "labels.治疗方案": 676,
                "labels.其他": 395,
                "labels.病情诊断": 288,
                "labels.疾病表述": 158,
                "labels.就医建议": 134,
                "labels.注意事项": 120,
                "labels.医疗费用": 50,
                "labels.后果表述": 45,
                "labels.指标解读": 32,
                "labels.病因分析": 29,
                "labels.功效作用": 28,
            },
        },
        notes="The test file has no gold, and so is no split; it has 1,994 queries, where CBLUE's table says 1,944. "
        "The label is 疾病表述 in the data where the description of the task says 疾病描述.",
    ),
)
