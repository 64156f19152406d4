"""Damaged files of every format: what comes out is records, rejects or an error of ours, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import damaged
from taiyi.errors import FormatError, TaiyiError
from taiyi.formats import bioc, cblue, chip2020, cmeie, dialogue, hoc, labelled, litcovid, medqa, pubmedqa, pubtator, qa
from taiyi.schema import Record, Reject

RECORD: Any = msgspec.json.Decoder(Record)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Small valid files of a format, by name, and how they are read; `named` is the path that the reader is given."""

    read: Callable[..., Iterator[Record | Reject]]
    files: Mapping[str, str]
    named: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


def array(*items: Any) -> str:
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def rows(*items: Any) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def one(read: Callable[..., Iterator[Record | Reject]], text: str, name: str = "some", **options: Any) -> Sample:
    return Sample(read=read, files={name: text}, named=name, options=options)


def article(decision: str) -> dict[str, Any]:
    return {"QUESTION": "Is it?", "CONTEXTS": ["One.", "Two."], "final_decision": decision, "LONG_ANSWER": "So."}


TURNS = [{"role": "user", "text": "头痛怎么办？"}, {"role": "assistant", "text": "请多休息。"}]
MOSS = {"turn_1": {"Human": "<|Human|>: Why?<eoh>\n", "MOSS": "<|MOSS|>: So.<eom>\n"}}
MENTION = {"start_idx": 0, "end_idx": 3, "type": "dis", "entity": "肺部感染"}
EMPTY = {"text": "无", "entities": []}
TRIPLE = {
    "Combined": True,
    "predicate": "病因",
    "subject": "感冒",
    "subject_type": "疾病",
    "object": {"@value": "病毒"},
    "object_type": {"@value": "社会学"},
}
CHOICE = {"question": "哪个？", "options": {"A": "甲", "B": "乙"}, "answer": "乙", "answer_idx": "B"}
ASKED = {"id": "q1", "question": "Why?", "answer": ["So.", "Thus."], "context": "It is so. 😀"}
ORDER = {"instruction": "问", "output": "答"}
PUBTATOR = (
    "11|t|Aspirin and ulcer.\n11|a|We saw ulcers.\n11\t0\t7\tAspirin\tChemical\tD001241\n"
    "11\t12\t17\tulcer\tDisease\tD013276|D012883\n11\tCID\tD001241\tD013276\n\n12|t|Gout.\n12|a|\n"
    "12\t0\t4\tGout\tDisease\tMESH:D1\n12\tCause\tD1\tD1\tNovel\n"
)
BIOC = """<?xml version="1.0"?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>x</source>
<document><id>9</id>
<passage><infon key="type">title</infon><offset>0</offset><text>Liver ulcers</text>
<annotation id="0"><infon key="type">Disease</infon><infon key="MESH">D1|D2</infon>
<location offset="0" length="5"/><location offset="6" length="6"/><text>Liver ulcers</text></annotation></passage>
<passage><offset>13</offset><sentence><offset>13</offset><text>From gold.</text>
<annotation id="2"><infon key="type">Chemical</infon><infon key="identifier">D3</infon>
<location offset="18" length="4"/><text>gold</text></annotation></sentence></passage>
<relation id="R0"><infon key="relation">CID</infon><infon key="a">D3</infon><infon key="b">D1</infon></relation>
<relation id="R1"><infon key="type">of</infon><node refid="0" role="x"/><node refid="R0" role="y"/></relation>
</document>
<document><id>10</id><passage><offset>0</offset><text>Another.</text></passage></document>
</collection>
"""
HOC = {
    "text/7.txt": "One .\nTwo .\n",
    "labels/7.txt": "< <Resisting cell death--Apoptosis ANDInducing angiogenesis",
    "text/8.txt": "Three .\n",
    "labels/8.txt": "< NULL",
    **{f"lists/{split}.tsv": f"pmid\ttext\n{key}\tx\n" for split, key in (("train", 7), ("dev", 5), ("test", 6))},
}
QUESTIONS = {str(n): article(("yes", "no", "maybe", "yes", "yes")[n % 5]) for n in range(60)}
# Those that the authors' way of drawing takes of the questions.
TEST_IDS = (
    *(1, 4, 7, 8, 10, 15, 17, 19, 20, 21, 22, 25, 27, 28, 30),
    *(34, 36, 40, 41, 43, 44, 45, 49, 51, 52, 53, 54, 56, 57, 58),
)

