"""`taiyi classify TEXT`: which labels of a set a text has."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, TextArgument, names, read


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
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a text: its labels, and how probable each is.")
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Give a text one label of a set, the one that the model holds most probable, or several of them.

    Example: taiyi classify "孩子发烧怎么办" --labels kuake_qic
    """
    beginning, blocks = read(text, file)
    from taiyi.use import asking
    from taiyi.use.taiyi import Taiyi
    from taiyi.use.texts import language

    wanted = names(labels)
    # What is wrong with them is said before a model is loaded.
    shown, _ = asking.labels(wanted, language(beginning, lang))
    found = Taiyi.load(model, device=device).classify("".join(blocks), wanted, several=several, lang=lang)
    if as_json:
        sure = {label.name: round(label.confidence, 3) for label in found if label.confidence is not None}
        typer.echo(json.dumps({"labels": [label.name for label in found], "confidence": sure}, ensure_ascii=False))
    else:
        typer.echo("\n".join(label.name for label in found) or f"none of: {', '.join(t.shown for t in shown)}")
