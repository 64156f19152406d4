"""What a model folder says of itself beyond transformers' own files, and which model is meant by a name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from taiyi.errors import ModelError
from taiyi.schema import Lang

FILE = "taiyi.json"
RUN_FILE = "run.json"
EMBEDDED = "mini"
"""What the model that comes with the package is called, wherever a model is named."""
EMBEDDED_DIR = Path(__file__).with_name(EMBEDDED)


Answering = Literal["written", "cascade", "either"]
"""How relations are answered: as a list that the model writes; by a cascade, which finds entities and then asks about
pairs of them; or by a cascade where it is known what a relation joins, else written."""


class Joined(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the relations of a corpus join, in the names that prompts of a language show: which pairs of entities a
    model that learned to answer about pairs (`rc`) is asked about.

    Attributes:
        corpus: where it was learned.
        lang: of the prompts.
        entities: the sets of types of entities that were asked for together.
        joins: types of relations with the kind and type of the head and of the tail (`tasks.facts`).
        loops: types of relations with the kind and type of what they join with itself.
        symmetric: types of relations that have no direction.
        reach: how many characters lie at most between two mentions that are related.
        near: whether prompts showed the sentences alone in which a pair is nearest, and the first one.
        fitting: whether prompts named the relations alone that join the types of the pair.
    """

    corpus: str
    lang: Lang
    entities: tuple[tuple[str, ...], ...] = ()
    joins: tuple[tuple[str, str, str, str, str], ...] = ()
    loops: tuple[tuple[str, str, str], ...] = ()
    symmetric: tuple[str, ...] = ()
    reach: int = 0
    near: bool = False
    fitting: bool = False


class Learned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task of a corpus that a model was trained on, in one language.

    Attributes:
        task: its name.
        corpus: its name.
        lang: of the prompts.
        form: of its answers, such as `tagged`, or `text` for free ones.
        types: all types or labels that were asked for, as prompts show them.
        together: whether each prompt asked for all of these types of entities.
        title: what prompts called the corpus, whose guidelines were meant; empty where they named none.
        template: id of the first wording that prompts had.
    """

    task: str
    corpus: str
    lang: Lang
    form: str = ""
    types: tuple[str, ...] = ()
    together: bool = False
    title: str = ""
    template: str = ""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a model was trained, as far as using it must agree.

    Attributes:
        recipe: name of the recipe.
        stage: name of the last stage.
        base: what training began from: a folder, a hub id, or `scratch`.
        positions: how tokens of tagged answers are numbered (`encoding.Positions`).
        decisions: whether tagged answers were learned among their choices only.
        max_tokens: the longest row, prompt and answer, that it was trained on.
        templates: hash of the templates that rendered its examples.
        form: the form of extraction answers that it learned (`tagged` or `list`).
        window_chars: it learned entities in windows of whole sentences up to about so many characters; 0 for whole
            documents.
        learned: what it was trained on, in the order of the recipe.
        relations: how it answers what is asked about relations.
        joined: of a model that learned to answer about pairs, which pairs it can be asked about.
        pair_bias: how much more probable than it says a relation of a pair is taken to be, as a difference of
            log-probabilities.
    """

    recipe: str = ""
    stage: str = ""
    base: str = ""
    positions: Literal["plain", "aligned"] = "plain"
    decisions: bool = False
    max_tokens: int = 1024
    templates: str = ""
    form: str = "tagged"
    window_chars: int = 0
    learned: tuple[Learned, ...] = ()
    relations: Answering = "written"
    joined: tuple[Joined, ...] = ()
    pair_bias: float = 0.0

    def knows(self, task: str, lang: Lang) -> bool:
        """Say whether the model may be able to do a task in a language: one that began from nothing can do what it was
        trained on alone, where that is known."""
        return not self.confined or bool(self.taught(task, lang))

    def taught(self, task: str, lang: Lang) -> list[Learned]:
        """Return what the model was trained on of a task in a language, in the order of the recipe."""
        return [one for one in self.learned if one.task == task and one.lang == lang]

    @property
    def confined(self) -> bool:
        """Whether it is known of the model that it can do nothing but what it was trained on."""
        return self.base == "scratch" and bool(self.learned)

    @property
    def talks(self) -> bool:
        """Whether the model may be able to write texts of its own."""
        return not self.confined or any(one.form == "text" for one in self.learned)

    def tasks(self) -> dict[str, list[Lang]]:
        """Return the tasks that the model was trained on, with their languages."""
        found: dict[str, dict[Lang, None]] = {}
        for one in self.learned:
            found.setdefault(one.task, {})[one.lang] = None
        return {task: sorted(langs) for task, langs in found.items()}

    def save(self, folder: Path) -> None:
        (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")

    @classmethod
    def load(cls, folder: Path) -> Checkpoint:
        """Read the file of a model folder; a model that is not ours has none, and gets the defaults."""
        path = folder / FILE
        if not path.exists():
            return cls()
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise ModelError("cannot be read", where=path, got=error, mend="train the model again") from error


def is_address(model: object) -> bool:
    """Whether what is named as a model is the address of a server."""
    return str(model).startswith(("http://", "https://"))


def report_folder(run: str | Path) -> Path | None:
    """Return the folder of the report that a run points to; None where it was not evaluated, or this is no run."""
    path = Path(run).expanduser()
    if not (path / RUN_FILE).exists():
        return None
    report = _pointer(path).get("report")
    return path / report if report is not None and (path / report / "report.html").exists() else None


def model_folder(model: str | Path) -> Path:
    """Return the folder of a model: that of a run (its last finished stage), the folder itself, or, of the word `mini`,
    that of the package.

    Raises ModelError where there is none.
    """
    if model == EMBEDDED:
        return _embedded()
    path = Path(model).expanduser()
    if (path / RUN_FILE).exists():
        path = path / _pointer(path)["model"]
    if not (path / "config.json").exists() and not (path / "adapter_config.json").exists():
        raise ModelError(
            "no model here",
            where=path,
            expected=f"a run with {RUN_FILE}, or a folder with config.json",
            mend="train one first: taiyi run RECIPE",
        )
    return path


def _pointer(run: Path) -> dict[str, str]:
    """Return where a run has its model and, once it was evaluated, its report."""
    try:
        pointer = msgspec.json.decode((run / RUN_FILE).read_bytes(), type=dict[str, str])
        pointer["model"]
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise ModelError(
            "does not say where the model is",
            where=run / RUN_FILE,
            got=error,
            mend="remove it, and give the recipe of the run to `taiyi run` again",
        ) from error
    return pointer


def locate(model: str | Path) -> Path | str:
    """Return the folder of a model that is here, or the id of one of the hub, by the form of its name."""
    path = Path(model).expanduser()
    looks_local = isinstance(model, Path) or str(model).startswith((".", "/", "~")) or str(model).count("/") > 1
    return model_folder(model) if model == EMBEDDED or path.exists() or looks_local else str(model)


def _embedded() -> Path:
    if not (EMBEDDED_DIR / "config.json").exists():
        raise ModelError(
            "this copy of Taiyi has no model inside",
            where=EMBEDDED_DIR,
            mend="install a release of it, or name a model: a run, a folder, or the id of one on the Hugging Face hub",
        )
    return EMBEDDED_DIR
