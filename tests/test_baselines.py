"""Majority and dictionary: worked by hand, never beyond the text, and from the training data of a test set alone."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import tiny
from taiyi import catalogue, cli, steps, storage, tagged, tasks
from taiyi.build.instructions import Instructions, task_of
from taiyi.build.settings import Selection
from taiyi.catalogue import get as corpus_of
from taiyi.catalogue import load as records_of
from taiyi.errors import ModelError, RecipeError, SchemaError
from taiyi.evaluate import baselines
from taiyi.evaluate import run as scoring
from taiyi.evaluate.baselines import BaselineEngine, dictionary, majority
from taiyi.evaluate.baselines.dictionary import Dictionary, Matcher, PairDictionary
from taiyi.manifest import Log, manifest
from taiyi.recipe import EvaluateSettings, Recipe
from taiyi.schema import (
    Answer,
    Choice,
    Example,
    Labels,
    Lang,
    Mention,
    Mentions,
    Message,
    Reject,
    Scale,
    Shown,
    Span,
    Tagging,
    Triple,
    Triples,
    Value,
)
from taiyi.tasks.material import material

TYPES = (Shown(name="Chemical", shown="drug"), Shown(name="Disease", shown="illness"))
CAUSES = (Shown(name="CID", shown="causes"),)


def example(
    gold: Answer, prompt: str, *, task: str, form: str, number: int = 0, lang: Lang = "en", **more: Any
) -> Example:
    return Example(
        id=f"toy/train/{number}#{task}.{lang}.01.{form}",
        corpus="toy",
        task=task,
        lang=lang,
        split="train",
        template=f"{task}.{lang}.01",
        form=form,
        record=str(number),
        messages=(Message(role="user", content=prompt),),
        answer="none",
        gold=gold,
        **more,
    )


def entities(text: str, *found: tuple[str, str], form: str = "tagged", number: int = 0, lang: Lang = "en") -> Example:
    """Return an example about the entities of a text, each given by its type and its text, in order."""
    mentions: list[Mention] = []
    at = 0
    for type, name in found:
        start = text.index(name, at)
        at = start + len(name)
        mentions.append(Mention(type=type, text=name, span=Span(start, at)))
    wording = tasks.load_templates(tasks.get("ner"), lang)[0]
    prompt, start = wording.fill_at(
        "text", types=("，" if lang == "zh" else ", ").join(t.shown for t in TYPES), text=text
    )
    tagging = Tagging(source=text, tags=tuple(t.shown for t in TYPES), at=start) if form == "tagged" else None
    gold = Mentions(items=tuple(mentions))
    return example(gold, prompt, task="ner", form=form, number=number, lang=lang, types=TYPES, tagging=tagging)


def relations(text: str, *found: tuple[str, str], number: int = 0, types: tuple[Shown, ...] = CAUSES) -> Example:
    gold = Triples(items=tuple(Triple(head=head, tail=tail, type="CID") for head, tail in found))
    prompt = f"Extract the relations as (head, tail, relation). Relations: causes\n{text}"
    return example(gold, prompt, task="re", form="list", number=number, types=types)


def answered(baseline: Any, *asked: Example) -> list[Answer]:
    """Return the answers of a baseline as they are read from what it writes."""
    predictions = BaselineEngine(baseline).generate(asked, max_new_tokens=1, batch_tokens=1)
    return [tasks.get(e.task).parse(p.text, e) for e, p in zip(asked, predictions, strict=True)]


# --- the texts of examples, and answers in the form that they ask for ------------------------------------------------


def _every_example(window: int) -> list[Example]:
    """Return examples of the demo corpora under every task, form and wording."""
    found: list[Example] = []
    for name in ("demo_cdr", "demo_cmeee", "demo_cmeie", "demo_litcovid", "demo_qic", "demo_pubmedqa", "demo_medqa_en",
                 "demo_medqa_zh"):  # fmt: skip
        corpus = corpus_of(name)
        for task_name in corpus.tasks:
            task = task_of(task_name, corpus, Path())
            for form in task.forms if isinstance(task, tasks.Writing) else ():
                selection = Selection(
                    corpus=name, task=task_name, form=form, window_chars=window, templates_per_record=15
                )
                instructions = Instructions(selection, task, corpus, seed=0, training=False)
                records = [r for r in records_of(corpus, "train", Path()) if not isinstance(r, Reject)][:3]
                made = [e for record in records for e in instructions.of(record, draws=15)]
                found += [e for e in made if isinstance(e, Example)]
    return found


@pytest.mark.parametrize("window", [0, 60])
def test_answers_are_written_as_they_are_read_and_texts_are_those_of_the_prompt(window: int) -> None:
    examples = _every_example(window)
    assert {e.task for e in examples} >= {"ner", "re", "tc", "qa_yesno", "qa_mc"}
    for asked in examples:
        task = tasks.get(asked.task)
        assert isinstance(task, tasks.Writing)
        assert task.parse(task.write(task.parse(asked.answer, asked), asked), asked) == task.parse(asked.answer, asked)
        texts = material(asked)
        assert texts and all(text and text in asked.messages[-1].content for text in texts.values())
        if asked.tagging:
            assert texts == {"text": asked.tagging.source}


def test_a_prompt_that_is_worded_otherwise_is_refused() -> None:
    asked = example(Labels(items=("a",)), "Say something", task="tc", form="list", types=(Shown(name="a", shown="a"),))
    with pytest.raises(SchemaError, match="not worded as its template"):
        material(asked)


def test_the_texts_of_pairs_questions_and_passages() -> None:
    types = (Shown(name="A", shown="one"), Shown(name="B", shown="two"))
    asked = example(
        Choice(key="A"),
        "Long\n\npassage.\n\nWhich?\nReally?\nA. one\nB. two\nAnswer with what stands before the right option.",
        task="qa_mc", form="key", types=types,
    )  # fmt: skip
    assert material(asked) == {"context": "Long\n\npassage.", "question": "Which?\nReally?"}
    asked = example(
        Choice(key="yes"), "First.\nSecond.\nIs it so?\nAnswer with yes, no, maybe.", task="qa_yesno", form="key"
    )
    assert material(asked) == {"context": "First.\nSecond.", "question": "Is it so?"}


# --- majority --------------------------------------------------------------------------------------------------------


def test_the_most_frequent_labels_together() -> None:
    types = tuple(Shown(name=name, shown=name.upper()) for name in "abc")

    def labelled(*names: str) -> Example:
        return example(
            Labels(items=names), "Classify the text. Labels: A, B, C\nx", task="tc", form="list", types=types
        )

    train = [labelled("a"), labelled("a", "b"), labelled("c"), labelled("a", "b"), labelled("c"), labelled("a", "b")]
    learned = baselines.learn("majority", train, [])
    assert isinstance(learned, majority.Majority)
    assert learned.share == 0.5
    assert answered(learned, labelled("c")) == [Labels(items=("a", "b"))]


def test_the_most_frequent_key_that_a_question_has() -> None:
    def question(right: str, keys: str = "ABCDE") -> Example:
        options = "\n".join(f"{key}. option {key}" for key in keys)
        prompt = f"Which?\n{options}\nAnswer with the letter of the right option."
        types = tuple(Shown(name=key, shown=f"option {key}") for key in keys)
        return example(Choice(key=right), prompt, task="qa_mc", form="key", types=types)

    learned = majority.learn_majority([question(key) for key in "EEEBBA"])
    assert answered(learned, question("A"), question("A", "ABCD"), question("D", "CD")) == [
        Choice(key="E"),
        Choice(key="B"),
        Choice(key="C"),
    ]


def test_yes_where_most_are_yes_in_both_languages() -> None:
    def asked(key: str, lang: Lang = "en") -> Example:
        prompt = (
            "Text.\nIs it?\nAnswer with yes, no, maybe." if lang == "en" else "文本。\n是吗？\n请回答是，否，不确定。"
        )
        return example(Choice(key=key), prompt, task="qa_yesno", form="key", lang=lang)

    learned = majority.learn_majority([asked("no"), asked("yes"), asked("yes"), asked("maybe")])
    assert answered(learned, asked("no"), asked("no", "zh")) == [Choice(key="yes")] * 2


def test_the_mean_grade() -> None:
    scale = Scale(measure="similarity", lowest=0, highest=4)
    prompt = (
        "How close are these two texts in meaning? Give their similarity as a number from 0 to 4; the higher, the "
        "closer.\nText 1: a\nText 2: b"
    )
    types = (Shown(name="similarity", shown="similarity", scale=scale),)
    train = [
        example(Value(value=v, scale=scale), prompt, task="tp_ss", form="answer", types=types) for v in (0.5, 1.0, 4.0)
    ]
    assert answered(majority.learn_majority(train), train[0]) == [Value(value=1.83, scale=scale)]


def test_usually_there_is_nothing_most_often_else_what_the_text_has_of_it() -> None:
    nothing = [entities("No drug here."), entities("None."), entities("aspirin", ("Chemical", "aspirin"))]
    assert answered(majority.learn_majority(nothing), nothing[2]) == [Mentions()]
    always = [entities(f"{n}. aspirin", ("Chemical", "aspirin"), number=n) for n in range(3)]
    there, absent = entities("Some aspirin."), entities("Some codeine.")
    span = Span(5, 12)
    assert answered(majority.learn_majority(always), there, absent) == [
        Mentions(items=(Mention(type="Chemical", text="aspirin", span=span),)),
        Mentions(),
    ]


# --- dictionary ------------------------------------------------------------------------------------------------------


def test_the_longest_match_counts_and_nothing_within_words() -> None:
    matcher = Matcher(["lung", "lung cancer", "cancer of", "IL-2"], fold=False)
    text = "lung cancer of lungs, lung; IL-2 and IL-21."
    assert [(text[s.start : s.end], key) for s, key in matcher.find(text)] == [
        ("lung cancer", "lung cancer"),
        ("lung", "lung"),
        ("IL-2", "IL-2"),
        # Digits are pieces of their own, since mentions end between them.
        ("IL-2", "IL-2"),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("😀 aspirin😀 and β-blockers\n", ["aspirin", "β-blockers"]),
        ("患者有2型糖尿病、😀高血压。", ["2型糖尿病", "高血压"]),
        ("𝛂-synuclein 与帕金森病", ["𝛂-synuclein", "帕金森病"]),
        ("Ｃ反应蛋白，ＡＬＴ升高", ["Ｃ反应蛋白", "ＡＬＴ"]),
    ],
)
@pytest.mark.parametrize("fold", [False, True])
def test_offsets_are_exact_in_both_languages(text: str, names: list[str], fold: bool) -> None:
    found = [(span, text[span.start : span.end]) for span, _ in Matcher(names, fold=fold).find(text)]
    assert found == [(Span(text.index(name), text.index(name) + len(name)), name) for name in names]


def test_case_is_told_apart_or_not() -> None:
    text = "Aspirin, ASPIRIN, aspirin and straße, STRASSE"
    exact = [text[s.start : s.end] for s, _ in Matcher(["aspirin", "straße"], fold=False).find(text)]
    folded = [text[s.start : s.end] for s, _ in Matcher(["Aspirin", "straße"], fold=True).find(text)]
    assert (exact, folded) == (["aspirin", "straße"], ["Aspirin", "ASPIRIN", "aspirin", "straße", "STRASSE"])


_TEXT = st.text(alphabet="abAB -1，糖尿😀\u0301\n", max_size=30)


@given(_TEXT, st.lists(_TEXT.filter(str.strip), max_size=6), st.booleans())
def test_nothing_is_found_that_the_text_does_not_contain(text: str, names: list[str], fold: bool) -> None:
    matcher = Matcher(names, fold=fold)
    found = list(matcher.find(text))
    assert all(0 <= span.start < span.end <= len(text) for span, _ in found)
    assert all(one.end <= other.start for (one, _), (other, _) in pairwise(found))
    assert all(matcher.key(text[span.start : span.end]) == key for span, key in found)
    assert {key for _, key in found} <= {matcher.key(name) for name in names}


@given(_TEXT.filter(str.strip), _TEXT, _TEXT)
def test_a_name_is_found_in_itself(name: str, before: str, after: str) -> None:
    name = name.strip()
    (found,) = list(Matcher([name], fold=False).find(name))[:1]
    assert found[0].start == 0
    assert list(Matcher([name], fold=False).find(before + "；" + name + "；" + after))


def test_names_have_the_type_of_most_of_their_mentions_and_ambiguous_ones_go() -> None:
    train = [
        entities("WAS was mutated.", ("Chemical", "WAS"), number=0),
        entities("WAS is WAS.", ("Disease", "WAS"), ("Disease", "WAS"), number=1),
        entities("It was insulin.", ("Chemical", "insulin"), number=2),
        entities("There was insulin.", number=3),
        entities("He was ill.", number=4),
    ]
    dev = [entities("WAS was found.", ("Disease", "WAS"), number=9)]
    # Without case it is right 2 times in 7 only.
    assert dictionary._names(train, True)["was"] == ("Disease", 7, 2)  # pyright: ignore[reportPrivateUsage]
    assert dictionary._names(train, False)["WAS"] == ("Disease", 3, 2)  # pyright: ignore[reportPrivateUsage]
    learned = baselines.learn("dictionary", train, dev)
    assert isinstance(learned, Dictionary)
    assert (learned.fold, learned.types) == (False, {"WAS": "Disease", "insulin": "Chemical"})
    assert answered(learned, dev[0]) == [dev[0].gold]


def test_what_is_chosen_is_best_on_dev() -> None:
    train = [entities("aspirin and as", ("Chemical", "aspirin"), ("Chemical", "as"), number=0)]
    train += [entities("as good as it gets", number=n) for n in range(1, 4)]
    dev = [entities("Aspirin, as said.", ("Chemical", "Aspirin"), number=5)]
    learned = baselines.learn("dictionary", train, dev)
    assert isinstance(learned, Dictionary)
    assert learned.fold and learned.types == {"aspirin": "Chemical"}
    assert answered(learned, dev[0]) == [dev[0].gold]


@pytest.mark.parametrize("form", ["tagged", "list", "json"])
def test_a_dictionary_answers_in_every_form(form: str) -> None:
    learned = Dictionary(types={"aspirin": "Chemical", "gout": "Disease"}, fold=False, share=0, shortest=1)
    asked = entities("aspirin for gout", ("Chemical", "aspirin"), ("Disease", "gout"), form=form)
    (found,) = answered(learned, asked)
    assert isinstance(found, Mentions)
    assert {(m.type, m.text) for m in found.items} == {("Chemical", "aspirin"), ("Disease", "gout")}
    assert (
        scoring.score(
            [asked], {asked.id: next(iter(BaselineEngine(learned).generate([asked], max_new_tokens=1, batch_tokens=1)))}
        )[0]
        .counts["Chemical"]
        .tp
        == 1
    )


def test_pairs_that_were_related_are_where_both_stand_in_one_sentence() -> None:
    train = [relations("Aspirin caused asthma.", ("Aspirin", "asthma"), number=0)]
    dev = [
        relations("We saw aspirin. Then asthma came.", number=1),
        relations("Aspirin: asthma!", ("Aspirin", "asthma")),
    ]
    learned = baselines.learn("dictionary", train, dev)
    assert isinstance(learned, PairDictionary)
    assert (learned.scope, learned.triples) == ("sentence", (("Aspirin", "asthma", "CID"),))
    asked = relations("Aspirin and asthma. Codeine and asthma.", number=3)
    assert answered(learned, asked) == [Triples(items=(Triple(head="Aspirin", tail="asthma", type="CID"),))]


def test_pairs_are_found_across_sentences_where_dev_says_so() -> None:
    train = [relations("Aspirin was given. Later asthma.", ("Aspirin", "asthma"), number=0)]
    dev = [relations("No aspirin. Some ASTHMA.", ("aspirin", "ASTHMA"), number=1)]
    learned = baselines.learn("dictionary", train, dev)
    assert isinstance(learned, PairDictionary)
    assert (learned.scope, learned.fold) == ("document", True)
    assert answered(learned, dev[0]) == [dev[0].gold]


def test_pairs_that_mostly_are_not_related_go() -> None:
    train = [relations("Aspirin, asthma, gout.", ("Aspirin", "asthma"), ("Aspirin", "gout"), number=0)]
    train += [relations("Aspirin, gout.", number=n) for n in range(1, 9)]
    dev = [relations("Aspirin, asthma, gout.", ("Aspirin", "asthma"), number=9)]
    learned = baselines.learn("dictionary", train, dev)
    assert isinstance(learned, PairDictionary)
    assert {t[1] for t in learned.triples} == {"asthma"}


def test_symmetric_relations_are_found_in_either_order() -> None:
    types = (Shown(name="CID", shown="causes", symmetric=True),)
    train = [relations("a1 binds b1.", ("a1", "b1"), types=types)]
    learned = baselines.learn("dictionary", train, train)
    assert answered(learned, relations("b1, then a1.", types=types)) == [train[0].gold]


def test_what_has_no_mentions_has_no_dictionary_and_no_baseline_talks() -> None:
    asked = example(Choice(key="yes"), "Text.\nIs it?\nAnswer with yes, no, maybe.", task="qa_yesno", form="key")
    assert baselines.learn("dictionary", [asked], []) == "a dictionary finds mentions, and the task qa_yesno has none"
    with pytest.raises(ModelError, match="no dialogue"):
        BaselineEngine(majority.learn_majority([asked])).stream([], max_new_tokens=1)
    with pytest.raises(RecipeError, match="Did you mean 'majority'"):
        baselines.check("baseline:majorty")


# --- as steps of a run -----------------------------------------------------------------------------------------------


def run_of(model: str, suite: str, folder: Path) -> steps.Run:
    recipe = Recipe(name="baseline", base=model, evaluate=EvaluateSettings(suites=(suite,)))
    recipe, _ = steps.supplied(recipe, folder)
    return steps.Run(recipe, folder, folder, Log(folder, quiet=True))


def test_each_test_set_has_what_was_learned_from_its_own_training_data(tmp_path: Path) -> None:
    from taiyi.train.settings import EncoderSettings

    run = run_of("baseline:dictionary", "demo", tmp_path)
    named = {"demo_cdr_ner", "demo_cmeee_ner", "demo_cdr_re", "demo_cmeie_re"}
    assert {stage.name for stage in run.recipe.stages} == named
    whole = Recipe(name="baseline", base="baseline:dictionary", evaluate=EvaluateSettings(suites=("demo",)))
    _, left_out = steps.supplied(whole, tmp_path)
    assert left_out["demo_hoc_tc"].startswith("a dictionary finds mentions")
    results = steps.carry_out_baseline(run, EncoderSettings(), left_out)
    # What is left out has its row too, with the reason.
    assert {result.name for result in results.results if result.value is not None} == named
    assert {result.name: result.missing for result in results.results if result.missing} == left_out
    (data,) = tmp_path.glob("data-*")
    for stage in run.recipe.stages:
        (folder,) = tmp_path.glob(f"fit-{stage.name}-*")
        train = list(storage.read_parquet(data / f"{stage.name}.parquet", Example))
        test = list(storage.read_parquet(data / f"test-{stage.name}.parquet", Example))
        dev = list(storage.read_parquet(data / f"dev-{stage.name}.parquet", Example))
        facts = manifest(folder).facts
        assert (facts["num_train"], facts["num_dev"]) == (len(train), len(dev))
        # What was chosen is told, and none of the texts.
        assert set(facts["chosen"]) in ({"fold", "share", "shortest"}, {"fold", "share", "scope"})
        # No document is in two of them.
        seen = [
            {material(e)["text"] for e in part} | {d for e in part for d in e.document_ids}
            for part in (train, dev, test)
        ]
        assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    written = {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file() and path.name != "log.txt"
    }
    again = steps.carry_out_baseline(run_of("baseline:dictionary", "demo", tmp_path), EncoderSettings(), left_out)
    assert again == results
    assert written == {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file() and path.name != "log.txt"
    }


def test_of_relations_an_encoder_learns_the_entities_of_the_same_texts_too(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in run_of("encoder:scratch", "demo", tmp_path).recipe.stages}
    assert stages["demo_cdr_re"].dev is not None
    for data in (stages["demo_cdr_re"].data, stages["demo_cdr_re"].dev.data):
        assert [(selection.corpus, selection.task) for selection in data] == [("demo_cdr", "re"), ("demo_cdr", "ner")]
    # This corpus has none apart from its relations.
    assert [selection.task for selection in stages["demo_cmeie_re"].data] == ["re"]


def test_answers_of_a_dictionary_are_the_source_with_tags(tmp_path: Path) -> None:
    from taiyi.train.settings import EncoderSettings

    steps.carry_out_baseline(run_of("baseline:dictionary", "demo_cmeee_ner", tmp_path), EncoderSettings())
    (data,), (fit,) = tmp_path.glob("data-*"), tmp_path.glob("fit-*")
    from taiyi.steps.baselines import load_baseline

    asked = list(storage.read_parquet(data / "test-demo_cmeee_ner.parquet", Example))
    for e, p in zip(asked, load_baseline(fit).generate(asked, max_new_tokens=1, batch_tokens=1), strict=True):
        assert e.tagging is not None
        for mention in tagged.read(p.text, e.tagging):
            assert mention.span is not None
            assert e.tagging.source[mention.span.start : mention.span.end] == mention.text


def test_one_command_with_json(tmp_path: Path) -> None:
    arguments = ["eval", "baseline:majority", "--suite", "demo_hoc_tc", "--runs", str(tmp_path), "--json"]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["name"], row["num_records"], row["num_unparsable"]) == ("demo_hoc_tc", 36, 0)
    assert (tmp_path / "eval-baseline-majority-demo_hoc_tc" / "run.json").exists()


def small() -> None:
    """Let encoders from nothing be of one layer: they are to be killed, not to learn much."""
    from taiyi.train import encoder_model

    encoder_model.SIZE |= {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "options", "kills", "learned"),
    [
        ("baseline:dictionary", (), (("*learned.json*", 2), ("*/predictions-*/*.jsonl", 3)), "*/learned.json"),
        # Half of what says how far a checkpoint is; all that is learned, but not that it is; half of the answers.
        (
            "encoder:scratch",
            ("--epochs", "3"),
            (("*/trainer_state.json", 2), ("*/fit.json*", 1), ("*/predictions-*/*.jsonl", 1)),
            "*/fit.json",
        ),
    ],
)
def test_a_kill_while_it_learns_or_answers_leaves_a_run_that_goes_on(
    model: str, options: tuple[str, ...], kills: tuple[tuple[str, int], ...], learned: str, tmp_path: Path
) -> None:
    suite = "demo" if model.startswith("baseline:") else "demo_cdr_ner"

    def arguments(name: str) -> tuple[object, ...]:
        return ("eval", model, "--suite", suite, "--runs", tmp_path / name, *options, "--json")

    def rows(name: str) -> Any:
        found = tiny.forked(*arguments(name), before=small)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    for pattern, nth in kills:
        assert tiny.stopped(signal.SIGKILL, pattern, nth, *arguments("cut"), before=small).returncode == -signal.SIGKILL
    assert rows("cut") == rows("whole")
    assert {len(list((tmp_path / name).rglob(learned))) for name in ("cut", "whole")} == {4 if suite == "demo" else 1}
    assert not list(tmp_path.rglob("checkpoint*"))


OWN = """\
name: own
test_sets:
  - {name: abstracts, corpus: demo_cdr, split: test, task: ner}
  - {name: notes, path: notes.conll, format: conll, lang: en, task: ner, types: {Chemical: drug}}
  - {name: labels, corpus: demo_hoc, split: test, task: tc}
