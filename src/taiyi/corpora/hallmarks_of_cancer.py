"""The Hallmarks of Cancer corpus: which of the ten hallmarks each sentence of a PubMed abstract speaks of."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import hoc

_BLURB_DIR = "data_generation/indexing/HoC"
_BLURB_ENDING = "_pmid.tsv"
_BLURB: dict[str, Any] = {"split_dir": _BLURB_DIR, "split_ending": _BLURB_ENDING, "others": None}
_BLURB_SOURCES = (Source(path=".", read=hoc.read, options=_BLURB, needs=hoc.split_lists(_BLURB_DIR, _BLURB_ENDING)),)
_BLUE_DIR = "doc_split_from_gpt_bionlp_benchmark"
_BLUE: dict[str, Any] = {"split_dir": _BLUE_DIR, "others": "train"}
_BLUE_SOURCES = (Source(path=".", read=hoc.read, options=_BLUE, needs=hoc.split_lists(_BLUE_DIR)),)

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
        verified="fixture",
        files={"train": _BLURB_SOURCES, "dev": _BLURB_SOURCES, "test": _BLURB_SOURCES},
        counts={"train": {"records": 12119}, "dev": {"records": 1798}, "test": {"records": 3547}},
        copies=(
            Layout(
                name="blue_split",
                files={"train": _BLUE_SOURCES, "dev": _BLUE_SOURCES, "test": _BLUE_SOURCES},
                verified="real",
                counts={
                    "train": {"records": 13072, "documents": 1380, "labels.none": 9937},
                    "dev": {"records": 1496, "documents": 157, "labels.none": 1072},
                    "test": {"records": 2896, "documents": 315, "labels.none": 2012},
                },
                notes="The authors' texts and labels with the split by document of BLUE: the lists of documents "
                "(1,580) of gpt_bionlp_benchmark; the 272 documents that they leave out are in train.",
            ),
        ),
        sizes={"train": 12119, "dev": 1798, "test": 3547},
        unit="sentences",
        listed=Listed(lang="en", number=52, task="TC", sizes={"train": 12119, "dev": 1798, "test": 3547}),
        downloads=(
            Download(
                url="https://github.com/sb895/Hallmarks-of-Cancer/archive/refs/heads/master.zip", unpack=True, strip=1
            ),
            Download(
                url="https://microsoft.github.io/BLURB/sample_code/data_generation.tar.gz",
                unpack=True,
                members=(f"{_BLURB_DIR}/*",),
            ),
        ),
        labels={
            "Sustaining proliferative signaling": TypeName(
                en="sustaining proliferative signaling",
                zh="维持增殖信号",
                definition_en="Cells keep dividing because they make, or no longer need, growth signals.",
            ),
            "Evading growth suppressors": TypeName(
                en="evading growth suppressors",
                zh="逃避生长抑制",
                definition_en="Cells ignore the signals and checkpoints that should stop them from dividing.",
            ),
            "Resisting cell death": TypeName(
                en="resisting cell death",
                zh="抵抗细胞死亡",
                definition_en="Cells escape apoptosis, necrosis or autophagy that should remove them.",
            ),
            "Enabling replicative immortality": TypeName(
                en="enabling replicative immortality",
                zh="获得无限复制能力",
                definition_en="Cells divide without limit, for instance by keeping their telomeres or avoiding "
                "senescence.",
            ),
            "Inducing angiogenesis": TypeName(
                en="inducing angiogenesis",
                zh="诱导血管生成",
                definition_en="A tumour makes new blood vessels grow that supply it.",
            ),
            "Activating invasion and metastasis": TypeName(
                en="activating invasion and metastasis",
                zh="激活侵袭与转移",
                definition_en="Cells leave their place, grow into other tissue and settle in distant organs.",
            ),
            "Genomic instability and mutation": TypeName(
                en="genomic instability and mutation",
                zh="基因组不稳定与突变",
                definition_en="DNA is damaged, or repaired badly, so that mutations pile up.",
            ),
            "Tumor promoting inflammation": TypeName(
                en="tumor promoting inflammation",
                zh="促肿瘤炎症",
                definition_en="Inflammation, and the immune cells that it brings, help a tumour grow.",
            ),
            "Cellular energetics": TypeName(
                en="cellular energetics",
                zh="细胞能量代谢",
                definition_en="Cells change how they make energy, for instance by glycolysis in spite of oxygen.",
            ),
            "Avoiding immune destruction": TypeName(
                en="avoiding immune destruction",
                zh="逃避免疫清除",
                definition_en="Cells hide from, or weaken, the immune system that should destroy them.",
            ),
            "none": TypeName(en="none", zh="无", definition_en="The sentence speaks of no hallmark."),
        },
        multi_label=True,
        notes="1,852 documents, 17,464 sentences. The authors publish no split; that of the list is BLURB's, by "
        "document, whose lists of names come with BLURB's scripts. Labels are those of the top level of the taxonomy: "
        "what follows -- is left out. Sentences without a label are labelled none, and so are the 11 with the literal "
        "NULL, which BigBio's loader gives no label.",
    ),
)
