"""What the catalogue says of a corpus: what it is, where it comes from, and which files hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from taiyi.errors import CorpusError
from taiyi.schema import SPLITS, Lang, Record, Reject, Scale, Split

Counts = Mapping[str, int]
Verified = Literal["real", "fixture"]
Access = Literal["open", "form", "credentialed"]
TaskName = Literal[
    "ner", "nen", "re", "cre", "ee", "coref", "tc", "qa_mc", "qa_yesno", "qa_sqa", "qa_cqa", "mrd", "mt", "tp_ss",
    "tp_te", "summary", "title", "report", "struct", "text",
]  # fmt: skip
TASK_NAMES: tuple[str, ...] = get_args(TaskName)
OFFICIAL = "official"
_GLOB_MARKS = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    """How a type or label is shown in prompts, in both languages.

    `symmetric` is said of a relation type that has no direction, by the guidelines of the corpus. `values` are what
    fills a role that no text fills, such as that of an attribute of the event.
    """

    en: str
    zh: str
    definition_en: str = ""
    definition_zh: str = ""
    symmetric: bool = False
    values: tuple[str, ...] = ()

    def shown(self, lang: Lang) -> str:
        return self.en if lang == "en" else self.zh

    def definition(self, lang: Lang) -> str:
        return self.definition_en if lang == "en" else self.definition_zh


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One raw file of a split and the reader of its format.

    `path` is relative to the corpus folder: a file, a folder (handed to the reader as it is) or a glob (one call a
    file, in sorted order). `needs` are further files that the reader opens, such as the lists of a split.
    """

    path: str
    read: Callable[..., Iterator[Record | Reject]]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    needs: tuple[str, ...] = ()

    def paths(self, folder: Path) -> list[Path]:
        """Return what the reader is called with, of what there is."""
        if _GLOB_MARKS.isdisjoint(self.path):
            path = folder / self.path
            return [path] if path.exists() else []
        return sorted(folder.glob(self.path))

    def find(self, folder: Path) -> list[Path]:
        """Return all that there is of what the source is read from: its own paths, and the files that it needs."""
        return [*self.paths(folder), *(folder / name for name in self.needs if (folder / name).is_file())]

    def missing(self, folder: Path) -> list[Path]:
        """Return what the source cannot be read without and is not there."""
        own = [] if self.paths(folder) else [folder / self.path]
        return [*own, *(folder / name for name in self.needs if not (folder / name).is_file())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One form in which the files of a corpus are passed on: its authors' own, or a copy made by others.

    `counts` state what the files hold, by split, under the keys of `catalogue.count`; `verified` says whether they
    were checked on the real files, or the reader on hand-written ones only.
    """

    name: str
    files: Mapping[Split, tuple[Source, ...]]
    verified: Verified
    counts: Mapping[Split, Counts] = field(default_factory=dict[Split, Counts])
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that `taiyi corpora fetch` gets.

    `path` is where it goes, relative to the corpus folder; where `unpack` is set the file is an archive (or a
    compressed file) whose members go under that folder, without the first `strip` parts of their names, and only those
    that match a pattern of `members`. `sha256` is empty where nobody has published it: what was got is then recorded,
    and later downloads are held to it.
    """

    url: str
    path: str = ""
    sha256: str = ""
    unpack: bool = False
    strip: int = 0
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """How the paper lists a corpus (Tables S5 and S6): its number among those of its language, task and sizes."""

    lang: Lang
    number: int
    task: str
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The entry of a corpus.

    `files`, `counts` and `verified` are of the layout that its authors publish, `copies` other layouts; of each split
    the first layout whose files are all there is read. `sizes` are the official ones by split, in `unit`. `langs` has
    several languages where they differ by record. `roles` are those of events; numbered ones (`Theme2`) go by the name
    of the first. `scale` is that of the grades of pairs. `obtain` says how to get what cannot be downloaded. `folder`
    is the name if not given.
    """

    name: str
    title: str
    langs: tuple[Lang, ...]
    tasks: tuple[str, ...]
    licence: str
    access: Access
    homepage: str
    citation: str
    verified: Verified
    files: Mapping[Split, tuple[Source, ...]]
    counts: Mapping[Split, Counts] = field(default_factory=dict[Split, Counts])
    copies: tuple[Layout, ...] = ()
    sizes: Mapping[Split, int] = field(default_factory=dict[Split, int])
    unit: str = "documents"
    listed: Listed | None = None
    downloads: tuple[Download, ...] = ()
    obtain: str = ""
    entity_types: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    relation_types: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    event_types: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    roles: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    labels: Mapping[str, TypeName] = field(default_factory=dict[str, TypeName])
    multi_label: bool = False
    scale: Scale | None = None
    domain: Literal["biomedical", "general"] = "biomedical"
    notes: str = ""
    folder: str = ""
    bundled: Path | None = None

    def __post_init__(self) -> None:
        if not self.folder:
            object.__setattr__(self, "folder", self.name)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The authors' layout, then those of copies."""
        own = Layout(name=OFFICIAL, files=self.files, counts=self.counts, verified=self.verified, notes="")
        return (own, *self.copies)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that a layout has files of, in the order train, dev, test."""
        return tuple(split for split in SPLITS if any(split in layout.files for layout in self.layouts))

    @property
    def checked_on(self) -> Verified:
        """`real` where a layout was checked on real files."""
        return "real" if any(layout.verified == "real" for layout in self.layouts) else "fixture"

    def location(self, root: Path) -> Path:
        """Return the folder of the raw files: the package's own for a bundled corpus, else one under `root`."""
        return self.bundled or root / self.folder

    def layout(self, split: Split, root: Path) -> Layout | None:
        """Return the first layout whose files of the split are all there."""
        folder = self.location(root)
        for layout in self.layouts:
            sources = layout.files.get(split, ())
            if sources and not any(source.missing(folder) for source in sources):
                return layout
        return None

    def sources(self, split: Split, root: Path) -> tuple[Source, ...]:
        """Return what a split is read from.

        Raises:
            CorpusError: no layout has files of the split, or none is whole under `root`.
        """
        if split not in self.splits:
            raise CorpusError(
                f"corpus {self.name!r} has no split {split!r}",
                expected=" or ".join(self.splits),
                mend=self.notes or None,
            )
        if found := self.layout(split, root):
            return found.files[split]
        raise CorpusError(
            f"{split} files of corpus {self.name!r} are missing",
            where=self.missing(split, root)[0],
            expected=" or ".join(
                ", ".join(name for source in layout.files[split] for name in (source.path, *source.needs))
                for layout in self.layouts
                if split in layout.files
            ),
            mend=f"get it from {self.homepage} ({self.access}; {self.licence}), or say where it is with --corpora or "
            "TAIYI_CORPORA",
        )

    def missing(self, split: Split, root: Path) -> list[Path]:
        """Return the files of a split that are not there, of the layout that misses the fewest."""
        folder = self.location(root)
        absent = [
            [path for source in layout.files[split] for path in source.missing(folder)]
            for layout in self.layouts
            if split in layout.files
        ]
        return min(absent, key=len)
