"""BioNLP open shared task 2019: bacteria biotopes (BB), where microorganisms live and what they are like."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import bigbio, bionlp_st

_DOCUMENTS = {r"BB-kb\+ner-(?:F-)?(\d+)(?:-\d+)?": r"pmid:\1"}
_OPTIONS = {"pattern": "**/BB-kb+ner-*.txt", "documents": _DOCUMENTS, "passage_types": ("Title", "Paragraph")}
_ROWS = {
    "id_key": "document_id",
    "document_prefix": "pmid:",
    "document_pattern": r"BB-kb\+ner-(?:F-)?(\d+)(?:-\d+)?",
    "roles": {"Lives_In": ("Microorganism", "Location"), "Exhibits": ("Microorganism", "Property")},
}
_URL = "https://huggingface.co/datasets/bigbio/bionlp_st_2019_bb/resolve/main/data/kb%2Bner/BioNLP-OST-2019_BB-kb%2Bner"

CORPORA = (
    Corpus(
        name="bionlp_st_2019_bb",
        title="BioNLP open shared task 2019: bacteria biotope (BB)",
        langs=("en",),
        tasks=("ner", "nen", "re", "coref"),
        licence="not stated",
        access="open",
        homepage="https://sites.google.com/view/bb-2019/dataset",
        citation="Bossy et al. Bacteria Biotope at BioNLP open shared tasks 2019. BioNLP open shared tasks, 2019.",
        verified="fixture",
        files={
            "train": (Source(path="BioNLP-OST-2019_BB-kb+ner_train", read=bionlp_st.read, options=_OPTIONS),),
            "dev": (Source(path="BioNLP-OST-2019_BB-kb+ner_dev", read=bionlp_st.read, options=_OPTIONS),),
        },
        counts={"train": {"records": 133}, "dev": {"records": 66}},
        copies=(
            Layout(
                name="bigbio_rows",
                files={
                    "train": (Source(path="train.json", read=bigbio.read, options=_ROWS),),
                    "dev": (Source(path="valid.json", read=bigbio.read, options=_ROWS),),
                },
                verified="real",
                counts={
                    "train": {
                        "records": 100,
                        "documents": 74,
                        "entities": 1781,
                        "entities.Habitat": 912,
                        "entities.Microorganism": 551,
                        "entities.Phenotype": 318,
                        "discontinuous": 43,
                        "concepts": 1781,
                        "relations": 796,
                        "relations.Exhibits": 228,
                        "relations.Lives_In": 568,
                        "coreferences": 15,
                    },
                    "dev": {
                        "records": 66,
                        "documents": 39,
                        "entities": 1225,
                        "entities.Habitat": 632,
                        "entities.Microorganism": 432,
                        "entities.Phenotype": 161,
                        "discontinuous": 65,
                        "concepts": 1225,
                        "relations": 566,
                        "relations.Exhibits": 154,
                        "relations.Lives_In": 412,
                        "coreferences": 2,
                    },
                },
                notes="Rows in BigBio's kb schema, as a hub's viewer gives them: the first 100 of the 133 training "
                "documents, and all of the development set. test.json has texts alone. The loader puts spaces for line "
                "breaks, and leaves the colon out of OntoBiotope's ids (OBT000360 for OBT:000360).",
            ),
        ),
        sizes={"train": 133, "dev": 66, "test": 96},
        listed=Listed(lang="en", number=92, task="NER,RE", sizes={"train": 133, "dev": 66, "test": 96}),
        downloads=(
            Download(url=f"{_URL}_train.zip", path="BioNLP-OST-2019_BB-kb+ner_train", unpack=True),
            Download(url=f"{_URL}_dev.zip", path="BioNLP-OST-2019_BB-kb+ner_dev", unpack=True),
        ),
        entity_types={
            "Microorganism": TypeName(
                en="microorganism", zh="微生物", definition_en="the name of a taxon of microorganisms, or of a strain"
            ),
            "Habitat": TypeName(en="habitat", zh="生境", definition_en="a place where microorganisms can live"),
            "Phenotype": TypeName(
                en="phenotype", zh="表型", definition_en="an observable property of a microorganism, such as its shape"
            ),
            "Geographical": TypeName(
                en="geographical place", zh="地理位置", definition_en="a place that can be found on a map"
            ),
        },
        relation_types={
            "Lives_In": TypeName(
                en="lives in", zh="生活于", definition_en="the microorganism lives in the habitat or place"
            ),
            "Exhibits": TypeName(en="exhibits", zh="表现出", definition_en="the microorganism has the phenotype"),
        },
        notes="Of the six subtasks' archives that of kb+ner is read, which holds everything: mentions, their taxa "
        "(NCBI Taxonomy) and concepts (OntoBiotope), and relations. Title and paragraphs (.a1) are passages. "
        "Equivalent names (Equiv) are coreferences. The names of files hold PubMed ids, also those of "
        "parts of full texts (F). "
        "The gold annotations of the test set were never given out, so there is no test split.",
    ),
)
