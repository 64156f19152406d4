"""One HTML page to browse the data of a run: its mixture, samples of its examples, what was left out, and the audit.

It needs no other file and no network, and holds samples, so that its size is bounded however large the data is. Of test
sets it shows counts, and the texts of those that training data was found to share material with.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import jinja2
import msgspec
import xxhash
from markupsafe import Markup

from taiyi import storage
from taiyi.build.decontaminate import Match
from taiyi.look import examples, marks
from taiyi.look.common import common
from taiyi.look.examples import Data
from taiyi.look.marks import Mark
from taiyi.schema import Example, Lang, Message, Span
from taiyi.steps.rendering import Epochs
from taiyi.text import legible

MAX_SAMPLES = 1_000
SAMPLES_PER_GROUP = 16
TEXT_CHARS = 1_200
REJECTS_PER_REASON = 5
DETAIL_CHARS = 300
MATCHES_PER_KIND = 25
MATCH_CHARS = 1_500
# Kinds of matches that are more or less alike; of others what they have in common is an id or a fingerprint.
_MEASURED = ("overlap", "near duplicate")
# What stands before the first part that two texts have in common.
_LEAD = 200


class Rejected(msgspec.Struct, frozen=True, rename={"stage": "for"}):
    """A line of `rejects.jsonl`."""

    stage: str
    where: str
    reason: str
    detail: str = ""


class Source(NamedTuple):
    """A line of the mixture of a stage; records and draws are unknown where the step did not say."""

    corpus: str
    task: str
    lang: Lang
    num_records: int | None
    num_drawn: int | None
    num_examples: int
    share: float

    @property
    def epochs(self) -> float | None:
        return self.num_drawn / self.num_records if self.num_records and self.num_drawn is not None else None


class Sample(NamedTuple):
    """An example as the page shows it."""

    example: Example
    earlier: tuple[tuple[Message, Markup], ...]
    prompt: Markup
    answer: Markup


class Group(NamedTuple):
    """The samples of a corpus, task and language of a stage."""

    corpus: str
    task: str
    lang: Lang
    num_examples: int
    num_templates: int
    samples: tuple[Sample, ...]


class StagePart(NamedTuple):
    """A stage as the page shows it."""

    name: str
    num_examples: int
    sources: tuple[Source, ...]
    groups: tuple[Group, ...]


class Reason(NamedTuple):
    """What was left out for one reason, with some of it. `of_test` says that it is of a test set, and has no texts."""

    stage: str
    reason: str
    total: int
    some: tuple[Rejected, ...]
    of_test: bool


class Pair(NamedTuple):
    """Two texts that share material, with what they share marked; `shared` is an id, or how much they are alike."""

    match: Match
    shared: str
    training: Markup
    evaluation: Markup


class Audit(NamedTuple):
    """What was found in test sets by one of the means of decontamination, with some of it: the least alike."""

    by: str
    total: int
    pairs: tuple[Pair, ...]


def write(data: Data, out: Path) -> int:
    """Write the page of a data step and return its size in bytes."""
    page = html(data).encode()
    with storage.writing(out) as file:
        file.write(page)
    return len(page)


def html(data: Data) -> str:
    """Return the page of a data step."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        resources.files("taiyi.look").joinpath("page.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        run=data.run.resolve().name,
        folder=data.folder.name,
        made=data.manifest,
        stages=_stages(data),
        tests=data.manifest.facts.get("tests", {}),
        reasons=_reasons(data),
        audits=_audits(data),
        per_group=SAMPLES_PER_GROUP,
        text_chars=TEXT_CHARS,
        per_reason=REJECTS_PER_REASON,
        per_kind=MATCHES_PER_KIND,
        legible=legible,
    )


# --- Mixture and samples ---------------------------------------------------------------------------------------------


