"""BioRelEx: binding interactions between biological entities in sentences of the literature."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import biorelex

_RELEASE = "https://github.com/YerevaNN/BioRelEx/releases/download/1.0alpha7"

CORPORA = (
    Corpus(
        name="biorelex",
        title="BioRelEx 1.0 (release 1.0alpha7)",
        langs=("en",),
        tasks=("ner", "nen", "re", "coref"),
        licence="not stated",
        access="open",
        homepage="https://github.com/YerevaNN/BioRelEx",
        citation="Khachatrian et al. BioRelEx 1.0: Biological Relation Extraction Benchmark. BioNLP, 2019.",
        verified="real",
        files={
            "train": (Source(path="1.0alpha7.train.json", read=biorelex.read),),
            "dev": (Source(path="1.0alpha7.dev.json", read=biorelex.read),),
        },
        counts={
            "train": {
                "records": 1405,
                "entities": 6925,
                "coreferences": 1143,
                "relations": 2226,
                "relations.bind": 1989,
                "relations.bind_negated": 122,
                "relations.bind_unlabelled": 115,
            },
            "dev": {
                "records": 201,
                "entities": 955,
                "coreferences": 167,
                "relations": 294,
                "relations.bind": 263,
                "relations.bind_negated": 10,
                "relations.bind_unlabelled": 21,
            },
        },
        sizes={"train": 1405, "dev": 201},
        unit="sentences",
        listed=Listed(lang="en", number=101, task="NER,RE,COREF", sizes={"train": 1405, "dev": 201}),
        downloads=(
            Download(url=f"{_RELEASE}/1.0alpha7.train.json", path="1.0alpha7.train.json"),
            Download(url=f"{_RELEASE}/1.0alpha7.dev.json", path="1.0alpha7.dev.json"),
        ),
        entity_types={
            "protein": TypeName(en="protein", zh="蛋白质"),
            "protein-family": TypeName(en="protein family", zh="蛋白质家族"),
            "protein-complex": TypeName(en="protein complex", zh="蛋白质复合体"),
            "protein-domain": TypeName(en="protein domain", zh="蛋白质结构域"),
            "protein-motif": TypeName(en="protein motif", zh="蛋白质基序"),
            "protein-region": TypeName(en="protein region", zh="蛋白质区域"),
            "protein-isoform": TypeName(en="protein isoform", zh="蛋白质亚型"),
            "fusion-protein": TypeName(en="fusion protein", zh="融合蛋白"),
            "peptide": TypeName(en="peptide", zh="肽"),
            "amino-acid": TypeName(en="amino acid", zh="氨基酸"),
            "protein-RNA-complex": TypeName(en="protein-RNA complex", zh="蛋白质与RNA复合体"),
            "protein-DNA-complex": TypeName(en="protein-DNA complex", zh="蛋白质与DNA复合体"),
            "DNA": TypeName(en="DNA", zh="DNA"),
            "RNA": TypeName(en="RNA", zh="RNA"),
            "RNA-family": TypeName(en="RNA family", zh="RNA家族"),
            "gene": TypeName(en="gene", zh="基因"),
            "mutation": TypeName(en="mutation", zh="突变"),
            "chemical": TypeName(en="chemical", zh="化学物质"),
            "drug": TypeName(en="drug", zh="药物"),
            "brand": TypeName(en="brand", zh="商品名"),
            "reagent": TypeName(en="reagent", zh="试剂"),
            "experimental-construct": TypeName(en="experimental construct", zh="实验构建体"),
            "experiment-tag": TypeName(en="experiment tag", zh="实验标签"),
            "assay": TypeName(en="assay", zh="检测方法"),
            "cell": TypeName(en="cell", zh="细胞"),
            "organelle": TypeName(en="organelle", zh="细胞器"),
            "tissue": TypeName(en="tissue", zh="组织"),
            "organism": TypeName(en="organism", zh="生物体"),
            "process": TypeName(en="process", zh="过程"),
            "disease": TypeName(en="disease", zh="疾病"),
            "parameter": TypeName(en="parameter", zh="参数"),
        },
        relation_types={
            "bind": TypeName(
                en="binding",
                zh="结合",
                definition_en="the two bind to each other",
                definition_zh="二者相互结合",
                symmetric=True,
            ),
            "bind_negated": TypeName(
                en="denied binding",
                zh="否认结合",
                definition_en="the sentence says that the two do not bind to each other",
                definition_zh="文中说明二者不相互结合",
                symmetric=True,
            ),
            "bind_unlabelled": TypeName(
                en="undecided binding",
                zh="未定结合",
                definition_en="the sentence speaks of the two binding to each other and does not say whether they do",
                definition_zh="文中提到二者的结合，但未说明是否发生",
                symmetric=True,
            ),
        },
        notes="In the corpus an entity is all the mentions that mean the same thing (5,520 in train, 742 in dev). "
        "Here each mention is an entity, those of one thing with several mentions are a coreference, and an "
        "interaction is between the first mentions of its two; implicit ones have an attribute that says so. "
        "Interactions that the sentence denies (label -1: 122 and 10) or does not decide (label 0: 115 and 21) are of "
        "types of their own, so that they do not pass for bindings; the authors' script scores all three alike. 16 "
        "and 2 interactions are of an entity with itself. Names of an entity that are not in the sentence are its "
        "attribute `other_names`; state, mutant, organism and comment are attributes too. Of what an entity is "
        "grounded to, the id at the end of the link is kept. The ids of the papers are no PubMed ids (24813911 is a "
        "paper of 1998). Where the address of a paper is one in PubMed Central, its id there is given too. The test "
        "set (404 sentences) is not published.",
    ),
)
