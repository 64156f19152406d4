"""EBM-NLP: participants, interventions and outcomes in abstracts on clinical trials."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import conll, ebm_nlp

TYPES = {
    "Participant": TypeName(
        en="participant",
        zh="受试者",
        definition_en="who took part in the trial: age, sex, number and condition",
        definition_zh="参与试验的人群：年龄、性别、人数与所患疾病",
    ),
    "Intervention": TypeName(
        en="intervention",
        zh="干预措施",
        definition_en="a treatment, procedure or other measure that was tried, or what it was compared with",
        definition_zh="试验的治疗、操作或其他措施，及其对照",
    ),
    "Outcome": TypeName(
        en="outcome",
        zh="结局",
        definition_en="what was measured to tell the effect of the intervention",
        definition_zh="用于判断干预效果的测量指标",
    ),
}
_RELEASE = "ebm_nlp_2_00"
_ELEMENTS = {"participants": ("Participant",), "interventions": ("Intervention",), "outcomes": ("Outcome",)}
_COLUMNS: dict[str, Any] = {
    "columns": 4,
    "separator": " ",
    "document_start": r"-DOCSTART- \((\d+)\)",
    "document_prefix": "pmid:",
    "sentence_joiner": " ",
    "types": {"PAR": "Participant", "INT": "Intervention", "OUT": "Outcome"},
}


def _part(part: str) -> tuple[Source, ...]:
    return (Source(path=_RELEASE, read=ebm_nlp.read, options={"part": part, "elements": _ELEMENTS}),)


def _columns(name: str) -> tuple[Source, ...]:
    return (Source(path=f"scibert_format/{name}.txt", read=conll.read, options=_COLUMNS),)


CORPORA = (
    Corpus(
        name="ebm_pico",
        title="EBM-NLP 2.00",
        langs=("en",),
        tasks=("ner",),
        licence="not stated",
        access="open",
        homepage="https://github.com/bepnye/EBM-NLP",
        citation="Nye et al. A Corpus with Multi-Level Annotations of Patients, Interventions and Outcomes to Support "
        "Language Processing for Medical Literature. ACL, 2018.",
        verified="fixture",
        files={"train": _part("train"), "test": _part("test/gold")},
        copies=(
            Layout(
                name="scibert",
                files={"train": _columns("train"), "dev": _columns("dev"), "test": _columns("test")},
                verified="real",
                counts={
                    "dev": {
                        "records": 960,
                        "documents": 960,
                        "entities": 16561,
                        "entities.Participant": 3652,
                        "entities.Intervention": 6332,
                        "entities.Outcome": 6577,
                    },
                    "test": {
                        "records": 191,
                        "documents": 191,
                        "entities": 3545,
                        "entities.Participant": 621,
                        "entities.Intervention": 1521,
                        "entities.Outcome": 1403,
                    },
                },
                notes="The files of SciBERT (github.com/allenai/scibert, data/pico/ebmnlp) in four columns, one label "
                "a token without a mark for its beginning, so neighbouring mentions of one type are one. Its dev is "
                "960 abstracts of the official train: do not put it beside the official files. Sentences are joined by "
                "one space. Checked on dev and test.",
            ),
        ),
        sizes={"train": 4802, "test": 191},
        listed=Listed(lang="en", number=18, task="NER", sizes={"train": 4746, "test": 187}),
        downloads=(Download(url="https://github.com/bepnye/EBM-NLP/raw/master/ebm_nlp_2_00.tar.gz", unpack=True),),
        entity_types=TYPES,
        notes="4,993 abstracts, of which medical professionals annotated 191 for testing and crowds the others; the "
        "list of the paper has 4,746 and 187, which the BigBio loader finds, for it asks for finer labels of "
        "interventions. The starting spans of the aggregated annotation are read, the level that others report; the "
        "finer labels (hierarchical_labels) are an option of the reader. Each element is annotated by itself, so "
        "mentions may overlap, and neighbouring tokens with one label are one mention. Where an abstract lacks the "
        "annotation of an element, this is reported, and it is kept with the others.",
    ),
)
