"""MedDG: Chinese dialogues about gastrointestinal diseases, of which each utterance has its entities."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source
from taiyi.formats import meddg

CORPORA = (
    Corpus(
        name="meddg",
        title="MedDG: an entity-centric medical consultation dataset",
        langs=("zh",),
        tasks=("mrd",),
        licence="CBLUE terms: research use, registration",
        access="form",
        homepage="https://github.com/lwgkzl/MedDG",
        citation="Liu et al. MedDG: an entity-centric medical consultation dataset for entity-aware medical dialogue "
        "generation. NLPCC, 2022.",
        verified="fixture",
        sizes={"train": 17864, "dev": 2747},
        unit="dialogues",
        listed=Listed(lang="zh", number=5, task="MRD", sizes={"train": 17864, "dev": 2747}),
        obtain="Register at https://tianchi.aliyun.com/dataset/95414, accept CBLUE's terms, and put MedDG_train.json "
        "and MedDG_dev.json of its folder MedDG under meddg/.",
        files={
            "train": (Source(path="MedDG_train.json", read=meddg.read),),
            "dev": (Source(path="MedDG_dev.json", read=meddg.read),),
        },
        notes="The sizes are those of CBLUE's release in JSON, which is read here: its train holds as many dialogues "
        "as the authors' whole release (17,864, split 14,864, 2,000 and 1,000). That one is a Python pickle, which "
        "could run any code when opened, and is refused. The entities of each utterance (symptom, medicine, test, "
        "attribute, disease) are names without a place in the text, and are not read. What one speaker says in "
        "several utterances is joined, a line each.",
    ),
)
