"""Windows of tokens with events, as TextEE writes them and OneIE before it: one JSON object a sentence.

Huang et al. TextEE: benchmark, reevaluation, reflections, and future challenges in event extraction. Findings of ACL,
2024. A window has `doc_id`, `wnd_id`, its `text` and `tokens`, `entity_mentions` (triggers too), `event_mentions` with
a `trigger` and `arguments`, and `relation_mentions`; starts and ends are those of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Argument, Document, Entity, Event, Lang, Record, Reject, Relation, Span, Split

UNALIGNED = "tokens are not those of the text"
TOKENS_OUTSIDE = "tokens outside the window"
MALFORMED_MENTION = "malformed mention"
DANGLING = "reference to nothing"
ITSELF = "relation of a mention with itself"
_NO_PATTERNS: Mapping[str, str] = MappingProxyType({})


class _Place(NamedTuple):
    type: str
    start: int
    end: int


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    documents: Mapping[str, str] = _NO_PATTERNS,
) -> Iterator[Record | Reject]:
    """Read windows, each a record with characters for tokens.

    A mention at the place of an event's trigger, of the same type, is that trigger and no entity; arguments that name
    it are that event. Relations of a mention with itself are dropped: no more is left of discontinuous mentions.

    Args:
        documents: regular expressions of whole `doc_id`s, and the document id that each gives; the first that matches.
    """
    compiled = [(re.compile(regex), template) for regex, template in documents.items()]
    for where, item in json_lines.items(path):
        if isinstance(item, Reject):
            yield item
            continue
        match item:
            case {"doc_id": str() as document, "wnd_id": str() as window, "text": str() as text, "tokens": list()}:
                spans = _aligned(text, cast("list[Any]", item["tokens"]))
            case _:
                yield Reject(where=where, reason=checked.MALFORMED, detail=f"not a window: {checked.shown(item)}")
                continue
        if spans is None:
            yield Reject(where=where, reason=UNALIGNED, detail=checked.shown(item["tokens"]))
            continue
        reading = _Window(where, text, spans)
        entities, events, relations = reading.annotations(item)
        yield from reading.rejects
        ids = [match.expand(template) for regex, template in compiled if (match := regex.fullmatch(document))]
        yield checked.record(
            Document,
            where,
            id=window,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=tuple(ids[:1]),
            text=text,
            entities=entities,
            relations=relations,
            events=events,
        )


def _aligned(text: str, tokens: list[Any]) -> list[Span] | None:
    """Return where each token is; None where the text is not made of the tokens and white space."""
    spans: list[Span] = []
    position = 0
    for token in tokens:
        start = text.find(token, position) if isinstance(token, str) and token else -1
        if start < 0 or text[position:start].strip():
            return None
        position = start + len(cast(str, token))
        spans.append(Span(start, position))
    return None if text[position:].strip() else spans


def _listed(item: Mapping[str, Any], key: str) -> list[Any]:
    found = item.get(key, [])
    return cast("list[Any]", found) if isinstance(found, list) else [found]


class _Window:
    def __init__(self, where: str, text: str, tokens: list[Span]) -> None:
        self.where = where
        self.text = text
        self.tokens = tokens
        self.rejects: list[Reject] = []
        self.refs: dict[str, tuple[Literal["entity", "event"], str]] = {}

    def _reject(self, reason: str, value: object) -> None:
        self.rejects.append(Reject(where=self.where, reason=reason, detail=checked.shown(value)))

    def annotations(
        self, item: Mapping[str, Any]
    ) -> tuple[tuple[Entity, ...], tuple[Event, ...], tuple[Relation, ...]]:
        happenings = [event for value in _listed(item, "event_mentions") if (event := self._event(value))]
        triggers: dict[_Place, str] = {}
        for place, event, _ in happenings:
            triggers.setdefault(place, event.id)
            self.refs[event.id] = ("event", event.id)
        entities: list[Entity] = []
        for value in _listed(item, "entity_mentions"):
            found = self._mention(value, "id", "entity_type")
            if found is None:
                continue
            id, place, span = found
            if place in triggers:
                self.refs.setdefault(id, ("event", triggers[place]))
            elif id in self.refs:
                self._reject("repeated id", value)
            else:
                self.refs[id] = ("entity", id)
                text = self.text[span.start : span.end]
                entities.append(Entity(id=id, type=place.type, text=text, spans=(span,)))
        events = [
            Event(
                id=event.id,
                type=event.type,
                trigger=event.trigger,
                trigger_spans=event.trigger_spans,
                arguments=tuple(found for value in given if (found := self._argument(value))),
            )
            for _, event, given in happenings
        ]
        relations = [relation for value in _listed(item, "relation_mentions") if (relation := self._relation(value))]
        return tuple(entities), tuple(events), tuple(relations)

    def _mention(self, value: Any, id_key: str, type_key: str) -> tuple[str, _Place, Span] | None:
        """Return id, place and characters of a mention, whose text must be the one there but for white space."""
        match value:
            case {"start": int() as start, "end": int() as end, "text": str() as given, **rest}:
                id, type = rest.get(id_key), rest.get(type_key)
            case _:
                id = type = given = None
                start = end = 0
        if not isinstance(id, str) or not isinstance(type, str) or not isinstance(given, str):
            self._reject(MALFORMED_MENTION, value)
            return None
        if not 0 <= start < end <= len(self.tokens):
            self._reject(TOKENS_OUTSIDE, value)
            return None
        span = Span(self.tokens[start].start, self.tokens[end - 1].end)
        if "".join(given.split()) != "".join(self.text[span.start : span.end].split()):
            self._reject(checked.MISMATCH, value)
            return None
        return id, _Place(type, start, end), span

    def _event(self, value: Any) -> tuple[_Place, Event, list[Any]] | None:
        match value:
            case {"id": str() as id, "event_type": str() as type, "trigger": dict(), **rest}:
                whole = {**cast("dict[str, Any]", value["trigger"]), "id": id, "type": type}
            case _:
                self._reject("malformed event", value)
                return None
        if (found := self._mention(whole, "id", "type")) is None:
            return None
        _, place, span = found
        event = Event(id=id, type=type, trigger=self.text[span.start : span.end], trigger_spans=(span,))
        return place, event, _listed(rest, "arguments")

    def _argument(self, value: Any) -> Argument | None:
        match value:
            case {"entity_id": str() as ref, "role": str() as role} if ref in self.refs:
                kind, id = self.refs[ref]
                return Argument(role=role, kind=kind, ref=id)
            case _:
                self._reject(DANGLING, value)
                return None

    def _relation(self, value: Any) -> Relation | None:
        match value:
            case {"id": str() as id, "relation_type": str() as type, "arguments": list()}:
                arguments = [self._argument(argument) for argument in cast("list[Any]", value["arguments"])]
            case _:
                self._reject("malformed relation", value)
                return None
        found = tuple(argument for argument in arguments if argument)
        if len(found) < len(arguments) or len({argument.ref for argument in found}) < 2:
            if len(found) == len(arguments):
                self._reject(ITSELF, value)
            return None
        return Relation(id=id, type=type, arguments=found)
