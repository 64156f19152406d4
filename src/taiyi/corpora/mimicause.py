"""MIMICause: causal relations between two concepts of a clinical note."""

from __future__ import annotations

from typing import Any

from taiyi.catalogue import Corpus, Listed, Source, TypeName
from taiyi.formats import marked_pairs

_OPTIONS: dict[str, Any] = {"entity_type": "concept", "roles": ("cause", "effect")}

CORPORA = (
    Corpus(
        name="mimicause",
        title="MIMICause, causal relation types from clinical notes",
        langs=("en",),
        tasks=("re",),
        licence="n2c2 Data Use Agreement",
        access="form",
        homepage="https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/",
        citation="Khetan et al. MIMICause: representation and automatic extraction of causal relation types from "
        "clinical notes. Findings of ACL, 2022.",
        verified="fixture",
        files={"train": (Source(path="*.csv", read=marked_pairs.read, options=_OPTIONS),)},
        counts={"train": {"records": 2714}},
        sizes={"train": 2714},
        unit="texts",
        listed=Listed(lang="en", number=48, task="RE", sizes={"train": 2714}),
        obtain="Register at https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/ and sign the data use agreement; "
        "mimicause.zip is among the community annotations of 2018 there. Unpack its CSV file into the folder of the "
        "corpus.",
        entity_types={
            "concept": TypeName(
                en="biomedical concept",
                zh="生物医学概念",
                definition_en="a drug, problem or other concept whose relation is asked for",
            ),
        },
        relation_types={
            "Cause": TypeName(en="causes", zh="导致", definition_en="the first brings the second about"),
            "Enable": TypeName(
                en="enables",
                zh="促成",
                definition_en="the first helps the second to happen, and does not suffice for it",
            ),
            "Prevent": TypeName(en="prevents", zh="阻止", definition_en="the first keeps the second from happening"),
            "Hinder": TypeName(en="hinders", zh="阻碍", definition_en="the first makes the second less or less likely"),
            "Other": TypeName(
                en="other relation", zh="其他关系", definition_en="the two are related in another way, or not at all"
            ),
        },
        notes="A text has one pair of marked concepts; the marks are taken out. Cause(E2,E1) is a relation from the "
        "second to the first; Other has no direction. The release is one file without splits; a public loader "
        "cuts it into 1,953, 489 and 272.",
    ),
)
