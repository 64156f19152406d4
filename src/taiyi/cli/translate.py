"""`taiyi translate TEXT`: the text in the other language."""

from __future__ import annotations

from typing import Annotated

from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import DeviceOption, FileOption, LangOption, ModelOption, TextArgument, given
from taiyi.cli.over import IdOption, JsonOption, OutOption, ToOption, column_option, over, show_said


def translate(
    text: TextArgument = None,
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    lang: LangOption = "auto",
    column: Annotated[str, column_option("text")] = "text",
    id_column: IdOption = "id",
    out: OutOption = None,
    to: ToOption = "jsonl",
    as_json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Translate a text from English into Chinese, or from Chinese into English.

    Example: taiyi translate "Aspirin can cause asthma." --model RUN
    """
    many = given(text, file, [column], id_column)
    from taiyi.use.taiyi import Taiyi

    taiyi = Taiyi.load(model, device=device)
    ask = taiyi.translating(lang=lang)
    over(
        many,
        lambda items: taiyi.each(ask(item.texts[0]) for item in items),
        show_said,
        alone=file is None,
        out=out,
        to=to,
        as_json=as_json,
    )
