"""MeDAL: abbreviations in abstracts of PubMed, and what they stand for."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import medal
from taiyi.schema import Split

_FILES: dict[Split, str] = {"train": "train.csv", "dev": "valid.csv", "test": "test.csv"}

CORPORA = (
    Corpus(
        name="medal",
        title="MeDAL, medical abbreviation disambiguation",
        langs=("en",),
        tasks=("ner", "nen"),
        licence="terms and conditions of the National Library of Medicine (abstracts of PubMed)",
        access="open",
        homepage="https://github.com/BruceWen120/medal",
        citation="Wen et al. MeDAL: Medical Abbreviation Disambiguation Dataset for Natural Language Understanding "
        "Pretraining. Clinical NLP workshop, 2020.",
        verified="fixture",
        files={split: (Source(path=name, read=medal.read),) for split, name in _FILES.items()},
        counts={"train": {"records": 3_000_000}, "dev": {"records": 1_000_000}, "test": {"records": 1_000_000}},
        sizes={"train": 3_000_000, "dev": 1_000_000, "test": 1_000_000},
        listed=Listed(lang="en", number=2, task="NER", sizes={"train": 300_000, "dev": 100_000, "test": 100_000}),
        downloads=tuple(
            Download(url=f"https://zenodo.org/record/4482922/files/{name}", path=name) for name in _FILES.values()
        ),
        entity_types={
            "abbreviation": TypeName(
                en="medical abbreviation",
                zh="医学缩写",
                definition_en="a short form that stands for a medical term",
                definition_zh="代表某一医学术语的缩写",
            )
        },
        notes="The subset for pretraining, 3,000,000, 1,000,000 and 1,000,000 abstracts; the list of the paper has a "
        "tenth of each. In each abstract one term was replaced by its abbreviation: it is the one mention, and the "
        "term that it stands for is its concept, under the database `MeDAL`, with the term itself as id; other "
        "abbreviations of the text are not marked. An abstract may occur more than once, so records are named by their "
        "position. A row with several places and terms, as in the full data, gives as many mentions.",
    ),
)
