"""How instruction data was made, for the page that goes with it: what was taken out, cut, repeated and held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

DROPPED = {"exact": "exact duplicates", "near": "near duplicates", "conflicts": "contradictions"}
"""What is taken out of a stage, by the setting of `deduplicate`."""
SIGNS = {
    "by_document_id": "a document id",
    "by_text": "an equal text",
    "by_overlap": "long runs of characters",
    "by_near_duplicate": "a nearly equal text",
}
"""What a training record has in common with a test set of which it is material, by the setting of `decontaminate`."""


class Cut(msgspec.Struct, frozen=True, order=True):
    """Into what windows the documents of a corpus are cut for a task; sizes are in characters."""

    corpus: str
    task: str
    window_chars: int
    overlap_chars: int


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """How data was made, as the manifest of its build tells.

    `dropped` and `signs` are those of `DROPPED` and `SIGNS` that the recipe asks for; `left_out` counts what each stage
    lost, by reason; `clean_of` are the corpora and splits of the test sets that the data was cleaned of; `absent` is
    what each stage would have had, were it there; `tagged` are the tasks whose answers are tags in place.
    """

    recipe: str
    version: str
    seed: int
    templates: str
    dropped: Sequence[str] = ()
    signs: Sequence[str] = ()
    cuts: Sequence[Cut] = ()
    tagged: Sequence[str] = ()
    absent: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict[str, Sequence[str]])
    left_out: Mapping[str, Mapping[str, int]]
    clean_of: Sequence[tuple[str, str]]


def told(made: Making) -> Iterator[str]:
    """Yield the paragraphs."""
    yield f"Recipe `{made.recipe}`, seed {made.seed}, Taiyi {made.version}, templates `{made.templates}`."
    stay = [text for name, text in DROPPED.items() if name not in made.dropped]
    go = ["what the recipe's filters find unfit", *(DROPPED[name] for name in made.dropped)]
    yield (
        f"Readers turn the files of the corpora into records, out of which {_listed(go)} are taken"
        f"{f'; {_listed(stay)} stay' if stay else ''}. A record gives one row or several: by the types that it is "
        "asked about, by windows, and by wordings, never twice by the same. Wordings that are held out (`14` and `15` "
        "of each task) are in no row, so that a model can be asked in words that it has not seen. An example whose "
        "answer does not parse back to its gold is left out."
    )
    if made.cuts:
        yield (
            "Documents of these are cut into windows of whole sentences, and a row is about one window: its id has the "
            f"offset of the window after `@`. {'; '.join(map(_cut, made.cuts))}."
        )
    if made.tagged:
        names = _listed([f"`{task}`" for task in made.tagged])
        yield (
            f"Answers of {names} whose id says `tagged` are the text with tags "
            "in place. A tag has the space before its mention within it, as a token has: strip what stands in a tag."
        )
    if made.clean_of:
        sets = ", ".join(f"{corpus} ({split})" for corpus, split in made.clean_of)
        others = [text for name, text in SIGNS.items() if name not in made.signs]
        unseen = f" Not looked for: {', '.join(others)}." if others else ""
        seen = _listed([SIGNS[name] for name in made.signs], "or")
        yield f"Training records that have {seen} in common with these were removed: {sets}.{unseen}"
    else:
        yield "**It was not cleaned of any test set.**"
    for stage, names in made.absent.items():
        if names:
            yield f"The recipe asks for more in {stage}, which was not there: {', '.join(names)}."


def _cut(cut: Cut) -> str:
    size = "one sentence" if cut.window_chars == 1 else f"up to about {cut.window_chars:,} characters"
    again = f", {cut.overlap_chars:,} or more of them from the window before" if cut.overlap_chars else ""
    return f"{cut.corpus} (`{cut.task}`): {size}{again}"


def _listed(names: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
