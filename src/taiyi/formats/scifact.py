"""SciFact's claims and abstracts: `claims_*.jsonl` and `corpus.jsonl` (Wadden et al., 2020).

A claim cites abstracts; under `evidence` stand those that support or contradict it, with the sentences that do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Pair, Record, Reject, Split

NO_EVIDENCE = "NOT_ENOUGH_INFO"
_ABSTRACTS = "corpus.jsonl"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read each claim with each abstract that it cites: a pair of the claim, and the title and abstract.

    The label is that of the evidence in the abstract, NOT_ENOUGH_INFO where it holds none. Ids are those of the claim
    and the document, with `_` between.

    Raises:
        FormatError: the file of the abstracts is not beside that of the claims.
    """
    texts, rejects = _abstracts(path.parent / _ABSTRACTS)
    yield from rejects
    for where, item in json_lines.items(path):
        if isinstance(item, Reject):
            yield item
            continue
        key, claim, evidence = item.get("id"), item.get("claim"), item.get("evidence")
        cited = _documents(item.get("cited_doc_ids"))
        if not isinstance(key, int) or not isinstance(claim, str) or not isinstance(evidence, dict) or cited is None:
            detail = "a claim with id, evidence and cited_doc_ids was expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        labels = cast("dict[str, Any]", evidence)
        for document in dict.fromkeys([*cited, *labels]):
            label = _label(labels[document]) if document in labels else NO_EVIDENCE
            if label is None:
                yield Reject(where=where, reason="evidence without one label", detail=f"document {document}")
                continue
            if document not in texts:
                yield Reject(where=where, reason="abstract is missing", detail=f"document {document}")
                continue
            yield checked.record(
                Pair,
                where,
                id=f"{key}_{document}",
                corpus=corpus,
                split=split,
                lang=lang,
                document_ids=(f"s2orc:{document}",),
                first=claim,
                second=texts[document],
                label=label,
            )


def _documents(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    ids = cast("list[Any]", value)
    return [str(i) for i in ids] if all(isinstance(i, int) and not isinstance(i, bool) for i in ids) else None


def _label(rationales: Any) -> str | None:
    """Return the label that all rationales of an abstract have; None where there is none, or several."""
    if not isinstance(rationales, list):
        return None
    items = cast("list[Any]", rationales)
    labels = [cast("Mapping[str, Any]", item).get("label") if isinstance(item, dict) else None for item in items]
    label = labels[0] if labels and all(other == labels[0] for other in labels) else None
    return label if isinstance(label, str) and label else None


def _abstracts(path: Path) -> tuple[Mapping[str, str], list[Reject]]:
    """Return the title and abstract of each document, a line each, and what could not be read."""
    if not path.is_file():
        raise FormatError("the file of the abstracts is missing", where=path)
    texts: dict[str, str] = {}
    rejects: list[Reject] = []
    for where, item in json_lines.items(path):
        if isinstance(item, Reject):
            rejects.append(item)
            continue
        key, title, sentences = item.get("doc_id"), item.get("title"), item.get("abstract")
        abstract: list[Any] = cast("list[Any]", sentences) if isinstance(sentences, list) else [sentences]
        if not isinstance(key, int) or not isinstance(title, str) or not all(isinstance(s, str) for s in abstract):
            detail = "a document with doc_id, title and the sentences of its abstract was expected"
            rejects.append(Reject(where=where, reason=checked.MALFORMED, detail=detail))
            continue
        texts[str(key)] = f"{title.strip()}\n{' '.join(sentence.strip() for sentence in abstract)}"
    return texts, rejects
