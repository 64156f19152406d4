"""The demo corpora: small, hand-written ones that ship with the package, in the file formats of the real corpora.

Their sentences are invented around common medical facts; none is taken from another corpus or article.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.corpora import bc5cdr, bc7_litcovid, cmeee, cmeie_v2, hallmarks_of_cancer, kuake_qic
from taiyi.formats import cblue, cmeie, dialogue, hoc, labelled, litcovid, medqa, pubmedqa, pubtator, qa
from taiyi.schema import SPLITS, Lang, Record, Reject, Split

_FOLDER = Path(__file__).parents[1] / "demo" / "corpora"
_NOTE = "Hand-written for the demo; says nothing about real articles, patients or studies."


def _corpus(
    name: str,
    title: str,
    langs: tuple[Lang, ...],
    tasks: tuple[str, ...],
    sources: Mapping[Split, tuple[Source, ...]],
    counts: Mapping[str, tuple[int, int, int]],
    notes: str = "",
    **types: Any,
) -> Corpus:
    """Declare a bundled corpus: all have the same licence, origin and note; counts are those of train, dev and test."""
    return Corpus(
        name=name,
        title=title,
        langs=langs,
        tasks=tasks,
        licence="Apache-2.0",
        access="open",
        homepage="",
        citation="Bundled with Taiyi.",
        verified="fixture",
        files=sources,
        counts={split: {key: of[n] for key, of in counts.items()} for n, split in enumerate(SPLITS)},
        notes=f"{_NOTE} {notes}".strip(),
        bundled=_FOLDER / name,
        **types,
    )


def _context_qa(path: Path, *, corpus: str, split: Split, lang: Lang, **options: Any) -> Iterator[Record | Reject]:
    """Read questions with context whose language is told by the file's name, `en_…` or `zh_…`."""
    named: Lang = "zh" if path.name.startswith("zh_") else "en" if path.name.startswith("en_") else lang
    return qa.read(path, corpus=corpus, split=split, lang=named, context_key="context", **options)


def _some(types: Mapping[str, TypeName], *names: str) -> Mapping[str, TypeName]:
    """Return some of the types of a real corpus, so that they are shown in the same words."""
    return {name: types[name] for name in names}


_BC5CDR = bc5cdr.CORPORA[0]
_CID = {"roles": {"CID": ("Chemical", "Disease")}}
_HOC: dict[str, Any] = {"split_dir": "split", "others": "train"}
_DETECT = {"detect_lang": True}


