"""Answers about many texts as files: JSON lines, CSV, or what other tools read; a run that was cut goes on."""

from __future__ import annotations

import csv
import fcntl
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from taiyi import convert
from taiyi.errors import TaiyiError
from taiyi.schema import Document, Reject
from taiyi.use.reading import Given
from taiyi.use.results import Extraction, Said

To = Literal["jsonl", "csv", "bioc", "pubtator", "brat", "conll"]
_PARTIAL = ".partial"
_ENCODER = msgspec.json.Encoder()


class Begun(msgspec.Struct, frozen=True):
    """The first line of what is not whole: how its answers were asked for."""

    asked: dict[str, str]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as a line: to what, and what was found or why not."""

    id: str
    extraction: Extraction | None = None
    said: Said | None = None
    fault: str = ""


class Tally(msgspec.Struct):
    """What was written: how many items, how many of them before an earlier run was cut, faults by reason, and what a
    format does not carry."""

    items: int = 0
    earlier: int = 0
    faults: Counter[str] = msgspec.field(default_factory=Counter[str])
    losses: dict[str, int] = {}


def row(id: str, found: Extraction | Said) -> dict[str, Any]:
    """Return an answer as JSON has it: what was asked for, and nothing that is not there."""
    made = {k: v for k, v in msgspec.to_builtins(found).items() if v not in ("", (), [], 0, False)}
    if isinstance(found, Extraction):
        for name in ("text", "lang", "at"):
            made.pop(name, None)
        if not found.fault and not (found.relations or found.events):
            made.setdefault("entities", [])
    elif not (found.fault or found.text):
        made.setdefault("labels", [])
    for one in (*made.get("entities", ()), *made.get("relations", ()), *made.get("labels", ())):
        if one.get("confidence", 0) is None:
            del one["confidence"]
        elif "confidence" in one:
            one["confidence"] = round(one["confidence"], 4)
    return {"id": id, **made}


def write(
    items: Iterable[Given | Reject],
    answer: Callable[[Iterable[Given]], Iterator[Extraction] | Iterator[Said]],
    out: Path,
    to: To = "jsonl",
    *,
    asked: Mapping[str, str] | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Tally:
    """Answer items and write what is found; where an earlier run with the same `out` was cut, go on from there.

    Args:
        items: in the same order each time.
        answer: answers texts in order; one result for each.
        out: the file to write, or of brat the folder; it is whole, or not there.
        to: its format. Those of other tools have entities alone.
        asked: how they are asked for, such as the options of a command; an earlier run is gone on with where it asked
            the same.
        advance: called after each item.

    Raises:
        TaiyiError: there is something at `out` already, another process writes it, an earlier run asked otherwise or of
            other items, or the format cannot hold what was found.
    """
    _check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + _PARTIAL)
    begun, rest = Begun(dict(asked or {})), iter(items)
    with partial.open("ab") as file:
        _lock(file, partial)
        # Who had the lock before may have finished meanwhile.
        _check_free(out)
        tally = Tally(earlier=_gone_on_with(partial, begun, rest))
        if not partial.stat().st_size:
            file.write(_ENCODER.encode(begun) + b"\n")
        for line in _lines(rest, answer):
            file.write(_ENCODER.encode(line) + b"\n")
            file.flush()
            advance()
        # The first line may be all that there is.
        file.flush()
        for line in _read(partial):
            tally.items += 1
            reason = line.fault or next((r.fault for r in (line.extraction, line.said) if r), "")
            tally.faults.update([reason] if reason else [])
        _finish(partial, out, to, tally)
        partial.unlink()
    return tally


def _check_free(out: Path) -> None:
    if out.exists():
        raise TaiyiError("there is a file already", where=out, mend="remove it, or give another name")


def _lock(file: BinaryIO, partial: Path) -> None:
    """Keep other processes from a file until it is closed; on disks without locks, nothing does.

    Raises:
        TaiyiError: another process has it.
    """
    with suppress(OSError):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TaiyiError("another process writes this", where=partial, mend="wait until it has ended") from error


def _lines(
    items: Iterable[Given | Reject], answer: Callable[[Iterable[Given]], Iterator[Extraction] | Iterator[Said]]
) -> Iterator[Written]:
    """Yield a line for each item, in order; items are read ahead as far as they are answered together."""
    waiting: list[Given | Reject] = []

    def given() -> Iterator[Given]:
        for item in items:
            waiting.append(item)
            if isinstance(item, Given):
                yield item

    for found in answer(given()):
        while isinstance(item := waiting.pop(0), Reject):
            yield Written(id=item.where, fault=item.reason)
        of_text = isinstance(found, Extraction)
        yield Written(id=item.id, extraction=found if of_text else None, said=None if of_text else found)
    for item in waiting:
        assert isinstance(item, Reject)
        yield Written(id=item.where, fault=item.reason)


def _gone_on_with(partial: Path, begun: Begun, items: Iterator[Given | Reject]) -> int:
    """Return how many items an earlier run answered, and take them from `items`; its last line is cut off where it is
    not whole.

    Raises:
        TaiyiError: it asked otherwise, or of other items.
    """
    if not _whole_lines(partial):
        return 0
    anew = f"to begin anew, remove {partial}"
    with partial.open("rb") as file:
        earlier = msgspec.json.decode(file.readline(), type=Begun).asked
    names = (*begun.asked, *(name for name in earlier if name not in begun.asked))
    if other := next((name for name in names if earlier.get(name) != begun.asked.get(name)), None):
        raise TaiyiError(
            "an earlier run that was cut asked otherwise",
            where=other,
            got=begun.asked.get(other),
            expected=earlier.get(other),
            mend=f"ask as it did; {anew}",
        )
    count = 0
    for line in _read(partial):
        item = next(items, None)
        id = item.where if isinstance(item, Reject) else item and item.id
        if id != line.id:
            raise TaiyiError(
                "an earlier run that was cut had other items",
                where=f"item {count + 1}",
                got=id,
                expected=line.id,
                mend=anew,
            )
        count += 1
    return count


def _whole_lines(path: Path) -> int:
    """Return how many lines an earlier run wrote, and cut off the last one where it is not whole."""
    if not path.exists():
        return 0
    count = end = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                count, end = count + 1, end + len(line)
    os.truncate(path, end)
    return count


def _read(path: Path) -> Iterator[Written]:
    decoder = msgspec.json.Decoder(Written)
    with path.open("rb") as file:
        file.readline()
        for line in file:
            yield decoder.decode(line)


def _finish(partial: Path, out: Path, to: To, tally: Tally) -> None:
    """Write all lines in the format that is wanted, under another name until it is whole."""
    with _whole(out) as made:
        if to == "jsonl":
            with made.open("wb") as file:
                for line in _read(partial):
                    result = line.extraction or line.said
                    shown = {"id": line.id, "fault": line.fault} if result is None else row(line.id, result)
                    file.write(_ENCODER.encode(shown) + b"\n")
        elif to == "csv":
            _write_csv(_read(partial), made)
        else:
            losses = convert.Losses()
            convert.convert(_documents(_read(partial)), made, convert.target(to), losses)
            tally.losses = dict(losses.counts)


@contextmanager
def _whole(out: Path) -> Generator[Path]:
    made = out.with_name(f".{out.name}.making")
    yield made
    made.rename(out)


def _documents(found: Iterable[Written]) -> Iterator[Document]:
    for line in found:
        if line.extraction is not None and not line.extraction.fault:
            yield line.extraction.document(line.id)


_COLUMNS: Sequence[str] = ("id", "start", "end", "text", "type", "head", "tail", "confidence", "fault")


def _write_csv(found: Iterable[Written], path: Path) -> None:
    """Write a row for each mention, relation, event or label; for what has none, and for a fault, one with the id."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, _COLUMNS, extrasaction="ignore", restval="")
        table.writeheader()
        for line in found:
            result = line.extraction or line.said
            rows = list(_cells(result)) if result is not None else []
            fault = line.fault or (result.fault if result is not None else "")
            table.writerows({"id": line.id, "fault": fault} | cells for cells in rows or [{}])


def _cells(found: Extraction | Said) -> Iterator[dict[str, Any]]:
    if isinstance(found, Extraction):
        for one in (*found.entities, *found.relations):
            yield {k: v for k, v in msgspec.to_builtins(one).items() if v is not None}
        for event in found.events:
            arguments = "; ".join(f"{a.role}: {a.text}" for a in event.arguments)
            yield {"type": event.type, "text": event.trigger, "head": arguments}
        return
    for label in found.labels:
        yield {"type": label.name} | ({} if label.confidence is None else {"confidence": label.confidence})
    if found.text:
        yield {"text": found.text}
