"""`taiyi extract MODEL`: entities or relations of a text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import regex
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taiyi import catalogue, tagged, tasks
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus, TypeName
from taiyi.errors import ModelError, RecipeError, TaiyiError, suggestion
from taiyi.schema import Answer, Document, Example, Lang, Mentions, Reject, Shown, Span, Triples
from taiyi.tasks import Task
from taiyi.tasks.marked import TAGS as MARKS

if TYPE_CHECKING:
    from taiyi.cascade import Cascade
    from taiyi.generate import Engine, LocalEngine

_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"\p{L}")
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red", "bright_cyan", "bright_magenta", "bright_green")
WINDOW_CHARS = 300
"""How many characters are read together by a model that learned whole documents: longer ones may be too long for it."""

LangChoice = Literal["auto", "en", "zh"]


def extract(
    model: Annotated[
        str, typer.Argument(help="A run, a folder with a model, or the id of one on the Hugging Face hub.")
    ],
    text: Annotated[str | None, typer.Argument(help="The text; else --file, else standard input.")] = None,
    file: Annotated[Path | None, typer.Option(help="A text file in UTF-8.", exists=True, dir_okay=False)] = None,
    task: Annotated[str, typer.Option(help="ner for entities, re for relations.")] = "ner",
    types: Annotated[
        str, typer.Option(help="What to find, with commas between; else what the model was trained on.")
    ] = "",
    lang: Annotated[LangChoice, typer.Option(help="The language of the text.")] = "auto",
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
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
) -> None:
    """Find entities in a text, with character offsets (half-open, from 0), or relations between them.

    Example: taiyi extract runs/demo "Aspirin can cause asthma." --types Chemical,Disease
    """
    asked = tasks.get(task)
    if asked.kind not in ("entities", "relations"):
        raise RecipeError("not a task of extraction", got=task, expected="ner or re")
    source = _given(text, file)
    language = _language(source) if lang == "auto" else lang
    from taiyi.generate import LocalEngine

    engine = LocalEngine.load(model, device=device, grammar=tasks.grammar)
    size = window or engine.checkpoint.window_chars or WINDOW_CHARS
    cascade = _cascade(engine, asked, size)
    own = [] if types or cascade is None else cascade.types(language)
    shown = own or _types(asked, language, types, _tags(engine))
    if not types:
        typer.echo(f"types: {', '.join(t.shown for t in shown)} (choose with --types)", err=True)
    record = Document(id="text", corpus="input", split="test", lang=language, text=source)
    spans = windows(source, size) if asked.kind == "entities" else [None]
    form = engine.checkpoint.form if engine.checkpoint.form in asked.forms else asked.forms[0]
    examples = [_example(asked, record, shown, span, form) for span in spans]
    answer = _answer(engine, cascade or engine, asked, examples)
    rows = list(_rows(answer, {t.name: t.shown for t in shown}))
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        _show(source, rows, [t.shown for t in shown])


def _given(text: str | None, file: Path | None) -> str:
    if text is not None and file is not None:
        raise TaiyiError("a text or a file, not both")
    if file is not None:
        try:
            # Line ends are kept as they are, so that offsets are those of the file.
            source = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise TaiyiError(
                "not UTF-8 text", where=file, got=f"byte {error.start}", mend="convert it first"
            ) from error
    elif text is not None:
        source = text
    elif sys.stdin.isatty():
        raise TaiyiError("no text is given", expected="a text, --file, or standard input")
    else:
        source = sys.stdin.read()
    if not source.strip():
        raise TaiyiError("the text is empty", where=file)
    return source


def _language(text: str) -> Lang:
    """Chinese where a fifth of the letters are Han characters."""
    return "zh" if len(_HAN.findall(text)) * 5 > len(_LETTER.findall(text)) else "en"


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


def _types(task: Task, lang: Lang, wanted: str, tags: frozenset[str]) -> list[Shown]:
    """Resolve type names, as the catalogue or the prompts have them; by default the widest set of a known corpus."""
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
    names = {
        text.casefold(): (name, t) for c in known for name, t in _names(c, task).items() for text in (name, t.en, t.zh)
    }
    found: list[Shown] = []
    for word in regex.split(r"\s*[,，、]\s*", wanted.strip(" ,，、")):
        if match := names.get(word.casefold()):
            found.append(Shown(name=match[0], shown=match[1].shown(lang)))
        elif word in tags or not tags:
            found.append(Shown(name=word, shown=word))
        else:
            shown = {t.shown(lang) for c in known for t in _names(c, task).values()} | tags
            raise RecipeError("unknown type", got=word, mend=suggestion(word, shown))
    return list(dict.fromkeys(found))


def _names(corpus: Corpus, task: Task) -> Mapping[str, TypeName]:
    return corpus.entity_types if task.kind == "entities" else corpus.relation_types


def _example(task: Task, record: Document, types: Sequence[Shown], window: Span | None, form: str) -> Example:
    template = tasks.load_templates(task, record.lang)[0]
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


def _rows(answer: Answer, shown: Mapping[str, str]) -> Iterator[dict[str, object]]:
    if isinstance(answer, Mentions):
        for m in answer.items:
            start, end = m.span or (None, None)
            yield {"start": start, "end": end, "text": m.text, "type": shown.get(m.type, m.type)}
    elif isinstance(answer, Triples):
        for t in answer.items:
            yield {"head": t.head, "tail": t.tail, "type": shown.get(t.type, t.type)}


def _show(source: str, rows: Sequence[Mapping[str, object]], types: Sequence[str]) -> None:
    console = Console()
    colours = {shown: _COLOURS[i % len(_COLOURS)] for i, shown in enumerate(types)}
    text = Text(source)
    table = Table(*(rows[0] if rows else ()), box=None, header_style="dim")
    for row in rows:
        style = f"bold {colours.get(str(row['type']), 'white')}"
        if isinstance(row.get("start"), int):
            text.stylize(style, cast(int, row["start"]), cast(int, row["end"]))
        table.add_row(*(Text(str(value), style=style if name == "type" else "") for name, value in row.items()))
    console.print(text, soft_wrap=True)
    console.print(table if rows else f"nothing found of: {', '.join(types)}")
