"""MedMentions: mentions of UMLS concepts in PubMed abstracts of all fields (ST21pv, the subset of 21 types)."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pubtator

_SITE = "https://github.com/chanzuckerberg/MedMentions"
_TYPES = {
    "T005": TypeName(
        en="virus",
        zh="病毒",
        definition_en="a virus",
        definition_zh="病毒",
    ),
    "T007": TypeName(
        en="bacterium",
        zh="细菌",
        definition_en="a bacterium or group of bacteria",
        definition_zh="细菌或一类细菌",
    ),
    "T017": TypeName(
        en="anatomical structure",
        zh="解剖结构",
        definition_en="a part of a body, from organs to cells and genes",
        definition_zh="机体的组成部分，从器官到细胞和基因",
    ),
    "T022": TypeName(
        en="body system",
        zh="人体系统",
        definition_en="organs and tissues that work together, such as the immune system",
        definition_zh="协同工作的器官和组织，如免疫系统",
    ),
    "T031": TypeName(
        en="body substance",
        zh="体液或体内物质",
        definition_en="a fluid or other matter of a body, such as blood",
        definition_zh="机体的液体或其他物质，如血液",
    ),
    "T033": TypeName(
        en="finding",
        zh="临床发现",
        definition_en="what an examination or observation finds, symptoms included",
        definition_zh="检查或观察所见，包括症状",
    ),
    "T037": TypeName(
        en="injury or poisoning",
        zh="损伤或中毒",
        definition_en="harm by force, poison or other outer causes",
        definition_zh="外力、毒物等外因造成的伤害",
    ),
    "T038": TypeName(
        en="biologic function",
        zh="生物学功能",
        definition_en="a state or process of living things, diseases included",
        definition_zh="生物体的状态或过程，包括疾病",
    ),
    "T058": TypeName(
        en="health care activity",
        zh="医疗保健活动",
        definition_en="an examination, treatment or other activity of care",
        definition_zh="检查、治疗等医疗活动",
    ),
    "T062": TypeName(
        en="research activity",
        zh="研究活动",
        definition_en="an activity or method of research",
        definition_zh="研究活动或方法",
    ),
    "T074": TypeName(
        en="medical device",
        zh="医疗器械",
        definition_en="an object made for examination or treatment",
        definition_zh="用于检查或治疗的器具",
    ),
    "T082": TypeName(
        en="spatial concept",
        zh="空间概念",
        definition_en="a place, region, shape or position",
        definition_zh="地点、区域、形状或位置",
    ),
    "T091": TypeName(
        en="biomedical occupation or discipline",
        zh="生物医学职业或学科",
        definition_en="a field of biomedical study or work",
        definition_zh="生物医学的学科或工作领域",
    ),
    "T092": TypeName(
        en="organization",
        zh="组织机构",
        definition_en="an institution or other group with a purpose",
        definition_zh="机构或其他有目的的团体",
    ),
    "T097": TypeName(
        en="professional or occupational group",
        zh="职业群体",
        definition_en="people by their profession",
        definition_zh="按职业划分的人群",
    ),
    "T098": TypeName(
        en="population group",
        zh="人口群体",
        definition_en="people by age, sex, origin or other traits",
        definition_zh="按年龄、性别、来源等特征划分的人群",
    ),
    "T103": TypeName(
        en="chemical",
        zh="化学物质",
        definition_en="a chemical, by structure or by use, drugs and genes' products included",
        definition_zh="按结构或用途划分的化学物质，包括药物和基因产物",
    ),
    "T168": TypeName(
        en="food",
        zh="食物",
        definition_en="what people or animals eat",
        definition_zh="人或动物的食物",
    ),
    "T170": TypeName(
        en="intellectual product",
        zh="智力产品",
        definition_en="a product of thought, such as a guideline, scale or database",
        definition_zh="思想的产物，如指南、量表或数据库",
    ),
    "T201": TypeName(
        en="clinical attribute",
        zh="临床属性",
        definition_en="a quality of a patient that is observed or measured",
        definition_zh="可观察或测量的患者特征",
    ),
    "T204": TypeName(
        en="eukaryote",
        zh="真核生物",
        definition_en="an organism whose cells have a nucleus: animals, people, plants, fungi",
        definition_zh="细胞有核的生物：动物、人、植物、真菌",
    ),
}


def _split(name: str) -> tuple[Source, ...]:
    ids = f"corpus_pubtator_pmids_{name}.txt"
    return (
        Source(
            path="st21pv/data/corpus_pubtator.txt",
            read=pubtator.read,
            options={"ids": f"../../full/data/{ids}", "databases": dict.fromkeys(_TYPES, "UMLS")},
            needs=(f"full/data/{ids}",),
        ),
    )


CORPORA = (
    Corpus(
        name="medmentions",
        title="MedMentions ST21pv",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC0 1.0",
        access="open",
        homepage=_SITE,
        citation="Mohan and Li. MedMentions: a large biomedical corpus annotated with UMLS concepts. Automated "
        "Knowledge Base Construction, 2019.",
        verified="fixture",
        files={"train": _split("trng"), "dev": _split("dev"), "test": _split("test")},
        counts={"train": {"records": 2635}, "dev": {"records": 878}, "test": {"records": 879}},
        sizes={"train": 2635, "dev": 878, "test": 879},
        unit="abstracts",
        listed=Listed(lang="en", number=28, task="NER/NEN", sizes={"train": 2635, "dev": 878, "test": 879}),
        downloads=(
            Download(url=f"{_SITE}/raw/master/st21pv/data/corpus_pubtator.txt.gz", path="st21pv/data", unpack=True),
            *(
                Download(
                    url=f"{_SITE}/raw/master/full/data/corpus_pubtator_pmids_{name}.txt",
                    path=f"full/data/corpus_pubtator_pmids_{name}.txt",
                )
                for name in ("trng", "dev", "test")
            ),
        ),
        entity_types=_TYPES,
        notes="What is read is ST21pv, the subset that the authors recommend for recognition: 203,282 mentions of 21 "
        "types (with their subtypes) from 18 vocabularies, in the same abstracts as the full annotation of 352,496 "
        "mentions of all 127 types, whose mentions may have several types. Types are named by their codes in UMLS. "
        "The lists of documents by split are in the folder of the full annotation.",
    ),
)
