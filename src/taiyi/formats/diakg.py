"""DiaKG's JSON: documents of paragraphs of sentences, with entities and relations in each sentence.

Chang et al., CCKS 2021. Offsets are relative to the sentence, ends exclusive; ids are unique in a document.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Argument, Document, Entity, Lang, Record, Reject, Relation, Split

_HEAD, _TAIL = "head", "tail"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read a document's sentences, a record each with the id `document.paragraph.sentence`.

    A relation to an entity of another sentence is rejected.
    """
    for where, item in json_lines.items(path):
        if isinstance(item, Reject):
            yield item
            continue
        match item:
            case {"doc_id": str() | int() as document, "paragraphs": [*paragraphs]}:
                for place, value in _sentences(where, paragraphs):
                    if isinstance(value, Reject):
                        yield value
                    else:
                        names = f"{document}.{place}"
                        heads = {"id": names, "document_ids": (f"diakg:{document}",)}
                        yield from _sentence(
                            f"{where}/{place}", value, {**heads, "corpus": corpus, "split": split, "lang": lang}
                        )
            case _:
                yield Reject(where=where, reason=checked.MALFORMED, detail="doc_id and paragraphs were expected")


def _sentences(where: str, paragraphs: list[Any]) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    """Yield each sentence with `paragraph.sentence`."""
    for value in paragraphs:
        match value:
            case {"paragraph_id": str() | int() as paragraph, "sentences": [*sentences]}:
                for sentence in sentences:
                    match sentence:
                        case {"sentence_id": str() | int() as number, "sentence": str()}:
                            yield f"{paragraph}.{number}", cast("dict[str, Any]", sentence)
                        case _:
                            detail = checked.shown(sentence)
                            yield "", Reject(where=where, reason="malformed sentence", detail=detail)
            case _:
                yield "", Reject(where=where, reason="malformed paragraph", detail=checked.shown(value))


def _sentence(where: str, item: dict[str, Any], heads: dict[str, Any]) -> Iterator[Record | Reject]:
    text = item["sentence"]
    entities: list[Entity] = []
    for value in _listed(item.get("entities")):
        match value:
            case {
                "entity_id": str() as id,
                "entity": str() as given,
                "entity_type": str() as type,
                "start_idx": int() as start,
                "end_idx": int() as end,
            }:
                entity, reject = checked.mention(text, (start, end), given, id=id, type=type, where=where)
                entities += [entity] if entity else []
                if reject:
                    yield reject
            case _:
                yield Reject(where=where, reason="malformed mention", detail=checked.shown(value))
    known = {entity.id for entity in entities}
    relations: list[Relation] = []
    for value in _listed(item.get("relations")):
        match value:
            case {
                "relation_id": str() as id,
                "relation_type": str() as type,
                "head_entity_id": str() as head,
                "tail_entity_id": str() as tail,
            }:
                if head in known and tail in known:
                    ends = ((_HEAD, head), (_TAIL, tail))
                    arguments = tuple(Argument(role=role, kind="entity", ref=ref) for role, ref in ends)
                    relations.append(Relation(id=id, type=type, arguments=arguments))
                else:
                    detail = f"{id} {type}: {head}, {tail}"
                    yield Reject(where=where, reason="argument outside the sentence", detail=detail)
            case _:
                yield Reject(where=where, reason="malformed relation", detail=checked.shown(value))
    yield checked.record(Document, where, **heads, text=text, entities=tuple(entities), relations=tuple(relations))


def _listed(value: Any) -> list[Any]:
    """Return a list; what is none, but not absent either, as the one item of a list, which is then malformed."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]
