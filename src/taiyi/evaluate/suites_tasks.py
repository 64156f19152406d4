"""Suites beyond the paper's tables: every task, with the metrics of the field; BIOSSES; the demo's."""

from __future__ import annotations

from taiyi.evaluate.suites_paper import TAIYI13, TAIYI13_OFFICIAL
from taiyi.evaluate.test_set import TestSet
from taiyi.schema import Lang, Split


def _demo(corpus: str, task: str, metric: str, *langs: Lang, title: str = "") -> TestSet:
    return TestSet(
        name=f"{corpus}_{task}",
        title=title or corpus,
        corpus=corpus,
        split="test",
        task=task,
        metric=metric,
        langs=langs,
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

_NOT_THERE = "corpus not at hand"


def _field(
    name: str,
    title: str,
    corpus: str,
    task: str,
    lang: Lang,
    metric: str,
    *,
    split: Split = "test",
    protocol: str = "",
    note: str = "",
) -> TestSet:
    """Return a test set with the metric that the field has for it; whoever lacks its corpus is told so."""
    return TestSet(
        name=name,
        title=title,
        corpus=corpus,
        split=split,
        task=task,
        metric=metric,
        protocol=protocol,
        langs=(lang,),
        missing=_NOT_THERE,
        note=note,
    )


_PUBLISHED = {test_set.name: test_set for test_set in (*TAIYI13, *TAIYI13_OFFICIAL)}
_DEV = "dev, for the test set is hidden"
_ONE_SPLIT = "all that there is of it is one split: do not train on it"

ALL_TASKS: tuple[TestSet, ...] = (
    _PUBLISHED["ncbi_disease"],
    _PUBLISHED["cmeee"],
    _field("ncbi_disease_concepts", "NCBI disease, concepts", "ncbi_disease", "nen", "en", "micro_f1"),
    _field("chip_cdn", "CHIP-CDN dev", "chip_cdn", "nen", "zh", "micro_f1", split="dev", note=_DEV),
    _field("biored_relations", "BioRED relations", "biored", "re", "en", "micro_f1"),
    _PUBLISHED["cmeie"],
    _field("ddi_pairs", "DDI 2013, by pair", "ddi_corpus", "rc", "en", "micro_f1", protocol="blurb"),
    _field("cmedcausal", "CMedCausal dev", "cmedcausal", "cre", "zh", "micro_f1", split="dev", note=_DEV),
    _field("mlee_events", "MLEE events", "mlee", "ee", "en", "argument_c_f1", protocol="parts"),
    _field("chip_cdee", "CHIP-CDEE dev", "chip_cdee", "ee", "zh", "micro_f1", split="dev", note=_DEV),
    _field(
        "genia_coreference",
        "BioNLP 2011 GE, coreference",
        "bionlp_st_2011_ge",
        "coref",
        "en",
        "conll_f1",
        split="dev",
        protocol="conll",
        note=_DEV,
    ),
    _PUBLISHED["litcovid_official"],
    _PUBLISHED["hoc_official"],
    _field("chip_ctc", "CHIP-CTC dev", "chip_ctc", "tc", "zh", "macro_f1", split="dev", protocol="cblue", note=_DEV),
    BIOSSES,
    _field("kuake_qqr", "KUAKE-QQR dev", "kuake_qqr", "tp_ss", "zh", "accuracy", split="dev", note=_DEV),
    _field("mediqa_rqe", "MEDIQA 2019 RQE", "mediqa_rqe", "tp_te", "en", "accuracy"),
    _PUBLISHED["med_qa_us"],
    _PUBLISHED["med_qa_mainland"],
    _PUBLISHED["pubmed_qa"],
    _field("liveqa", "LiveQA 2017", "liveqa", "qa_sqa", "en", "rouge_l", protocol="rouge"),
    _field(
        "huatuo_encyclopedia",
        "Huatuo encyclopaedia",
        "huatuo_encyclopedia_qa",
        "qa_sqa",
        "zh",
        "rouge_l",
        protocol="rouge",
    ),
    _field("mediqa_answers", "MEDIQA 2019 QA", "mediqa_qa", "qa_cqa", "en", "rouge_l", protocol="rouge"),
    _field("meddialog_zh", "MedDialog-zh", "meddialog_zh", "mrd", "zh", "rouge_l", protocol="rouge"),
    _field("paramed", "ParaMed, zh to en", "paramed", "mt", "zh", "bleu", protocol="sacrebleu"),
    _field(
        "meqsum_questions",
        "MeQSum",
        "meqsum",
        "summary",
        "en",
        "rouge_l",
        split="train",
        protocol="rouge",
        note=_ONE_SPLIT,
    ),
    _field("multi_xscience", "Multi-XScience", "multi_xscience", "summary", "en", "rouge_l", protocol="rouge"),
    _field(
        "zhiwang_titles",
        "CNKI titles",
        "zhiwang_ds_zh",
        "title",
        "zh",
        "rouge_l",
        split="train",
        protocol="rouge",
        note=_ONE_SPLIT,
    ),
    _field("imcs_v2_mrg", "IMCS-V2-MRG", "imcs_v2_mrg", "report", "zh", "rouge_l", protocol="rouge"),
    _field("text2dt", "Text2DT", "text2dt", "struct", "zh", "tree_edit_ratio", protocol="text2dt"),
)
