"""The de-identification challenges of i2b2 (2006, 2014): mentions that tell who a patient is."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import i2b2_xml

_HOMEPAGE = "https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/"
_LICENCE = "n2c2 Data Use Agreement"
_SIGN = f"Register at {_HOMEPAGE}, sign the data use agreement and wait for approval; "
_SET_1, _SET_2, _TEST = "training-PHI-Gold-Set1", "training-PHI-Gold-Set2", "testing-PHI-Gold-fixed"

CORPORA = (
    Corpus(
        name="n2c2_2006_deid",
        title="i2b2 2006 de-identification challenge (n2c2 NLP data set 1B)",
        langs=("en",),
        tasks=("ner",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Uzuner et al. Evaluating the state-of-the-art in automatic de-identification. JAMIA, 2007.",
        verified="fixture",
        files={
            "train": (Source(path="deid_surrogate_train_all_version2.xml", read=i2b2_xml.read_inline),),
            "test": (Source(path="deid_surrogate_test_all_groundtruth_version2.xml", read=i2b2_xml.read_inline),),
        },
        counts={"test": {"records": 220}},
        sizes={"train": 669, "test": 220},
        listed=Listed(lang="en", number=23, task="NER", sizes={"train": 669, "test": 220}),
        obtain=f"{_SIGN}unpack data set 1B (deid_surrogate_train_all_version2 and "
        "deid_surrogate_test_all_groundtruth_version2) into the folder of the corpus.",
        entity_types={
            "PATIENT": TypeName(
                en="patient", zh="患者姓名", definition_en="the name of a patient or of the patient's family"
            ),
            "DOCTOR": TypeName(en="doctor", zh="医生姓名", definition_en="the name of a doctor or other practitioner"),
            "HOSPITAL": TypeName(en="hospital", zh="医院", definition_en="a hospital, practice or other institution"),
            "ID": TypeName(en="identifier", zh="编号", definition_en="a number of a record, report or person"),
            "DATE": TypeName(en="date", zh="日期", definition_en="a part of a date other than the year"),
            "LOCATION": TypeName(en="location", zh="地点", definition_en="a city, state, street or other place"),
            "PHONE": TypeName(en="phone number", zh="电话号码", definition_en="a telephone, pager or fax number"),
            "AGE": TypeName(en="age", zh="年龄", definition_en="an age above 90"),
        },
        notes="Names and numbers are surrogates. Texts begin and end with a line break, as in the file. In the first "
        "release the end tag of a date is missing in one record of train (line 25,722): that record is rejected, "
        "and the others are read; the corrected release has it. Records are tokenised, and their ids are numbers.",
    ),
    Corpus(
        name="n2c2_2014_deid",
        title="i2b2/UTHealth 2014 de-identification challenge (track 1)",
        langs=("en",),
        tasks=("ner",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Stubbs and Uzuner. Annotating longitudinal clinical narratives for de-identification: the 2014 "
        "i2b2/UTHealth corpus. Journal of Biomedical Informatics, 2015.",
        verified="fixture",
        files={
            "train": (
                Source(path=f"{_SET_1}/*.xml", read=i2b2_xml.read_tags),
                Source(path=f"{_SET_2}/*.xml", read=i2b2_xml.read_tags),
            ),
            "test": (Source(path=f"{_TEST}/*.xml", read=i2b2_xml.read_tags),),
        },
        counts={"train": {"records": 790}, "test": {"records": 514}},
        sizes={"train": 790, "test": 514},
        listed=Listed(lang="en", number=24, task="NER", sizes={"train": 790, "test": 514}),
        obtain=f"{_SIGN}unpack {_SET_1}, {_SET_2} and {_TEST} into the folder of the corpus.",
        entity_types={
            "PATIENT": TypeName(en="patient", zh="患者姓名", definition_en="the name of a patient or relative"),
            "DOCTOR": TypeName(en="doctor", zh="医生姓名", definition_en="the name of a medical practitioner"),
            "USERNAME": TypeName(en="user name", zh="用户名", definition_en="a user name of a medical practitioner"),
            "PROFESSION": TypeName(en="profession", zh="职业", definition_en="the work of a patient or relative"),
            "ROOM": TypeName(en="room", zh="房间号"),
            "DEPARTMENT": TypeName(en="department", zh="科室"),
            "HOSPITAL": TypeName(en="hospital", zh="医院"),
            "ORGANIZATION": TypeName(en="organization", zh="组织", definition_en="an organization that is no hospital"),
            "STREET": TypeName(en="street", zh="街道"),
            "CITY": TypeName(en="city", zh="城市"),
            "STATE": TypeName(en="state", zh="州"),
            "COUNTRY": TypeName(en="country", zh="国家"),
            "ZIP": TypeName(en="postal code", zh="邮政编码"),
            "LOCATION-OTHER": TypeName(en="other location", zh="其他地点"),
            "AGE": TypeName(en="age", zh="年龄", definition_en="any age"),
            "DATE": TypeName(en="date", zh="日期", definition_en="any date, years and days of the week included"),
            "PHONE": TypeName(en="phone number", zh="电话号码"),
            "FAX": TypeName(en="fax number", zh="传真号码"),
            "EMAIL": TypeName(en="e-mail address", zh="电子邮箱"),
            "URL": TypeName(en="web address", zh="网址"),
            "IPADDRESS": TypeName(en="IP address", zh="IP地址"),
            "SSN": TypeName(en="social security number", zh="社会保障号"),
            "MEDICALRECORD": TypeName(en="medical record number", zh="病历号"),
            "HEALTHPLAN": TypeName(en="health plan number", zh="医保号"),
            "ACCOUNT": TypeName(en="account number", zh="账号"),
            "LICENSE": TypeName(en="licence number", zh="执照号"),
            "VEHICLE": TypeName(en="vehicle identifier", zh="车辆标识"),
            "DEVICE": TypeName(en="device identifier", zh="设备标识"),
            "BIOID": TypeName(en="biometric identifier", zh="生物识别信息"),
            "IDNUM": TypeName(en="other identifier", zh="其他编号"),
        },
        notes="The type of a mention is its TYPE; the category above it (NAME, LOCATION, CONTACT, ID, ...) is an "
        "attribute. 2 to 5 records (`220-01`, `220-02`, ...) are of one patient; training sets and test set have "
        "different patients. n2c2_2018_track1 draws on the same records.",
    ),
)
