"""PICO annotation: participants, interventions and outcomes in sentences of abstracts on clinical trials."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.corpora.ebm_pico import TYPES
from taiyi.formats import pico_extraction

_RAW = "https://raw.githubusercontent.com/Markus-Zlabinger/pico-annotation/master"
_ELEMENTS = {"participants": "Participant", "interventions": "Intervention", "outcomes": "Outcome"}
_SENTENCES = "data/sentences.json"
_ANNOTATIONS = tuple(f"data/annotations/{element}_expert.json" for element in _ELEMENTS)

CORPORA = (
    Corpus(
        name="pico_extraction",
        title="PICO annotation of sentences",
        langs=("en",),
        tasks=("ner",),
        licence="not stated",
        access="open",
        homepage="https://github.com/Markus-Zlabinger/pico-annotation",
        citation="Zlabinger et al. Effective Crowd-Annotation of Participants, Interventions, and Outcomes in the Text "
        "of Clinical Trial Reports. Findings of EMNLP, 2020.",
        verified="real",
        files={
            "train": (
                Source(
                    path=_SENTENCES,
                    read=pico_extraction.read,
                    options={"elements": _ELEMENTS, "layer": "expert"},
                    needs=_ANNOTATIONS,
                ),
            )
        },
        counts={
            "train": {
                "records": 423,
                "documents": 41,
                "entities": 848,
                "entities.Participant": 145,
                "entities.Intervention": 307,
                "entities.Outcome": 396,
            }
        },
        sizes={"train": 423},
        unit="sentences",
        listed=Listed(lang="en", number=20, task="NER", sizes={"train": 421}),
        downloads=tuple(Download(url=f"{_RAW}/{name}", path=name) for name in (_SENTENCES, *_ANNOTATIONS)),
        entity_types=TYPES,
        notes="423 sentences; the list of the paper has 421, for the BigBio loader skips the first two. Four layers of "
        "annotation are in the release: by medical experts and, in three ways, by crowds (baseline, senbase, "
        "sensupport). The experts' is read, which the authors take as the gold standard; a token is in a mention where "
        "more than half of the annotators marked it, here two of three, and a run of such tokens is one mention. "
        "Mentions of different elements may overlap. The sentences are from the test abstracts of EBM-NLP (ebm_pico), "
        "so train on one and test on the other share text.",
    ),
)
