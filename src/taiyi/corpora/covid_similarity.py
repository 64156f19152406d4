"""Similar questions about COVID-19 and diseases like it, of a competition of Tianchi."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import pairs

_OPTIONS: dict[str, Any] = {"first_key": "query1", "second_key": "query2", "label_key": "label"}

CORPORA = (
    Corpus(
        name="covid_similarity",
        title="COVID-19 sentence pair similarity",
        langs=("zh",),
        tasks=("tp_ss",),
        licence="not stated",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/76751",
        citation="Alibaba DAMO Academy and Miao Health. 新冠疫情相似句对判定大赛 (competition on similar sentence "
        "pairs about COVID-19). Tianchi, 2020.",
        verified="real",
        sizes={"train": 8747, "dev": 2002},
        unit="pairs",
        listed=Listed(lang="zh", number=35, task="TP-ss", sizes={"test": 7032}),
        obtain="Register at https://tianchi.aliyun.com/dataset/76751 and put train_20200228.csv and dev_20200228.csv "
        "under covid_similarity/.",
        files={
            "train": (Source(path="train_20200228.csv", read=pairs.read, options=_OPTIONS),),
            "dev": (Source(path="dev_20200228.csv", read=pairs.read, options=_OPTIONS),),
        },
        counts={
            "train": {"records": 8747, "pairs": 8747, "pairs.0": 5250, "pairs.1": 3497},
            "dev": {"records": 2002, "pairs": 2002, "pairs.0": 1198, "pairs.1": 804},
        },
        labels={
            "0": TypeName(en="different", zh="不相似", definition_zh="两个问句的语义不同"),
            "1": TypeName(en="similar", zh="相似", definition_zh="两个问句的语义相同"),
        },
        notes="The paper lists 7,032 pairs as a test set. The competition's test set was never shown to those who "
        "took part, and no count of the published files is 7,032; train and dev are what there is. A file train.csv "
        "that goes about besides has one pair more, which repeats an id. The disease that the questions are about "
        "stands under category and is not read.",
    ),
)
