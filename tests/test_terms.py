"""Terms of a question that do not exist: what is flagged, as what, and what never is."""

from __future__ import annotations

import json
import os
import time
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from taiyi import catalogue, cli
from taiyi.knowledge.results import Flag
from taiyi.knowledge.terms import build as building
from taiyi.knowledge.terms import forms
from taiyi.knowledge.terms.checking import CHECKED_CHARS, Terms, notice
from taiyi.knowledge.terms.corpora import Material, add_text, gather
from taiyi.knowledge.terms.index import TermsError
from taiyi.knowledge.terms.name import Kind, Name
from taiyi.schema import Reject

DRUGS = [
    "tetracycline", "doxycycline", "minocycline", "oxytetracycline", "demeclocycline", "lymecycline", "aspirin",
    "atorvastatin", "simvastatin", "lovastatin", "pravastatin", "rosuvastatin", "nystatin", "captopril", "enalapril",
    "lisinopril", "ramipril", "vitamin", "ibuprofen",
]  # fmt: skip
DISEASES = [
    "Kawasaki disease", "hepatitis", "Sjögren's syndrome", "TGF-β deficiency", "non-small cell lung cancer", "asthma",
]  # fmt: skip
HAN_DRUGS = [
    "四环素", "土霉素", "多西环素", "米诺环素", "金环素", "替加环素", "强力环素", "阿司匹林", "阿托伐他汀", "辛伐他汀",
    "洛伐他汀", "普伐他汀", "瑞舒伐他汀",
]  # fmt: skip
HAN_DISEASES = ["糖尿病", "2型糖尿病", "高血压", "川崎病", "类风湿性关节炎"]
EN = (
    "Please introduce the antibiotics of this class. What are the side effects of these drugs and how do they work? "
    "My doctor gave me some for the treatment of an infection, and I have had headaches and medicine since yesterday. "
    "Explain the difference between viral and bacterial pneumonia in children; is imagine a determine word routine?"
)
ZH = (
    "请介绍一下抗生素中的这类药物有什么副作用，怎么治疗这种疾病？"
    "医生说我有感染，需要吃药，昨天开始头痛发烧，孩子能不能用。"
)


def name_of(text: str, lang: str, kind: Kind) -> Name:
    concept = f"T:{text}" if kind == "drug" else ""
    return Name(name=text, lang=lang, kind=kind, type=kind, source="test", concept=concept)  # pyright: ignore[reportArgumentType]


def all_names() -> Iterator[Name]:
    for lang, kind, texts in (
        ("en", "drug", DRUGS), ("en", "disease", DISEASES), ("zh", "drug", HAN_DRUGS), ("zh", "disease", HAN_DISEASES)
    ):  # fmt: skip
        for text in texts:
            yield name_of(text, lang, kind)  # pyright: ignore[reportArgumentType]


def material() -> Material:
    made = Material(num_records=4)
    for text in (EN, EN, ZH, ZH):
        add_text(made, text)
    return made


def build(path: Path, names: Iterable[Name | Reject]) -> Path:
    building.build(path, material(), names, corpora=["none"], files=["list:x"])
    return path


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terms]:
    opened = Terms.open(build(tmp_path_factory.mktemp("terms") / "test.terms", all_names()))
    yield opened
    opened.close()


def names_of(flags: list[Flag]) -> list[tuple[str, str]]:
    return [(flag.text, flag.kind) for flag in flags]


@pytest.mark.parametrize(
    ("question", "flagged", "near"),
    [
        ("Please introduce the octacyclines among antibiotics", ("octacyclines", "unknown"), "tetracycline"),
        ("How do zorastatins work?", ("zorastatins", "unknown"), "lovastatin"),
        ("What are the side effects of asprin?", ("asprin", "misspelling"), "aspirin"),
        ("Side effects of TETRACICLINE", ("TETRACICLINE", "misspelling"), "tetracycline"),
        ("doxycyclin and doxycylcine", ("doxycylcine", "misspelling"), "doxycycline"),
        ("Is Kawasoto disease viral?", ("Kawasoto disease", "unknown"), "Kawasaki disease"),
        ("请介绍一下抗生素中的八环素", ("八环素", "unknown"), "四环素"),
        ("卓罗他汀有什么副作用？", ("卓罗他汀", "unknown"), "洛伐他汀"),
        ("阿司匹灵有什么副作用？", ("阿司匹灵", "misspelling"), "阿司匹林"),
        ("请介绍 octacyclines", ("octacyclines", "unknown"), "tetracycline"),
    ],
)
def test_what_is_flagged(terms: Terms, question: str, flagged: tuple[str, str], near: str) -> None:
    found = terms.check(question)
    assert names_of(found) == [flagged]
    assert near in [nearest.name for nearest in found[0].nearest]
    assert all(0 < nearest.similarity < 1 for nearest in found[0].nearest)