"""


def test_what_cannot_be_answered_has_a_row_that_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The catalogue and the suites forget the user's own after the test.
    monkeypatch.setattr(sys.modules["taiyi.catalogue.load"], "_added", {})
    monkeypatch.setattr(sys.modules["taiyi.evaluate.suites"], "_own", {})
    (tmp_path / "own.yaml").write_text(OWN)
    (tmp_path / "notes.conll").write_text("Aspirin\tB-Chemical\nhelped\tO\n")
    arguments = ["eval", "baseline:dictionary", "--suite", str(tmp_path / "own.yaml"), "--runs", str(tmp_path)]
    result = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["abstracts"]["value"] > 0.3
    reasons = {name: row["missing"] for name, row in rows.items() if row["value"] is None}
    assert reasons == {
        "notes": "the training split of notes is not there",
        "labels": "a dictionary finds mentions, and the task tc has none",
    }
    assert "notes is left out: the training split of notes is not there" in result.stderr


def test_baselines_of_a_suite_of_ones_own_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever each has left out, and in a process that has not read the suite yet."""
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "own.yaml").write_text(OWN)
    (folder / "notes.conll").write_text("Aspirin\tB-Chemical\nhelped\tO\n")

    def called(*arguments: object) -> Any:
        monkeypatch.setattr(sys.modules["taiyi.catalogue.load"], "_added", {})
        monkeypatch.setattr(sys.modules["taiyi.evaluate.suites"], "_own", {})
        result = CliRunner().invoke(cli.app, ["eval", *map(str, arguments), "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    for model in ("dictionary", "majority"):
        called(f"baseline:{model}", "--suite", folder / "own.yaml", "--runs", tmp_path)
    dictionary, majority = sorted(tmp_path.glob("eval-*"))
    for one, other, both in (
        (dictionary, dictionary, {"abstracts"}),
        (majority, dictionary, {"abstracts"}),
    ):
        rows = called("compare", one, other)
        assert {row["set"] for row in rows} == both
        assert all(row["difference"] in (0, None) for row in rows if one == other)


def test_where_nothing_is_left_to_learn_from_it_is_said(tmp_path: Path) -> None:
    """All documents of the training split are in the test split too."""
    folder = tmp_path / "corpora" / "bc5cdr"
    shutil.copytree(catalogue.fixtures_dir() / "bc5cdr", folder)
    shutil.copy(folder / "CDR_TestSet.PubTator.txt", folder / "CDR_TrainingSet.PubTator.txt")
    arguments = ["eval", "baseline:majority", "--suite", "bc5cdr_disease", "--corpora", str(folder.parent)]
    result = CliRunner().invoke(cli.app, [*arguments, "--runs", str(tmp_path)])
    assert result.exit_code == 1
    assert "stage bc5cdr_disease: nothing is left to train on; got {'contaminated" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["baseline:majorty", "--suite", "demo"], "unknown baseline"),
        (["baseline:majority", "--suite", "demo", "--epochs", "3"], "only an encoder is fine-tuned"),
        (["baseline:dictionary", "--suite", "demo_hoc_tc"], "can answer none of these test sets"),
        (["baseline:majority", "--suite", "demo_chat_mrd"], "can answer none of these test sets"),
        (["encoder:nobody/nothing", "--suite", "demo_hoc_tc"], "nobody/nothing: the model cannot be loaded"),
        (["encoder:.", "--suite", "demo_hoc_tc"], "no model here"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["eval", *arguments, "--runs", str(tmp_path)])
    assert result.exit_code == 1
    assert said in result.output
