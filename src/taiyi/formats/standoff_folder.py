"""Folders of texts with standoff annotations in files beside them, which brat and the BioNLP shared tasks share."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from taiyi.errors import FormatError
from taiyi.formats import checked, lines, standoff, standoff_document, standoff_writing
from taiyi.schema import Document, Lang, Record, Reject, Split

NO_ANNOTATIONS = "no annotation file"
NO_TEXT = "annotations without a text"
UNLISTED = "listed document is not there"
EQUIV = frozenset({"Equiv"})
NO_PATTERNS: Mapping[str, str] = MappingProxyType({})
_FILE_NAME = re.compile(r"[^\s./\\\0]([^/\\\0\n\r]*[^\s./\\\0])?")
_NAME_BYTES = 200


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    suffixes: tuple[str, ...],
    optional: Collection[str] = (),
    pattern: str = "*.txt",
    matching: str = "",
    annotations: str = "",
    types: Mapping[str, str] = NO_PATTERNS,
    selection: str = "",
    documents: Mapping[str, str] = NO_PATTERNS,
    coreference: Collection[str] = EQUIV,
    skipped: Collection[str] = (),
    events: bool = True,
    trigger_types: Collection[str] = (),
    passage_types: Collection[str] = (),
    id_from_path: bool = False,
    encoding: str = "utf-8",
) -> Iterator[Record | Reject]:
    """Read the documents of a folder in the order of their names.

    Texts keep the line ends that they have, since offsets count them. A text without an annotation file is dropped: it
    would pass for one in which nothing was found.

    Args:
        suffixes: those of the annotation files, in the order in which they are read.
        optional: those of them that a document may lack.
        pattern: which files are texts.
        matching: a regular expression of the whole names of the documents that are read, where not all are.
        annotations: the folder of the annotation files, given relative to that of the texts, where it is another one.
        types: what types of annotations are called instead of their names in the files.
        selection: a file, given relative to the folder, with the name of a document (without suffix) a line; only
            these are read.
        documents: regular expressions of whole names of documents, and the document id that each gives, such as
            `{r"PMID-(\\d+)": r"pmid:\\1"}`; the first that matches is taken.
        coreference: types of `*` and `R` lines that say that entities are the same thing.
        skipped: types of annotations that are left out; each is a Reject.
        events: whether `E` lines are events; if not they are left out, and their triggers are entities.
        trigger_types: types of mentions that are triggers only: such a mention that no event names is a Reject.
        passage_types: types of mentions that are parts of the document, such as its title.
        id_from_path: the id of a document is its path within the folder, not its name alone.

    Raises:
        FormatError: there is no text, or a file is not in its encoding.
    """
    names = _names(path, pattern, suffixes, annotations)
    if matching:
        names = [name for name in names if re.fullmatch(matching, name.rpartition("/")[2])]
    if selection:
        names, missing = _selected(path, selection, names)
        yield from missing
    compiled = [(re.compile(regex), template) for regex, template in documents.items()]
    for name in names:
        stem, key = path / f"{name}.txt", name.rpartition("/")[2]
        try:
            text = _text(stem, encoding)
        except FileNotFoundError:
            suffix = next((s for s in suffixes if (path / annotations / f"{name}{s}").is_file()), ".txt")
            yield Reject(where=f"{stem.stem}{suffix}", reason=NO_TEXT, detail=f"there is no {stem.name}")
            continue
        parsed: list[Iterator[standoff.Annotation | Reject]] = []
        absent = ""
        folder = stem.parent / annotations
        for suffix in suffixes:
            file = f"{key}{suffix}"
            try:
                parsed.append(standoff.parse(_text(folder / file, encoding), file))
            except FileNotFoundError:
                absent = absent or ("" if suffix in optional else file)
        if absent:
            yield Reject(where=stem.name, reason=NO_ANNOTATIONS, detail=f"there is no {absent}")
            continue
        items = chain.from_iterable(parsed)
        if skipped or not events:
            items = _kept(items, skipped, events)
        if types:
            items = _renamed(items, types)
        found = standoff_document.resolve(
            text, items, coreference=coreference, trigger_types=trigger_types, passage_types=passage_types
        )
        yield from found.rejects
        yield checked.record(
            Document,
            stem.name,
            id=name if id_from_path else key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=_document_ids(key, compiled),
            text=text,
            passages=found.passages,
            entities=found.entities,
            relations=found.relations,
            events=found.events,
            coreferences=found.coreferences,
        )


def _names(path: Path, pattern: str, suffixes: tuple[str, ...], annotations: str) -> list[str]:
    """Return the names of documents, without suffix and relative to the folder, sorted; hidden files are none."""

    def found(suffix: str) -> set[str]:
        folder = path if suffix == ".txt" else path / annotations
        start = len(folder.as_posix()) + 1 if folder != Path() else 0
        files = folder.glob(f"{pattern.removesuffix('.txt')}{suffix}")
        return {file.as_posix()[start:].removesuffix(suffix) for file in files if not file.name.startswith(".")}

    texts = found(".txt")
    if not texts:
        raise FormatError("the folder holds no text", where=path, expected=f"files {pattern} with {suffixes[0]} files")
    return sorted(texts.union(*map(found, suffixes)))


def _selected(path: Path, selection: str, names: list[str]) -> tuple[list[str], list[Reject]]:
    listed = {line.strip(): number for number, line in lines.numbered(path / selection) if line.strip()}
    known = {name.rpartition("/")[2] for name in names}
    where = Path(selection).name
    missing = [
        Reject(where=f"{where}:{number}", reason=UNLISTED, detail=checked.shown(name))
        for name, number in listed.items()
        if name not in known
    ]
    return [name for name in names if name.rpartition("/")[2] in listed], missing


def _text(path: Path, encoding: str) -> str:
    data = path.read_bytes()
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return lines.whole(path, encodings=(encoding,))


def _kept(
    items: Iterable[standoff.Annotation | Reject], skipped: Collection[str], events: bool
) -> Iterator[standoff.Annotation | Reject]:
    for item in items:
        match item:
            case standoff.Mention() | standoff.Link() | standoff.Happening() | standoff.Group() if item.type in skipped:
                yield Reject(where=item.where, reason=f"{item.type} is left out", detail=checked.shown(item[1:]))
            case standoff.Happening() if not events:
                yield Reject(where=item.where, reason="event is left out", detail=checked.shown(item[1:]))
            case _:
                yield item


def _renamed(
    items: Iterable[standoff.Annotation | Reject], types: Mapping[str, str]
) -> Iterator[standoff.Annotation | Reject]:
    for item in items:
        match item:
            case standoff.Mention() | standoff.Link() | standoff.Happening() | standoff.Group():
                yield item._replace(type=types.get(item.type, item.type))
            case _:
                yield item


def _document_ids(name: str, patterns: Iterable[tuple[re.Pattern[str], str]]) -> tuple[str, ...]:
    for pattern, template in patterns:
        if match := pattern.fullmatch(name):
            return (match.expand(template),)
    return ()


def write(
    records: Iterable[Record],
    path: Path,
    *,
    suffixes: tuple[str, ...],
    suffix_of: Callable[[str], str],
    documents: Mapping[str, str] = NO_PATTERNS,
    renumber: bool = False,
    shared_task: bool = False,
) -> None:
    """Write a text and its annotation files a document into a folder, which is made where there is none.

    Args:
        suffixes: those of the annotation files; each document has all of them.
        suffix_of: which of them a line goes into, by the type of the entity that it is about (else nothing).
        documents: as `read` takes it, and so which document ids the names of the files tell.
        renumber: give annotations ids of standoff's own kind.
        shared_task: write as the BioNLP shared tasks do, not as brat does.

    Raises:
        FormatError: a record, or a part of it, cannot be said in this form, or its id cannot be the name of a file.
    """
    path.mkdir(parents=True, exist_ok=True)
    compiled = [(re.compile(regex), template) for regex, template in documents.items()]
    written: set[str] = set()
    for record in records:
        if not isinstance(record, Document):
            raise FormatError("standoff files hold documents only", where=record.id, got=type(record).__name__)
        if not _FILE_NAME.fullmatch(record.id) or len(record.id.encode(errors="replace")) > _NAME_BYTES:
            raise FormatError("the id of the record cannot be the name of a file", where=record.id)
        if record.id in written:
            raise FormatError("two records have one id, and so one file", where=record.id)
        written.add(record.id)
        if record.document_ids != _document_ids(record.id, compiled):
            raise FormatError(
                "standoff files hold no document ids but those that their names tell",
                where=record.id,
                got=record.document_ids,
                mend="say with `documents` what the names tell",
            )
        document = standoff_writing.renumbered(record) if renumber else record
        contents = dict.fromkeys(suffixes, "")
        for about, text in standoff_writing.lines_of(document, shared_task=shared_task):
            contents[suffix_of(about)] += f"{text}\n"
        for suffix, text in {".txt": document.text, **contents}.items():
            try:
                (path / f"{record.id}{suffix}").write_bytes(text.encode())
            except UnicodeEncodeError as error:
                raise FormatError("half a surrogate pair cannot be written", where=record.id) from error
