"""Evidence Inference: whether a treatment raised an outcome of a trial, lowered it or made no difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import evidence_inference
from taiyi.schema import Split

# Prompts of which the authors say, in the description of the annotations, that they should not be used.
_WRONG = (
    *(911, 912, 1261, 1262, 3044, 3111, 3248, 3620, 4308, 4324, 4325, 4490, 4491, 4492, 4807, 4824, 4948, 5000),
    *(5001, 5002, 5046, 5047, 5639, 5710, 5752, 5775, 5776, 5777, 5778, 5779, 5780, 5781, 5782, 5841, 5843, 5861),
    *(5862, 5863, 5964, 5965, 5966, 5975, 6034, 6065, 6066, 6666, 6667, 6668, 6669, 7040, 7042, 7944, 8118, 8590),
    *(8593, 8605, 8606, 8631, 8635, 8639, 8640, 8745, 8747, 8749, 8773, 8875, 8876, 8877, 8878, 8884, 8885, 8886),
    *(8917, 8921, 10032, 10035, 10885, 10886, 10887, 10888, 10889, 10890),
)
_ANNOTATIONS, _PROMPTS = "annotations_merged.csv", "prompts_merged.csv"
_LISTS: Mapping[Split, str] = {
    "train": "splits/train_article_ids.txt",
    "dev": "splits/validation_article_ids.txt",
    "test": "splits/test_article_ids.txt",
}


def _source(articles: str) -> Source:
    options: dict[str, Any] = {
        "annotations": _ANNOTATIONS,
        "articles": articles,
        "flagged": {"wrong according to the authors": _WRONG},
    }
    return Source(path=_PROMPTS, read=evidence_inference.read, options=options, needs=(_ANNOTATIONS, articles))


CORPORA = (
    Corpus(
        name="evidence_inference",
        title="Evidence Inference 2.0",
        langs=("en",),
        tasks=("qa_mc",),
        licence="MIT",
        access="open",
        homepage="https://github.com/jayded/evidence-inference",
        citation="DeYoung et al. Evidence Inference 2.0: more data, better models. BioNLP workshop, 2020.",
        verified="fixture",
        files={split: (_source(articles),) for split, articles in _LISTS.items()},
        sizes={"train": 3562, "dev": 443, "test": 449},
        unit="articles",
        listed=Listed(
            lang="en", number=34, task="QA-multiple_choice", sizes={"train": 10056, "dev": 1233, "test": 1222}
        ),
        downloads=(Download(url="http://evidence-inference.ebm-nlp.com/v2.0.tar.gz", unpack=True),),
        notes="The files of prompts name 10,326, 1,258 and 1,252 for the articles of the splits; the paper's list has "
        "what a loader kept of them. Kept are prompts with an answer that a verifier found valid, reasoning included, "
        "as in the authors' own code; of several the answer that most gave, and none where as many gave another. "
        "Prompts that the authors call wrong are rejected; those that they call questionable or badly formed are kept. "
        "The context is the evidence that annotators marked for that answer, not the article; the wording of the "
        "question is ours.",
    ),
)
