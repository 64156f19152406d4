"""`taiyi answer QUESTION`: an option, yes or no, a text, or what sources say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, SourcesOption, TermsOption, given
from taiyi.cli.over import TO, IdOption, JsonOption, OutOption, ToOption, column_option, over, show_said
from taiyi.errors import TaiyiError

if TYPE_CHECKING:
    from taiyi.cli.over import Answers
    from taiyi.use.backing import Backing
    from taiyi.use.reading import Given
    from taiyi.use.results import Said
    from taiyi.use.saying import Ask
    from taiyi.use.taiyi import Taiyi


def answer(
    ctx: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question; else --file, else standard input.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="What may be answered, once for each; two at least.")
    ] = None,
    context: Annotated[str, typer.Option(help="A text that the answer follows from.")] = "",
    yes_no: Annotated[bool, typer.Option("--yes-no", help="Answer with yes, no or maybe, from the context.")] = False,
    sources: SourcesOption = None,
    terms: TermsOption = None,
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    lang: LangOption = "auto",
    column: Annotated[str, column_option("question")] = "question",
    context_column: Annotated[
        str, typer.Option(metavar="COLUMN", help="Which column has a context of its own for each question.")
    ] = "",
    id_column: IdOption = "id",
    out: OutOption = None,
    to: ToOption = TO,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Answer a question: with one of some options, with yes, no or maybe from a context, or in words.

    With --sources each statement of the answer quotes a passage of an index that has the quoted words; where there is
    no support, that is said. A model that did not learn to write lets the sources speak: their sentences are quoted.

    Example: taiyi answer "Which drug lowers fever?" --option paracetamol --option insulin
    """
    if yes_no and not (context or context_column):
        raise TaiyiError("yes or no is answered from a context", mend="give --context")
    if (sources or terms) and (option or context or context_column):
        raise TaiyiError("sources and terms are for questions that are answered in words", mend="leave out the options")
    columns = [column, context_column] if context_column else [column]
    many = given(question, file, columns, id_column)
    from taiyi.use.backing import Backing
    from taiyi.use.taiyi import Taiyi

    backing = Backing.open(sources, terms, device=device) if sources or terms else None
    taiyi = Taiyi.load(model, device=device)
    if backing is not None:
        answers = _backed(taiyi, backing, lang)
    elif option:
        answers = _asked(taiyi, taiyi.choosing(option, lang=lang), context)
    else:
        answers = _asked(taiyi, taiyi.judging(lang=lang) if yes_no else taiyi.answering(lang=lang), context)
    over(many, answers, show_said, ctx, alone=file is None, out=out, to=to, as_json=as_json)


def _asked(taiyi: Taiyi, ask: Callable[[str, str], Ask], context: str) -> Answers:
    """Return what answers questions, from their own contexts or from one."""

    def answers(items: Iterable[Given]) -> Iterator[Said]:
        return taiyi.each(ask(item.texts[0], item.texts[1] if len(item.texts) > 1 else context) for item in items)

    return answers


def _backed(taiyi: Taiyi, backing: Backing, lang: LangOption) -> Answers:
    """Return what answers questions one by one, with what is known beside the model."""
    ask = taiyi.answering(lang=lang)

    def alone(question: str) -> Said:
        (said,) = taiyi.each([ask(question, "")])
        return said

    def answers(items: Iterable[Given]) -> Iterator[Said]:
        talker = taiyi.engine if taiyi.model.known.talks else None
        return (backing.answer(talker, item.texts[0], alone) for item in items)

    return answers
