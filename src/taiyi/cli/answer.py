"""`taiyi answer QUESTION`: an option, yes or no, or a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, given
from taiyi.cli.over import IdOption, JsonOption, OutOption, ToOption, column_option, over, show_said
from taiyi.errors import TaiyiError

if TYPE_CHECKING:
    from taiyi.use.reading import Given
    from taiyi.use.results import Said
    from taiyi.use.taiyi import Taiyi


def answer(
    question: Annotated[str | None, typer.Argument(help="The question; else --file, else standard input.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="What may be answered, once for each; two at least.")
    ] = None,
    context: Annotated[str, typer.Option(help="A text that the answer follows from.")] = "",
    yes_no: Annotated[bool, typer.Option("--yes-no", help="Answer with yes, no or maybe, from the context.")] = False,
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    lang: LangOption = "auto",
    column: Annotated[str, column_option("question")] = "question",
    context_column: Annotated[
        str, typer.Option(metavar="COLUMN", help="Which column has a context of its own for each question.")
    ] = "",
    id_column: IdOption = "id",
    out: OutOption = None,
    to: ToOption = "jsonl",
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Answer a question: with one of some options, with yes, no or maybe from a context, or in words.

    Example: taiyi answer "Which drug lowers fever?" --option paracetamol --option insulin
    """
    if yes_no and not (context or context_column):
        raise TaiyiError("yes or no is answered from a context", mend="give --context")
    columns = [column, context_column] if context_column else [column]
    many = given(question, file, columns, id_column)
    from taiyi.use.taiyi import Taiyi

    taiyi = Taiyi.load(model, device=device)
    ask = _asking(taiyi, option or [], context, lang, yes_no=yes_no)
    over(many, ask, show_said, alone=file is None, out=out, to=to, as_json=as_json)


def _asking(
    taiyi: Taiyi, options: list[str], context: str, lang: LangOption, *, yes_no: bool
) -> Callable[[Iterable[Given]], Iterator[Said]]:
    def ask(items: Iterable[Given]) -> Iterator[Said]:
        if options:
            make = taiyi.choosing(options, lang=lang)
        else:
            make = taiyi.judging(lang=lang) if yes_no else taiyi.answering(lang=lang)
        return taiyi.each(make(item.texts[0], item.texts[1] if len(item.texts) > 1 else context) for item in items)

    return ask
