"""The page that goes with exported instruction data: what it holds, from which corpora, under which licences.

It is a dataset card of the Hugging Face hub: a header in YAML, which the hub and `datasets.load_dataset` read, and a
page in Markdown. Licences are those of the catalogue; what they ask of whoever passes the data on is read from their
names alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import yaml

from taiyi import catalogue
from taiyi.build.export import Format
from taiyi.build.making import Making, told
from taiyi.catalogue import Corpus
from taiyi.catalogue.card import TASKS
from taiyi.tasks import TEXT

DATASET_CARD = "README.md"
_TASKS = {**TASKS, TEXT: "Texts as they stand"}
_LANGUAGES = {"en": "English", "zh": "Chinese"}

# Under which headings of the hub the tasks are found; all are text generation, as instruction data is.
_HUB_TASKS = {
    "ner": "token-classification",
    "nen": "token-classification",
    "tc": "text-classification",
    "tp_te": "text-classification",
    "tp_ss": "sentence-similarity",
    "qa_mc": "multiple-choice",
    "qa_yesno": "question-answering",
    "qa_sqa": "question-answering",
    "qa_cqa": "question-answering",
    "mt": "translation",
    "summary": "summarization",
    "title": "summarization",
    "report": "summarization",
}
_HUB_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10**7: "1M<n<10M"}
_HUB_LICENCES = {"APACHE 2.0", "MIT", "ISC", "CC0 1.0", "GPL 3.0"}
_CREATIVE_COMMONS = re.compile(r"CC BY( NC)?( SA| ND)? [1-4]\.[05]")

Term = Literal["unknown", "no commerce", "no derivatives", "share alike", "attribution"]

# What the name of a licence says that it asks for, the gravest first.
_TERMS: tuple[tuple[Term, str, str], ...] = (
    (
        "unknown",
        r"not (stated|published)|\bunknown\b",
        "**No licence is stated**, in whole or for a part: nobody but the owners may allow passing it on",
    ),
    ("no commerce", r"\bNC\b|non-?commercial|research|academic", "**No commercial use**, or research use only"),
    (
        "no derivatives",
        r"\bND\b|no.?derivatives",
        "**No derivatives**: instruction data is one, so do not pass it on",
    ),
    ("share alike", r"\bSA\b|share.?alike|GPL|ODbL", "**Share alike**: what is made of it goes under the same licence"),
    (
        "attribution",
        r"\bCC.BY\b|Apache|\bMIT\b|\bISC\b|\bBSD\b|ODC-By|GENIA",
        "**Attribution**: name the source and the licence",
    ),
)

_LOADING = {
    "openai": (
        "TRL and others that take conversations load it as it is, since `messages` is TRL's conversational format:",
        "from datasets import load_dataset\nfrom trl import SFTConfig, SFTTrainer\n\n"
        'data = load_dataset("json", data_files="{file}", split="train")\n'
        "# The loss of answers alone, of earlier turns too; the chat template must mark them.\n"
        "trainer = SFTTrainer(model, SFTConfig(assistant_only_loss=True), train_dataset=data)",
    ),
    "sharegpt": (
        "",
        'from datasets import load_dataset\n\ndata = load_dataset("json", data_files="{file}", split="train")',
    ),
    "alpaca": (
        "The whole prompt is the `instruction`, `input` is empty, and earlier turns of dialogues are in `history`.",
        'from datasets import load_dataset\n\ndata = load_dataset("json", data_files="{file}", split="train")',
    ),
    "taiyi": (
        "These are the keys of the examples that the authors of Taiyi publish, which Firefly reads, and beside them "
        "`id`, `task`, `lang`, `split`, `template` and `system`.",
        'from datasets import load_dataset\n\ndata = load_dataset("json", data_files="{file}", split="train")',
    ),
}

_LOADING_TEXTS = 'from datasets import load_dataset\n\ndata = load_dataset("json", data_files="{file}", split="train")'


class Part(msgspec.Struct, frozen=True, order=True):
    """What the rows of a file are counted by."""

    corpus: str
    task: str
    lang: str
    split: str


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of rows, of one stage.

    `replayed` has the sizes of the earlier stages that it trains on again, by name; `texts` says that the rows are
    texts that are learned as they stand, not conversations.
    """

    stage: str
    name: str
    parts: Mapping[Part, int]
    replayed: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])
    texts: bool = False

    @property
    def num_rows(self) -> int:
        return sum(self.parts.values())


