"""The GENIA event tasks of the BioNLP shared tasks of 2009, 2011 and 2013: events of proteins."""

from __future__ import annotations

from collections.abc import Mapping

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import bionlp_st
from taiyi.schema import Split

PROTEIN = TypeName(
    en="protein",
    zh="蛋白质",
    definition_en="a gene or gene product that is named",
    definition_zh="具名的基因或基因产物",
)
ENTITY = TypeName(
    en="other entity",
    zh="其他实体",
    definition_en="anything else that takes part in an event, such as a site on a protein or a place in a cell",
    definition_zh="参与事件的其他事物，如蛋白质上的位点或细胞中的位置",
)
PHOSPHORYLATION = TypeName(en="phosphorylation", zh="磷酸化", definition_en="a phosphate group is added to a protein")
GENE_EXPRESSION = TypeName(en="gene expression", zh="基因表达", definition_en="a gene is expressed or its product made")
TRANSCRIPTION = TypeName(en="transcription", zh="转录", definition_en="RNA is made from a gene")
PROTEIN_CATABOLISM = TypeName(en="protein catabolism", zh="蛋白质分解代谢", definition_en="a protein is broken down")
LOCALIZATION = TypeName(
    en="localization", zh="定位", definition_en="something is in, or moves to or from, a place in a cell"
)
BINDING = TypeName(en="binding", zh="结合", definition_en="molecules bind to each other")
REGULATION = TypeName(
    en="regulation", zh="调控", definition_en="something affects an event or a protein, in no stated direction"
)
POSITIVE_REGULATION = TypeName(
    en="positive regulation", zh="正向调控", definition_en="something starts, raises or enables an event or a protein"
)
NEGATIVE_REGULATION = TypeName(
    en="negative regulation", zh="负向调控", definition_en="something stops, lowers or prevents an event or a protein"
)
ENTITY_TYPES = {"Protein": PROTEIN, "Entity": ENTITY}
EVENT_TYPES = {
    "Gene_expression": GENE_EXPRESSION,
    "Transcription": TRANSCRIPTION,
    "Protein_catabolism": PROTEIN_CATABOLISM,
    "Phosphorylation": PHOSPHORYLATION,
    "Localization": LOCALIZATION,
    "Binding": BINDING,
    "Regulation": REGULATION,
    "Positive_regulation": POSITIVE_REGULATION,
    "Negative_regulation": NEGATIVE_REGULATION,
}
THEME = TypeName(
    en="theme",
    zh="主题",
    definition_en="what the event happens to, or what takes part in it in the first place",
    definition_zh="事件所作用的对象，或首要的参与者",
)
CAUSE = TypeName(
    en="cause", zh="原因", definition_en="what brings the event about", definition_zh="引起事件的事物或事件"
)
ROLES = {
    "Theme": THEME,
    "Cause": CAUSE,
    "Site": TypeName(
        en="site",
        zh="位点",
        definition_en="the part of the theme that the event happens at",
        definition_zh="事件发生于主题的哪一部分",
    ),
    "CSite": TypeName(
        en="site of the cause",
        zh="原因的位点",
        definition_en="the part of the cause that acts",
        definition_zh="原因的哪一部分起作用",
    ),
    "AtLoc": TypeName(
        en="location", zh="所在位置", definition_en="where the event happens", definition_zh="事件发生的位置"
    ),
    "ToLoc": TypeName(
        en="destination", zh="目标位置", definition_en="where the theme moves to", definition_zh="主题移动到的位置"
    ),
    "FromLoc": TypeName(
        en="origin", zh="起始位置", definition_en="where the theme moves from", definition_zh="主题移动的起点"
    ),
    "Instrument": TypeName(
        en="instrument", zh="手段", definition_en="what people use in the event", definition_zh="人为过程所用的事物"
    ),
    "Participant": TypeName(
        en="participant",
        zh="参与者",
        definition_en="what takes part in the event, in a role that is not stated",
        definition_zh="参与事件而角色未明的事物",
    ),
    "Product": TypeName(
        en="product", zh="产物", definition_en="what the event makes of its theme", definition_zh="事件由主题产生的事物"
    ),
    "Sidechain": TypeName(
        en="side chain",
        zh="侧链",
        definition_en="the sugar that is added or taken off",
        definition_zh="被添加或去除的糖链",
    ),
    "Contextgene": TypeName(
        en="context gene",
        zh="背景基因",
        definition_en="the gene whose region a changed histone lies at",
        definition_zh="被修饰的组蛋白所在区域的基因",
    ),
    "Negation": TypeName(
        en="negation",
        zh="否定",
        definition_en="the text says that the event does not happen",
        definition_zh="原文说明该事件没有发生",
        values=("true",),
    ),
    "Speculation": TypeName(
        en="speculation",
        zh="推测",
        definition_en="the text does not say for certain that the event happens",
        definition_zh="原文未确定该事件是否发生",
        values=("true",),
    ),
}


def roles(*others: str) -> dict[str, TypeName]:
    """Return the roles of a shared task: theme and cause, some others, and what is said of an event as a whole."""
    return {name: ROLES[name] for name in ("Theme", "Cause", *others, "Negation", "Speculation")}


