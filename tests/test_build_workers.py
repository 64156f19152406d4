"""The same bytes of one worker, of several, of Ray, and of a build that was killed in any of its phases."""

from __future__ import annotations

import importlib.util
import os
import pickle
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import tiny
from taiyi import catalogue, storage
from taiyi.build import workers
from taiyi.build.mixture import draws
from taiyi.build.workers import SMALL_BYTES, Local, OnRay, engine
from taiyi.errors import FormatError, RecipeError, TaiyiError
from taiyi.manifest import Log, hash_file
from taiyi.recipe import Recipe, load
from taiyi.schema import Example
from taiyi.steps import Run, build
from taiyi.steps.raw import raw_bytes, raw_files, raw_hashes
from taiyi.storage import StorageError

# Near duplicates, duplicates and decontamination are all on, as they are by default. Of some selections less is drawn
# than there is, of some as much as they are asked for, and of some as much as there are wordings for.
RECIPE: dict[str, Any] = {
    "name": "shared",
    "seed": 5,
    "stages": [
        {
            "name": "one",
            "data": [
                {"corpus": "demo_cdr", "task": "ner", "window_chars": 1, "subtasks": [["Chemical"], ["Disease"]]},
                {"corpus": "demo_cdr", "task": "ner", "form": "list"},
                {"corpus": "demo_cdr", "task": "re", "templates_per_record": 2, "draws": 40},
                {
                    "corpus": "demo_qic",
                    "task": "tc",
                    "splits": ["train", "dev"],
                    "templates": ["01", "02"],
                    "draws": 200,
                },
                {"corpus": "demo_qa_zh", "task": "qa_sqa", "max_records": 20},
            ],
            "mixture": {"total_records": 100},
        },
        {
            "name": "two",
            "replay": ["one"],
            "data": [{"corpus": "demo_chat", "task": "mrd"}],
            "mixture": {"total_records": 40, "max_records": 11, "max_epochs": 3},
        },
    ],
    "decontaminate": {"text_chars_en": 1, "text_chars_zh": 1},
    "evaluate": {"suites": ["demo"], "max_records": 5},
}
_NO_RAY = importlib.util.find_spec("ray") is None
RAY = pytest.mark.skipif(_NO_RAY, reason="Ray is not installed (pip install 'taiyi[ray]')")


def built(folder: Path, made_with: Local | OnRay, recipe: dict[str, Any] = RECIPE) -> Path:
    """Build the recipe and return the folder of the data step."""
    log = Log(folder, Console(quiet=True))
    return build(Run(Recipe.model_validate(recipe), folder, folder / "none", log, engine=made_with))


