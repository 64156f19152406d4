"""Text2DT: decision trees of diagnosis and treatment in Chinese guidelines and textbooks."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import text2dt

CORPORA = (
    Corpus(
        name="text2dt",
        title="Text2DT: medical decision trees from texts (CHIP-2022, CBLUE)",
        langs=("zh",),
        tasks=("struct",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/95414",
        citation="Zhu et al. Extracting decision trees from medical texts: an overview of the Text2DT track in "
        "CHIP2022. CHIP, 2022.",
        verified="real",
        files={
            "train": (Source(path="Text2DT_train.json", read=text2dt.read),),
            "dev": (Source(path="Text2DT_dev.json", read=text2dt.read),),
            "test": (Source(path="Text2DT_test.json", read=text2dt.read),),
        },
        counts={
            "train": {"records": 300, "structs": 300, "nodes": 1398},
            "dev": {"records": 100, "structs": 100, "nodes": 472},
            "test": {"records": 100, "structs": 100, "nodes": 498},
        },
        sizes={"train": 300, "dev": 100, "test": 100},
        unit="texts",
        listed=Listed(lang="zh", number=38, task="TT-ts", sizes={"train": 300, "dev": 100}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/95414, apply for CBLUE and agree to its terms; put "
        "Text2DT_train.json, Text2DT_dev.json and Text2DT_test.json into the folder of the corpus.",
        relation_types={
            "临床表现": TypeName(en="clinical manifestation", zh="临床表现"),
            "治疗药物": TypeName(en="drug treatment", zh="治疗药物"),
            "治疗方案": TypeName(en="treatment plan", zh="治疗方案"),
            "用法用量": TypeName(en="usage and dosage", zh="用法用量"),
            "基本情况": TypeName(en="basic condition", zh="基本情况"),
            "禁用药物": TypeName(en="contraindicated drug", zh="禁用药物"),
        },
        notes="Trees are full binary ones, their nodes in pre-order; a node of role C is a condition, of which the "
        "left branch is taken where it holds, one of role D a decision, which may be empty. The test file read here "
        "has trees; that of CBLUE may have none, and every item of it is then rejected.",
    ),
)
