"""Standoff lines, as brat and the BioNLP shared tasks write them: one annotation a line, apart from the text.

`T1 Protein 0 4 text` (with `;` between the fragments of a discontinuous mention), `R1 Type Arg1:T1 Arg2:T2`,
`E1 Type:T3 Theme:T1`, `A1 Name E1 value` (`M` in the shared tasks), `N1 Reference T1 db:id text` (in the bacteria tasks
`N1 db Annotation:T1 Referent:id`), `* Equiv T1 T2` and `#1 AnnotatorNotes T1 text`
(Stenetorp et al. brat: a web-based tool for NLP-assisted text annotation. EACL, 2012; https://brat.nlplab.org/standoff.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from taiyi.formats import checked
from taiyi.schema import Reject

NOTE = "note on nothing in particular"
_SHOWN_CHARACTERS = 120


class Mention(NamedTuple):
    """`T`: fragments of the text with a type; `text` is None where the line gives none."""

    where: str
    id: str
    type: str
    spans: tuple[tuple[int, int], ...]
    text: str | None


class Link(NamedTuple):
    """`R`: a relation; arguments are pairs of role and id."""

    where: str
    id: str
    type: str
    arguments: tuple[tuple[str, str], ...]


class Happening(NamedTuple):
    """`E`: an event; `trigger` is the id of its mention, empty where it has none."""

    where: str
    id: str
    type: str
    trigger: str
    arguments: tuple[tuple[str, str], ...]


class Group(NamedTuple):
    """`*`: annotations that stand in a relation without direction and without an id of its own, such as Equiv."""

    where: str
    type: str
    members: tuple[str, ...]


class Attribute(NamedTuple):
    """`A` or `M`; the value is `true` where the line gives none."""

    where: str
    id: str
    name: str
    target: str
    value: str


class Normalisation(NamedTuple):
    """`N`: what a mention refers to in a terminology."""

    where: str
    id: str
    target: str
    db: str
    concept: str


class Note(NamedTuple):
    """`#`: free text on an annotation."""

    where: str
    name: str
    target: str
    text: str


Annotation = Mention | Link | Happening | Group | Attribute | Normalisation | Note


def parse(text: str, name: str) -> Iterator[Annotation | Reject]:
    """Yield what each line says; lines end in LF or CRLF, and blank ones say nothing.

    Args:
        name: the file that the lines are of, for messages.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line or line.isspace():
            continue
        where = f"{name}:{number}"
        line = line.removesuffix("\r")
        reader = _READERS.get(line[0])
        found = reader(where, line) if reader else None
        yield found or Reject(where=where, reason=checked.MALFORMED, detail=repr(line[:_SHOWN_CHARACTERS]))


def _mention(where: str, line: str) -> Mention | None:
    columns = line.split("\t", 2)
    if len(columns) < 2:
        return None
    type, _, offsets = columns[1].partition(" ")
    if not offsets or not type:
        return None
    spans: list[tuple[int, int]] = []
    for fragment in offsets.split(";"):
        ends = fragment.split()
        if len(ends) != 2 or not checked.is_number(ends[0]) or not checked.is_number(ends[1]):
            return None
        spans.append((int(ends[0]), int(ends[1])))
    return Mention(where, columns[0], type, tuple(spans), columns[2] if len(columns) > 2 else None)


def _link(where: str, line: str) -> Link | None:
    head = _head(line)
    if head is None or len(head[1]) < 2:
        return None
    type, *arguments = head[1]
    # Some corpora leave the roles out.
    pairs = [_pair(argument) or (f"Arg{n}", argument) for n, argument in enumerate(arguments, start=1)]
    return Link(where, head[0], type, tuple(pairs))


def _happening(where: str, line: str) -> Happening | None:
    head = _head(line)
    if head is None or not head[1]:
        return None
    pairs: list[tuple[str, str]] = []
    for part in head[1][1:]:
        pair = _pair(part)
        if pair is None:
            return None
        pairs.append(pair)
    type = head[1][0]
    if type.startswith(":") or type.endswith(":"):
        return None
    type, _, trigger = type.partition(":")
    return Happening(where, head[0], type, trigger, tuple(pairs))


def _group(where: str, line: str) -> Group | None:
    head = _head(line)
    if head is None or len(head[1]) < 2:
        return None
    return Group(where, head[1][0], tuple(head[1][1:]))


def _attribute(where: str, line: str) -> Attribute | None:
    id, _, rest = line.partition("\t")
    parts = rest.strip().split(" ", 2)
    if len(parts) < 2:
        return None
    return Attribute(where, id, parts[0], parts[1], parts[2] if len(parts) > 2 else "true")


def _normalisation(where: str, line: str) -> Normalisation | None:
    columns = line.split("\t")
    parts = columns[1].split(" ", 2) if len(columns) > 1 else []
    if len(parts) != 3:
        return None
    type, target, reference = parts
    if target.startswith("Annotation:") and reference.startswith("Referent:"):
        target, db, concept = target.removeprefix("Annotation:"), type, reference.removeprefix("Referent:")
    else:
        db, _, concept = reference.partition(":")
    return Normalisation(where, columns[0], target, db, concept) if target and db and concept else None


def _note(where: str, line: str) -> Note | Reject:
    columns = line.split("\t", 2)
    parts = columns[1].split() if len(columns) == 3 else []
    if len(parts) != 2:
        return Reject(where=where, reason=NOTE, detail=repr(line[:_SHOWN_CHARACTERS]))
    return Note(where, parts[0], parts[1], columns[2])


def _head(line: str) -> tuple[str, list[str]] | None:
    """Return the id of a line and the words of its second column; a third, if any, must be empty."""
    columns = line.split("\t")
    if len(columns) < 2 or any(columns[2:]):
        return None
    return columns[0], columns[1].split()


def _pair(argument: str) -> tuple[str, str] | None:
    role, _, ref = argument.partition(":")
    return (role, ref) if role and ref else None


_READERS: Mapping[str, Callable[[str, str], Annotation | Reject | None]] = {
    "T": _mention,
    "R": _link,
    "E": _happening,
    "*": _group,
    "A": _attribute,
    "M": _attribute,
    "N": _normalisation,
    "#": _note,
}


def line(annotation: Annotation, *, number: int = 0, shared_task: bool = False) -> str:
    """Return the line of an annotation; `number` is that of a note, which has no id.

    Args:
        shared_task: write normalisations as the shared tasks do.
    """
    match annotation:
        case Mention(_, id, type, spans, text):
            return f"{id}\t{type} {';'.join(f'{start} {end}' for start, end in spans)}\t{flat(text or '')}"
        case Link(_, id, type, arguments):
            return f"{id}\t{' '.join((type, *_pairs(arguments)))}"
        case Happening(_, id, type, trigger, arguments):
            return f"{id}\t{' '.join((f'{type}:{trigger}' if trigger else type, *_pairs(arguments)))}"
        case Group(_, type, members):
            return f"*\t{' '.join((type, *members))}"
        case Attribute(_, id, name, target, value):
            return f"{id}\t{name} {target}" + (f" {value}" if value != "true" else "")
        case Normalisation(_, id, target, db, concept) if shared_task:
            return f"{id}\t{db} Annotation:{target} Referent:{concept}"
        case Normalisation(_, id, target, db, concept):
            return f"{id}\tReference {target} {db}:{concept}\t{concept}"
        case Note(_, name, target, text):
            return f"#{number}\t{name} {target}\t{text}"


def _pairs(arguments: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{role}:{ref}" for role, ref in arguments)


def flat(text: str) -> str:
    """Return a text as it stands on a line: each character that would end the line, or the column, is a space."""
    return text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
