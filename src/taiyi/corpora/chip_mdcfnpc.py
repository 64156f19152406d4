"""CHIP-MDCFNPC: whether a patient has what is spoken of in an online consultation."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import mdcfnpc

CORPORA = (
    Corpus(
        name="chip_mdcfnpc",
        title="CHIP Medical Dialogue Clinical Findings Negative and Positive Classification (CHIP-2021, CBLUE)",
        langs=("zh",),
        tasks=("ner",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/108859",
        citation="Xiong et al. Overview of CHIP 2021 shared task 1: classifying positive and negative clinical "
        "findings in medical dialog. Journal of Medical Informatics, 2023.",
        verified="fixture",
        files={
            "train": (Source(path="CHIP-MDCFNPC_train.jsonl", read=mdcfnpc.read),),
            "dev": (Source(path="CHIP-MDCFNPC_dev.jsonl", read=mdcfnpc.read),),
        },
        counts={"train": {"records": 5000}, "dev": {"records": 1000}},
        sizes={"train": 5000, "dev": 1000, "test": 2000},
        unit="dialogues",
        listed=Listed(lang="zh", number=29, task="TC", sizes={"train": 5000, "dev": 1000, "test": 2000}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/95414, apply for CBLUE and agree to its terms; put "
        "CHIP-MDCFNPC_train.jsonl and CHIP-MDCFNPC_dev.jsonl into the folder of the corpus.",
        entity_types={
            "clinical_findings": TypeName(
                en="clinical finding", zh="临床发现", definition_zh="对话中提到的症状、疾病等患者状态。"
            ),
        },
        labels={
            "阳性": TypeName(
                en="positive", zh="阳性", definition_zh="患者已有的症状或疾病，或假设未来可能发生的疾病。"
            ),
            "阴性": TypeName(en="negative", zh="阴性", definition_zh="患者没有的症状或疾病。"),
            "其他": TypeName(en="other", zh="其他", definition_zh="没有回答、不知道，或回答不明确。"),
            "不标注": TypeName(en="not labelled", zh="不标注", definition_zh="与患者当前的状态无关，没有标注的意义。"),
        },
        notes="A dialogue is a document, a line an utterance behind its speaker. The label of a finding is its "
        "attribute `polarity`; so the labels are those of mentions, not of texts. Those who worked with the files "
        "found ranges that do not fit their mentions; such mentions are rejected. The test file has no gold, and so "
        "is no split.",
    ),
)
