"""OSIRIS: genes and their sequence variants in Medline abstracts."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source, TypeName
from taiyi.formats import inline_tags
from taiyi.formats.inline_tags import Tag

_ORIGINAL = "OSIRIScorpusv01.xml"
_REVISED = "corpus.xml"
_OPTIONS: dict[str, Any] = {
    "record": "Article",
    "id": "Pmid",
    "parts": {"Title": "title", "Abstract": "abstract"},
    "tags": {
        "gene": Tag(concept="g_id", database="NCBI Gene", text="g_lex"),
        "variant": Tag(concept="v_id", database="dbSNP", text="v_lex", attributes={"v_norm": "normalised"}),
    },
}

CORPORA = (
    Corpus(
        name="osiris",
        title="OSIRIS corpus",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="CC BY 3.0",
        access="open",
        homepage="https://sites.google.com/site/laurafurlongweb/databases-and-tools/corpora/",
        citation="Furlong et al. OSIRISv1.2: a named entity recognition system for sequence variants of genes in "
        "biomedical literature. BMC Bioinformatics, 2008.",
        verified="real",
        files={"train": (Source(path=_ORIGINAL, read=inline_tags.read, options=_OPTIONS),)},
        counts={
            "train": {
                "records": 105,
                "documents": 105,
                "entities": 1356,
                "entities.gene": 802,
                "entities.variant": 554,
                "concepts": 1037,
                "rejects.mention whose attribute gives another text": 3,
            }
        },
        copies=(
            Layout(
                name="seth",
                files={"train": (Source(path=_REVISED, read=inline_tags.read, options=_OPTIONS),)},
                verified="real",
                counts={
                    "train": {
                        "records": 105,
                        "documents": 105,
                        "entities": 1365,
                        "entities.gene": 802,
                        "entities.variant": 563,
                        "concepts": 1045,
                    }
                },
                notes="The file that is passed on with SETH (github.com/rockt/SETH): some variants are split in two or "
                "tagged that the authors' file leaves out, their texts are filled in, and each has a normal form, "
                "which is kept as an attribute.",
            ),
        ),
        sizes={"train": 105},
        listed=Listed(lang="en", number=13, task="NER", sizes={"train": 105}),
        downloads=(
            Download(
                url="https://raw.githubusercontent.com/Erechtheus/mutationCorpora/master/corpora/original/Osiris/"
                f"{_ORIGINAL}",
                path=_ORIGINAL,
            ),
        ),
        entity_types={
            "gene": TypeName(
                en="gene",
                zh="基因",
                definition_en="a human gene or its product",
                definition_zh="人类基因或其产物",
            ),
            "variant": TypeName(
                en="sequence variant",
                zh="序列变异",
                definition_en="a variation of the sequence of a gene or protein, such as a polymorphism",
                definition_zh="基因或蛋白质序列的变异，如多态性",
            ),
        },
        notes="There are two versions. The authors' own is read, for it is what the paper describes; the revised one "
        "of SETH is read where the first is not there. Ids are of NCBI Gene and, for variants, numbers of dbSNP "
        "without rs; `No` and nothing stand for none. White space at the ends of a tag is no part of the mention. An "
        "attribute repeats the text of each mention; of three variants it is empty, and the tagged text is kept. Title "
        "and abstract are joined by one space.",
    ),
)
