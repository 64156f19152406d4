"""Named entity recognition (NER): the paper's list form, the text itself with tags in place, and JSON.

Scored as the paper does: micro-F1 over the unique (text, type) pairs of each record, case-sensitive, without offsets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import regex

from taiyi import tagged
from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Document,
    Example,
    Lang,
    Mention,
    Mentions,
    Record,
    Reject,
    Score,
    Shown,
    Span,
    Tagging,
)
from taiyi.tasks import grammars, json_answer, listing
from taiyi.tasks.task import AboutDocuments, Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words

_COLON = regex.compile(r"[:：]")


class NamedEntities(AboutDocuments, Whole):
    """Entities of the asked types."""

    name = "ner"
    forms: tuple[str, ...] = ("tagged", "list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "entities"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def render(
        self,
        record: Record,
        template: Template,
        *,
        form: str,
        types: Sequence[Shown] = (),
        window: Span | None = None,
        focus: tuple[str, ...] = (),
    ) -> Example | Reject:
        assert isinstance(record, Document)
        identifier = example_id(record, template, form, types, window)
        span = window or Span(0, len(record.text))
        source = record.text[span.start : span.end]
        mentions = _mentions(record, span, {shown.name for shown in types})
        shown = {t.name: t.shown for t in types}
        asked = words(template.lang).comma.join(dict.fromkeys(shown.values()))
        prompt, at = template.fill_at("text", types=asked, text=source)
        tagging = None
        if form == "tagged":
            tags = tuple(dict.fromkeys(shown.values()))
            if tagged.clashes(source, tags):
                return Reject(where=identifier, reason="the text contains a tag", detail=", ".join(tags))
            tagging = Tagging(source=source, tags=tags, at=at)
            answer = _write_tagged(source, mentions, shown)
        else:
            mentions = list(dict.fromkeys(Mention(type=m.type, text=m.text) for m in mentions))
            answer = (_write_json if form == "json" else _write_list)(mentions, types, template.lang)
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=answer,
            gold=Mentions(items=tuple(sorted(mentions, key=_order))),
            identifier=identifier,
            types=types,
            source=Span(at, at + len(source)),
            tagging=tagging,
            offset=span.start,
        )

    def parse(self, text: str, example: Example) -> Mentions:
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        if example.tagging is not None:
            found = [Mention(type=names[m.type], text=m.text, span=m.span) for m in tagged.read(text, example.tagging)]
        elif example.form == "json":
            found = list(dict.fromkeys(_read_json(text, names, example.lang)))
        else:
            found = list(dict.fromkeys(_read_list(text, names, words(example.lang).none)))
        return Mentions(items=tuple(sorted(found, key=_order)))

    def write(self, answer: Answer, example: Example) -> str:
        assert isinstance(answer, Mentions)
        if example.tagging is not None:
            shown = {t.name: t.shown for t in example.types}
            return _write_tagged(example.tagging.source, answer.items, shown)
        return (_write_json if example.form == "json" else _write_list)(answer.items, example.types, example.lang)

    def grammar(self, example: Example) -> str:
        if example.tagging is not None:
            return grammars.tagged(example.tagging.source, example.tagging.tags)
        if example.source is None or not example.types:
            return ""
        shown, marks = [t.shown for t in example.types], words(example.lang)
        if example.form == "json":
            return grammars.grammar(
                grammars.array("ENTRY", "{}"),
                ENTRY=grammars.either(f"{grammars.in_json(name)}: " for name in shown)
                + grammars.array("MENTION", "[]", 1),
                **grammars.quoted_mentions(example.source_text),
            )
        none = grammars.literal(_item(marks.none, marks.none))
        return grammars.grammar(
            grammars.several("LINE", "\n", or_none=example.lang),
            LINE=grammars.either(name + marks.colon for name in shown) + grammars.several("ITEM", marks.semicolon),
            ITEM=f"MENTION | {none}" if marks.none in example.source_text else "MENTION",
            **grammars.mentions(example.source_text, listing.escape),
        )

    def cut(self, text: str, example: Example) -> str:
        # A tagged answer that was cut lacks tags, not text: the decoder copies the rest of the source.
        if example.tagging is not None:
            return text
        return json_answer.cut(text, "{[") if example.form == "json" else listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Mentions:
        merged: dict[Mention, None] = {}
        for window, answer in answers:
            assert isinstance(answer, Mentions)
            for m in answer.items:
                span = Span(m.span.start + window.offset, m.span.end + window.offset) if m.span else None
                merged[Mention(type=m.type, text=m.text, span=span)] = None
        return Mentions(items=tuple(sorted(merged, key=_order)))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Mentions)
        assert predicted is None or isinstance(predicted, Mentions)
        ours = {(m.type, m.text) for m in gold.items}
        theirs = {(m.type, m.text) for m in predicted.items} if predicted is not None else None
        return set_score(ours, theirs, record=record, reason=reason)


def _order(mention: Mention) -> tuple[int, int, str, str]:
    start, end = mention.span or (-1, -1)
    return (start, -end, mention.type, mention.text)


def _mentions(document: Document, window: Span, names: set[str]) -> list[Mention]:
    """Return the mentions of the asked types that begin within a window, with spans into it.

    Those that are discontinuous or reach over the end of the window have no span: no tags can mark them there.
    """
    found: dict[Mention, None] = {}
    for entity in document.entities:
        start, end = entity.spans[0].start, entity.spans[-1].end
        if entity.type not in names or not window.start <= start < window.end or not entity.text.strip():
            continue
        span = None
        if len(entity.spans) == 1 and end <= window.end:
            start += len(entity.text) - len(entity.text.lstrip())
            end -= len(entity.text) - len(entity.text.rstrip())
            span = Span(start - window.start, end - window.start)
        found[Mention(type=entity.type, text=entity.text.strip(), span=span)] = None
    return list(found)


def _by_type(mentions: Sequence[Mention], types: Sequence[Shown]) -> dict[str, list[str]]:
    """Return the mentions of each type that there are some of, under the name that the prompt shows."""
    found: dict[str, list[str]] = {}
    for shown in dict.fromkeys(t.shown for t in types):
        names = {t.name for t in types if t.shown == shown}
        if items := list(dict.fromkeys(m.text for m in mentions if m.type in names)):
            found[shown] = items
    return found


def _write_tagged(source: str, mentions: Sequence[Mention], shown: Mapping[str, str]) -> str:
    """Tag the source with the mentions that have a span, as far as they nest, under the names that the prompt shows."""
    placed, _ = tagged.nest(Mention(type=shown[m.type], text=m.text, span=m.span) for m in mentions if m.span)
    return tagged.write(source, placed)


def _write_list(mentions: Sequence[Mention], types: Sequence[Shown], lang: Lang) -> str:
    marks = words(lang)
    found = _by_type(mentions, types).items()
    lines = (
        shown + marks.colon + marks.semicolon.join(_item(text, marks.none) for text in items) for shown, items in found
    )
    return "\n".join(lines) or marks.none


def _write_json(mentions: Sequence[Mention], types: Sequence[Shown], lang: Lang) -> str:
    return json_answer.write(dict(_by_type(mentions, types)))


def _read_json(text: str, names: dict[str, str], lang: Lang) -> list[Mention]:
    """Read `{"type": ["mention"]}`, as the answers are written, or `[{"type", "text"}]`, as models write too."""
    value = json_answer.read(text, lang)
    if isinstance(value, dict):
        if value and not any(isinstance(texts, list) for texts in value.values()) and "text" in value:
            value = [value]
        else:
            pairs = [(shown.strip(), text) for shown, texts in value.items() for text in json_answer.texts(texts)]
            return [Mention(type=names.get(shown, shown), text=text) for shown, text in pairs if text]
    found: list[Mention] = []
    for row in json_answer.rows(value):
        shown, mention = json_answer.text_of(row, "type"), json_answer.text_of(row, "text", "entity", "mention")
        found.append(Mention(type=names.get(shown, shown), text=mention))
    return found


def _read_list(text: str, names: dict[str, str], none: str) -> list[Mention]:
    if not text.strip():
        raise Unparsable("the answer is empty", expected="Type: mention; mention, or the word for none")
    found: list[Mention] = []
    for line in text.strip().split("\n"):
        if not line.strip() or line.strip(" .。") == none:
            continue
        # The name of a type may itself hold a colon, so the known names are tried first, the longest before the others.
        shown = next(
            (s for s in sorted(names, key=len, reverse=True) if _COLON.match(line, len(s)) and line.startswith(s)), None
        )
        if shown is None:
            if not (mark := _COLON.search(line)):
                raise Unparsable("a line names no type", got=repr(line[:60]), expected="Type: mention; mention")
            shown = line[: mark.start()].strip()
            rest = line[mark.end() :]
        else:
            rest = line[len(shown) + 1 :]
        found.extend(
            Mention(type=names.get(shown, shown), text=listing.unescape(item))
            for item in listing.split(rest)
            if item != none
        )
    return found


def _item(text: str, none: str) -> str:
    """Write a mention; one that reads like the word for nothing is marked, since models write `Disease: None`."""
    return "\\" + text if text == none else listing.escape(text)
