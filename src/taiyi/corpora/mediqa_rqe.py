"""MEDIQA 2019, question entailment: whether the answers to one question answer another."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import rqe

CORPORA = (
    Corpus(
        name="mediqa_rqe",
        title="MEDIQA 2019, recognizing question entailment",
        langs=("en",),
        tasks=("tp_te",),
        licence="not stated",
        access="open",
        homepage="https://github.com/abachaa/MEDIQA2019",
        citation="Ben Abacha, Shivade and Demner-Fushman. Overview of the MEDIQA 2019 Shared Task on Textual "
        "Inference, Question Entailment and Question Answering. BioNLP, 2019.",
        verified="real",
        files={
            "train": (Source(path="MEDIQA2019-Task2-RQE-TrainingSet-AMIA2016.xml", read=rqe.read),),
            "dev": (Source(path="MEDIQA2019-Task2-RQE-ValidationSet-AMIA2016.xml", read=rqe.read),),
            "test": (Source(path="MEDIQA2019-Task2-RQE-TestSet-wLabels.xml", read=rqe.read),),
        },
        counts={
            "train": {"records": 8587, "pairs.true": 4654, "pairs.false": 3933, "rejects.empty question": 1},
            "dev": {"records": 302, "pairs.true": 129, "pairs.false": 173},
            "test": {"records": 230, "pairs.true": 115, "pairs.false": 115},
        },
        sizes={"train": 8588, "dev": 302, "test": 230},
        unit="pairs",
        listed=Listed(lang="en", number=69, task="TP-te", sizes={"train": 8588, "dev": 302, "test": 230}),
        downloads=(
            Download(
                url="https://github.com/abachaa/MEDIQA2019/archive/refs/heads/master.zip",
                unpack=True,
                strip=2,
                members=("MEDIQA2019-Task2-RQE-*.xml",),
            ),
        ),
        labels={
            "true": TypeName(
                en="entails",
                zh="蕴含",
                definition_en="Every answer to the second question answers the first, wholly or in part.",
            ),
            "false": TypeName(en="does not entail", zh="不蕴含", definition_en="Some answers to the second do not."),
        },
        notes="The first text is a consumer's question, the second a frequently asked one. White space around a "
        "question in the XML is taken off. Pair 5860 of train has an empty frequently asked question and is dropped.",
    ),
)
