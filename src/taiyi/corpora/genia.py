"""Corpora of the GENIA project in the form of the BioNLP shared tasks: parts of proteins, and protein modifications."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.corpora import bionlp_st_ge as ge
from taiyi.corpora.bionlp_st_epi_id import ADDED, REMOVED
from taiyi.formats import bionlp_st

_REL_OPTIONS = {**ge.OPTIONS, "suffixes": (".a1", ".rel")}
# The archives hold the files in folders of their own.
_ANYWHERE = {"pattern": "**/*[0-9].txt"}
_RELATION_TYPES = {
    "Protein-Component": TypeName(
        en="protein and its component",
        zh="蛋白质与其组成部分",
        definition_en="the second is a part of the protein or gene, such as a domain, region or promoter",
        definition_zh="后者是该蛋白质或基因的一部分，如结构域、区段或启动子",
    ),
    "Subunit-Complex": TypeName(
        en="subunit and its complex",
        zh="亚基与其复合物",
        definition_en="the protein is a subunit of the complex",
        definition_zh="该蛋白质是复合物的一个亚基",
    ),
}
_NACTEM = "http://www.nactem.ac.uk/GENIA/current/GENIA-corpus/Relation/GENIA_relation_annotation"

CORPORA = (
    Corpus(
        name="bionlp_st_2011_rel",
        title="BioNLP shared task 2011: entity relations (REL)",
        langs=("en",),
        tasks=("re", "ner", "coref"),
        licence=ge.GENIA_LICENCE,
        access="open",
        homepage="https://github.com/openbiocorpora/bionlp-st-2011-rel",
        citation="Pyysalo et al. Overview of the Entity Relations (REL) supporting task of BioNLP shared task 2011. "
        "BioNLP shared task 2011 workshop, 2011.",
        verified="real",
        files={
            "train": (Source(path="train", read=bionlp_st.read, options=_REL_OPTIONS),),
            "dev": (Source(path="devel", read=bionlp_st.read, options=_REL_OPTIONS),),
        },
        sizes={"train": 800, "dev": 150, "test": 260},
        listed=Listed(lang="en", number=40, task="NER,RE,COREF", sizes={"train": 800, "dev": 150, "test": 260}),
        downloads=ge.mirror("bionlp-st-2011-rel"),
        entity_types=ge.ENTITY_TYPES,
        relation_types=_RELATION_TYPES,
        counts={
            "train": {
                "records": 800,
                "entities": 17563,
                "entities.Entity": 8266,
                "entities.Protein": 9297,
                "relations": 1857,
                "relations.Protein-Component": 1302,
                "relations.Subunit-Complex": 555,
                "coreferences": 535,
            },
            "dev": {
                "records": 150,
                "entities": 3743,
                "entities.Entity": 1663,
                "entities.Protein": 2080,
                "relations": 480,
                "relations.Protein-Component": 314,
                "relations.Subunit-Complex": 166,
                "coreferences": 110,
            },
        },
        notes="The abstracts of bionlp_shared_task_2009. Equivalent names (Equiv) are coreferences. The first argument "
        f"is the protein, the second the entity that it is a part of, or that is a part of it. {ge.NO_TEST}",
    ),
    Corpus(
        name="genia_relation_corpus",
        title="GENIA relation corpus",
        langs=("en",),
        tasks=("re", "ner", "coref"),
        licence=ge.GENIA_LICENCE,
        access="open",
        homepage="http://www.geniaproject.org/genia-corpus/relation-corpus",
        citation="Pyysalo et al. Static relations: a piece in the biomedical information extraction puzzle. "
        "BioNLP, 2009.",
        verified="fixture",
        files={
            "train": (Source(path="train", read=bionlp_st.read, options={**_REL_OPTIONS, **_ANYWHERE}),),
            "dev": (Source(path="devel", read=bionlp_st.read, options={**_REL_OPTIONS, **_ANYWHERE}),),
        },
        counts={"train": {"records": 800}, "dev": {"records": 150}},
        sizes={"train": 800, "dev": 150, "test": 260},
        listed=Listed(lang="en", number=47, task="RE", sizes={"train": 800, "dev": 150, "test": 260}),
        downloads=(
            Download(url=f"{_NACTEM}_training_data.tar.gz", path="train", unpack=True),
            Download(url=f"{_NACTEM}_development_data.tar.gz", path="devel", unpack=True),
        ),
        entity_types=ge.ENTITY_TYPES,
        relation_types=_RELATION_TYPES,
        notes="Relations between proteins and what they are parts of, or what is a part of them, in the abstracts of "
        "the GENIA event corpus that bionlp_shared_task_2009 uses; bionlp_st_2011_rel is the same annotation as given "
        "out for the shared task. Equivalent names (Equiv) are coreferences. Whether the archive of the test set (260 "
        "abstracts) holds relations could not be checked, so there is no test split.",
    ),
    Corpus(
        name="genia_ptm_event_corpus",
        title="GENIA post-translational modification event corpus",
        langs=("en",),
        tasks=("ee", "ner", "coref"),
        licence=ge.GENIA_LICENCE,
        access="open",
        homepage="http://www.geniaproject.org/other-corpora/ptm-event-corpus",
        citation="Ohta et al. Event extraction for post-translational modifications. BioNLP, 2010.",
        verified="fixture",
        files={"train": (Source(path=".", read=bionlp_st.read, options={**ge.OPTIONS, **_ANYWHERE}),)},
        counts={"train": {"records": 112}},
        sizes={"train": 112},
        listed=Listed(lang="en", number=77, task="EE,NER,COREF", sizes={"train": 112}),
        downloads=(
            Download(
                url="http://www.geniaproject.org/other-corpora/ptm-event-corpus/"
                "post-translational_modifications_training_data.tar.gz?attredirects=0&d=1",
                unpack=True,
            ),
        ),
        entity_types=ge.ENTITY_TYPES,
        event_types={
            **ADDED,
            **REMOVED,
            "Lipidation": TypeName(en="lipidation", zh="脂化", definition_en="a lipid is added"),
            "Delipidation": TypeName(en="delipidation", zh="去脂化", definition_en="a lipid is taken off"),
            "Protein_modification": TypeName(
                en="protein modification",
                zh="蛋白质修饰",
                definition_en="a protein is changed chemically in a way that is not stated",
            ),
        },
        roles=ge.roles("Site"),
        notes=f"The paper has 157 abstracts; 112 are the training data that is given out, in the format of the BioNLP "
        f"2009 shared task. {ge.MODIFICATIONS}",
    ),
)
