"""docs/evaluation.md has today's protocols and suites. (Its commands and programs are run as those of every page.)

`python tests/test_evaluate_docs.py` writes the table of protocols into it.
"""

from __future__ import annotations

import re
from pathlib import Path

from taiyi.evaluate import suites
from taiyi.evaluate.protocol_tables import every_protocol

PAGE = Path(__file__).parent.parent / "docs" / "evaluation.md"
TEXT = PAGE.read_text(encoding="utf-8")
_TABLE = re.compile(r"(?<=<!-- protocols:begin -->\n).*?(?=<!-- protocols:end -->)", re.DOTALL)


def renewed(text: str) -> str:
    table = every_protocol()
    lines = [[column.name for column in table.columns], ["---"] * len(table.columns)]
    shown = "".join(f"| {' | '.join(cells)} |\n" for cells in (*lines, *(row.cells for row in table.rows)))
    return _TABLE.sub(lambda _: shown, text)


def test_the_table_of_protocols_is_todays() -> None:
    assert renewed(TEXT) == TEXT, "renew it with: python tests/test_evaluate_docs.py"


def test_every_suite_is_told() -> None:
    told = TEXT.partition("## Suites")[2].partition("##")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", told, re.MULTILINE) == list(suites.SUITES)
    assert f"{len(suites.get('all-tasks'))} sets" in told


if __name__ == "__main__":
    PAGE.write_text(renewed(TEXT), encoding="utf-8")
