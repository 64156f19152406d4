"""The Hallmarks of Cancer corpus: which of the ten hallmarks each sentence of a PubMed abstract speaks of."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.formats import hoc

_SPLIT_DIR = "doc_split_from_gpt_bionlp_benchmark"
_OPTIONS: dict[str, Any] = {"split_dir": _SPLIT_DIR, "others": "train"}
_SOURCES = (Source(path=".", read=hoc.read, options=_OPTIONS, needs=hoc.split_lists(_SPLIT_DIR)),)

CORPORA = (
    Corpus(
        name="hallmarks_of_cancer",
        title="Hallmarks of Cancer",
        langs=("en",),
        tasks=("tc",),
        licence="GPL-3.0",
        access="open",
        homepage="https://github.com/sb895/Hallmarks-of-Cancer",
        citation="Baker et al. Automatic semantic classification of scientific literature according to the hallmarks "
        "of cancer. Bioinformatics, 2016.",
        verified="real",
        files={"train": _SOURCES, "dev": _SOURCES, "test": _SOURCES},
        labels={
            "Sustaining proliferative signaling": TypeName(en="sustaining proliferative signaling", zh="维持增殖信号"),
            "Evading growth suppressors": TypeName(en="evading growth suppressors", zh="逃避生长抑制"),
            "Resisting cell death": TypeName(en="resisting cell death", zh="抵抗细胞死亡"),
            "Enabling replicative immortality": TypeName(en="enabling replicative immortality", zh="获得无限复制能力"),
            "Inducing angiogenesis": TypeName(en="inducing angiogenesis", zh="诱导血管生成"),
            "Activating invasion and metastasis": TypeName(
                en="activating invasion and metastasis", zh="激活侵袭与转移"
            ),
            "Genomic instability and mutation": TypeName(
                en="genomic instability and mutation", zh="基因组不稳定与突变"
            ),
            "Tumor promoting inflammation": TypeName(en="tumor promoting inflammation", zh="促肿瘤炎症"),
            "Cellular energetics": TypeName(en="cellular energetics", zh="细胞能量代谢"),
            "Avoiding immune destruction": TypeName(en="avoiding immune destruction", zh="逃避免疫清除"),
            "none": TypeName(en="none", zh="无"),
        },
        multi_label=True,
        counts={
            "train": {"records": 13072, "documents": 1380, "labels.none": 9937},
            "dev": {"records": 1496, "documents": 157, "labels.none": 1072},
            "test": {"records": 2896, "documents": 315, "labels.none": 2012},
        },
        notes="1,852 documents, 17,464 sentences. The split is by document: that of BLUE (gpt_bionlp_benchmark's "
        "lists, 1,580 documents), and the 272 documents that it leaves out are in train. BLURB's split (12,119, 1,798 "
        "and 3,547 sentences) needs its own lists of PMIDs, which this folder does not hold. The 11 sentences "
        "labelled NULL count as none.",
    ),
)
