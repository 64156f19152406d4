"""DrugEHRQA: questions about the medicines of patients of MIMIC-III."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source
from taiyi.formats import drugehrqa

_NOTES = "NOTEEVENTS.csv"
_QUERIES = tuple(f"query{number}" for number in range(1, 10))
_OPTIONS: dict[str, Any] = {"notes": f"../{_NOTES}"}
_SIZES = (505, 8218, 5517, 7291, 5952, 809, 6015, 5302, 2093)

CORPORA = (
    Corpus(
        name="drugehrqa",
        title="DrugEHRQA, question answering on structured and unstructured electronic health records",
        langs=("en",),
        tasks=("qa_cqa",),
        licence="PhysioNet Credentialed Health Data License; n2c2 Data Use Agreement",
        access="credentialed",
        homepage="https://physionet.org/content/drugehrqa/1.0.0/",
        citation="Bardhan et al. DrugEHRQA: a question answering dataset on structured and unstructured electronic "
        "health records for medicine related queries. LREC, 2022.",
        verified="fixture",
        files={
            "train": (
                Source(
                    path="unstructured_queries",
                    read=drugehrqa.read,
                    options=_OPTIONS,
                    needs=(
                        *(f"unstructured_queries/{name}.xlsx" for name in _QUERIES),
                        *(f"structured_queries/{name}.csv" for name in _QUERIES),
                        _NOTES,
                    ),
                ),
            )
        },
        sizes={"train": sum(_SIZES)},
        unit="questions",
        listed=Listed(lang="en", number=31, task="QA-cqa", sizes=dict(zip(_QUERIES, _SIZES, strict=True))),
        obtain="Become credentialed at https://physionet.org, sign the agreements of drugehrqa and of mimiciii, and "
        "put query1.csv to query9.csv into structured_queries and NOTEEVENTS.csv of MIMIC-III beside it; sign the data "
        "use agreement of https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/, and put query1.xlsx to query9.xlsx "
        "from its community annotations into unstructured_queries.",
        notes="The questions of nine templates; a question names an admission, whose discharge summaries are its "
        "contexts. The answer is that of the notes, or, where they have none, that of the tables; brackets around it "
        "are left out, and several values stay one text. Questions without an answer, or of an admission without a "
        "note, are rejected, and so is a question that a file has before. The SQL is not kept.",
    ),
)
