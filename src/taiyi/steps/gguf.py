"""GGUF files for llama.cpp and Ollama, written by llama.cpp's own converter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from taiyi.errors import ModelError

CONVERTER = "convert_hf_to_gguf.py"
TYPES = ("auto", "f32", "f16", "bf16", "q8_0")
# ChatML in the templates of Go, as Ollama has it; what taiyi's own chat template writes.
_CHATML = """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""


def find_converter(llama_cpp: Path | None = None) -> Path:
    """Return llama.cpp's converter: in the folder that is given, in that of `$LLAMA_CPP`, or on the path.

    Raises:
        ModelError: it is not there.
    """
    places = [llama_cpp] if llama_cpp is not None else [Path(os.environ["LLAMA_CPP"])] * ("LLAMA_CPP" in os.environ)
    for place in places:
        if (place / CONVERTER).is_file():
            return place / CONVERTER
    if llama_cpp is None and (found := shutil.which(CONVERTER)):
        return Path(found)
    raise ModelError(
        "llama.cpp's converter is not there",
        where=llama_cpp or os.environ.get("LLAMA_CPP"),
        expected=CONVERTER,
        mend="clone https://github.com/ggml-org/llama.cpp and name its folder with --llama-cpp DIR or in LLAMA_CPP",
    )


def check_type(kind: str) -> None:
    """Raise ModelError where the converter writes no such type."""
    if kind not in TYPES:
        raise ModelError("no such type of GGUF", got=kind, expected=", ".join(TYPES))


def convert(folder: Path, name: str, kind: str, converter: Path) -> Path:
    """Convert a model's folder and return the file, which lies in the folder.

    Raises:
        ModelError: the converter fails; with its last words.
    """
    path = folder / (f"{name}.gguf" if kind == "auto" else f"{name}-{kind}.gguf")
    command = [sys.executable, str(converter), str(folder), "--outfile", str(path), "--model-name", name]
    command += ["--outtype", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not path.exists():
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise ModelError(
            "llama.cpp's converter failed",
            where=converter,
            got=said[-1],
            mend="install what it misses; of tokenizers it knows those of published bases only",
        )
    return path


def modelfile(gguf: str, *, end: str, chatml: bool) -> str:
    """Return Ollama's Modelfile; where the chat template is not ours, Ollama takes that of the GGUF file."""
    template = [f'TEMPLATE """{_CHATML}"""'] if chatml else []
    return "\n".join([f"FROM ./{gguf}", *template, f'PARAMETER stop "{end}"', "PARAMETER temperature 0", ""])
