"""CMedCausal: why one thing follows from another in Chinese answers to medical questions."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import cmedcausal

CORPORA = (
    Corpus(
        name="cmedcausal",
        title="Chinese Medical Causal dataset (CHIP-2022, CBLUE)",
        langs=("zh",),
        tasks=("cre", "re", "ner"),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/129573",
        citation="Li et al. CHIP2022 shared task overview: medical causal entity relationship extraction. CHIP, 2022.",
        verified="fixture",
        files={
            "train": (Source(path="CMedCausal_train.json", read=cmedcausal.read),),
            "dev": (Source(path="CMedCausal_dev.json", read=cmedcausal.read),),
        },
        counts={"train": {"records": 800}, "dev": {"records": 200}},
        sizes={"train": 800, "dev": 200},
        unit="texts",
        listed=Listed(lang="zh", number=1, task="CRE", sizes={"train": 800, "dev": 200}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/129573 (or apply for CBLUE 3.0, dataset 95414), agree "
        "to the terms, and put CMedCausal_train.json and CMedCausal_dev.json into the folder of the corpus.",
        entity_types={
            "mention": TypeName(
                en="medical concept",
                zh="医学概念片段",
                definition_zh="文本中表示原因、结果、条件或概念的片段，包括程度、频率等有用的信息。",
            ),
        },
        relation_types={
            "因果关系": TypeName(en="causal relation", zh="因果关系", definition_zh="原因直接导致结果。"),
            "条件关系": TypeName(
                en="conditional relation",
                zh="条件关系",
                definition_zh="在某一条件下，一个因果关系才成立；条件本身不是原因。",
            ),
            "上下位关系": TypeName(
                en="hypernym relation", zh="上下位关系", definition_zh="一个概念包含另一个概念，前者为上位词。"
            ),
        },
        notes="Relations 1, 2 and 3 of the files are named in words. The second argument of a conditional relation "
        "is the relation that it holds for; where that is stated nowhere else it is kept with the attribute "
        "`stated`, and counts as a relation. A relation is rejected with a mention of it that does not match the "
        "text. The sizes are those of CBLUE's share; the shared task of CHIP-2022 gave out 2,000 texts to train on, "
        "and the whole corpus has 9,153 texts. The test file has no gold, and so is no split.",
    ),
)