def _stages(data: Data) -> list[StagePart]:
    files = {name: path for name, path in data.stages.items() if path.exists()}
    counts = {name: examples.count(path) for name, path in files.items()}
    num_groups = sum(map(len, counts.values()))
    per_group = max(1, min(SAMPLES_PER_GROUP, MAX_SAMPLES // max(num_groups, 1)))
    epochs = data.folder / "epochs.json"
    drawn: dict[str, list[Epochs]] = storage.read_json(epochs, dict[str, list[Epochs]]) if epochs.exists() else {}
    return [
        StagePart(
            name=name,
            num_examples=sum(counts[name].values()),
            sources=tuple(_sources(drawn.get(name, []), counts[name])),
            groups=tuple(_groups(path, counts[name], per_group)),
        )
        for name, path in files.items()
    ]


def _sources(drawn: Sequence[Epochs], counts: examples.Counts) -> Iterator[Source]:
    total = sum(counts.values()) or 1
    known: dict[examples.Key, tuple[int, int]] = {}
    for row in drawn:
        records, draws = known.get((row.corpus, row.task, row.lang), (0, 0))
        known[row.corpus, row.task, row.lang] = (records + row.num_records, draws + row.num_drawn)
    for key in sorted({*known, *counts}, key=lambda key: (-counts.get(key, 0), key)):
        records, draws = known.get(key, (None, None))
        yield Source(*key, records, draws, counts.get(key, 0), counts.get(key, 0) / total)


def _groups(path: Path, counts: examples.Counts, per_group: int) -> Iterator[Group]:
    for key, found in examples.sample(path, per_group=per_group).items():
        templates = {example.template for example in found}
        yield Group(*key, counts[key], len(templates), tuple(_sample(example) for example in found))


def _sample(example: Example) -> Sample:
    earlier, last = example.messages[:-1], example.messages[-1:]
    found = marks.mentions(example)
    colours = marks.palette(example, found)
    return Sample(
        example=example,
        earlier=tuple((message, marks.html(message.content, limit=TEXT_CHARS)) for message in earlier),
        prompt=marks.html("".join(message.content for message in last), found, limit=TEXT_CHARS, colours=colours),
        answer=marks.html(example.answer, limit=TEXT_CHARS),
    )


# --- What was left out, and the audit --------------------------------------------------------------------------------


def _reasons(data: Data) -> list[Reason]:
    counts: dict[tuple[str, str], int] = {}
    some: dict[tuple[str, str], list[Rejected]] = {}
    path = data.folder / "rejects.jsonl"
    for reject in storage.read_jsonl(path, Rejected) if path.exists() else ():
        key = (reject.stage, reject.reason)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= REJECTS_PER_REASON:
            # What a reject of a test set says may quote it.
            detail = _short(reject.detail) if reject.stage in data.stages else ""
            some.setdefault(key, []).append(msgspec.structs.replace(reject, detail=detail))
    order = sorted(counts, key=lambda key: (key[0] not in data.stages, key[0], -counts[key], key))
    return [Reason(*key, counts[key], tuple(some[key]), key[0] not in data.stages) for key in order]


def _audits(data: Data) -> list[Audit]:
    counts: dict[str, int] = {}
    least: dict[str, list[tuple[float, int, Match]]] = {}
    seen: set[bytes] = set()
    path = data.folder / "decontamination.jsonl"
    for match in storage.read_jsonl(path, Match) if path.exists() else ():
        name = xxhash.xxh3_128_digest("\0".join((match.training, match.evaluation, match.by)).encode())
        if name in seen:  # in two stages
            continue
        seen.add(name)
        counts[match.by] = counts.get(match.by, 0) + 1
        kept = least.setdefault(match.by, [])
        # A number of its own for each, so that matches are never compared.
        entry = (-match.similarity, -len(seen), match)
        if len(kept) < MATCHES_PER_KIND:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
    return [
        Audit(by, counts[by], tuple(_pair(match) for _, _, match in sorted(least[by], key=lambda e: (-e[0], -e[1]))))
        for by in sorted(counts)
    ]


def _pair(match: Match) -> Pair:
    here, there = common(match.training_text, match.evaluation_text)
    shared = f"{match.similarity:.0%} alike" if match.by in _MEASURED else match.value
    return Pair(match, shared, _marked(match.training_text, here), _marked(match.evaluation_text, there))


def _marked(text: str, spans: Sequence[Span]) -> Markup:
    begin = max(0, spans[0].start - _LEAD) if spans else 0
    if begin < _LEAD:
        begin = 0
    end = begin + MATCH_CHARS
    return marks.html(
        text, [Mark(s.start, min(s.end, end)) for s in spans if s.start < end], limit=MATCH_CHARS, begin=begin
    )


def _short(text: str) -> str:
    return text if len(text) <= DETAIL_CHARS else f"{text[:DETAIL_CHARS]}…"
