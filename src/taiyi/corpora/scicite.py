"""SciCite: why a paper cites another."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import labelled

_OPTIONS: dict[str, Any] = {
    "text_keys": ("string",),
    "id_key": "",
    "document_key": "citingPaperId",
    "document_prefix": "s2:",
}

CORPORA = (
    Corpus(
        name="scicite",
        title="SciCite",
        langs=("en",),
        tasks=("tc",),
        licence="not stated",
        access="open",
        homepage="https://github.com/allenai/scicite",
        citation="Cohan et al. Structural Scaffolds for Citation Intent Classification in Scientific Publications. "
        "NAACL, 2019.",
        verified="fixture",
        files={
            "train": (Source(path="scicite/train.jsonl", read=labelled.read, options=_OPTIONS),),
            "dev": (Source(path="scicite/dev.jsonl", read=labelled.read, options=_OPTIONS),),
            "test": (Source(path="scicite/test.jsonl", read=labelled.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 8243}, "dev": {"records": 916}, "test": {"records": 1861}},
        sizes={"train": 8243, "dev": 916, "test": 1861},
        unit="citations",
        listed=Listed(lang="en", number=55, task="TC", sizes={"train": 8243, "dev": 916, "test": 1861}),
        downloads=(
            Download(
                url="https://s3-us-west-2.amazonaws.com/ai2-s2-research/scicite/scicite.tar.gz",
                unpack=True,
                members=("scicite/*.jsonl",),
            ),
        ),
        labels={
            "background": TypeName(
                en="background",
                zh="背景信息",
                definition_en="The cited paper gives background on a problem, a concept or the field.",
            ),
            "method": TypeName(
                en="method", zh="方法", definition_en="The cited paper's method, tool or data are used."
            ),
            "result": TypeName(
                en="result comparison",
                zh="结果比较",
                definition_en="Results are compared with those of the cited paper.",
            ),
        },
        notes="Papers of computer science and biomedicine. Of what stands with a citation its sentence and the label "
        "of its intent are read, not label2 (whether results agree). `unique_id` is not unique (some copies have fewer "
        "citations, 8,194 and 1,859, because of that): records are named by their position.",
    ),
)
