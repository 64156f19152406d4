"""MedDialog for classification: who says an utterance, the patient or the doctor."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import speakers

_SPEAKERS = ("patient", "doctor")
_OPTIONS: dict[str, Any] = {"speakers": _SPEAKERS}
_FILES = {
    "english-train.json": "1ria4E6IdTIPsikL4Glm3uy1tFKJKw0W8",
    "english-dev.json": "1KAZneuwdfEVQQM6euCX4pMDP-9DQpiB5",
    "english-test.json": "10izqL71kcgnteYsf87Vh6j_mZ8sZM2Rc",
}

CORPORA = (
    Corpus(
        name="meddialog",
        title="MedDialog, speakers",
        langs=("en",),
        tasks=("tc",),
        licence="not stated; the dialogues belong to the websites that they are from",
        access="open",
        homepage="https://github.com/UCSD-AI4H/Medical-Dialogue-System",
        citation="Zeng et al. MedDialog: Large-scale Medical Dialogue Datasets. EMNLP, 2020.",
        verified="fixture",
        files={
            "train": (Source(path="english-train.json", read=speakers.read, options=_OPTIONS),),
            "dev": (Source(path="english-dev.json", read=speakers.read, options=_OPTIONS),),
            "test": (Source(path="english-test.json", read=speakers.read, options=_OPTIONS),),
        },
        sizes={"train": 482, "dev": 60, "test": 61},
        unit="dialogues",
        listed=Listed(lang="en", number=53, task="TC", sizes={"train": 981, "dev": 126, "test": 122}),
        downloads=tuple(
            Download(url=f"https://drive.google.com/uc?export=download&id={key}", path=name)
            for name, key in _FILES.items()
        ),
        labels={
            "patient": TypeName(en="patient", zh="病人", definition_en="The patient says it, or somebody for them."),
            "doctor": TypeName(en="doctor", zh="医生", definition_en="The doctor says it."),
        },
        notes="The English dialogues that the authors prepared for training: 603 of the spring of 2020, most on "
        "COVID-19. The list counts utterances (981, 126 and 122), as BigBio's loader does: each is a text, labelled "
        "with its speaker, whose name before the colon is taken off. The dialogues as such are the corpus "
        "MedDialog-en.",
    ),
)
