"""Mentions in place and relations as a graph: whatever the text and the answer, nothing is lost, moved or markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from page_node import STATIC, Drawing
from taiyi import catalogue
from taiyi.serve.page import browsing

Tree = Any


@pytest.fixture(scope="module")
def draw() -> Iterator[Drawing]:
    drawing = Drawing()
    yield drawing
    drawing.close()


def text_of(tree: Tree) -> str:
    return tree if isinstance(tree, str) else "".join(map(text_of, tree[2:]))


def nodes(tree: Tree) -> Iterator[list[Any]]:
    if not isinstance(tree, str):
        yield tree
        for inside in tree[2:]:
            yield from nodes(inside)


def covered(tree: Tree) -> dict[int, set[int]]:
    """The characters of the text that stand in the marks of each mention."""
    found: dict[int, set[int]] = {}
    done = 0

    def go(node: Tree, within: tuple[int, ...]) -> None:
        nonlocal done
        if isinstance(node, str):
            for n in within:
                found.setdefault(n, set()).update(range(done, done + len(node)))
            done += len(node)
            return
        inner = (*within, node[1]["data-n"]) if node[0] == "mark" else within
        for inside in node[2:]:
            go(inside, inner)

    go(tree, ())
    return found


# --- mentions --------------------------------------------------------------------------------------------------------

hard = st.text(
    st.sampled_from("ab .é肝\r\n\t\0<>/&;\"'😀👩‍⚕️\u0301\u200b\ufeff𝒜\u2028") | st.characters(codec="utf-8"), max_size=40
) | st.sampled_from(["<script>alert(1)</script>", "</p><img src=x onerror=alert(1)>", "&lt;b&gt; &amp;", "", "😀😀"])
places = st.tuples(st.integers(0, 45), st.integers(0, 12)).map(lambda at: [at[0], at[0] + at[1]])
mentions = st.lists(
    st.fixed_dictionaries(
        {
            "spans": st.lists(
                places, max_size=3
            ),  # also none, empty ones, and those that overlap or lie beyond the text
            "type": st.sampled_from(["disease", "", "药物", '"><script>', "constructor"]),
        }
    ),
    max_size=8,
)


@given(text=hard, found=mentions)
def test_marks_keep_the_text_and_lie_where_mentions_stand(
    draw: Drawing, text: str, found: list[dict[str, Any]]
) -> None:
    colours = [[one["type"], n % 8] for n, one in enumerate(found)]
    tree = draw("marked", text, found, colours)
    assert text_of(tree) == text
    wanted = {
        n: {i for start, end in one["spans"] for i in range(start, min(end, len(text)))} for n, one in enumerate(found)
    }
    assert covered(tree) == {n: at for n, at in wanted.items() if at}
    for name, attributes, *_ in nodes(tree):
        assert name in ("p", "mark")
        if name == "p":
            assert attributes == {"class": "source"}
            continue
        assert attributes.keys() <= {"class", "data-n", "data-type"}
        assert re.fullmatch(r"c[0-7] up[0-6]", attributes["class"])
        assert attributes.get("data-type", found[attributes["data-n"]]["type"]) == found[attributes["data-n"]]["type"]
    named = {node[1]["data-n"] for node in nodes(tree) if "data-type" in (node[1] or {})}
    assert named == {n for n, at in wanted.items() if at and found[n]["type"]}, "each is named where it ends"


def test_what_nests_is_inside_and_what_crosses_is_cut(draw: Drawing) -> None:
    def spans(*each: list[list[int]]) -> list[dict[str, Any]]:
        return [{"spans": one, "type": "t"} for one in each]

    nested = draw("marked", "lung cancer", spans([[0, 11]], [[0, 4]]), [])
    assert nested[2][2][0] == "mark" and nested[2][2][1]["data-n"] == 1
    assert nested[2][1]["class"] == "c7 up1" and nested[2][2][1]["class"] == "c7 up0"
    crossing = draw("marked", "abcdef", spans([[0, 4]], [[2, 6]]), [])
    assert [(node[1]["data-n"], text_of(node)) for node in nodes(crossing) if node[0] == "mark"] == [
        (0, "abcd"), (1, "cd"), (1, "ef"),
    ]  # fmt: skip
    parted = draw("marked", "left and right lung", spans([[0, 4], [15, 19]]), [])
    assert [(text_of(node), "data-type" in node[1]) for node in nodes(parted) if node[0] == "mark"] == [
        ("left", False), ("lung", True),
    ]  # fmt: skip


@given(text=st.text("ab肝 😀A1", max_size=20), names=st.lists(st.text("ab肝😀A1", max_size=4), max_size=4))
def test_names_are_found_as_words(draw: Drawing, text: str, names: list[str]) -> None:
    for one in draw("places", text, names):
        ((start, end),) = one["spans"]
        assert text[start:end] == one["text"] and one["text"] in names
        for a, b in ((start - 1, start), (end - 1, end)):
            beside = text[a : a + 1] + text[b : b + 1] if a >= 0 else ""
            assert not re.fullmatch("[abA1]{2}", beside), "it is part of a word"
    assert draw("places", "liver, 肝炎 liver1", ["liver", "肝"]) == [
        {"spans": [[0, 5]], "text": "liver", "type": ""},
        {"spans": [[7, 8]], "text": "肝", "type": ""},
    ]


def test_the_legend_counts_and_colours(draw: Drawing) -> None:
    found = [{"type": "b"}, {"type": "a"}, {"type": "b"}, {"type": "__proto__"}]
    assert draw("legend", found, ["a", "none"]) == [
        {"type": "a", "count": 1, "colour": 0},
        {"type": "none", "count": 0, "colour": 1},
        {"type": "b", "count": 2, "colour": 2},
        {"type": "__proto__", "count": 1, "colour": 3},
    ]


# --- graphs ----------------------------------------------------------------------------------------------------------

names = st.sampled_from(["aspirin", "哮喘", "x" * 80, "阿" * 40, "<b>&", "", "__proto__", "😀"])
relations = st.lists(
    st.fixed_dictionaries(
        {"head": names, "tail": names, "type": st.sampled_from(["causes", "治疗", "y" * 90, "</svg>"])}
    ),
    min_size=1,
    max_size=12,
)


@given(found=relations, text=hard, width=st.integers(200, 1400))
def test_a_graph_has_every_relation_once_and_nothing_overlaps(
    draw: Drawing, found: list[dict[str, str]], text: str, width: int
) -> None:
    edges = draw("edgesOfRelations", found, text)
    assert sorted((e["head"]["label"], e["type"], e["tail"]["label"]) for e in edges) == sorted(
        (r["head"], r["type"], r["tail"]) for r in found
    )
    made = draw("layout", edges, width)
    shown = [(slot["from"], slot["type"], node["id"]) for node in made["nodes"] for slot in node["slots"]]
    assert sorted(shown) == sorted((r["head"], r["type"], r["tail"]) for r in found)
    end = 0
    for node in made["nodes"]:
        assert node["y"] >= end, "rows lie below one another"
        end = node["y"] + node["height"]
        ys = [slot["y"] for slot in node["slots"]] + ([node["leaves"]] if node["out"] else [])
        assert len(set(ys)) == len(ys) and all(node["y"] < y < end for y in ys)
    assert end <= made["height"]
    for n, bus in enumerate(made["buses"]):
        for other in made["buses"][:n]:
            apart = bus["bottom"] < other["top"] or other["bottom"] < bus["top"]
            assert bus["lane"] != other["lane"] or apart


@given(found=relations, width=st.integers(200, 1400))
def test_a_drawing_is_texts_and_lines_alone(draw: Drawing, found: list[dict[str, str]], width: int) -> None:
    edges = draw("edgesOfRelations", found, "")
    tree = draw("drawn", edges, width, "told")
    assert tree[1]["aria-label"] == "told" and tree[1]["width"] > 0
    for name, attributes, *_ in nodes(tree):
        assert name in ("svg", "g", "path", "rect", "text", "title")
        assert not any(key.startswith("on") or key in ("href", "style") for key in attributes or {})
        assert "NaN" not in str(attributes) and "undefined" not in str(attributes)
    full = {text for node in nodes(tree) if node[0] in ("text", "title") for text in node[2:] if isinstance(text, str)}
    assert {one for r in found for one in r.values()} <= full, "what is shortened has its whole in a title"


@given(text=hard, most=st.integers(20, 400))
def test_texts_are_shortened_to_what_fits(draw: Drawing, text: str, most: int) -> None:
    short = draw("shortened", text, most)
    plain = re.sub(r"\s+", " ", text.replace("\ufeff", " "))
    assert short == plain or (short.endswith("…") and plain.startswith(short[:-1])) or not text.isprintable()
    assert draw("shortened", short, most) == short


def test_relations_of_records_join_entities_concepts_and_one_another(draw: Drawing) -> None:
    def argument(role: str, ref: str) -> dict[str, str]:
        return {"role": role, "kind": "entity", "ref": ref}

    record = {
        "entities": [
            {"id": "T1", "text": "aspirin", "concepts": [{"db": "MeSH", "id": "D1"}]},
            {"id": "T2", "text": "asthma", "concepts": [{"db": "MeSH", "id": "D2"}]},
        ],
        "relations": [
            {"id": "R1", "type": "CID", "arguments": [argument("head", "D1"), argument("tail", "D2")]},
            {
                "id": "R2",
                "type": "dose",
                "arguments": [argument("a", "T1"), argument("b", "T2"), argument("c", "5 mg")],
            },
            {"id": "R3", "type": "if", "arguments": [argument("head", "R4"), argument("tail", "T1")]},
            {"id": "R4", "type": "and", "arguments": [argument("head", "T1"), argument("tail", "T2")]},
        ],
        "events": [{"id": "E1", "type": "Binding", "trigger": "binds", "arguments": [argument("Theme", "T1")]}],
    }
    edges = [(e["head"]["label"], e["type"], e["tail"]["label"]) for e in draw("edgesOfDocument", record)]
    assert edges == [
        ("aspirin", "CID", "asthma"),
        ("dose", "a", "aspirin"), ("dose", "b", "asthma"), ("dose", "c", "5 mg"),
        ("and", "if", "aspirin"),
        ("and", "head", "aspirin"), ("and", "tail", "asthma"),
        ("Binding (binds)", "Theme", "aspirin"),
    ]  # fmt: skip


def test_examples_of_all_corpora_are_drawn(draw: Drawing) -> None:
    drawn: set[str] = set()
    for corpus in catalogue.all_corpora():
        for record in browsing.details(corpus, None)["examples"]:
            if record["form"] == "document" and draw("edgesOfDocument", record):
                drawn.add(corpus.name)
    assert {"bc5cdr", "bionlp_st_2013_cg", "cmeie_v2"} <= drawn


def test_an_event_may_be_part_of_another(draw: Drawing) -> None:
    events = [
        {"type": "Binding", "trigger": "binds", "arguments": [{"role": "Theme", "text": "STAT3", "event": None}]},
        {"type": "Regulation", "trigger": "", "arguments": [{"role": "Cause", "text": "", "event": 0}]},
    ]
    edges = [(e["head"]["label"], e["type"], e["tail"]["label"]) for e in draw("edgesOfEvents", events)]
    assert edges == [("1. Binding (binds)", "Theme", "STAT3"), ("2. Regulation", "Cause", "1. Binding (binds)")]


# --- wording ---------------------------------------------------------------------------------------------------------

# Of these the end follows from what is shown.
BUILT = ("task_", "lang_", "pair_", "access_", "checked_", "types_", "download_")


def test_the_page_says_everything_in_both_languages_and_nothing_else(draw: Drawing) -> None:
    words: dict[str, list[str]] = draw("words")
    for key, said in words.items():
        assert len(said) == 2 and all(one.strip() == one and one for one in said), key
        english, chinese = (set(re.findall(r"\{(\w+)\}", one)) for one in said)
        assert english == chinese, f"{key}: the same is filled in"
    sources = {
        path.name: path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.suffix in (".js", ".html")
    }
    html = sources.pop("index.html")
    used = set(re.findall(r'data-say(?:-label|-hint)?="(\w+)"', html))
    scripts = "".join(text for name, text in sources.items() if name != "words.js")
    used |= {key for key in words if f'"{key}"' in scripts}
    used |= {key for key in words if key.startswith(BUILT)}
    assert used == set(words), "words that nobody says, or that are not there"
    assert set(re.findall(r'\bsay\("(\w+)"', scripts)) <= set(words)
