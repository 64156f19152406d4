"""Test sets, and suites of them: the paper's 13, its unseen one, BIOSSES, and the demo's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from taiyi.errors import RecipeError, suggestion
from taiyi.evaluate.paper import TABLE_2, TABLE_3_ALL, TABLE_3_CHATGPT_F1, Published
from taiyi.schema import Lang, Split

Metric = Literal["micro_f1", "accuracy", "chrf", "pearson"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSet:
    """A split of a corpus under a task, how it is scored, and what the paper reports on it.

    Args:
        types: the entity or relation types that are asked for; None for all of the corpus.
        merge_types: types that count as another one. They are merged before the record is rendered: counts cannot be
            merged afterwards, because a text that is gold under two types is one item under the merged one.
        missing: said of a corpus that not everybody can have where it is not there; such a set is reported as missing,
            never left out in silence. A set without it must be there.
        note: what differs from the set that the paper uses.
    """

    __test__ = False  # pytest takes a class of this name for a test

    name: str
    title: str
    corpus: str
    split: Split
    task: str
    metric: Metric
    langs: tuple[Lang, ...]
    types: tuple[str, ...] | None = None
    merge_types: Mapping[str, str] = field(default_factory=dict[str, str])
    paper: Published | None = None
    missing: str = ""
    note: str = ""


def get(name: str) -> tuple[TestSet, ...]:
    """Return a suite by name, or a single test set by its own."""
    known = {name: (found,) for name, found in _by_name().items()} | SUITES
    if name not in known:
        raise RecipeError("unknown suite", got=repr(name), mend=suggestion(name, known))
    return known[name]


def test_set(name: str) -> TestSet:
    """Return a test set by name.

    Raises:
        RecipeError: no suite has it.
    """
    known = _by_name()
    if name not in known:
        raise RecipeError("unknown test set", got=repr(name), mend=suggestion(name, known))
    return known[name]


def _by_name() -> dict[str, TestSet]:
    return {found.name: found for suite in SUITES.values() for found in suite}


def _published(
    name: str,
    title: str,
    corpus: str,
    task: str,
    langs: tuple[Lang, ...],
    *,
    split: Split = "test",
    metric: Metric = "micro_f1",
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


def _demo(corpus: str, task: str, metric: Metric, *langs: Lang, title: str = "") -> TestSet:
    return TestSet(
        name=f"{corpus}_{task}",
        title=title or corpus,
        corpus=corpus,
        split="test",
        task=task,
        metric=metric,
        langs=langs,
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
        "LitCovid",
        "bc7_litcovid",
        "tc",
        ("en",),
        note="the official test set (2,500), as the state of the art; the paper's 6,239 are the official dev set",
    ),
    _published(
        "hoc",
        "HoC",
        "hallmarks_of_cancer",
        "tc",
        ("en",),
        note="sentences of BLUE's test documents, 11 labels with none; the paper has 3,547 sentences of another split; "
        "the state of the art is on whole documents, 10 labels",
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

BIOSSES = TestSet(
    name="biosses_similarity",
    title="BIOSSES",
    corpus="biosses",
    split="test",
    task="tp_ss",
    metric="pearson",
    langs=("en",),
    note="20 pairs, the split of BLUE and BLURB; the paper does not report on it",
)

DEMO: tuple[TestSet, ...] = (
    _demo("demo_cdr", "ner", "micro_f1", "en", title="demo_cdr entities"),
    _demo("demo_cmeee", "ner", "micro_f1", "zh"),
    _demo("demo_cdr", "re", "micro_f1", "en", title="demo_cdr relations"),
    _demo("demo_cmeie", "re", "micro_f1", "zh"),
    _demo("demo_litcovid", "tc", "micro_f1", "en"),
    _demo("demo_hoc", "tc", "micro_f1", "en"),
    _demo("demo_qic", "tc", "micro_f1", "zh"),
    _demo("demo_pubmedqa", "qa_yesno", "accuracy", "en"),
    _demo("demo_medqa_en", "qa_mc", "accuracy", "en"),
    _demo("demo_medqa_zh", "qa_mc", "accuracy", "zh"),
    _demo("demo_qa_en", "qa_sqa", "chrf", "en"),
    _demo("demo_qa_zh", "qa_sqa", "chrf", "zh"),
    _demo("demo_context_qa", "qa_cqa", "chrf", "en", "zh"),
    _demo("demo_chat", "mrd", "chrf", "en", "zh"),
)

SUITES: dict[str, tuple[TestSet, ...]] = {
    "taiyi13": TAIYI13,
    "biored_unseen": (BIORED_UNSEEN,),
    "biosses": (BIOSSES,),
    "demo": DEMO,
}
