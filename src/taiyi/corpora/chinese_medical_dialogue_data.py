"""Chinese-medical-dialogue-data: questions to doctors of six departments with their answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import qa

_RAW = "https://raw.githubusercontent.com/Toyhom/Chinese-medical-dialogue-data/master/"
_HOMEPAGE = "https://github.com/Toyhom/Chinese-medical-dialogue-data"
_CITATION = "Toyhom. Chinese medical dialogue data 中文医疗问答数据集. GitHub, 2019."
_OPTIONS: dict[str, Any] = {
    "question_keys": ("title", "ask"),
    "answer_key": "answer",
    "without_answer": "question without an answer",
    "encodings": ("utf-8", "gb18030"),
}
# Files by what stands before the ids of their records.
_FILES = {
    "男科": "Data_数据/Andriatria_男科/男科5-13000.csv",
    "内科": "Data_数据/IM_内科/内科5000-33000.csv",
    "妇产科": "Data_数据/OAGD_妇产科/妇产科6-28000.csv",
    "肿瘤科": "Data_数据/Oncology_肿瘤科/肿瘤科5-10000.csv",
    "儿科": "Data_数据/Pediatric_儿科/儿科5-14000.csv",
    "外科": "Data_数据/Surgical_外科/外科5-14000.csv",
}
_SAMPLE = "样例_内科5000-6000.csv"
_FORM = (
    "The question is the title and what the patient asks, a line each: the latter often needs the former. The "
    "department is not read. The files are in GBK. "
)

CORPORA = (
    Corpus(
        name="chinese_medical_dialogue_data",
        title="Chinese medical dialogue data",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="MIT",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 792099},
        unit="questions",
        listed=Listed(lang="zh", number=19, task="QA-sqa", sizes={"train": 792099}),
        downloads=tuple(Download(url=f"{_RAW}{quote(path)}", path=path) for path in _FILES.values()),
        files={
            "train": tuple(
                Source(path=path, read=qa.read, options=_OPTIONS | {"id_prefix": f"{department}-"})
                for department, path in _FILES.items()
            )
        },
        notes=f"{_FORM}A question without an answer is rejected. Despite the name there are no dialogues.",
    ),
    Corpus(
        name="chinese_medical_dialogue_sample",
        title="Chinese medical dialogue data, sample",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="MIT",
        access="open",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="real",
        sizes={"train": 7644},
        unit="questions",
        downloads=(Download(url=f"{_RAW}{quote(_SAMPLE)}", path=_SAMPLE),),
        files={"train": (Source(path=_SAMPLE, read=qa.read, options=_OPTIONS),)},
        counts={"train": {"records": 7644, "questions": 7644}},
        notes=f"{_FORM}The sample on the authors' page, of internal medicine, is part of the file of that department. "
        "In six rows what the patient asks is 无 (nothing).",
    ),
)
