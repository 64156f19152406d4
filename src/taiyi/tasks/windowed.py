"""Documents in windows: what a window holds of a document's mentions, and what no window holds of its gold.

A mention lies in a window with all of its characters, a text without a place where it stands in the text of the window.
What makes up an item, such as the two ends of a relation, has to lie in one window to be asked for there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taiyi.schema import Answer, Argument, Document, Record, Shown, Span
from taiyi.tasks.task import AboutDocuments, Whole


class Windowed(AboutDocuments, Whole):
    """A task that can be asked of windows of a document."""

    @abstractmethod
    def gold(self, document: Document, types: Sequence[Shown], window: Span | None = None) -> Answer | str:
        """Return what a document, or a window of it, has of the asked types; or the id of what has no answer."""

    @abstractmethod
    def items(self, answer: Answer) -> Mapping[str, Answer]:
        """Return the items of an answer as answers of their own, by what makes them equal to others."""

    def across(self, record: Record, types: Sequence[Shown], windows: Sequence[Span]) -> Sequence[Answer]:
        assert isinstance(record, Document)
        whole = self.gold(record, types)
        if isinstance(whole, str):
            # No window has an answer either, and each says so.
            return ()
        found = (self.gold(record, types, window) for window in windows)
        held = {key for part in found if not isinstance(part, str) for key in self.items(part)}
        return [item for key, item in self.items(whole).items() if key not in held]


@dataclass(frozen=True, slots=True)
class Surfaces:
    """The surface forms of what a document, or a window of it, names.

    Attributes:
        named: the distinct forms of entities, of the concepts that they are normalised to, and of events, by kind and
            id.
        source: the text that forms without a place have to stand in; None where they need not, in a whole document.
    """

    named: Mapping[str, Sequence[str]]
    source: str | None

    def of(self, argument: Argument) -> Sequence[str]:
        """Return the forms that an argument of a relation or event goes by; none where it does not lie here."""
        if argument.kind == "text":
            text = argument.ref.strip()
            return [text] if text and self.holds(text) else []
        return self.named.get(f"{argument.kind} {argument.ref}", [])

    def holds(self, text: str) -> bool:
        """Whether a text without a place lies here."""
        return self.source is None or text in self.source


def surfaces(document: Document, window: Span | None = None) -> Surfaces:
    """Return the surface forms of what a document names within a window, or in all of it."""
    part = narrowed(document, window)
    source = None if part is None else document.text[part.start : part.end]
    found: dict[str, dict[str, None]] = {}
    for entity in document.entities:
        if lies(entity.text, entity.spans, part):
            text = entity.text.strip()
            found.setdefault(f"entity {entity.id}", {})[text] = None
            for concept in entity.concepts:
                found.setdefault(f"concept {concept.id}", {})[text] = None
    for event in document.events:
        trigger = event.trigger.strip()
        here = lies(trigger, event.trigger_spans, part) if event.trigger_spans else not source or trigger in source
        if trigger and here:
            found[f"event {event.id}"] = {trigger: None}
    return Surfaces({key: list(texts) for key, texts in found.items()}, source)


def narrowed(document: Document, window: Span | None) -> Span | None:
    """Return a window, or None where it is all of a document but for white space at its ends."""
    if window is None or not (document.text[: window.start] + document.text[window.end :]).strip():
        return None
    return window


def lies(mention: str, spans: Sequence[Span], window: Span | None) -> bool:
    """Whether a mention lies in a window, but for white space at its ends; all lie in a whole document."""
    if window is None:
        return True
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    if len(spans) == 1 and mention.strip():
        start += len(mention) - len(mention.lstrip())
        end -= len(mention) - len(mention.rstrip())
    return window.start <= start and end <= window.end


def text_of(document: Document, window: Span | None) -> str:
    """Return the text of a window, or of a whole document."""
    return document.text if window is None else document.text[window.start : window.end]
