"""emrQA: questions about electronic medical records, made from the annotations of the i2b2 challenges."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Listed, Source
from taiyi.formats import emrqa

CORPORA = (
    Corpus(
        name="emrqa",
        title="emrQA, questions and answers on electronic medical records",
        langs=("en",),
        tasks=("qa_cqa",),
        licence="n2c2 Data Use Agreement",
        access="form",
        homepage="https://github.com/panushri25/emrQA",
        citation="Pampari et al. emrQA: a large corpus for question answering on electronic medical records. EMNLP, "
        "2018.",
        verified="fixture",
        files={"train": (Source(path="data.json", read=emrqa.read),)},
        sizes={"train": 1957835},
        unit="question-answer pairs",
        listed=Listed(lang="en", number=30, task="QA-cqa", sizes={"train": 117678}),
        obtain="Register at https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/ and sign the data use agreement; "
        "emrQA is among the community annotations there. Put data.json into the folder of the corpus.",
        notes="A question comes once, in the first of its wordings, with the whole note as context; the authors count "
        "every wording with every answer, which the reader's option `wordings` gives. Where an answer has no text of "
        "its own the lines that support it are the answer, else they are the longer answer; parts that are all "
        "needed for an answer are joined by commas. Answers of the smoking and obesity parts are classes. The file is "
        "one JSON value of some gigabytes, so reading it takes as much memory. The list's 117,678 is no number of "
        "the authors'.",
    ),
)
