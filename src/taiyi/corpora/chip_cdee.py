"""CHIP-CDEE: clinical findings in Chinese medical records, as events."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import cdee

CORPORA = (
    Corpus(
        name="chip_cdee",
        title="CHIP Clinical Discovery Event Extraction (CHIP-2021, CBLUE)",
        langs=("zh",),
        tasks=("ee",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/95414",
        citation="Zhang et al. CBLUE: a Chinese biomedical language understanding evaluation benchmark. ACL, 2022.",
        verified="real",
        files={
            "train": (Source(path="CHIP-CDEE_train.json", read=cdee.read),),
            "dev": (Source(path="CHIP-CDEE_dev.json", read=cdee.read),),
        },
        counts={
            "train": {"records": 1587, "events": 8761, "events.临床发现": 8761, "rejects.empty argument": 4},
            "dev": {"records": 384, "events": 2138, "events.临床发现": 2138, "rejects.empty argument": 1},
        },
        sizes={"train": 1587, "dev": 384},
        unit="texts",
        listed=Listed(lang="zh", number=2, task="EE", sizes={"train": 1587, "dev": 384}),
        obtain="Sign in at https://tianchi.aliyun.com/dataset/95414, apply for CBLUE and agree to its terms; put "
        "CHIP-CDEE_train.json and CHIP-CDEE_dev.json into the folder of the corpus.",
        event_types={
            "临床发现": TypeName(
                en="clinical finding",
                zh="临床发现",
                definition_zh="病历中的疾病、症状或一般情况（主体词），连同其发生状态、描述词和解剖部位。",
            ),
        },
        roles={
            "tendency": TypeName(
                en="state of occurrence",
                zh="发生状态",
                definition_zh="主体词是否发生：否定或不确定；确定发生的不标注",
                values=("否定", "不确定"),
            ),
            "character": TypeName(en="descriptor", zh="描述词", definition_zh="对主体词特征的描述，如性质、程度和时间"),
            "anatomy": TypeName(en="body part", zh="解剖部位", definition_zh="主体词发生的身体部位"),
        },
        notes="Events have no offsets: core words (the triggers), describing words (`character`) and body parts "
        "(`anatomy`) are normalised, and of the core words of train 1,003 do not stand in their text as they are. "
        "`tendency` is 否定 or 不确定, or absent where the file has an empty text; two events of train have 不确定 "
        "with a space after it, which is taken off. Five describing words are blank and rejected. The test file has "
        "no gold, and so is no split.",
    ),
)
