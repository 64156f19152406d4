"""What a recipe says about data."""

from __future__ import annotations

from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from taiyi.errors import Misfit
from taiyi.schema import Split
from taiyi.tasks import TEXT

TEXT_CHARS = 1000
"""The windows of texts that are learned as they stand, where a recipe says nothing else."""


class Settings(BaseModel):
    """A part of a recipe: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PromptSettings(Settings):
    """What stands in a prompt beside its wording."""

    definitions: bool = False
    """Whether the prompt says what the asked types mean, where the catalogue does in the language of the prompt."""
    corpus: bool = False
    """Whether it names the corpus, whose guidelines decide what counts (AIONER's tags; Luo et al., 2023)."""
    form: bool = False
    """Whether it says in which form to answer."""
    entities: bool = False
    """Whether it lists the entities of the text, for relations and events between them (second step of a cascade)."""


class QuerySettings(Settings):
    """Which types are asked for at once, where not all are: those that the text has, and some that it has not."""

    max_types: Annotated[int, Field(ge=1)] = 6
    """A query asks for one to so many types, as the seed decides; what is left is asked in further queries."""
    absent: Annotated[float, Field(ge=0)] = 0.5
    """Negatives: for each type that the text has, how many are asked for that it has not; one where it has none."""


class AugmentSettings(Settings):
    """Changed copies of records beside the records themselves, for a model that has seen little else."""

    copies: Annotated[int, Field(ge=1)] = 1
    """How many copies there are of each record that is drawn, each time it is drawn; no two are alike."""
    swap: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Which share of the mentions of entities are replaced by others of the same type, of the stage's own records;
    mentions that overlap others stay."""
    blank: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Which share of the words are replaced by a blank (`_`)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.swap and not self.blank:
            raise Misfit("nothing is changed in the copies", expected="a share to `swap` or to `blank`")
        return self


class PairSettings(Settings):
    """How `rc` asks about the pairs of a document."""

    by_name: bool = False
    """Whether concepts are names, as they are where relations are found by a cascade: mentions of one type and text, or
    of an abbreviation and the long form that the text explains it by. Else they are what has one id."""
    near: bool = False
    """Whether a prompt shows the sentences that have both of the pair, or in which they are nearest, and the first one,
    and not all of the document or window."""
    fitting: bool = False
    """Whether a prompt names those relations alone that join the types of the pair somewhere in the corpus, and not all
    that are asked for."""


class Selection(Settings):
    """Which records of a corpus become examples of which task, and how."""

    corpus: str
    """Name in the catalogue; `taiyi corpora list` lists them."""
    task: str
    """Name of a task that the corpus has, such as `ner`; `rc` can be asked of every corpus with `re`. In stages of kind
    `cpt` it is `text`, which every corpus has."""
    splits: tuple[Split, ...] = ("train",)
    """Splits that records are taken from."""
    form: str | None = None
    """Form of the answer, such as `tagged`, `list` or `json`; the task's first where none is given."""
    subtasks: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    """Lists of types to ask for: each gives every record an example; all types at once where none is given."""
    merge_types: dict[str, str] = Field(default_factory=dict)
    """Entity types that count as another, such as `SpecificDisease: Disease`. One that the corpus has is shown by its
    own names; another as it is given, in English and Chinese prompts alike: write it in the language of the corpus."""
    reverse: bool = False
    """Translations are asked for in the other direction: from the language of the target."""
    window_chars: Annotated[int, Field(ge=0)] = 0
    """Documents are cut into windows of whole sentences up to about so many characters; 0 keeps them whole. Of the task
    `text` it is 1000 if not given, which fits into 1,024 tokens in both languages, and records of other forms are cut
    too."""
    overlap_chars: Annotated[int, Field(ge=0)] = 0
    """How many characters of the window before it a window has again at least, in whole sentences."""
    lead_chars: Annotated[int, Field(ge=0)] = 0
    """Of the task `tc`: only the first sentences are shown, up to about so many characters but at least one, so that 1
    is an article's title; 0 shows the whole text."""
    query: QuerySettings | None = None
    """Draws for each record which types it is asked about, in place of all types at once; not beside `subtasks`."""
    empty: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Negatives: which share of the examples with nothing to extract is kept, drawn by the seed."""
    augment: AugmentSettings | None = None
    """Changed copies of the records; none if not given."""
    prompt: PromptSettings = PromptSettings()
    """What stands in the prompt beside its wording."""
    pairs: PairSettings = PairSettings()
    """Of the task `rc`: what makes a concept, and what of the text is shown."""
    templates: tuple[str, ...] = ()
    """Numbers (`"01"`, in quotes) or ids (`ner.en.01`) of the templates to draw from; where none is given, all of the
    task's but those that are held out."""
    templates_per_record: Annotated[int, Field(ge=1)] = 1
    """How many templates each record is rendered with, each time it is drawn; which ones depends on the seed and the
    record alone."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many records of each split, drawn by the seed before anything is cleaned."""
    draws: Annotated[int, Field(ge=1)] | None = None
    """How many clean records are drawn in all, each as often as any other, apart from the mixture of the stage; the
    mixture decides if not given. No record is drawn more often than there are wordings for it, by `templates`
    and `templates_per_record`; where that makes them fewer, the log says so."""

    @model_validator(mode="before")
    @classmethod
    def _cut_texts(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return cast(object, given)
        said = cast("dict[str, Any]", given)
        return {"window_chars": TEXT_CHARS, **said} if said.get("task") == TEXT else said


class DecontaminateSettings(Settings):
    """By what a training example is taken to be about a document of an evaluation set."""

    by_document_id: bool = True
    """An id in common, such as a PMID."""
    by_text: bool = True
    """A text in common, whatever its case, width, spacing and punctuation."""
    text_chars_en: Annotated[int, Field(ge=1)] = 20
    """How many letters and digits a text in common has at least in English: many have the sentence "Results."."""
    text_chars_zh: Annotated[int, Field(ge=1)] = 5
    """How many letters and digits a text in common has at least in Chinese."""
    by_overlap: bool = True
    """Long runs of characters in common that cover much of one of the texts."""
    overlap_chars_en: Annotated[int, Field(ge=12)] = 70
    """How long a run in common is at least in English, in letters and digits: about 13 words."""
    overlap_chars_zh: Annotated[int, Field(ge=12)] = 24
    """How long a run in common is at least in Chinese: about what 13 English words are in it."""
    overlap_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Which share of the text of the evaluation set, or of that of training, runs in common cover at least."""
    by_near_duplicate: bool = True
    """Texts of 40 letters and more that are nearly the same."""
    near_threshold: Annotated[float, Field(gt=0, le=1)] = 0.6
    """From which Jaccard similarity over runs of five characters on two texts are nearly the same."""


class DeduplicateSettings(Settings):
    """Which items say what others say already, or contradict them."""

    exact: bool = True
    """Equal texts, whatever their case, width, spacing and punctuation, with the same answer."""
    conflicts: bool = True
    """Equal texts of one corpus with other answers: those of the majority stay, or none where there is no majority."""
    near: bool = True
    """Texts that are nearly the same, within and across corpora."""
    near_threshold: Annotated[float, Field(gt=0, le=1)] = 0.8
    """From which Jaccard similarity over runs of five characters on two texts are nearly the same."""
    shortest_chars: Annotated[int, Field(ge=5)] = 40
    """How many letters and digits a text has at least to be a near duplicate of another."""
    several_answers: tuple[str, ...] = ("qa_sqa", "qa_cqa", "mrd", "mt", "summary", "title", "report")
    """Tasks in which a text may have several right answers: they never conflict."""
    answer_in_texts: tuple[str, ...] = ("qa_mc",)
    """Tasks whose texts other than the first may hold the answer: they conflict by the first alone."""


class FilterSettings(Settings):
    """What of a record makes it unfit for training; a filter is off where its limit is null."""

    shortest_chars: Annotated[int, Field(ge=0)] | None = 2
    """How many letters and digits the text has at least."""
    longest_chars: Annotated[int, Field(ge=1)] | None = 200_000
    """How many characters all its texts have at most."""
    longest_answer_chars: Annotated[int, Field(ge=1)] | None = 20_000
    """How many characters an answer in free text has at most."""
    garbled_share: Annotated[float, Field(ge=0, le=1)] | None = 0.05
    """Which share of the characters, if three or more, may be lost ones or marks of a wrong encoding."""
    letter_share: Annotated[float, Field(ge=0, le=1)] | None = 0.2
    """Which share of the characters that are no white space are letters or digits at least."""
    language_share: Annotated[float, Field(ge=0, le=1)] | None = 0.1
    """Which share of the letters and digits are Han at least in Chinese; all but as many are at most in English."""
    language_chars: Annotated[int, Field(ge=1)] = 60
    """From how many letters on the language of a text is looked at."""
    repeated_share: Annotated[float, Field(ge=0, le=1)] | None = 0.7
    """Which share of the runs of ten characters are repetitions at most, in texts of a hundred and more."""
    unanswerable: bool = True
    """Whether answers without content are refused: a link alone, "see above", options that cannot be told apart."""
