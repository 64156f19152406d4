"""Drug labels of TAC 2017: sections, discontinuous mentions, reactions, and faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiyi.errors import FormatError
from taiyi.formats import tac
from taiyi.schema import Concept, Document, Reject, Span

LABEL = """<?xml version="1.0" encoding="UTF-8"?>
<Label drug="X" track="TAC2017_ADR"><Text>
<Section name="adverse reactions" id="S1">
Loss of hair &amp;
taste.</Section>
<Section name="warnings" id="S2">No rash.</Section></Text>
<Mentions>
<Mention id="M1" section="S1" type="AdverseReaction" start="1" len="12" str="Loss of hair" />
<Mention id="M2" section="S1" type="AdverseReaction" start="1,16" len="7,5" str="Loss of taste" />
<Mention id="M3" section="S1" type="AdverseReaction" start="9" len="12" str="hair &amp; taste" />
<Mention id="M4" section="S2" type="Negation" start="0" len="2" str="No" />
<Mention id="M5" section="S2" type="AdverseReaction" start="3" len="4" str="rash" />
</Mentions>
<Relations><Relation id="RL1" type="Negated" arg1="M5" arg2="M4" /></Relations>
<Reactions><Reaction id="AR1" str="loss of hair"><Normalization id="AR1.N1" meddra_pt="Alopecia" meddra_pt_id="1"
 meddra_llt="Hair loss" meddra_llt_id="2" /></Reaction>
<Reaction id="AR2" str="loss of taste"><Normalization id="AR2.N1" flag="unmapped" /></Reaction></Reactions>
</Label>
"""


def read(tmp_path: Path, text: str) -> tuple[list[Document], list[Reject]]:
    path = tmp_path / "X.xml"
    path.write_text(text, encoding="utf-8")
    items = list(tac.read(path, corpus="c", split="train", lang="en"))
    return [i for i in items if isinstance(i, Document)], [i for i in items if isinstance(i, Reject)]


def test_a_label_is_read(tmp_path: Path) -> None:
    (document,), rejects = read(tmp_path, LABEL)
    assert rejects == []
    assert document.text == "\nLoss of hair &\ntaste.\nNo rash."
    assert [(p.type, p.span) for p in document.passages] == [
        ("adverse reactions", Span(0, 22)),
        ("warnings", Span(23, 31)),
    ]
    hair, taste, both, _, rash = document.entities
    assert hair.concepts == (Concept(db="MedDRA-PT", id="1"), Concept(db="MedDRA-LLT", id="2"))
    assert (taste.text, taste.spans) == ("Loss of taste", (Span(1, 8), Span(16, 21)))
    assert (taste.concepts, taste.attributes) == ((), {"normalization": "unmapped"})
    assert both.text == "hair &\ntaste"
    assert (rash.spans, rash.concepts) == ((Span(26, 30),), ())
    (relation,) = document.relations
    assert [(a.role, a.ref) for a in relation.arguments] == [("arg1", "M5"), ("arg2", "M4")]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('start="3" len="4"', 'start="3,9" len="4"', "malformed mention"),
        ('start="3" len="4"', 'start="30" len="4"', "malformed mention"),
        ('start="3" len="4"', f'start="{"9" * 5000}" len="4"', "malformed mention"),
        ('start="3" len="4" str="rash"', 'start="3" len="4" str="cough"', "malformed mention"),
        ('id="M5"', 'id="M4"', "repeated mention"),
        ('arg2="M4"', 'arg2="M9"', "malformed relation"),
        ('str="loss of taste"><', 'str="Cough"><', "reaction without a mention"),
        ('str="loss of taste"><', 'str="LOSS of hair"><', "repeated or empty reaction"),
    ],
)
def test_a_fault_is_rejected_and_the_rest_is_read(tmp_path: Path, before: str, after: str, reason: str) -> None:
    assert before in LABEL
    (document,), rejects = read(tmp_path, LABEL.replace(before, after))
    assert reason in {reject.reason for reject in rejects}
    assert document.entities[0].text == "Loss of hair"


@pytest.mark.parametrize("text", ["", "prose", "<Labels/>", LABEL[:300]])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError):
        read(tmp_path, text)
