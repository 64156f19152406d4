"""What a corpus's files hold, against what its entry says that they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal

from taiyi import text
from taiyi.catalogue.entry import Corpus, Counts
from taiyi.catalogue.load import load
from taiyi.errors import TaiyiError
from taiyi.schema import (
    Dialogue,
    Document,
    Labelled,
    Pair,
    Parallel,
    Question,
    Record,
    Reject,
    Split,
    TextToStruct,
    TextToText,
)

Status = Literal["ok", "differs", "missing", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The outcome of a check.

    `layouts` is the layout that each split was found in; `absent` are splits without files, with the files that were
    expected; `shared` is how many texts two splits have in common. Neither of the last two is a fault of the files.
    """

    corpus: str
    status: Status
    counted: Mapping[Split, Counts] = field(default_factory=dict[Split, Counts])
    expected: Mapping[Split, Counts] = field(default_factory=dict[Split, Counts])
    problems: tuple[str, ...] = ()
    layouts: Mapping[Split, str] = field(default_factory=dict[Split, str])
    absent: Mapping[Split, tuple[str, ...]] = field(default_factory=dict[Split, "tuple[str, ...]"])
    shared: Mapping[str, int] = field(default_factory=dict[str, int])


def count(items: Iterator[Record | Reject]) -> Counter[str]:
    """Count records and what they hold.

    Keys: `records`; `lang.<lang>`; `documents` (distinct document ids); `rejects.<reason>`; of documents `entities`,
    `entities.<type>`, `discontinuous` (entities of several spans), `concepts` (entities with one or more), `relations`
    (`triples` where the arguments are texts), `relations.<type>`, `events`, `events.<type>`, `coreferences`; of other
    forms `labelled`, `labels.<label>`; `pairs`, `pairs.<label>`; `questions`, `answers.<answer>` (yes/no/maybe);
    `dialogues`, `turns`; `parallel`; `texts` (text to text); `structs`, `nodes`.
    """
    counts: Counter[str] = Counter()
    documents: set[str] = set()
    for item in items:
        if isinstance(item, Reject):
            counts[f"rejects.{item.reason}"] += 1
            continue
        counts.update(("records", f"lang.{item.lang}"))
        documents.update(item.document_ids)
        match item:
            case Document():
                _count_document(item, counts)
            case Labelled():
                counts.update(("labelled", *(f"labels.{label}" for label in item.labels)))
            case Pair():
                counts.update(("pairs", *([f"pairs.{item.label}"] if item.label is not None else [])))
            case Question():
                counts["questions"] += 1
                if item.kind == "yesno":
                    counts.update(f"answers.{answer}" for answer in item.answers)
            case Dialogue():
                counts["dialogues"] += 1
                counts["turns"] += len(item.turns)
            case Parallel():
                counts["parallel"] += 1
            case TextToText():
                counts["texts"] += 1
            case TextToStruct():
                counts["structs"] += 1
                counts["nodes"] += len(item.nodes)
    counts["documents"] = len(documents)
    return +counts


def _count_document(document: Document, counts: Counter[str]) -> None:
    for entity in document.entities:
        counts.update(("entities", f"entities.{entity.type}"))
        counts["discontinuous"] += len(entity.spans) > 1
        counts["concepts"] += bool(entity.concepts)
    for relation in document.relations:
        kind = "triples" if all(a.kind == "text" for a in relation.arguments) else "relations"
        counts.update((kind, f"{kind}.{relation.type}"))
    for event in document.events:
        counts.update(("events", f"events.{event.type}"))
    counts["coreferences"] += len(document.coreferences)


