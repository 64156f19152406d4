"""Questions about passages of the literature of traditional Chinese medicine, of a competition of Tianchi."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source
from taiyi.formats import passage_qa

CORPORA = (
    Corpus(
        name="tcm_literature_qa",
        title="Questions on the literature of traditional Chinese medicine",
        langs=("zh",),
        tasks=("qa_cqa",),
        licence="not stated",
        access="form",
        homepage="https://tianchi.aliyun.com/competition/entrance/531826/information",
        citation="Wanchuang and Alibaba Cloud. 中医文献问题生成挑战 (generating questions on the literature of "
        "traditional Chinese medicine). Tianchi, 2020.",
        verified="fixture",
        sizes={"train": 18478},
        unit="questions",
        listed=Listed(lang="zh", number=13, task="QA-cqa", sizes={"train": 18478}),
        obtain="Register at Tianchi, join competition 531826, and put round1_train_0907.json under tcm_literature_qa/.",
        files={"train": (Source(path="round1_train_0907.json", read=passage_qa.read),)},
        counts={"train": {"records": 18478, "questions": 18478}},
        notes="The competition asked for questions given passage and answer; read here is the question about the "
        "passage. Its test file has no questions, and so is no split. The paper's list cites an article about another "
        "corpus (CHIP-CTC) for it.",
    ),
)
