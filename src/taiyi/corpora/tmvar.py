"""tmVar: sequence variants in PubMed abstracts, in three editions of the same authors."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import pubtator

_VARIANTS = {"DNAMutation": "tmVar", "ProteinMutation": "tmVar", "SNP": "dbSNP"}
# Ids of variants hold `|` themselves.
_OPTIONS: dict[str, Any] = {"id_separators": ";", "databases": _VARIANTS}
_HOMEPAGE = "https://www.ncbi.nlm.nih.gov/research/bionlp/Tools/tmvar/"
_DOWNLOADS = "https://www.ncbi.nlm.nih.gov/CBBresearch/Lu/Demo/tmTools/download/tmVar"

_TYPES = {
    "DNAMutation": TypeName(
        en="DNA mutation",
        zh="DNA突变",
        definition_en="a change of a sequence of DNA or RNA, such as c.35G>A",
        definition_zh="DNA或RNA序列的变化，如 c.35G>A",
    ),
    "ProteinMutation": TypeName(
        en="protein mutation",
        zh="蛋白质突变",
        definition_en="a change of the amino acids of a protein, such as p.G12D",
        definition_zh="蛋白质氨基酸序列的变化，如 p.G12D",
    ),
    "SNP": TypeName(
        en="single nucleotide polymorphism",
        zh="单核苷酸多态性",
        definition_en="a variant named by its dbSNP number, such as rs1801133",
        definition_zh="以dbSNP编号表示的变异，如 rs1801133",
    ),
}

CORPORA = (
    Corpus(
        name="tmvar_v1",
        title="tmVar corpus",
        langs=("en",),
        tasks=("ner",),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation="Wei, Harris, Kao and Lu. tmVar: a text mining approach for extracting sequence variants in "
        "biomedical literature. Bioinformatics, 2013.",
        verified="real",
        files={
            "train": (Source(path="train.PubTator.txt", read=pubtator.read, options=_OPTIONS),),
            "test": (Source(path="test.PubTator.txt", read=pubtator.read, options=_OPTIONS),),
        },
        counts={
            "train": {
                "records": 334,
                "entities": 967,
                "entities.DNAMutation": 431,
                "entities.ProteinMutation": 440,
                "entities.SNP": 96,
            },
            "test": {
                "records": 166,
                "entities": 464,
                "entities.DNAMutation": 220,
                "entities.ProteinMutation": 205,
                "entities.SNP": 39,
            },
        },
        sizes={"train": 334, "test": 166},
        unit="abstracts",
        listed=Listed(lang="en", number=6, task="NER", sizes={"train": 334, "test": 166}),
        downloads=(Download(url=f"{_DOWNLOADS}/tmVarCorpus.zip", unpack=True, strip=1),),
        entity_types=_TYPES,
        notes="Concepts are the parts of a variant as tmVar writes them (`c|SUB|G|35|A`) or dbSNP numbers. The archive "
        "has the same documents as BioC XML too; there 129 mentions have offsets of another text, so PubTator is read.",
    ),
    Corpus(
        name="tmvar_v2",
        title="tmVar normalisation corpus (tmVar 2.0)",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation="Wei, Phan, Feltz, Maiti, Hefferon and Lu. tmVar 2.0: integrating genomic variant information from "
        "literature with dbSNP and ClinVar for precision medicine. Bioinformatics, 2018.",
        verified="real",
        files={
            "train": (
                Source(
                    path="tmVar.Normalization.txt",
                    read=pubtator.read,
                    options={
                        **_OPTIONS,
                        "id_columns": 2,
                        "types": tuple(_TYPES),
                        "database_names": {"RSID": "dbSNP:rs"},
                    },
                ),
            ),
        },
        counts={
            "train": {
                "records": 158,
                "entities": 673,
                "entities.DNAMutation": 190,
                "entities.ProteinMutation": 435,
                "entities.SNP": 48,
                "rejects.malformed line": 1,
                "rejects.mention of an unknown type": 1,
            },
        },
        sizes={"train": 158},
        unit="abstracts",
        listed=Listed(lang="en", number=14, task="NER", sizes={"train": 158}),
        downloads=(Download(url=f"{_DOWNLOADS}/tmVar.Normalization.txt", path="tmVar.Normalization.txt"),),
        entity_types=_TYPES,
        notes="The 7th column normalises a variant to dbSNP (`RSID:2075789` is rs2075789); it is a concept beside "
        "that of the 6th. The paper's list has it for recognition alone. Two lines of the file are damaged and "
        "dropped: one has lost its type (18166824), one its offsets (21615796).",
    ),
    Corpus(
        name="tmvar_v3",
        title="tmVar 3.0 corpus",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="not stated",
        access="open",
        homepage=_HOMEPAGE,
        citation="Wei, Allot, Riehle, Milosavljevic and Lu. tmVar 3.0: an improved variant concept recognition and "
        "normalization tool. Bioinformatics, 2022.",
        verified="fixture",
        files={
            "test": (
                Source(
                    path="tmVar3Corpus.txt",
                    read=pubtator.read,
                    options={
                        "id_separators": ";",
                        "databases": {
                            **_VARIANTS,
                            "DNAAllele": "tmVar",
                            "ProteinAllele": "tmVar",
                            "AcidChange": "tmVar",
                            "OtherMutation": "tmVar",
                            "Gene": "NCBIGene",
                            "Species": "NCBITaxon",
                            "CellLine": "NCBITaxon",
                        },
                        "database_names": {"RS#": "dbSNP:rs", "CA#": "ClinGen:CA"},
                        "attributes": {
                            "VariantGroup": "variant group",
                            "Va1iantGroup": "variant group",
                            "CorrespondingGene": "gene",
                            "Gene": "gene",
                            "CorrespondingSpecies": "species",
                            "Disease": "disease",
                        },
                    },
                ),
            ),
        },
        counts={"test": {"records": 500}},
        sizes={"test": 500},
        unit="abstracts",
        listed=Listed(lang="en", number=15, task="NER", sizes={"test": 500}),
        downloads=(
            Download(url="https://ftp.ncbi.nlm.nih.gov/pub/lu/tmVar3/tmVar3Corpus.txt", path="tmVar3Corpus.txt"),
        ),
        entity_types={
            **_TYPES,
            "DNAAllele": TypeName(
                en="DNA allele",
                zh="DNA等位基因",
                definition_en="a nucleotide at a place, without what it was changed from",
                definition_zh="某一位点上的核苷酸，未说明由何种核苷酸变来",
            ),
            "ProteinAllele": TypeName(
                en="protein allele",
                zh="蛋白质等位基因",
                definition_en="an amino acid at a place, without what it was changed from",
                definition_zh="某一位点上的氨基酸，未说明由何种氨基酸变来",
            ),
            "AcidChange": TypeName(
                en="change without a position",
                zh="无位置的碱基或氨基酸变化",
                definition_en="a change of one nucleotide or amino acid to another whose place is not named",
                definition_zh="未说明位置的核苷酸或氨基酸变化",
            ),
            "OtherMutation": TypeName(
                en="other variant",
                zh="其他变异",
                definition_en="a variant of another kind, such as one of the number of copies",
                definition_zh="其他类型的变异，如拷贝数变异",
            ),
            "Gene": TypeName(en="gene", zh="基因", definition_en="a gene that a variant may belong to"),
            "Species": TypeName(en="species", zh="物种", definition_en="a species, people included"),
            "CellLine": TypeName(en="cell line", zh="细胞系", definition_en="a cell line that was studied"),
        },
        notes="The 500 abstracts of tmVar 1, annotated anew: do not train on the one and test on the other. What an id "
        "says of a variant beyond its identity (group of variants, gene, species) is an attribute of the mention; one "
        "id of the file is spelt `Va1iantGroup`.",
    ),
)
