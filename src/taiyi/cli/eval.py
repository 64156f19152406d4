"""`taiyi eval MODEL --suite NAME`: the scores of any model on a suite of test sets."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import regex
import typer
from rich.console import Console

from taiyi.cli.recipes import CorporaOption, RunsOption
from taiyi.errors import RecipeError, suggestion

if TYPE_CHECKING:
    from taiyi.recipe import EvaluateSettings, Recipe

ModelArgument = Annotated[
    str | None,
    typer.Argument(metavar="MODEL", help="A run, a folder with a model, or the id of one on the Hugging Face hub."),
]


def eval(
    model: ModelArgument = None,
    suite: Annotated[str | None, typer.Option(help="A suite or test set; --list-suites names them.")] = None,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    form: Annotated[
        list[str] | None, typer.Option(metavar="TASK=FORM", help="Form of a task's answers, such as ner=list.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=0, help="Ask in windows of documents of up to so many characters; 0: whole texts.")
    ] = None,
    max_records: Annotated[int | None, typer.Option(min=1, help="At most so many records of each test set.")] = None,
    list_suites: Annotated[bool, typer.Option("--list-suites", help="List the suites and their test sets.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Evaluate a model on a suite of test sets; a run is asked in the way that its recipe says.

    Example: taiyi eval runs/demo --suite demo --max-records 20
    """
    if list_suites:
        _list(as_json)
        return
    if model is None or suite is None:
        typer.echo("say which model, and on which suite (--suite NAME; --list-suites lists them)", err=True)
        raise typer.Exit(2)
    import msgspec

    from taiyi import catalogue, steps
    from taiyi.checkpoint import model_folder
    from taiyi.evaluate import report
    from taiyi.manifest import Log

    recipe = _recipe(model, suite, form or [], window, max_records)
    place: str | Path = model_folder(Path(model).expanduser()) if _is_local(model) else model
    folder = runs / recipe.name
    command = "taiyi " + shlex.join(sys.argv[1:])
    job = steps.Run(recipe, folder, catalogue.corpora_dir(corpora), Log(folder), command)
    if isinstance(place, Path) and (clean := steps.decontaminated(place)) is not None:
        asked = [t for t in steps.at_hand(recipe, job.corpora) if (t.corpus, t.split) not in clean]
        if asked:
            job.log.say(
                "warning: the training data of this model was not cleaned of these test sets, so their scores may be "
                f"too good: {', '.join(f'{t.name} ({t.corpus} {t.split})' for t in asked)}"
            )
    data = steps.build(job)
    results = steps.write_report(job, data, steps.predict(job, data, place), place)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(results.results)).decode())
        return
    console = Console()
    report.print_summary(results, console)
    page = steps.report_folder(job) / "report.html"
    console.print(f"\nReport: {page.resolve()}", soft_wrap=True, highlight=False, markup=False)


