"""CMeEE: nested entities of nine types in Chinese paediatric texts, as of CHIP-2020 (V1) and of CBLUE (V2)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import cblue, chip2020

_TYPES = {
    "dis": TypeName(
        en="disease", zh="疾病", definition_zh="使人处于非健康状态的原因，或医生作出的诊断，包括综合征、损伤和中毒。"
    ),
    "sym": TypeName(en="clinical manifestation", zh="临床表现", definition_zh="疾病引起的症状、体征和检查所见的异常。"),
    "pro": TypeName(
        en="medical procedure", zh="医疗程序", definition_zh="为诊断、治疗或预防而采取的检查、手术等措施。"
    ),
    "equ": TypeName(en="medical equipment", zh="医疗设备", definition_zh="诊断和治疗时使用的器械、仪器和材料。"),
    "dru": TypeName(en="drug", zh="药物", definition_zh="用于预防、治疗或诊断疾病的物质，包括疫苗。"),
    "ite": TypeName(
        en="medical test item", zh="医学检验项目", definition_zh="对取自人体的样本所测的项目，以及生理指标。"
    ),
    "bod": TypeName(en="body", zh="身体", definition_zh="身体的部位、器官、组织和细胞，以及身体产生的物质。"),
    "dep": TypeName(en="department", zh="科室", definition_zh="医院的科室。"),
    "mic": TypeName(en="microorganism", zh="微生物类", definition_zh="细菌、病毒、真菌等微生物。"),
}

CORPORA = (
    Corpus(
        name="cmeee_v2",
        title="Chinese Medical Entity Extraction, version 2 (CBLUE)",
        langs=("zh",),
        tasks=("ner",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/144495",
        citation="Zhang et al. CBLUE: a Chinese biomedical language understanding evaluation benchmark. ACL, 2022.",
        verified="real",
        files={
            "train": (Source(path="CMeEE-V2_train.json", read=cblue.read_mentions),),
            "dev": (Source(path="CMeEE-V2_dev.json", read=cblue.read_mentions),),
        },
        sizes={"train": 15000, "dev": 5000},
        unit="texts",
        listed=Listed(lang="zh", number=6, task="NER", sizes={"train": 15000, "dev": 5000}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/144495 (or apply for the whole of CBLUE, dataset "
        "95414), agree to the terms, and put CMeEE-V2_train.json and CMeEE-V2_dev.json into the folder of the corpus.",
        entity_types=_TYPES,
        counts={
            "train": {"records": 15000},
            "dev": {
                "records": 5000,
                "entities": 26081,
                "entities.bod": 7361,
                "entities.dis": 6328,
                "entities.sym": 5297,
                "entities.pro": 3319,
                "entities.dru": 1566,
                "entities.ite": 1339,
                "entities.mic": 621,
                "entities.equ": 164,
                "entities.dep": 86,
            },
        },
        notes="The test file has no gold, and so is no split. Dev has the sentences of the CHIP-2020 dev set, "
        "annotated anew. Ends are inclusive: text[start_idx:end_idx + 1] is the entity in all 26,081 of dev. Train "
        "was not checked: of it only the official number of texts is stated.",
    ),
    Corpus(
        name="cmeee_chip2020",
        title="Chinese Medical Entity Extraction, CHIP-2020 (CMeEE version 1)",
        langs=("zh",),
        tasks=("ner",),
        licence="CHIP-2020 terms: research use, registration",
        access="form",
        homepage="http://cips-chip.org.cn/2020/eval1",
        sizes={"train": 15000, "dev": 5000, "test": 3000},
        unit="texts",
        obtain="Apply for the data of CHIP-2020 task 1 at its page, or for CBLUE 1.0 "
        "(https://tianchi.aliyun.com/dataset/95414), and put train_data_all.txt (V1 with all its texts; "
        "train_data.txt lacks some) and val_data.txt into the folder of the corpus.",
        citation="Zan et al. Building a pediatric medical corpus: word segmentation and named entity annotation. "
        "CLSW, 2020.",
        verified="real",
        files={
            "train": (Source(path="train_data_all.txt", read=chip2020.read),),
            "dev": (Source(path="val_data.txt", read=chip2020.read),),
        },
        entity_types=_TYPES,
        counts={
            "train": {
                "records": 15000,
                "entities": 61794,
                "entities.bod": 17697,
                "entities.dis": 15843,
                "entities.sym": 12269,
                "entities.pro": 6331,
                "entities.dru": 3930,
                "entities.ite": 2581,
                "entities.mic": 1907,
                "entities.equ": 888,
                "entities.dep": 348,
                "rejects.span outside the text": 2,
            },
            "dev": {
                "records": 5000,
                "entities": 20300,
                "entities.bod": 5883,
                "entities.dis": 4935,
                "entities.sym": 4130,
                "entities.pro": 2057,
                "entities.dru": 1440,
                "entities.ite": 923,
                "entities.mic": 584,
                "entities.equ": 238,
                "entities.dep": 110,
            },
        },
        notes="Two of the 61,796 mentions of train end before they begin and are dropped. The test file has no gold, "
        "and so is no split. Dev has the sentences of the CMeEE-V2 dev set.",
    ),
)
