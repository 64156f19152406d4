"""CellFinder: cells, anatomy, genes and species in full articles on stem cell research."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import brat
from taiyi.schema import Split

_SITE = "https://www.informatik.hu-berlin.de/de/forschung/gebiete/wbi/resources/cellfinder"
_ARTICLES: dict[Split, tuple[str, ...]] = {
    "train": ("16316465", "17381551", "17389645", "18162134", "18286199"),
    "test": ("15971941", "16623949", "16672070", "17288595", "17967047"),
}


def _files(folder: str) -> dict[Split, tuple[Source, ...]]:
    """Return the sources of each split: texts whose names begin with the PubMed id of one of its articles."""
    return {
        split: (
            Source(
                path=folder,
                read=brat.read,
                options={"matching": rf"({'|'.join(articles)}).*", "documents": {r"(\d+).*": r"pmid:\1"}},
            ),
        )
        for split, articles in _ARTICLES.items()
    }


CORPORA = (
    Corpus(
        name="cellfinder",
        title="CellFinder corpus 1.0",
        langs=("en",),
        tasks=("ner",),
        licence="CC BY-SA 3.0",
        access="open",
        homepage=f"{_SITE}/",
        citation="Neves et al. Annotating and evaluating text for stem cell research. "
        "Workshop on Building and Evaluating Resources for Biomedical Text Mining (BioTxtM), 2012.",
        verified="real",
        files=_files("cellfinder1_brat"),
        counts={
            "train": {
                "records": 5,
                "documents": 5,
                "entities": 2713,
                "entities.Anatomy": 423,
                "entities.CellType": 824,
                "entities.CellLine": 96,
                "entities.CellComponent": 131,
                "entities.GeneProtein": 1010,
                "entities.Species": 229,
            },
            "test": {
                "records": 5,
                "documents": 5,
                "entities": 3185,
                "entities.Anatomy": 529,
                "entities.CellType": 1248,
                "entities.CellLine": 344,
                "entities.CellComponent": 72,
                "entities.GeneProtein": 740,
                "entities.Species": 252,
            },
        },
        copies=(
            Layout(
                name="brat_sections",
                files=_files("cellfinder1_brat_sections"),
                verified="real",
                counts={
                    "train": {"records": 26, "documents": 5, "entities": 2713},
                    "test": {"records": 27, "documents": 5, "entities": 3185},
                },
                notes="The authors' other release of the same annotation (cellfinder1_brat_sections.tar.gz): a "
                "document is a section of an article.",
            ),
        ),
        sizes={"train": 5, "test": 5},
        listed=Listed(lang="en", number=17, task="NER", sizes={"train": 5, "test": 5}),
        downloads=(Download(url=f"{_SITE}/cellfinder1_brat.tar.gz", path="cellfinder1_brat", unpack=True),),
        entity_types={
            "Anatomy": TypeName(
                en="anatomical structure",
                zh="解剖结构",
                definition_en="an organ, tissue or other part of the body",
                definition_zh="器官、组织或身体其他部分",
            ),
            "CellType": TypeName(
                en="cell type", zh="细胞类型", definition_en="a kind of cell", definition_zh="某一类细胞"
            ),
            "CellLine": TypeName(
                en="cell line",
                zh="细胞系",
                definition_en="a line of cells kept in culture, by its name",
                definition_zh="培养保存的细胞系名称",
            ),
            "CellComponent": TypeName(
                en="cell component", zh="细胞组分", definition_en="a part of a cell", definition_zh="细胞的组成部分"
            ),
            "GeneProtein": TypeName(
                en="gene or protein",
                zh="基因或蛋白质",
                definition_en="a gene or a gene product",
                definition_zh="基因或基因产物",
            ),
            "Species": TypeName(
                en="species", zh="物种", definition_en="a species or group of organisms", definition_zh="物种或生物类群"
            ),
        },
        notes="Documents are whole articles, each named after its PubMed id; the split into five training and five "
        "test articles is the one in use. The authors' XML (cellfinder1.xml) has no types and two mentions less "
        "(5,896 of 5,898), so the brat files are read.",
    ),
)
