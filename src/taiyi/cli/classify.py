"""`taiyi classify TEXT`: which labels of a set a text has."""

from __future__ import annotations

from typing import Annotated

import typer

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, TextArgument, given, names
from taiyi.cli.over import TO, IdOption, JsonOption, OutOption, ToOption, column_option, over, show_said


def classify(
    ctx: typer.Context,
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
    column: Annotated[str, column_option("text")] = "text",
    id_column: IdOption = "id",
    out: OutOption = None,
    to: ToOption = TO,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Give a text one label of a set, the one that the model holds most probable, or several of them.

    Example: taiyi classify "孩子发烧怎么办" --labels kuake_qic
    """
    many = given(text, file, [column], id_column)
    from taiyi.use import asking
    from taiyi.use.taiyi import Taiyi

    wanted = names(labels)
    # What is wrong with them is said before a model is loaded.
    asking.labels(wanted, "en")
    taiyi = Taiyi.load(model, device=device)
    ask = taiyi.classifying(wanted, several=several, lang=lang)
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
