"""Challenges of i2b2 and n2c2 that classify records: smoking (2006), obesity (2008), cohort selection (2018)."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import i2b2_obesity, i2b2_xml

_HOMEPAGE = "https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/"
_LICENCE = "n2c2 Data Use Agreement"
_SIGN = f"Register at {_HOMEPAGE}, sign the data use agreement and wait for approval; "

_JUDGED_TRAIN = (
    "obesity_standoff_annotations_training.xml",
    "obesity_standoff_annotations_training_addendum.xml",
    "obesity_standoff_annotations_training_addendum2.xml",
    "obesity_standoff_annotations_training_addendum3.xml",
)
_JUDGED_TEST = ("obesity_standoff_annotations_test.xml",)
_DISEASES = {
    "Obesity": ("obesity", "肥胖"),
    "Asthma": ("asthma", "哮喘"),
    "CAD": ("coronary artery disease", "冠状动脉疾病"),
    "CHF": ("congestive heart failure", "充血性心力衰竭"),
    "Depression": ("depression", "抑郁症"),
    "Diabetes": ("diabetes mellitus", "糖尿病"),
    "Gallstones": ("gallstones or cholecystectomy", "胆结石或胆囊切除术"),
    "GERD": ("gastroesophageal reflux disease", "胃食管反流病"),
    "Gout": ("gout", "痛风"),
    "Hypercholesterolemia": ("hypercholesterolemia", "高胆固醇血症"),
    "Hypertension": ("hypertension", "高血压"),
    "Hypertriglyceridemia": ("hypertriglyceridemia", "高甘油三酯血症"),
    "OA": ("osteoarthritis", "骨关节炎"),
    "OSA": ("obstructive sleep apnea", "阻塞性睡眠呼吸暂停"),
    "PVD": ("peripheral vascular disease", "外周血管疾病"),
    "Venous Insufficiency": ("venous insufficiency", "静脉功能不全"),
}
_JUDGMENTS = {"present": "存在", "absent": "不存在", "questionable": "存疑"}
_SOURCES = {"textual": ("as the text says", "据文中所述"), "intuitive": ("as an expert concludes", "据专家判断")}


def _obesity_labels() -> dict[str, TypeName]:
    return {
        f"{source}: {disease}: {judgment}": TypeName(en=f"{en} {judgment}, {told}", zh=f"{zh}{shown}（{told_zh}）")
        for source, (told, told_zh) in _SOURCES.items()
        for disease, (en, zh) in _DISEASES.items()
        for judgment, shown in _JUDGMENTS.items()
    }


def _records(name: str, judgments: tuple[str, ...]) -> Source:
    options: dict[str, Any] = {"judgments": judgments}
    return Source(path=name, read=i2b2_obesity.read, options=options, needs=judgments)


CORPORA = (
    Corpus(
        name="n2c2_2006_smokers",
        title="i2b2 2006 smoking challenge (n2c2 NLP data set 1C)",
        langs=("en",),
        tasks=("tc",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Uzuner et al. Identifying patient smoking status from medical discharge records. JAMIA, 2008.",
        verified="fixture",
        files={
            "train": (Source(path="smokers_surrogate_train_all_version2.xml", read=i2b2_xml.read_smoking),),
            "test": (Source(path="smokers_surrogate_test_all_groundtruth_version2.xml", read=i2b2_xml.read_smoking),),
        },
        counts={"train": {"records": 398}, "test": {"records": 104}},
        sizes={"train": 398, "test": 104},
        listed=Listed(lang="en", number=56, task="TC", sizes={"train": 398, "test": 104}),
        obtain=f"{_SIGN}unpack data set 1C (smokers_surrogate_train_all_version2 and "
        "smokers_surrogate_test_all_groundtruth_version2) into the folder of the corpus.",
        labels={
            "PAST SMOKER": TypeName(
                en="past smoker", zh="既往吸烟者", definition_en="smoked until a year ago or earlier, and not since"
            ),
            "CURRENT SMOKER": TypeName(
                en="current smoker", zh="目前吸烟者", definition_en="has smoked within the past year"
            ),
            "SMOKER": TypeName(
                en="smoker", zh="吸烟者", definition_en="smokes or has smoked, and the record does not tell when"
            ),
            "NON-SMOKER": TypeName(en="non-smoker", zh="非吸烟者", definition_en="has never smoked"),
            "UNKNOWN": TypeName(en="unknown", zh="未知", definition_en="the record does not mention smoking"),
        },
        notes="Labels are the textual judgments. The records are discharge summaries, tokenised.",
    ),
    Corpus(
        name="n2c2_2008_obesity",
        title="i2b2 2008 obesity challenge",
        langs=("en",),
        tasks=("tc",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Uzuner. Recognizing obesity and comorbidities in sparse data. JAMIA, 2009.",
        verified="fixture",
        files={
            "train": (
                _records("obesity_patient_records_training.xml", _JUDGED_TRAIN),
                _records("obesity_patient_records_training2.xml", _JUDGED_TRAIN),
            ),
            "test": (_records("obesity_patient_records_test.xml", _JUDGED_TEST),),
        },
        counts={"train": {"records": 730}, "test": {"records": 507}},
        sizes={"train": 730, "test": 507},
        listed=Listed(lang="en", number=57, task="TC", sizes={"train": 730, "test": 507}),
        obtain=f"{_SIGN}put the three files of records (obesity_patient_records_*.xml) and the five of judgments "
        "(obesity_standoff_annotations_*.xml) into the folder of the corpus.",
        labels=_obesity_labels(),
        multi_label=True,
        notes="A label is a judgment of one of 16 diseases, by what the text says (textual) or what an expert "
        "concludes from it (intuitive). A disease that is not mentioned (textual judgment U) has no label, "
        "so a record without any judgment but U has none at all. Of two judgments of one disease the first is kept and "
        "the other rejected.",
    ),
    Corpus(
        name="n2c2_2018_track1",
        title="n2c2 2018 track 1, cohort selection for clinical trials",
        langs=("en",),
        tasks=("tc",),
        licence=_LICENCE,
        access="form",
        homepage="https://portal.dbmi.hms.harvard.edu/projects/n2c2-2018-t1/",
        citation="Stubbs et al. Cohort selection for clinical trials: n2c2 2018 shared task track 1. JAMIA, 2019.",
        verified="fixture",
        files={
            "train": (Source(path="train/*.xml", read=i2b2_xml.read_criteria),),
            "test": (Source(path="n2c2-t1_gold_standard_test_data/test/*.xml", read=i2b2_xml.read_criteria),),
        },
        counts={"train": {"records": 202}, "test": {"records": 86}},
        sizes={"train": 202, "test": 86},
        unit="patients",
        listed=Listed(lang="en", number=58, task="TC", sizes={"train": 202, "test": 86}),
        obtain=f"{_SIGN}unpack train.zip and n2c2-t1_gold_standard_test_data.zip into the folder of the corpus.",
        labels={
            "ABDOMINAL": TypeName(
                en="abdominal surgery",
                zh="腹部手术史",
                definition_en="has had surgery within the abdomen, a bowel resection or a small bowel obstruction",
            ),
            "ADVANCED-CAD": TypeName(
                en="advanced coronary artery disease",
                zh="晚期冠状动脉疾病",
                definition_en="two or more of: several drugs for it, a past infarction, angina, ischemia",
            ),
            "ALCOHOL-ABUSE": TypeName(
                en="alcohol abuse", zh="酗酒", definition_en="drinks more alcohol a week than is recommended"
            ),
            "ASP-FOR-MI": TypeName(
                en="aspirin to prevent infarction",
                zh="服用阿司匹林预防心肌梗死",
                definition_en="takes aspirin against myocardial infarction",
            ),
            "CREATININE": TypeName(
                en="raised creatinine",
                zh="血肌酐升高",
                definition_en="serum creatinine above the upper limit of normal",
            ),
            "DIETSUPP-2MOS": TypeName(
                en="dietary supplement in the past 2 months",
                zh="近两个月服用膳食补充剂",
                definition_en="has taken a dietary supplement other than vitamin D within two months",
            ),
            "DRUG-ABUSE": TypeName(en="drug abuse", zh="药物滥用", definition_en="abuses drugs or has abused them"),
            "ENGLISH": TypeName(en="speaks English", zh="会说英语", definition_en="the patient speaks English"),
            "HBA1C": TypeName(
                en="HbA1c from 6.5% to 9.5%",
                zh="糖化血红蛋白在6.5%至9.5%之间",
                definition_en="any HbA1c value between 6.5% and 9.5%",
            ),
            "KETO-1YR": TypeName(
                en="ketoacidosis in the past year",
                zh="近一年酮症酸中毒",
                definition_en="was diagnosed with ketoacidosis within a year",
            ),
            "MAJOR-DIABETES": TypeName(
                en="major complication of diabetes",
                zh="糖尿病严重并发症",
                definition_en="such as amputation, kidney damage, skin conditions, retinopathy or neuropathy",
            ),
            "MAKES-DECISIONS": TypeName(
                en="makes own decisions",
                zh="自行作医疗决定",
                definition_en="the patient makes medical decisions without others",
            ),
            "MI-6MOS": TypeName(
                en="myocardial infarction in the past 6 months",
                zh="近六个月心肌梗死",
                definition_en="had a myocardial infarction within six months",
            ),
        },
        multi_label=True,
        notes="Labels are the criteria that the patient meets; all others of the 13 are not met. A text holds all "
        "records of a patient in order. The records are drawn from those of n2c2_2014_deid, and split in another way.",
    ),
)
