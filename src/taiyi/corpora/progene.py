"""ProGene: proteins and genes in Medline abstracts of many fields of biology."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import conll
from taiyi.schema import Split

_FOLD = "crossvalidation_data/flairSplit0"
_OPTIONS: dict[str, Any] = {"columns": 2, "separator": "\t"}
_SPLITS: tuple[Split, ...] = ("train", "dev", "test")

CORPORA = (
    Corpus(
        name="progene",
        title="ProGene (FSU-PRGE)",
        langs=("en",),
        tasks=("ner",),
        licence="CC BY 4.0",
        access="open",
        homepage="https://zenodo.org/record/3698568",
        citation="Faessler et al. ProGene - A Large-scale, High-Quality Protein-Gene Annotated Benchmark Corpus. "
        "LREC, 2020.",
        verified="fixture",
        files={split: (Source(path=f"{_FOLD}/{split}.txt", read=conll.read, options=_OPTIONS),) for split in _SPLITS},
        sizes={"train": 309267, "dev": 16769, "test": 36234},
        unit="sentences over ten folds",
        listed=Listed(lang="en", number=21, task="NER", sizes={"train": 309267, "dev": 16769, "test": 36234}),
        downloads=(
            Download(
                url="https://huggingface.co/datasets/bigbio/progene/resolve/main/data/crossvalidation_data.zip",
                unpack=True,
                members=(f"{_FOLD}/*.txt",),
            ),
        ),
        entity_types={
            "protein": TypeName(
                en="protein or gene",
                zh="蛋白质或基因",
                definition_en="a single protein or the gene of it",
                definition_zh="单个蛋白质或其基因",
            ),
            "protein_familiy_or_group": TypeName(
                en="protein family or group",
                zh="蛋白质家族或类别",
                definition_en="proteins that belong together by structure or function",
                definition_zh="按结构或功能归为一类的蛋白质",
            ),
            "protein_complex": TypeName(
                en="protein complex",
                zh="蛋白质复合物",
                definition_en="several proteins that are bound to one another",
                definition_zh="相互结合的多个蛋白质",
            ),
            "protein_variant": TypeName(
                en="protein variant",
                zh="蛋白质变体",
                definition_en="a form of a protein or gene, such as an allele or mutant",
                definition_zh="蛋白质或基因的一种形式，如等位基因或突变体",
            ),
            "protein_enum": TypeName(
                en="enumeration of proteins",
                zh="蛋白质并列",
                definition_en="several proteins in a row whose names share words",
                definition_zh="共用部分名称的多个并列蛋白质",
            ),
        },
        notes="3,308 abstracts with 36,223 sentences, published as ten folds for cross-validation. Fold 0 is read, "
        "about a tenth of the sizes, which (as in the list of the paper) are the sums over all folds. The archive of "
        "the authors (Zenodo, 25 GB) also holds trained models; the folds alone are passed on by BigBio and are "
        "fetched from there. Records are sentences, their tokens joined by one space; the files do not say which "
        "document they are from. The spelling `familiy` is the corpus's own.",
    ),
)
