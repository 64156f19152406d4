"""`taiyi medical-report TEXT`: the report of a consultation."""

from __future__ import annotations

from taiyi.cli.rewriting import command

medical_report = command(
    lambda taiyi, lang: taiyi.rewriting("report", lang=lang),
    help="""Write the medical report of a dialogue between a patient and a doctor, a turn a line.

    Example: taiyi medical-report --file dialogue.txt --model RUN
    """,
)
