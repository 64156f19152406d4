"""EU-ADR: drugs, diseases, genes and variants in PubMed abstracts, and whether they are associated."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import bigbio, euadr

_OPTIONS: dict[str, Any] = {
    "pair_types": {
        "Drug": "Chemicals & Drugs",
        "Disorder": "Diseases & Disorders",
        "Target": "Genes & Molecular Sequences",
    }
}

CORPORA = (
    Corpus(
        name="euadr",
        title="The EU-ADR corpus of drugs, diseases, targets and their relationships",
        langs=("en",),
        tasks=("ner", "re"),
        licence="Open Database License (ODbL)",
        access="open",
        homepage="https://doi.org/10.1016/j.jbi.2012.04.004",
        citation="van Mulligen et al. The EU-ADR corpus: annotated drugs, diseases, targets, and their relationships. "
        "Journal of Biomedical Informatics, 2012.",
        verified="fixture",
        files={"train": (Source(path="euadr_corpus", read=euadr.read, options=_OPTIONS, needs=("pubmed.xml",)),)},
        counts={"train": {"records": 300}},
        sizes={"train": 300},
        listed=Listed(lang="en", number=89, task="NER,RE", sizes={"train": 300}),
        downloads=(
            Download(
                url="https://biosemantics.erasmusmc.nl/downloads/euadr.tgz",
                unpack=True,
                members=("euadr_corpus/[0-9]*.txt",),
            ),
        ),
        obtain="The archive has the annotations only. Fetch the 300 abstracts, whose PMIDs are the names of the files "
        "in euadr_corpus, from PubMed as XML (efetch with db=pubmed and retmode=xml), and put them into pubmed.xml "
        "in the folder of the corpus.",
        copies=(
            Layout(
                name="bigbio_rows",
                files={"train": (Source(path="euadr.json", read=bigbio.read, options={"untyped": "Mention"}),)},
                verified="real",
                counts={
                    "train": {
                        "records": 100,
                        "entities": 4298,
                        "entities.Genes & Molecular Sequences": 1452,
                        "entities.Diseases & Disorders": 1345,
                        "entities.Chemicals & Drugs": 1218,
                        "entities.SNP & Sequence variations": 282,
                        "entities.Mention": 1,
                        "relations": 888,
                        "relations.PA": 747,
                        "relations.SA": 104,
                        "relations.NA": 37,
                    }
                },
                notes="The first 100 of 300 documents as rows in BigBio's kb schema. Its loader repeats both ends of "
                "each relation as mentions without a type (1,776 of the 4,298); they take the type of the mention at "
                "their place, the first where there are several (300), and one without such a mention is a `Mention`. "
                "It takes rows that are marked false as well, and gives numbers of its own and no PMIDs. It takes "
                "UTF-8 for Latin-1, so that letters such as ü are two characters, after which the mentions of two "
                "documents are off by one or two (76 in 2036, one in 4660): they are kept as the rows have them. The "
                "ten folds that are passed on beside it (BNLNLP_10fold) are masked sentences for gene–disease "
                "classification, each fold of the same sentences, and euadr.bioc.xml has 38 abstracts with drugs, "
                "genes and relations between them alone; neither is read.",
            ),
        ),
        entity_types={
            "Chemicals & Drugs": TypeName(
                en="drug", zh="药物", definition_en="a drug or other chemical", definition_zh="药物或其他化学物质"
            ),
            "Diseases & Disorders": TypeName(
                en="disease",
                zh="疾病",
                definition_en="a disease, disorder or adverse event",
                definition_zh="疾病、失调或不良事件",
            ),
            "Genes & Molecular Sequences": TypeName(
                en="target",
                zh="靶点",
                definition_en="a gene, protein or other target of a drug",
                definition_zh="基因、蛋白质或其他药物靶点",
            ),
            "SNP & Sequence variations": TypeName(
                en="sequence variant",
                zh="序列变异",
                definition_en="a polymorphism or other variation of a sequence",
                definition_zh="多态性或其他序列变异",
            ),
            "Mention": TypeName(en="other mention", zh="其他提及"),
        },
        relation_types={
            "PA": TypeName(
                en="positive association",
                zh="肯定关联",
                definition_en="the text states that the two are associated",
                definition_zh="文中明确指出两者有关联",
                symmetric=True,
            ),
            "NA": TypeName(
                en="negative association",
                zh="否定关联",
                definition_en="the text states that the two are not associated",
                definition_zh="文中明确指出两者无关联",
                symmetric=True,
            ),
            "SA": TypeName(
                en="speculative association",
                zh="推测关联",
                definition_en="the text supposes that the two are associated",
                definition_zh="文中推测两者有关联",
                symmetric=True,
            ),
            "FA": TypeName(
                en="false association",
                zh="虚假关联",
                definition_en="the two are named together, but nothing is said of an association",
                definition_zh="两者同时出现，但未说明有关联",
                symmetric=True,
            ),
        },
        notes="A row of the annotations is marked true or false in its second column; rows marked false are rejected, "
        "as a public reader of the official files leaves them out. The texts are not part of the release; where "
        "PubMed's has changed since, mentions that do not match it are rejected.",
    ),
)