def _list(as_json: bool) -> None:
    import json

    from taiyi.evaluate.suites import SUITES

    if as_json:
        shown = ("name", "title", "corpus", "split", "task", "metric", "missing", "note")
        rows = [
            {"suite": name, "test_sets": [{key: getattr(test_set, key) for key in shown} for test_set in test_sets]}
            for name, test_sets in SUITES.items()
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for name, test_sets in SUITES.items():
        typer.echo(f"{name}: {len(test_sets)} test set{'s' if len(test_sets) > 1 else ''}")
        width = max(len(t.name) for t in test_sets)
        for t in test_sets:
            missing = f" ({t.missing})" if t.missing else ""
            typer.echo(f"  {t.name.ljust(width)}  {t.task}, {t.corpus} {t.split}{missing}")


def _recipe(model: str, suite: str, forms: list[str], window: int | None, max_records: int | None) -> Recipe:
    """Return the recipe that evaluates a model as it is: one without stages."""
    from taiyi import tasks
    from taiyi.evaluate import suites
    from taiyi.recipe import Recipe

    asked = {t.name: t for t in suites.get(suite)}
    own = _settings(model, window)
    changes: dict[str, Any] = {"suites": (suite,), "forms": own.forms | _forms(forms), "max_records": max_records}
    for key in ("window_chars", "overlap_chars"):
        changes[key] = {name: size for name, size in getattr(own, key).items() if name in asked}
    if window is not None:
        windowed = [name for name, t in asked.items() if tasks.get(t.task).windowed]
        if not windowed:
            raise RecipeError(
                "only documents are cut into windows",
                where="--window",
                got=suite,
                expected="a suite that asks about documents",
                mend="leave --window out",
            )
        changes |= {"window_chars": dict.fromkeys(windowed, window), "overlap_chars": {}}
    return Recipe(
        name=f"eval-{_slug(model)}-{_slug(suite)}",
        description=f"The model {model}, as it is, on {suite}.",
        base=model,
        evaluate=own.model_copy(update=changes),
    )


def _settings(model: str, window: int | None) -> EvaluateSettings:
    """Return how the recipe of an evaluated run asks; else the form that the model learned; else the defaults.

    Raises:
        RecipeError: its recipe does not give windows by test set, and none is asked for in their place.
    """
    import yaml

    from taiyi.checkpoint import FILE, RUN_FILE, Checkpoint, model_folder
    from taiyi.evaluate import report
    from taiyi.recipe import EvaluateSettings, Recipe
    from taiyi.storage import read_json

    run = Path(model).expanduser()
    if not _is_local(model):
        return EvaluateSettings()
    if (run / RUN_FILE).exists():
        pointer: dict[str, str] = read_json(run / RUN_FILE, dict[str, str])
        if "report" in pointer:
            results = report.load(run / pointer["report"] / "results.json")
            recipe = Recipe.model_validate(yaml.safe_load(results.recipe))
            if window is None:
                _check_windows(recipe.evaluate.window_chars, run)
            return recipe.evaluate.model_copy(update={"forms": recipe.forms()})
    folder = model_folder(run)
    return EvaluateSettings(forms={"ner": Checkpoint.load(folder).form} if (folder / FILE).exists() else {})


def _check_windows(sizes: Mapping[str, int], run: Path) -> None:
    """Refuse windows by corpus, as recipes of older runs give them: they would be left out in silence."""
    from taiyi import tasks
    from taiyi.evaluate.suites import SUITES

    known = {t.name: t for suite in SUITES.values() for t in suite}
    for name, size in sizes.items():
        if name not in known:
            meant = [t.name for t in known.values() if t.corpus == name and tasks.get(t.task).windowed]
            raise RecipeError(
                "windows are given by test set",
                where=f"{run}: evaluate.window_chars",
                got=f"{name}: {size}",
                expected=" or ".join(meant) or "the name of a test set",
                mend=f"give --window {size}, or name the test sets in the recipe and run it again",
            )


def _forms(given: list[str]) -> dict[str, str]:
    from taiyi import tasks

    forms: dict[str, str] = {}
    for item in given:
        name, mark, form = item.partition("=")
        if not mark:
            raise RecipeError("not a task and a form", where="--form", got=item, expected="TASK=FORM, such as ner=list")
        known = tasks.get(name).forms
        if form not in known:
            mend = suggestion(form, known)
            raise RecipeError(f"the task {name} has no such form", where="--form", got=form, mend=mend)
        forms[name] = form
    return forms


def _is_local(model: str) -> bool:
    """Whether a model is a folder here; what is neither there nor looks like a path is an id of the hub."""
    return Path(model).expanduser().exists() or model.startswith((".", "/", "~", "runs/")) or model.count("/") > 1


def _slug(name: str) -> str:
    """Return the last part of a name, or the step of a model's folder, as a name of a run may be written."""
    parts = [part for part in Path(name).parts if part not in (".", "..", "/")]
    last = parts[-2] if len(parts) > 1 and parts[-1] == "model" else parts[-1] if parts else "model"
    return regex.sub(r"[^a-z0-9._-]+", "-", last.casefold()).strip("-.") or "model"
