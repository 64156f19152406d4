"""`taiyi eval MODEL --suite NAME`: the scores of any model on a suite of test sets."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import regex
import typer
from rich.console import Console

from taiyi.checkpoint import EMBEDDED, is_address
from taiyi.cli import endpoints
from taiyi.cli.eval_compare import Evaluation, compare
from taiyi.cli.recipes import CorporaOption, RunsOption
from taiyi.endpoint import EndpointSettings
from taiyi.errors import RecipeError, suggestion

if TYPE_CHECKING:
    from taiyi.evaluate.suites import TestSet
    from taiyi.recipe import EvaluateSettings, Recipe
    from taiyi.train.settings import EncoderSettings

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A run, a folder with a model, the id of one on the Hugging Face hub, or the address of a server; else "
        "the model of the package.",
    ),
]


def eval(
    ctx: typer.Context,
    model: ModelArgument = EMBEDDED,
    suite: Annotated[
        str | None, typer.Option(help="A suite or test set (--list-suites names them), or the YAML of your own.")
    ] = None,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    form: Annotated[
        list[str] | None, typer.Option(metavar="TASK=FORM", help="Form of a task's answers, such as ner=list.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(min=0, help="Ask in windows of documents of up to so many characters; 0: whole texts.")
    ] = None,
    max_records: Annotated[int | None, typer.Option(min=1, help="At most so many records of each test set.")] = None,
    few_shot: Annotated[
        int | None, typer.Option(min=0, help="So many worked examples of the training split before each question.")
    ] = None,
    choices: Annotated[
        Literal["generate", "likelihood", "likelihood_per_byte"] | None,
        typer.Option(help="Whether options, or yes, no and maybe, are written, or chosen by how probable they are."),
    ] = None,
    constrained: Annotated[
        Literal["none", "extraction", "all"] | None,
        typer.Option(help="Which answers are written under the grammar of their form; tagged ones always are."),
    ] = None,
    relations: Annotated[
        Literal["written", "cascade", "either"] | None,
        typer.Option(help="Whether relations are written, or found by a cascade; else as the model was trained for."),
    ] = None,
    pair_bias: Annotated[
        float | None, typer.Option(help="Of a cascade: how much more probable, in nats, a relation is taken to be.")
    ] = None,
    max_new_tokens: Annotated[int | None, typer.Option(min=1, help="The longest answer, in tokens.")] = None,
    runtime: Annotated[
        Literal["torch", "numpy"] | None, typer.Option(help="What computes the answers of a model in this process.")
    ] = None,
    name: endpoints.NameOption = None,
    key_env: endpoints.KeyOption = None,
    concurrency: endpoints.ConcurrencyOption = None,
    requests_per_minute: endpoints.RequestsOption = None,
    tokens_per_minute: endpoints.TokensOption = None,
    timeout: endpoints.TimeoutOption = None,
    temperature: endpoints.TemperatureOption = None,
    server: endpoints.ServerOption = None,
    extra: endpoints.ExtraOption = None,
    tokenizer: endpoints.TokenizerOption = None,
    price_in: endpoints.PriceInOption = None,
    price_out: endpoints.PriceOutOption = None,
    max_cost: endpoints.MaxCostOption = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of encoder:..., how often it goes over the training examples at most.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of encoder:..., its highest learning rate.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of encoder:..., what its head and the order of examples follow from.")
    ] = None,
    list_suites: Annotated[bool, typer.Option("--list-suites", help="List the suites and their test sets.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Evaluate a model on a suite of test sets; a run is asked in the way that its recipe says.

    The model of a server is given by an address that is compatible with OpenAI's, and its --name there: vLLM,
    llama.cpp, Ollama, or a commercial one. It is asked in words for its form of answers, JSON if not given.

    Conventional models are learned from the training data of each test set: baseline:majority, baseline:dictionary, and
    encoder:MODEL, a BERT or the like that is fine-tuned (encoder:scratch: one from nothing).

    Example: taiyi eval runs/demo --suite demo --max-records 20
    """
    if ctx.invoked_subcommand is not None:
        return
    if list_suites:
        _list(as_json, corpora)
        return
    if suite is None:
        typer.echo("say on which suite (--suite NAME; --list-suites lists them)", err=True)
        raise typer.Exit(2)
    import msgspec

    from taiyi import catalogue, steps
    from taiyi.checkpoint import model_folder
    from taiyi.evaluate import report
    from taiyi.manifest import Log

    left_out: Mapping[str, str] = {}
    endpoint = endpoints.settings(
        model,
        server,
        extra,
        model=name,
        key_env=key_env,
        concurrency=concurrency,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        timeout_s=timeout,
        temperature=temperature,
        tokenizer=tokenizer,
        price_in=price_in,
        price_out=price_out,
        max_cost=max_cost,
    )
    if runtime and (endpoint or steps.is_baseline(model)):
        raise RecipeError("only a model in this process has a runtime", where="--runtime", got=model)
    given = {
        "few_shot": few_shot,
        "choices": choices,
        "constrained": constrained,
        "max_records": max_records,
        "relations": relations,
        "pair_bias": pair_bias,
        "runtime": runtime,
    }
    recipe = _recipe(model, suite, form or [], window, max_new_tokens, endpoint, given)
    fine_tuning = _fine_tuning(model, epochs=epochs, learning_rate=learning_rate, seed=seed)
    if steps.is_baseline(model):
        recipe, left_out = steps.supplied(recipe, catalogue.corpora_dir(corpora))
    place: str | Path = model_folder(model) if _is_local(model) else model
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
    if steps.is_baseline(model):
        for test_set, reason in left_out.items():
            job.log.say(f"{test_set} is left out: {reason}")
        results = steps.carry_out_baseline(job, fine_tuning, left_out, named=(suite,))
    else:
        data = steps.build(job)
        results = steps.write_report(job, data, steps.predict(job, data, place), place)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(results.results)).decode())
        return
    console = Console()
    report.print_summary(results, console)
    page = steps.report_folder(job) / "report.html"
    console.print(f"\nReport: {page.resolve()}", soft_wrap=True, highlight=False, markup=False)


