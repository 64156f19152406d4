"""Instruction data of a run, written for other trainers: its rows, what their loaders must be told, and a card."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import track

from taiyi import storage, tasks
from taiyi.build import export as formats
from taiyi.build.dataset_card import DATASET_CARD, File, Part, dataset_card
from taiyi.build.export import Format
from taiyi.build.making import DROPPED, SIGNS, Cut, Making
from taiyi.errors import TaiyiError, suggestion
from taiyi.manifest import Manifest, manifest
from taiyi.schema import Example, Message, Reject
from taiyi.steps.data import data_folder

DATASET_INFO = "dataset_info.json"
REJECTS = "rejects.jsonl"


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: a file of rows for each stage, and what has no row."""

    data: Path
    files: tuple[File, ...]
    rejects: tuple[Reject, ...]


def export(
    run: Path, to: str, out: Path, *, stages: Sequence[str] = (), again: bool = False, console: Console | None = None
) -> Exported:
    """Write the examples of a run's stages in a format, with `dataset_info.json` for LLaMA-Factory and a card.

    Args:
        run: the folder of a run, or of its data step.
        to: the name of a format.
        out: the folder to write into.
        stages: those to write; all that have examples of their own where none is named.
        again: whether files that are there are written over. Other entries of a `dataset_info.json` stay.
        console: where progress is shown.

    Raises:
        TaiyiError: there is no such format, data or stage, or files are there already.
    """
    form = formats.get(to)
    data = data_folder(run)
    facts = manifest(data)
    name = data.resolve().parent.name
    chosen = _stages(data, facts, stages)
    _check_place(out, [f"{stage}.jsonl" for stage in chosen], again)
    rejects: list[Reject] = []
    files: list[File] = []
    for stage in chosen:
        path, parts = data / f"{stage}.parquet", Counter[Part]()
        texts = _are_texts(facts, stage)
        examples = track(
            _history_first(path) if form.history and not texts else storage.read_parquet(path, Example),
            stage,
            storage.num_rows(path),
            console=console or Console(stderr=True),
            transient=True,
            disable=console is not None and not console.is_terminal,
        )
        made = formats.text_rows(examples) if texts else formats.rows(examples, form)
        storage.write_jsonl(_counted(made, parts, rejects), out / f"{stage}.jsonl")
        counted = dict(sorted(parts.items()))
        replayed = {earlier: storage.num_rows(data / f"{earlier}.parquet") for earlier in facts.inputs["replay"][stage]}
        files.append(File(stage=stage, name=f"{stage}.jsonl", parts=counted, replayed=replayed, texts=texts))
    if rejects:
        storage.write_jsonl(rejects, out / REJECTS)
    else:
        (out / REJECTS).unlink(missing_ok=True)
    if form.described is not None:
        _describe(form, {f"{name}_{file.stage}": file for file in files}, out / DATASET_INFO)
    with storage.writing(out / DATASET_CARD) as card:
        card.write(dataset_card(files, form, _making(name, facts, files)).encode())
    return Exported(data=data, files=tuple(files), rejects=tuple(rejects))


def _stages(data: Path, facts: Manifest, wanted: Sequence[str]) -> list[str]:
    known: list[str] = list(facts.facts["training"])
    if wrong := [stage for stage in wanted if stage not in known]:
        raise TaiyiError("the run has no such stage", where=data, got=wrong[0], mend=suggestion(wrong[0], known))
    # A stage may do nothing but train again on what others had.
    filled = [stage for stage in known if storage.num_rows(data / f"{stage}.parquet")]
    chosen = [stage for stage in filled if stage in wanted or not wanted]
    if not chosen:
        raise TaiyiError("no examples to export", where=data, got="stages without data of their own")
    return chosen


def _check_place(out: Path, names: Sequence[str], again: bool) -> None:
    there = [name for name in (*names, DATASET_CARD, REJECTS) if (out / name).exists()]
    if there and not again:
        raise TaiyiError(
            "there are files already",
            where=out,
            got=", ".join(there),
            mend="give another folder with --out, or --again to write over them",
        )


class _Prompt(msgspec.Struct, frozen=True):
    messages: tuple[Message, ...]


def _history_first(path: Path) -> Iterator[Example]:
    """Return the examples of a file, the first one that has earlier turns before the others.

    Loaders take the types of the columns from the first rows: where those all have an empty `history`, as rows of
    Alpaca do, a filled one further down is not of the type.
    """
    prompts = storage.read_parquet(path, _Prompt)
    first = next((n for n, prompt in enumerate(prompts) if any(m.role == "assistant" for m in prompt.messages)), None)
    if first is not None:
        yield next(itertools.islice(storage.read_parquet(path, Example), first, None))
    for n, example in enumerate(storage.read_parquet(path, Example)):
        if n != first:
            yield example


def _counted(made: Iterable[Any], parts: Counter[Part], rejects: list[Reject]) -> Iterator[Any]:
    for row in made:
        if isinstance(row, Reject):
            rejects.append(row)
        else:
            parts[Part(row.corpus, row.task, row.lang, row.split)] += 1
            yield row


def _are_texts(facts: Manifest, stage: str) -> bool:
    """Whether a stage learns texts as they stand."""
    return any(selection["task"] == tasks.TEXT for selection in facts.inputs["stages"][stage])


def _describe(form: Format[Any], named: dict[str, File], path: Path) -> None:
    """Write the entries of the files for LLaMA-Factory, beside those that are there."""
    there: dict[str, Any] = storage.read_json(path, dict[str, Any]) if path.exists() else {}
    entries = {
        name: {"file_name": file.name, **(formats.TEXTS_DESCRIBED if file.texts else form.described or {})}
        for name, file in named.items()
    }
    storage.write_json(there | entries, path)


def _making(name: str, facts: Manifest, files: Sequence[File]) -> Making:
    inputs: dict[str, Any] = facts.inputs
    stages = [file.stage for file in files]
    there = {(part.corpus, part.task) for file in files for part in file.parts}
    data = [s for stage in stages for s in inputs["stages"][stage] if (s["corpus"], s["task"]) in there]
    return Making(
        recipe=name,
        version=facts.taiyi,
        seed=inputs["seed"],
        templates=inputs["templates"],
        dropped=[setting for setting in DROPPED if inputs["deduplicate"][setting]],
        signs=[setting for setting in SIGNS if inputs["decontaminate"][setting]],
        cuts=sorted({Cut(*(s[key] for key in Cut.__struct_fields__)) for s in data if s["window_chars"]}),
        tagged=sorted({s["task"] for s in data if (s["form"] or tasks.get(s["task"]).forms[0]) == "tagged"}),
        absent={stage: missing for stage, missing in facts.facts["absent"].items() if stage in stages},
        left_out={stage: counts for stage, counts in facts.facts["rejects"].items() if stage in stages},
        clean_of=[(corpus, split) for corpus, split in facts.facts["decontaminated"]],
    )