def dataset_card(files: Sequence[File], form: Format[Any], made: Making) -> str:
    """Return the page, in Markdown with its header."""
    corpora = [catalogue.get(name) for name in sorted({part.corpus for file in files for part in file.parts})]
    header = yaml.safe_dump(_header(files, corpora, made), sort_keys=False, allow_unicode=True, width=120)
    body = "\n".join(_page(files, corpora, form, made))
    return f"---\n{header}---\n\n{body.rstrip()}\n"


def gated(corpora: Iterable[str]) -> list[str]:
    """Return the corpora among these that one must sign for, whose texts are not to be passed on."""
    return [name for name in sorted(set(corpora)) if catalogue.get(name).access != "open"]


def hub_licence(licence: str) -> str:
    """Return the hub's name of a licence; `other` where it has none, or where it covers a part alone."""
    name = re.sub(r"(?<=[A-Za-z])-(?=[A-Z0-9])", " ", licence).upper()
    if name in _HUB_LICENCES or _CREATIVE_COMMONS.fullmatch(name):
        return name.lower().replace(" ", "-")
    if name == "OPEN DATABASE LICENSE (ODBL)":
        return "odbl"
    return "unknown" if name in ("NOT STATED", "NOT PUBLISHED") else "other"


def terms(licence: str) -> list[Term]:
    """Return what the name of a licence says that it asks for; nothing where it says nothing of the kind."""
    return [term for term, pattern, _ in _TERMS if re.search(pattern, licence, re.IGNORECASE)]


def _header(files: Sequence[File], corpora: Sequence[Corpus], made: Making) -> dict[str, Any]:
    parts = [part for file in files for part in file.parts]
    total = sum(file.num_rows for file in files)
    header: dict[str, Any] = {
        "pretty_name": f"{made.recipe}: biomedical instruction data",
        "language": sorted({part.lang for part in parts}),
        "license": sorted({hub_licence(corpus.licence) for corpus in corpora}),
    }
    if {"other", "unknown"} & set(header["license"]):
        header["license_name"] = "licences-of-the-corpora"
        header["license_details"] = "each corpus has its own; see the page"
    categories = {_HUB_TASKS[part.task] for part in parts if part.task in _HUB_TASKS}
    return header | {
        "task_categories": ["text-generation", *sorted(categories)],
        "size_categories": [next((name for most, name in _HUB_SIZES.items() if total < most), "10M<n<100M")],
        "tags": ["biomedical", "instruction-tuning", "taiyi"],
        "configs": [{"config_name": file.stage, "data_files": file.name} for file in files],
    }


def _page(files: Sequence[File], corpora: Sequence[Corpus], form: Format[Any], made: Making) -> Iterator[str]:
    total = sum(file.num_rows for file in files)
    langs = {part.lang for file in files for part in file.parts}
    spoken = " and ".join(name for lang, name in _LANGUAGES.items() if lang in langs)
    yield from (f"# {made.recipe}: biomedical instruction data", "")
    yield f"{total:,} examples in {spoken}, of {len(corpora)} corpora, in the form of {form.title}, made by Taiyi."
    yield ""
    if closed := [corpus for corpus in corpora if corpus.access != "open"]:
        yield (
            "> **Not to be redistributed.** The rows hold texts of corpora that are given out to those alone who "
            f"sign for them: {_names(closed)}. Share the recipe: whoever has the corpora makes the same rows of it."
        )
        yield ""
    yield from _files(files)
    yield from _loading(files, form)
    yield from _tasks(files)
    yield from _sources(files, corpora)
    yield from _licences(corpora)
    yield from _making(made)
    yield from _limits()


def _files(files: Sequence[File]) -> Iterator[str]:
    yield from ("## Files", "")
    rows: list[Sequence[str]] = []
    for file in files:
        langs: Counter[str] = Counter()
        for part, count in file.parts.items():
            langs[part.lang] += count
        counted = (file.num_rows, langs["en"], langs["zh"], file.num_rows + sum(file.replayed.values()))
        rows.append((f"`{file.name}`", *(f"{n:,}" for n in counted)))
    yield from _table(("File", "Examples", "English", "Chinese", "Examples that the stage trains on"), rows)
    yield ""
    here = {file.stage: f"`{file.name}`" for file in files}
    for file in files:
        if file.replayed:
            again = ", ".join(here.get(stage, f"that of {stage}, which is not here") for stage in file.replayed)
            yield f"Stage {file.stage} trains on its own file and again on {again}: give a trainer all of them."
            yield ""


