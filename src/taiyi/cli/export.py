"""`taiyi export MODEL OUT`: a model for other programs, with its card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from taiyi.errors import ModelError, suggestion


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A run, a folder with a model, or a hub id.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write into.")],
    dtype: Annotated[str, typer.Option(help="Type of the weights: bf16, fp16, fp32, or auto for their own.")] = "bf16",
    gguf: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Write GGUF too: auto, f32, f16, bf16 or q8_0.")
    ] = None,
    llama_cpp: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where llama.cpp is [default: $LLAMA_CPP, or on the path]")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Write over files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Write a model with adapters merged in, its tokenizer, chat template and model card; and GGUF if asked.

    Example: taiyi export runs/demo exported --dtype bf16
    """
    import msgspec

    from taiyi.steps.model_export import CARD, export_model

    known = ("bf16", "fp16", "fp32", "auto")
    if dtype not in known:
        raise ModelError("no such type of weights", got=dtype, mend=suggestion(dtype, known))
    made = export_model(model, out, dtype=cast(Any, dtype), gguf_type=gguf, llama_cpp=llama_cpp, again=again)
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