LOCATED = ("Site", "CSite", "AtLoc", "ToLoc")
# Abstracts are named by their PubMed id, parts of full texts by that of PubMed Central.
DOCUMENTS = {
    r"(?:PMID-)?(\d+)": r"pmid:\1",
    r"PMC-?(\d+)(?:-.*)?": r"pmcid:PMC\1",
}
OPTIONS = {"documents": DOCUMENTS}
_OPTIONS_2013 = {**OPTIONS, "trigger_types": ("Binding",)}
FILES: Mapping[Split, tuple[Source, ...]] = {
    "train": (Source(path="train", read=bionlp_st.read, options=OPTIONS),),
    "dev": (Source(path="devel", read=bionlp_st.read, options=OPTIONS),),
}
GENIA_LICENCE = "GENIA Project License for Annotated Corpora (annotations: CC BY 3.0)"
NO_TEST = (
    "The gold annotations of the test set were never given out (systems are scored on the organisers' server), so "
    "there is no test split."
)
MODIFICATIONS = (
    "Negation and speculation are attributes of events. Equivalent names (Equiv) are coreferences. Triggers are kept "
    "with their events and are no entities."
)


def mirror(name: str) -> tuple[Download, ...]:
    """Return the download of a mirror that holds the files of the organisers' archives, now hard to find, unchanged."""
    url = f"https://github.com/openbiocorpora/{name}/archive/refs/heads/master.zip"
    return (Download(url=url, unpack=True, strip=2, members=("train/*", "devel/*")),)


