"""Challenges of i2b2 and n2c2 that extract: medications (2009), relations (2010), adverse drug events (2018)."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import brat, i2b2, i2b2_medication

_HOMEPAGE = "https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/"
_LICENCE = "n2c2 Data Use Agreement"
_SIGN = f"Register at {_HOMEPAGE}, sign the data use agreement and wait for approval; "

_TEXTS_2009 = "train.test.released.8.17.09"
_SORTED_2009 = "annotations_ground_truth/converted.noduplicates.sorted"
_TREATMENT, _TEST = ("treatment", "problem"), ("test", "problem")
_ENDS = {
    **dict.fromkeys(("TrIP", "TrWP", "TrCP", "TrAP", "TrNAP"), _TREATMENT),
    **dict.fromkeys(("TeRP", "TeCP"), _TEST),
    "PIP": ("problem", "problem"),
}
_TRAIN_2010: dict[str, Any] = {"ends": _ENDS}
_GOLD_2010 = "../reference_standard_for_test_data"
_TEST_2010: dict[str, Any] = {
    "concepts": f"{_GOLD_2010}/concepts",
    "assertions": f"{_GOLD_2010}/ast",
    "relations": f"{_GOLD_2010}/rel",
    "ends": _ENDS,
}
_FIELDS_2009 = {
    "m": TypeName(en="medication", zh="药物", definition_en="a substance for which the patient is the experiencer"),
    "do": TypeName(en="dosage", zh="剂量", definition_en="how much of it is used at a time"),
    "mo": TypeName(en="mode", zh="给药途径", definition_en="the route by which it is given"),
    "f": TypeName(en="frequency", zh="用药频率", definition_en="how often a dose is taken"),
    "du": TypeName(en="duration", zh="用药时长", definition_en="for how long it is given"),
    "r": TypeName(en="reason", zh="用药原因", definition_en="the medical reason for which it is given"),
}

CORPORA = (
    Corpus(
        name="n2c2_2009_medication",
        title="i2b2 2009 medication challenge",
        langs=("en",),
        tasks=("ner", "ee"),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Uzuner et al. Extracting medication information from clinical text. JAMIA, 2010.",
        verified="fixture",
        files={
            "train": (
                Source(
                    path="training.ground.truth/*.entries",
                    read=i2b2_medication.read,
                    options={"texts": f"../{_TEXTS_2009}"},
                ),
            ),
            "test": (
                Source(
                    path=f"{_SORTED_2009}/*.m",
                    read=i2b2_medication.read,
                    options={"texts": f"../../{_TEXTS_2009}"},
                ),
            ),
        },
        counts={"test": {"records": 251}},
        sizes={"train": 17, "test": 251},
        listed=Listed(lang="en", number=22, task="NER", sizes={"train": 10, "test": 251}),
        obtain=f"{_SIGN}unpack {_TEXTS_2009}.tar.gz, training.ground.truth.01.06.11.2009.zip and "
        "annotations_ground_truth.tar.gz into the folder of the corpus.",
        entity_types=_FIELDS_2009,
        event_types={
            "medication": TypeName(
                en="medication entry", zh="用药记录", definition_en="a medication with what is said of its use"
            ),
        },
        roles={
            **_FIELDS_2009,
            "e": TypeName(
                en="event", zh="用药变化", definition_en="whether the medication is started, stopped or continued"
            ),
            "t": TypeName(
                en="time", zh="用药时间", definition_en="whether it is taken in the past, the present or the future"
            ),
            "c": TypeName(en="certainty", zh="确定性", definition_en="how certain it is that the event happens"),
            "ln": TypeName(
                en="list or narrative", zh="列表或叙述", definition_en="whether it stands in a list or in running text"
            ),
        },
        notes="An entry of a file is an event with the medication as trigger, its fields as arguments (under the codes "
        "of the fields) and event, time, certainty and list or narrative (e, t, c, ln) as attributes. Tokens of the "
        "texts may end in a stop or comma that a mention leaves out; a mention is then the part of them that it "
        "names. Mentions that their tokens do not hold are rejected, and with them entries whose medication that is. "
        "The annotations of the test set were made by the participants. The challenge's paper tells of 17 annotated "
        "records for training; the list has 10 of them.",
    ),
    Corpus(
        name="n2c2_2010_relation",
        title="i2b2/VA 2010 challenge on concepts, assertions and relations",
        langs=("en",),
        tasks=("ner", "re"),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation="Uzuner et al. 2010 i2b2/VA challenge on concepts, assertions, and relations in clinical text. JAMIA, "
        "2011.",
        verified="fixture",
        files={
            "train": (
                Source(
                    path="concept_assertion_relation_training_data/*/txt/*.txt", read=i2b2.read, options=_TRAIN_2010
                ),
            ),
            "test": (Source(path="test_data/*.txt", read=i2b2.read, options=_TEST_2010),),
        },
        counts={"train": {"records": 170}, "test": {"records": 256}},
        sizes={"train": 170, "test": 256},
        listed=Listed(lang="en", number=97, task="NER,RE", sizes={"train": 97, "test": 256}),
        obtain=f"{_SIGN}unpack concept_assertion_relation_training_data.tar.gz, test_data.tar.gz and "
        "reference_standard_for_test_data.tar.gz into the folder of the corpus.",
        entity_types={
            "problem": TypeName(
                en="problem", zh="医疗问题", definition_en="what is wrong with the patient's body or mind"
            ),
            "treatment": TypeName(
                en="treatment", zh="治疗", definition_en="a procedure, intervention or substance given for a problem"
            ),
            "test": TypeName(
                en="test", zh="检查", definition_en="a procedure or measure that tells more about a problem"
            ),
        },
        relation_types={
            "TrIP": TypeName(
                en="treatment improves problem",
                zh="治疗使医疗问题好转",
                definition_en="the treatment cures or eases the problem",
            ),
            "TrWP": TypeName(
                en="treatment worsens problem",
                zh="治疗使医疗问题加重",
                definition_en="the problem gets worse under the treatment, or is not eased by it",
            ),
            "TrCP": TypeName(
                en="treatment causes problem",
                zh="治疗引起医疗问题",
                definition_en="the problem comes from the treatment, as a side effect does",
            ),
            "TrAP": TypeName(
                en="treatment is given for problem",
                zh="针对医疗问题进行治疗",
                definition_en="the treatment is given for the problem; what comes of it is not told",
            ),
            "TrNAP": TypeName(
                en="treatment is not given because of problem",
                zh="因医疗问题而不予治疗",
                definition_en="the treatment is stopped or not begun because of the problem",
            ),
            "TeRP": TypeName(
                en="test reveals problem", zh="检查发现医疗问题", definition_en="the test has shown the problem"
            ),
            "TeCP": TypeName(
                en="test is done to investigate problem",
                zh="为查明医疗问题而检查",
                definition_en="the test is done because of the problem; what came of it is not told",
            ),
            "PIP": TypeName(
                en="problem indicates problem",
                zh="医疗问题提示另一医疗问题",
                definition_en="the two problems are of one condition: one describes, causes or shows the other",
            ),
        },
        notes="The public release: 73 records of Beth Israel and 97 of Partners for training, where the challenge had "
        "394 and 477 with those of Pittsburgh; the list counts those of Partners alone. Assertions of problems "
        "(present, absent, possible, conditional, hypothetical, associated_with_someone_else) are attributes of the "
        "mentions. The files give mentions in lower case; they are kept as the text has them. A line that is repeated "
        "is rejected.",
    ),
    Corpus(
        name="n2c2_2018_track2",
        title="n2c2 2018 track 2, adverse drug events and medication extraction",
        langs=("en",),
        tasks=("ner", "re"),
        licence=_LICENCE,
        access="form",
        homepage="https://portal.dbmi.hms.harvard.edu/projects/n2c2-2018-t2/",
        citation="Henry et al. 2018 n2c2 shared task on adverse drug events and medication extraction in electronic "
        "health records. JAMIA, 2020.",
        verified="fixture",
        files={
            "train": (Source(path="training_20180910", read=brat.read),),
            "test": (Source(path="gold-standard-test-data/test", read=brat.read),),
        },
        counts={"train": {"records": 303}, "test": {"records": 202}},
        sizes={"train": 303, "test": 202},
        listed=Listed(lang="en", number=98, task="NER,RE", sizes={"train": 303, "test": 202}),
        obtain=f"{_SIGN}unpack training_20180910.zip (into training_20180910) and gold-standard-test-data.zip (into "
        "gold-standard-test-data) in the folder of the corpus.",
        entity_types={
            "Drug": TypeName(
                en="drug", zh="药物", definition_en="a drug that the patient takes, has taken or may take"
            ),
            "Strength": TypeName(en="strength", zh="规格", definition_en="how much of the drug a unit of it holds"),
            "Form": TypeName(en="form", zh="剂型", definition_en="the form in which the drug comes"),
            "Dosage": TypeName(en="dosage", zh="剂量", definition_en="how much is taken at a time"),
            "Duration": TypeName(en="duration", zh="用药时长", definition_en="for how long it is taken"),
            "Frequency": TypeName(en="frequency", zh="用药频率", definition_en="how often it is taken"),
            "Route": TypeName(en="route", zh="给药途径", definition_en="the way by which it is taken"),
            "ADE": TypeName(en="adverse drug event", zh="药物不良事件", definition_en="harm that the drug has done"),
            "Reason": TypeName(en="reason", zh="用药原因", definition_en="the condition for which it is given"),
        },
        relation_types={
            "Strength-Drug": TypeName(en="strength of drug", zh="药物的规格"),
            "Form-Drug": TypeName(en="form of drug", zh="药物的剂型"),
            "Dosage-Drug": TypeName(en="dosage of drug", zh="药物的剂量"),
            "Duration-Drug": TypeName(en="duration of drug", zh="药物的用药时长"),
            "Frequency-Drug": TypeName(en="frequency of drug", zh="药物的用药频率"),
            "Route-Drug": TypeName(en="route of drug", zh="药物的给药途径"),
            "ADE-Drug": TypeName(en="adverse event of drug", zh="药物所致不良事件"),
            "Reason-Drug": TypeName(en="reason for drug", zh="药物的用药原因"),
        },
        notes="Discharge summaries of MIMIC-III. Mentions that cross a line break have a span a line.",
    ),
)
