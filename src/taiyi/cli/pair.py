"""`taiyi pair FIRST SECOND`: how two texts relate."""

from __future__ import annotations

from typing import Annotated

import typer

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, given_pairs, names
from taiyi.cli.over import TO, IdOption, JsonOption, OutOption, ToOption, column_option, over, show_said


def pair(
    ctx: typer.Context,
    first: Annotated[str | None, typer.Argument(help="A text; else --file.")] = None,
    second: Annotated[str | None, typer.Argument(help="Another text.")] = None,
    labels: Annotated[
        str, typer.Option(help="Labels in your own words, with commas between, or a corpus of pairs whose are meant.")
    ] = "",
    entailment: Annotated[
        bool, typer.Option("--entailment", help="Whether the second follows from the first, not how alike they are.")
    ] = False,
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    lang: LangOption = "auto",
    column: Annotated[str, column_option("first,second")] = "first,second",
    id_column: IdOption = "id",
    out: OutOption = None,
    to: ToOption = TO,
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Say how two texts relate: all labels, the most probable first.

    Example: taiyi pair "发烧怎么办" "发热如何处理" --labels kuake_qqr
    """
    many = given_pairs((first, second), file, names(column), id_column)
    from taiyi.use import asking
    from taiyi.use.taiyi import PAIRS, Pairs, Taiyi

    wanted = names(labels)
    what: Pairs = "entailment" if entailment else "similarity"
    asking.labels(wanted, "en", PAIRS[what])
    taiyi = Taiyi.load(model, device=device)
    ask = taiyi.pairing(wanted, what=what, lang=lang)
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
