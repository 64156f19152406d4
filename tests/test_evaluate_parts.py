"""Records that are asked about in parts: one answer that cannot be parsed takes nothing from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction import document, documents, flat, relation, types_of
from taiyi import tasks
from taiyi.build.windows import windows
from taiyi.evaluate.run import score
from taiyi.schema import Document, Example, Prediction, Score, Triples
from taiyi.tasks import Task, facts
from taiyi.tasks.facts import Informed

WINDOWED = [name for name in tasks.names() if tasks.get(name).windowed]
Finish = Literal["stop", "length"]
UNREADABLE: tuple[tuple[str, Finish], ...] = (("", "stop"), ("", "length"))


def of_entities(document: Document) -> Document:
    """The document without relations of anything but entities."""
    kept = tuple(r for r in document.relations if all(a.kind == "entity" for a in r.arguments))
    return msgspec.structs.replace(document, relations=kept)


RECORDS = {"re": documents().map(flat), "rc": documents().map(of_entities)}


def asked(task: Task, record: Document, size: int) -> list[Example]:
    """The examples of the windows of a document, or of its pairs in them."""
    known = task.informed(facts.gather((record,))) if isinstance(task, Informed) else task
    types, template = types_of(task, record.lang), tasks.load_templates(task, record.lang)[0]
    form = "list" if "list" in task.forms else task.forms[0]
    made = [
        known.render(record, template, form=form, types=types, window=span, focus=focus)
        for span in windows(record.text, size, 0)
        for focus in known.focuses(record, types, span)
    ]
    return [one for one in made if isinstance(one, Example)]


def scored(examples: Sequence[Example], said: Sequence[tuple[str, Finish]]) -> Score:
    answers = zip(examples, said, strict=True)
    (found,) = score(examples, {e.id: Prediction(example=e.id, text=t, finish=f) for e, (t, f) in answers})
    return found


@pytest.mark.parametrize("name", WINDOWED)
def test_an_unreadable_part_adds_no_positive_and_removes_none(name: str) -> None:
    task = tasks.get(name)

    @given(RECORDS.get(name, documents()), st.integers(1, 60), st.data())
    def holds(record: Document, size: int, data: st.DataObject) -> None:
        examples = asked(task, record, size)
        if not examples:
            return
        # What the model says of a part is right there, or that of another part, or cannot be read.
        answers = st.sampled_from(sorted({e.answer for e in examples})) | st.none()
        drawn = data.draw(st.lists(answers, min_size=len(examples), max_size=len(examples)))
        bad = data.draw(st.sampled_from(UNREADABLE))
        said: list[tuple[str, Finish]] = [bad if answer is None else (answer, "stop") for answer in drawn]
        readable = [(e, task.parse(answer, e)) for e, answer in zip(examples, drawn, strict=True) if answer]
        found = scored(examples, said)
        gold = task.merge([(e, e.gold) for e in examples])
        # All counts are those of the readable answers against the gold of the whole record.
        assert found.counts == task.score(gold, task.merge(readable), record=found.record).counts
        assert (found.num_answers, sum(found.unparsable.values())) == (len(examples), len(examples) - len(readable))
        assert found.state == ("parsed" if readable else "unparsable")
        assert found.reason == ("" if readable else next(iter(found.unparsable)))

    holds()


def test_one_pair_of_a_hundred_does_not_empty_its_document() -> None:
    task = tasks.get("rc")
    names = [f"n{number}" for number in range(1, 16)]
    related = [*((one, one + 1) for one in range(1, 14)), (1, 15)]
    record = document(
        *(("Chemical", name) for name in names),
        relations=tuple(relation(f"R{n}", "CID", f"T{a}", f"T{b}") for n, (a, b) in enumerate(related)),
    )
    examples = asked(task, record, 10_000)
    assert len(examples) == 105
    perfect: list[tuple[str, Finish]] = [(e.answer, "stop") for e in examples]
    assert sum(c.tp for c in scored(examples, perfect).counts.values()) == 14
    lost = next(n for n, e in enumerate(examples) if cast(Triples, e.gold).items)
    one = scored(examples, [*perfect[:lost], ("", "stop"), *perfect[lost + 1 :]])
    (counts,) = one.counts.values()
    assert (counts.tp, counts.fp, counts.fn) == (13, 0, 1)
    assert one.unparsable == {"the answer is empty": 1}
