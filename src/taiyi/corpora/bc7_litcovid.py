"""BioCreative VII LitCovid: the topics of articles on COVID-19."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.formats import litcovid

CORPORA = (
    Corpus(
        name="bc7_litcovid",
        title="BioCreative VII LitCovid track",
        langs=("en",),
        tasks=("tc",),
        licence="Public domain (US government work); keywords of train: Apache-2.0",
        access="open",
        homepage="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-vii/track-5/",
        citation="Chen et al. Multi-label classification for biomedical literature: an overview of the BioCreative "
        "VII LitCovid track. Database, 2022.",
        verified="real",
        files={
            "train": (Source(path="degraded_CUNI-NU/title_keyword.csv", read=litcovid.read_one_hot),),
            "test": (Source(path="test.tsv", read=litcovid.read),),
        },
        labels={
            "Case Report": TypeName(en="case report", zh="病例报告"),
            "Diagnosis": TypeName(en="diagnosis", zh="诊断"),
            "Epidemic Forecasting": TypeName(en="epidemic forecasting", zh="疫情预测"),
            "Mechanism": TypeName(en="mechanism", zh="机制"),
            "Prevention": TypeName(en="prevention", zh="预防"),
            "Transmission": TypeName(en="transmission", zh="传播"),
            "Treatment": TypeName(en="treatment", zh="治疗"),
        },
        multi_label=True,
        counts={
            "train": {"records": 24696, "rejects.empty text": 264},
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
        notes="Train (24,960) is a degraded copy: titles and keywords only, lower-cased, without stop words or PMIDs; "
        "264 of its rows have no text left and are dropped. Test is the official test set; the official dev set "
        "(6,239), which the Taiyi paper calls test, is not here.",
    ),
)
