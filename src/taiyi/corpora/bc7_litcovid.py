"""BioCreative VII LitCovid: the topics of articles on COVID-19."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import labelled, litcovid

_FILES = {"train": "BC7-LitCovid-Train.csv", "dev": "BC7-LitCovid-Dev.csv", "test": "BC7-LitCovid-Test-GS.csv"}
_OPTIONS: dict[str, Any] = {
    "text_keys": ("title", "abstract"),
    "id_key": "pmid",
    "document_key": "pmid",
    "separator": ";",
}

CORPORA = (
    Corpus(
        name="bc7_litcovid",
        title="BioCreative VII LitCovid track",
        langs=("en",),
        tasks=("tc",),
        licence="Public domain (US government work); keywords of the copy's train: Apache-2.0",
        access="open",
        homepage="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-vii/track-5/",
        citation="Chen et al. Multi-label classification for biomedical literature: an overview of the BioCreative "
        "VII LitCovid track. Database, 2022.",
        verified="fixture",
        files={
            "train": (Source(path=_FILES["train"], read=labelled.read, options=_OPTIONS),),
            "dev": (Source(path=_FILES["dev"], read=labelled.read, options=_OPTIONS),),
            "test": (Source(path=_FILES["test"], read=labelled.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 24960}, "dev": {"records": 6239}, "test": {"records": 2500}},
        copies=(
            Layout(
                name="gpt_benchmark",
                files={"test": (Source(path="test.tsv", read=litcovid.read),)},
                verified="real",
                counts={
                    "test": {
                        "records": 2500,
                        "labels.Case Report": 197,
                        "labels.Diagnosis": 722,
                        "labels.Epidemic Forecasting": 41,
                        "labels.Mechanism": 567,
                        "labels.Prevention": 926,
                        "labels.Transmission": 128,
                        "labels.Treatment": 1035,
                    },
                },
                notes="The official test set as gpt_bionlp_benchmark passes it on: PMID, title and abstract in one "
                "text, labels.",
            ),
            Layout(
                name="cuni_nu",
                files={"train": (Source(path="degraded_CUNI-NU/title_keyword.csv", read=litcovid.read_one_hot),)},
                verified="real",
                counts={"train": {"records": 24696, "rejects.empty text": 264}},
                notes="A degraded copy of train (24,960): titles and keywords only, lower-cased, without stop words or "
                "PMIDs; 264 of its rows have no text left and are dropped.",
            ),
        ),
        sizes={"train": 24960, "dev": 6239, "test": 2500},
        unit="articles",
        listed=Listed(lang="en", number=49, task="TC", sizes={"train": 24960, "dev": 2500, "test": 6239}),
        downloads=tuple(
            Download(url=f"https://ftp.ncbi.nlm.nih.gov/pub/lu/LitCovid/biocreative/{name}", path=name)
            for name in _FILES.values()
        ),
        labels={
            "Case Report": TypeName(
                en="case report",
                zh="病例报告",
                definition_en="The article describes single patients.",
            ),
            "Diagnosis": TypeName(
                en="diagnosis",
                zh="诊断",
                definition_en="How the disease is recognised: symptoms, tests, imaging and their results.",
            ),
            "Epidemic Forecasting": TypeName(
                en="epidemic forecasting",
                zh="疫情预测",
                definition_en="Models and estimates of how the disease will spread.",
            ),
            "Mechanism": TypeName(
                en="mechanism",
                zh="机制",
                definition_en="Causes and biology of the disease, and how drugs may act on it.",
            ),
            "Prevention": TypeName(
                en="prevention",
                zh="预防",
                definition_en="Measures against infection, public health and how care is managed.",
            ),
            "Transmission": TypeName(
                en="transmission",
                zh="传播",
                definition_en="How, where and how easily the virus passes on.",
            ),
            "Treatment": TypeName(
                en="treatment",
                zh="治疗",
                definition_en="Therapies, drugs, vaccines and what they achieve.",
            ),
        },
        multi_label=True,
        notes="The text is the title and the abstract, a line each; journal, keywords, authors and the like are not "
        "read. Dev (6,239) and test (2,500) are swapped in the list and in BigBio's loader: here they are as the "
        "organisers name them.",
    ),
)
