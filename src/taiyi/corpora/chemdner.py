"""CHEMDNER: chemicals in PubMed abstracts, in classes by how a name tells the structure."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import chemdner


def _split(name: str) -> tuple[Source, ...]:
    folder, annotations = "chemdner_corpus", f"{name}.annotations.txt"
    return (
        Source(
            path=f"{folder}/{name}.abstracts.txt",
            read=chemdner.read,
            options={"annotations": annotations},
            needs=(f"{folder}/{annotations}",),
        ),
    )


CORPORA = (
    Corpus(
        name="chemdner",
        title="CHEMDNER corpus (BioCreative IV)",
        langs=("en",),
        tasks=("ner",),
        licence="not stated",
        access="open",
        homepage="https://biocreative.bioinformatics.udel.edu/resources/biocreative-iv/chemdner-corpus/",
        citation="Krallinger et al. The CHEMDNER corpus of chemicals and drugs and its annotation principles. Journal "
        "of Cheminformatics, 2015.",
        verified="fixture",
        files={"train": _split("training"), "dev": _split("development"), "test": _split("evaluation")},
        counts={"train": {"records": 3500}, "dev": {"records": 3500}, "test": {"records": 3000}},
        sizes={"train": 3500, "dev": 3500, "test": 3000},
        unit="abstracts",
        listed=Listed(lang="en", number=4, task="NER", sizes={"train": 3500, "dev": 3500, "test": 3000}),
        downloads=(
            Download(
                url="https://biocreative.bioinformatics.udel.edu/media/store/files/2014/chemdner_corpus.tar.gz",
                unpack=True,
            ),
        ),
        entity_types={
            "SYSTEMATIC": TypeName(
                en="systematic chemical name",
                zh="化学系统命名",
                definition_en="a name by the rules of nomenclature, such as 2-acetoxybenzoic acid",
                definition_zh="按命名规则构成的名称，如 2-acetoxybenzoic acid",
            ),
            "TRIVIAL": TypeName(
                en="trivial chemical name",
                zh="化学俗名",
                definition_en="a common, trivial or trade name, such as aspirin",
                definition_zh="俗名、通用名或商品名，如 aspirin",
            ),
            "ABBREVIATION": TypeName(
                en="chemical abbreviation",
                zh="化学缩写",
                definition_en="an abbreviation or acronym of a chemical, such as DMSO",
                definition_zh="化学物质的缩写，如 DMSO",
            ),
            "FORMULA": TypeName(
                en="chemical formula",
                zh="化学式",
                definition_en="a molecular formula, or a notation such as SMILES",
                definition_zh="分子式，或SMILES等线性表示",
            ),
            "FAMILY": TypeName(
                en="chemical family",
                zh="化学物质类别",
                definition_en="a family of chemicals that has a structure in common, such as flavonoids",
                definition_zh="具有共同结构的一类化学物质，如 flavonoids",
            ),
            "IDENTIFIER": TypeName(
                en="chemical identifier",
                zh="化学标识符",
                definition_en="a number or code of a database or company, such as CHEBI:28262",
                definition_zh="数据库或公司的编号，如 CHEBI:28262",
            ),
            "MULTIPLE": TypeName(
                en="several chemicals in one phrase",
                zh="多个化学物质的合并提及",
                definition_en="a phrase, often with words between, that names several chemicals at once",
                definition_zh="一个短语中合并提到的多种化学物质",
            ),
            "NO CLASS": TypeName(
                en="chemical of no class",
                zh="未分类化学物质",
                definition_en="a chemical that fits none of the classes",
                definition_zh="不属于以上任何类别的化学物质",
            ),
        },
        notes="84,355 mentions are published: 29,478 in the training, 29,526 in the development and 25,351 in the "
        "evaluation set. The lists of chemicals by abstract for the challenge's evaluation are not read: they follow "
        "from the mentions.",
    ),
)
