"""Encoders with heads: a small one from nothing learns toys of every kind, in windows, the same each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taiyi import tagged
from taiyi.errors import ModelError, TrainError
from taiyi.evaluate import run as scoring
from taiyi.evaluate.baselines import BaselineEngine
from taiyi.evaluate.baselines import encoder as baseline
from taiyi.features import Found, Head, Item
from taiyi.metrics import f1
from taiyi.schema import (
    Choice,
    Example,
    Labels,
    Mention,
    Mentions,
    Message,
    Scale,
    Shown,
    Span,
    Tagging,
    Triple,
    Triples,
    Value,
)
from taiyi.train.settings import EncoderSettings

DRUGS = ("aspirin", "codeine", "insulin", "digoxin", "heparin")
ILLS = ("asthma", "gout", "migraine", "stroke")
FRAMES = ("{0} may cause {1} .", "no {1} under {0} .", "{1} was treated with {0} .", "we saw {1} and gave {0} 😀 .")
TYPES = (Shown(name="Chemical", shown="drug"), Shown(name="Disease", shown="illness"))
QUICK = EncoderSettings(epochs=12, batch_tokens=160, learning_rate=2e-3, max_tokens=128, overlap_tokens=16)


@pytest.fixture(scope="module", autouse=True)
def small_size() -> Iterator[None]:
    """Encoders from nothing of two layers, which learn a toy in a second."""
    from taiyi.train import encoder_model

    small = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder_model, "SIZE", encoder_model.SIZE | small)
        yield


def text_of(number: int, sentences: int = 3) -> tuple[str, list[tuple[Span, str]]]:
    """Return a text with the drugs and illnesses in it."""
    text, spans = "", list[tuple[Span, str]]()
    for n in range(number, number + sentences):
        drug, ill = DRUGS[n % len(DRUGS)], ILLS[n // 2 % len(ILLS)]
        sentence = FRAMES[n % len(FRAMES)].format(drug, ill)
        for name, type in ((drug, "Chemical"), (ill, "Disease")):
            at = len(text) + sentence.index(name)
            spans.append((Span(at, at + len(name)), type))
        text += sentence + " "
    return text.strip(), sorted(spans)


def example(number: int, text: str, gold: Any, *, form: str, task: str, **fields: Any) -> Example:
    prompt = fields.pop("prompt", f"Read: {text}")
    return Example(
        id=f"toy/train/{number}#{task}.en.01.{form}",
        corpus="toy",
        task=task,
        lang="en",
        split="train",
        template=f"{task}.en.01",
        form=form,
        record=str(number),
        messages=(Message(role="user", content=prompt),),
        answer="none",
        gold=gold,
        **fields,
    )


def entities(number: int) -> Example:
    text, spans = text_of(number)
    mentions = tuple(Mention(type=type, text=text[s.start : s.end], span=s) for s, type in spans)
    tagging = Tagging(source=text, tags=("drug", "illness"), at=len("Read: "))
    gold = Mentions(items=mentions)
    return example(number, text, gold, form="tagged", task="ner", types=TYPES, tagging=tagging)


def fitted(items: Sequence[Item], head: Head, folder: Path, settings: EncoderSettings = QUICK, **options: Any) -> Any:
    from taiyi.generate.encoder import Classifier
    from taiyi.train import encoder

    encoder.fit("scratch", head, items, folder, settings, **options)
    return Classifier.load(folder / encoder.MODEL)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An encoder that has learned to find drugs and illnesses."""
    train = [entities(n) for n in range(120)]
    head = baseline.head_of(train)
    assert head == Head(kind="spans", names=("Chemical", "Disease"))
    return fitted([baseline.item_of(e, head) for e in train], head, tmp_path_factory.mktemp("tagger"))


