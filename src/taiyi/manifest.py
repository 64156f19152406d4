"""The steps that carry a recipe out: data, tokenizer, rows, training, predictions, report.

Each step writes into a folder named by what goes into it, and its manifest last. A step whose manifest exists is not
run again, so a run that was killed anywhere goes on where it stopped when the same command is given.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, cast

import msgspec
import xxhash
from rich.console import Console

from taiyi import __version__, storage
from taiyi.errors import TaiyiError, machine_fault
from taiyi.storage import StorageError

MANIFEST = "manifest.json"
_MOST_NAMES = 5


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished step was made from, what it made, and how long it took.

    `files` are the hashes of what it made and `sizes` their bytes; `taiyi` is the version that made it.
    """

    step: str
    taiyi: str = ""
    inputs: dict[str, Any]
    facts: dict[str, Any]
    files: dict[str, str]
    sizes: dict[str, int] = {}
    seconds: float
    finished: str


class Log:
    """Says what happens on the terminal and keeps it in the run's log; one that is quiet does neither."""

    def __init__(self, run: Path, console: Console | None = None, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = console or Console(stderr=True, quiet=quiet)
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            mend = "choose another folder with --runs"
            raise StorageError(
                "the folder of the run cannot be made", where=run, got=error.strerror, mend=mend
            ) from error
        self._file = run / "log.txt"

    def say(self, text: str) -> None:
        if self.quiet:
            return
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n")
        except OSError as error:
            if (fault := machine_fault(error)) is None:
                raise
            raise StorageError("cannot be written", where=self._file, got=fault.what, mend=fault.mend) from error


def step(run: Path, name: str, inputs: Mapping[str, Any], work: Callable[[Path], dict[str, Any]], log: Log) -> Path:
    """Carry out a step unless it is done, and return its folder.

    Args:
        run: folder of the run.
        name: of the step, such as `train-stage1`.
        inputs: all that its outcome depends on, as values that JSON can hold. The version of the package is not among
            them, so that a release does not make every run anew: a step whose outcome changes has a version of its own.
        work: writes into the folder and returns facts for the manifest; it may find there what an interrupted run left.

    Raises:
        TaiyiError: another process carries out the step, or one of its name.
    """
    inputs = dict(inputs)
    folder = run / f"{name}-{key_of(inputs)}"
    if not (folder / MANIFEST).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(run, name, log):
            # Another process may just have finished it.
            if not (folder / MANIFEST).exists():
                _carry_out(run, folder, name, inputs, work, log)
                return folder
    _check(folder)
    log.say(f"{name}: done already, in {folder}")
    return folder


def _carry_out(
    run: Path, folder: Path, name: str, inputs: dict[str, Any], work: Callable[[Path], dict[str, Any]], log: Log
) -> None:
    log.say(f"{name}: begins, in {folder}")
    if changes := _changes(run, name, inputs):
        log.say(f"{name}: is carried out again: {changes}")
    begun = time.monotonic()
    try:
        facts = work(folder)
    except Exception as error:
        if isinstance(error, TaiyiError) or (fault := machine_fault(error)) is None:
            raise
        raise StorageError(fault.what, where=fault.where or folder, mend=fault.mend) from error
    seconds = round(time.monotonic() - begun, 2)
    made = {str(path.relative_to(folder)): path for path in _files(folder)}
    manifest = Manifest(
        step=name,
        taiyi=__version__,
        inputs=inputs,
        facts=facts,
        files={name: hash_file(path) for name, path in made.items()},
        sizes={name: path.stat().st_size for name, path in made.items()},
        seconds=seconds,
        finished=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    storage.write_json(manifest, folder / MANIFEST)
    log.say(f"{name}: done in {seconds:.0f} s")


@contextmanager
def _locked(run: Path, name: str, log: Log) -> Generator[None]:
    """Keep other processes from a step meanwhile, from one of other inputs too: data is made of files that they share.

    Of a process that dies the system gives the lock free.

    Raises:
        TaiyiError: another process has the lock.
    """
    path = run / f".{name}.lock"
    file = _lock(path, name, log)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def _lock(path: Path, name: str, log: Log) -> FileIO:
    while True:
        file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with file:
                file.seek(0)
                holder = file.read().decode()
            raise TaiyiError(
                "another process works on this run",
                where=f"{path.parent}, {name}",
                got=holder or None,
                mend="wait until it has ended, or end it; the same command then goes on from what is whole",
            ) from error
        except OSError as error:
            log.say(f"{name}: goes on without a lock: see that no other command works on this run ({error})")
            return file
        # Who had the lock before may have removed its file meanwhile.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                with suppress(OSError):  # of a full disk: the lock holds without a name, too
                    file.truncate(0)
                    file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
                return file
        file.close()


def _changes(run: Path, name: str, inputs: Mapping[str, Any]) -> str | None:
    """Say which inputs of a step changed since it was last finished, and of settings which ones; None where it was not.

    What a step was made from is a person's to know before the machine is busy with it again.
    """
    try:
        older = [(folder, made.inputs) for folder, made in finished(run, name) if made.step == name]
    except StorageError:  # of a manifest that nothing else needs any more
        return None
    if not older:
        return None
    folder, before = older[-1]
    now: dict[str, Any] = json.loads(json.dumps(inputs))
    told: list[str] = []
    for key in _differing(before, now):
        parts = _differing(before.get(key), now.get(key))
        more = f" and {len(parts) - _MOST_NAMES} more" if len(parts) > _MOST_NAMES else ""
        told.append(f"{key} ({', '.join(parts[:_MOST_NAMES])}{more})" if parts else key)
    return f"changed since {folder.name}: {', '.join(told)}"


def _differing(before: Any, now: Any) -> list[str]:
    """Return the keys in which two mappings differ; none of other values."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return []
    one, other = cast(dict[str, Any], before), cast(dict[str, Any], now)
    return [key for key in one | other if key not in one or key not in other or one[key] != other[key]]


def is_done(run: Path, name: str, inputs: Mapping[str, Any]) -> bool:
    """Whether a step of these inputs is finished."""
    return (run / f"{name}-{key_of(dict(inputs))}" / MANIFEST).exists()


def take_part(run: Path, name: str, inputs: Mapping[str, Any], work: Callable[[Path], dict[str, Any]]) -> Path:
    """Do this process's part of a step that another one writes the manifest of, unless it is done."""
    folder = run / f"{name}-{key_of(dict(inputs))}"
    if not (folder / MANIFEST).exists():
        work(folder)
    return folder


def key_of(inputs: Mapping[str, Any]) -> str:
    """Return a short hash of what something is made of, by which it is named."""
    return xxhash.xxh3_128_hexdigest(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode())[:12]


def manifest(folder: Path) -> Manifest:
    """Return the manifest of a finished step."""
    return storage.read_json(folder / MANIFEST, Manifest)


def finished(run: Path, name: str) -> list[tuple[Path, Manifest]]:
    """Return the finished steps of a run whose name begins so, with their manifests, the latest last."""
    found = [(path.parent, manifest(path.parent)) for path in sorted(run.glob(f"{name}-*/{MANIFEST}"))]
    # Steps may take less than the second that a manifest tells.
    return sorted(found, key=lambda step: (step[1].finished, (step[0] / MANIFEST).stat().st_mtime_ns))


def _check(folder: Path) -> None:
    """Raise StorageError where a finished step no longer has what it made, as far as names and sizes tell."""
    made = manifest(folder)
    mend = f"put it back, or remove {folder}: the step is then carried out again"
    for name in made.files:
        path = folder / name
        if not path.exists():
            raise StorageError("a file of a finished step is missing", where=path, mend=mend)
        size, expected = path.stat().st_size, made.sizes.get(name)
        if expected is not None and size != expected:
            raise StorageError(
                "a file of a finished step was changed",
                where=path,
                got=f"{size:,} bytes",
                expected=f"{expected:,}",
                mend=mend,
            )


def hash_file(path: Path) -> str:
    """Return the 128-bit xxHash of a file."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """The files of a step that stay: checkpoints of unfinished training are not part of what it made."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "checkpoints" not in path.relative_to(folder).parts and path.name != MANIFEST:
            yield path
