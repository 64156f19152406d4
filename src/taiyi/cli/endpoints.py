"""How `taiyi eval` asks a server: its options, and the settings that they make."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from pydantic import ValidationError

from taiyi.checkpoint import is_address
from taiyi.endpoint import KEY_ENV, EndpointSettings, Server, base_url
from taiyi.errors import Misfit, RecipeError

if TYPE_CHECKING:
    from taiyi.evaluate.suites import TestSet

_PANEL = "Of the model of a server"
_LONG_TOKENS, _SHORT_TOKENS = 1024, 64

NameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Its name there; else the only one.", rich_help_panel=_PANEL),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        metavar="VARIABLE", help=f"The environment variable with the key; else {KEY_ENV}.", rich_help_panel=_PANEL
    ),
]
ConcurrencyOption = Annotated[
    int | None, typer.Option(min=1, help="Requests under way at a time; else 8.", rich_help_panel=_PANEL)
]
RequestsOption = Annotated[
    float | None, typer.Option(help="So many requests a minute at most.", rich_help_panel=_PANEL)
]
TokensOption = Annotated[float | None, typer.Option(help="So many tokens a minute at most.", rich_help_panel=_PANEL)]
TimeoutOption = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="The longest wait for an answer; else 300.", rich_help_panel=_PANEL),
]
TemperatureOption = Annotated[float | None, typer.Option(min=0, help="Else 0.", rich_help_panel=_PANEL)]
ServerOption = Annotated[
    Literal["vllm", "sglang", "llama.cpp"] | None,
    typer.Option(help="What serves it, if it is to keep answers to their grammar.", rich_help_panel=_PANEL),
]
ExtraOption = Annotated[
    str | None,
    typer.Option(
        metavar="JSON",
        help='What else a request says, such as {"chat_template_kwargs": {"enable_thinking": false}}.',
        rich_help_panel=_PANEL,
    ),
]
TokenizerOption = Annotated[
    str | None,
    typer.Option(help="Its tokenizer, a folder or an id of the hub, to count prompts by.", rich_help_panel=_PANEL),
]
PriceInOption = Annotated[
    float | None, typer.Option(min=0, help="Of a million tokens of prompts.", rich_help_panel=_PANEL)
]
PriceOutOption = Annotated[
    float | None, typer.Option(min=0, help="Of a million tokens of answers.", rich_help_panel=_PANEL)
]
MaxCostOption = Annotated[
    float | None, typer.Option(min=0, help="Send nothing if it might cost more.", rich_help_panel=_PANEL)
]


def settings(address: str, server: Server | None, extra: str | None, /, **given: Any) -> EndpointSettings | None:
    """Return how a server is asked; None of a model that is here.

    Raises:
        RecipeError: something is said of a server that is none, or does not go together.
        ModelError: the address is none, or the server does not tell which one of its models is asked.
    """
    said = {name: value for name, value in {"server": server, "extra": extra, **given}.items() if value is not None}
    if not is_address(address):
        if said:
            raise RecipeError(
                "only a server is asked in this way",
                where=", ".join(map(_option, said)),
                got=address,
                expected="the address of a server, such as http://localhost:8000/v1",
                mend="leave it out",
            )
        return None
    base_url(address)
    if extra is not None:
        said["extra"] = _object(extra)
    try:
        found = EndpointSettings.model_validate(said)
    except ValidationError as error:
        raise _explained(error) from error
    if found.model:
        return found
    from taiyi.generate.remote import only_model

    return found.model_copy(update={"model": only_model(address, found)})


def forms(test_sets: Sequence[TestSet]) -> dict[str, str]:
    """Return in which forms a model answers that has learned none of ours: in JSON, which models are good at."""
    from taiyi import tasks

    return {t.task: "json" for t in test_sets if "json" in tasks.get(t.task).forms}


def bounds(test_sets: Sequence[TestSet], known: Mapping[str, int]) -> dict[str, int]:
    """Return how long its answers may be: it says in sentences what one of ours says in a word, and JSON is long."""
    long = forms(test_sets)
    return {t.task: max(known.get(t.task, 0), _LONG_TOKENS if t.task in long else _SHORT_TOKENS) for t in test_sets}


def _explained(error: ValidationError) -> RecipeError:
    """Return what is wrong with an option, as a recipe would say it."""
    first = error.errors()[0]
    fault: Any = first.get("ctx", {}).get("error")
    if isinstance(fault, Misfit):
        return RecipeError(str(fault), where=_option(str(fault.loc[0])), **fault.said)
    return RecipeError(first["msg"], where=_option(str(first["loc"][0])), got=first["input"])


def _option(name: str) -> str:
    """Return the option that a setting is given by."""
    return "--name" if name == "model" else f"--{name.removesuffix('_s').replace('_', '-')}"


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise RecipeError("not JSON", where="--extra", got=text, expected='such as {"top_p": 0.9}') from error
    if not isinstance(found, dict):
        raise RecipeError("not a JSON object", where="--extra", got=text, expected='such as {"top_p": 0.9}')
    return cast(dict[str, Any], found)
