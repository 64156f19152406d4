from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from taiyi.errors import FormatError
from taiyi.evaluate import curves, report, suites, tables
from taiyi.evaluate.aggregate import SetResult, evaluate, missing
from taiyi.evaluate.curves import DevPoint, StageCurves
from taiyi.evaluate.plots import scores_svg
from taiyi.evaluate.report import LossPoint, RunResult, Sample
from taiyi.evaluate.tables import StatisticsRow
from taiyi.schema import Counts, Score

VOID = {"meta", "br", "img", "path", "use", "rect", "link"}


def scored(test_set: suites.TestSet, size: int = 12) -> SetResult:
    generator = np.random.default_rng(len(test_set.name))
    scores: list[Score] = []
    for i in range(size):
        if test_set.metric == "micro_f1":
            tp, fp, fn = (int(n) for n in generator.integers(0, 4, 3))
            type_name = (test_set.types or ("Disease", "药物 <b>", "a|b"))[i % len(test_set.types or "abc")]
            scores.append(Score(record=str(i), counts={type_name: Counts(tp=tp, fp=fp, fn=fn)}))
        else:
            scores.append(Score(record=str(i), value=float(generator.integers(0, 2))))
    scores.append(Score(record="x", state="unparsable", reason="no option key", value=None))
    return evaluate(test_set, scores, resamples=50)


