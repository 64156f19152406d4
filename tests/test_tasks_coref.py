"""Chains of mentions that refer to the same thing."""

from __future__ import annotations

from extraction import document, made
from taiyi import tasks
from taiyi.schema import Chains, Coreference, Counts


def test_chains_are_in_the_order_of_the_text_and_scored_by_links() -> None:
    chains = (("T3", "T1"), ("T2", "T4"), ("T2",))
    record = document(
        ("G", "p53"), ("G", "it"), ("G", "p53"), ("G", "they; all"),
        coreferences=tuple(Coreference(id=f"C{n}", entities=c) for n, c in enumerate(chains)),
    )  # fmt: skip
    example = made("coref", record)
    assert example.answer == "p53; p53\nit; they\\; all"
    assert made("coref", record, form="json").answer == '[["p53", "p53"], ["it", "they; all"]]'
    task = tasks.get("coref")
    predicted = Chains(items=(("p53", "p53", "it"),))
    assert task.score(example.gold, predicted, record="r").counts == {"link": Counts(tp=1, fp=1, fn=1)}
    assert task.score(example.gold, Chains(items=(("a",) * 5000,)), record="r").counts["link"].fp == 1
