"""`taiyi extract TEXT`: entities or relations of a text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from taiyi import catalogue, tagged, tasks
from taiyi.catalogue import Corpus, TypeName
from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import (
    DeviceOption,
    FileOption,
    LangOption,
    LikeOption,
    ModelOption,
    Part,
    TextArgument,
    check_learned,
    guideline,
    language,
    names,
    parts,
    read,
    wording,
)
from taiyi.errors import ModelError, RecipeError, TaiyiError, suggestion
from taiyi.schema import Answer, Document, Example, Lang, Mentions, Reject, Shown, Span, Triples
from taiyi.tasks import Task
from taiyi.tasks.marked import TAGS as MARKS
from taiyi.templates import Template

if TYPE_CHECKING:
    from taiyi.cascade import Cascade
    from taiyi.generate import Engine, LocalEngine

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red", "bright_cyan", "bright_magenta", "bright_green")
WINDOW_CHARS = 300
"""How many characters are read together by a model that learned whole documents: longer ones may be too long for it."""


def extract(
    text: TextArgument = None,
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    task: Annotated[str, typer.Option(help="ner for entities, re for relations.")] = "ner",
    types: Annotated[
        str, typer.Option(help="What to find, with commas between; else what the model was trained on.")
    ] = "",
    like: LikeOption = "",
    lang: LangOption = "auto",
    window: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Sentences are read together up to so many characters; else as the model learned it, or 300 where it "
            "learned whole documents.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line: start, end, text, type; without places (null) from a model that lists names.",
        ),
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Find entities in a text, with character offsets (half-open, from 0), or relations between them.

    A long file is answered as it is read.

    Example: taiyi extract "Aspirin can cause asthma." --types Chemical,Disease
    """
    asked = tasks.get(task)
    if asked.kind not in ("entities", "relations"):
        raise RecipeError("not a task of extraction", got=task, expected="ner or re")
    beginning, blocks = read(text, file)
    spoken = language(beginning, lang)
    from taiyi.generate import LocalEngine

    engine = LocalEngine.load(model, device=device, grammar=tasks.grammar)
    size = window or engine.checkpoint.window_chars or WINDOW_CHARS
    cascade = _cascade(engine, asked, size)
    check_learned(engine, asked.name if cascade is None else "rc", spoken)
    learned = [] if types or cascade is None else cascade.types(spoken)
    own = guideline(engine.checkpoint, asked.name, spoken, like=like)
    wanted = names(types) or (own.types if own else ())
    shown = learned or _types(asked, spoken, wanted, _tags(engine))
    template = wording(
        asked, spoken, guideline(engine.checkpoint, asked.name, spoken, types=[t.shown for t in shown], like=like)
    )
    if not types:
        typer.echo(f"types: {', '.join(t.shown for t in shown)} (choose with --types)", err=True)
    listed: set[tuple[object, object]] = set()
    for part, answer in answers(engine, asked, blocks, shown, template, size=size, by=cascade):
        rows = list(_rows(answer, {t.name: t.shown for t in shown}, part.at, listed))
        if as_json:
            for row in rows:
                typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            _show(part, rows, [t.shown for t in shown])


def answers(
    engine: LocalEngine,
    task: Task,
    blocks: Iterable[str],
    types: Sequence[Shown],
    template: Template,
    *,
    size: int,
    by: Engine | None = None,
) -> Iterator[tuple[Part, Answer]]:
    """Yield what a model finds in a text, part by part; relations are asked for in all of it at once.

    Args:
        engine: of the model.
        task: what is asked, `ner` or `re`.
        blocks: the text, as it is read.
        types: what is looked for.
        template: in which words, and in which language.
        size: up to how many characters sentences are read together.
        by: answers in place of the engine.
    """
    form = engine.checkpoint.form if engine.checkpoint.form in task.forms else task.forms[0]
    for part in parts(blocks, size) if task.kind == "entities" else [Part(0, "".join(blocks), [])]:
        record = Document(id="text", corpus="input", split="test", lang=template.lang, text=part.text)
        spans = part.windows or [None]
        examples = [_example(task, record, template, types, span, form) for span in spans]
        yield part, _answer(engine, by or engine, task, examples)


def _cascade(engine: LocalEngine, task: Task, window_chars: int) -> Cascade | None:
    """Return what finds relations by a cascade, where the model was trained for one and is asked for relations."""
    if task.kind != "relations" or engine.checkpoint.relations == "written":
        return None
    from taiyi.cascade import Cascade

    return Cascade(engine, engine.checkpoint, window_chars=window_chars)


