"""Pairs of Chinese medical texts in CBLUE: CHIP-STS, KUAKE-QQR, KUAKE-QTR and KUAKE-IR."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import kuake_ir, pairs

_LICENCE = "CBLUE terms: research use, registration"
_HOMEPAGE = "https://tianchi.aliyun.com/dataset/95414"
_CITATION = "Zhang et al. CBLUE: a Chinese biomedical language understanding evaluation benchmark. ACL, 2022."
_OBTAIN = "Register at https://tianchi.aliyun.com/dataset/95414, accept CBLUE's terms, and put the files of its folder "

_STS: dict[str, Any] = {"first_key": "text1", "second_key": "text2", "label_key": "label"}
_QQR: dict[str, Any] = {"first_key": "query1", "second_key": "query2", "label_key": "label"}
_QTR: dict[str, Any] = {"first_key": "query", "second_key": "title", "label_key": "label"}


def _retrieval(split: str) -> tuple[Source, ...]:
    queries = f"KUAKE-IR_{split}_query.txt"
    options = {"queries": queries, "passages": "corpus.tsv"}
    return (Source(path=f"KUAKE-IR_{split}.tsv", read=kuake_ir.read, options=options, needs=(queries, "corpus.tsv")),)


CORPORA = (
    Corpus(
        name="chip_sts",
        title="CHIP-STS: similar questions about five diseases",
        langs=("zh",),
        tasks=("tp_ss",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 16000, "dev": 4000, "test": 10000},
        unit="pairs",
        listed=Listed(lang="zh", number=32, task="TP-ss", sizes={"train": 16000, "dev": 4000}),
        obtain=f"{_OBTAIN}CHIP-STS under chip_sts/.",
        files={
            "train": (Source(path="CHIP-STS_train.json", read=pairs.read, options=_STS),),
            "dev": (Source(path="CHIP-STS_dev.json", read=pairs.read, options=_STS),),
        },
        counts={"train": {"records": 16000, "pairs": 16000}, "dev": {"records": 4000, "pairs": 4000}},
        labels={
            "0": TypeName(en="different", zh="语义不同", definition_zh="两个问句问的不是同一件事"),
            "1": TypeName(en="similar", zh="语义相同", definition_zh="两个问句的语义相同或者相近"),
        },
        notes="The disease that both questions are about (diabetes, hypertension, hepatitis, aids, breast_cancer) "
        "stands under category and is not read. The test file has no gold, and so is no split.",
    ),
    Corpus(
        name="kuake_qqr",
        title="KUAKE Query Query Relevance",
        langs=("zh",),
        tasks=("tp_ss",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="real",
        sizes={"train": 15000, "dev": 1600, "test": 1596},
        unit="pairs",
        listed=Listed(lang="zh", number=33, task="TP-ss", sizes={"train": 15000, "dev": 1600}),
        obtain=f"{_OBTAIN}KUAKE-QQR under kuake_qqr/.",
        files={
            "train": (Source(path="KUAKE-QQR_train.json", read=pairs.read, options=_QQR),),
            "dev": (Source(path="KUAKE-QQR_dev.json", read=pairs.read, options=_QQR),),
        },
        counts={
            "train": {"records": 15000, "pairs": 15000, "pairs.0": 8946, "pairs.1": 2603, "pairs.2": 3451},
            "dev": {"records": 1600, "pairs": 1600, "pairs.0": 1006, "pairs.1": 260, "pairs.2": 334},
        },
        labels={
            "0": TypeName(
                en="unrelated or broader",
                zh="无关或更宽泛",
                definition_zh="第二个查询的语义比第一个更宽泛，或者两者无关",
            ),
            "1": TypeName(en="narrower", zh="语义子集", definition_zh="第二个查询的语义是第一个的子集"),
            "2": TypeName(en="equivalent", zh="语义等价", definition_zh="两个查询的主题和表述一致"),
        },
        notes="The test file has no gold, and so is no split. The texts are under query1 and query2, though the "
        "example files of the release, and CBLUE's description, say query and title.",
    ),
    Corpus(
        name="kuake_qtr",
        title="KUAKE Query Title Relevance",
        langs=("zh",),
        tasks=("tp_ss",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 24174, "dev": 2913, "test": 5465},
        unit="pairs",
        listed=Listed(lang="zh", number=34, task="TP-ss", sizes={"train": 24174, "dev": 2913, "test": 5465}),
        obtain=f"{_OBTAIN}KUAKE-QTR under kuake_qtr/.",
        files={
            "train": (Source(path="KUAKE-QTR_train.json", read=pairs.read, options=_QTR),),
            "dev": (Source(path="KUAKE-QTR_dev.json", read=pairs.read, options=_QTR),),
        },
        counts={"train": {"records": 24174, "pairs": 24174}, "dev": {"records": 2913, "pairs": 2913}},
        labels={
            "0": TypeName(en="not relevant", zh="不相关", definition_zh="标题与查询的主题不符"),
            "1": TypeName(en="slightly relevant", zh="略微相关", definition_zh="标题与查询的主题只有少许相符"),
            "2": TypeName(en="mostly relevant", zh="大部分相关", definition_zh="标题与查询的主题大部分相符"),
            "3": TypeName(en="fully relevant", zh="完全相关", definition_zh="标题与查询的主题完全相符"),
        },
        notes="The paper lists the test set too (5,465). It has no gold, and so is no split.",
    ),
    Corpus(
        name="kuake_ir",
        title="KUAKE Information Retrieval: queries and the passages that answer them",
        langs=("zh",),
        tasks=("tp_ss",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Long et al. Multi-CPR: a multi domain Chinese dataset for passage retrieval. SIGIR, 2022.",
        verified="fixture",
        sizes={"train": 100000, "dev": 1000, "test": 3000},
        unit="queries",
        listed=Listed(lang="zh", number=36, task="TP-ss", sizes={"train": 100000, "dev": 1000, "test": 3000}),
        obtain=f"{_OBTAIN}KUAKE-IR under kuake_ir/: corpus.tsv, and KUAKE-IR_train.tsv, KUAKE-IR_train_query.txt and "
        "the like of dev.",
        files={"train": _retrieval("train"), "dev": _retrieval("dev")},
        labels={"1": TypeName(en="relevant", zh="相关", definition_zh="段落能够回答查询")},
        notes="The paper's list calls its number 36 IMCS-V2-SR, a name that its number 10 has already. Task and sizes "
        "(100,000, 1,000 and 3,000) are those of the retrieval task that joined CBLUE with IMCS-V2, so this is what "
        "is meant. All pairs are relevant: the release has no irrelevant ones, and who wants them has to draw them "
        "from the 958,846 passages. The test queries have no gold, and so are no split.",
    ),
)
