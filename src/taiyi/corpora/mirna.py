"""miRNA: microRNAs, genes, diseases and species in Medline abstracts, and which microRNA goes with what."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pair_xml

_BASE = "https://www.scai.fraunhofer.de/content/dam/scai/de/downloads/bioinformatik/miRNA"
_OPTIONS: dict[str, Any] = {
    "end": "inclusive",
    "pmid": "origId",
    "roles": ("first", "second"),
    "negatives": "drop",
}

CORPORA = (
    Corpus(
        name="mirna",
        title="miRNA corpus",
        langs=("en",),
        tasks=("ner", "re"),
        licence="CC BY-NC 3.0",
        access="open",
        homepage="https://www.scai.fraunhofer.de/mirna-corpora.html",
        citation="Bagewadi et al. Detecting miRNA Mentions and Relations in Biomedical Literature. F1000Research, "
        "2014.",
        verified="fixture",
        files={
            "train": (Source(path="miRNA-Train-Corpus.xml", read=pair_xml.read, options=_OPTIONS),),
            "test": (Source(path="miRNA-Test-Corpus.xml", read=pair_xml.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 201}, "test": {"records": 100}},
        sizes={"train": 201, "test": 100},
        listed=Listed(lang="en", number=12, task="NER", sizes={"train": 201, "test": 100}),
        downloads=tuple(
            Download(url=f"{_BASE}/{name}", path=name) for name in ("miRNA-Train-Corpus.xml", "miRNA-Test-Corpus.xml")
        ),
        entity_types={
            "Specific_miRNAs": TypeName(
                en="specific microRNA",
                zh="特定微小RNA",
                definition_en="a particular microRNA, by its name or number",
                definition_zh="以名称或编号表示的某一微小RNA",
            ),
            "Non-Specific_miRNAs": TypeName(
                en="microRNA in general",
                zh="泛指微小RNA",
                definition_en="microRNAs without saying which",
                definition_zh="未指明具体种类的微小RNA",
            ),
            "Genes/Proteins": TypeName(
                en="gene or protein",
                zh="基因或蛋白质",
                definition_en="a gene or a gene product",
                definition_zh="基因或基因产物",
            ),
            "Diseases": TypeName(
                en="disease", zh="疾病", definition_en="a disease or disorder", definition_zh="疾病或障碍"
            ),
            "Species": TypeName(en="species", zh="物种", definition_en="an organism", definition_zh="生物体"),
        },
        relation_types={
            "Specific_miRNAs-Diseases": TypeName(
                en="specific microRNA and disease", zh="特定微小RNA与疾病", symmetric=True
            ),
            "Specific_miRNAs-Genes/Proteins": TypeName(
                en="specific microRNA and gene", zh="特定微小RNA与基因", symmetric=True
            ),
            "Non-Specific_miRNAs-Diseases": TypeName(
                en="microRNA in general and disease", zh="泛指微小RNA与疾病", symmetric=True
            ),
            "Non-Specific_miRNAs-Genes/Proteins": TypeName(
                en="microRNA in general and gene", zh="泛指微小RNA与基因", symmetric=True
            ),
        },
        notes="The first sentence of a document is its title. The ends of offsets are the last character. All pairs of "
        "a microRNA and a gene or disease in a sentence are listed, so those without a relation are dropped. There is "
        "no normalisation: ids are of the mentions.",
    ),
)
