"""Decontamination: training examples about a document of an evaluation set are taken out, with an audit of what
matched.

It takes the evaluation examples as an input, so that it cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from taiyi.build.settings import DecontaminateSettings
from taiyi.schema import Example, Reject


class Match(msgspec.Struct, frozen=True):
    """A training example that was taken out, the evaluation example that it matched, and by what."""

    training: str
    evaluation: str
    by: str
    value: str
    training_text: str
    evaluation_text: str


def decontaminate(
    training: Iterable[Example], evaluation: Sequence[Example], settings: DecontaminateSettings
) -> tuple[list[Example], list[Reject], list[Match]]:
    """Return the training examples that share no document with the evaluation examples, the rejects and the audit."""
    documents: dict[str, Example] = {}
    texts: dict[str, Example] = {}
    for example in evaluation:
        if settings.by_document_id:
            for identifier in example.document_ids:
                documents.setdefault(identifier, example)
        if settings.by_text:
            for fingerprint in example.content:
                texts.setdefault(fingerprint, example)
    kept: list[Example] = []
    rejects: list[Reject] = []
    audit: list[Match] = []
    for example in training:
        match = _match(example, documents, "document id", example.document_ids) or _match(
            example, texts, "text", example.content
        )
        if match is None:
            kept.append(example)
        else:
            audit.append(match)
            rejects.append(
                Reject(
                    where=example.id,
                    reason=f"contaminated by {match.by}",
                    detail=f"{match.value} is in {match.evaluation}",
                )
            )
    return kept, rejects, audit


def _match(example: Example, known: dict[str, Example], by: str, values: Iterable[str]) -> Match | None:
    for value in values:
        if (other := known.get(value)) is not None:
            return Match(
                training=example.id,
                evaluation=other.id,
                by=by,
                value=value,
                training_text=example.messages[-1].content,
                evaluation_text=other.messages[-1].content,
            )
    return None
