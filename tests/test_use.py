"""`Taiyi`: what is found in texts of one's own, with places, confidence and what was wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen3Config, Qwen3ForCausalLM

from taiyi import tagged
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.errors import ModelError, RecipeError, TaiyiError
from taiyi.generate import Asked, Weighed
from taiyi.schema import Example, Message, Prediction, Shown
from taiyi.templates import words
from taiyi.train.tokenizer import train_bpe
from taiyi.use.asking import Model
from taiyi.use.results import Entity
from taiyi.use.taiyi import Taiyi
from taiyi.use.texts import language

TEXT = "Aspirin can cause asthma. No harm was seen in e.g. mice! 😀 Warfarin, too.\r\nEnd of it."
TAGS = ("chemical", "disease", "药物")
LEARNED = (
    Learned(task="ner", corpus="a", lang="en", form="tagged", types=("chemical", "disease")),
    Learned(task="ner", corpus="b", lang="zh", form="tagged", types=("药物",)),
    *(Learned(task=task, corpus="c", lang="en") for task in ("tc", "tp_ss", "qa_mc", "qa_yesno", "mt", "title")),
)


@pytest.fixture(scope="module")
def taiyi(tmp_path_factory: pytest.TempPathFactory) -> Taiyi:
    """A random model that tags a lot."""
    written = [mark for tag in TAGS for mark in (tagged.open_tag(tag), tagged.close_tag(tag))]
    tokenizer = train_bpe([TEXT, "阿司匹林可引起哮喘。"], vocab_size=400, tags=written)
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=800, initializer_range=0.3,
        tie_word_embeddings=True,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("model")
    Qwen3ForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    Checkpoint(base="scratch", positions="aligned", window_chars=60, learned=LEARNED).save(path)
    return Taiyi.load(path, device="cpu")


def right(text: str, entities: Sequence[Entity], types: set[str]) -> None:
    for entity in entities:
        assert text[entity.start : entity.end] == entity.text
        assert entity.text == entity.text.strip()
        assert entity.text
        assert entity.type in types
        assert entity.confidence is not None and 0 <= entity.confidence <= 1
    places = [(entity.start, -entity.end, entity.type) for entity in entities]
    assert places == sorted(set(places))


def test_mentions_have_places_types_and_confidence(taiyi: Taiyi) -> None:
    found = taiyi.extract(TEXT)
    assert (found.text, found.lang, found.at, found.fault, found.cut) == (TEXT, "en", 0, "", 0)
    assert found.entities, "the case is empty: nothing was found"
    right(TEXT, found.entities, {"chemical", "disease"})
    assert {e.type for e in taiyi.extract(TEXT, ["disease"]).entities} == {"disease"}
    right("阿司匹林可引起哮喘。", taiyi.extract("阿司匹林可引起哮喘。").entities, {"药物"})
    record = found.document("x")
    assert [(e.type, e.text, e.spans[0]) for e in record.entities] == [
        (e.type, e.text, (e.start, e.end)) for e in found.entities
    ]


# What makes offsets go wrong elsewhere: emoji, combining marks, other scripts, control characters, markup.
hard = st.text(
    st.sampled_from("ab .é肝\r\n\t\0<>/&;😀👩‍⚕️\u0301\u200b\ufeffа") | st.characters(codec="utf-8"),
    min_size=1,
    max_size=80,
) | st.sampled_from(["<chemical>aspirin</chemical> & <b>x</b>", "</disease>", "<chemical>", "Ignore this. <disease>"])


@settings(max_examples=60, deadline=None)
@given(st.lists(hard, min_size=1, max_size=6))
def test_any_text_is_answered_or_refused_and_none_keeps_others_from_it(taiyi: Taiyi, texts: list[str]) -> None:
    found = list(taiyi.extract_all(texts, ["chemical", "disease"], lang="en"))
    assert [one.text for one in found] == texts
    for one in found:
        assert bool(one.fault) == (not one.text.strip()), one.fault
        right(one.text, one.entities, {"chemical", "disease"})


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from([TEXT, "Mice. ", "A b c d.\n", "😀 e.g. x! "]), min_size=1, max_size=8), st.integers(1, 50)
)
def test_a_long_text_read_in_blocks_is_answered_like_its_whole(taiyi: Taiyi, texts: list[str], size: int) -> None:
    text = "".join(texts)
    blocks = [text[i : i + size] for i in range(0, len(text), size)]
    parts = list(taiyi.extract_long(blocks, window=1))
    assert "".join(part.text for part in parts) == text[: sum(len(part.text) for part in parts)]
    together = [entity for part in parts for entity in part.entities]
    whole = taiyi.extract(text, window=1).entities
    assert [(e.start, e.end, e.type) for e in together] == [(e.start, e.end, e.type) for e in whole]
    assert [e.confidence for e in together] == pytest.approx([e.confidence for e in whole], rel=1e-3)
    right(text, together, {"chemical", "disease"})


def test_what_is_no_text_is_refused(taiyi: Taiyi) -> None:
    with pytest.raises(TaiyiError, match="the text is empty"):
        taiyi.extract(" \n")
    with pytest.raises(TaiyiError, match="half of a surrogate pair stands alone at character 2"):
        taiyi.extract("ab\ud83d")
    with pytest.raises(TaiyiError, match="the text is empty"):
        taiyi.classify("", ["a", "b"])
    one, other = taiyi.extract_all(["ab\ud83d", "Mice."])
    assert "surrogate" in one.fault and not one.entities and not other.fault
    with pytest.raises(TaiyiError, match="no room to answer"):
        taiyi.extract("mice " * 900, window=10_000)


def test_what_is_unknown_or_was_not_learned_is_refused(taiyi: Taiyi) -> None:
    with pytest.raises(RecipeError, match="unknown type; got chemicl"):
        taiyi.extract(TEXT, ["chemicl"])
    with pytest.raises(ModelError, match="the model did not learn this; got event extraction in en"):
        taiyi.extract(TEXT, what="events")
    with pytest.raises(ModelError, match="got text classification in zh"):
        taiyi.classify("阿司匹林", ["a", "b"])
    with pytest.raises(ModelError, match="cannot talk"):
        next(taiyi.chat([Message(role="user", content="hi")]))
    with pytest.raises(RecipeError, match="got farms"):
        taiyi.extract(TEXT, like="farms")


def test_a_model_from_nothing_refuses_types_that_it_has_no_tags_for() -> None:
    """The catalogue knows them, so they are no mistakes, but what is marked so would be noise."""
    mini = Taiyi.load(device="cpu")
    for types in (["account number"], ["disease", "Hospital"]):
        with pytest.raises(
            ModelError, match=r"did not learn to find this; got .*There are: chemical, disease, .*others"
        ):
            mini.extract(TEXT, types)
    with pytest.raises(RecipeError, match="unknown type; got <b>x</b>") as raised:
        mini.extract(TEXT, ["<b>x</b>"])
    assert len(str(raised.value)) < 400, "not all that there is in the world"
    assert mini.extract(TEXT, ["Chemical"]).entities
    with pytest.raises(ModelError, match=r"got foo\. There are: chemical-induced disease"):
        mini.extract(TEXT, ["foo"], what="relations")
    assert mini.extract(TEXT, ["CID"], what="relations").relations


def test_a_text_in_a_language_that_was_not_learned_keeps_no_other_from_its_answer() -> None:
    mini = Taiyi.load(device="cpu")
    texts = ["阿司匹林可引起哮喘。", TEXT]
    chinese, english = mini.extract_all(texts, ["drug", "disease"], like="euadr")
    assert "did not learn ner of this corpus in this language; got euadr" in chinese.fault
    assert english.entities and not english.fault
    one, other = mini.each(map(mini.classifying(["kuake_qic"]), [TEXT, "感冒了怎么办"]))
    assert "did not learn tc of this corpus" in one.fault and [label.name for label in other.labels] == ["治疗方案"]
    with pytest.raises(RecipeError, match="did not learn tc of this corpus"):
        mini.classify(TEXT, ["kuake_qic"])
    with pytest.raises(RecipeError, match="unknown type; got chemicl"):
        list(mini.extract_all(texts, ["chemicl"]))


def test_definitions_stand_in_the_prompt(taiyi: Taiyi) -> None:
    asking = taiyi.asking("entities", "en", {"Disease": "What one has.", "chemical": ""})
    assert [shown.shown for shown in asking.types] == ["disease", "chemical"]
    assert "- disease: What one has.\n" in asking.template.before
    assert "chemical" not in asking.template.before


def test_labels_that_a_small_model_did_not_learn_are_refused_not_guessed() -> None:
    def ask(base: str, *labels: str) -> str:
        learned = Learned(task="tc", corpus="c", lang="en", types=("good", "bad", "ugly"))
        taiyi = Taiyi(
            Said("bad", scores={"good": -3.0, "bad": -1.0}), Model("m", Checkpoint(base=base, learned=(learned,)))
        )
        return taiyi.classify(TEXT, labels)[0].name

    assert ask("scratch", "good", "bad") == "bad"
    with pytest.raises(ModelError, match="did not learn these labels; got good, heavy; expected those of c"):
        ask("scratch", "good", "heavy")
    assert ask("a-large-one", "good", "bad") == "bad"


def test_types_are_named_in_either_language_and_shown_as_they_were_learned() -> None:
    learned = (
        Learned(task="ner", corpus="tcm_ner", lang="zh", types=("中药",), title="TCM"),
        Learned(task="ner", corpus="cmeee_chip2020", lang="zh", types=("疾病", "药物")),
        Learned(task="ner", corpus="bc5cdr", lang="en", types=("disease", "chemical")),
    )
    model = Model("m", Checkpoint(base="scratch", learned=learned), frozenset({"中药", "疾病", "药物", "disease"}))
    assert [t.shown for t in model.types("ner", "zh", ["disease", "Drug"])] == ["疾病", "药物"]
    assert [t.shown for t in model.types("ner", "en", ["疾病", "chemical"])] == ["disease", "chemical"]


@pytest.mark.parametrize(
    ("together", "wanted", "prompted", "found"),
    [
        (True, ["disease"], "chemical, disease", ["asthma"]),
        (True, ["disease", "chemical"], "disease, chemical", ["Aspirin", "asthma"]),
        (False, ["disease"], "disease", ["asthma"]),
    ],
)
def test_types_that_were_always_asked_for_together_still_are(
    together: bool, wanted: list[str], prompted: str, found: list[str]
) -> None:
    learned = Learned(task="ner", corpus="bc5cdr", lang="en", types=("chemical", "disease"), together=together)
    tags = ("chemical", "disease") if prompted != "disease" else ("disease",)
    answer = {"chemical": "<chemical>Aspirin</chemical>", "disease": "<disease> asthma</disease>"}
    aspirin, asthma = (
        answer[t] if t in tags else plain for t, plain in (("chemical", "Aspirin"), ("disease", " asthma"))
    )
    engine = Said(f"{aspirin} can cause{asthma}.")
    taiyi = Taiyi(engine, Model("m", Checkpoint(base="scratch", learned=(learned,)), frozenset(learned.types)))
    entities = taiyi.extract("Aspirin can cause asthma.", wanted).entities
    assert f"Mark the {prompted} entities" in engine.asked[0].messages[-1].content
    assert [e.text for e in entities] == found
    assert {e.type for e in entities} <= set(wanted)


@pytest.mark.parametrize(
    ("types", "title"),
    [
        (["gene"], "Genes"),
        (["cell"], "Cells and others"),
        (["gene", "cell"], "Cells and others"),
        (["gene", "drug"], "Everything"),
        (["disease"], ""),
    ],
)
def test_types_are_asked_for_by_the_guidelines_that_are_about_them(types: list[str], title: str) -> None:
    taught = [
        ("Everything", ("gene", "cell", "drug", "disease")),
        ("Cells and others", ("cell", "gene", "protein")),
        ("Genes", ("gene",)),
        ("Diseases", ("disease",)),
        ("", ("disease", "chemical")),
    ]
    learned = tuple(
        Learned(task="ner", corpus=f"c{number}", lang="en", types=of, title=title)
        for number, (title, of) in enumerate(taught)
    )
    model = Model("m", Checkpoint(base="scratch", learned=learned))
    asking = model.asking("ner", "en", types=[Shown(name=word, shown=word) for word in types])
    assert asking.template.before == (f"{words('en').guidelines}{title}\n" if title else "")


@pytest.mark.parametrize(("text", "lang"), [("Aspirin", "en"), ("阿司匹林 aspirin", "zh"), ("😀 12", "en"), ("", "en")])
def test_the_language_is_that_of_the_letters(text: str, lang: str) -> None:
    assert language(text) == lang


# --- labels and choices ----------------------------------------------------------------------------------------------


def test_labels_and_choices_are_weighed(taiyi: Taiyi) -> None:
    for found, names in (
        (taiyi.pair("A b.", "C d.", ["same", "other"]), {"same", "other"}),
        (taiyi.yes_or_no("Is it?", "It is."), {"yes", "no", "maybe"}),
    ):
        assert {label.name for label in found} == names
        sure = [label.confidence for label in found]
        assert sum(sure) == pytest.approx(1)  # pyright: ignore
        assert sure == sorted(sure, reverse=True)  # pyright: ignore
    [label] = taiyi.classify(TEXT, ["good", "bad"])
    assert label.confidence is not None and label.confidence >= 0.5
    options = taiyi.choose("Which?", ["one", "two", "three"])
    assert {(c.key, c.text) for c in options} == {("A", "one"), ("B", "two"), ("C", "three")}
    with pytest.raises(TaiyiError, match="between 2 to 26"):
        taiyi.choose("Which?", ["one"])


class Said:
    """An engine that says what it is told to."""

    def __init__(self, text: str, finish: Any = "stop", scores: dict[str, float] | None = None) -> None:
        self.text, self.finish, self.scores = text, finish, scores or {}
        self.asked: list[Example] = []

    def generate(self, examples: Sequence[Example], **_: Any) -> Iterator[Prediction]:
        self.asked += examples
        for example in examples:
            yield Prediction(example=example.id, text=self.text, finish=self.finish)

    def weigh(self, asked: Sequence[Asked], **_: Any) -> Iterator[Weighed]:
        for example, candidates in asked:
            yield Weighed(example.id, [self.scores[c] for c in candidates], [1] * len(candidates), 0.0)

    def stream(self, messages: Sequence[Message], **_: Any) -> Iterator[str]:
        yield self.text


def saying(text: str, **more: Any) -> tuple[Taiyi, Said]:
    engine = Said(text, **more)
    return Taiyi(engine, Model("said", Checkpoint(form="json"), remote=True)), engine


def test_several_labels_are_each_as_sure_as_the_answer_is_with_it() -> None:
    scores = {"bad; good": -1.0, "good": -3.0, "bad": -1.0}
    taiyi, _ = saying("bad; good", scores=scores)
    one, other = taiyi.classify(TEXT, ["bad", "good", "ugly"], several=True)
    assert (one.name, other.name) == ("bad", "good")
    assert one.confidence == pytest.approx(1 / (1 + 2.718281828**-2))
    assert other.confidence == pytest.approx(0.5)
    none, _ = saying(words("en").none)
    assert none.classify(TEXT, ["bad", "good"], several=True) == []


def test_mentions_that_are_only_named_are_found_in_the_text_or_counted() -> None:
    taiyi, engine = saying('{"disease": ["asthma", "gout"]}')
    found = taiyi.extract("Asthma, asthma, and pre-asthmatic asthma.", ["disease"])
    assert [(e.start, e.end, e.confidence) for e in found.entities] == [(8, 14, None), (34, 40, None)]
    assert found.not_there == 1
    assert "JSON" in engine.asked[0].messages[-1].content


def test_relations_and_events_are_read() -> None:
    taiyi, _ = saying('[{"type": "chemical-induced disease", "head": "aspirin", "tail": "asthma"}]')
    [relation] = taiyi.extract(TEXT, ["CID"], what="relations").relations
    assert (relation.head, relation.tail, relation.type) == ("aspirin", "asthma", "chemical-induced disease")


def test_an_answer_that_cannot_be_read_or_was_cut_is_told() -> None:
    taiyi, _ = saying("I think it is asthma.")
    assert taiyi.extract(TEXT, ["disease"]).cut == 1
    taiyi, _ = saying('{"disease": ["asthma", "mi', finish="length")
    found = taiyi.extract(TEXT, ["disease"])
    assert ([e.text for e in found.entities], found.cut) == (["asthma"], 1)
    taiyi, _ = saying("", finish="refused")
    assert not taiyi.extract_all([TEXT], ["disease"]).__next__().entities


def test_texts_are_written() -> None:
    taiyi, engine = saying(" 哮喘 ")
    assert taiyi.translate("Asthma.") == "哮喘"
    assert taiyi.rewrite("Asthma is bad.", "title") == "哮喘"
    assert taiyi.answer("What?") == taiyi.answer("What?", context="That.") == "哮喘"
    assert "".join(taiyi.chat([Message(role="user", content="x")])) == " 哮喘 "
    assert [example.task for example in engine.asked] == ["mt", "title", "qa_sqa", "qa_cqa"]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model here"):
        Taiyi.load(tmp_path)
