"""A model of a run, or any other, written for other programs: weights, tokenizer, model card, and GGUF."""

from __future__ import annotations

import json
import re
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import yaml

from taiyi import catalogue, storage
from taiyi.build.dataset_card import gated
from taiyi.checkpoint import RUN_FILE, Checkpoint, model_folder
from taiyi.errors import ModelError, TaiyiError
from taiyi.evaluate import report
from taiyi.manifest import MANIFEST, manifest
from taiyi.steps import gguf
from taiyi.steps.model_card import CARD, Base, Facts, Training, model_card
from taiyi.steps.run import identity_in

if TYPE_CHECKING:
    from taiyi.train.model import Dtype

_MODELFILE = "Modelfile"
# What an export may hold; a folder with anything else in it is not replaced.
_OURS = (
    *("*.safetensors", "*.safetensors.index.json", "*.gguf", _MODELFILE, CARD, "config.json", "generation_config.json"),
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "vocab.*", "merges.txt"),
    "taiyi.json",
)


class ExportedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the folder, its facts, the GGUF file if one was asked for, and the corpora not to pass on."""

    folder: Path
    facts: dict[str, str]
    gguf: Path | None = None
    gated: tuple[str, ...] = ()


def export_model(
    model: str,
    out: Path,
    *,
    dtype: Dtype = "bf16",
    gguf_type: str | None = None,
    llama_cpp: Path | None = None,
    again: bool = False,
) -> ExportedModel:
    """Write a model with its card into a folder, and with a GGUF file and a Modelfile if a type of it is given.

    The folder is whole or not there; an earlier export that is to be written again stays until the new one is whole.

    Raises:
        TaiyiError: there is no such model or no converter, or the folder has something in it.
    """
    from taiyi.train import export
    from taiyi.train.state import save_whole

    given = Path(model).expanduser()
    source = model_folder(given) if given.is_dir() else None
    out = out.expanduser().resolve()
    _check_free(out, source, again)
    converter = None
    if gguf_type is not None:
        gguf.check_type(gguf_type)
        converter = gguf.find_converter(llama_cpp)
    told: list[Facts] = []
    made: list[Path] = []

    def write(folder: Path) -> None:
        written = export.write_model(model, folder, dtype=dtype)
        told.append(_facts(model, source, written))
        (folder / CARD).write_text(model_card(told[0]), encoding="utf-8")
        if gguf_type is not None and converter is not None:
            made.append(gguf.convert(folder, out.name, gguf_type, converter))
            text = gguf.modelfile(made[0].name, end=written["end"], chatml=export.speaks_chatml(folder))
            (folder / _MODELFILE).write_text(text, encoding="utf-8")

    try:
        save_whole(out, write)
    except BaseException:
        shutil.rmtree(out.with_name(out.name + ".partial"), ignore_errors=True)
        raise
    file = out / made[0].name if made else None
    return ExportedModel(folder=out, facts=told[0].written, gguf=file, gated=tuple(gated(told[0].corpora)))


def _check_free(out: Path, source: Path | None, again: bool) -> None:
    """Raise TaiyiError where a folder holds what must not be lost: the model itself, its base, or other files."""
    if out.is_file():
        raise TaiyiError("there is a file of this name", where=out, mend="give another folder")
    if not out.exists() or not any(out.iterdir()):
        return
    needed = [place for place in (source, _adapted(source)) if place is not None]
    if any(out in (place.resolve(), *place.resolve().parents) for place in needed):
        raise TaiyiError("the folder holds the model itself", where=out, mend="give another folder")
    if not again:
        raise TaiyiError("there are files already", where=out, mend="give another folder, or --again to replace them")
    for path in sorted(out.iterdir()):
        if path.is_dir() or not any(fnmatch(path.name, pattern) for pattern in _OURS):
            raise TaiyiError(
                "the folder holds more than an export", where=out, got=path.name, mend="give another folder, or move it"
            )


def _adapted(source: Path | None) -> Path | None:
    """Return the folder of the base of an adapter, where it is one."""
    path = None if source is None else source / "adapter_config.json"
    if path is None or not path.exists():
        return None
    base = Path(str(json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"])).expanduser()
    return base if base.is_dir() else None


def _facts(model: str, source: Path | None, written: dict[str, str]) -> Facts:
    stages: list[Training] = []
    base = model if source is None else ""
    place: Path | None = source
    while place is not None:
        trained, base = _trained(place)
        stages = trained + stages
        # A base may be the model of another run, which learned from something too.
        place = _of_a_run(base)
    scores = None if source is None else _scores(Path(model).expanduser(), source)
    checkpoint = Checkpoint() if source is None else Checkpoint.load(source)
    name = checkpoint.recipe if scores is None else scores.name
    return Facts(
        name=name or Path(model).name,
        written=written,
        stages=tuple(stages),
        base=_base(base) if base else Base(name="a model that nothing is known of here"),
        scores=scores,
        talks=checkpoint.talks,
    )


def _trained(source: Path) -> tuple[list[Training], str]:
    """Return the stages of a run that led to a model, the first first, and what these began from."""
    base = Checkpoint.load(source).base or (str(_adapted(source) or "") if _adapted(source) else "")
    folder = next((p for p in (source.parent, source.parent.parent) if (p / MANIFEST).exists()), None)
    place = source.name
    found: list[Training] = []
    while folder is not None:
        made = manifest(folder)
        if "rows" not in made.inputs:
            break
        rows = manifest(folder.parent / made.inputs["rows"])
        counted: dict[str, dict[str, int]] = manifest(folder.parent / rows.inputs["data"]).facts["training"]
        counts: dict[str, int] = {}
        for name in rows.inputs["stages"]:
            for part, count in counted[name].items():
                counts[part] = counts.get(part, 0) + count
        candidate = re.fullmatch(r"step-0*(\d+)", place)
        found.append(
            Training(
                name=made.step.removeprefix("train-"),
                settings=made.inputs["settings"],
                facts=made.facts,
                counts=counts,
                kept=int(candidate[1]) if candidate else made.facts.get("kept"),
            )
        )
        begins = made.inputs["begins"]
        if not isinstance(begins, str):
            break
        step, _, place = begins.partition("/")
        folder, place = folder.parent / step, place.rpartition("/")[2]
    return found[::-1], base


def _of_a_run(base: str) -> Path | None:
    """Return the folder of a model that a run trained, where a base is one."""
    path = Path(base).expanduser()
    if not base or not path.is_dir():
        return None
    try:
        found = model_folder(path)
    except ModelError:
        return None
    return found if any((p / MANIFEST).exists() for p in (found.parent, found.parent.parent)) else None


def _base(base: str) -> Base:
    """Return what is known of a base from its own card, if that is at hand: in its folder, or in the hub's cache."""
    if base == "scratch":
        return Base(name=base)
    path = Path(base).expanduser()
    if path.is_dir():
        card: Path | None = path / CARD
        name, hub = path.resolve().name, ""
    else:
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(base, CARD) if base.count("/") <= 1 and not path.is_absolute() else None
        card = Path(cached) if isinstance(cached, str) else None
        name, hub = (path.name, "") if path.is_absolute() or base.startswith((".", "~")) else (base, base)
    header = _header(card) if card is not None else _Header()
    stated = header.license
    licence = ", ".join(stated) if isinstance(stated, list) else stated
    if licence == "other" and header.license_name:
        licence = f"other: {header.license_name}"
    learned = header.datasets if isinstance(header.datasets, list) else [header.datasets]
    corpora = tuple(sorted(set(learned) & set(catalogue.names())))
    return Base(name=name, hub=hub, licence=licence or "not stated", corpora=corpora)


class _Header(msgspec.Struct, frozen=True):
    """Of the header of a model card, what a model that is made of this one inherits."""

    license: str | list[str] = ""
    license_name: str = ""
    datasets: str | list[str] = ""


def _header(card: Path) -> _Header:
    """Return the header of a model card; nothing where it has none that can be read."""
    try:
        text = card.read_text(encoding="utf-8")
        found: object = yaml.safe_load(text.split("---\n", 2)[1]) if text.startswith("---\n") else {}
        return msgspec.convert(found, _Header)
    except (OSError, ValueError, IndexError, yaml.YAMLError, msgspec.ValidationError):
        return _Header()


def _scores(given: Path, source: Path) -> report.RunResult | None:
    """Return the report of the run that a model is of or was given by, if it is of this very model."""
    for run in (given, *source.parents[:3]):
        if not (run / RUN_FILE).exists():
            continue
        pointer: dict[str, str] = storage.read_json(run / RUN_FILE, dict[str, str])
        if "report" not in pointer:
            return None
        predictions = run / manifest(run / pointer["report"]).inputs["predictions"]
        if manifest(predictions).inputs["model"] != identity_in(run.resolve(), source.resolve()):
            return None
        return report.load(run / pointer["report"] / "results.json")
    return None