def _tags(engine: LocalEngine) -> frozenset[str]:
    """The tags that the model's tokenizer has as tokens: what it was trained to mark."""
    texts = {token.content for token in engine.tokenizer.added_tokens_decoder.values()}
    return frozenset(
        t[1:-1]
        for t in texts - set(MARKS)
        if t.startswith("<") and t.endswith(">") and tagged.close_tag(t[1:-1]) in texts
    )


def _types(task: Task, lang: Lang, wanted: Sequence[str], tags: frozenset[str]) -> list[Shown]:
    """Resolve type names, as the catalogue or the prompts have them; without any, the widest set of a known corpus."""
    if wanted and all(word in tags for word in wanted):
        # The catalogue takes a moment to read.
        return [Shown(name=word, shown=word) for word in wanted]
    known = [c for c in catalogue.all_corpora() if lang in c.langs and task.name in c.tasks]
    if not wanted:
        trained = [
            c
            for c in known
            if not tags or task.kind != "entities" or {t.shown(lang) for t in _names(c, task).values()} <= tags
        ]
        if not trained:
            raise RecipeError(
                "it is not known which types the model finds in this language", mend="name them with --types"
            )
        widest = max(trained, key=lambda c: len(_names(c, task)))
        return [Shown(name=name, shown=t.shown(lang)) for name, t in _names(widest, task).items()]
    known_by = {
        text.casefold(): (name, t) for c in known for name, t in _names(c, task).items() for text in (name, t.en, t.zh)
    }
    found: list[Shown] = []
    for word in wanted:
        if match := known_by.get(word.casefold()):
            found.append(Shown(name=match[0], shown=match[1].shown(lang)))
        elif word in tags or not tags:
            found.append(Shown(name=word, shown=word))
        else:
            shown = {t.shown(lang) for c in known for t in _names(c, task).values()} | tags
            raise RecipeError("unknown type", got=word, mend=suggestion(word, shown))
    return list(dict.fromkeys(found))


def _names(corpus: Corpus, task: Task) -> Mapping[str, TypeName]:
    return corpus.entity_types if task.kind == "entities" else corpus.relation_types


def _example(
    task: Task, record: Document, template: Template, types: Sequence[Shown], window: Span | None, form: str
) -> Example:
    example = task.render(record, template, form=form, types=types, window=window)
    if isinstance(example, Reject):
        raise TaiyiError(example.reason, where=example.where, got=example.detail)
    return example


def _answer(engine: LocalEngine, answering: Engine, task: Task, examples: Sequence[Example]) -> Answer:
    by_id = {example.id: example for example in examples}
    if len(by_id) < len(examples):
        raise TaiyiError("two windows have the same id", got=f"{len(examples)} windows")
    parsed: list[tuple[Example, Answer]] = []
    for prediction in answering.generate(examples, max_new_tokens=1024, batch_tokens=16384):
        example, written = by_id[prediction.example], prediction.text
        if prediction.finish == "refused":
            raise ModelError(
                "the text and its answer are longer than the model's context",
                where=example.id,
                expected=f"at most {engine.context} tokens",
                mend="give --window a smaller number, or a shorter text",
            )
        if prediction.finish == "length":
            typer.secho(f"{prediction.example}: the answer was cut at its limit", fg="yellow", err=True)
            if not (written := task.cut(written, example)):
                continue  # Not one whole item came before the cut.
        parsed.append((example, task.parse(written, example)))
    return task.merge(parsed)


def _rows(
    answer: Answer, shown: Mapping[str, str], at: int, listed: set[tuple[object, object]]
) -> Iterator[dict[str, object]]:
    """Yield what was found in a part of a text that begins at a character; mentions without a place once in all."""
    if isinstance(answer, Mentions):
        for m in answer.items:
            kind = shown.get(m.type, m.type)
            if m.span:
                yield {"start": m.span.start + at, "end": m.span.end + at, "text": m.text, "type": kind}
            elif (m.text, kind) not in listed:
                listed.add((m.text, kind))
                yield {"start": None, "end": None, "text": m.text, "type": kind}
    elif isinstance(answer, Triples):
        for t in answer.items:
            yield {"head": t.head, "tail": t.tail, "type": shown.get(t.type, t.type)}


def _show(part: Part, rows: Sequence[Mapping[str, object]], types: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    colours = {shown: _COLOURS[i % len(_COLOURS)] for i, shown in enumerate(types)}
    text = Text(part.text)
    table = Table(*(rows[0] if rows else ()), box=None, header_style="dim")
    for row in rows:
        style = f"bold {colours.get(str(row['type']), 'white')}"
        if isinstance(row.get("start"), int):
            text.stylize(style, cast(int, row["start"]) - part.at, cast(int, row["end"]) - part.at)
        table.add_row(*(Text(str(value), style=style if name == "type" else "") for name, value in row.items()))
    console.print(text, soft_wrap=True)
    console.print(table if rows else f"nothing found of: {', '.join(types)}")
