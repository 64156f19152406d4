"""MedDialog-EN: consultations of two sites on which doctors answer patients."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source
from taiyi.formats import meddialog

_FILES = (*(f"healthcaremagic_dialogue_{number}.txt" for number in range(1, 5)), "icliniq_dialogue.txt")
_FOLDER = "Medical-Dialogue-Dataset-English"

CORPORA = (
    Corpus(
        name="meddialog_en",
        title="MedDialog-EN, raw dialogues",
        langs=("en",),
        tasks=("mrd",),
        licence="not stated (copyright of healthcaremagic.com and icliniq.com)",
        access="open",
        homepage="https://github.com/UCSD-AI4H/Medical-Dialogue-System",
        citation="Zeng et al. MedDialog: large-scale medical dialogue datasets. EMNLP, 2020.",
        verified="fixture",
        files={"train": tuple(Source(path=f"{_FOLDER}/{name}", read=meddialog.read) for name in _FILES)},
        sizes={"train": 257332},
        unit="dialogues",
        listed=Listed(
            lang="en",
            number=83,
            task="MRD,QA-sqa",
            sizes={"dialogue1": 34297, "dialogue2": 106185, "dialogue3": 69356, "dialogue4": 16502},
        ),
        obtain="Download the folder https://drive.google.com/drive/folders/1g29ssimdZ6JzTST6Y8g6h-ogUNReBtJD, which "
        "Google Drive packs into an archive, and unpack it so that Medical-Dialogue-Dataset-English/, with the four "
        "files healthcaremagic_dialogue_1.txt to _4.txt and icliniq_dialogue.txt, stands in the folder of the corpus.",
        notes="The paper's list counts the four files of HealthCareMagic. There is no split: all is train. Addresses "
        "and descriptions, which say in a line what the patient says at length, are left out; consultations without "
        "an answer are rejected, and so is what a doctor says before the patient has spoken. What one speaker says in "
        "several turns is joined, a line each.",
    ),
)