def hashes(folder: Path) -> dict[str, str]:
    found = {path.name: hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    del found["manifest.json"]
    return found


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what one process makes."""
    made = built(tmp_path_factory.mktemp("alone"), Local(1))
    # Something of every kind was found, or the test would say little.
    told = (made / "rejects.jsonl").read_text("utf-8")
    assert "near duplicate" in told and "over max_records" in told
    return made


@pytest.fixture(scope="module")
def alone(first: Path) -> dict[str, str]:
    """The hashes of what one process makes."""
    return hashes(first)


def test_several_workers_make_the_same_bytes_as_one(alone: dict[str, str], tmp_path: Path) -> None:
    assert {"one.parquet", "two.parquet", "rejects.jsonl", "decontamination.jsonl", "statistics.json"} <= set(alone)
    assert hashes(built(tmp_path, Local(2))) == alone


@RAY
@pytest.mark.slow
def test_ray_makes_the_same_bytes_as_one_worker(alone: dict[str, str], tmp_path: Path, cluster: OnRay) -> None:
    assert hashes(built(tmp_path, cluster)) == alone


@pytest.fixture(scope="module")
def cluster() -> Iterator[OnRay]:
    import ray  # pyright: ignore[reportMissingImports]

    yield OnRay(2)
    ray.shutdown()


def test_small_parts_make_the_same_examples_as_large_ones(
    first: Path, alone: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taiyi.build.collect._PART_RECORDS", 7)
    monkeypatch.setattr("taiyi.build.clean._BATCH", 3)
    made = built(tmp_path, Local(1))
    found = hashes(made)
    assert set(found) == set(alone)
    for name in ("decontamination.jsonl", "statistics.json", "epochs.json"):
        assert found[name] == alone[name]
    # The files have other row groups; what is in them is the same.
    for name in (name for name in alone if name.endswith(".parquet")):
        assert examples(made / name) == examples(first / name) != []


def examples(path: Path) -> list[Example]:
    return list(storage.read_parquet(path, Example))


# Of these selections, how many records are drawn in a language, and how many different ones may be.
DRAWN = [
    ("one", "demo_cdr", "ner", "tagged", "en", 43, 59),
    ("one", "demo_cdr", "ner", "list", "en", 43, 59),
    ("one", "demo_cdr", "re", "list", "en", 40, 59),
    ("one", "demo_qic", "tc", "list", "zh", 180, 90),
    ("one", "demo_qa_zh", "qa_sqa", "text", "zh", 14, 20),
    ("two", "demo_chat", "mrd", "text", "en", 18, 6),
    ("two", "demo_chat", "mrd", "text", "zh", 15, 5),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what is made where each record is drawn once."""
    stages = [
        {key: value for key, value in stage.items() if key != "mixture"}
        | {"data": [{key: value for key, value in chosen.items() if key != "draws"} for chosen in stage["data"]]}
        for stage in RECIPE["stages"]
    ]
    return built(tmp_path_factory.mktemp("whole"), Local(1), RECIPE | {"stages": stages})


@pytest.mark.parametrize("case", DRAWN, ids=lambda case: f"{case[1]} {case[2]} {case[3]} {case[4]}")
def test_the_records_that_are_drawn_are_those_of_the_mixture(
    first: Path, whole: Path, case: tuple[str, str, str, str, str, int, int]
) -> None:
    stage, *chosen, total, different = case

    def counts(folder: Path) -> Counter[str]:
        """How many examples each record has, by its place."""
        return Counter(
            f"{example.corpus}/{example.split}/{example.record}"
            for example in examples(folder / f"{stage}.parquet")
            if [example.corpus, example.task, example.form, example.lang] == chosen
        )

    once = counts(whole)
    places = sorted(once)
    times = dict(zip(places, draws(places, total, RECIPE["seed"], different), strict=True))
    assert sum(times.values()) == total
    assert counts(first) == Counter({place: once[place] * times[place] for place in places if times[place]})


def test_the_log_says_where_less_is_drawn_than_asked_for(first: Path, whole: Path) -> None:
    told = [line for line in (first.parent / "log.txt").read_text("utf-8").splitlines() if "are drawn" in line]
    assert [line.partition(": ")[2].partition(":")[0] for line in told] == [
        "demo_qic tc",
        "33 records are drawn, not the 40 of total_records",
    ]
    assert "180 records are drawn, not the 200 of draws: 90 are clean" in told[0]
    assert "are drawn" not in (whole.parent / "log.txt").read_text("utf-8")


# --- killed in a phase -----------------------------------------------------------------------------------------------

KILLS = (
    ("*/shards/*/items-00000.parquet.partial", 2),
    ("*/shards/*/shard.json.partial", 1),
    ("*/shards/*/*.npz.partial", 2),
    ("*/shards/*/items-00000-*.json.partial", 1),
    ("*/work/one-00001.parquet.partial", 1),
    ("*/work/one-00002.jsonl.partial", 1),
    ("*/data-*/one.parquet.partial", 1),
    ("*/data-*/two.parquet.partial", 1),
    ("*/data-*/statistics.json.partial", 1),
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_build_that_is_killed_in_each_phase_ends_with_the_same_bytes(alone: dict[str, str], tmp_path: Path) -> None:
    recipe = tiny.write(tmp_path, RECIPE)
    command = ("build", recipe, "--corpora", tmp_path / "none", "--runs", tmp_path / "runs")
    for pattern, nth in KILLS:
        done = tiny.stopped(signal.SIGKILL, pattern, nth, *command, "--workers", 1)
        assert done.returncode == -signal.SIGKILL, (pattern, done.stderr)
    done = tiny.taiyi(*command, "--workers", 2)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "runs" / "shared").glob("data-*")
    assert hashes(folder) == alone


def test_workers_leave_with_who_started_them(tmp_path: Path) -> None:
    said = "import sys; sys.path.insert(0, sys.argv[1])\nimport test_build_workers as t\n"
    said += "if __name__ == '__main__': list(t.Local(2).map(t.wait, [t.Path(sys.argv[2])] * 2))"
    script = tmp_path / "script.py"
    script.write_text(said)
    done = tiny.python(script, Path(__file__).parent, tmp_path)
    assert done.returncode == -signal.SIGKILL
    numbers = [int(path.suffix[1:]) for path in tmp_path.glob("pid.*")]
    assert len(numbers) == 2
    for _ in range(100):
        if not any(Path(f"/proc/{number}").exists() for number in numbers):
            return
        time.sleep(0.1)
    raise AssertionError(f"still there: {numbers}")


def wait(folder: Path) -> None:
    """Say who this is; once two have, kill who started them."""
    (folder / f"pid.{os.getpid()}").touch()
    while len(list(folder.glob("pid.*"))) < 2:
        time.sleep(0.01)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


# --- what goes wrong -------------------------------------------------------------------------------------------------


def faulty(what: str) -> str:
    if what == "die":
        os._exit(7)
    if what == "raise":
        raise FormatError("not it", where="x.txt:3", got=7, expected="8", mend="look again")
    if what == "full":
        raise OSError(28, "No space left on device", "x")
    return what.upper()


FAULT = "x.txt:3: not it; got 7; expected 8. Look again"


@pytest.mark.parametrize("made_with", [Local(1), Local(2)])
def test_the_error_of_a_worker_is_told_as_it_is(made_with: Local) -> None:
    assert list(made_with.map(faulty, ["a", "b", "c"])) == ["A", "B", "C"]
    with pytest.raises(FormatError) as caught:
        list(made_with.map(faulty, ["a", "raise", "b"]))
    assert (str(caught.value), caught.value.mend, caught.value.got) == (FAULT, "look again", "7")
    with pytest.raises(OSError, match="No space left"):
        list(made_with.map(faulty, ["full", "a"]))


@RAY
@pytest.mark.slow
def test_the_error_of_a_worker_on_ray_is_told_as_it_is(cluster: OnRay, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(cluster.map(faulty, [])) == []
    assert list(cluster.map(faulty, list("abcdefgh"))) == list("ABCDEFGH")
    with pytest.raises(FormatError, match="not it") as caught:
        list(cluster.map(faulty, ["a", "raise", "b"]))
    assert str(caught.value) == FAULT


def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(TaiyiError, match=r"a worker process died\. Give fewer --workers"):
        list(Local(2).map(faulty, ["a", "die", "b"]))


def test_what_is_not_wanted_any_more_is_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    results = Local(2).map(slow, [0.0, 60.0, 60.0])
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 30


def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pytest.mark.parametrize(
    "error",
    [
        TaiyiError("x"),
        FormatError("not it", where="x.txt:3", got=7, expected="8", mend="look again"),
        RecipeError("a: b", got="", mend="do."),
        StorageError("cannot be written", where=Path("x"), mend="free some space"),
    ],
)
def test_errors_come_out_of_a_pickle_as_they_went_in(error: TaiyiError) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(error, protocol)), protocol))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