SAMPLES = {
    "pubtator": one(pubtator.read, PUBTATOR, roles={"CID": ("Chemical", "Disease")}),
    "pubtator, CRLF": one(pubtator.read, PUBTATOR.replace("\n", "\r\n"), id_separators="|+"),
    "bioc": one(bioc.read, BIOC),
    "cmeee": one(cblue.read_mentions, array({"text": "肺部感染。", "entities": [MENTION]}, EMPTY)),
    "labels": one(labelled.read, array(*({"id": f"s{n}", "text": "怎么办", "label": "其他"} for n in range(3)))),
    "chip2020": one(chip2020.read, "肺部感染。|||0    1    bod|||0    3    dis|||\n头痛|||0    1    sym|||\n无|||\n"),
    "cmeie": one(cmeie.read, rows({"text": "感冒与病毒", "spo_list": [TRIPLE]}, {"text": "空", "spo_list": []})),
    "turns": one(dialogue.read, rows({"turns": TURNS}, {"id": 7, "messages": TURNS}), detect_lang=True),
    "moss": one(dialogue.read, json.dumps({"id": 1, "chat": MOSS}), "1.json", id_from_file=True, detect_lang=True),
    "hoc": Sample(read=hoc.read, files=HOC, named=".", options={"split_dir": "lists", "others": "train"}),
    "litcovid": one(litcovid.read, "pmid\ttext\tlabels\n5\tA text.\tTreatment;Mechanism\n6\tAnother.\tDiagnosis\n"),
    "one-hot": one(litcovid.read_one_hot, 'Text,Case Report,Diagnosis\n"a, ""b""\nc",0,1\nd,1,1\ne,0,1\nf,1,0\n'),
    "medqa": one(medqa.read, rows(CHOICE, CHOICE)),
    "pubmedqa": one(pubmedqa.read, json.dumps({"11": article("yes"), "12": article("no")}, indent=1)),
    "pubmedqa, official": Sample(
        read=pubmedqa.read,
        files={"some": json.dumps(QUESTIONS), "ids": json.dumps(dict.fromkeys(map(str, TEST_IDS), "yes"), indent=1)},
        named="some",
        options={"official_split": True, "test_ids": "ids"},
    ),
    "questions": one(qa.read, array(ASKED, ASKED | {"id": 2}), context_key="context"),
    "alpaca": one(qa.read, rows(ORDER | {"input": "材料"}, ORDER), **qa.ALPACA),
}  # fmt: skip


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def outcome(sample: Sample, folder: Path) -> list[Record | Reject]:
    return list(sample.read(folder / sample.named, corpus="c", split="train", lang="en", **sample.options))