def check(corpus: Corpus, root: Path) -> CheckResult:
    """Read every split of a corpus that is there, and compare it with the entry.

    Counts must equal the stated ones, every kind of reject must be stated, ids must be unique, and types, labels and
    languages declared. (Spans and references are checked by the schema whenever a record is built.) A corpus of which
    no split is there is `missing`.
    """
    absent: dict[Split, tuple[str, ...]] = {
        split: tuple(str(path) for path in corpus.missing(split, root))
        for split in corpus.splits
        if corpus.layout(split, root) is None
    }
    if len(absent) == len(corpus.splits):
        missing = tuple(f"{split}: {path} is missing" for split, paths in absent.items() for path in paths)
        return CheckResult(corpus=corpus.name, status="missing", problems=missing, absent=absent)
    counted: dict[Split, Counts] = {}
    expected: dict[Split, Counts] = {}
    layouts: dict[Split, str] = {}
    contents: dict[Split, set[str]] = {}
    problems: list[str] = []
    status: Status = "ok"
    for split in corpus.splits:
        layout = corpus.layout(split, root)
        if layout is None:
            continue
        layouts[split] = layout.name
        expected[split] = layout.counts.get(split, {})
        contents[split] = set()
        try:
            found = count(_watched(corpus, split, load(corpus, split, root), problems, contents[split]))
        except (TaiyiError, OSError) as error:
            status = "error"
            problems.append(f"{split}: {error}")
            continue
        counted[split] = dict(found)
        problems += _differences(split, found, expected[split])
    if problems and status == "ok":
        status = "differs"
    return CheckResult(
        corpus=corpus.name,
        status=status,
        counted=counted,
        expected=expected,
        problems=tuple(problems),
        layouts=layouts,
        absent=absent,
        shared={
            f"{one}, {other}": both
            for one, other in combinations(contents, 2)
            if (both := len(contents[one] & contents[other]))
        },
    )


def _differences(split: Split, found: Counts, expected: Counts) -> list[str]:
    if not expected:
        return [f"{split}: no counts are stated"]
    rejects = {key for key in found if key.startswith("rejects.")}
    return [
        f"{split}: {key} is {found.get(key, 0)}, expected {expected.get(key, 0)}"
        for key in sorted({*expected, *rejects})
        if found.get(key, 0) != expected.get(key, 0)
    ]


def _watched(
    corpus: Corpus, split: Split, items: Iterator[Record | Reject], problems: list[str], contents: set[str]
) -> Iterator[Record | Reject]:
    """Pass items on; note repeated ids, what the corpus does not declare, and fingerprints of the texts."""
    seen: set[str] = set()
    undeclared: set[str] = set()
    for item in items:
        yield item
        if isinstance(item, Reject):
            continue
        contents.update(text.fingerprints(" ".join(_texts(item))))
        if item.id in seen:
            problems.append(f"{split}: two records have the id {item.id!r}")
        seen.add(item.id)
        undeclared.update(_undeclared(corpus, item))
        if isinstance(item, Labelled) and len(item.labels) > 1 and not corpus.multi_label:
            problems.append(f"{split}: {item.id} has {len(item.labels)} labels, but the corpus has one a text")
    problems += [f"{split}: {what} is not declared" for what in sorted(undeclared)]


def _undeclared(corpus: Corpus, item: Record) -> Iterator[str]:
    if item.lang not in corpus.langs:
        yield f"language {item.lang!r}"
    match item:
        case Document():
            yield from (f"entity type {e.type!r}" for e in item.entities if e.type not in corpus.entity_types)
            yield from (f"relation type {r.type!r}" for r in item.relations if r.type not in corpus.relation_types)
            yield from (f"event type {e.type!r}" for e in item.events if e.type not in corpus.event_types)
        case Labelled():
            yield from (f"label {label!r}" for label in item.labels if label not in corpus.labels)
        case Pair(label=str() as label) if label not in corpus.labels:
            yield f"label {label!r}"
        case _:
            pass


def _texts(item: Record) -> tuple[str, ...]:
    """Return what a record asks about: the texts by which two records are the same item."""
    match item:
        case Document() | Labelled():
            return (item.text,)
        case Pair():
            return (item.first, item.second)
        case Question():
            return (item.question, *item.contexts)
        case Dialogue():
            return tuple(turn.text for turn in item.turns)
        case Parallel() | TextToText() | TextToStruct():
            return (item.source,)
