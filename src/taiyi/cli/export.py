"""`taiyi export MODEL OUT`: a model for other programs, with its card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from taiyi.checkpoint import EMBEDDED, model_folder
from taiyi.errors import ModelError, suggestion


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A run, a folder with a model, a hub id, or mini.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write into.")],
    dtype: Annotated[
        str, typer.Option(help="Write the weights as bf16, fp16 or fp32, or as the type that they have (auto).")
    ] = "bf16",
    gguf: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="Write a GGUF file for llama.cpp and a Modelfile for Ollama too, with weights of this type: f32, f16,"
            " bf16, q8_0, or auto, which leaves it to llama.cpp; by default none is written.",
        ),
    ] = None,
    llama_cpp: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Take the converter to GGUF from this clone of llama.cpp; by default from the one that LLAMA_CPP"
            " names, else from the PATH.",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Replace an earlier export in OUT; otherwise a folder with files is refused."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was written as JSON for programs, instead of as text.")
    ] = False,
) -> None:
    """Write a model for other programs: adapters merged in, with its tokenizer, chat template and model card.

    Example: taiyi export runs/demo exported --dtype bf16
    """
    import msgspec

    from taiyi.steps.model_export import CARD, export_model

    known = ("bf16", "fp16", "fp32", "auto")
    if dtype not in known:
        raise ModelError("no such type of weights", got=dtype, mend=suggestion(dtype, known))
    source = str(model_folder(model)) if model == EMBEDDED else model
    made = export_model(source, out, dtype=cast(Any, dtype), gguf_type=gguf, llama_cpp=llama_cpp, again=again)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(made, enc_hook=str)).decode())
        return
    typer.echo(f"Model: {out.resolve()}")
    if made.gguf is not None:
        typer.echo(f"GGUF: {made.gguf.resolve()}; for Ollama: ollama create NAME -f {out / 'Modelfile'}")
    if made.gated:
        typer.echo(f"It learned from texts given out on signature only: {', '.join(made.gated)}", err=True)
    typer.echo(f"What it is, and which licences bind: {out / CARD}")
    typer.echo(f"Score this form of it: taiyi eval {out} --suite SUITE")