def test_an_encoder_from_nothing_learns_to_find_entities(tagger: Any) -> None:
    test = [entities(n) for n in range(301, 331)]
    engine = BaselineEngine(baseline.EncoderBaseline(tagger))
    predictions = {p.example: p for p in engine.generate(test, max_new_tokens=1, batch_tokens=1)}
    # What it answers is the source with tags in place, as of any model.
    assert all(tagged.read(predictions[e.id].text, e.tagging) is not None for e in test if e.tagging)
    scores = scoring.score(test, predictions)
    assert (f1.f1(f1.total(c for score in scores for c in score.counts.values())) or 0) > 0.9


def test_a_long_text_in_windows_is_read_as_in_one(tagger: Any) -> None:
    from taiyi.generate.encoder import Classifier

    items = [Item(texts=(text_of(n, 8)[0],)) for n in range(400, 410)]
    (whole, cut) = (
        list(
            Classifier(tagger.model, tagger.tokenizer, msgspec.structs.replace(tagger.head, max_tokens=size)).predict(
                items
            )
        )
        for size in (128, 64)
    )
    assert all(len(found.spans) >= 12 for found in whole)
    same = sum(len(set(a.spans) & set(b.spans)) for a, b in zip(whole, cut, strict=True))
    assert same >= 0.95 * sum(len(found.spans) for found in whole)
    assert max(span.end for found in cut for span, _ in found.spans) > 220


def test_a_word_counts_in_the_window_that_shows_most_around_it() -> None:
    import numpy as np

    from taiyi.features import Read, Window, Word
    from taiyi.generate.encoder import _mentions  # pyright: ignore[reportPrivateUsage]

    first = Window({"input_ids": [0] * 4}, words=(0, 1), at=(1, 3))
    second = Window({"input_ids": [0] * 6}, words=(1, 2), at=(2, 3))
    inside, outside = np.eye(3, dtype=np.float32)[[1, 0]]
    read = Read((first, second), (Word(0, 1), Word(1, 2), Word(2, 3)))
    said = [(first, np.stack([outside, outside, outside, inside])), (second, np.stack([outside] * 6))]
    head = Head(kind="spans", names=("A",))
    assert _mentions(read, said, head) == _mentions(read, said[::-1], head) == Found()
    said = [(first, np.stack([outside] * 4)), (second, np.stack([inside] * 6))]
    assert _mentions(read, said, head) == Found(spans=((Span(1, 2), "A"), (Span(2, 3), "A")))


def test_batches_do_not_change_what_is_found(tagger: Any) -> None:
    items = [Item(texts=(text_of(n, 1 + n % 4)[0],)) for n in range(20)]
    one_by_one = [found for item in items for found in tagger.predict([item])]
    assert list(tagger.predict(items, batch_tokens=200)) == one_by_one


def test_a_text_of_white_space_and_one_of_nothing_have_no_mentions(tagger: Any) -> None:
    assert list(tagger.predict([Item(texts=(" \n",)), Item(texts=("",))])) == [Found(), Found()]


