"""TCM-NER: entities in the package inserts of traditional Chinese medicines."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Layout, Listed, Source, TypeName
from taiyi.formats import brat, tcm_ner

CORPORA = (
    Corpus(
        name="tcm_ner",
        title="Entities in package inserts of traditional Chinese medicines (Tianchi, Wanchuang Cup 2020)",
        langs=("zh",),
        tasks=("ner",),
        licence="not stated",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/86819",
        citation="Alibaba Cloud Tianchi. Entity recognition challenge on package inserts of traditional Chinese "
        "medicines (Wanchuang Cup). 2020.",
        verified="fixture",
        files={"train": (Source(path="train", read=brat.read),)},
        counts={"train": {"records": 1000}},
        copies=(
            Layout(
                name="stacked_json",
                files={
                    "train": (Source(path="train.json", read=tcm_ner.read),),
                    "dev": (Source(path="dev.json", read=tcm_ner.read),),
                },
                verified="real",
                counts={
                    "train": {
                        "records": 850,
                        "entities": 15129,
                        "entities.SYMPTOM": 5186,
                        "entities.DRUG_EFFICACY": 2746,
                        "entities.PERSON_GROUP": 1456,
                        "entities.SYNDROME": 1023,
                        "entities.DRUG_TASTE": 969,
                        "entities.DISEASE": 943,
                        "entities.DRUG_DOSAGE": 886,
                        "entities.DRUG_INGREDIENT": 639,
                        "entities.FOOD_GROUP": 543,
                        "entities.DISEASE_GROUP": 523,
                        "entities.DRUG": 141,
                        "entities.FOOD": 65,
                        "entities.DRUG_GROUP": 9,
                    },
                    "dev": {
                        "records": 150,
                        "entities": 2628,
                        "entities.SYMPTOM": 904,
                        "entities.DRUG_EFFICACY": 511,
                        "entities.PERSON_GROUP": 262,
                        "entities.SYNDROME": 183,
                        "entities.DRUG_TASTE": 164,
                        "entities.DISEASE": 161,
                        "entities.DRUG_DOSAGE": 130,
                        "entities.DISEASE_GROUP": 100,
                        "entities.FOOD_GROUP": 98,
                        "entities.DRUG_INGREDIENT": 89,
                        "entities.DRUG": 15,
                        "entities.FOOD": 6,
                        "entities.DRUG_GROUP": 5,
                    },
                },
                notes="As the winners of the contest passed it on: the 1,000 labelled documents in JSON, cut into "
                "850 and 150 by them. `candidate_entities` and `pseudo` are made by programs, as are the labels of "
                "pseudo.json, and are not read; stack.json is train and dev together.",
            ),
        ),
        sizes={"train": 1000},
        unit="documents",
        listed=Listed(lang="zh", number=7, task="NER", sizes={"train": 1997}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/86819, agree to the terms, and unpack round1_train.zip "
        "in the folder of the corpus, so that it has train/0.txt, train/0.ann and so on.",
        entity_types={
            "DRUG": TypeName(
                en="traditional Chinese medicine",
                zh="药品",
                definition_zh="中药的名称，即在中医理论指导下用于预防、治疗和保健的药品。",
            ),
            "DRUG_INGREDIENT": TypeName(en="drug ingredient", zh="药物成分", definition_zh="组成中药的药材或成分。"),
            "DISEASE": TypeName(en="disease", zh="疾病", definition_zh="中西医中的疾病名称。"),
            "SYMPTOM": TypeName(en="symptom", zh="症状", definition_zh="疾病引起的不适或异常的表现。"),
            "SYNDROME": TypeName(
                en="TCM syndrome", zh="证候", definition_zh="中医对疾病某一阶段病理本质的概括，如气血两虚。"
            ),
            "DISEASE_GROUP": TypeName(en="group of diseases", zh="疾病分组", definition_zh="一类疾病的统称，如肝病。"),
            "FOOD": TypeName(en="food", zh="食物", definition_zh="可以吃或喝的具体物质。"),
            "FOOD_GROUP": TypeName(en="group of foods", zh="食物分组", definition_zh="一类食物的统称，如辛辣食物。"),
            "PERSON_GROUP": TypeName(
                en="group of people", zh="人群", definition_zh="适用、禁用或慎用药品的人群，如孕妇。"
            ),
            "DRUG_GROUP": TypeName(en="group of drugs", zh="药品分组", definition_zh="一类药品的统称，如滋补性中药。"),
            "DRUG_DOSAGE": TypeName(en="dosage form", zh="药物剂型", definition_zh="药品的剂型，如丸剂、颗粒。"),
            "DRUG_TASTE": TypeName(
                en="taste and nature of a drug", zh="药物性味", definition_zh="药品的气味和性质，如味甘、微苦。"
            ),
            "DRUG_EFFICACY": TypeName(
                en="efficacy of a drug", zh="中药功效", definition_zh="中药的治疗作用，如活血化瘀。"
            ),
        },
        notes="The list's 1,997 are all documents of the contest: 1,000 to train on, 500 and 497 for its two tests, "
        "whose labels were not given out. Dev exists in a copy only, and is part of the official train. Texts keep "
        "the HTML marks (<br/>) that they have.",
    ),
)
