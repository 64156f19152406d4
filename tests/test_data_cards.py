"""Data cards: whole for every corpus, and those in docs/corpora are today's."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.catalogue.card import FIGURE, OVERVIEW, TASKS, card, examples, overview
from taiyi.catalogue.figure import draw

FOLDER = Path(__file__).parents[1] / "docs" / "corpora"
CORPORA = [corpus for corpus in catalogue.all_corpora() if not corpus.bundled]
RENEW = "renew it with: taiyi corpora docs docs/corpora"


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_the_page_of_a_corpus_is_todays(corpus: Corpus) -> None:
    assert (FOLDER / f"{corpus.name}.md").read_text(encoding="utf-8") == f"{card(corpus).rstrip()}\n", RENEW


def test_the_overview_is_todays() -> None:
    assert (FOLDER / OVERVIEW).read_text(encoding="utf-8") == f"{overview(CORPORA).rstrip()}\n", RENEW
    assert {path.stem for path in FOLDER.glob("*.md")} - {Path(OVERVIEW).stem} == {corpus.name for corpus in CORPORA}


@pytest.mark.parametrize("corpus", catalogue.all_corpora(), ids=lambda corpus: corpus.name)
def test_a_card_says_what_a_user_needs(corpus: Corpus) -> None:
    page = card(corpus)
    assert corpus.title in page
    assert corpus.citation.replace("|", "\\|") in page
    assert corpus.licence.replace("|", "\\|") in page
    assert examples(corpus)
    for types in (corpus.entity_types, corpus.relation_types, corpus.event_types, corpus.labels):
        assert all(f"`{name}`".replace("|", "\\|") in page for name in types)


def test_every_task_has_a_title() -> None:
    assert set(TASKS) == set(catalogue.TASK_NAMES)


def test_the_figure_is_the_same_each_time_and_names_every_corpus(tmp_path: Path) -> None:
    some = [corpus for corpus in CORPORA if set(corpus.tasks) & {"mt", "report", "cre"}]
    for name in ("one.svg", "two.svg"):
        draw(some, list(TASKS), tmp_path / name)
    one = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert one == (tmp_path / "two.svg").read_text(encoding="utf-8")
    drawn = (FOLDER / FIGURE).read_text(encoding="utf-8")
    assert drawn.startswith("<?xml")
    # matplotlib says in a comment what it draws as outlines.
    assert all(f"<!-- {task} (" in drawn for task in {task for corpus in CORPORA for task in corpus.tasks})