CORPORA = (
    Corpus(
        name="bionlp_shared_task_2009",
        title="BioNLP 2009 shared task on event extraction",
        langs=("en",),
        tasks=("ee", "ner", "coref"),
        licence=GENIA_LICENCE,
        access="open",
        homepage="http://www.geniaproject.org/shared-tasks/bionlp-shared-task-2009",
        citation="Kim et al. Overview of BioNLP'09 shared task on event extraction. BioNLP 2009 workshop companion "
        "volume for shared task, 2009.",
        verified="real",
        files=FILES,
        sizes={"train": 800, "dev": 150, "test": 260},
        listed=Listed(lang="en", number=78, task="EE,NER,COREF", sizes={"train": 800, "dev": 150, "test": 260}),
        downloads=mirror("bionlp-st-2009"),
        entity_types=ENTITY_TYPES,
        event_types=EVENT_TYPES,
        roles=roles(*LOCATED),
        counts={
            "train": {
                "records": 800,
                "entities": 9734,
                "entities.Entity": 434,
                "entities.Protein": 9300,
                "events": 8615,
                "events.Binding": 887,
                "events.Gene_expression": 1738,
                "events.Localization": 265,
                "events.Negative_regulation": 1062,
                "events.Phosphorylation": 169,
                "events.Positive_regulation": 2847,
                "events.Protein_catabolism": 110,
                "events.Regulation": 961,
                "events.Transcription": 576,
                "coreferences": 536,
            },
            "dev": {
                "records": 150,
                "entities": 2174,
                "entities.Entity": 94,
                "entities.Protein": 2080,
                "events": 1795,
                "events.Binding": 249,
                "events.Gene_expression": 356,
                "events.Localization": 53,
                "events.Negative_regulation": 196,
                "events.Phosphorylation": 47,
                "events.Positive_regulation": 618,
                "events.Protein_catabolism": 21,
                "events.Regulation": 173,
                "events.Transcription": 82,
                "coreferences": 110,
            },
        },
        notes=f"{MODIFICATIONS} {NO_TEST} Its abstracts are also those of bionlp_st_2011_ge, bionlp_st_2011_rel and "
        "genia_relation_corpus.",
    ),
    Corpus(
        name="bionlp_st_2011_ge",
        title="BioNLP shared task 2011: GENIA event extraction (GE)",
        langs=("en",),
        tasks=("ee", "ner", "coref"),
        licence="License Terms for BioNLP Shared Task 2011 Data",
        access="open",
        homepage="https://2011.bionlp-st.org/home/genia-event-extraction-genia",
        citation="Kim et al. Overview of Genia event task in BioNLP shared task 2011. BioNLP shared task 2011 "
        "workshop, 2011.",
        verified="real",
        files=FILES,
        sizes={"train": 908, "dev": 259, "test": 347},
        listed=Listed(lang="en", number=73, task="EE,NER,COREF", sizes={"train": 908, "test": 347}),
        downloads=mirror("bionlp-st-2011-ge"),
        entity_types=ENTITY_TYPES,
        event_types=EVENT_TYPES,
        roles=roles(*LOCATED),
        counts={
            "train": {
                "records": 908,
                "documents": 805,
                "entities": 12105,
                "entities.Entity": 480,
                "entities.Protein": 11625,
                "events": 10310,
                "events.Binding": 988,
                "events.Gene_expression": 2265,
                "events.Localization": 281,
                "events.Negative_regulation": 1309,
                "events.Phosphorylation": 192,
                "events.Positive_regulation": 3385,
                "events.Protein_catabolism": 110,
                "events.Regulation": 1113,
                "events.Transcription": 667,
                "coreferences": 571,
            },
            "dev": {
                "records": 259,
                "documents": 155,
                "entities": 4871,
                "entities.Entity": 181,
                "entities.Protein": 4690,
                "events": 3250,
                "events.Binding": 375,
                "events.Gene_expression": 749,
                "events.Localization": 67,
                "events.Negative_regulation": 471,
                "events.Phosphorylation": 111,
                "events.Positive_regulation": 1000,
                "events.Protein_catabolism": 23,
                "events.Regulation": 296,
                "events.Transcription": 158,
                "coreferences": 128,
            },
        },
        notes=f"The 800, 150 and 260 abstracts of 2009, and parts of five, five and four full texts. {MODIFICATIONS} "
        f"{NO_TEST} The paper lists no development set; there is one of 259 documents.",
    ),
    Corpus(
        name="bionlp_st_2013_ge",
        title="BioNLP shared task 2013: GENIA event extraction (GE)",
        langs=("en",),
        tasks=("ee", "ner", "re", "coref"),
        licence="CC BY 3.0 (annotations; texts have the licences of their articles)",
        access="open",
        homepage="https://2013.bionlp-st.org/tasks/genia-event-extraction",
        citation="Kim et al. The Genia event extraction shared task, 2013 edition: overview. BioNLP shared task 2013 "
        "workshop, 2013.",
        verified="real",
        files={
            "train": (Source(path="train", read=bionlp_st.read, options=_OPTIONS_2013),),
            "dev": (Source(path="devel", read=bionlp_st.read, options=_OPTIONS_2013),),
        },
        sizes={"train": 222, "dev": 249, "test": 305},
        unit="sections of full texts",
        listed=Listed(lang="en", number=79, task="EE,NER,RE,COREF", sizes={"train": 222, "dev": 249, "test": 305}),
        downloads=mirror("bionlp-st-2013-ge"),
        entity_types={
            **ENTITY_TYPES,
            "Anaphora": TypeName(
                en="anaphor",
                zh="回指语",
                definition_en="an expression that refers back to what another one names",
                definition_zh="回指上文所提事物的词语",
            ),
        },
        relation_types={
            "Coreference": TypeName(
                en="coreference",
                zh="共指",
                definition_en="the subject, an anaphor, refers to the object, its antecedent",
                definition_zh="主体（回指语）指向客体（先行词）",
            ),
        },
        event_types={
            **EVENT_TYPES,
            "Protein_modification": TypeName(
                en="protein modification", zh="蛋白质修饰", definition_en="a protein is changed chemically"
            ),
            "Ubiquitination": TypeName(
                en="ubiquitination", zh="泛素化", definition_en="ubiquitin is added to a protein"
            ),
            "Acetylation": TypeName(
                en="acetylation", zh="乙酰化", definition_en="an acetyl group is added to a protein"
            ),
            "Deacetylation": TypeName(
                en="deacetylation", zh="去乙酰化", definition_en="an acetyl group is taken from a protein"
            ),
        },
        roles=roles(*LOCATED),
        counts={
            "train": {
                "records": 222,
                "documents": 10,
                "entities": 3797,
                "entities.Anaphora": 105,
                "entities.Entity": 121,
                "entities.Protein": 3571,
                "relations": 178,
                "relations.Coreference": 178,
                "events": 2817,
                "events.Binding": 195,
                "events.Gene_expression": 729,
                "events.Localization": 44,
                "events.Negative_regulation": 496,
                "events.Phosphorylation": 117,
                "events.Positive_regulation": 780,
                "events.Protein_catabolism": 23,
                "events.Protein_modification": 8,
                "events.Regulation": 299,
                "events.Transcription": 122,
                "events.Ubiquitination": 4,
                "coreferences": 53,
                "rejects.reference to the trigger of several events": 4,
            },
            "dev": {
                "records": 249,
                "documents": 10,
                "entities": 4569,
                "entities.Anaphora": 117,
                "entities.Entity": 314,
                "entities.Protein": 4138,
                "relations": 160,
                "relations.Coreference": 160,
                "events": 3199,
                "events.Acetylation": 3,
                "events.Binding": 376,
                "events.Deacetylation": 5,
                "events.Gene_expression": 591,
                "events.Localization": 197,
                "events.Negative_regulation": 532,
                "events.Phosphorylation": 197,
                "events.Positive_regulation": 883,
                "events.Protein_catabolism": 30,
                "events.Protein_modification": 1,
                "events.Regulation": 284,
                "events.Transcription": 98,
                "events.Ubiquitination": 2,
                "coreferences": 41,
                "rejects.reference to the trigger of several events": 2,
                "rejects.trigger without an event": 1,
            },
        },
        notes=f"Sections of 10 and 10 full texts. {MODIFICATIONS} Coreference lines have a direction and are "
        "relations; 45 of their arguments are triggers, and mean the event, of which six mean the first of several "
        '("reference to the trigger of several events"). One Binding mention that no event names as its trigger is '
        f"left out. {NO_TEST} The .json files beside the others say the same and are not read.",
    ),
)
