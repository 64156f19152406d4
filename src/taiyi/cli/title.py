"""`taiyi title TEXT`: a title for an abstract."""

from __future__ import annotations

from taiyi.cli.rewriting import command

title = command(
    lambda taiyi, lang: taiyi.rewriting("title", lang=lang),
    help="""Write the title of an abstract.

    Example: taiyi title --file abstract.txt --model RUN
    """,
)