CORPORA = (
    _corpus(
        "demo_cdr",
        "Demo: chemicals, diseases and chemical-induced diseases (PubTator)",
        ("en",),
        ("ner", "re"),
        {
            "train": (Source(path="DemoCDR_TrainingSet.PubTator.txt", read=pubtator.read, options=_CID),),
            "dev": (Source(path="DemoCDR_DevelopmentSet.PubTator.txt", read=pubtator.read, options=_CID),),
            "test": (Source(path="DemoCDR_TestSet.PubTator.txt", read=pubtator.read, options=_CID),),
        },
        {
            "records": (60, 10, 20),
            "entities": (411, 68, 135),
            "entities.Chemical": (206, 31, 67),
            "entities.Disease": (205, 37, 68),
            "relations": (62, 10, 19),
            "relations.CID": (62, 10, 19),
        },
        "The development file has CRLF line ends, as some real ones do. Concepts are MeSH descriptors.",
        entity_types=_BC5CDR.entity_types,
        relation_types=_BC5CDR.relation_types,
    ),
    _corpus(
        "demo_cmeee",
        "Demo: Chinese medical entities, some nested (CMeEE JSON)",
        ("zh",),
        ("ner",),
        {s: (Source(path=f"DemoCMeEE_{s}.json", read=cblue.read_mentions),) for s in SPLITS},
        {
            "records": (100, 15, 35),
            "entities": (279, 39, 98),
            "entities.bod": (45, 8, 15),
            "entities.dis": (84, 13, 27),
            "entities.dru": (32, 3, 13),
            "entities.pro": (38, 4, 16),
            "entities.sym": (80, 11, 27),
        },
        "Body parts may stand inside symptoms; ends are inclusive in the files.",
        entity_types=_some(cmeee.CORPORA[0].entity_types, "dis", "sym", "pro", "dru", "bod"),
    ),
    _corpus(
        "demo_cmeie",
        "Demo: triples of Chinese medical texts (CMeIE JSONL)",
        ("zh",),
        ("re",),
        {s: (Source(path=f"DemoCMeIE_{s}.jsonl", read=cmeie.read),) for s in SPLITS},
        {
            "records": (75, 10, 25),
            "triples": (157, 30, 51),
            "triples.临床表现": (69, 17, 23),
            "triples.药物治疗": (46, 4, 16),
            "triples.辅助检查": (42, 9, 12),
        },
        entity_types=_some(cmeie_v2.CORPORA[0].entity_types, "疾病", "症状", "检查", "药物"),
        relation_types=_some(cmeie_v2.CORPORA[0].relation_types, "临床表现", "药物治疗", "辅助检查"),
    ),
    _corpus(
        "demo_qic",
        "Demo: the intent of Chinese medical queries (KUAKE-QIC JSON)",
        ("zh",),
        ("tc",),
        {s: (Source(path=f"DemoQIC_{s}.json", read=labelled.read, options={"text_keys": ("query",)}),) for s in SPLITS},
        {
            "records": (80, 10, 30),
            "labels.功效作用": (16, 2, 6),
            "labels.医疗费用": (16, 2, 6),
            "labels.就医建议": (16, 2, 6),
            "labels.治疗方案": (16, 2, 6),
            "labels.病因分析": (16, 2, 6),
        },
        labels=_some(kuake_qic.CORPORA[0].labels, "病因分析", "治疗方案", "就医建议", "功效作用", "医疗费用"),
    ),
    _corpus(
        "demo_hoc",
        "Demo: hallmarks of cancer, by sentence (HoC text and labels)",
        ("en",),
        ("tc",),
        {s: (Source(path=".", read=hoc.read, options=_HOC, needs=hoc.split_lists("split")),) for s in SPLITS},
        {
            "records": (84, 12, 36),
            "documents": (21, 3, 9),
            "labels.Activating invasion and metastasis": (16, 4, 7),
            "labels.Inducing angiogenesis": (12, 4, 5),
            "labels.Resisting cell death": (12, 0, 5),
            "labels.Sustaining proliferative signaling": (18, 2, 8),
            "labels.none": (33, 3, 14),
        },
        "33 documents of four sentences; one sentence is labelled NULL, which counts as none.",
        labels=_some(
            hallmarks_of_cancer.CORPORA[0].labels,
            "Sustaining proliferative signaling",
            "Resisting cell death",
            "Inducing angiogenesis",
            "Activating invasion and metastasis",
            "none",
        ),
        multi_label=True,
    ),
    _corpus(
        "demo_litcovid",
        "Demo: topics of articles on COVID-19 (LitCovid TSV)",
        ("en",),
        ("tc",),
        {s: (Source(path=f"{s}.tsv", read=litcovid.read),) for s in SPLITS},
        {
            "records": (45, 5, 20),
            "labels.Diagnosis": (15, 1, 7),
            "labels.Mechanism": (12, 2, 5),
            "labels.Prevention": (12, 1, 6),
            "labels.Treatment": (15, 2, 6),
        },
        labels=_some(bc7_litcovid.CORPORA[0].labels, "Diagnosis", "Mechanism", "Prevention", "Treatment"),
        multi_label=True,
    ),
    _corpus(
        "demo_pubmedqa",
        "Demo: research questions answered yes, no or maybe (PubMedQA JSON)",
        ("en",),
        ("qa_yesno",),
        {s: (Source(path=f"{s}.json", read=pubmedqa.read),) for s in SPLITS},
        {
            "records": (30, 5, 15),
            "answers.maybe": (5, 1, 2),
            "answers.no": (10, 2, 6),
            "answers.yes": (15, 2, 7),
        },
    ),
    _corpus(
        "demo_medqa_en",
        "Demo: multiple-choice questions in English (MedQA JSONL)",
        ("en",),
        ("qa_mc",),
        {s: (Source(path=f"{s}.jsonl", read=medqa.read),) for s in SPLITS},
        {
            "records": (40, 5, 15),
        },
        "Twenty facts, each asked in three ways; dev and test ask in the way that train does not.",
    ),
    _corpus(
        "demo_medqa_zh",
        "Demo: multiple-choice questions in Chinese (MedQA JSONL)",
        ("zh",),
        ("qa_mc",),
        {s: (Source(path=f"{s}.jsonl", read=medqa.read),) for s in SPLITS},
        {
            "records": (40, 5, 15),
        },
        "Twenty facts, each asked in three ways; dev and test ask in the way that train does not.",
    ),
    _corpus(
        "demo_qa_en",
        "Demo: simple questions in English (Alpaca JSONL)",
        ("en",),
        ("qa_sqa",),
        {s: (Source(path=f"{s}.json", read=qa.read, options=qa.ALPACA),) for s in SPLITS},
        {
            "records": (30, 3, 7),
        },
        "Twenty facts, each asked in two ways; dev and test ask in a way that train does not.",
    ),
    _corpus(
        "demo_qa_zh",
        "Demo: simple questions in Chinese (Alpaca JSONL)",
        ("zh",),
        ("qa_sqa",),
        {s: (Source(path=f"{s}.json", read=qa.read, options=qa.ALPACA),) for s in SPLITS},
        {
            "records": (45, 5, 10),
        },
        "Thirty facts, each asked in two ways; dev and test ask in a way that train does not.",
    ),
    _corpus(
        "demo_context_qa",
        "Demo: questions about a short case, in both languages (JSON)",
        ("en", "zh"),
        ("qa_cqa",),
        {
            s: (Source(path=f"en_{s}.json", read=_context_qa), Source(path=f"zh_{s}.json", read=_context_qa))
            for s in SPLITS
        },
        {
            "records": (28, 4, 8),
            "lang.en": (14, 2, 4),
            "lang.zh": (14, 2, 4),
        },
        "Two questions a case; no case is in two splits, and each question names its patient.",
    ),
    _corpus(
        "demo_chat",
        "Demo: medical dialogues, Chinese (MOSS JSON) and English (JSONL turns)",
        ("zh", "en"),
        ("mrd",),
        {
            s: (
                Source(path=f"moss_{s}.jsonl", read=dialogue.read, options=_DETECT),
                Source(path=f"turns_{s}.jsonl", read=dialogue.read, options=_DETECT),
            )
            for s in SPLITS
        },
        {
            "records": (30, 4, 6),
            "lang.en": (15, 2, 3),
            "lang.zh": (15, 2, 3),
            "turns": (124, 16, 24),
        },
    ),
)
