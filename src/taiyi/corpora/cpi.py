"""CPI: functional relations between compounds and proteins in sentences of PubMed abstracts."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pair_xml

_FILE = "CPI-DS.xml"

CORPORA = (
    Corpus(
        name="cpi",
        title="CPI-DS, compound-protein interactions",
        langs=("en",),
        tasks=("ner", "nen", "re"),
        licence="ISC",
        access="open",
        homepage="https://github.com/KerstenDoering/CPI-Pipeline",
        citation="Döring et al. Automated recognition of functional compound-protein relationships in literature. "
        "PLoS ONE, 2020.",
        verified="real",
        files={
            "train": (
                Source(
                    path=_FILE,
                    read=pair_xml.read,
                    options={
                        "pmid": "origId",
                        "concepts_in": "origId",
                        "databases": {"protein": "UniProt", "compound": "PubChem"},
                        "relation_type": "CPI",
                        "roles": ("compound", "protein"),
                    },
                ),
            )
        },
        counts={
            "train": {
                "records": 1808,
                "documents": 1808,
                "entities": 7819,
                "entities.protein": 4256,
                "entities.compound": 3563,
                "concepts": 7819,
                "relations": 2931,
                "relations.CPI": 2931,
                "rejects.pair without a relation": 2631,
            }
        },
        sizes={"train": 1808},
        listed=Listed(lang="en", number=94, task="NER,RE", sizes={"train": 1808}),
        downloads=(
            Download(
                url="https://github.com/KerstenDoering/CPI-Pipeline/raw/master/data_sets/xml/CPI-DS.xml", path=_FILE
            ),
        ),
        entity_types={
            "compound": TypeName(
                en="chemical compound",
                zh="化合物",
                definition_en="a small molecule with an entry in PubChem",
                definition_zh="PubChem 收录的小分子",
            ),
            "protein": TypeName(
                en="protein",
                zh="蛋白质",
                definition_en="a gene or gene product with an entry in UniProt",
                definition_zh="UniProt 收录的基因或基因产物",
            ),
        },
        relation_types={
            "CPI": TypeName(
                en="compound-protein interaction",
                zh="化合物与蛋白质相互作用",
                definition_en="the compound acts on the protein, or the protein on the compound, as the sentence says",
                definition_zh="句中说明化合物与蛋白质之间存在功能性作用",
            )
        },
        notes="A record is an abstract's annotated sentences (2,613 in all), joined by one space; they need not "
        "follow each other in the abstract. Ends of offsets are exclusive. The pairs were judged one by one: the "
        "2,931 marked True are the relations; the 2,631 marked False are no relations, and each is counted as a "
        "reject, since it says more than an unmarked pair does. The subsets with and without an interaction verb "
        "(CPI-DS_IV.xml, CPI-DS_NIV.xml) hold the same sentences.",
    ),
)
