"""The suites of the paper: its 13 test sets as it uses them, the same as their benchmarks do, its samples, BioRED."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from taiyi.evaluate.paper import TABLE_2, TABLE_3_ALL, TABLE_3_CHATGPT_F1, Published
from taiyi.evaluate.test_set import TestSet
from taiyi.schema import Lang, Split

SAMPLE_SIZE = 200
"""How many instances of each test set the paper compares training strategies on (Figure 4)."""


def _published(
    name: str,
    title: str,
    corpus: str,
    task: str,
    langs: tuple[Lang, ...],
    *,
    split: Split = "test",
    metric: str = "micro_f1",
    types: tuple[str, ...] | None = None,
    merge_types: Mapping[str, str] | None = None,
    missing: str = "",
    note: str = "",
) -> TestSet:
    return TestSet(
        name=name,
        title=title,
        corpus=corpus,
        split=split,
        task=task,
        metric=metric,
        langs=langs,
        types=types,
        merge_types=merge_types or {},
        paper=TABLE_2[name],
        missing=missing,
        note=note,
    )


_NCBI = ("SpecificDisease", "Modifier", "DiseaseClass", "CompositeMention")
_ON_DEV = "dev, as in the paper; the state of the art is on the hidden test set"

TAIYI13: tuple[TestSet, ...] = (
    _published("bc5cdr_chemical", "BC5CDR chemical", "bc5cdr", "ner", ("en",), types=("Chemical",)),
    _published("bc5cdr_disease", "BC5CDR disease", "bc5cdr", "ner", ("en",), types=("Disease",)),
    _published("chemdner", "CHEMDNER", "chemdner", "ner", ("en",), missing="corpus not at hand"),
    _published(
        "ncbi_disease",
        "NCBI disease",
        "ncbi_disease",
        "ner",
        ("en",),
        merge_types=dict.fromkeys(_NCBI, "Disease"),
        note="the four annotated types count as one, Disease, as in the paper",
    ),
    _published(
        "cmeee", "CMeEE dev", "cmeee_v2", "ner", ("zh",), split="dev", note=f"{_ON_DEV}; annotation of CMeEE-V2"
    ),
    _published(
        "bc5cdr_relations",
        "BC5CDR relations",
        "bc5cdr",
        "re",
        ("en",),
        note="gold relations are between concepts; the paper does not say which of a concept's names it takes",
    ),
    _published("cmeie", "CMeIE dev", "cmeie_v2", "re", ("zh",), split="dev", note=f"{_ON_DEV}; annotation of CMeIE-V2"),
    _published(
        "litcovid",
        "LitCovid dev",
        "bc7_litcovid",
        "tc",
        ("en",),
        split="dev",
        missing="the official dev set is not at hand",
        note="the 6,239 articles of the official dev set, which the paper has for a test set; the state of the art is "
        "on the official test set, litcovid_official",
    ),
    _published(
        "hoc",
        "HoC",
        "hallmarks_of_cancer",
        "tc",
        ("en",),
        note="sentences, 11 labels with none, as in the paper: 3,547 where BLURB's lists of documents are there, "
        "which are the paper's numbers, 2,896 by those of BLUE; the state of the art is on whole documents, "
        "hoc_official",
    ),
    _published("kuake_qic", "KUAKE-QIC dev", "kuake_qic", "tc", ("zh",), split="dev", note=_ON_DEV),
    _published(
        "pubmed_qa",
        "PubMedQA",
        "pubmed_qa",
        "qa_yesno",
        ("en",),
        metric="accuracy",
        note="the prompt has the abstract; the paper does not say whether its own has",
    ),
    _published("med_qa_us", "MedQA-USMLE", "med_qa_us", "qa_mc", ("en",), metric="accuracy", note="4 options"),
    _published(
        "med_qa_mainland", "MedQA-MCMLE", "med_qa_mainland", "qa_mc", ("zh",), metric="accuracy", note="4 options"
    ),
)

_SPANS = "exact spans, as the state of the art is scored"
_CBLUE = "dev, for the test set is hidden; scored as CBLUE's leaderboard is"


class _Official(NamedTuple):
    """How a benchmark has a set of the paper: under which protocol and measure, on which split where that differs."""

    protocol: str
    metric: str
    note: str
    split: Split | None = None


_OFFICIAL: Mapping[str, _Official] = {
    "bc5cdr_chemical": _Official("blurb", "micro_f1", _SPANS),
    "bc5cdr_disease": _Official("blurb", "micro_f1", _SPANS),
    "chemdner": _Official("strict", "micro_f1", _SPANS),
    "ncbi_disease": _Official(
        "blurb", "micro_f1", f"{_SPANS}; the four annotated types count as one, Disease, as in BLURB"
    ),
    "cmeee": _Official("cblue", "micro_f1", f"{_CBLUE}; annotation of CMeEE-V2"),
    "cmeie": _Official("cblue", "micro_f1", f"{_CBLUE}; annotation of CMeIE-V2"),
    "litcovid": _Official("litcovid", "micro_f1", "the official test set of 2,500 articles", split="test"),
    "hoc": _Official("blurb", "micro_f1", "documents and the ten hallmarks, as in BLURB; sentences are asked about"),
    "kuake_qic": _Official("cblue", "accuracy", _CBLUE),
}


def _official(test_set: TestSet) -> TestSet:
    """Return a test set of the paper as its benchmark has it; one that does not differ as it is."""
    if (other := _OFFICIAL.get(test_set.name)) is None:
        return test_set
    published = test_set.paper or Published()
    return replace(
        test_set,
        name=f"{test_set.name}_official",
        title=f"{test_set.title.removesuffix(' dev') if other.split else test_set.title}, official",
        split=other.split or test_set.split,
        protocol=other.protocol,
        metric=other.metric,
        # What the paper prints for Taiyi and ChatGPT is not scored so.
        paper=Published(sota=published.sota, sota_system=published.sota_system),
        missing="" if other.split else test_set.missing,
        note=other.note,
        part_of=test_set.name,
    )


TAIYI13_OFFICIAL: tuple[TestSet, ...] = tuple(map(_official, TAIYI13))

SAMPLE200: tuple[TestSet, ...] = tuple(
    replace(
        test_set,
        name=f"{test_set.name}_sample200",
        title=f"{test_set.title}, {SAMPLE_SIZE}",
        # The paper draws its bars without numbers.
        paper=None,
        note="; ".join(filter(None, (f"{SAMPLE_SIZE} records at most, always the same", test_set.note))),
        max_records=SAMPLE_SIZE,
        part_of=test_set.name,
    )
    for test_set in TAIYI13
)

BIORED_UNSEEN = TestSet(
    name="biored_unseen",
    title="BioRED, unseen",
    corpus="biored",
    split="test",
    task="ner",
    metric="micro_f1",
    langs=("en",),
    paper=Published(taiyi=TABLE_3_ALL.f1, chatgpt=TABLE_3_CHATGPT_F1),
    note="the paper holds it out of training",
)
