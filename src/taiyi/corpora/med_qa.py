"""MedQA: multiple-choice questions of medical licensing examinations in the United States and in mainland China."""

from __future__ import annotations

from collections.abc import Mapping

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source
from taiyi.catalogue.entry import Counts
from taiyi.formats import medqa
from taiyi.schema import Lang, Split

_CITATION = (
    "Jin et al. What disease does this patient have? A large-scale open domain question answering dataset from medical "
    "exams. Applied Sciences, 2021."
)
_NOTES = (
    "The four options with which the authors report results; the files with five, which the Taiyi paper used for "
    "Chinese, stand a folder above. The questions from Taiwan are not read, nor are the step of "
    "the examination (meta_info) and the phrases found by a program (metamap_phrases)."
)
_ARCHIVE = "https://drive.google.com/uc?export=download&confirm=t&id=1ImYUSLk9JbgHXOemfvyiDiirluZHPeQw"


def _files(folder: str, name: str) -> Mapping[Split, tuple[Source, ...]]:
    splits: tuple[Split, ...] = ("train", "dev", "test")
    return {split: (Source(path=f"{folder}/{name.format(split)}", read=medqa.read),) for split in splits}


def _corpus(
    name: str, title: str, lang: Lang, files: tuple[str, str], sizes: Mapping[Split, int], listed: Listed, notes: str
) -> Corpus:
    folder, file = files
    counts: Mapping[Split, Counts] = {split: {"records": n, "questions": n} for split, n in sizes.items()}
    return Corpus(
        name=name,
        title=title,
        langs=(lang,),
        tasks=("qa_mc",),
        licence="MIT",
        access="open",
        homepage="https://github.com/jind11/MedQA",
        citation=_CITATION,
        verified="fixture",
        folder="med_qa",
        files=_files(f"data_clean/questions/{folder}", file),
        counts=counts,
        copies=(
            Layout(
                name="questions_folder",
                files=_files(folder, file),
                verified="real",
                counts=counts,
                notes="What is in the archive's folder of questions. Dev and test were checked, train was not there.",
            ),
        ),
        sizes=sizes,
        unit="questions",
        listed=listed,
        downloads=(Download(url=_ARCHIVE, unpack=True, members=(f"data_clean/questions/{folder}/*",)),),
        notes=f"{_NOTES}{notes}",
    )


CORPORA = (
    _corpus(
        "med_qa_us",
        "MedQA, United States, four options",
        "en",
        ("US/4_options", "phrases_no_exclude_{}.jsonl"),
        {"train": 10178, "dev": 1272, "test": 1273},
        Listed(lang="en", number=32, task="QA-multiple_choice", sizes={"train": 10178, "dev": 1272, "test": 1273}),
        "",
    ),
    _corpus(
        "med_qa_mainland",
        "MedQA, mainland China, four options",
        "zh",
        ("Mainland/4_options", "{}.jsonl"),
        {"train": 27400, "dev": 3425, "test": 3426},
        Listed(lang="zh", number=14, task="QA-multiple_choice", sizes={"train": 27400, "dev": 3425, "test": 3426}),
        " Dev and test share 68 questions, and repeat some within.",
    ),
)
