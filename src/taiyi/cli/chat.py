"""`taiyi chat`: talk with a model in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from taiyi.checkpoint import EMBEDDED, is_address
from taiyi.cli.inputs import SourcesOption, TermsOption
from taiyi.errors import ModelError
from taiyi.schema import Message
from taiyi.use import care

if TYPE_CHECKING:
    from taiyi.generate import LocalEngine, RemoteEngine
    from taiyi.use.backing import Backing

COMMANDS = "/reset begins anew, /system TEXT sets the system message, /exit ends. 输入 /reset 重新开始，/exit 退出。"


class _Talk:
    """A dialogue as it grows."""

    def __init__(
        self, engine: LocalEngine | RemoteEngine, backing: Backing, system: str, max_new_tokens: int, *, talks: bool
    ) -> None:
        self.engine = engine
        self.backing = backing
        self.max_new_tokens = max_new_tokens
        # A model that does not write lets the sources speak.
        self.talker = engine if talks else None
        self.begin(system)

    def begin(self, system: str) -> None:
        """Forget all turns."""
        self.system = system
        self.messages = [Message(role="system", content=system)] if system else []

    def say(self, text: str) -> Iterator[str]:
        """Answer, in pieces as they come; what was not answered is forgotten."""
        self.messages.append(Message(role="user", content=text))
        answer = ""
        try:
            for piece in self.backing.reply(self.talker, text, self._alone):
                answer += piece
                yield piece
        finally:
            if answer.strip():
                self.messages.append(Message(role="assistant", content=answer))
            else:
                self.messages.pop()

    def _alone(self) -> Iterator[str]:
        """Answer from what the model learned."""
        from taiyi.generate.dialogue import fit

        limit = self.engine.limit
        room = min(self.max_new_tokens, limit // 2)
        self.messages, dropped = fit(self.messages, self.engine.num_tokens, limit=limit - room)
        if dropped:
            typer.secho(
                f"[the {dropped} oldest messages no longer fit and are forgotten 已忘记最早的 {dropped} 条消息]",
                fg="yellow",
                err=True,
            )
        return self.engine.stream(self.messages, max_new_tokens=room)


def chat(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A run, a folder with a model, a hub id, or the address of a server; mini comes with the package.",
        ),
    ] = EMBEDDED,
    once: Annotated[str | None, typer.Option(help="Answer this and exit.")] = None,
    sources: SourcesOption = None,
    terms: TermsOption = None,
    system: Annotated[str, typer.Option(help="The system message.")] = "",
    max_new_tokens: Annotated[int, typer.Option(min=1, help="The longest answer, in tokens.")] = 512,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Which model of a server; else the only one that it has.")
    ] = "",
    key_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="The environment variable that holds the key of a server.",
            show_default="OPENAI_API_KEY",
        ),
    ] = None,
) -> None:
    """Talk with a model, in English or Chinese.

    With --sources each message is answered from passages of an index, with citations that are checked, or that no
    support was found. With --terms, of a term that may not exist nothing is said but that.

    Where the input is not a terminal, each line of it is a message, and only the answers go to standard output.

    Example: taiyi chat --model runs/demo
    """
    from taiyi.use.backing import Backing

    backing = Backing.open(sources, terms, device=device)
    engine, talks = _engine(model, device, name, key_env, quoting=sources is not None)
    talk = _Talk(engine, backing, system, max_new_tokens, talks=talks)
    # A terminal shows what is loaded; a script gets the answers alone.
    interactive = once is None and sys.stdin.isatty()
    typer.secho(f"{engine.name}: {engine.about()}", fg="cyan", err=not interactive)
    # In which language there will be talk is not known yet.
    typer.secho(f"{care.limit('en')}\n{care.limit('zh')}", fg="cyan", err=not interactive)
    if once is not None:
        _answer(talk, once)
    elif interactive:
        _interact(talk)
    else:
        for line in sys.stdin:
            if line.strip() and not _command(talk, line.strip()):
                _answer(talk, line.strip())


def _engine(
    model: str, device: str, name: str, key_env: str | None, *, quoting: bool
) -> tuple[LocalEngine | RemoteEngine, bool]:
    """Return what answers and whether it talks; one that does not is refused, unless sources are quoted."""
    if not is_address(model):
        from taiyi.generate import LocalEngine

        engine = LocalEngine.load(model, device=device)
        if not quoting:
            engine.check_talks()
        return engine, engine.checkpoint.talks
    from taiyi.endpoint import KEY_ENV, EndpointSettings
    from taiyi.generate import RemoteEngine

    return RemoteEngine(model, EndpointSettings(model=name, key_env=key_env or KEY_ENV)), True


def _interact(talk: _Talk) -> None:
    # Importing readline gives `input` its line editing and history; not every platform has it.
    try:
        import readline  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        typer.secho("line editing is not available here", fg="yellow", err=True)
    typer.echo(COMMANDS)
    while True:
        try:
            line = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            typer.echo()
            return
        if line == "/exit":
            return
        if not line or _command(talk, line):
            continue
        try:
            _answer(talk, line, err=False)
        except KeyboardInterrupt:
            typer.secho("\n[stopped 已停止]", fg="yellow")
        except ModelError as error:
            typer.secho(str(error), fg="red", err=True)


def _command(talk: _Talk, line: str) -> bool:
    """Carry out a command; False where the line is none."""
    if not line.startswith("/"):
        return False
    name, _, rest = line.partition(" ")
    if name == "/reset":
        talk.begin(talk.system)
    elif name == "/system":
        talk.begin(rest.strip())
    elif name == "/exit":
        raise typer.Exit
    else:
        typer.secho(f"There is no command {name}. {COMMANDS}", fg="red", err=True)
    return True


def _answer(talk: _Talk, text: str, *, err: bool = True) -> None:
    """Print the answer to a text, and before it what its writer is to be told of an emergency."""
    for notice in care.notices(text):
        typer.secho(notice.text, fg="red", bold=True, err=err)
    _print(talk.say(text))


def _print(pieces: Iterator[str]) -> None:
    empty = True
    for piece in pieces:
        typer.echo(piece, nl=False)
        sys.stdout.flush()
        empty = empty and not piece.strip()
    typer.echo()
    if empty:
        typer.secho("[an empty answer 空回答]", fg="yellow", err=True)
