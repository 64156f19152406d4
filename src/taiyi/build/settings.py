"""What a recipe says about data."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from taiyi.schema import Split


class Settings(BaseModel):
    """A part of a recipe: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Selection(Settings):
    """Which records of a corpus become examples of which task, and how."""

    corpus: str
    """Name in the catalogue."""
    task: str
    """Name of a task, such as `ner`."""
    splits: tuple[Split, ...] = ("train",)
    """Splits that records are taken from."""
    form: str | None = None
    """Form of the answer; the task's first where none is given."""
    subtasks: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    """Types to ask for, one example per record for each entry; all types at once where none is given."""
    merge_types: dict[str, str] = Field(default_factory=dict)
    """Entity types that count as another, such as `SpecificDisease: Disease`."""
    window_chars: Annotated[int, Field(ge=0)] = 0
    """Documents are cut into windows of whole sentences up to about so many characters; 0 keeps them whole."""
    templates: tuple[str, ...] = ()
    """Numbers or ids of the templates to draw from; all of the task's where none is given."""
    templates_per_record: Annotated[int, Field(ge=1)] = 1
    """How many templates each record is rendered with; which ones depends on the seed and the record alone."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many records of each split, drawn by the seed."""


class DecontaminateSettings(Settings):
    """By what a training example is taken to be about a document of an evaluation set."""

    by_document_id: bool = True
    """An id in common, such as a PMID."""
    by_text: bool = True
    """A text in common, whatever its case, width, spacing and punctuation."""