def _fine_tuning(model: str, **given: int | float | None) -> EncoderSettings:
    """Return how an encoder is fine-tuned.

    Raises:
        RecipeError: what is asked is no encoder, and would be given something that has no effect.
    """
    from taiyi import steps
    from taiyi.train.settings import EncoderSettings

    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen and not model.startswith(steps.ENCODER):
        raise RecipeError(
            "only an encoder is fine-tuned",
            where=", ".join(f"--{name.replace('_', '-')}" for name in chosen),
            got=model,
            expected="encoder:MODEL",
            mend="leave it out",
        )
    return EncoderSettings.model_validate(chosen)


app = typer.Typer(cls=Evaluation, invoke_without_command=True, subcommand_metavar="| COMMAND [ARGS]...")
app.callback()(eval)
app.command("compare")(compare)


def _list(as_json: bool, corpora: Path | None) -> None:
    import json

    from taiyi import catalogue
    from taiyi.evaluate.suites import SUITES

    folder = catalogue.corpora_dir(corpora)

    if as_json:
        shown = ("name", "title", "corpus", "split", "task", "protocol", "metric", "max_records", "missing", "note")
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
            most = f", {t.max_records} records" if t.max_records else ""
            scored = f"{t.metric} ({t.protocol})" if t.protocol else t.metric
            missing = f"; {t.missing}" if t.missing and not catalogue.get(t.corpus).layout(t.split, folder) else ""
            typer.echo(f"  {t.name.ljust(width)}  {t.task}, {t.corpus} {t.split}{most}: {scored}{missing}")


def _recipe(
    model: str,
    suite: str,
    forms: list[str],
    window: int | None,
    max_new_tokens: int | None,
    endpoint: EndpointSettings | None,
    given: Mapping[str, object],
) -> Recipe:
    """Return the recipe that evaluates a model as it is: one without stages; `given` are settings, None where they are
    left as they are."""
    from taiyi import tasks
    from taiyi.evaluate import suites
    from taiyi.recipe import Recipe
    from taiyi.recipe_check import check_choices

    asked = {t.name: t for t in suites.get(suite)}
    own = _settings(model, window) if endpoint is None else _foreign(endpoint, list(asked.values()))
    changes: dict[str, Any] = {"suites": (suite,), "forms": own.forms | _forms(forms), "max_records": None}
    changes |= {name: value for name, value in given.items() if value is not None}
    if max_new_tokens is not None:
        changes["max_new_tokens"] = own.max_new_tokens | dict.fromkeys((t.task for t in asked.values()), max_new_tokens)
    check_choices(changes.get("choices", own.choices), list(asked.values()), "--choices")
    for key in ("window_chars", "overlap_chars"):
        sizes: dict[str, int] = getattr(own, key)
        # A part of a set is asked like it.
        changes[key] = {name: sizes[like] for name, t in asked.items() for like in (t.part_of, name) if like in sizes}
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
    who = _slug(model if endpoint is None else endpoint.model)
    return Recipe(
        name=f"eval-{who}-{_slug(suite.removesuffix('.yaml').removesuffix('.yml'))}",
        description=f"The model {model}, as it is, on {suite}.",
        base=model,
        evaluate=own.model_copy(update=changes),
    )


def _foreign(endpoint: EndpointSettings, test_sets: Sequence[TestSet]) -> EvaluateSettings:
    """Return how a model is asked that has not learned to answer as ours do."""
    from taiyi.build.settings import PromptSettings
    from taiyi.recipe import MAX_NEW_TOKENS, EvaluateSettings

    return EvaluateSettings(
        endpoint=endpoint,
        forms=endpoints.forms(test_sets),
        prompt=PromptSettings(form=True),
        max_new_tokens=endpoints.bounds(test_sets, MAX_NEW_TOKENS),
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
    if model != EMBEDDED and (run / RUN_FILE).exists():
        pointer: dict[str, str] = read_json(run / RUN_FILE, dict[str, str])
        if "report" in pointer:
            results = report.load(run / pointer["report"] / "results.json")
            recipe = Recipe.model_validate(yaml.safe_load(results.recipe))
            if window is None:
                _check_windows(recipe.evaluate.window_chars, run)
            return recipe.evaluate.model_copy(update={"forms": recipe.forms()})
    folder = model_folder(model)
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
    from taiyi import steps

    if is_address(model) or steps.is_baseline(model):
        return False
    if model == EMBEDDED:
        return True
    return Path(model).expanduser().exists() or model.startswith((".", "/", "~", "runs/")) or model.count("/") > 1


def _slug(name: str) -> str:
    """Return the last part of a name, or the step of a model's folder, as a name of a run may be written."""
    kind, mark, rest = name.partition(":")
    if mark and "/" not in kind and not rest.startswith("//"):
        return f"{_slug(kind)}-{_slug(rest)}"
    parts = [part for part in Path(name).parts if part not in (".", "..", "/")]
    last = parts[-2] if len(parts) > 1 and parts[-1] == "model" else parts[-1] if parts else "model"
    return regex.sub(r"[^a-z0-9._-]+", "-", last.casefold()).strip("-.") or "model"
