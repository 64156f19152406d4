"""`taiyi serve [MODEL]`: a model behind HTTP."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taiyi.checkpoint import EMBEDDED, is_address, report_folder
from taiyi.cli.inputs import DeviceOption, SourcesOption, TermsOption
from taiyi.errors import TaiyiError

if TYPE_CHECKING:
    from taiyi.use.taiyi import Taiyi

KEYS_ENV = "TAIYI_API_KEY"
"""Name of the environment variable that holds keys."""


def serve(
    model: Annotated[
        str,
        typer.Argument(
            help="A run, a folder with a model, a hub id, or the address of a server; mini comes with the package."
        ),
    ] = EMBEDDED,
    engine: Annotated[
        str,
        typer.Option(metavar="URL", help="A server that answers: vLLM or any other that is compatible with OpenAI's."),
    ] = "",
    key_env: Annotated[
        str, typer.Option(metavar="VARIABLE", help="The environment variable that holds the key of --engine.")
    ] = "OPENAI_API_KEY",
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What the model is called, of --engine the one that is asked; else its folder, or the only one.",
        ),
    ] = "",
    host: Annotated[str, typer.Option(help="Where to listen; the default is reached from this machine alone.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = 8080,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"Keys, one a line, of which those who ask send one; else those in {KEYS_ENV}; else anybody may ask.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="A site whose pages may ask from a browser; once for each."),
    ] = None,
    sources: SourcesOption = None,
    terms: TermsOption = None,
    corpora: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Raw corpora, of which the page shows records where they are open.", file_okay=False
        ),
    ] = None,
    max_chars: Annotated[int, typer.Option(min=1, help="The most characters of text in a request.")] = 100_000,
    queue: Annotated[int, typer.Option(min=1, help="So many requests are under way at most; others get 429.")] = 256,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="So many requests a minute of a key or address; else no limit.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="The longest wait for an answer.")] = 60.0,
    device: DeviceOption = "auto",
) -> None:
    """Serve a model over HTTP: OpenAI's chat, and typed addresses such as /v1/extract; /openapi.json has them all. At /
    is a page for people.

    SIGTERM or Ctrl-C finishes what is under way.

    Example: taiyi serve runs/demo --port 8080
    """
    try:
        from taiyi.serve import running
        from taiyi.serve.app import NOTICE, app
        from taiyi.serve.page import attach
        from taiyi.serve.settings import LOOPBACK, ServeSettings
        from taiyi.use.backing import Backing
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("taiyi"):
            raise
        raise TaiyiError(
            "the server needs more libraries", got=f"no {error.name}", mend="install them: pip install 'taiyi[serve]'"
        ) from error
    if not all(0 < number < math.inf for number in (timeout, *([] if rate is None else [rate]))):
        raise TaiyiError("a rate and a time are numbers above 0", where="--rate, --timeout")
    if engine and model != EMBEDDED:
        raise TaiyiError("a model or --engine, not both", got=model, mend="name the model of --engine with --name")
    settings = ServeSettings(
        host=host,
        port=port,
        name=name,
        keys=_keys(api_key_file),  # pyright: ignore[reportArgumentType]
        cors_origins=tuple(cors_origin or ()),
        max_chars=max_chars,
        max_requests=queue,
        rate=rate,
        timeout_s=timeout,
    )
    # What cannot be is said before a model is loaded.
    with running.listen(settings) as listening:
        taiyi = _taiyi(engine or model, name, key_env, device, timeout)
        settings = settings.model_copy(update={"name": name or _called(taiyi.model.name)})
        made = app(taiyi, settings, Backing.open(sources, terms, device=device))
        attach(made, corpora=corpora, report=None if engine or is_address(model) else report_folder(model))
        if host not in LOOPBACK and not settings.keys:
            typer.secho("others reach this server, and anybody may ask: give it --api-key-file", fg="yellow", err=True)
        shown = f"[{host}]" if ":" in host else host
        at = f"http://{shown}:{listening.getsockname()[1]}"
        typer.echo(f"{settings.name} at {at}/v1 (see {at}/openapi.json; Ctrl-C stops). {NOTICE}", err=True)
        typer.echo(f"page: {at}", err=True)
        running.run(made, settings, listening)


def _taiyi(model: str, name: str, key_env: str, device: str, timeout: float) -> Taiyi:
    from taiyi.use.taiyi import Taiyi

    if not is_address(model):
        return Taiyi.load(model, device=device)
    from taiyi.endpoint import EndpointSettings

    # Who asks tries again, or not; here an answer is waited for once.
    return Taiyi.load(model, endpoint=EndpointSettings(model=name, key_env=key_env, timeout_s=timeout, attempts=1))


def _called(name: str) -> str:
    """Return what a model is called to others: a folder by its last name, which tells nothing of this machine."""
    path = Path(name).expanduser()
    return path.resolve().name if path.exists() else name


def _keys(file: Path | None) -> list[str]:
    """Return the keys of a file, or of the environment.

    Raises:
        TaiyiError: the file has none, or one that cannot be sent.
    """
    text = file.read_text(encoding="utf-8", errors="replace") if file is not None else os.environ.get(KEYS_ENV, "")
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if file is not None and not found:
        raise TaiyiError("there is no key", where=file, expected="one a line")
    if any(not key.isascii() or len(key.split()) > 1 for key in found):
        raise TaiyiError("what is given is no key", where=file or KEYS_ENV, expected="ASCII characters without spaces")
    return found
