"""Biology How/Why Corpus: questions of how and why, with passages of an undergraduate textbook that answer them."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source
from taiyi.formats import biology_how_why

CORPORA = (
    Corpus(
        name="biology_how_why_corpus",
        title="Biology How/Why Corpus",
        langs=("en",),
        tasks=("qa_sqa",),
        licence="not stated",
        access="open",
        homepage="https://allenai.org/data/biology-how-why-corpus",
        citation="Jansen et al. Discourse complements lexical semantics for non-factoid answer reranking. ACL, 2014.",
        verified="fixture",
        files={"train": (Source(path="BiologyHowWhyCorpus/[!.]*.xml", read=biology_how_why.read),)},
        counts={"train": {"records": 378}},
        sizes={"train": 378},
        unit="questions",
        listed=Listed(lang="en", number=43, task="QA-sqa", sizes={"train": 1270}),
        downloads=(
            Download(
                url="https://ai2-public-datasets.s3.amazonaws.com/biology-how-why-corpus/BiologyHowWhyCorpus.tar",
                unpack=True,
            ),
        ),
        notes="185 questions of how and 193 of why, a file each; the paper's list counts the pairs of question and "
        "passage. A record is a question with all passages that answer it. The corpus has no split: all is train.",
    ),
)
