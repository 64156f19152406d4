"""SciFact: whether an abstract supports or contradicts a claim."""

from __future__ import annotations

from taiyi.catalogue import Corpus, Download, Listed, Source, TypeName
from taiyi.formats import scifact

CORPORA = (
    Corpus(
        name="scifact",
        title="SciFact",
        langs=("en",),
        tasks=("tp_te",),
        licence="Claims: CC BY 4.0; abstracts: ODC-By 1.0",
        access="open",
        homepage="https://github.com/allenai/scifact",
        citation="Wadden et al. Fact or Fiction: Verifying Scientific Claims. EMNLP, 2020.",
        verified="fixture",
        files={
            "train": (Source(path="data/claims_train.jsonl", read=scifact.read, needs=("data/corpus.jsonl",)),),
            "dev": (Source(path="data/claims_dev.jsonl", read=scifact.read, needs=("data/corpus.jsonl",)),),
        },
        sizes={"train": 809, "dev": 300, "test": 300},
        unit="claims",
        listed=Listed(lang="en", number=59, task="TC", sizes={"train": 809, "dev": 300, "test": 300}),
        downloads=(Download(url="https://scifact.s3-us-west-2.amazonaws.com/release/latest/data.tar.gz", unpack=True),),
        labels={
            "SUPPORT": TypeName(
                en="support", zh="支持", definition_en="Sentences of the abstract are evidence that the claim is right."
            ),
            "CONTRADICT": TypeName(
                en="contradict", zh="反驳", definition_en="Sentences of the abstract are evidence that it is wrong."
            ),
            "NOT_ENOUGH_INFO": TypeName(
                en="not enough information",
                zh="信息不足",
                definition_en="The claim's source cites the paper, but its abstract holds no evidence.",
            ),
        },
        notes="A record is a claim with one abstract that it cites (its title and sentences): a pair, labelled with "
        "the evidence in the abstract, NOT_ENOUGH_INFO where it has none. So there are more records than claims, and "
        "the labels are those of the paper's label prediction; which sentences are the evidence is not kept. Test is "
        "published without evidence. The list gives SciTail's address.",
    ),
)
