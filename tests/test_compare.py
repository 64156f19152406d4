"""Two evaluations beside each other: numbers by hand, faults of either side, and the command."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from taiyi import cli, storage, tasks
from taiyi.errors import TaiyiError
from taiyi.evaluate import protocols, report, suites
from taiyi.evaluate.aggregate import SetResult, missing
from taiyi.evaluate.compare import CompareError, compare, holm, same_records
from taiyi.evaluate.plots_runs import PANELS, runs_svg
from taiyi.evaluate.report import RunResult
from taiyi.evaluate.run import Answered, answered
from taiyi.manifest import MANIFEST, Manifest
from taiyi.schema import Choice, Example, Mention, Mentions, Message, Prediction, Shown, Span, Tagging
from taiyi.steps import predictions
from taiyi.steps.comparison import compared
from taiyi.steps.declared import ASKED, set_digest
from taiyi.storage import StorageError

NER, CHOICE = "demo_cdr_ner", "demo_medqa_en_qa_mc"
TEXT = "zinc and iron"
BOTH = "<chemical>zinc</chemical> and<chemical> iron</chemical>"
ONE = "<chemical>zinc</chemical> and iron"
NONE = TEXT
TOO_MANY = "<chemical>zinc</chemical><chemical> and</chemical><chemical> iron</chemical>"


def entities(record: int, form: str = "tagged") -> Example:
    tagged = form == "tagged"
    gold = [
        Mention(type="Chemical", text=t, span=Span(*s) if tagged else None)
        for t, s in (("zinc", (0, 4)), ("iron", (9, 13)))
    ]
    return Example(
        id=f"demo_cdr/test/{record}#ner.en.01.{form}",
        corpus="demo_cdr",
        task="ner",
        lang="en",
        split="test",
        template="ner.en.01",
        form=form,
        record=str(record),
        messages=(Message(role="user", content=TEXT),),
        answer=TEXT,
        gold=Mentions(items=tuple(gold)),
        types=(Shown(name="Chemical", shown="chemical"),),
        source=Span(0, len(TEXT)),
        tagging=Tagging(source=TEXT, tags=("chemical",), at=0) if tagged else None,
    )


def choice(record: int) -> Example:
    return Example(
        id=f"demo_medqa_en/test/{record}#qa_mc.en.01.key",
        corpus="demo_medqa_en",
        task="qa_mc",
        lang="en",
        split="test",
        template="qa_mc.en.01",
        form="key",
        record=str(record),
        messages=(Message(role="user", content="Which?"),),
        answer="A",
        gold=Choice(key="A"),
        types=(Shown(name="A", shown="zinc"), Shown(name="B", shown="iron")),
    )


def given_to(examples: Sequence[Example], texts: Sequence[str]) -> list[Prediction]:
    return [Prediction(example=e.id, text=t, finish="stop") for e, t in zip(examples, texts, strict=True)]


def records(examples: Sequence[Example], texts: Sequence[str]) -> list[Answered]:
    return answered(examples, {p.example: p for p in given_to(examples, texts)})


def own(name: str, ours: Sequence[Answered], theirs: Sequence[Answered]) -> Any:
    test_set = suites.test_set(name)
    return compare(test_set, protocols.of(test_set)[0], same_records(name, ours, theirs))


# --- what is computed ------------------------------------------------------------------------------------------------


def test_scores_difference_and_changes_by_hand() -> None:
    asked = [entities(n) for n in range(4)]
    first = records(asked, [BOTH, ONE, NONE, ONE])  # 4 of 8 found, none too many: F1 8/12
    second = records(asked, [ONE, BOTH, NONE, TOO_MANY])  # 5 of 8 found, 1 too many: F1 10/14
    found = own(NER, first, second)
    assert (found.first, found.second) == (pytest.approx(8 / 12), pytest.approx(10 / 14))
    assert found.difference == pytest.approx(10 / 14 - 8 / 12)
    assert found.ci_low < found.difference < found.ci_high
    assert (found.num_records, found.num_better, found.num_worse) == (4, 2, 1)
    # Record 3 goes from F1 2/3 to 4/5, the others by 1/3.
    assert [(c.record, c.to) for c in found.changes] == [
        ("demo_cdr/test/0", "worse"),
        ("demo_cdr/test/1", "better"),
        ("demo_cdr/test/3", "better"),
    ]
    last = found.changes[-1]
    assert (last.first, last.first_errors) == ("partly right: 1 of 2 found, 0 too many", {"missed": 1})
    assert (last.second, last.second_errors) == ("partly right: 2 of 2 found, 1 too many", {"spurious": 1})


def test_a_system_beside_itself_differs_in_nothing() -> None:
    asked = [entities(n) for n in range(5)]
    same = records(asked, [BOTH, ONE, NONE, TOO_MANY, "garbage"])
    found = own(NER, same, same)
    assert (found.difference, found.ci_low, found.ci_high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert found.changes == ()


def test_a_clear_difference_is_significant_and_a_chance_one_is_not() -> None:
    asked = [choice(n) for n in range(40)]
    better = own(CHOICE, records(asked, "A" * 10 + "B" * 30), records(asked, "A" * 30 + "B" * 10))
    assert (better.first, better.second, better.num_better, better.num_worse) == (0.25, 0.75, 20, 0)
    assert better.p < 0.01 and better.ci_low > 0
    even = own(CHOICE, records(asked, "AB" * 20), records(asked, "BA" * 19 + "AA"))
    assert even.p > 0.5 and even.ci_low < 0 < even.ci_high


def test_an_answer_that_cannot_be_parsed_is_no_better_than_a_wrong_one() -> None:
    asked = [entities(n, "list") for n in range(4)]
    first = records(asked, ["chemical: tin", "?", "?", "chemical: tin; lead"])
    second = records(asked, ["?", "chemical: tin", "chemical: zinc", "chemical: tin"])
    assert [(c.record, c.to) for c in own(NER, first, second).changes] == [
        ("demo_cdr/test/2", "better"),
        # As wrong, but with fewer that are too many.
        ("demo_cdr/test/3", "better"),
    ]


def under(protocol: str, name: str, ours: Sequence[Answered], theirs: Sequence[Answered]) -> Any:
    test_set = suites.test_set(name)
    return compare(test_set, protocols.get(test_set, protocol), same_records(name, ours, theirs))


def test_of_a_score_that_is_nothing_but_sums_its_measure_is_told() -> None:
    asked = [entities(n) for n in range(2)]
    found = under("relaxed", NER, records(asked, [ONE, NONE]), records(asked, [BOTH, NONE]))
    [change] = found.changes
    assert (change.to, change.first, change.second) == ("better", "scores 0.67", "scores 1.00")


def test_what_becomes_unparsable_is_no_better_under_a_protocol_that_leaves_it_out() -> None:
    asked = [choice(n) for n in range(3)]
    wrong, right, unread = (records(asked, answers) for answers in ("BBB", "AAA", "???"))
    assert under("parsed", CHOICE, wrong, unread).num_better == 0
    assert under("parsed", CHOICE, right, unread).num_worse == 3


def test_a_protocol_that_answers_of_one_side_do_not_fit_says_so() -> None:
    test_set = suites.test_set(NER)
    asked, listed = [entities(n) for n in range(3)], [entities(n, "list") for n in range(3)]
    pairs = same_records(NER, records(asked, [BOTH] * 3), records(listed, ["chemical: zinc; iron"] * 3))
    by_name = {p.name: compare(test_set, p, pairs) for p in protocols.of(test_set)}
    assert by_name[protocols.OWN].difference == 0.0
    unfit = {name: found.unfit for name, found in by_name.items() if found.unfit}
    assert unfit and all(fault.startswith("second: ") for fault in unfit.values())
    assert all(by_name[name].p is None for name in unfit)


def test_other_gold_of_a_record_is_refused() -> None:
    ours = records([entities(0)], [BOTH])
    fewer = msgspec.structs.replace(entities(0), gold=Mentions(items=entities(0).gold.items[:1]))  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(CompareError, match="demo_cdr/test/0: the gold of a record differs"):
        own(NER, ours, records([fewer], [BOTH]))


def test_records_that_one_side_lacks_are_refused() -> None:
    two, three = ([entities(n) for n in range(size)] for size in (2, 3))
    ours, theirs = records(two, [ONE] * 2), records(three, [ONE] * 3)
    with pytest.raises(CompareError, match=r"the first run lacks records.*demo_cdr/test/2"):
        same_records(NER, ours, theirs)
    with pytest.raises(CompareError, match="the second run lacks records"):
        same_records(NER, theirs, ours)
    with pytest.raises(CompareError, match="the second run answers a record twice"):
        same_records(NER, ours, [*ours, ours[0]])


# --- Holm ------------------------------------------------------------------------------------------------------------


def test_holm_by_hand() -> None:
    # The smallest times 4, the next times 3, and none below one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_the_p_value_and_bonferronis(ps: list[float]) -> None:
    found = holm(ps)
    for p, q in zip(ps, found, strict=True):
        assert q is not None
        assert p <= q <= min(1.0, len(ps) * p) + 1e-12
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    corrected = [found[i] for i in order]
    assert corrected == sorted(corrected)  # pyright: ignore[reportArgumentType, reportCallIssue]


# --- runs ------------------------------------------------------------------------------------------------------------

CORPORA = {NER: "demo_cdr", CHOICE: "demo_medqa_en"}


def step(folder: Path, inputs: dict[str, Any]) -> None:
    name = folder.name.partition("-")[0]
    made = Manifest(step=name, inputs=inputs, facts={}, files={}, seconds=0.0, finished="2026-01-01T00:00:00Z")
    storage.write_json(made, folder / MANIFEST)


def run(place: Path, sets: dict[str, list[tuple[Example, str]]], *, older: bool = False, version: str = "1") -> Path:
    """A run that was evaluated, as its steps leave it; an older one has its answers as JSON lines."""
    data, answers, report = place / "data-0", place / "predictions-0", place / "report-0"
    for name, pairs in sets.items():
        examples = [example for example, _ in pairs]
        storage.write_parquet(examples, data / f"test-{name}.parquet", Example)
        storage.write_jsonl(given_to(examples, [text for _, text in pairs]), predictions.working(answers, name))
        if not older:
            predictions.keep(answers, name)
    step(
        data,
        {
            "corpora": {CORPORA[name]: version for name in sets},
            "declared": {CORPORA[name]: "1" for name in sets},
            "tests": {name: set_digest(suites.test_set(name), ASKED) for name in sets},
        },
    )
    step(answers, {"data": data.name})
    step(report, {"predictions": answers.name, "tests": dict.fromkeys([*sets, "missing"], "1")})
    storage.write_json({"model": "m", "report": report.name}, place / "run.json")
    return place


def several(texts: Sequence[str]) -> list[tuple[Example, str]]:
    return [(entities(n), text) for n, text in enumerate(texts)]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    choices = [(choice(n), "A") for n in range(4)]
    first = run(tmp_path / "a", {NER: several([BOTH, ONE, NONE, ONE]), CHOICE: choices})
    second = run(tmp_path / "b", {NER: several([ONE, BOTH, NONE, TOO_MANY])}, older=True)
    return first, second


def call(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["eval", "compare", *map(str, arguments)])


def test_answers_are_kept_as_parquet_and_read_as_either(two: tuple[Path, Path], tmp_path: Path) -> None:
    kept, older = (place / "predictions-0" for place in two)
    assert sorted(p.suffix for p in kept.iterdir() if p.stem == NER) == [".parquet"]
    assert sorted(p.suffix for p in older.iterdir() if p.stem == NER) == [".jsonl"]
    columns = storage.read_column(kept / f"{NER}.parquet", "finish").to_pylist()
    assert columns == ["stop"] * 4
    assert [p.text for p in predictions.read(kept, NER)] == [BOTH, ONE, NONE, ONE]
    assert predictions.keep(older, NER) == given_to([entities(n) for n in range(4)], [ONE, BOTH, NONE, TOO_MANY])
    with pytest.raises(StorageError, match="is not there any more"):
        predictions.read(tmp_path, NER)


def test_a_last_line_that_was_cut_is_taken_away(tmp_path: Path) -> None:
    path = predictions.working(tmp_path, "s")
    storage.write_jsonl(given_to([entities(0), entities(1)], [ONE, ONE]), path)
    path.write_bytes(path.read_bytes()[:-5])
    assert [p.example for p in predictions.made(tmp_path, "s")] == [entities(0).id]
    assert [p.example for p in predictions.keep(tmp_path, "s")] == [entities(0).id]
    assert [p.example for p in predictions.made(tmp_path, "s")] == [entities(0).id]
    assert predictions.made(tmp_path, "another") == []


@given(
    st.lists(
        st.builds(
            Prediction,
            example=st.text(max_size=5),
            text=st.text(max_size=20),
            finish=st.sampled_from(["stop", "length"]),
            num_tokens=st.integers(0, 10**6),
            seconds=st.floats(0, 1e6),
        ),
        max_size=4,
    )
)
def test_any_answer_comes_back_from_parquet(tmp_path_factory: pytest.TempPathFactory, made: list[Prediction]) -> None:
    folder = tmp_path_factory.mktemp("predictions")
    storage.write_jsonl(made, predictions.working(folder, "s"))
    assert predictions.keep(folder, "s") == made
    assert predictions.read(folder, "s") == made
    assert not predictions.working(folder, "s").exists()


def test_only_what_both_have_is_compared(two: tuple[Path, Path]) -> None:
    found = compared(*two)
    assert {c.set for c in found} == {NER}
    assert [c.protocol for c in found] == [p.name for p in protocols.of(suites.test_set(NER))]
    # The folder of a report does as well.
    assert compared(two[0] / "report-0", two[1] / "report-0") == found


def test_the_command_shows_scores_and_changes(two: tuple[Path, Path]) -> None:
    shown = call(*two, "--show", 1)
    assert shown.exit_code == 0, shown.output
    for part in (
        "66.7",
        "71.4",
        "+4.8",
        "worse  demo_cdr/test/0",
        "(1 missed)",
        "and 2 more; --show 3 shows all",
        "Holm",
    ):
        assert part in shown.stdout, part
    assert "records that changed" not in call(*two, "--show", 0).stdout
    rows = json.loads(call(*two, "--json", "--set", NER).stdout)
    assert rows[0]["set"] == NER
    assert [change["to"] for change in rows[0]["changes"]] == ["worse", "better", "better"]
    assert rows[0]["p_holm"] == rows[0]["p"]


# --- several runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def three(two: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path, Path]:
    return (*two, run(tmp_path / "c", {NER: several([BOTH] * 4)}))


def test_each_of_several_runs_is_compared_with_the_first(three: tuple[Path, Path, Path]) -> None:
    first, second, third = three
    found = compared(first, second, third)
    names = [p.name for p in protocols.of(suites.test_set(NER))]
    assert [(c.protocol, c.run) for c in found] == [(name, run) for name in names for run in "BC"]
    # Each pair is what it is alone, but for p-values that are corrected for more.
    for run_, other in (("B", second), ("C", third)):
        alone = [msgspec.structs.replace(c, run=run_, p_holm=None) for c in compared(first, other)]
        assert [msgspec.structs.replace(c, p_holm=None) for c in found if c.run == run_] == alone
    own_of = [c for c in found if c.protocol == protocols.OWN]
    assert [c.p_holm for c in own_of] == holm([c.p for c in own_of])
    shown = call(*three, "--show", 1)
    assert shown.exit_code == 0, shown.output
    assert [line for line in shown.stdout.splitlines() if line[:3] in ("A: ", "B: ", "C: ")] == [
        f"{name}: {place}" for name, place in zip("ABC", three, strict=True)
    ]
    for part in ("It - A", "the test sets and runs", "    C: right"):
        assert part in shown.stdout, part
    # Sets that one of them lacks are not compared.
    assert {c.set for c in compared(first, first, second)} == {NER}
    assert {c.set for c in compared(first, first)} == {NER, CHOICE}


def write_report(place: Path, *results: SetResult) -> None:
    report.write(RunResult(name=place.name, title="", description="", results=results), place / "report-0")


def result(name: str, value: float | None, *, low: float = 0.1, high: float = 0.9) -> SetResult:
    return msgspec.structs.replace(missing(suites.test_set(name)), missing="", value=value, ci_low=low, ci_high=high)


def test_scores_of_runs_are_drawn(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    for number, place in enumerate(three):
        write_report(place, result(NER, 0.2 + number / 4), result(CHOICE, 0.5))
    path = tmp_path / "plots" / "figure.svg"
    shown = call(*three, "--plot", path)
    assert shown.exit_code == 0, shown.output
    assert f"Plot: {path.resolve()}" in shown.stdout.replace("\n", "")
    drawn = path.read_text(encoding="utf-8")
    texts = re.findall(r">([^<>]+)</text>", drawn)
    assert {"A: a", "B: b", "C: c", "(A) NER", "micro-F1, %"} <= set(texts)
    # What one of them lacks is not drawn.
    assert "(B) QA" not in texts
    assert call(*three, "--plot", path).exit_code == 0
    assert path.read_text(encoding="utf-8") == drawn
    faulty = call(*three, "--plot", tmp_path / "figure.png")
    assert faulty.exit_code == 1
    assert "--plot: plots are SVG" in faulty.stderr
    (three[1] / "report-0" / "results.json").unlink()
    assert "the report has no results" in call(*three, "--plot", path).stderr


def test_every_task_has_a_panel() -> None:
    named = [task for _, of in PANELS for task in of]
    assert sorted(named) == sorted(tasks.names())


def test_plots_of_little_and_of_odd_scores() -> None:
    assert runs_svg({"a": (), "b": ()}).startswith("<?xml")
    correlation = result("biosses_similarity", -0.5, low=-0.9, high=-0.1)
    drawn = runs_svg({"a": (correlation,), "b": (result("biosses_similarity", None),)})
    labels = [text.replace("\N{MINUS SIGN}", "-") for text in re.findall(r">([^<>]+)</text>", drawn)]
    assert "Pearson's r, %" in labels
    assert "-75" in labels or "-50" in labels
    # An interval that does not hold its score has no arm on that side, and is no error.
    assert runs_svg({"a": (result(NER, 0.95),)})


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (
            lambda a, b: run(b, {NER: several([ONE] * 4)}, version="2"),
            "two versions of a test set; got other in the raw",
        ),
        (lambda a, b: run(b, {NER: several([ONE] * 3)}), "the second run lacks records that the other has"),
        (lambda a, b: run(b, {CHOICE: []}), "lacks records"),
        (
            lambda a, b: storage.write_jsonl(
                given_to([entities(n) for n in (0, 1, 2, 3, 3)], [ONE] * 5),
                predictions.working(b / "predictions-0", NER),
            ),
            "examples with several predictions; got 1, such as demo_cdr/test/3#",
        ),
        (
            lambda a, b: storage.write_jsonl(
                given_to([entities(n) for n in (0, 1, 2)], [ONE] * 3), predictions.working(b / "predictions-0", NER)
            ),
            "examples without a prediction; got 1, such as demo_cdr/test/3#",
        ),
        (
            lambda a, b: storage.write_jsonl(
                given_to([entities(n) for n in range(5)], [ONE] * 5), predictions.working(b / "predictions-0", NER)
            ),
            "predictions for something else; got 1, such as demo_cdr/test/4#",
        ),
        (lambda a, b: shutil.rmtree(b / "data-0"), "what the report was made from is not there"),
        (lambda a, b: (b / "run.json").write_text('{"model": "m"}'), "the run was not evaluated yet"),
        (lambda a, b: (b / "run.json").unlink(), "no report here"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(two: tuple[Path, Path], spoil: Any, fault: str) -> None:
    spoil(*two)
    result = call(*two)
    assert result.exit_code == 1, result.output
    assert fault in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_set_that_this_version_asks_otherwise_has_a_row_and_no_scores(two: tuple[Path, Path]) -> None:
    for place in two:
        path = place / "data-0" / MANIFEST
        path.write_text(path.read_text().replace(set_digest(suites.test_set(NER), ASKED), "older"))
    [found] = compared(*two)
    assert (found.set, found.protocol, found.first, found.p) == (NER, protocols.OWN, None, None)
    assert found.unfit.startswith("evaluated on another version of this test set")
    assert "another version" in call(*two).stdout


def test_runs_without_a_set_in_common_are_said(tmp_path: Path) -> None:
    first, second = run(tmp_path / "a", {NER: several([ONE])}), run(tmp_path / "b", {CHOICE: [(choice(0), "A")]})
    with pytest.raises(TaiyiError, match=f"no test set in common; got {NER} and {CHOICE}"):
        compared(first, second)
    with pytest.raises(TaiyiError, match="not a test set of both runs; got demo_cdr_nerr"):
        compared(first, first, sets=["demo_cdr_nerr"])


def test_evaluation_stays_a_plain_command() -> None:
    def shown(*arguments: str) -> Any:
        return CliRunner().invoke(cli.app, ["eval", *arguments])

    told = shown("--help").stdout
    assert "--suite" in told and "compare" in told and "MODEL" in told
    assert "--show" in shown("compare", "--help").stdout
    assert "taiyi13: 13 test sets" in shown("--list-suites").stdout
    # Options may stand on either side of the model, as before.
    for order in (("nowhere/at/all", "--suite", "demo"), ("--suite", "demo", "nowhere/at/all")):
        assert "nowhere" in shown(*order).output
    assert shown("nowhere/at/all", "twice", "--suite", "demo").exit_code == 2
