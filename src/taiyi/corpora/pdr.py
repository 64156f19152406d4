"""PDR: plants, diseases and how they relate, in PubMed abstracts."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import brat

_OPTIONS = {"pattern": "*[0-9].txt", "documents": {r"(?:PMID-?)?(\d+)": r"pmid:\1"}}

CORPORA = (
    Corpus(
        name="pdr",
        title="Plant-disease relation corpus",
        langs=("en",),
        tasks=("ee", "ner", "coref"),
        licence="not stated",
        access="open",
        homepage="http://gcancer.org/pdr/",
        citation="Kim et al. A corpus of plant-disease relations in the biomedical domain. PLoS One, 2019.",
        verified="fixture",
        files={"train": (Source(path="Plant-Disease_Corpus", read=brat.read, options=_OPTIONS),)},
        counts={"train": {"records": 179}},
        sizes={"train": 179},
        listed=Listed(lang="en", number=82, task="EE,NER,RE,COREF", sizes={"train": 179}),
        downloads=(Download(url="http://gcancer.org/pdr/Plant-Disease_Corpus.tar.gz", unpack=True),),
        entity_types={
            "Plant": TypeName(en="plant", zh="植物", definition_en="a plant, or a part or extract of one"),
            "Disease": TypeName(en="disease", zh="疾病", definition_en="a disease or symptom"),
        },
        event_types={
            "Treatment_of_disease": TypeName(
                en="treatment of disease",
                zh="治疗疾病",
                definition_en="the plant treats, relieves or prevents the disease",
            ),
            "Cause_of_disease": TypeName(
                en="cause of disease", zh="引起疾病", definition_en="the plant causes or worsens the disease"
            ),
            "Association": TypeName(
                en="association", zh="相关", definition_en="plant and disease are related in a way that is not stated"
            ),
            "Negative": TypeName(
                en="no relation", zh="无关", definition_en="the text says that the plant does nothing to the disease"
            ),
        },
        roles={
            "Theme": TypeName(en="theme", zh="主题"),
            "Cause": TypeName(en="cause", zh="原因"),
        },
        notes="The archive holds what two people annotated, each for himself. Read are the annotations of the first "
        "(.ann); those of the second (.ann2) are not. Relations are events: a trigger with a plant and a disease. "
        "Equivalent names (Equiv) are coreferences. The address that the paper's list gives for the corpus's article "
        "is that of the same group's plant-chemical corpus; the article is that of the citation.",
    ),
)