def check(items: list[Record | Reject], files: Mapping[str, bytes]) -> None:
    """Records hold what their types say, rejects name their file, and both can be kept in a file."""
    names = {Path(name).name for name in files}
    for item in items:
        written = msgspec.json.encode(item)
        if isinstance(item, Reject):
            assert any(item.where.startswith(name) for name in names), item
            assert item.reason
        else:
            assert RECORD.decode(written) == item


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_whole(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    files = {name: text.encode() for name, text in sample.files.items()}
    put(tmp_path, files)
    items = outcome(sample, tmp_path)
    assert items
    assert not [item for item in items if isinstance(item, Reject)]
    check(items, files)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=settings.default.max_examples * 3 // 2)
@given(data=st.data())
def test_damage_gives_records_rejects_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    sample = SAMPLES[name]
    files = {name: text.encode() for name, text in sample.files.items()}
    for _ in range(data.draw(st.integers(1, 2))):
        victim = data.draw(st.sampled_from(sorted(files)))
        files[victim] = data.draw(damaged(files[victim]))
    folder = tmp_path_factory.mktemp("damage")
    try:
        put(folder, files)
        check(outcome(sample, folder), files)
    except TaiyiError as error:
        assert isinstance(error, FormatError), error
        assert error.where is not None
        assert error.where.startswith(str(folder)), error
    finally:
        shutil.rmtree(folder)


# --- Damage that was once told by a traceback -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "before", "after", "where", "reason"),
    [
        ("one-hot", "d,1,1\n", "\n", None, ""),
        ("one-hot", "d,1,1\n", f"{'x' * 1_100_000},1,1\n", "some:4", "malformed line"),
        ("one-hot", "d,1,1\n", '"d,1,1\n', "some:4", "malformed line"),
        ("cmeee", '"entity": "肺部感染"', '"entity": 7', "some[0]", "malformed mention"),
        ("labels", '"id": "s1"', '"id": null', "some[1]", "malformed line"),
        ("labels", '"怎么办"', '"\\ud83d"', "some[0]", "malformed line"),
        ("medqa", '"甲"', "null", "some:1", "malformed line"),
        ("cmeie", '{"text"', '"text"', "some:1", "malformed line"),
        ("cmeie", '"spo_list": []', f'"spo_list": {"[" * 5000}', "some:2", "malformed line"),
        ("cmeie", '"spo_list": []', f'"spo_list": {"9" * 5000}', "some:2", "malformed line"),
        ("chip2020", "无|||", "无", "some:3", "malformed line"),
        ("chip2020", "头痛|||0", f"头痛|||{'9' * 5000}", "some:2", "malformed mention"),
        ("pubtator", "\t0\t4", f"\t{'9' * 5000}\t4", "some:9", "malformed line"),
        ("bioc", "<offset>0</offset><text>A", f"<offset>{'9' * 12}</offset><text>A", "some:10", "invalid record"),
        ("pubmedqa", '"final_decision": "yes",', "", "some:11", "malformed line"),
        ("pubmedqa", '"One."', "null", "some:11", "invalid record"),
        ("pubmedqa", '"So."', "7", "some:11", "invalid record"),
    ],
)
def test_a_damaged_record_is_rejected_and_the_rest_is_read(
    tmp_path: Path, name: str, before: str, after: str, where: str | None, reason: str
) -> None:
    sample = SAMPLES[name]
    text = sample.files["some"]
    assert before in text
    put(tmp_path, {"some": text.replace(before, after, 1).encode()})
    items = outcome(sample, tmp_path)
    rejects = [(item.where, item.reason) for item in items if isinstance(item, Reject)]
    assert rejects[:1] == ([(where, reason)] if where else [])
    assert [item for item in items if not isinstance(item, Reject)] or after.startswith('"d')


def test_a_csv_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, {"some": SAMPLES["one-hot"].files["some"].encode() + "é,1,0\n".encode("latin-1")})
    with pytest.raises(FormatError, match=r"some:7: the file is not UTF-8; got byte 0xe9 at column 1"):
        outcome(SAMPLES["one-hot"], tmp_path)


def test_a_json_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, {"some": SAMPLES["labels"].files["some"].encode().replace("怎".encode(), b"\xd5", 1)})
    with pytest.raises(FormatError, match=r"some:4: the file is not UTF-8; got byte 0xd5"):
        outcome(SAMPLES["labels"], tmp_path)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ids": None}, "ids: the answers to the test questions are missing"),
        ({"ids": "[]"}, "ids: the file is not a JSON object"),
        ({"some": json.dumps(dict(list(QUESTIONS.items())[1:30]))}, "some: too few questions for the official split"),
        ({"some": json.dumps(QUESTIONS | {"9": {}})}, "some:9: a question without a decision"),
    ],
)
def test_an_official_split_that_cannot_be_drawn(tmp_path: Path, files: dict[str, str | None], said: str) -> None:
    sample = SAMPLES["pubmedqa, official"]
    put(tmp_path, {name: text.encode() for name, text in (sample.files | files).items() if text is not None})
    with pytest.raises(FormatError, match=said):
        outcome(sample, tmp_path)
