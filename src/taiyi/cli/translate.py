"""`taiyi translate TEXT`: the text in the other language."""

from __future__ import annotations

from taiyi.cli.rewriting import command

translate = command(
    lambda taiyi, lang: taiyi.translating(lang=lang),
    help="""Translate a text from English into Chinese, or from Chinese into English.

    Example: taiyi translate "Aspirin can cause asthma." --model RUN
    """,
)
