"""Protein interaction corpora in the XML that Pyysalo et al. (2008) brought them into: HPRD50, IEPA, LLL, BioInfer."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import lll, pair_xml

_RAW = "https://raw.githubusercontent.com/metalrt/ppi-dataset/master/csv_output"
_LLL_DATA = "http://genome.jouy.inra.fr/texte/LLLchallenge/data/LLLChalenge05/data/train/task2"
_UNIFIED = (
    "The files are the unified XML of Pyysalo et al. (BMC Bioinformatics 2008, 9(S3):S6), in the split into train "
    "and test of the repository metalrt/ppi-dataset; the authors gave no split. Ends of offsets are exclusive. "
    "Interactions are listed where there are some: every other pair of a sentence is one without interaction. They "
    "have no direction."
)
_PPI = {
    "PPI": TypeName(
        en="protein-protein interaction",
        zh="蛋白质相互作用",
        definition_en="the text says that the two interact",
        definition_zh="文中说明二者存在相互作用",
        symmetric=True,
    )
}


def _files(name: str, **options: Any) -> dict[Any, tuple[Source, ...]]:
    return {
        split: (Source(path=f"{name}-{split}.xml", read=pair_xml.read, options=options),) for split in ("train", "test")
    }


def _downloads(name: str) -> tuple[Download, ...]:
    files = (f"{name}-train.xml", f"{name}-test.xml")
    return tuple(Download(url=f"{_RAW}/{file}", path=file) for file in files)


_GENIC = {"entity_type": "GeneOrProtein", "relation_type": "genic_interaction"}

CORPORA = (
    Corpus(
        name="hprd50",
        title="HPRD50, protein interactions in abstracts referenced by the Human Protein Reference Database",
        langs=("en",),
        tasks=("ner", "re"),
        licence="not stated",
        access="open",
        homepage="https://github.com/metalrt/ppi-dataset",
        citation="Fundel et al. RelEx: relation extraction using dependency parse trees. Bioinformatics, 2007.",
        verified="real",
        files=_files(
            "HPRD50",
            pmid="origId",
            entity_type="Protein",
            concepts_in="type",
            concept_separator="||",
            databases={"Protein": "ProMiner"},
        ),
        counts={
            "train": {
                "records": 34,
                "documents": 34,
                "entities": 320,
                "entities.Protein": 320,
                "concepts": 320,
                "relations": 137,
                "relations.PPI": 137,
            },
            "test": {
                "records": 9,
                "documents": 9,
                "entities": 85,
                "entities.Protein": 85,
                "concepts": 85,
                "relations": 26,
                "relations.PPI": 26,
            },
        },
        sizes={"train": 34, "test": 9},
        listed=Listed(lang="en", number=86, task="NER,RE", sizes={"train": 34, "test": 9}),
        downloads=_downloads("HPRD50"),
        entity_types={
            "Protein": TypeName(
                en="protein or gene",
                zh="蛋白质或基因",
                definition_en="a name of a human gene or protein",
                definition_zh="人类基因或蛋白质的名称",
            )
        },
        relation_types=_PPI,
        notes=f"{_UNIFIED} A record is an abstract, as far as it was annotated (145 sentences in all); its sentences "
        "are joined by one space, and offsets are made those of the whole text. `type` holds the ids that the gene "
        "tagger of the authors (ProMiner) gave: they are kept as concepts.",
    ),
    Corpus(
        name="iepa",
        title="IEPA, Interaction Extraction Performance Assessment",
        langs=("en",),
        tasks=("re",),
        licence="not stated",
        access="open",
        homepage="http://psb.stanford.edu/psb-online/proceedings/psb02/abstracts/p326.html",
        citation="Ding et al. Mining MEDLINE: abstracts, sentences, or phrases? Pacific Symposium on Biocomputing, "
        "2002.",
        verified="real",
        files=_files("IEPA", pmid="PMID", entity_type="Biochemical"),
        counts={
            "train": {
                "records": 160,
                "documents": 160,
                "entities": 907,
                "entities.Biochemical": 907,
                "relations": 279,
                "relations.PPI": 279,
            },
            "test": {
                "records": 40,
                "documents": 40,
                "entities": 210,
                "entities.Biochemical": 210,
                "relations": 56,
                "relations.PPI": 56,
            },
        },
        sizes={"train": 160, "test": 40},
        listed=Listed(lang="en", number=45, task="RE", sizes={"train": 161, "test": 41}),
        downloads=_downloads("IEPA"),
        entity_types={
            "Biochemical": TypeName(
                en="protein or chemical",
                zh="蛋白质或化学物质",
                definition_en="one of the biochemicals whose interactions the corpus is about",
                definition_zh="本语料库关注其相互作用的生化物质",
            )
        },
        relation_types={
            "PPI": TypeName(
                en="interaction",
                zh="相互作用",
                definition_en="the text says that one acts on the other, directly or not",
                definition_zh="文中说明一方直接或间接作用于另一方",
                symmetric=True,
            )
        },
        notes=f"{_UNIFIED} A record is an abstract, as far as it was annotated (486 sentences in all). Entities have "
        "no type in the files: they are proteins and other biochemicals. The paper's list has one document more in "
        "each split (161 and 41) than there are.",
    ),
    Corpus(
        name="lll",
        title="LLL05, genic interactions in Bacillus subtilis",
        langs=("en",),
        tasks=("re",),
        licence="not stated",
        access="open",
        homepage="http://genome.jouy.inra.fr/texte/LLLchallenge",
        citation="Nédellec. Learning Language in Logic: Genic Interaction Extraction Challenge. "
        "Learning Language in Logic Workshop (LLL), 2005.",
        verified="fixture",
        files={
            "train": (
                Source(path="genic_interaction_linguistic_data.txt", read=lll.read, options=_GENIC),
                Source(path="genic_interaction_linguistic_data_coref.txt", read=lll.read, options=_GENIC),
            )
        },
        counts={"train": {"records": 77}},
        copies=(
            Layout(
                name="ppi_xml",
                files=_files(
                    "LLL",
                    record="sentence",
                    pmid="origId",
                    entity_type="GeneOrProtein",
                    type_as="role",
                    roles=("agent", "target"),
                ),
                verified="real",
                counts={
                    "train": {
                        "records": 65,
                        "documents": 36,
                        "entities": 198,
                        "entities.GeneOrProtein": 198,
                        "relations": 134,
                        "relations.PPI": 134,
                    },
                    "test": {
                        "records": 12,
                        "documents": 9,
                        "entities": 41,
                        "entities.GeneOrProtein": 41,
                        "relations": 30,
                        "relations.PPI": 30,
                    },
                },
                notes="The unified XML of Pyysalo et al. (2008) as metalrt/ppi-dataset passes it on: the 77 training "
                "sentences of the challenge, 12 of which that repository made a test set. Do not mix its test with the "
                "official training files, which hold the same sentences.",
            ),
        ),
        sizes={"train": 77},
        unit="sentences",
        listed=Listed(lang="en", number=46, task="RE", sizes={"train": 77}),
        downloads=(
            Download(
                url=f"{_LLL_DATA}/genic_interaction_linguistic_data.txt", path="genic_interaction_linguistic_data.txt"
            ),
            Download(
                url=f"{_LLL_DATA}/genic_interaction_linguistic_data_coref.txt",
                path="genic_interaction_linguistic_data_coref.txt",
            ),
        ),
        entity_types={
            "GeneOrProtein": TypeName(
                en="gene or protein",
                zh="基因或蛋白质",
                definition_en="a gene or protein that takes part in an interaction",
                definition_zh="参与相互作用的基因或蛋白质",
            )
        },
        relation_types={
            "genic_interaction": TypeName(
                en="genic interaction",
                zh="基因相互作用",
                definition_en="the first, the agent, acts on the second, the target",
                definition_zh="前者（施事）作用于后者（目标）",
            ),
            "PPI": TypeName(
                en="gene-protein interaction",
                zh="基因与蛋白质相互作用",
                definition_en="the first, the agent, acts on the second, the target; so named in the unified XML",
            ),
        },
        notes="A record is a sentence. Interactions go from agent to target; an entity's role in them is its attribute "
        "`role`. The challenge's test set (87 sentences) has no published answers, so there is no official test split. "
        "Lemmas and syntactic relations of the official files are not read.",
    ),
    Corpus(
        name="bioinfer",
        title="BioInfer, Bio Information Extraction Resource",
        langs=("en",),
        tasks=("ner", "re"),
        licence="CC BY 2.0",
        access="open",
        homepage="https://github.com/metalrt/ppi-dataset",
        citation="Pyysalo et al. BioInfer: a corpus for information extraction in the biomedical domain. "
        "BMC Bioinformatics, 2007.",
        verified="real",
        files=_files("BioInfer", record="sentence", pmid="origId"),
        counts={
            "train": {
                "records": 894,
                "documents": 669,
                "entities": 3611,
                "entities.Individual_protein": 2299,
                "entities.Gene/protein/RNA": 995,
                "entities.Gene": 157,
                "entities.Protein_family_or_group": 141,
                "entities.Protein_complex": 16,
                "entities.DNA_family_or_group": 3,
                "discontinuous": 106,
                "relations": 2109,
                "relations.PPI": 2109,
            },
            "test": {
                "records": 206,
                "documents": 167,
                "entities": 810,
                "entities.Individual_protein": 503,
                "entities.Gene/protein/RNA": 233,
                "entities.Gene": 21,
                "entities.Protein_family_or_group": 51,
                "entities.Protein_complex": 2,
                "discontinuous": 16,
                "relations": 425,
                "relations.PPI": 425,
            },
        },
        sizes={"train": 894, "test": 206},
        unit="sentences",
        listed=Listed(lang="en", number=84, task="NER,RE", sizes={"train": 894, "test": 206}),
        downloads=_downloads("BioInfer"),
        entity_types={
            "Individual_protein": TypeName(
                en="individual protein", zh="单个蛋白质", definition_en="one protein, named as such"
            ),
            "Gene/protein/RNA": TypeName(
                en="gene, protein or RNA",
                zh="基因、蛋白质或RNA",
                definition_en="a name that may be that of the gene, of its protein or of its RNA",
            ),
            "Gene": TypeName(en="gene", zh="基因", definition_en="one gene, named as such"),
            "Protein_family_or_group": TypeName(
                en="protein family or group", zh="蛋白质家族或组", definition_en="a family or group of proteins"
            ),
            "Protein_complex": TypeName(
                en="protein complex", zh="蛋白质复合体", definition_en="several proteins bound to each other"
            ),
            "DNA_family_or_group": TypeName(
                en="DNA family or group", zh="DNA家族或组", definition_en="a family or group of genes"
            ),
        },
        relation_types=_PPI,
        notes=f"{_UNIFIED} A record is a sentence: those of a document do not follow each other in the abstract. Of "
        "the authors' own annotation (BioInfer_corpus_1.1.1.xml, with nested relations and syntax) the unified XML "
        "has the entities and plain pairs only.",
    ),
)
