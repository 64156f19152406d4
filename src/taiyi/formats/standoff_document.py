"""Documents from standoff annotations and back: what the lines of one text say together.

A mention that an event names as its trigger is that event's trigger and no entity; what else refers to it refers to the
event (to the first, where a mention is the trigger of several events; that the choice was made is a Reject). The
fragments of a discontinuous mention are put in the order of the text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from taiyi.formats import checked
from taiyi.formats.standoff import (
    Annotation,
    Attribute,
    Group,
    Happening,
    Link,
    Mention,
    Normalisation,
    Note,
    flat,
)
from taiyi.schema import Argument, Concept, Coreference, Entity, Event, Passage, Reject, Relation, Span

REPEATED = "repeated id"
DANGLING = "reference to nothing"
AMBIGUOUS = "reference to the trigger of several events"
SECOND_VALUE = "second value of an attribute"
UNUSED = "trigger without an event"
MEMBER = "member"


class Annotations(NamedTuple):
    """What a text is annotated with, and what of it could not be kept."""

    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    events: tuple[Event, ...]
    coreferences: tuple[Coreference, ...]
    passages: tuple[Passage, ...]
    rejects: list[Reject]


class _Located(NamedTuple):
    mention: Mention
    spans: tuple[Span, ...]
    text: str


def resolve(
    text: str,
    items: Iterable[Annotation | Reject],
    *,
    coreference: Collection[str],
    trigger_types: Collection[str] = (),
    passage_types: Collection[str] = (),
) -> Annotations:
    """Return the annotations of a text, their references resolved.

    Args:
        coreference: the types of `*` and `R` lines that say that entities are the same thing; other `*` lines are
            relations with arguments in the role `member`.
        trigger_types: types of mentions that are triggers only: such a mention that no event names is dropped.
        passage_types: types of mentions that are parts of the document; each fragment is a passage.
    """
    resolver = _Resolver(text, items)
    resolver.take_passages(passage_types)
    resolver.drop_unused(trigger_types)
    return resolver.annotations(coreference)


class _Resolver:
    def __init__(self, text: str, items: Iterable[Annotation | Reject]) -> None:
        self.rejects: list[Reject] = []
        self.passages: list[Passage] = []
        self.mentions: dict[str, _Located] = {}
        self.happenings: dict[str, Happening] = {}
        self.ties: dict[str, Link | Group] = {}
        self.remarks: list[Attribute | Note] = []
        self.normalisations: list[Normalisation] = []
        groups = 0
        for item in items:
            match item:
                case Mention():
                    if self._is_new(item, self.mentions) and (located := self._located(text, item)):
                        self.mentions[item.id] = located
                case Happening():
                    if self._is_new(item, self.happenings):
                        self.happenings[item.id] = item
                case Link():
                    if self._is_new(item, self.ties):
                        self.ties[item.id] = item
                case Group():
                    groups += 1
                    self.ties[f"*{groups}"] = item
                case Attribute() | Note():
                    self.remarks.append(item)
                case Normalisation():
                    self.normalisations.append(item)
                case Reject():
                    self.rejects.append(item)
        self.triggers: dict[str, list[str]] = {}
        for id, happening in list(self.happenings.items()):
            if not happening.trigger:
                continue
            if happening.trigger in self.mentions:
                self.triggers.setdefault(happening.trigger, []).append(id)
            else:
                self._reject(happening, DANGLING, f"event {id} has no trigger {happening.trigger}")
                del self.happenings[id]

    def _reject(self, item: Annotation, reason: str, detail: str) -> None:
        self.rejects.append(Reject(where=item.where, reason=reason, detail=detail))

    def _is_new(self, item: Mention | Happening | Link, known: Collection[str]) -> bool:
        if item.id not in known:
            return True
        self._reject(item, REPEATED, f"{item.id} ({item.type}); the first is kept")
        return False

    def _located(self, text: str, mention: Mention) -> _Located | None:
        """Return where a mention is; its text, if given, may have the parts in the order of the line, and a space for
        each line break or tab."""
        if len(mention.spans) == 1:
            # What nearly all are like, and so worth the lines.
            ((start, end),) = mention.spans
            if 0 <= start < end <= len(text) and (found := text[start:end]) == mention.text:
                return _Located(mention, (Span(start, end),), found)
        spans = tuple(sorted(mention.spans))
        for start, end in spans:
            if not 0 <= start < end <= len(text):
                detail = f"{mention.type} {mention.id} at {start} to {end} of {len(text)}: {mention.text!r}"
                self._reject(mention, checked.OUTSIDE, detail)
                return None
        found = " ".join(text[start:end] for start, end in spans)
        located = _Located(mention, tuple(Span(start, end) for start, end in spans), found)
        given = mention.text
        if given is None or given == found or given == flat(found):
            return located
        as_given = " ".join(text[start:end] for start, end in mention.spans)
        if given in (as_given, flat(as_given)):
            return located
        detail = f"{mention.type} {mention.id} at {spans[0][0]}: the text has {found!r}, the mention {given!r}"
        if "".join(given.split()) in ("".join(found.split()), "".join(as_given.split())):
            self._reject(mention, checked.SPACING, f"{detail}; the text's is kept")
            return located
        self._reject(mention, checked.MISMATCH, detail)
        return None

    def take_passages(self, passage_types: Collection[str]) -> None:
        taken = [id for id, located in self.mentions.items() if located.mention.type in passage_types]
        for mention, spans, _ in (self.mentions.pop(id) for id in taken):
            self.passages += (Passage(type=mention.type, span=span) for span in spans)

    def drop_unused(self, trigger_types: Collection[str]) -> None:
        for id, located in list(self.mentions.items()) if trigger_types else ():
            if located.mention.type in trigger_types and id not in self.triggers:
                self._reject(located.mention, UNUSED, f"{located.mention.type} {id}: {located.text!r}")
                del self.mentions[id]

    def annotations(self, coreference: Collection[str]) -> Annotations:
        concepts = self._concepts()
        attributes = self._attributes()
        entities = [
            Entity(
                id=id,
                type=mention.type,
                text=text,
                spans=spans,
                concepts=tuple(concepts.get(id, ())),
                attributes=attributes.get(id, {}),
            )
            for id, (mention, spans, text) in self.mentions.items()
            if id not in self.triggers
        ]
        events = [self._event(event, attributes.get(id, {})) for id, event in self.happenings.items()]
        relations: list[Relation] = []
        chains: list[Coreference] = []
        for id, tie in self.ties.items():
            pairs = tie.arguments if isinstance(tie, Link) else ((MEMBER, member) for member in tie.members)
            if (arguments := self._arguments(tie, pairs)) is None:
                continue
            if tie.type in coreference and all(argument.kind == "entity" for argument in arguments):
                chains.append(Coreference(id=id, entities=tuple(argument.ref for argument in arguments)))
            else:
                relations.append(Relation(id=id, type=tie.type, arguments=arguments, attributes=attributes.get(id, {})))
        return Annotations(
            tuple(entities), tuple(relations), tuple(events), tuple(chains), tuple(self.passages), self.rejects
        )

    def _event(self, item: Happening, attributes: dict[str, str]) -> Event:
        arguments: list[Argument] = []
        for role, ref in item.arguments:
            if found := self._argument(item, role, ref):
                arguments.append(found)
            else:
                self._reject(item, DANGLING, f"{role} of event {item.id} is {ref}; the event is kept without it")
        spans, text = ((), "") if not item.trigger else self.mentions[item.trigger][1:]
        return Event(
            id=item.id,
            type=item.type,
            trigger=text,
            trigger_spans=spans,
            arguments=tuple(arguments),
            attributes=attributes,
        )

    def _arguments(self, item: Link | Group, pairs: Iterable[tuple[str, str]]) -> tuple[Argument, ...] | None:
        arguments: list[Argument] = []
        for role, ref in pairs:
            found = self._argument(item, role, ref)
            if found is None:
                self._reject(item, DANGLING, f"{item.type} with {role} {ref}")
                return None
            arguments.append(found)
        return tuple(arguments)

    def _argument(self, item: Annotation, role: str, ref: str) -> Argument | None:
        if ref in self.happenings:
            return Argument(role=role, kind="event", ref=ref)
        if events := self.triggers.get(ref):
            if len(events) > 1:
                self._reject(item, AMBIGUOUS, f"{ref} is the trigger of {', '.join(events)}; the first is taken")
            return Argument(role=role, kind="event", ref=events[0])
        return Argument(role=role, kind="entity", ref=ref) if ref in self.mentions else None

    def _concepts(self) -> dict[str, list[Concept]]:
        found: dict[str, list[Concept]] = {}
        for item in self.normalisations:
            if item.target in self.mentions and item.target not in self.triggers:
                found.setdefault(item.target, []).append(Concept(db=item.db, id=item.concept))
            else:
                self._reject(item, DANGLING, f"{item.db}:{item.concept} is said of {item.target}, which is no entity")
        return found

    def _attributes(self) -> dict[str, dict[str, str]]:
        """Return attributes and notes by what they are said of; of a trigger, they are said of each of its events."""
        found: dict[str, dict[str, str]] = {}
        for item in self.remarks:
            if item.target in self.triggers:
                targets = self.triggers[item.target]
            elif item.target in self.mentions or item.target in self.happenings or item.target in self.ties:
                targets = [item.target]
            else:
                self._reject(item, DANGLING, f"{item.name} is said of {item.target}")
                continue
            value = item.value if isinstance(item, Attribute) else item.text
            for target in targets:
                known = found.setdefault(target, {})
                if isinstance(item, Note) and item.name in known:
                    known[item.name] += f"\n{value}"
                elif known.setdefault(item.name, value) != value:
                    detail = f"{item.name} of {target} is {known[item.name]!r} and {value!r}; the first is kept"
                    self._reject(item, SECOND_VALUE, detail)
        return found
