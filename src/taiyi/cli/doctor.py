"""`taiyi doctor`: what this machine has, and what Taiyi misses on it.

torch's version comes from its metadata, not from importing it: the answer takes a moment, even where torch is broken.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import typer
from packaging.requirements import Requirement

from taiyi import __version__, catalogue
from taiyi.errors import TaiyiError

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer; a problem is something without which Taiyi does not work as asked."""

    what: str
    found: str
    problem: str = ""


def _machine() -> list[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    disk = shutil.disk_usage(Path.cwd())
    return [
        Finding("taiyi", __version__),
        Finding("python", f"{platform.python_version()} ({sys.executable})"),
        Finding("system", platform.platform()),
        Finding("cores", str(cores)),
        Finding("memory", f"{memory / GIB:.1f} GiB"),
        Finding("disk", f"{disk.free / GIB:.1f} GiB free of {disk.total / GIB:.1f} GiB here"),
    ]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _packages() -> list[Finding]:
    """Compare what is installed with what the base install of the package requires."""
    try:
        lines = requires("taiyi") or []
    except PackageNotFoundError:
        return [Finding("packages", "not known: Taiyi runs from a source tree that was never installed")]
    findings: list[Finding] = []
    for requirement in map(Requirement, lines):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = _installed(requirement.name)
        problem = ""
        if found is None:
            problem = f"not installed: pip install '{requirement}'"
        elif not requirement.specifier.contains(found, prereleases=True):
            problem = f"too old: pip install '{requirement}'"
        findings.append(Finding(requirement.name, found or "missing", problem))
    return findings


def _gpus() -> list[Finding]:
    """Ask the driver for its devices, and see that the parts that use them are there."""
    extra = Finding("bitsandbytes", _installed("bitsandbytes") or "missing (QLoRA needs it: pip install 'taiyi[gpu]')")
    program = shutil.which("nvidia-smi")
    if program is None:
        return [Finding("gpu", "none"), extra]
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return [Finding("gpu", "not known", f"nvidia-smi does not answer: {error}"), extra]
    cpu_only = "+cpu" in (_installed("torch") or "")
    problem = "torch is its CPU build and does not see the device: install the CUDA build of torch" if cpu_only else ""
    return [*(Finding("gpu", line, problem) for line in answer.splitlines()), extra]


def _corpora() -> list[Finding]:
    try:
        root = catalogue.corpora_dir(None)
        corpora = catalogue.all_corpora()
    except TaiyiError as error:
        return [Finding("corpora", "not known", str(error))]
    here = sum(corpus.bundled is None and corpus.location(root).is_dir() for corpus in corpora)
    bundled = sum(corpus.bundled is not None for corpus in corpora)
    state = f"{here} of {len(corpora) - bundled}" if root.is_dir() else "no such folder; none of them"
    return [Finding("corpora", f"{root}: {state} here, and {bundled} come with the package")]


def doctor(
    as_json: bool = typer.Option(False, "--json", help="Print JSON for a program to read."),
) -> None:
    """Show what this machine has, and what Taiyi misses on it.

    For example: taiyi doctor --json
    """
    findings = [*_machine(), *_packages(), *_gpus(), *_corpora()]
    problems = [f for f in findings if f.problem]
    if as_json:
        rows = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"findings": rows, "problems": len(problems)}, ensure_ascii=False, indent=2))
    else:
        width = max(len(f.what) for f in findings)
        for finding in findings:
            mark = typer.style(f"  {finding.problem}", fg="red") if finding.problem else ""
            typer.echo(f"{finding.what:<{width}}  {finding.found}{mark}")
    if problems:
        names = ", ".join(f.what for f in problems)
        raise TaiyiError(f"{len(problems)} problem{'s' * (len(problems) > 1)} found", where="doctor", got=names)
