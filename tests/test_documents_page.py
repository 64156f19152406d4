"""The page of documents: what is embedded in it is what was given, and it is safe and whole."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.evaluate import documents
from taiyi.evaluate.documents import Shown, pack, unpack, write
from taiyi.evaluate.run import answered
from taiyi.schema import (
    Answer,
    Choice,
    Example,
    FreeText,
    Labels,
    Lang,
    Mention,
    Mentions,
    Message,
    Prediction,
    Span,
    Tagging,
    Triple,
    Triples,
)
from taiyi.schema import Shown as Type

NASTY = "</script><!-- <script>alert(1)</script> 'a' \"b\" & 𝒜\u2028 病"
VOID = {"meta", "br", "link", "input"}


def tagged(source: str, *gold: tuple[str, int, int], record: str = "1", offset: int = 0, lang: Lang = "en") -> Example:
    """An example whose answer is the source with tags in place."""
    prompt = f"Tag. {source}"
    mentions = [Mention(type=type, text=source[start:end], span=Span(start, end)) for type, start, end in gold]
    return Example(
        id=f"c/test/{record}#ner.{lang}.01.tagged@{offset}",
        corpus="c",
        task="ner",
        lang=lang,
        split="test",
        template=f"ner.{lang}.01",
        form="tagged",
        record=record,
        messages=(Message(role="user", content=prompt),),
        answer=source,
        gold=Mentions(items=tuple(mentions)),
        types=(Type(name="Drug", shown="drug"), Type(name="Sign", shown="sign")),
        source=Span(5, len(prompt)),
        tagging=Tagging(source=source, tags=("drug", "sign"), at=5),
        offset=offset,
    )


def asked(task: str, form: str, gold: Answer, prompt: str, *, types: Sequence[Type] = (), record: str = "1") -> Example:
    return Example(
        id=f"c/test/{record}#{task}.en.01.{form}",
        corpus="c",
        task=task,
        lang="en",
        split="test",
        template=f"{task}.en.01",
        form=form,
        record=record,
        messages=(Message(role="user", content=prompt),),
        answer="x",
        gold=gold,
        types=tuple(types),
    )


def shown(*pairs: tuple[Example, str], name: str = "set") -> Shown:
    given = {e.id: Prediction(example=e.id, text=text, finish="stop") for e, text in pairs}
    records = answered([e for e, _ in pairs], given)
    return Shown(name, f"The {name}", [(record, record.score()) for record in records])


def records_of(*sets: Shown) -> list[list[Any]]:
    _, chunks = pack(sets)
    return [record for chunk in chunks for record in unpack(chunk)]


def utf_16(text: str, place: Sequence[int]) -> str:
    """What JavaScript's `slice` gives."""
    return text.encode("utf-16-le")[2 * place[0] : 2 * place[1]].decode("utf-16-le")


ID, LANG, TEXT, PROMPTS, VERDICT, ITEMS, GOLD, ANSWER, UNPARSABLE, WRITTEN = range(10)


# --- what is embedded ------------------------------------------------------------------------------------------------


def test_mentions_are_embedded_with_their_kinds_and_places() -> None:
    example = tagged("aspirin for fever and pain", ("Drug", 0, 7), ("Sign", 12, 17), ("Sign", 22, 26))
    page = shown((example, "<drug>aspirin</drug> for<drug> fever</drug> and pain"))
    index = unpack(pack([page])[0])
    [record] = records_of(page)
    assert record[:5] == ["c/test/1", "en", "aspirin for fever and pain", 0, "partly right: 1 of 3 found, 1 too many"]
    kinds = [index["kinds"][row[0]] for row in record[ITEMS]]
    assert kinds == ["right", "wrong type", "missed"]
    types = [[index["types"][t] if t >= 0 else None for t in row[1:3]] for row in record[ITEMS]]
    assert types == [["Drug", "Drug"], ["Sign", "Drug"], ["Sign", None]]
    # Places in place of texts, and none of them searched.
    assert [row[3:] for row in record[ITEMS]] == [
        ["", "", [[0, 7]], [[0, 7]], 0],
        ["", "", [[12, 17]], [[12, 17]], 0],
        ["", "", [[22, 26]], [], 0],
    ]
    assert index["errors"] == [2]
    named = {(index["types"][code >> 4], index["kinds"][code & 15]) for code in index["codes"][0]}
    assert named == {("Drug", "right"), ("Sign", "wrong type"), ("Drug", "wrong type"), ("Sign", "missed")}


