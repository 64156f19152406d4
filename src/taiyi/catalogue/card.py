"""Data cards: a page on each corpus, and one that gives an overview of them all, made from the catalogue."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from taiyi.catalogue.entry import OFFICIAL, Corpus, Layout, TypeName
from taiyi.catalogue.fixtures import fixtures, fixtures_dir
from taiyi.catalogue.load import load
from taiyi.schema import SPLITS, Record, Reject, Split

FIGURE = "figure.svg"
OVERVIEW = "README.md"
_EXAMPLES = 3
_MOST_CHARS = 700
TASKS = {
    "ner": "named entity recognition",
    "nen": "named entity normalisation",
    "re": "relation extraction",
    "cre": "causal relation extraction",
    "ee": "event extraction",
    "coref": "coreference resolution",
    "tc": "text classification",
    "qa_mc": "questions, multiple choice",
    "qa_yesno": "questions, yes/no/maybe",
    "qa_sqa": "simple questions",
    "qa_cqa": "questions with context",
    "mrd": "dialogue of several rounds",
    "mt": "machine translation",
    "tp_ss": "text pairs, semantic similarity",
    "tp_te": "text pairs, textual entailment",
    "summary": "summarisation",
    "title": "title generation",
    "report": "report generation",
    "struct": "text to structure",
    "text": "raw text, for pre-training",
}


def examples(corpus: Corpus, limit: int = _EXAMPLES) -> list[Record]:
    """Return some records of a corpus's hand-written fixture (its own, if it is bundled), the train split's first."""
    if corpus.bundled:
        return list(itertools.islice(_records(corpus, Path()), limit))
    for layout, alone in fixtures(corpus):
        return list(itertools.islice(_records(alone, fixtures_dir(layout.name)), limit))
    return []


def _records(corpus: Corpus, root: Path) -> Iterator[Record]:
    for split in corpus.splits:
        for item in load(corpus, split, root):
            if not isinstance(item, Reject):
                yield item


def card(corpus: Corpus) -> str:
    """Return the page on a corpus, in Markdown."""
    return "\n".join(_card(corpus))


def _card(corpus: Corpus) -> Iterator[str]:
    yield from (f"# {corpus.title}", "")
    yield from _table(("", f"`{corpus.name}`"), _facts(corpus))
    yield from ("", "## Obtaining it", "", *_obtaining(corpus))
    yield from ("", "## What it holds", "", *_holds(corpus))
    for title, types in (
        ("Entity types", corpus.entity_types),
        ("Relation types", corpus.relation_types),
        ("Event types", corpus.event_types),
        ("Roles of events", corpus.roles),
        ("Labels", corpus.labels),
    ):
        if types:
            yield from ("", f"## {title}", "", *_types(types))
    if corpus.notes:
        yield from ("", "## Notes", "", corpus.notes)
    if not corpus.bundled:
        yield from ("", "## Example records", "", "Hand-written in the corpus's format; none is from the corpus.", "")
    else:
        yield from ("", "## Example records", "")
    for record in examples(corpus):
        yield from ("```json", _shown(record), "```", "")


def _facts(corpus: Corpus) -> Iterator[tuple[str, str]]:
    yield "Languages", ", ".join(corpus.langs)
    yield "Tasks", ", ".join(f"{task} ({TASKS[task]})" for task in corpus.tasks)
    if corpus.sizes:
        yield f"Official size in {corpus.unit}", _sizes(corpus.sizes)
    if corpus.listed:
        given = corpus.listed
        yield f"In the paper's list ({given.lang} {given.number})", f"{given.task}: {_sizes(given.sizes)}"
    if scale := corpus.scale:
        yield "Grades", f"{scale.measure}, from {scale.lowest:g} to {scale.highest:g}"
    yield "Licence", corpus.licence
    yield "Access", corpus.access
    if corpus.homepage:
        yield "Page", f"<{corpus.homepage}>"
    yield "Citation", corpus.citation
    yield "Reader checked on", "real files" if corpus.checked_on == "real" else "hand-written files in its format"


def _sizes(sizes: Mapping[Any, int]) -> str:
    return ", ".join(f"{split} {size:,}" for split, size in sizes.items())


def _obtaining(corpus: Corpus) -> Iterator[str]:
    if corpus.bundled:
        yield "It comes with the package."
        return
    if corpus.downloads:
        yield f"`taiyi corpora fetch {corpus.name}` downloads:"
        yield ""
        yield from (f"- <{download.url}>" for download in corpus.downloads)
    if corpus.obtain:
        yield from ([""] if corpus.downloads else [])
        yield corpus.obtain
    yield ""
    yield f"Its files, under `{corpus.folder}/`:"
    yield ""
    rows = [
        (layout.name, split, ", ".join(f"`{name}`" for s in sources for name in (s.path, *s.needs)))
        for layout in corpus.layouts
        for split, sources in layout.files.items()
    ]
    yield from _table(("Layout", "Split", "Files"), rows)


def _holds(corpus: Corpus) -> Iterator[str]:
    stated = False
    for layout in corpus.layouts:
        if not layout.counts:
            continue
        stated = True
        if len(corpus.layouts) > 1:
            yield from (f"{_layout_title(layout)} {layout.notes}".strip(), "")
        splits: list[Split] = [split for split in SPLITS if split in layout.counts]
        keys = list(dict.fromkeys(key for split in splits for key in layout.counts[split]))
        rows = [(key, *(f"{layout.counts[split].get(key, 0):,}" for split in splits)) for key in keys]
        yield from (*_table(("", *splits), rows), "")
    if not stated:
        yield "Not counted: its files could not be had here."


def _layout_title(layout: Layout) -> str:
    own = "The authors' files" if layout.name == OFFICIAL else f"The copy `{layout.name}`"
    return f"{own} ({'counted' if layout.verified == 'real' else 'as published'})."


def _types(types: Mapping[str, TypeName]) -> Iterator[str]:
    rows = [(f"`{name}`", t.en, t.zh, _definition(t)) for name, t in types.items()]
    yield from _table(("In the files", "English", "Chinese", "Definition"), rows)


def _definition(type: TypeName) -> str:
    said = type.definition_en or type.definition_zh
    return f"{said} (symmetric)".strip() if type.symmetric else said


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(header)
    yield _row(names)
    yield _row("---" for _ in names)
    yield from (_row(row) for row in rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


def _shown(record: Record) -> str:
    """Return a record as JSON, with long texts cut: a card is to be looked at."""
    plain = _cut(msgspec.to_builtins(record))
    return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode()


def _cut(value: Any) -> Any:
    match value:
        case str():
            return value if len(value) <= _MOST_CHARS else f"{value[:_MOST_CHARS]}…"
        case dict():
            return {key: _cut(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple():
            return [_cut(inner) for inner in value[:8]]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def overview(corpora: Iterable[Corpus]) -> str:
    """Return the page on all corpora, in Markdown."""
    return "\n".join(_overview([corpus for corpus in corpora if not corpus.bundled]))


def _overview(corpora: list[Corpus]) -> Iterator[str]:
    listed = [corpus for corpus in corpora if corpus.listed]
    yield from ("# The corpora", "")
    english = sum(corpus.listed is not None and corpus.listed.lang == "en" for corpus in listed)
    yield (
        f"{len(corpora)} corpora: the {len(listed)} that the paper lists ({english} English, {len(listed) - english} "
        "Chinese), and others that its instruction data or this project uses. Made from the catalogue by "
        "`taiyi corpora docs`."
    )
    yield from ("", f"![Corpora by task]({FIGURE})", "")
    yield "Left: the corpora of each task (one may stand under several). Right: corpora and official sizes by task."
    yield ""
    for task, title in TASKS.items():
        members = [corpus for corpus in corpora if task in corpus.tasks]
        if not members:
            continue
        yield from (f"## {title[0].upper()}{title[1:]} (`{task}`)", "")
        rows = [
            (
                f"[{corpus.name}]({corpus.name}.md)",
                ", ".join(corpus.langs),
                _sizes(corpus.sizes),
                corpus.unit,
                corpus.access,
                corpus.licence,
                corpus.checked_on,
            )
            for corpus in members
        ]
        yield from _table(("Corpus", "Languages", "Official size", "Unit", "Access", "Licence", "Checked on"), rows)
        yield ""


def write_pages(corpora: Iterable[Corpus], folder: Path) -> list[Path]:
    """Write the overview, its figure and a page for each corpus that is not bundled; returns what was written."""
    from taiyi.catalogue.figure import draw

    shown = [corpus for corpus in corpora if not corpus.bundled]
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{corpus.name}.md": card(corpus) for corpus in shown} | {OVERVIEW: overview(shown)}
    for name, page in pages.items():
        (folder / name).write_text(f"{page.rstrip()}\n", encoding="utf-8", newline="\n")
    draw(shown, list(TASKS), folder / FIGURE)
    return [folder / name for name in (*pages, FIGURE)]
