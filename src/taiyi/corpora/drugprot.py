"""DrugProt: chemicals, genes and 13 types of relations between them in PubMed abstracts."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import drugprot, pubtator


def _tables(folder: str, name: str, relations: str) -> tuple[Source, ...]:
    others = {"entities": f"drugprot_{name}_entities.tsv", "relations": f"drugprot_{name}_{relations}.tsv"}
    return (
        Source(
            path=f"{folder}drugprot_{name}_abstracs.tsv",
            read=drugprot.read,
            options=others,
            needs=tuple(f"{folder}{other}" for other in others.values()),
        ),
    )


_OFFICIAL = "drugprot-gs-training-development"

CORPORA = (
    Corpus(
        name="drugprot",
        title="DrugProt corpus (BioCreative VII)",
        langs=("en",),
        tasks=("ner", "re"),
        licence="CC BY 4.0",
        access="open",
        homepage="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-vii/track-1/",
        citation="Miranda-Escalada et al. Overview of DrugProt task at BioCreative VII: data and methods for "
        "large-scale text mining and knowledge graph generation of heterogenous chemical–protein relations. Database, "
        "2023.",
        verified="fixture",
        files={
            "train": _tables(f"{_OFFICIAL}/training/", "training", "relations"),
            "dev": _tables(f"{_OFFICIAL}/development/", "development", "relations"),
        },
        counts={
            "train": {"records": 3500, "entities": 89529, "relations": 17288},
            "dev": {"records": 750, "entities": 18858, "relations": 3765},
        },
        copies=(
            Layout(
                name="flat",
                files={"dev": _tables("", "development", "relations-no-false")},
                counts={
                    "dev": {
                        "records": 750,
                        "entities": 18858,
                        "entities.CHEMICAL": 9853,
                        "entities.GENE": 9005,
                        "relations": 3765,
                        "relations.INHIBITOR": 1152,
                        "relations.SUBSTRATE": 495,
                        "relations.DIRECT-REGULATOR": 458,
                        "relations.INDIRECT-DOWNREGULATOR": 332,
                        "relations.INDIRECT-UPREGULATOR": 302,
                        "relations.PART-OF": 258,
                        "relations.ACTIVATOR": 246,
                        "relations.ANTAGONIST": 218,
                        "relations.PRODUCT-OF": 158,
                        "relations.AGONIST": 131,
                        "relations.AGONIST-ACTIVATOR": 10,
                        "relations.SUBSTRATE_PRODUCT-OF": 3,
                        "relations.AGONIST-INHIBITOR": 2,
                    },
                },
                verified="real",
                notes="The development set of a participant, without folders; the relations are the official ones.",
            ),
            Layout(
                name="aioner",
                files={
                    "dev": (
                        Source(
                            path="DrugProt_Test.AIONER.PubTator",
                            read=pubtator.read,
                            options={"type_names": {"Chemical": "CHEMICAL", "Gene": "GENE"}},
                        ),
                    ),
                },
                counts={
                    "dev": {"records": 750, "entities": 18339, "entities.CHEMICAL": 9162, "entities.GENE": 9177},
                },
                verified="real",
                notes="The development set, which the authors of AIONER test on, with mentions alone, some of them "
                "changed; its lines have no id.",
            ),
        ),
        sizes={"train": 3500, "dev": 750},
        unit="abstracts",
        listed=Listed(lang="en", number=99, task="NER,RE", sizes={"train": 3500, "dev": 750}),
        downloads=(
            Download(
                url="https://zenodo.org/record/5119892/files/drugprot-training-development-test-background.zip",
                members=("drugprot-gs-training-development/*",),
                unpack=True,
            ),
        ),
        entity_types={
            "CHEMICAL": TypeName(
                en="chemical",
                zh="化学物质",
                definition_en="a chemical or drug",
                definition_zh="化学物质或药物",
            ),
            "GENE": TypeName(
                en="gene or protein",
                zh="基因或蛋白质",
                definition_en="a gene, protein or other product of a gene",
                definition_zh="基因、蛋白质或其他基因产物",
            ),
        },
        relation_types={
            "INDIRECT-DOWNREGULATOR": TypeName(
                en="indirect downregulation",
                zh="间接下调",
                definition_en="the chemical lowers the amount or activity of the gene product without binding it",
                definition_zh="化学物质不经直接结合而降低基因产物的量或活性",
            ),
            "INDIRECT-UPREGULATOR": TypeName(
                en="indirect upregulation",
                zh="间接上调",
                definition_en="the chemical raises the amount or activity of the gene product without binding it",
                definition_zh="化学物质不经直接结合而提高基因产物的量或活性",
            ),
            "DIRECT-REGULATOR": TypeName(
                en="direct regulation",
                zh="直接调控",
                definition_en="the chemical binds the gene product and changes its activity, no matter how",
                definition_zh="化学物质直接结合并改变基因产物的活性，方向不明",
            ),
            "ACTIVATOR": TypeName(
                en="activation",
                zh="激活",
                definition_en="the chemical binds the gene product and raises its activity",
                definition_zh="化学物质结合基因产物并提高其活性",
            ),
            "INHIBITOR": TypeName(
                en="inhibition",
                zh="抑制",
                definition_en="the chemical binds the gene product and lowers its activity",
                definition_zh="化学物质结合基因产物并降低其活性",
            ),
            "AGONIST": TypeName(
                en="agonism",
                zh="激动",
                definition_en="the chemical binds a receptor and sets off its response",
                definition_zh="化学物质结合受体并引发其反应",
            ),
            "ANTAGONIST": TypeName(
                en="antagonism",
                zh="拮抗",
                definition_en="the chemical binds a receptor and blocks its response",
                definition_zh="化学物质结合受体并阻断其反应",
            ),
            "AGONIST-ACTIVATOR": TypeName(
                en="activating agonism",
                zh="激活性激动",
                definition_en="an agonist that activates the receptor",
                definition_zh="激活受体的激动剂作用",
            ),
            "AGONIST-INHIBITOR": TypeName(
                en="inhibiting agonism",
                zh="抑制性激动",
                definition_en="an agonist that lowers the activity of the receptor",
                definition_zh="降低受体活性的激动剂作用",
            ),
            "PRODUCT-OF": TypeName(
                en="product of an enzyme",
                zh="酶的产物",
                definition_en="the chemical is made by the enzyme",
                definition_zh="该化学物质由该酶生成",
            ),
            "SUBSTRATE": TypeName(
                en="substrate",
                zh="底物",
                definition_en="the enzyme acts on the chemical, or the transporter moves it",
                definition_zh="酶作用于该化学物质，或转运体转运该化学物质",
            ),
            "SUBSTRATE_PRODUCT-OF": TypeName(
                en="substrate and product",
                zh="底物兼产物",
                definition_en="the chemical is both what the enzyme acts on and what it makes",
                definition_zh="该化学物质既是酶的底物又是其产物",
            ),
            "PART-OF": TypeName(
                en="part of the gene product",
                zh="基因产物的组成部分",
                definition_en="the chemical is a part of the gene product, such as an amino acid of a protein",
                definition_zh="该化学物质是基因产物的组成部分，如蛋白质中的氨基酸",
            ),
        },
        notes="The answers to the test set (750 abstracts among 10,750) were not published, so it is no split. The "
        "file of abstracts is indeed called abstracs. A pair of mentions may have several relations.",
    ),
)