# --- which engine ----------------------------------------------------------------------------------------------------


def test_as_many_processes_as_cores_where_there_is_much_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "cores", lambda: 5)

    def number(*given: Any, **named: Any) -> int:
        made = engine(*given, **named)
        assert isinstance(made, Local)
        return made.workers

    assert number("local", num_bytes=SMALL_BYTES) == 1
    assert number("local", num_bytes=SMALL_BYTES + 1) == 5
    assert number("local", 3, num_bytes=0) == number("local", 3, num_bytes=10**12) == 3


def test_the_raw_files_of_a_recipe_are_counted_once(tmp_path: Path) -> None:
    recipe = load(tiny.write(tmp_path, RECIPE))
    corpora = [catalogue.get(name) for name in sorted(raw_names(recipe))]
    sizes = [file.stat().st_size for corpus in corpora for file in raw_files(corpus, tmp_path)]
    assert raw_bytes(recipe, tmp_path) == sum(sizes) > 0
    [file, *_] = raw_files(corpora[0], tmp_path)
    name = str(file.relative_to(corpora[0].location(tmp_path)))
    assert raw_hashes(corpora[0], tmp_path)[name] == hash_file(file)


def raw_names(recipe: Recipe) -> set[str]:
    from taiyi.steps.run import at_hand

    return {s.corpus for stage in recipe.stages for s in stage.data} | {t.corpus for t in at_hand(recipe, Path("none"))}


def test_ray_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RecipeError, match=r"Ray is not installed; got --engine ray\. Pip install 'taiyi\[ray\]'"):
        engine("ray")


def test_the_command_line_takes_workers_and_an_engine(tmp_path: Path) -> None:
    done = tiny.taiyi("build", tiny.write(tmp_path), "--workers", 0)
    assert done.returncode == 2
    assert "--workers" in done.stderr
    done = tiny.taiyi("run", tiny.write(tmp_path), "--engine", "spark")
    assert done.returncode == 2
    assert "--engine" in done.stderr
