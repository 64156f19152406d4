"""CHIP-CTC: which kind of criterion a criterion of a Chinese clinical trial is (CBLUE)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import labelled

CORPORA = (
    Corpus(
        name="chip_ctc",
        title="CHIP-CTC: classification of the eligibility criteria of clinical trials",
        langs=("zh",),
        tasks=("tc",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://tianchi.aliyun.com/dataset/95414",
        citation="Zong et al. Semantic categorization of Chinese eligibility criteria in clinical trials using "
        "machine learning methods. BMC Medical Informatics and Decision Making, 2021.",
        verified="real",
        sizes={"train": 22962, "dev": 7682, "test": 10192},
        unit="sentences",
        listed=Listed(lang="zh", number=26, task="TC", sizes={"train": 22962, "dev": 7682}),
        obtain="Register at https://tianchi.aliyun.com/dataset/95414, accept CBLUE's terms, and put the files of its "
        "folder CHIP-CTC under chip_ctc/.",
        files={
            "train": (Source(path="CHIP-CTC_train.json", read=labelled.read),),
            "dev": (Source(path="CHIP-CTC_dev.json", read=labelled.read),),
        },
        counts={
            "train": {
                "records": 22962,
                "labelled": 22962,
                "labels.Disease": 5127,
                "labels.Multiple": 4556,
                "labels.Therapy or Surgery": 1504,
                "labels.Consent": 1319,
                "labels.Diagnostic": 1233,
                "labels.Laboratory Examinations": 1142,
                "labels.Pregnancy-related Activity": 1026,
                "labels.Age": 917,
                "labels.Pharmaceutical Substance or Drug": 877,
                "labels.Risk Assessment": 708,
                "labels.Allergy Intolerance": 668,
                "labels.Enrollment in other studies": 514,
                "labels.Researcher Decision": 464,
                "labels.Compliance with Protocol": 370,
                "labels.Organ or Tissue Status": 358,
                "labels.Sign": 286,
                "labels.Addictive Behavior": 272,
                "labels.Capacity": 168,
                "labels.Life Expectancy": 166,
                "labels.Symptom": 154,
                "labels.Neoplasm Status": 131,
                "labels.Device": 129,
                "labels.Special Patient Characteristic": 104,
                "labels.Non-Neoplasm Disease Stage": 103,
                "labels.Data Accessible": 71,
                "labels.Encounter": 66,
                "labels.Diet": 61,
                "labels.Smoking Status": 54,
                "labels.Literacy": 52,
                "labels.Oral related": 51,
                "labels.Healthy": 39,
                "labels.Blood Donation": 31,
                "labels.Address": 31,
                "labels.Gender": 30,
                "labels.Receptor Status": 28,
                "labels.Nursing": 22,
                "labels.Exercise": 21,
                "labels.Education": 19,
                "labels.Disabilities": 17,
                "labels.Sexual related": 17,
                "labels.Alcohol Consumer": 17,
                "labels.Bedtime": 14,
                "labels.Ethnicity": 13,
                "labels.Ethical Audit": 12,
            },
            "dev": {
                "records": 7682,
                "labelled": 7682,
                "labels.Disease": 1693,
                "labels.Multiple": 1536,
                "labels.Therapy or Surgery": 487,
                "labels.Consent": 448,
                "labels.Diagnostic": 412,
                "labels.Laboratory Examinations": 374,
                "labels.Pregnancy-related Activity": 342,
                "labels.Age": 304,
                "labels.Pharmaceutical Substance or Drug": 298,
                "labels.Risk Assessment": 233,
                "labels.Allergy Intolerance": 227,
                "labels.Enrollment in other studies": 172,
                "labels.Researcher Decision": 152,
                "labels.Compliance with Protocol": 130,
                "labels.Organ or Tissue Status": 120,
                "labels.Sign": 91,
                "labels.Addictive Behavior": 90,
                "labels.Life Expectancy": 56,
                "labels.Symptom": 52,
                "labels.Capacity": 50,
                "labels.Neoplasm Status": 49,
                "labels.Device": 39,
                "labels.Non-Neoplasm Disease Stage": 34,
                "labels.Special Patient Characteristic": 33,
                "labels.Encounter": 28,
                "labels.Data Accessible": 24,
                "labels.Diet": 20,
                "labels.Smoking Status": 19,
                "labels.Oral related": 18,
                "labels.Literacy": 18,
                "labels.Sexual related": 13,
                "labels.Healthy": 12,
                "labels.Nursing": 12,
                "labels.Address": 11,
                "labels.Ethical Audit": 11,
                "labels.Bedtime": 11,
                "labels.Gender": 10,
                "labels.Receptor Status": 10,
                "labels.Blood Donation": 9,
                "labels.Disabilities": 8,
                "labels.Education": 8,
                "labels.Exercise": 7,
                "labels.Alcohol Consumer": 6,
                "labels.Ethnicity": 5,
            },
        },
        labels={
            "Disease": TypeName(en="disease", zh="疾病", definition_zh="现有或既往的疾病、病史"),
            "Symptom": TypeName(en="symptom", zh="症状", definition_zh="患者自己感受到的不适"),
            "Sign": TypeName(en="sign", zh="体征", definition_zh="医生检查发现的体征"),
            "Pregnancy-related Activity": TypeName(
                en="pregnancy-related activity", zh="怀孕相关", definition_zh="妊娠、备孕、哺乳和避孕"
            ),
            "Neoplasm Status": TypeName(
                en="neoplasm status", zh="肿瘤进展", definition_zh="肿瘤的进展、转移和侵犯情况"
            ),
            "Non-Neoplasm Disease Stage": TypeName(
                en="disease stage", zh="疾病分期", definition_zh="疾病的分期、分型或严重阶段"
            ),
            "Allergy Intolerance": TypeName(
                en="allergy or intolerance", zh="过敏耐受", definition_zh="过敏史或对药物、操作不能耐受"
            ),
            "Organ or Tissue Status": TypeName(
                en="organ or tissue status", zh="器官组织状态", definition_zh="器官或组织的功能状态"
            ),
            "Life Expectancy": TypeName(en="life expectancy", zh="预期寿命", definition_zh="预计的生存时间"),
            "Oral related": TypeName(en="oral condition", zh="口腔相关", definition_zh="牙齿和口腔卫生的情况"),
            "Pharmaceutical Substance or Drug": TypeName(
                en="drug", zh="药物", definition_zh="使用过、正在使用或禁用的药物"
            ),
            "Therapy or Surgery": TypeName(
                en="therapy or surgery", zh="治疗或手术", definition_zh="接受过或将接受的治疗、手术"
            ),
            "Device": TypeName(en="device", zh="设备", definition_zh="使用或植入的医疗器械"),
            "Nursing": TypeName(en="nursing", zh="护理", definition_zh="对护理或照护的要求"),
            "Diagnostic": TypeName(en="diagnosis", zh="诊断", definition_zh="符合的诊断标准或检查所作的诊断"),
            "Laboratory Examinations": TypeName(
                en="laboratory examination", zh="实验室检查", definition_zh="化验和检查的指标及其数值"
            ),
            "Risk Assessment": TypeName(en="risk assessment", zh="风险评估", definition_zh="评分和量表所作的评估"),
            "Receptor Status": TypeName(
                en="receptor status", zh="受体状态", definition_zh="组织、胚胎等受体或样本的状态"
            ),
            "Age": TypeName(en="age", zh="年龄", definition_zh="年龄的要求"),
            "Special Patient Characteristic": TypeName(
                en="special patient characteristic", zh="特殊病人特征", definition_zh="职业、习惯、婚姻等特殊的个人特征"
            ),
            "Literacy": TypeName(en="literacy", zh="读写能力", definition_zh="听说读写的能力"),
            "Gender": TypeName(en="gender", zh="性别", definition_zh="性别的要求"),
            "Education": TypeName(en="education", zh="教育情况", definition_zh="受教育的程度或年限"),
            "Address": TypeName(en="place of residence", zh="居住情况", definition_zh="居住的地点和时间"),
            "Ethnicity": TypeName(en="ethnicity", zh="种族", definition_zh="民族、种族或国籍"),
            "Consent": TypeName(en="informed consent", zh="知情同意", definition_zh="是否同意参加并签署知情同意书"),
            "Enrollment in other studies": TypeName(
                en="enrolment in other studies", zh="参与其它试验", definition_zh="参加其他临床试验的情况"
            ),
            "Researcher Decision": TypeName(
                en="decision of the researcher", zh="研究者决定", definition_zh="由研究者判断是否适合"
            ),
            "Capacity": TypeName(en="capacity", zh="能力", definition_zh="完成活动或试验要求的能力"),
            "Ethical Audit": TypeName(en="ethical review", zh="伦理审查", definition_zh="伦理委员会的审查"),
            "Compliance with Protocol": TypeName(
                en="compliance with the protocol", zh="依存性", definition_zh="遵守方案和随访的程度"
            ),
            "Addictive Behavior": TypeName(
                en="addictive behaviour", zh="成瘾行为", definition_zh="对烟、酒、药物、毒品的依赖或滥用"
            ),
            "Bedtime": TypeName(en="sleep", zh="睡眠", definition_zh="睡眠的习惯和质量"),
            "Exercise": TypeName(en="exercise", zh="锻炼", definition_zh="运动和锻炼的情况"),
            "Diet": TypeName(en="diet", zh="饮食", definition_zh="饮食的习惯和限制"),
            "Alcohol Consumer": TypeName(en="alcohol use", zh="酒精使用", definition_zh="饮酒的量和时间"),
            "Sexual related": TypeName(en="sexual behaviour", zh="性取向", definition_zh="性取向和性行为"),
            "Smoking Status": TypeName(en="smoking status", zh="吸烟状况", definition_zh="吸烟的量和时间"),
            "Blood Donation": TypeName(en="blood donation", zh="献血", definition_zh="献血的经历"),
            "Encounter": TypeName(en="source of patients", zh="病例来源", definition_zh="就诊或住院的地点和方式"),
            "Disabilities": TypeName(
                en="people with disabilities", zh="残疾群体", definition_zh="残疾、畸形或失能的人"
            ),
            "Healthy": TypeName(en="healthy people", zh="健康群体", definition_zh="身体健康的人"),
            "Data Accessible": TypeName(
                en="accessibility of data", zh="数据可及性", definition_zh="病历和观察资料是否完整"
            ),
            "Multiple": TypeName(
                en="several categories", zh="含有多类别的语句", definition_zh="一句话里包含多个类别的标准"
            ),
        },
        notes="The Chinese names are those of category.xlsx. Texts are kept with the white space and numbering that "
        "they begin with, and with entities of HTML such as &gt;. The test file has no gold, and so is no split; it "
        "has 10,192 sentences, where CBLUE's table says 10,000. The first release, of the CHIP 2019 evaluation, is at "
        "https://github.com/zonghui0228/chip2019task3.",
    ),
)