def test_types_that_nest_in_one_another_are_found_both(tmp_path: Path) -> None:
    items: list[Item] = []
    for n in range(96):
        organ, ill = ("lung", "liver", "skin")[n % 3], ("cancer", "abscess")[n % 2]
        text = (f"we saw {organ} {ill} today", f"the {organ} of him", f"an {ill} again")[n // 2 % 3]
        spans = [(Span(at, at + len(organ)), "Body")] if (at := text.find(organ)) >= 0 else []
        if ill in text:
            spans.append((Span(at if at >= 0 else text.index(ill), text.index(ill) + len(ill)), "Disease"))
        items.append(Item(texts=(text,), gold=Found(spans=tuple(sorted(spans)))))
    found = fitted(items, Head(kind="spans", names=("Body", "Disease")), tmp_path)
    (said,) = found.predict([Item(texts=("we saw skin abscess today",))])
    assert said.spans == ((Span(7, 11), "Body"), (Span(7, 19), "Disease"))


def labelled(number: int) -> Example:
    text, spans = text_of(number, 1)
    drug = text[spans[0][0].start :].split()[0]
    names = [name for name, word in (("a", "aspirin"), ("c", "cause"), ("i", "insulin")) if word in text]
    shown = tuple(Shown(name=name, shown=name.upper()) for name in "aci")
    prompt = f"Classify the text. Labels: A, C, I\n{text}"
    assert drug
    return example(number, text, Labels(items=tuple(names)), form="list", task="tc", types=shown, prompt=prompt)


def test_any_number_of_labels_even_none(tmp_path: Path) -> None:
    train = [labelled(n) for n in range(120)]
    head = baseline.head_of(train)
    assert head == Head(kind="labels", names=("a", "c", "i"), at_least_one=False)
    found = fitted([baseline.item_of(e, head) for e in train], head, tmp_path, QUICK.model_copy(update={"epochs": 30}))
    test = [labelled(n) for n in range(300, 340)]
    engine = BaselineEngine(baseline.EncoderBaseline(found))
    predictions = {p.example: p for p in engine.generate(test, max_new_tokens=1, batch_tokens=1)}
    assert {p.text for p in predictions.values()} >= {"None", "C"}
    scores = scoring.score(test, predictions)
    assert (f1.f1(f1.total(c for score in scores for c in score.counts.values())) or 0) > 0.9


def test_one_label_where_every_example_has_one() -> None:
    one = [labelled(n) for n in range(60)]
    one = [e for e in one if len(getattr(e.gold, "items", ())) == 1]
    assert baseline.head_of(one).kind == "label"
    assert baseline.item_of(one[0], baseline.head_of(one)).texts == (one[0].messages[-1].content.split("\n")[1],)


def test_yes_and_no_from_a_question_and_a_long_context(tmp_path: Path) -> None:
    def asked(number: int) -> Example:
        context, _ = text_of(number, 9)
        drug = DRUGS[number % 2]
        key = "yes" if f"{drug} may cause" in context else "no"
        prompt = f"{context}\nDoes {drug} harm?\nAnswer with yes, no, maybe."
        return example(number, context, Choice(key=key), form="key", task="qa_yesno", prompt=prompt)

    train = [asked(n) for n in range(24)]
    head = baseline.head_of(train)
    assert head == Head(kind="label", names=("no", "yes"))
    items = [baseline.item_of(e, head) for e in train]
    assert items[0].texts[0] == "Does aspirin harm?"
    settings = EncoderSettings(epochs=1, max_tokens=48, overlap_tokens=8)
    found = fitted(items, head, tmp_path, settings)
    answers = list(baseline.EncoderBaseline(found).answers(train))
    assert {type(a) for a in answers} == {Choice}


def chosen(number: int) -> Example:
    options = [*DRUGS[number % 3 : number % 3 + 2], ILLS[number % 4]]
    keys = [(*options, options[0])[(number + n) % 3] for n in range(3)]
    right = "ABC"[next(n for n, option in enumerate(keys) if option in ILLS)]
    listed = "\n".join(f"{key}. {option}" for key, option in zip("ABC", keys, strict=True))
    return example(
        number,
        "",
        Choice(key=right),
        form="key",
        task="qa_mc",
        types=tuple(Shown(name=key, shown=option) for key, option in zip("ABC", keys, strict=True)),
        prompt=f"Which is an illness?\n{listed}\nAnswer with the letter of the right option.",
    )


def test_the_option_that_goes_best_with_a_question(tmp_path: Path) -> None:
    train = [chosen(n) for n in range(60)]
    head = baseline.head_of(train)
    items = [baseline.item_of(e, head) for e in train]
    assert (head.kind, items[0].texts) == ("option", ("Which is an illness?",))
    found = fitted(items, head, tmp_path)
    test = [chosen(n) for n in range(60, 90)]
    right = [a == e.gold for a, e in zip(baseline.EncoderBaseline(found).answers(test), test, strict=True)]
    assert sum(right) >= 27


def test_grades_are_within_their_scale(tmp_path: Path) -> None:
    scale = Scale(measure="similarity", lowest=1, highest=5)
    measure = (Shown(name="similarity", shown="similarity", scale=scale),)

    def graded(number: int) -> Example:
        one, other = DRUGS[number % 5], DRUGS[number // 5 % 5]
        prompt = (
            "How close are these two texts in meaning? Give their similarity as a number from 1 to 5; the higher, the "
            f"closer.\nText 1: {one}\nText 2: {other}"
        )
        gold = Value(value=5.0 if one == other else 1.0, scale=scale)
        return example(number, "", gold, form="answer", task="tp_ss", types=measure, prompt=prompt)

    train = [graded(n) for n in range(25)]
    head = baseline.head_of(train)
    items = [baseline.item_of(e, head) for e in train]
    assert (items[1].texts, items[1].gold.value, items[0].gold.value) == (("codeine", "aspirin"), 0.0, 1.0)
    assert baseline.answer_of(Found(value=0.25), train[0], head) == Value(value=2.0, scale=scale)
    answers = list(baseline.EncoderBaseline(fitted(items, head, tmp_path)).answers(train))
    assert all(isinstance(a, Value) and 1 <= a.value <= 5 for a in answers)


# --- relations -------------------------------------------------------------------------------------------------------

CAUSES = (Shown(name="CID", shown="causes"),)


def relation(number: int) -> tuple[Example, Example]:
    """Return an example about the relations of a text and one about its entities."""
    drug, other = DRUGS[number % 3], DRUGS[3 + number % 2]
    ill = ILLS[number % 4]
    text = f"{drug} may cause {ill} . we gave {other} ."
    names = ((drug, "Chemical"), (ill, "Disease"), (other, "Chemical"))
    spans = [(Span(text.index(name), text.index(name) + len(name)), type) for name, type in names]
    mentions = tuple(Mention(type=type, text=text[s.start : s.end], span=s) for s, type in sorted(spans))
    gold = Triples(items=(Triple(head=drug, tail=ill, type="CID"),))
    prompt = f"Extract the relations as (head, tail, relation). Relations: causes\n{text}"
    about = example(number, text, gold, form="list", task="re", types=CAUSES, prompt=prompt)
    tagging = Tagging(source=text, tags=("drug", "illness"), at=len("Read: "))
    return about, example(
        number, text, Mentions(items=mentions), form="tagged", task="ner", types=TYPES, tagging=tagging
    )


def test_pairs_are_of_names_whose_types_are_related_in_training() -> None:
    texts = [baseline.related(*relation(n)) for n in range(3)]
    joined = baseline.joined(texts)
    assert joined.types == (("Chemical", "Disease"),)
    pairs = dict(baseline.pair_items(texts[0], joined, CAUSES))
    assert set(pairs) == {("aspirin", "asthma"), ("digoxin", "asthma")}
    first = pairs["aspirin", "asthma"]
    assert first.texts == ("<e1>aspirin</e1> may cause<e2> asthma</e2> . we gave digoxin .",)
    assert first.gold.labels == ("CID",)
    assert pairs["digoxin", "asthma"].gold.labels == ()
    # A name is not related to itself, of whatever types it is.
    names = {("lead", "Chemical"): [Span(0, 4)], ("lead", "Disease"): [Span(8, 12)]}
    assert not list(baseline.pair_items(baseline.Related("lead in lead", names, frozenset()), joined, CAUSES))


def test_without_entities_heads_and_tails_are_names() -> None:
    about, _ = relation(0)
    text = baseline.related(about, None)
    assert text.names == {("aspirin", "head"): [Span(0, 7)], ("asthma", "tail"): [Span(18, 24)]}
    assert baseline.joined([text]).types == (("head", "tail"),)
    assert baseline.mention_head([text]).names == ("head", "tail")


def test_a_name_is_found_outside_of_other_words_where_it_is() -> None:
    prompt = "Extract the relations as (head, tail, relation). Relations: causes\nWAS was in wast and WAS."
    about = example(
        0, "", Triples(items=(Triple(head="WAS", tail="wa", type="CID"),)), form="list", task="re", types=CAUSES,
        prompt=prompt,
    )  # fmt: skip
    assert baseline.related(about, None).names == {
        ("WAS", "head"): [Span(0, 3), Span(20, 23)],
        ("wa", "tail"): [Span(4, 6), Span(11, 13)],
    }


@pytest.mark.slow
def test_relations_are_found_from_end_to_end(tmp_path: Path) -> None:
    texts = [baseline.related(*relation(n)) for n in range(60)]
    joined = baseline.joined(texts)
    mentions = fitted([baseline.mention_item(t) for t in texts], baseline.mention_head(texts), tmp_path / "mentions")
    pairs = [item for text in texts for _, item in baseline.pair_items(text, joined, CAUSES)]
    relations = fitted(pairs, baseline.pair_head(CAUSES), tmp_path / "pairs", tokens=baseline.MARKS)
    assert relations.tokenizer.tokenize("<e1>") == ["<e1>"]
    test = [relation(n)[0] for n in range(60, 84)]
    engine = BaselineEngine(baseline.PairBaseline(mentions, relations, joined))
    predictions = {p.example: p for p in engine.generate(test, max_new_tokens=1, batch_tokens=1)}
    scores = scoring.score(test, predictions)
    assert (f1.f1(f1.total(c for score in scores for c in score.counts.values())) or 0) > 0.9


# --- fine-tuning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "owner", "option", "logits", "target", "value"),
    [
        # Means of (1, 2) and (1, 0), each right by one.
        (Head(kind="label", names=("a", "b")), [0, 0, 1], [0, 0, 0], [[0, 4], [2, 0], [1, 0]], [1, 0], 0.313262),
        (Head(kind="labels", names=("a", "b")), [0, 0], [0, 0], [[-3, 1], [3, -1]], [[1.0, 0.0]], math.log(2)),
        (Head(kind="value"), [0, 1, 1], [0, 0, 0], [[0.5], [0.0], [1.0]], [0.75, 1.0], (0.0625 + 0.25) / 2),
        # Three options, of which one is in two windows, and two.
        (
            Head(kind="option"), [0, 0, 0, 0, 1, 1], [0, 1, 2, 2, 0, 1], [[0], [0], [5], [-5], [0], [0]], [1, 0],
            math.log(6) / 2,
        ),
    ],
)  # fmt: skip
def test_losses_by_hand_are_of_means_over_windows(
    head: Head, owner: list[int], option: list[int], logits: Any, target: Any, value: float
) -> None:
    import torch

    from taiyi.train.encoder_batch import loss

    batch = {"owner": torch.tensor(owner), "option": torch.tensor(option), "target": torch.tensor(target)}
    assert loss(head, torch.tensor(logits, dtype=torch.float32), batch).item() == pytest.approx(value, abs=1e-6)


def test_the_loss_of_tags_is_that_of_the_first_tokens_of_words(tagger: Any) -> None:
    import torch

    from taiyi.train.encoder_batch import collate, entries_of, loss

    texts = [baseline.item_of(entities(n), tagger.head) for n in (1, 2)]
    entries = [entry for item in texts for entry in entries_of(item, tagger.tokenizer, tagger.head)]
    batch = collate(entries, tagger.tokenizer, tagger.head)
    logits = torch.zeros((*batch["inputs"]["input_ids"].shape, 3 * len(tagger.head.names)))
    assert loss(tagger.head, logits, batch).item() == pytest.approx(math.log(3))
    for (row, place), tags in zip(zip(batch["row"], batch["place"], strict=True), batch["target"], strict=True):
        for layer, tag in enumerate(tags):
            logits[row, place, 3 * layer + tag] = 50.0
    assert loss(tagger.head, logits, batch).item() == pytest.approx(0.0)
    assert len(batch["target"]) == sum(len(entry.target) for entry in entries) > 30


@cache
def small() -> tuple[list[Item], Head]:
    train = [entities(n) for n in range(16)]
    head = baseline.head_of(train)
    return [baseline.item_of(e, head) for e in train], head


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    settings = EncoderSettings(epochs=1)
    items, head = small()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fitted(items, head, tmp_path / name, settings.model_copy(update={"seed": seed}))
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")


class Killed(BaseException):
    """Nothing catches it, as nothing does a signal."""


def scored(*scores: float) -> tuple[Callable[..., float], list[list[float]]]:
    """Return what gives an encoder in the making these scores, and what it tells of those that it saw."""
    seen: list[list[float]] = []

    def dev(model: Any, tokenizer: Any, head: Head) -> float:
        seen.append(model.state_dict()["classifier.bias"].tolist())
        return scores[len(seen) - 1]

    return dev, seen


@contextmanager
def killed(method: str, nth: int) -> Generator[None]:
    """Kill a fit where its trainer does something for the n-th time."""
    from taiyi.train import encoder

    trainer, count = encoder._Trainer, 0  # pyright: ignore[reportPrivateUsage]
    does = getattr(trainer, method)

    def does_or_dies(*given: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == nth:
            raise Killed
        return does(*given, **options)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(trainer, method, does_or_dies)
        yield


def nothing(folder: Path) -> None:
    """What happens to a folder between a kill and the next try, mostly."""


def half_a_state(folder: Path) -> None:
    (cut,) = (path for path in folder.glob("checkpoints/*") if not (path / "trainer_state.json").exists())
    (cut / "trainer_state.json").write_text('{"best_global_step": 1, "be')


def other_place(folder: Path) -> None:
    """The folder was moved: its best epoch is not where it was."""
    for path in folder.rglob("trainer_state.json"):
        path.write_text(path.read_text().replace(str(folder), str(folder.with_name("elsewhere"))))


THREE, SCORES = EncoderSettings(epochs=3, patience=5), (0.2, 0.3, 0.1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, bytes]:
    """What came of a fit of three epochs, and its weights."""
    from taiyi.train import encoder

    (items, head), folder = small(), tmp_path_factory.mktemp("whole")
    result = encoder.fit("scratch", head, items, folder, THREE, dev=scored(*SCORES)[0])
    assert (result.epochs, result.kept, result.scores) == (3, 2, SCORES)
    return result, weights(folder)


@pytest.mark.parametrize(
    ("method", "nth", "happens", "left"),
    [
        ("evaluate", 2, nothing, 2),
        ("evaluate", 3, nothing, 1),
        ("_save_optimizer_and_scheduler", 2, nothing, 2),
        ("_save_rng_state", 2, half_a_state, 2),
        ("evaluate", 3, other_place, 3),
        ("_load_best_model", 1, nothing, 0),
    ],
)
def test_a_fit_that_is_killed_goes_on_from_its_last_whole_epoch_to_the_same_weights(
    method: str, nth: int, happens: Callable[[Path], None], left: int, whole: tuple[Any, bytes], tmp_path: Path
) -> None:
    from taiyi.train import encoder

    items, head = small()
    with killed(method, nth):
        encoder.fit("scratch", head, items, tmp_path, THREE, dev=scored(*SCORES)[0])
    happens(tmp_path)
    dev, seen = scored(*SCORES[3 - left :])
    result = encoder.fit("scratch", head, items, tmp_path, THREE, dev=dev)
    assert (result, weights(tmp_path)) == whole
    assert len(seen) == left


@pytest.mark.parametrize(("method", "nth", "left"), [("evaluate", 3, 1), ("_load_best_model", 1, 0)])
def test_epochs_that_were_no_better_count_across_an_interruption(
    method: str, nth: int, left: int, tmp_path: Path
) -> None:
    from taiyi.train import encoder

    settings, (items, head), scores = EncoderSettings(epochs=6, patience=2), small(), (0.5, 0.4, 0.3)
    with killed(method, nth):
        encoder.fit("scratch", head, items, tmp_path, settings, dev=scored(*scores)[0])
    dev, seen = scored(*scores[3 - left :], 0.9)
    assert encoder.fit("scratch", head, items, tmp_path, settings, dev=dev).scores == scores
    assert len(seen) == left


def test_the_best_epoch_is_kept_and_it_stops_where_it_gets_no_better(tmp_path: Path) -> None:
    from taiyi.generate.encoder import Classifier
    from taiyi.train import encoder

    items, head = small()
    dev, seen = scored(0.2, 0.5, 0.5, 0.3, 0.6)
    result = encoder.fit("scratch", head, items, tmp_path, EncoderSettings(epochs=6, patience=2), dev=dev)
    assert (result.epochs, result.kept, result.scores) == (4, 2, (0.2, 0.5, 0.5, 0.3))
    kept = Classifier.load(tmp_path / "model").model.state_dict()["classifier.bias"].tolist()
    assert kept == seen[1] != seen[3]


def test_what_cannot_be_learned_is_said(tmp_path: Path) -> None:
    from taiyi.train import encoder

    items, head = small()
    for nothing, of in (([], head), ([Item(texts=(" ",))], head), (items, Head(kind="spans"))):
        with pytest.raises(TrainError, match="there is nothing to learn from"):
            encoder.fit("scratch", of, nothing, tmp_path, QUICK)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", b"", "no model here"),
        ("config.json", b"{}", "cannot be loaded; got Unrecognized model"),
        ("tokenizer.json", b"", "cannot be loaded"),
        ("model.safetensors", b"", "cannot be loaded; got Error no file"),
        ("model.safetensors", b"half of it", "cannot be loaded; got Error while deserializing"),
    ],
)
def test_a_folder_without_a_whole_encoder_is_refused(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    from taiyi.generate.encoder import Classifier
    from taiyi.train import encoder

    items, head = small()
    fitted(items[:1], head, tmp_path / "first", EncoderSettings(epochs=1))
    folder = tmp_path / "first" / "model"
    (folder / name).unlink()
    if content:
        (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        encoder.fit(folder, head, items, tmp_path / "second", QUICK)
    with pytest.raises(ModelError, match=f"{folder}: the encoder cannot be loaded; got"):
        Classifier.load(folder)


def test_a_hub_id_that_cannot_be_had_and_a_decoder_are_refused(tmp_path: Path) -> None:
    from transformers import GPT2Config

    from taiyi.train import encoder

    items, head = small()
    with pytest.raises(ModelError, match="nobody/nothing: the model cannot be loaded; got no such folder"):
        encoder.fit("nobody/nothing", head, items, tmp_path, QUICK)
    GPT2Config().save_pretrained(tmp_path / "decoder")
    with pytest.raises(ModelError, match=r"this is a decoder, .*; got gpt2; expected an encoder"):
        encoder.fit(tmp_path / "decoder", head, items, tmp_path, QUICK)


def test_a_folder_is_fine_tuned_with_a_head_of_another_size(tmp_path: Path) -> None:
    """A fitted encoder serves as the base of another."""
    from taiyi.train import encoder

    items, head = small()
    first = fitted(items, head, tmp_path / "first", EncoderSettings(epochs=1))
    texts = [Item(texts=item.texts, gold=Found(labels=("b",))) for item in items]
    result = encoder.fit(
        tmp_path / "first" / "model", Head(kind="label", names=("a", "b", "c")), texts, tmp_path / "second",
        EncoderSettings(epochs=1),
    )  # fmt: skip
    assert result.learning_rate == 5e-5
    assert abs(result.parameters - sum(p.numel() for p in first.model.parameters())) < 50_000
