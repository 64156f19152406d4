"""Abstracts of Chinese papers from zhiwang (CNKI), with titles and translations, as the Taiyi paper used them.

Its authors published none of them. The entries say what was used, and in which form Taiyi reads abstracts of one's own.
The list that they are in has a `cdr_jnlpba_ner` too, 548 instances of Chinese NER. It is published by nobody and
described nowhere (CDR and JNLPBA are English), so it has no entry.
"""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Source
from taiyi.formats import parallel, texts

_PATH = "abstracts.jsonl"
_TITLES_ZH: dict[str, Any] = {"kind": "title", "source_keys": ("abstract_zh",), "target_key": "title_zh"}
_TITLES_EN: dict[str, Any] = {"kind": "title", "source_keys": ("abstract_en",), "target_key": "title_en"}
_TRANSLATIONS: dict[str, Any] = {"source_key": "abstract_zh", "target_key": "abstract_en", "target_lang": "en"}

_HOMEPAGE = "https://github.com/DUTIR-BioNLP/Taiyi-LLM"
_CITATION = "Luo et al. Taiyi: a bilingual fine-tuned large language model for diverse biomedical tasks. JAMIA, 2024."
_LICENCE = "not published"


def _obtain(item: str) -> str:
    return (
        "The authors of the Taiyi paper never published these abstracts. To use abstracts of your own, put "
        f"abstracts.jsonl under zhiwang/, an object a paper and line: {item}."
    )


CORPORA = (
    Corpus(
        name="zhiwang_ds_zh",
        title="Zhiwang: titles from Chinese abstracts",
        langs=("zh",),
        tasks=("title",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 7813},
        unit="instructions",
        obtain=_obtain('{"id", "title_zh", "abstract_zh"}'),
        folder="zhiwang",
        files={"train": (Source(path=_PATH, read=texts.read, options=_TITLES_ZH),)},
        notes="The size is that of the instructions that were made of it. The paper calls the task text "
        "summarisation; what is made from an abstract is its title.",
    ),
    Corpus(
        name="zhiwang_ds_en",
        title="Zhiwang: titles from English abstracts",
        langs=("en",),
        tasks=("title",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 7815},
        unit="instructions",
        obtain=_obtain('{"id", "title_en", "abstract_en"}'),
        folder="zhiwang",
        files={"train": (Source(path=_PATH, read=texts.read, options=_TITLES_EN),)},
        notes="The size is that of the instructions that were made of it. The paper calls the task text "
        "summarisation; what is made from an abstract is its title.",
    ),
    Corpus(
        name="zhiwang_mt",
        title="Zhiwang: Chinese abstracts and their English translations",
        langs=("zh",),
        tasks=("mt",),
        licence=_LICENCE,
        access="form",
        homepage=_HOMEPAGE,
        citation=_CITATION,
        verified="fixture",
        sizes={"train": 11986},
        unit="instructions",
        obtain=_obtain('{"id", "abstract_zh", "abstract_en"}'),
        folder="zhiwang",
        files={"train": (Source(path=_PATH, read=parallel.read, options=_TRANSLATIONS),)},
        notes="The size is that of the instructions that were made of it.",
    ),
)
