"""Tables of results that pages show are those of the committed results."""

from __future__ import annotations

import re
from pathlib import Path

from taiyi.evaluate import paper, report
from taiyi.evaluate.tables import percent

DOCS = Path(__file__).parent.parent / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """Return the rows of all tables of a page, by their first cell."""
    found = re.findall(r"^\| (.*) \|$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {name: cells for name, *cells in (line.split(" | ") for line in found)}


def test_the_paper_s_experiment_is_shown_as_it_was_measured() -> None:
    table = (DOCS / "results" / "stages" / "table.md").read_text(encoding="utf-8").strip()
    assert table in (DOCS / "training.md").read_text(encoding="utf-8")


def test_the_comparison_of_two_models_has_their_scores() -> None:
    shown = rows("results/evaluation/README.md")
    for place, name in enumerate(("one-stage", "two-stage")):
        run = report.load(DOCS / "results" / "evaluation" / f"{name}-taiyi13" / "results.json")
        scored = {result.title: percent(result.value) for result in run.results if result.value is not None}
        there = {title.split(" (")[0].split(",")[0]: cells[place] for title, cells in shown.items()}
        assert {title: there.get(title) for title in scored} == scored, name


def test_the_baselines_stand_beside_the_paper_s_numbers() -> None:
    shown = rows("results/baselines.md")
    for title, name in (("BC5CDR chemical", "bc5cdr_chemical"), ("HoC", "hoc"), ("PubMedQA", "pubmed_qa")):
        published = paper.TABLE_2[name]
        assert shown[title][-2:] == [percent(published.taiyi), percent(published.sota)]
