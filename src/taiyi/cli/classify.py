"""`taiyi classify TEXT`: which labels of a set a text has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from taiyi import catalogue, tasks
from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import (
    DeviceOption,
    FileOption,
    LangOption,
    ModelOption,
    TextArgument,
    check_learned,
    guideline,
    language,
    names,
    read,
    wording,
)
from taiyi.errors import ModelError, RecipeError, TaiyiError, suggestion
from taiyi.schema import Example, Labelled, Labels, Lang, Reject, Shown

if TYPE_CHECKING:
    from taiyi.generate import LocalEngine

_TASK = "tc"


def classify(
    text: TextArgument = None,
    labels: Annotated[
        str, typer.Option(help="Labels in your own words, with commas between, or a corpus whose labels are meant.")
    ] = "",
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    several: Annotated[
        bool | None,
        typer.Option(
            "--several/--one",
            help="Whether the text may have several labels, or none; else as in the corpus, and one of your own.",
        ),
    ] = None,
    lang: LangOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a text: its labels.")] = False,
    device: DeviceOption = "auto",
) -> None:
    """Give a text one label of a set, the one that the model holds most probable, or several of them.

    Example: taiyi classify "孩子发烧怎么办" --labels kuake_qic
    """
    beginning, blocks = read(text, file)
    spoken = language(beginning, lang)
    shown, many = _labels(labels, spoken)
    from taiyi.generate import LocalEngine

    engine = LocalEngine.load(model, device=device, grammar=tasks.grammar)
    check_learned(engine, _TASK, spoken)
    record = Labelled(id="text", corpus="input", split="test", lang=spoken, text="".join(blocks), labels=())
    asked = tasks.get(_TASK)
    like = guideline(engine.checkpoint, _TASK, spoken, types=[t.shown for t in shown])
    example = asked.render(record, wording(asked, spoken, like), form=asked.forms[0], types=shown)
    if isinstance(example, Reject):
        raise TaiyiError(example.reason, where=example.where, got=example.detail)
    said = {t.name: t.shown for t in shown}
    found = [said[name] for name in _answer(engine, example, many if several is None else several)]
    if as_json:
        typer.echo(json.dumps({"labels": found}, ensure_ascii=False))
    else:
        typer.echo("\n".join(found) or f"none of: {', '.join(said.values())}")


def _labels(wanted: str, lang: Lang) -> tuple[list[Shown], bool]:
    """Return the labels that are meant, and whether a text may have several of them."""
    words = names(wanted)
    if len(words) > 1:
        return [Shown(name=word, shown=word) for word in words], False
    if not words:
        raise RecipeError("it is not said which labels there are", mend="name them, or a corpus, with --labels")
    known = [corpus for corpus in catalogue.all_corpora() if corpus.labels]
    corpus = next((corpus for corpus in known if corpus.name == words[0]), None)
    if corpus is None:
        raise RecipeError(
            "no corpus with labels has this name",
            where="--labels",
            got=words[0],
            expected="such a corpus, or two labels at least, with commas between",
            mend=suggestion(words[0], [corpus.name for corpus in known]),
        )
    return [Shown(name=name, shown=t.shown(lang)) for name, t in corpus.labels.items()], corpus.multi_label


def _answer(engine: LocalEngine, example: Example, several: bool) -> tuple[str, ...]:
    from taiyi.generate import Asked

    task = tasks.get(example.task)
    if several:
        [prediction] = engine.generate([example], max_new_tokens=256, batch_tokens=16384)
    else:
        assert isinstance(task, tasks.Writing)
        candidates = [task.write(Labels(items=(label.name,)), example) for label in example.types]
        [prediction] = engine.choose([Asked(example, candidates)], per_byte=False, batch_tokens=16384)
    if prediction.finish == "refused":
        raise ModelError(
            "the text is longer than the model's context", expected=f"at most {engine.context} tokens, labels included"
        )
    answer = task.parse(prediction.text, example)
    assert isinstance(answer, Labels)
    return answer.items
