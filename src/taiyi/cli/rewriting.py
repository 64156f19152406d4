"""What commands share that make a text of a text: they differ in what they ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, TextArgument, given
from taiyi.cli.over import TO, IdOption, JsonOption, OutOption, ToOption, column_option, over, show_said

if TYPE_CHECKING:
    from taiyi.use.saying import Ask
    from taiyi.use.taiyi import Asks, Taiyi


def command(asking: Callable[[Taiyi, Asks], Callable[[str], Ask]], *, help: str) -> Callable[..., None]:
    """Return a command over texts.

    Args:
        asking: returns what asks about a text in a language.
        help: what the command does, with an example.
    """

    def run(
        ctx: typer.Context,
        text: TextArgument = None,
        file: FileOption = None,
        model: ModelOption = EMBEDDED,
        lang: LangOption = "auto",
        column: Annotated[str, column_option("text")] = "text",
        id_column: IdOption = "id",
        out: OutOption = None,
        to: ToOption = TO,
        as_json: JsonOption = False,
        device: DeviceOption = "auto",
    ) -> None:
        many = given(text, file, [column], id_column)
        from taiyi.use.taiyi import Taiyi

        taiyi = Taiyi.load(model, device=device)
        ask = asking(taiyi, lang)
        over(
            many,
            lambda items: taiyi.each(ask(*item.texts) for item in items),
            show_said,
            ctx,
            alone=file is None,
            out=out,
            to=to,
            as_json=as_json,
        )

    run.__doc__ = help
    return run