@pytest.fixture(scope="module")
def run() -> RunResult:
    results = [missing(s) if s.missing else scored(s) for s in suites.get("taiyi13")]
    results += [scored(s) for s in suites.get("biored_unseen")]
    samples = [
        Sample(
            task=task,
            set="一个 set",
            prompt=f"找出疾病 {i} | <script>alert(1)</script>\nsecond line",
            gold="感冒；发热",
            answer="\x1b[31m感冒 [bold]",
            verdict=("right", "unparsable: no key", "scores 0.31", "wrong")[i],
            lang="zh",
        )
        for i in range(4)
        for task in ("ner", "qa_mc")
    ]
    return RunResult(
        name="synthetic",
        title="Synthetic run 合成",
        description="Made up for a test: no model was trained.",
        results=tuple(results),
        samples=tuple(samples),
        loss=tuple(LossPoint(stage, step, 3 / (step + 1) + stage) for stage in (1, 2) for step in range(0, 50, 5)),
        statistics=(
            StatisticsRow(task="ner", lang="en", stage=1, count=1200),
            StatisticsRow(task="ner", lang="en", stage=2, count=1200),
            StatisticsRow(task="qa_mc", lang="zh", stage=2, count=30),
            StatisticsRow(task="qa_sqa", lang="zh", stage=2, count=12),
            StatisticsRow(task="mrd", lang="zh", stage=2, count=5, table_1_row="General Dialogue Data"),
        ),
        facts={"machine": "2 cores", "command": "taiyi run a_b.yaml"},
        recipe="name: synthetic\nnote: ```\n",
    )


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_files_are_written_and_results_read_back(run: RunResult, tmp_path: Path) -> None:
    paths = report.write(run, tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["results.json", "report.md", "report.html"]
    assert report.load(paths.json) == run
    assert "合成" in paths.html.read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_bytes(run: RunResult, tmp_path: Path) -> None:
    one, other = report.write(run, tmp_path / "1"), report.write(run, tmp_path / "2")
    for a, b in zip(one, other, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_page_is_whole_and_needs_nothing_else(run: RunResult) -> None:
    page = report.html(run)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.scripts == 0
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert "url(http" not in page
    assert "#0102" not in page  # every stand-in colour became a variable
    assert "\x1b" not in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg ") == 3
    ids = re.findall(r' id="([^"]+)"', page)
    shared = {i for i in ids if ids.count(i) > 1}
    assert not shared & set(re.findall(r'(?:href="|url\()#([^")]+)', page))  # what plots refer to is theirs alone


def test_table_2_stands_beside_ours(run: RunResult) -> None:
    table = tables.score_table(run.results)
    by_set = {row.cells[1]: row for row in table.rows}
    assert by_set["CHEMDNER (en)"].kind == "missing"
    assert "corpus not at hand" in by_set["CHEMDNER (en)"].cells[-1]
    assert by_set["BC5CDR chemical (en)"].cells[4:7] == ("80.2", "60.3", "93.3")
    assert by_set["PubMedQA (en)"].cells[7] == "1 (7.7%)"
    average, printed = table.rows[13:15]
    assert average.cells[0] == "Average of 11"
    assert average.cells[4] == "62.0"  # the paper's 13 without CHEMDNER and LitCovid: (8.464 - 0.799 - 0.840) / 11
    assert printed.cells[4:7] == ("65.1", "49.3", "73.5")
    assert table.rows[15].cells[1] == "BioRED, unseen (en)"
    assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_a_suite_that_the_paper_does_not_know_has_no_columns_for_it() -> None:
    table = tables.score_table([scored(s) for s in suites.get("demo")])
    assert "Taiyi 7B" not in [c.name for c in table.columns]
    assert not [row for row in table.rows if row.kind == "total"]


def test_cut_answers_are_noted() -> None:
    test_set = suites.get("demo_cdr_re")[0]
    none, some = (evaluate(test_set, [Score(record="1")], num_cut=number) for number in (0, 1200))
    assert tables.score_table([none]).rows[0].cells[-1] == ""
    assert tables.score_table([some]).rows[0].cells[-1] == "answers cut at the limit of tokens: 1,200"
    run = RunResult(name="r", title="R", description="d", results=(none, some))
    assert report.markdown(run).count("answers cut at the limit of tokens: 1,200") == 1
    assert "answers cut at the limit of tokens: 1,200" in report.html(run)
    buffer = io.StringIO()
    report.print_summary(run, Console(file=buffer, width=100, color_system=None))
    assert buffer.getvalue().count("demo_cdr relations: answers cut") == 1


def test_unparsable_answers_stand_beside_all_answers() -> None:
    test_set = suites.get("demo_cdr_re")[0]

    def shown(*scores: Score) -> str:
        table = tables.score_table([evaluate(test_set, scores)])
        return table.rows[0].cells[[column.name for column in table.columns].index("Unparsable")]

    whole, broken = Score(record="1"), Score(record="2", state="unparsable", reason="empty")
    assert (shown(whole), shown(whole, broken)) == ("0", "1 (50.0%)")
    windows = Score(record="1", num_answers=1999, unparsable={"empty": 2})
    assert shown(windows, broken) == "3 of 2,000 (0.1%)"
    run = RunResult(name="r", title="R", description="d", results=(evaluate(test_set, [windows, broken]),))
    assert '<span class="aside">3 of 2000</span>' in report.html(run)


def test_a_negative_correlation_is_drawn() -> None:
    grades = [(0.0, 4.0), (1.0, 2.0), (2.0, 3.0), (4.0, 1.0)]
    scores = [Score(record=str(n), value=0.0, grades=pair) for n, pair in enumerate(grades)]
    result = evaluate(suites.get("biosses")[0], scores, resamples=50)
    assert result.value is not None
    assert result.value < 0

    def labels(*results: SetResult) -> list[str]:
        return [
            found.replace("\N{MINUS SIGN}", "-")
            for found in re.findall(r">([-\u2212]?\d+)</text>", scores_svg(results))
        ]

    assert labels(result)[0] == "-100"
    assert "-20" not in labels(scored(suites.get("pubmed_qa")[0]))
    assert labels(scored(suites.get("pubmed_qa")[0]))[0] == "0"


def test_table_3_names_types_as_the_paper_does() -> None:
    counts = {"GeneOrGeneProduct": Counts(tp=3, fp=1, fn=1), "Invented": Counts(fp=1)}
    result = evaluate(suites.BIORED_UNSEEN, [Score(record="1", counts=counts)])
    rows = {row.cells[0]: row.cells for row in tables.table_3(result).rows}
    assert rows["Gene"] == ("Gene", "75.0", "75.0", "75.0", "93.1", "49.0", "64.2", "4")
    assert rows["Cell line"][1:4] == ("n/a", "n/a", "n/a")
    assert rows["Invented"][1] == "0.0"
    assert rows["All"][4:7] == ("76.0", "50.7", "60.8")


def test_statistics_stand_beside_table_1(run: RunResult) -> None:
    table = tables.statistics_table(run.statistics)
    assert [c.name for c in table.columns][1:5] == ["stage 1 en", "stage 1 zh", "stage 2 en", "stage 2 zh"]
    rows = {row.cells[0]: row for row in table.rows}
    assert rows["Named Entity Recognition"].cells[1:] == ("1,200", "–", "1,200", "–", "28,603", "44,667", "73,270")
    assert rows["Biomedical Question Answering"].cells[4] == "42"
    assert rows["qa_sqa"].kind == "detail"
    assert rows["General Dialogue Data"].cells[1:] == ("–", "–", "–", "5", "–", "–", "560,000")
    assert rows["Total"].cells[1:] == ("1,200", "–", "1,200", "47", "", "", "1,114,315")


def test_markdown_tables_are_not_broken_by_what_is_in_them(run: RunResult) -> None:
    text = report.markdown(run)
    width = 0
    for line in text.split("\n"):
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            width = width or cells
            assert cells == width
        else:
            width = 0
    assert "<script>" not in text
    assert "````yaml" in text  # the recipe holds a fence of three


def test_summary_shows_three_samples_a_task_and_obeys_no_markup(run: RunResult) -> None:
    buffer = io.StringIO()
    report.print_summary(run, Console(file=buffer, width=140, color_system=None))
    text = buffer.getvalue()
    assert "BC5CDR chemical (en)" in text
    assert "CHEMDNER: corpus not at hand" in text
    assert text.count("一个 set") == 6
    assert "[bold]" in text
    assert "\x1b" not in text


def test_in_a_narrow_terminal_nothing_of_a_name_is_lost(run: RunResult) -> None:
    buffer = io.StringIO()
    report.print_summary(msgspec.structs.replace(run, samples=()), Console(file=buffer, width=80, color_system=None))
    table = buffer.getvalue().partition("scores in %")[0]
    assert "…" not in table
    assert max(map(len, table.splitlines())) <= 80


def test_rows_of_the_paper_are_in_its_order_and_sets_without_a_score_say_their_metric(run: RunResult) -> None:
    turned = tables.score_table(run.results[::-1]).rows
    assert [row.cells for row in turned[:15]] == [row.cells for row in tables.score_table(run.results).rows[:15]]
    paramed = next(s for s in suites.get("all-tasks") if s.name == "paramed")
    [row] = tables.score_table([missing(paramed, "no reason")]).rows
    assert (row.cells[0], row.kind) == ("mt, BLEU", "missing")
    assert row.cells[-1] == "no reason"


def test_samples_of_a_task_come_from_several_sets() -> None:
    def sample(name: str, number: int) -> Sample:
        return Sample(task="ner", set=name, prompt=str(number), gold="g", answer="a", verdict="right")

    def chosen(*names: str) -> list[str]:
        ((_, group),) = report.samples_by_task([sample(name, i) for name in names for i in range(3)])
        return [s.set + s.prompt for s in group]

    assert chosen("a") == ["a0", "a1", "a2"]
    assert chosen("a", "b") == ["a0", "a1", "b0"]
    assert chosen("a", "b", "c") == ["a0", "b0", "c0"]
    assert chosen("a", "b", "c", "d", "e") == ["a0", "c0", "e0"]


def test_an_empty_run_still_gives_a_report(tmp_path: Path) -> None:
    empty = RunResult(name="empty", title="Empty", description="Nothing.", results=())
    paths = report.write(empty, tmp_path)
    assert report.load(paths.json) == empty
    report.print_summary(empty, Console(file=io.StringIO()))


def test_results_that_are_not_results_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(msgspec.json.encode({"name": "x"}))
    with pytest.raises(FormatError, match="not the results of a run"):
        report.load(path)


def logged(folder: Path, steps: int, *, kind: str = "sft", kept: int | None = None) -> StageCurves:
    """The curves of a stage that was trained on six tasks in two languages."""
    names = ("ner", "re", "tc", "qa_mc", "qa_cqa", "mrd")
    of_kind = {"sft": [f"loss/{n}" for n in names], "dpo": ["right", "margin"], "grpo": ["reward/ner", "reward/re"]}
    generator = np.random.default_rng(steps)
    folder.mkdir()
    with (folder / "loss.jsonl").open("wb") as file:
        for step in range(1, steps + 1):
            measures = {name: float(generator.random()) for name in of_kind[kind]}
            line = {"step": step, "steps": steps, "loss": 9.0 if step == 700 else 0.5, "lr": 1e-4, "measures": measures}
            file.write(msgspec.json.encode(line) + b"\n")
    with (folder / "dev.jsonl").open("wb") as file:
        for step in range(steps // 4, steps + 1, steps // 4):
            scores = {f"{name}/{lang}": float(generator.random()) for name in names for lang in ("en", "zh")}
            line = {"step": step, "score": 0.5, "tasks": scores, "num_answers": 9, "num_unparsable": 0, "seconds": 1.0}
            file.write(msgspec.json.encode(line) + b"\n")
    return curves.read(folder, name=folder.name, kind=kind, kept=kept)


def trained(*stages: StageCurves) -> RunResult:
    return RunResult(name="r", title="R", description="d", results=(), training=stages)


def labels(page: str) -> list[list[str]]:
    """The texts of each plot of a page."""
    return [re.findall(r">([^<>]+)</text>", plot) for plot in re.findall(r"<svg .*?</svg>", page, re.DOTALL)]


def test_each_stage_has_its_losses_and_its_dev_scores(tmp_path: Path) -> None:
    run = trained(logged(tmp_path / "one", 4000, kept=2000), logged(tmp_path / "two", 100, kept=100))
    page = report.html(run)
    loss, dev, second, _ = labels(page)
    assert {"one: loss on answers", "all", "ner", "re", "tc", "qa_mc", "qa_cqa", "mrd"} <= set(loss)
    assert {"one: scores on the dev sample", "kept: step 2,000", "mean", "ner/en", "mrd/zh"} <= set(dev)
    assert "two: loss on answers" in second
    assert "#0102" not in page
    assert 100_000 < len(page) < 250_000
    assert report.load(report.write(run, tmp_path / "report").json) == run


def test_a_task_has_one_colour_in_all_plots(tmp_path: Path) -> None:
    run = trained(logged(tmp_path / "one", 40), logged(tmp_path / "two", 60, kind="grpo"))
    tasks = ["mrd", "ner", "qa_cqa", "qa_mc", "re", "tc"]
    plots = re.findall(r"<svg .*?</svg>", report.html(run), re.DOTALL)
    assert ["var(--task-1)" in plot for plot in plots] == [True, True, False, True]
    for task, colour in (("ner", "var(--task-2)"), ("re", "var(--task-5)")):
        assert tasks[int(colour[-2]) - 1] == task
        assert all(colour in plot for plot in plots)


def test_kinds_of_stages_have_plots_of_their_own(tmp_path: Path) -> None:
    texts = labels(
        report.html(trained(logged(tmp_path / "a", 40, kind="dpo"), logged(tmp_path / "b", 40, kind="grpo")))
    )
    titles = [next(text for text in plot if text[:3] in ("a: ", "b: ")) for plot in texts]
    assert titles == [
        "a: loss of pairs",
        "a: share of pairs right",
        "a: margin of right answers",
        "a: scores on the dev sample",
        "b: mean reward",
        "b: scores on the dev sample",
    ]


def test_long_curves_are_thinned_and_keep_their_spikes(tmp_path: Path) -> None:
    (raw,) = logged(tmp_path / "one", 4000).raw
    assert len(raw.steps) <= curves.MOST_POINTS
    assert dict(zip(raw.steps, raw.values, strict=True))[700] == 9.0
    points = [(step, float(step)) for step in range(1, 1001)]
    assert curves.thinned(points)[0] == (1, 1.0)
    assert curves.thinned(points)[-1] == (1000, 1000.0)
    assert curves.extremes(points[:300]) == curves.thinned(points[:200]) + points[200:300]


def test_rewards_of_all_tasks_are_those_of_a_step(tmp_path: Path) -> None:
    stage = logged(tmp_path / "one", 40, kind="grpo")
    lines = [msgspec.json.decode(line)["measures"] for line in (tmp_path / "one/loss.jsonl").read_bytes().splitlines()]
    means = {curve.name: curve.values for curve in stage.raw}["reward"]
    assert means == pytest.approx([sum(line.values()) / 2 for line in lines], rel=1e-3)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.integers(1, 50))
def test_a_smoothed_value_lies_among_those_before_it(values: list[float], span: int) -> None:
    points = list(enumerate(values, 1))
    for (step, mean), so_far in zip(curves.smoothed(points, span), range(1, len(values) + 1), strict=True):
        assert step == so_far
        assert min(values[:so_far]) - 1e-9 <= mean <= max(values[:so_far]) + 1e-9


def test_smoothing_counts_steps_not_values() -> None:
    near, far = (curves.smoothed([(1, 0.0), (gap, 1.0)], 10)[1][1] for gap in (2, 20))
    assert 0.5 < near < 0.6
    assert 0.9 < far < 1


def test_a_stage_of_one_step_has_plots() -> None:
    stage = curves.of_measures(
        {"loss": [(1, 2.0)], "loss/ner": [(1, 2.0)]},
        name="one",
        kept=1,
        dev=[DevPoint(step=1, score=0.5, tasks={"ner/en": 0.5})],
    )
    assert report.html(trained(stage)).count("<svg ") == 2


def test_results_of_older_runs_are_read_and_drawn(run: RunResult, tmp_path: Path) -> None:
    older = msgspec.to_builtins(run)
    del older["training"]
    path = tmp_path / "results.json"
    path.write_bytes(msgspec.json.encode(older))
    texts = [text for plot in labels(report.html(report.load(path))) for text in plot]
    assert "stage 1: loss on answers" in texts
    assert "stage 2: loss on answers" in texts


def test_results_that_the_repository_keeps_are_read_and_drawn() -> None:
    kept = list((Path(__file__).parents[1] / "docs" / "results").rglob("results.json"))
    assert kept
    for path in kept:
        run = report.load(path)
        assert ("loss on answers" in report.html(run)) == ("stages:" in run.recipe), "drawn where it was trained"