def test_flags_carry_concepts_and_the_ending_of_the_class(terms: Terms) -> None:
    (flag,) = terms.check("octacyclines")
    assert flag.ending == "cyclin"
    assert {n.concepts for n in flag.nearest} <= {(f"T:{n.name}",) for n in flag.nearest}


@pytest.mark.parametrize(
    "question",
    [
        "",
        " \n",
        EN,
        ZH,
        "What are tetracyclines?",
        "Is BRCA1 or mRNA in 12345 pills of XELJQTYRP-77?",
        "Blorptaggish wugs are frumious",  # Words that are like no name.
        "Explane the diference between viral and bacterial infection",  # Slips in ordinary words.
        "untreated, bacterially, headachy, pretreatment",  # Known words with common beginnings and endings.
        "四环素和2型糖尿病",
        "我今天吃了饭",
        "&amp; <b>https://example.org/octacyclines</b> me@octacyclines.org",
    ],
)
def test_what_is_not_flagged(terms: Terms, question: str) -> None:
    assert terms.check(question) == []


def changes(name: str) -> st.SearchStrategy[str]:
    """Ways to write a name that leave it the same name."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    forms = {name, name.upper(), name.lower(), name.title(), wide, unicodedata.normalize("NFD", name)}
    forms |= {form.replace("-", other) for form in [*forms] for other in (" ", "‐", "")}
    forms |= {form.replace(" ", "-") for form in [*forms]}
    forms |= {form.replace("β", "beta").replace("Β", "Beta") for form in [*forms]}
    if name.isascii() and name[-1] != "s":
        forms |= {name + "s", name.upper() + "S"}
    return st.sampled_from(sorted(forms))


@given(data=st.data(), name=st.sampled_from([name.name for name in all_names()]))
def test_a_known_name_is_never_flagged(terms: Terms, data: st.DataObject, name: str) -> None:
    form = data.draw(changes(name))
    asked = data.draw(st.sampled_from(["{}", "What are the side effects of {}?", "请介绍一下{}。", "（{}）"]))
    assert terms.check(asked.format(form)) == []


pieces = st.one_of(
    st.sampled_from(
        ["octacyclines", "asprin", "八环素", "阿司匹灵", "😀", "\ud83d", "\x00", "<b>", "&lt;", "\u200b", "é",
         "e\u0301", " ", "ﬁ", "Ａ", "卓罗他汀", "，", "Kawasoto disease", "\r\n", "㎎", "İ", "ß", "-"]
    ),
    st.text(max_size=6),
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join))
@example("😀octacyclines\ud83d")
def test_a_span_is_the_text_that_it_names(terms: Terms, text: str) -> None:
    found = terms.check(text)
    for flag in found:
        assert text[flag.span.start : flag.span.end] == flag.text
        assert flag.text.strip()
        assert flag.nearest
    latin = [f.span for f in found]
    assert latin == sorted(latin)


@given(
    st.sampled_from(["octacyclines", "asprin", "八环素"]),
    st.lists(st.sampled_from("😀\x00\u2028<>，。 \ud83d"), max_size=8),
)
def test_a_term_is_found_behind_anything(terms: Terms, term: str, before: list[str]) -> None:
    lead = "".join(before) + " 。"
    assert [flag.span.start for flag in terms.check(f"{lead}{term}")] == [len(lead)]


@pytest.mark.parametrize("text", ["octacyclines ", "八环素", "\ud83d", "<", "-", "a", "卓", "&", "octacyclinez9 x@"])
def test_ten_megabytes_are_answered(terms: Terms, text: str) -> None:
    begun = time.process_time()
    found = terms.check(text * (10_000_000 // len(text)))
    assert time.process_time() - begun < 20
    assert all(flag.span.end <= CHECKED_CHARS for flag in found)


def test_many_unknown_words_are_answered(terms: Terms) -> None:
    words = " ".join(
        f"{chr(97 + i // 26 % 26)}{chr(97 + i % 26)}{'aeiou'[i % 5]}{'xq'[i % 2]}cycline" for i in range(5000)
    )
    begun = time.process_time()
    terms.check(words)
    assert time.process_time() - begun < 20


def test_notices(terms: Terms) -> None:
    unknown, slip = terms.check("octacyclines"), terms.check("asprin")
    assert notice([], "en") == notice([], "zh") == ""
    assert "“octacyclines” is not in the terminology" in notice(unknown, "en")
    assert "did you mean “aspirin”?" in notice(slip, "en")
    assert "术语库中没有“octacyclines”" in notice(unknown, "zh")
    assert "您是否想问“aspirin”？" in notice(slip, "zh")
    # What a question says twice is said once.
    assert notice(terms.check("asprin, asprin"), "en") == notice(slip, "en")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Tetracyclines", "tetracycline"),
        ("beta-blockers", "β blocker"),
        ("TGF-β1", "TGF beta 1"),
        ("Sjögren's syndrome", "Sjogren syndromes"),
        ("ＡＳＰＩＲＩＮ", "aspirin"),
        ("thromboses", "thrombosis"),
        ("allergies", "allergy"),
        ("２型糖尿病", "2 型糖尿病"),
    ],
)
def test_keys_of_one_name(first: str, second: str) -> None:
    assert forms.key(first) == forms.key(second)


@given(st.text(max_size=30))
def test_a_key_is_its_own_key_and_words_stand_in_the_text(text: str) -> None:
    folded = forms.fold(text)
    assert forms.fold(folded) == folded
    for word in forms.words(text):
        assert text[word.span.start : word.span.end] == word.text
    for run in forms.runs(text):
        assert len(run.folded) == len(run.starts)
        assert list(run.starts) == sorted(run.starts)


def test_corpora_give_names_with_concepts_and_words() -> None:
    corpus = catalogue.get("demo_cdr")
    made = gather(corpus, Path("nowhere"))
    assert made.num_records
    assert {name.kind for name in made.names} == {"drug", "disease"}
    assert any(name.concept for name in made.names)
    assert made.words["the"] > 1


def test_rejects_are_counted_in_the_manifest(tmp_path: Path) -> None:
    faults = [Reject(where=f"f.xml:{line}", reason="no name") for line in (3, 9)]
    path = build(tmp_path / "a.terms", [*all_names(), *faults, name_of("–", "en", "drug")])
    opened = Terms.open(path)
    assert opened.manifest.rejects == {"f.xml: no name": 2, f"test: {building.NO_LETTER}": 1}
    assert opened.manifest.names == {"test": len([*all_names()])}
    assert opened.manifest.corpora == ("none",)
    opened.close()


def test_the_same_names_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (build(tmp_path / name, all_names()).read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_build_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = build(tmp_path / "a.terms", all_names())
    before = path.read_bytes()

    def broken() -> Iterator[Name]:
        yield from all_names()
        raise TermsError("broken")

    with pytest.raises(TermsError):
        build(path, broken())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.terms"]  # noqa: PTH208


def test_no_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TermsError, match="not a single name"):
        build(tmp_path / "a.terms", [])
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("content", [None, b"", b"x" * 5000, b"SQLite format 3\x00" + b"\x00" * 5000])
def test_what_is_no_terminology_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.terms"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TermsError, match="terminology"):
        Terms.open(path)


def test_a_damaged_terminology_is_said_or_answers(tmp_path: Path) -> None:
    path = build(tmp_path / "a.terms", all_names())
    content = path.read_bytes()
    for cut in (len(content) // 4, len(content) // 2, len(content) - 4096):
        path.write_bytes(content[:cut])
        try:
            opened = Terms.open(path)
            opened.check("octacyclines asprin 八环素")
        except TermsError:
            continue


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


def test_the_command_builds_and_checks(tmp_path: Path) -> None:
    path = tmp_path / "a.terms"
    names = tmp_path / "names.txt"
    names.write_text("\n".join(DRUGS), encoding="utf-8")
    code, said, errors = call("terms", "build", path, "--from", "demo_cdr", "--file", f"list:{names}")
    assert code == 0, errors
    assert "names of demo_cdr" in said
    assert f"{len(DRUGS)} names of names.txt" in said
    code, said, _ = call("terms", "check", "Please introduce the octacyclines", "--terms", path, "--json")
    assert code == 0
    answer = json.loads(said)
    assert [(f["text"], f["span"], f["kind"]) for f in answer["flags"]] == [("octacyclines", [21, 33], "unknown")]
    assert "octacyclines" in answer["notice"]
    assert call("terms", "check", "aspirin", "--terms", path)[1] == "nothing is flagged\n"
    assert call("terms", "check", " ", "--terms", path)[0] == 1
    assert call("terms", "check", "x", "--terms", tmp_path / "none")[0] == 1
    assert call("terms", "build", path, "--from", "demo_cdx")[0] == 1
    assert call("terms", "build", path, "--from", "", "--file", "list:none")[0] == 1
