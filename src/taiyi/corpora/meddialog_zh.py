"""MedDialog, Chinese: consultations of haodf.com."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source
from taiyi.formats import meddialog, utterances

_DRIVE = "https://drive.google.com/uc?export=download&id="

CORPORA = (
    Corpus(
        name="meddialog_zh",
        title="MedDialog, Chinese",
        langs=("zh",),
        tasks=("mrd",),
        licence="not stated (all rights to the texts are haodf.com's)",
        access="open",
        homepage="https://github.com/UCSD-AI4H/Medical-Dialogue-System",
        citation="Zeng et al. MedDialog: large-scale medical dialogue datasets. EMNLP, 2020.",
        verified="fixture",
        sizes={"train": 2725989, "dev": 340748, "test": 340754},
        unit="dialogues",
        listed=Listed(lang="zh", number=3, task="MRD", sizes={"train": 2725989, "dev": 340748, "test": 340754}),
        downloads=(
            Download(url=f"{_DRIVE}1AaDJoHaiHAwEZwtskRH8oL1UP4FRgmgx", path="train_data.json"),
            Download(url=f"{_DRIVE}1TvfZCmQqP1kURIfEinOcj5VOPelTuGwI", path="validate_data.json"),
            Download(url=f"{_DRIVE}1pmmG95Yl6mMXRXDDSRb9-bYTxOE7ank5", path="test_data.json"),
        ),
        files={
            "train": (Source(path="train_data.json", read=utterances.read),),
            "dev": (Source(path="validate_data.json", read=utterances.read),),
            "test": (Source(path="test_data.json", read=utterances.read),),
        },
        copies=(
            Layout(
                name="raw_text",
                files={"train": (Source(path="*.txt", read=meddialog.read),)},
                verified="fixture",
                notes="The authors' text files by year, 2010.txt to 2020.txt, which have no splits: all that is in "
                "them, also what is in dev and test of the processed files, is train. Of a consultation only the "
                "dialogue is read, not the description nor the doctor's summary; one without a dialogue is rejected.",
            ),
        ),
        notes="These are the authors' processed files; their sizes are those of the paper's list. What one speaker "
        "says in several utterances is joined, a line each, and what a doctor says before the patient has spoken is "
        "rejected on its own. Google may ask whether to go on, the files being large; where a download ends in a page "
        "of HTML, get them by hand from the folder that the authors' page links to.",
    ),
)
