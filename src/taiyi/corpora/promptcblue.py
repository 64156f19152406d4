"""Parts of PromptCBLUE: CBLUE's corpora, written out as prompts and answers by others."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Source
from taiyi.formats import promptcblue

_FILES = (
    "CHIP-CDEE-1588.json",
    "CHIP-CDN-2000.json",
    "CHIP-CDN-500.json",
    "CHIP-CTC-822.json",
    "CHIP-MDCFNPC-1000.json",
    "CHIP-STS-2502.json",
    "CMeEE-1000.json",
    "CMeIE-2000.json",
    "IMCS-MRG-1000.json",
    "IMCS-NER-1000.json",
    "KUAKE-IR-1866.json",
    "KUAKE-IR-500.json",
    "KUAKE-QIC-1100.json",
    "KUAKE-QTR-1000.json",
    "STS_2000.json",
)

CORPORA = (
    Corpus(
        name="promptcblue_subset",
        title="PromptCBLUE, a part of its prompts by task",
        langs=("zh",),
        tasks=("qa_sqa",),
        licence="not stated",
        access="form",
        homepage="https://github.com/michael-wzhu/PromptCBLUE",
        citation="Zhu et al. PromptCBLUE: a Chinese prompt tuning benchmark for the medical domain. "
        "arXiv:2310.14151, 2023.",
        verified="real",
        files={"train": tuple(Source(path=name, read=promptcblue.read) for name in _FILES)},
        counts={"train": {"records": 19410, "questions": 19410, "rejects.no answer": 15}},
        sizes={"train": 19425},
        unit="prompts",
        obtain="Sign in at Tianchi for PromptCBLUE (see the homepage), whose prompts are lines of the same JSON; the "
        "division into these 15 files was made by others.",
        notes="No corpus of the list; prompts and answers are in the words of PromptCBLUE's templates. 15 prompts of "
        "CMeIE ask for nothing and have an empty answer; they are rejected. The CMeIE prompts are of 752 texts, one "
        "of which is in the dev set of CMeIE-V2, and the IMCS prompts may be of its dev set too, so this is not for "
        "training what is evaluated there. The lines of four files end in a lone CR, those of "
        "two in CR and LF.",
    ),
)
