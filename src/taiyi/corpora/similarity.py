"""Pairs of medical words, terms, questions or sentences, and how similar or related people find them."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import biosses, pairs
from taiyi.schema import Scale

_WORDS: dict[str, Any] = {
    "columns": ("first", "second", "value"),
    "delimiter": "\t",
    "quoted": False,
    "value_key": "value",
}
_SIMVERB_URL = "https://raw.githubusercontent.com/cambridgeltl/bio-simverb/master/wvlib/word-similarities"
_SIMVERB_CITATION = (
    "Chiu et al. Bio-SimVerb and Bio-SimLex: wide-coverage evaluation sets of word similarity in biomedicine. BMC "
    "Bioinformatics, 2018."
)
# The split of BIOSSES that BLUE made and BLURB took over, by the numbers of the pairs.
_BIOSSES_IDS = {
    "train": "1 3 4 5 6 10 11 12 13 14 15 16 17 18 19 21 26 27 28 29 30 31 32 34 35 36 37 39 42 43 44 45 46 48 50 51 "
    "53 54 55 56 58 60 61 62 65 66 67 73 74 75 76 77 78 79 84 85 86 87 92 93 94 95 98 99",
    "dev": "2 8 9 24 40 41 47 63 68 72 80 82 88 90 91 100",
    "test": "7 20 22 23 25 33 38 49 52 57 59 64 69 70 71 81 83 89 96 97",
}


def _biosses(split: str) -> tuple[Source, ...]:
    options: dict[str, Any] = {"scores": "Annotator-Scores.docx", "ids": frozenset(_BIOSSES_IDS[split].split())}
    needs = ("BIOSSES-Dataset/Annotator-Scores.docx",)
    return (Source(path="BIOSSES-Dataset/Annotation-Pairs.docx", read=biosses.read, options=options, needs=needs),)


def _biosses_rows(split: str) -> tuple[Source, ...]:
    options: dict[str, Any] = {
        "first_key": "sentence_1",
        "second_key": "sentence_2",
        "value_key": tuple(f"annotator_{rater}" for rater in "abcde"),
        "id_key": "sentence_id",
        "ids": frozenset(_BIOSSES_IDS[split].split()),
        "delimiter": "\t",
        "quoted": False,
    }
    return (Source(path="annotation_pairs_scores.tsv", read=pairs.read, options=options),)


def _biosses_blue(split: str) -> tuple[Source, ...]:
    options: dict[str, Any] = {
        "first_key": "sentence1",
        "second_key": "sentence2",
        "value_key": "score",
        "id_key": "index",
        "delimiter": "\t",
    }
    return (Source(path=f"{split}.tsv", read=pairs.read, options=options),)


CORPORA = (
    Corpus(
        name="bio_sim_verb",
        title="Bio-SimVerb",
        langs=("en",),
        tasks=("tp_ss",),
        licence="not stated",
        access="open",
        homepage="https://github.com/cambridgeltl/bio-simverb",
        citation=_SIMVERB_CITATION,
        verified="real",
        files={"train": (Source(path="Bio-SimVerb.txt", read=pairs.read, options=_WORDS),)},
        counts={"train": {"records": 1000}},
        sizes={"train": 1000},
        unit="pairs",
        listed=Listed(lang="en", number=60, task="TP-ss", sizes={"train": 1000}),
        downloads=(Download(url=f"{_SIMVERB_URL}/bio-simverb/Bio-SimVerb.txt", path="Bio-SimVerb.txt"),),
        scale=Scale(measure="similarity", lowest=0, highest=10),
        notes="Pairs of verbs; the value is the mean similarity, 0 to 10 (Chiu et al., 2018).",
    ),
    Corpus(
        name="bio_simlex",
        title="Bio-SimLex",
        langs=("en",),
        tasks=("tp_ss",),
        licence="not stated",
        access="open",
        homepage="https://github.com/cambridgeltl/bio-simverb",
        citation=_SIMVERB_CITATION,
        verified="real",
        files={"train": (Source(path="Bio-SimLex.txt", read=pairs.read, options=_WORDS),)},
        counts={"train": {"records": 988}},
        sizes={"train": 988},
        unit="pairs",
        listed=Listed(lang="en", number=61, task="TP-ss", sizes={"train": 988}),
        downloads=(Download(url=f"{_SIMVERB_URL}/bio-simlex/Bio-SimLex.txt", path="Bio-SimLex.txt"),),
        scale=Scale(measure="similarity", lowest=0, highest=10),
        notes="Pairs of nouns; the value is the mean similarity, 0 to 10 (Chiu et al., 2018).",
    ),
    Corpus(
        name="biosses",
        title="BIOSSES",
        langs=("en",),
        tasks=("tp_ss",),
        licence="GPL-3.0",
        access="open",
        homepage="https://tabilab.cmpe.boun.edu.tr/BIOSSES/DataSet.html",
        citation="Soğancıoğlu, Öztürk and Özgür. BIOSSES: a semantic sentence similarity estimation system for the "
        "biomedical domain. Bioinformatics, 2017.",
        verified="fixture",
        files={"train": _biosses("train"), "dev": _biosses("dev"), "test": _biosses("test")},
        counts={"train": {"records": 64}, "dev": {"records": 16}, "test": {"records": 20}},
        copies=(
            Layout(
                name="bigbio_table",
                files={"train": _biosses_rows("train"), "dev": _biosses_rows("dev"), "test": _biosses_rows("test")},
                verified="fixture",
                counts={"train": {"records": 64}, "dev": {"records": 16}, "test": {"records": 20}},
                notes="Both tables in one TSV, as BigBio passes them on.",
            ),
            Layout(
                name="blue",
                files={"train": _biosses_blue("train"), "dev": _biosses_blue("dev"), "test": _biosses_blue("test")},
                verified="real",
                counts={"train": {"records": 64}, "dev": {"records": 16}, "test": {"records": 20}},
                notes="A TSV for each split with the mean score, as BLUE passes it on; the numbers of the pairs are "
                "gone.",
            ),
        ),
        sizes={"train": 64, "dev": 16, "test": 20},
        unit="pairs",
        listed=Listed(lang="en", number=62, task="TP-ss", sizes={"train": 128, "dev": 32, "test": 40}),
        downloads=(
            Download(
                url="https://huggingface.co/datasets/bigbio/biosses/resolve/main/annotation_pairs_scores.tsv",
                path="annotation_pairs_scores.tsv",
            ),
        ),
        scale=Scale(measure="similarity", lowest=0, highest=4),
        notes="100 pairs of sentences; the value is the mean of five raters' scores, 0 to 4 (Soğancıoğlu et al., "
        "2017). The authors publish two DOCX in a RAR without a split; the split is that of BLUE and BLURB (64, 16 and "
        "20 pairs). The list counts the sentences, twice as many.",
    ),
    Corpus(
        name="ehr_rel",
        title="EHR-Rel",
        langs=("en",),
        tasks=("tp_ss",),
        licence="Apache-2.0",
        access="open",
        homepage="https://github.com/babylonhealth/EHR-Rel",
        citation="Schulz et al. Biomedical Concept Relatedness – A large EHR-based benchmark. COLING, 2020.",
        verified="real",
        files={
            "train": tuple(
                Source(
                    path=f"EHR-Rel{part}.tsv",
                    read=pairs.read,
                    options={
                        "first_key": "snomed_label_1",
                        "second_key": "snomed_label_2",
                        "value_key": "mean_rating",
                        "id_prefix": f"{part}",
                        "delimiter": "\t",
                    },
                )
                for part in "AB"
            )
        },
        counts={"train": {"records": 3741}},
        sizes={"train": 3741},
        unit="pairs",
        listed=Listed(lang="en", number=63, task="TP-ss", sizes={"train": 3741}),
        downloads=(
            Download(
                url="https://github.com/babylonhealth/EHR-Rel/archive/refs/heads/master.zip",
                unpack=True,
                strip=1,
                members=("*.tsv",),
            ),
        ),
        scale=Scale(measure="relatedness", lowest=0, highest=3),
        notes="Pairs of SNOMED CT concepts from health records by their preferred terms; the value is the doctors' "
        "mean rating of how related they are, 0 to 3 (Schulz et al., 2020). EHR-RelA (111 pairs, ids begin "
        "with A, five doctors) and EHR-RelB (3,630, B, three doctors) are both in train. Codes are not read.",
    ),
    Corpus(
        name="mqp",
        title="Medical Question Pairs",
        langs=("en",),
        tasks=("tp_ss",),
        licence="not stated",
        access="open",
        homepage="https://github.com/curai/medical-question-pair-dataset",
        citation="McCreery et al. Effective Transfer Learning for Identifying Similar Questions: Matching User "
        "Questions to COVID-19 FAQs. KDD, 2020.",
        verified="real",
        files={
            "train": (
                Source(
                    path="mqp.csv",
                    read=pairs.read,
                    options={
                        "columns": ("doctor", "first", "second", "label"),
                        "label_key": "label",
                        "names": {"0": "different", "1": "similar"},
                    },
                ),
            )
        },
        counts={"train": {"records": 3048, "pairs.similar": 1524, "pairs.different": 1524}},
        sizes={"train": 3048},
        unit="pairs",
        listed=Listed(lang="en", number=66, task="TP-ss", sizes={"train": 3048}),
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/curai/medical-question-pair-dataset/master/mqp.csv",
                path="mqp.csv",
            ),
        ),
        labels={
            "similar": TypeName(
                en="similar", zh="相似", definition_en="One is the other in other words: both ask for the same answer."
            ),
            "different": TypeName(
                en="different",
                zh="不相似",
                definition_en="They share words, but the answer to one is wrong or beside the point for the other.",
            ),
        },
        notes="Doctors wrote a similar and a different question to each of 1,524 questions of patients. The number of "
        "the doctor is not read.",
    ),
)
