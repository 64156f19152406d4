"""`taiyi summarize TEXT`: a text in short."""

from __future__ import annotations

from taiyi.cli.rewriting import command

summarize = command(
    lambda taiyi, lang: taiyi.rewriting("summary", lang=lang),
    help="""Say what a text says, in short; of a question, what is asked.

    Example: taiyi summarize --file notes.txt --model RUN
    """,
)