def _loading(files: Sequence[File], form: Format[Any]) -> Iterator[str]:
    said, code = _LOADING[form.name]
    yield from ("## Loading it", "")
    if spoken := [file.name for file in files if not file.texts]:
        yield from ([said, ""] if said else [])
        yield from ("```python", code.format(file=spoken[0]), "```", "")
    if plain := [file.name for file in files if file.texts]:
        yield f"Rows of {', '.join(f'`{name}`' for name in plain)} are texts for continued pre-training, under `text`:"
        yield from ("", "```python", _LOADING_TEXTS.format(file=plain[0]), "```", "")
    if form.described is not None:
        yield "LLaMA-Factory finds the files by `dataset_info.json` where `dataset_dir` is this folder."
        yield ""
    yield "Rows stand corpus by corpus: shuffle them."
    yield ""


def _tasks(files: Sequence[File]) -> Iterator[str]:
    counts: Counter[tuple[str, str]] = Counter()
    for file in files:
        for part, count in file.parts.items():
            counts[part.task, part.lang] += count
    yield from ("## Tasks", "")
    rows = [
        (f"{_TASKS.get(task, task)} (`{task}`)", f"{counts[task, 'en']:,}", f"{counts[task, 'zh']:,}")
        for task in sorted({task for task, _ in counts})
    ]
    yield from (*_table(("Task", "English", "Chinese"), rows), "")


def _sources(files: Sequence[File], corpora: Sequence[Corpus]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    tasks: dict[str, set[str]] = {}
    splits: dict[str, set[str]] = {}
    for file in files:
        for part, count in file.parts.items():
            counts[part.corpus] += count
            tasks.setdefault(part.corpus, set()).add(part.task)
            splits.setdefault(part.corpus, set()).add(part.split)
    yield from ("## Corpora", "")
    rows = [
        (
            f"[{corpus.name}]({corpus.homepage})" if corpus.homepage else corpus.name,
            f"{counts[corpus.name]:,}",
            ", ".join(sorted(tasks[corpus.name])),
            ", ".join(sorted(splits[corpus.name])),
            corpus.licence,
            corpus.access if corpus.access == "open" else f"**{corpus.access}**, not to be redistributed",
        )
        for corpus in corpora
    ]
    yield from _table(("Corpus", "Examples", "Tasks", "Splits", "Licence", "Access"), rows)
    yield from ("", "Cite the corpora:", "")
    yield from (f"- {corpus.name}: {corpus.citation}" for corpus in corpora)
    yield ""


def _licences(corpora: Sequence[Corpus]) -> Iterator[str]:
    yield from ("## Licences that bind", "")
    yield "The rows hold texts of the corpora, so each row is bound by the licence of its corpus, and a file by all."
    yield ""
    if closed := [corpus for corpus in corpora if corpus.access != "open"]:
        yield f"- **Given out on signature only**, not to be passed on: {_names(closed)}."
    for term, _, meaning in _TERMS:
        if bound := [corpus for corpus in corpora if term in terms(corpus.licence)]:
            yield f"- {meaning}: {_names(bound)}."
    yield from ("", "Read from the names of the licences in the catalogue; the licences themselves decide.", "")


def _making(made: Making) -> Iterator[str]:
    yield from ("## How it was made", "")
    for paragraph in told(made):
        yield from (paragraph, "")
    lost = [(stage, reason, f"{n:,}") for stage, reasons in made.left_out.items() for reason, n in reasons.items()]
    if lost:
        yield from (*_table(("Stage", "Left out", "Number"), lost), "")


def _limits() -> Iterator[str]:
    yield from ("## Limits", "")
    yield (
        "- The rows carry conversations, not the structured gold answers, offsets or masks of the loss: a model that "
        "is trained on them elsewhere learns from every token of an answer alike."
    )
    yield "- Annotations are as their corpora have them, with their errors and their guidelines, which differ."
    yield "- Wordings are made from templates; what users ask is worded more freely."
    yield (
        "- Answers to questions and dialogues are of mixed quality, some from the web or from other models; nothing "
        "here is medical advice."
    )


def _names(corpora: Iterable[Corpus]) -> str:
    return ", ".join(corpus.name for corpus in corpora)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"
