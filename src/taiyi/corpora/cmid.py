"""CMID: what a Chinese medical question asks for."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import labelled

_LABELS = {
    "定义": TypeName(en="definition", zh="定义", definition_zh="询问某种疾病是什么，或现有的表现是不是某种病"),
    "病因": TypeName(en="cause", zh="病因", definition_zh="询问得病或出现症状的原因"),
    "临床表现(病症表现)": TypeName(en="clinical manifestation", zh="临床表现", definition_zh="询问疾病的症状和表现"),
    "相关病症": TypeName(en="related conditions", zh="相关病症", definition_zh="询问与之有关的其他疾病或症状"),
    "治疗方法": TypeName(en="way of treatment", zh="治疗方法", definition_zh="询问疾病怎样治疗"),
    "推荐医院": TypeName(en="recommended hospital", zh="推荐医院", definition_zh="询问去哪家医院治疗"),
    "预防": TypeName(en="prevention", zh="预防", definition_zh="询问怎样预防疾病"),
    "所属科室": TypeName(en="department", zh="所属科室", definition_zh="询问应该看哪个科"),
    "禁忌": TypeName(en="contraindication", zh="禁忌", definition_zh="询问得病或用药时不能做什么、吃什么"),
    "传染性": TypeName(en="contagiousness", zh="传染性", definition_zh="询问疾病会不会传染"),
    "治愈率": TypeName(en="cure rate", zh="治愈率", definition_zh="询问疾病能否治好"),
    "严重性": TypeName(en="severity", zh="严重性", definition_zh="询问病情是否严重"),
    "作用": TypeName(en="effect of a drug", zh="作用", definition_zh="询问药物起什么作用"),
    "功效": TypeName(en="efficacy of a drug", zh="功效", definition_zh="询问药物的功效"),
    "适用症": TypeName(en="indication", zh="适用症", definition_zh="询问药物适合治什么病"),
    "价钱": TypeName(en="price of a drug", zh="价钱", definition_zh="询问药物的价格"),
    "用法": TypeName(en="usage", zh="用法", definition_zh="询问药物怎样使用"),
    "副作用": TypeName(en="side effect", zh="副作用", definition_zh="询问药物的不良反应"),
    "成分": TypeName(en="ingredients", zh="成分", definition_zh="询问药物的成分"),
    "方法": TypeName(en="procedure", zh="方法", definition_zh="询问某种治疗或检查怎样做"),
    "费用": TypeName(en="cost of treatment", zh="费用", definition_zh="询问治疗或检查的费用"),
    "有效时间": TypeName(en="duration of effect", zh="有效时间", definition_zh="询问效果能维持多久"),
    "临床意义/检查目的": TypeName(
        en="clinical significance or purpose of a test", zh="临床意义或检查目的", definition_zh="询问检查的意义和目的"
    ),
    "治疗时间": TypeName(en="time of treatment", zh="治疗时间", definition_zh="询问治疗需要多长时间或何时进行"),
    "疗效": TypeName(en="effectiveness", zh="疗效", definition_zh="询问治疗的效果"),
    "恢复时间": TypeName(en="recovery time", zh="恢复时间", definition_zh="询问多久能够恢复"),
    "正常指标": TypeName(en="normal values", zh="正常指标", definition_zh="询问检查指标的正常范围"),
    "化验/体检方案": TypeName(
        en="tests or check-ups to take", zh="化验或体检方案", definition_zh="询问应做哪些化验、体检"
    ),
    "恢复": TypeName(en="recovery", zh="恢复", definition_zh="询问治疗以后怎样恢复"),
    "设备用法": TypeName(en="use of a device", zh="设备用法", definition_zh="询问医疗设备怎样使用"),
    "多问": TypeName(en="several questions", zh="多问", definition_zh="一句话里问了几件事"),
    "养生": TypeName(en="health preservation", zh="养生", definition_zh="询问养生保健"),
    "整容": TypeName(en="cosmetic surgery", zh="整容", definition_zh="询问整形美容"),
    "两性": TypeName(en="sexual health", zh="两性", definition_zh="询问两性健康"),
    "对比": TypeName(en="comparison", zh="对比", definition_zh="询问几种疾病、药物或方法的区别"),
    "无法确定": TypeName(en="undetermined", zh="无法确定", definition_zh="意图无法确定"),
}
# The texts of labels stand in quotes of their own: ["'病因'"].
_OPTIONS: dict[str, Any] = {
    "text_keys": ("originalText",),
    "label_key": "label_36class",
    "names": {f"'{label}'": label for label in _LABELS},
}

CORPORA = (
    Corpus(
        name="cmid",
        title="Chinese Medical Intent Dataset",
        langs=("zh",),
        tasks=("tc",),
        licence="not stated",
        access="open",
        homepage="https://github.com/IMU-MachineLearningSXD/CMID",
        citation="Chen et al. A benchmark dataset and case study for Chinese medical question intent classification. "
        "BMC Medical Informatics and Decision Making, 2020.",
        verified="real",
        sizes={"train": 12254},
        unit="questions",
        listed=Listed(lang="zh", number=25, task="TC", sizes={"train": 12254}),
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/IMU-MachineLearningSXD/CMID/master/CMID.json", path="CMID.json"
            ),
        ),
        files={"train": (Source(path="CMID.json", read=labelled.read, options=_OPTIONS),)},
        counts={
            "train": {
                "records": 7754,
                "labelled": 7754,
                "labels.治疗方法": 1195,
                "labels.临床表现(病症表现)": 866,
                "labels.病因": 687,
                "labels.多问": 613,
                "labels.适用症": 521,
                "labels.无法确定": 464,
                "labels.作用": 409,
                "labels.禁忌": 376,
                "labels.方法": 343,
                "labels.定义": 329,
                "labels.用法": 265,
                "labels.副作用": 231,
                "labels.推荐医院": 213,
                "labels.相关病症": 171,
                "labels.严重性": 168,
                "labels.养生": 100,
                "labels.预防": 85,
                "labels.成分": 82,
                "labels.治愈率": 72,
                "labels.两性": 66,
                "labels.价钱": 60,
                "labels.费用": 52,
                "labels.恢复": 50,
                "labels.对比": 49,
                "labels.疗效": 47,
                "labels.化验/体检方案": 46,
                "labels.治疗时间": 40,
                "labels.临床意义/检查目的": 26,
                "labels.传染性": 25,
                "labels.有效时间": 25,
                "labels.正常指标": 19,
                "labels.恢复时间": 19,
                "labels.所属科室": 17,
                "labels.设备用法": 15,
                "labels.整容": 7,
                "labels.功效": 1,
            }
        },
        labels=_LABELS,
        notes="The file that is published holds 7,754 questions of the 12,254 of the paper (the paper's abstract says "
        "12,000). The label is the finer of the two levels, of 36 intents; the four of the coarser (病症, 药物, "
        "治疗方案, 其他) follow from it, except that 禁忌 stands under 病症 (166 questions) and 药物 (210). The "
        "authors' page calls the latter 药物禁忌, and does not know 功效, which one question has. 471 questions say "
        "the same as another. The entities and words that come with each question were found by programs and are not "
        "read.",
    ),
)
