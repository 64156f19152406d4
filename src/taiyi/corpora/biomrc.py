"""BioMRC: the title of an article with an entity left out, and the entities of its abstract to choose from."""

from __future__ import annotations

from collections.abc import Mapping

from taiyi.catalogue import Corpus, Download, Layout, Listed, Source
from taiyi.formats import biomrc
from taiyi.schema import Split

_PARTS: Mapping[Split, str] = {"train": "train", "dev": "val", "test": "test"}
_ARCHIVE = "https://archive.org/download/biomrc_dataset/biomrc_large"
_SIZES: Mapping[Split, int] = {"train": 700000, "dev": 50000, "test": 62707}


def _files(end: str) -> Mapping[Split, tuple[Source, ...]]:
    return {
        split: (Source(path=f"biomrc_large/dataset_{part}.{end}", read=biomrc.read),) for split, part in _PARTS.items()
    }


CORPORA = (
    Corpus(
        name="biomrc",
        title="BioMRC LARGE, setting A",
        langs=("en",),
        tasks=("qa_mc",),
        licence="not stated",
        access="open",
        homepage="https://github.com/PetrosStav/BioMRC_code",
        citation="Pappas et al. BioMRC: a dataset for biomedical machine reading comprehension. BioNLP workshop, 2020.",
        verified="fixture",
        files=_files("json"),
        counts={split: {"records": size} for split, size in _SIZES.items()},
        copies=(
            Layout(
                name="hub_lines",
                files=_files("jsonl"),
                verified="fixture",
                counts={split: {"records": size} for split, size in _SIZES.items()},
                notes="The copy of a hub: an object a line.",
            ),
        ),
        sizes=_SIZES,
        unit="questions",
        listed=Listed(
            lang="en", number=33, task="QA-multiple_choice", sizes={"train": 700000, "dev": 50000, "test": 62707}
        ),
        downloads=tuple(
            Download(url=f"{_ARCHIVE}/dataset_{part}.json.gz", path="biomrc_large", unpack=True)
            for part in _PARTS.values()
        ),
        notes="XXXX stands in the question where the entity was. The key of an option is the mark that stands for the "
        "entity in the texts (@entity1); its text is the names of the entity, as setting A gives them. In setting B "
        "(dataset_train_B.json and so on), in which marks mean nothing beyond one question, it is the mark again. The "
        "identifiers of the entities are left out; PMIDs are not given.",
    ),
)