@given(st.text(alphabet="ab 病😀𝒜e\u0301\u200d👩", min_size=1, max_size=30), st.data())
def test_offsets_are_those_of_javascript(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if not text[start:end].strip():
        return
    example = tagged(text, ("Sign", start, end))
    [record] = records_of(shown((example, text)))
    assert record[TEXT] == text
    [[[place]]] = [[row[5] for row in record[ITEMS]]]
    assert utf_16(record[TEXT], place) == text[start:end]


def test_windows_are_put_together_in_the_offsets_of_the_record() -> None:
    first, second = "病人发热。", "服用阿司匹林。"
    whole = [
        (tagged(first, ("Sign", 2, 4), offset=3), "病人<sign>发热</sign>。"),
        (tagged(second, ("Drug", 2, 6), offset=3 + len(first) + 1), second),
    ]
    [record] = records_of(shown(*whole))
    assert record[TEXT] == f"{first} {second}"
    assert [utf_16(record[TEXT], row[5][0]) for row in record[ITEMS]] == ["发热", "阿司匹林"]
    # They stand at their own places, and were not searched.
    assert [row[7] for row in record[ITEMS]] == [0, 0]


def test_a_list_is_located_by_search_and_says_so() -> None:
    gold = Mentions(items=(Mention(type="Sign", text="fever"), Mention(type="Sign", text="gone")))
    types = [Type(name="Sign", shown="sign")]
    example = asked("ner", "list", gold, "Signs? Fever, fever, feverish", types=types)
    [record] = records_of(shown((example, "sign: fever; invented")))
    by_text = {row[3] or row[4]: row for row in record[ITEMS]}
    assert record[PROMPTS] == 1
    assert [utf_16(record[TEXT], place) for place in by_text["fever"][5]] == ["fever"]
    assert by_text["fever"][7] == 1
    # What the text does not have has no place, and is written out.
    assert by_text["invented"][4:8] == ["invented", [], [], 2]


def test_relations_and_labels_are_listed_and_not_marked() -> None:
    gold = Triples(items=(Triple(head="aspirin", tail="ulcer", type="causes"),))
    relation = asked("re", "list", gold, "Relations? aspirin, ulcer", types=[Type(name="causes", shown="causes")])
    label = asked(
        "tc", "list", Labels(items=("A",)), "Labels?", types=[Type(name=n, shown=n) for n in "AB"], record="2"
    )
    first, second = records_of(shown((relation, "(aspirin, fever, causes)"), (label, "B")))
    assert [row[3:7] for row in first[ITEMS]] == [["aspirin → ulcer", "", [], []], ["", "aspirin → fever", [], []]]
    assert [row[3:7] for row in second[ITEMS]] == [["", "", [], []]] * 2


def test_answers_as_a_whole_stand_beside_their_gold() -> None:
    options = [Type(name="A", shown="aspirin"), Type(name="B", shown="zinc")]
    choice = asked("qa_mc", "key", Choice(key="A"), "Which?", types=options)
    text = asked("qa_sqa", "text", FreeText(text="zinc"), "What?", record="2")
    lost = asked("qa_mc", "key", Choice(key="A"), "Which?", types=options, record="3")
    page = shown((choice, "B"), (text, "iron"), (lost, "Who knows?"))
    index = unpack(pack([page])[0])
    first, second, third = records_of(page)
    assert first[GOLD : ANSWER + 1] == ["A. aspirin", "B. zinc"]
    assert second[GOLD : ANSWER + 1] == ["zinc", "iron"]
    assert third[ANSWER:] == ["", ["no option is named"], ["Who knows?"]]
    kinds = [[index["kinds"][code & 15] for code in codes] for codes in index["codes"]]
    assert kinds[0] == ["wrong"]
    assert kinds[2] == ["wrong", "unparsable"]
    assert index["errors"][0] == index["errors"][2] == 1
    assert 0 < index["errors"][1] < 1


def test_chunks_hold_all_records_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_CHUNK", 500)
    sets = [
        shown(*[(tagged(f"aspirin {n}", ("Drug", 0, 7), record=str(n)), "x") for n in range(7)], name=name)
        for name in ("one", "two")
    ]
    packed, chunks = pack(sets)
    index = unpack(packed)
    assert len(chunks) > 3
    assert index["chunks"] == [len(unpack(chunk)) for chunk in chunks]
    assert [r[ID] for r in records_of(*sets)] == [f"c/test/{n}" for n in range(7)] * 2
    assert index["set"] == [0] * 7 + [1] * 7
    assert index["sets"] == [["one", "The one"], ["two", "The two"]]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    page = shown((tagged("aspirin", ("Drug", 0, 7)), "<drug>aspirin</drug>"))
    one, other = (write("run", [page], tmp_path / name) for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    # The time that gzip keeps is none.
    assert base64.b64decode(pack([page])[0])[4:8] == bytes(4)


# --- the page --------------------------------------------------------------------------------------------------------


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[-1] += data


def parsed(path: Path) -> Balanced:
    parser = Balanced()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


@pytest.fixture
def nasty() -> Shown:
    start = NASTY.index("alert")
    example = tagged(NASTY, ("Sign", start, start + 5), record=NASTY)
    return Shown(NASTY, NASTY, shown((example, NASTY)).records)


def test_the_page_is_whole_and_texts_cannot_break_out_of_it(nasty: Shown, tmp_path: Path) -> None:
    path = write(NASTY, [nasty], tmp_path)
    page = parsed(path)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    # The index, one chunk, the settings and the program; nothing of the texts is written outside of what is packed.
    assert len(page.scripts) == 4
    assert "alert(1)" not in path.read_text(encoding="utf-8").replace("&lt;script&gt;alert(1)", "")
    assert unpack(page.scripts[0])["sets"] == [[NASTY, NASTY]]
    [[record]] = [unpack(page.scripts[1])]
    assert (record[ID], record[TEXT]) == (f"c/test/{NASTY}", NASTY)
    assert utf_16(record[TEXT], record[ITEMS][0][5][0]) == "alert"


def test_the_page_needs_no_network(nasty: Shown, tmp_path: Path) -> None:
    text = write("run", [nasty], tmp_path).read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text)
    assert re.findall(r"""(?:src|href)=["']([^"']*)""", text) == ["report.html"]
    assert "prefers-color-scheme: dark" in text


def test_too_much_for_one_file_lies_beside_it(nasty: Shown, tmp_path: Path) -> None:
    path = write("run", [nasty], tmp_path, most_inline=10)
    page = parsed(path)
    settings = json.loads(page.scripts[1])
    assert settings["files"] == ["documents/0.js"]
    script = (tmp_path / "documents" / "0.js").read_text(encoding="ascii")
    packed = re.fullmatch(r'taiyiChunk\(0, "([^"]*)"\);\n', script)
    assert packed is not None
    assert unpack(packed[1])[0][TEXT] == NASTY
    # A page that holds all of it again leaves no files of an older one.
    write("run", [nasty], tmp_path)
    assert not (tmp_path / "documents").exists()


def test_control_characters_are_not_shown_and_move_nothing() -> None:
    text = "a\x1b[31m pain"
    [record] = records_of(shown((tagged(text, ("Sign", 7, 11)), text)))
    assert "\x1b" not in record[TEXT]
    assert utf_16(record[TEXT], record[ITEMS][0][5][0]) == "pain"


def test_no_documents_make_a_page_too(tmp_path: Path) -> None:
    page = parsed(write("run", [], tmp_path))
    assert unpack(page.scripts[0])["set"] == []


def test_what_the_script_takes_for_granted() -> None:
    """The order of kinds and the ids of elements are written in the script as well."""
    folder = Path(documents.__file__).parent
    script = "".join((folder / name).read_text(encoding="utf-8") for name in ("documents_drawing.js", "documents.js"))
    named = re.search(r"const KINDS = (\[.*?\]);", script)
    assert named is not None
    assert json.loads(named[1]) == [*documents.KINDS, "wrong", "unparsable"]
    template = (folder / "documents.html.jinja").read_text(encoding="utf-8")
    for name in re.findall(r'\$\("([a-z]+)"\)', script):
        assert f'id="{name}"' in template
    assert "</script" not in script
