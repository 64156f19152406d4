"""The JSON formats: array or lines told by content, CBLUE, CMeIE, PubMedQA, MedQA, questions and dialogues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import cblue, cmeie, dialogue, json_lines, labelled, medqa, pubmedqa, qa
from taiyi.schema import Argument, Dialogue, Document, Entity, Labelled, Question, Reject, Relation, Span, Turn

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}


def put(tmp_path: Path, value: Any, name: str = "some.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


# --- Array or lines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ['[{"a": 1}, {"a": 2}]', '[\n{"a": 1},\n{"a": 2}\n]\n', '{"a": 1}\n{"a": 2}\n', '\ufeff{"a": 1}\r\n\r\n{"a": 2}'],
)
def test_layout_is_told_by_content(tmp_path: Path, text: str) -> None:
    assert [item for _, item in json_lines.items(put(tmp_path, text, "misleading.jsonl"))] == [{"a": 1}, {"a": 2}]


def test_one_object_over_several_lines_is_one_item(tmp_path: Path) -> None:
    assert [item for _, item in json_lines.items(put(tmp_path, '{\n"a": 1\n}'))] == [{"a": 1}]


def test_a_broken_line_is_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    first, broken, number, last = json_lines.items(put(tmp_path, '{"a": 1}\n{"a": \n7\n{"a": 2}\n'))
    assert (first[1], last[1]) == ({"a": 1}, {"a": 2})
    assert isinstance(broken[1], Reject)
    assert broken[1].where == "some.json:2"
    assert isinstance(number[1], Reject)


@pytest.mark.parametrize("text", ["", "\n\n", "text", '[{"a": 1}, {"a"', '[{"a": 1},\n{"a": 2', '{\n"a": 1'])
def test_truncated_or_other_files_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=r"some\.json"):
        list(json_lines.items(put(tmp_path, text)))


# --- CBLUE ------------------------------------------------------------------------------------------------------------


def test_cmeee_is_nested_and_its_ends_are_inclusive(tmp_path: Path) -> None:
    entities = [
        {"start_idx": 0, "end_idx": 1, "type": "bod", "entity": "肺部"},
        {"start_idx": 0, "end_idx": 3, "type": "dis", "entity": "肺部感染"},
        {"start_idx": 0, "end_idx": 1, "type": "dis", "entity": "肺炎"},
        {"start_idx": 0, "type": "dis"},
    ]
    mismatch, malformed, document = cblue.read_mentions(
        put(tmp_path, [{"text": "肺部感染。", "entities": entities}]), **HERE
    )
    assert isinstance(document, Document)
    assert [(e.text, e.spans[0]) for e in document.entities] == [("肺部", (0, 2)), ("肺部感染", (0, 4))]
    assert isinstance(mismatch, Reject)
    assert mismatch.reason == "mention does not match the text"
    assert isinstance(malformed, Reject)


def test_unlabelled_items_are_rejected(tmp_path: Path) -> None:
    (reject,) = cblue.read_mentions(put(tmp_path, [{"text": "肺部感染。"}]), **HERE)
    assert isinstance(reject, Reject)
    (reject,) = labelled.read(put(tmp_path, [{"id": "s1", "text": ["怎么办"], "label": "x"}]), **HERE)
    assert isinstance(reject, Reject)


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=20)


@st.composite
def nested(draw: st.DrawFn) -> Document:
    text = draw(TEXT)
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=4))
    entities: list[Entity] = []
    for number, start in enumerate(starts):
        end = draw(st.integers(start + 1, len(text)))
        entities.append(Entity(id=f"T{number + 1}", type="dis", text=text[start:end], spans=(Span(start, end),)))
    return Document(id="0", text=text, entities=tuple(entities), **HERE)


@given(nested(), st.sampled_from(["array", "lines"]))
def test_cmeee_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, document: Document, layout: json_lines.Layout
) -> None:
    path = tmp_path_factory.mktemp("cblue") / "some.json"
    cblue.write_mentions([document], path, layout=layout)
    assert list(cblue.read_mentions(path, **HERE)) == [document]


def test_labels_are_read_back(tmp_path: Path) -> None:
    records = [Labelled(id=f"s{n}", text=f"问题{n}", labels=("其他",), **HERE) for n in range(3)]
    labelled.write(records, tmp_path / "some.json")
    assert list(labelled.read(tmp_path / "some.json", **HERE)) == records


# --- CMeIE ------------------------------------------------------------------------------------------------------------


def test_cmeie_keeps_empty_rows_and_rejects_malformed_triples(tmp_path: Path) -> None:
    good = {
        "Combined": True,
        "predicate": "病因",
        "subject": "感冒",
        "subject_type": "疾病",
        "object": {"@value": "病毒"},
        "object_type": {"@value": "社会学"},
    }
    rows = [{"text": "空", "spo_list": []}, {"text": "感冒与病毒", "spo_list": [good, {"predicate": "病因"}]}]
    empty, malformed, document = cmeie.read(put(tmp_path, "\n".join(json.dumps(r) for r in rows)), **HERE)
    assert isinstance(empty, Document)
    assert empty.relations == ()
    assert isinstance(malformed, Reject)
    assert isinstance(document, Document)
    assert document.relations[0].attributes == {"combined": "true"}
    assert document.relations[0].arguments[1] == Argument(role="object", kind="text", ref="病毒", type="社会学")


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.booleans()), max_size=4))
def test_cmeie_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, triples: list[tuple[str, str, str, bool]]
) -> None:
    relations = tuple(
        Relation(
            id=f"R{n + 1}",
            type=predicate,
            arguments=(
                Argument(role="subject", kind="text", ref=head, type="疾病"),
                Argument(role="object", kind="text", ref=tail, type="症状"),
            ),
            attributes={"combined": "true"} if combined else {},
        )
        for n, (head, predicate, tail, combined) in enumerate(triples)
    )
    document = Document(id="0", text="正文", relations=relations, **HERE)
    path = tmp_path_factory.mktemp("cmeie") / "some.jsonl"
    cmeie.write([document], path)
    assert list(cmeie.read(path, **HERE)) == [document]


# --- Questions --------------------------------------------------------------------------------------------------------


def article(decision: str) -> dict[str, Any]:
    return {"QUESTION": "Is it?", "CONTEXTS": ["One.", "Two."], "final_decision": decision, "LONG_ANSWER": "So."}


def test_pubmedqa_by_pmid(tmp_path: Path) -> None:
    path = put(tmp_path, {"11": article("yes"), "12": article("perhaps"), "13": {"QUESTION": "Is it?"}})
    question, unknown, malformed = pubmedqa.read(path, **HERE)
    assert isinstance(question, Question)
    assert (question.id, question.document_ids, question.answers) == ("11", ("pmid:11",), ("yes",))
    assert question.contexts == ("One.", "Two.")
    assert question.long_answer == "So."
    assert isinstance(unknown, Reject)
    assert isinstance(malformed, Reject)


def test_pubmedqa_split_is_stratified_complete_and_the_same_every_time(tmp_path: Path) -> None:
    data = {str(n): article(d) for n, d in enumerate(["yes"] * 552 + ["no"] * 338 + ["maybe"] * 110)}
    path = put(tmp_path, data)

    def ids(split: str) -> list[str]:
        return [r.id for r in pubmedqa.read(path, corpus="c", split=split, lang="en", official_split=True)]  # type: ignore[arg-type, union-attr]

    train, dev, test = ids("train"), ids("dev"), ids("test")
    assert sorted(train + dev + test, key=int) == list(data)
    assert (len(train), len(dev), len(test)) == (450, 50, 500)
    assert [data[i]["final_decision"] for i in test].count("yes") == 276
    assert ids("dev") == dev
    ground_truth = put(tmp_path, dict.fromkeys(train, "yes"), "truth.json")
    with pytest.raises(FormatError, match="not those of the official split"):
        list(pubmedqa.read(path, official_split=True, test_ids=ground_truth.name, **HERE))


def test_medqa_answers_must_be_their_options(tmp_path: Path) -> None:
    row = {"question": "哪个？", "options": {"A": "甲", "B": "乙"}, "answer": "乙", "answer_idx": "B"}
    rows = [row, row | {"answer": "丙"}, row | {"answer": "", "answer_idx": "C"}, {"question": "哪个？"}]
    items = list(medqa.read(put(tmp_path, "\n".join(json.dumps(r) for r in rows)), **HERE))
    assert isinstance(items[0], Question)
    assert items[0].answers == ("B",)
    assert [type(item) for item in items[1:]] == [Reject] * 3


def test_alpaca_joins_instruction_and_input(tmp_path: Path) -> None:
    rows = [
        {"instruction": "问", "input": "", "output": "答"},
        {"instruction": "问", "input": "材料", "output": "答"},
        {"instruction": "问", "input": "", "output": ""},
        {"input": "问"},
    ]
    first, second, empty, malformed = qa.read(put(tmp_path, rows), **HERE, **qa.ALPACA)
    assert isinstance(first, Question)
    assert isinstance(second, Question)
    assert (first.question, second.question) == ("问", "问\n材料")
    assert isinstance(empty, Reject)
    assert isinstance(malformed, Reject)


def test_questions_are_read_back(tmp_path: Path) -> None:
    simple = Question(id="a", kind="simple", question="Q?", answers=("x", "y"), **HERE)
    context = Question(id="b", kind="context", question="Q?", answers=("x",), contexts=("C",), **HERE)
    qa.write([simple], tmp_path / "simple.jsonl")
    qa.write([context], tmp_path / "context.json", layout="array")
    assert list(qa.read(tmp_path / "simple.jsonl", **HERE)) == [simple]
    assert list(qa.read(tmp_path / "context.json", context_key="context", **HERE)) == [context]


# --- Dialogues --------------------------------------------------------------------------------------------------------


def test_moss_marks_are_stripped_and_the_language_is_told(tmp_path: Path) -> None:
    chat = {
        "turn_1": {
            "Human": "<|Human|>: 什么是 DNA？<eoh>\n",
            "Inner Thoughts": "<|Inner Thoughts|>: secret<eot>\n",
            "MOSS": "<|MOSS|>: A <b>long</b> answer<sup><|1|>,<|2|></sup>, H<sup>2</sup>O.<eom>\n",
        }
    }
    path = put(tmp_path, json.dumps({"conversation_id": 1, "chat": chat}, indent=1), "talk_1.json")
    (record,) = dialogue.read(path, corpus="c", split="train", lang="en", detect_lang=True, id_from_file=True)
    assert record == Dialogue(
        id="talk_1",
        turns=(
            Turn(role="user", text="什么是 DNA？"),
            Turn(role="assistant", text="A <b>long</b> answer, H<sup>2</sup>O."),
        ),
        **HERE,
    )


@pytest.mark.parametrize(
    "item",
    [
        {"turns": [{"role": "user", "text": "a"}, {"role": "assistant", "text": "b"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    ],
)
def test_usual_layouts_of_turns(tmp_path: Path, item: dict[str, Any]) -> None:
    (record,) = dialogue.read(put(tmp_path, [item]), **HERE)
    assert isinstance(record, Dialogue)
    assert [(t.role, t.text) for t in record.turns] == [("user", "a"), ("assistant", "b")]


@pytest.mark.parametrize(
    "item",
    [{}, {"turns": [{"role": "user", "text": "a"}]}, {"turns": [{"role": "cat", "text": "a"}]}, {"chat": {"1": 2}}],
)
def test_other_turns_are_rejected(tmp_path: Path, item: dict[str, Any]) -> None:
    (reject,) = dialogue.read(put(tmp_path, [item]), **HERE)
    assert isinstance(reject, Reject)


def test_dialogues_are_read_back(tmp_path: Path) -> None:
    record = Dialogue(id="d", turns=(Turn(role="user", text="a"), Turn(role="assistant", text="b")), **HERE)
    dialogue.write([record], tmp_path / "some.jsonl")
    assert list(dialogue.read(tmp_path / "some.jsonl", **HERE)) == [record]
