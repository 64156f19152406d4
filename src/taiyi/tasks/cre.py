"""Causal relation extraction (CRE): triples of which an end may itself be a triple, as CMedCausal has them.

`(腹泻, (肠道感染, 脱水, 因果关系), 条件关系)` is a condition under which one thing causes another. In the gold such
an end is the text of its own triple, as the list form writes it with the corpus's name of the relation, so that answers
are compared, and put together, as those of relation extraction are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Literal, NamedTuple, cast

from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Argument,
    Document,
    Example,
    Record,
    Reject,
    Relation,
    Score,
    Shown,
    Span,
    Triple,
    Triples,
)
from taiyi.tasks import fields, grammars, json_answer, listing, relations
from taiyi.tasks.task import Kind, example, example_id
from taiyi.tasks.windowed import Surfaces, Windowed, surfaces, text_of
from taiyi.templates import Template, words

MAX_DEPTH = 8
"""How deep triples may nest; CMedCausal's nest two deep."""
ONLY_INSIDE = "stated"
"""The attribute of a relation that is no statement of its own, but only an end of another."""
_OPEN, _CLOSE = ("(", "（"), (")", "）")


class _Nested(NamedTuple):
    """A triple as a tree; an end is a text or another."""

    head: _Nested | str
    tail: _Nested | str
    type: str


class CausalRelations(Windowed):
    """Triples of the asked relation types, with triples in them."""

    name = "cre"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "relations"
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
        found = self._found(record, types, window)
        if isinstance(found, str):
            reason = "a relation is not between two mentions or relations"
            return Reject(where=identifier, reason=reason, detail=found)
        shown = {t.name: t.shown for t in types}
        source = text_of(record, window)
        marks = words(template.lang)
        prompt, at = template.fill_at("text", types=marks.comma.join(dict.fromkeys(shown.values())), text=source)
        if form == "json":
            answer = json_answer.write([_object(tree, shown) for tree in found])
        else:
            answer = marks.semicolon.join(_text(tree, shown) for tree in found) or marks.none
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=answer,
            gold=_gold(found),
            identifier=identifier,
            types=types,
            source=Span(at, at + len(source)),
            offset=window.start if window else 0,
        )

    def gold(self, document: Document, types: Sequence[Shown], window: Span | None = None) -> Triples | str:
        found = self._found(document, types, window)
        return found if isinstance(found, str) else _gold(found)

    def items(self, answer: Answer) -> Mapping[str, Answer]:
        return relations.items(answer)

    def _found(self, document: Document, types: Sequence[Shown], window: Span | None) -> list[_Nested] | str:
        """Return the triples of a document or of a window of it; or the id of a relation that is not between two."""
        asked = {shown.name for shown in types}
        known = {relation.id: relation for relation in document.relations}
        everywhere, here = surfaces(document), surfaces(document, window)
        found: dict[_Nested, None] = {}
        for relation in document.relations:
            if relation.type not in asked or ONLY_INSIDE in relation.attributes:
                continue
            if next(_trees(relation, known, everywhere, MAX_DEPTH), None) is None:
                return relation.id
            found.update(dict.fromkeys(_trees(relation, known, here, MAX_DEPTH)))
        return list(found)

    def parse(self, text: str, example: Example) -> Triples:
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        if example.form == "json":
            rows = json_answer.rows(json_answer.read(text, example.lang))
            found = [_of_object(row, names, MAX_DEPTH) for row in rows]
        elif not text.strip():
            raise Unparsable("the answer is empty", where=example.id, expected="triples, or the word for none")
        elif text.strip(" \n.。") == words(example.lang).none:
            found = []
        else:
            found = [_of_text(item, names) for line in text.split("\n") for item in listing.split(line)]
        return _gold(found)

    def grammar(self, example: Example) -> str:
        """Return the grammar of triples that nest two deep, as CMedCausal's do."""
        if example.source is None or not example.types:
            return ""
        shown = [t.shown for t in example.types]
        if example.form == "json":
            return grammars.grammar(
                grammars.array("NESTED"),
                NESTED='"{\\"head\\": " END ", \\"relation\\": " TYPE ", \\"tail\\": " END "}"',
                END="MENTION | TRIPLE",
                TRIPLE='"{\\"head\\": " MENTION ", \\"relation\\": " TYPE ", \\"tail\\": " MENTION "}"',
                TYPE=grammars.either(map(grammars.in_json, shown)),
                **grammars.quoted_mentions(example.source_text),
            )
        return grammars.grammar(
            grammars.several("NESTED", words(example.lang).semicolon, or_none=example.lang),
            NESTED='"(" (TEXT | TRIPLE) ", " (TEXT | TRIPLE) ", " TYPE ")"',
            TRIPLE='"(" TEXT ", " TEXT ", " TYPE ")"',
            # A bracket at the beginning of a text is marked, since one there begins a triple.
            TEXT=r'PLAIN | "\\" BRACKETED',
            PLAIN="MENTION & /(?s:[^(（].*)/",
            BRACKETED="MENTION & /(?s:[(（].*)/",
            TYPE=grammars.either(shown),
            **grammars.mentions(example.source_text, fields.escape),
        )

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Triples:
        return relations.merge(answers)

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        return relations.score(gold, predicted, record=record, reason=reason)


def _trees(relation: Relation, known: Mapping[str, Relation], named: Surfaces, depth: int) -> Iterator[_Nested]:
    """Yield a relation for every pair of the names of its ends; nothing where it is not between two."""
    if len(relation.arguments) != 2 or depth == 0:
        return

    def ends(argument: Argument) -> Sequence[_Nested] | Sequence[str]:
        if argument.kind == "relation":
            return list(_trees(known[argument.ref], known, named, depth - 1))
        return named.of(argument)

    for head, tail in product(*map(ends, relation.arguments)):
        yield _Nested(head, tail, relation.type)


def _gold(trees: Iterable[_Nested]) -> Triples:
    return Triples(items=tuple(dict.fromkeys(map(_triple, trees))))


def _triple(tree: _Nested) -> Triple:
    head, tail = (end if isinstance(end, str) else _text(end, {}) for end in (tree.head, tree.tail))
    return Triple(head=head, tail=tail, type=tree.type)


def _text(tree: _Nested, shown: Mapping[str, str]) -> str:
    """Write a triple; a text that begins with a bracket is marked, since one there begins a triple."""

    def end(value: _Nested | str) -> str:
        if not isinstance(value, str):
            return _text(value, shown)
        return ("\\" if value.startswith(_OPEN) else "") + fields.escape(value)

    return f"({end(tree.head)}, {end(tree.tail)}, {shown.get(tree.type, tree.type)})"


def _object(tree: _Nested, shown: Mapping[str, str]) -> dict[str, Any]:
    def end(value: _Nested | str) -> Any:
        return value if isinstance(value, str) else _object(value, shown)

    return {"head": end(tree.head), "relation": shown.get(tree.type, tree.type), "tail": end(tree.tail)}


def _of_object(row: dict[str, Any], names: Mapping[str, str], depth: int) -> _Nested:
    def end(key: str) -> _Nested | str:
        value = row.get(key)
        if isinstance(value, dict):
            if depth == 1:
                raise Unparsable("triples nest too deep", got=json_answer.shown(row), expected=f"at most {MAX_DEPTH}")
            return _of_object(cast("dict[str, Any]", value), names, depth - 1)
        return json_answer.text_of(row, key)

    type = json_answer.text_of(row, "relation", "type")
    return _Nested(end("head"), end("tail"), names.get(type, type))


def _of_text(item: str, names: Mapping[str, str]) -> _Nested:
    tree, end = _read(item, 0, names, MAX_DEPTH)
    if item[end:].strip():
        raise Unparsable("a triple goes on after its end", got=repr(item[end:][:60]), expected="; or the end")
    return tree


def _read(text: str, at: int, names: Mapping[str, str], depth: int) -> tuple[_Nested, int]:
    """Read the triple that begins at a place of a text; return it and where it ends."""
    if not text.startswith(_OPEN, at):
        raise Unparsable("an item is not in brackets", got=repr(text[at:][:60]), expected=relations.TRIPLE)
    if depth == 0:
        raise Unparsable("triples nest too deep", got=repr(text[:60]), expected=f"at most {MAX_DEPTH}")
    at += 1
    ends: list[_Nested | str] = []
    for _ in range(2):
        at += len(text[at:]) - len(text[at:].lstrip())
        if text.startswith(_OPEN, at):
            tree, at = _read(text, at, names, depth - 1)
            ends.append(tree)
            mark = fields.SEPARATOR.match(text, at)
        else:
            mark = fields.SEPARATOR.search(text, at)
            ends.append(listing.unescape(text[at : mark.start() if mark else at].strip()))
        if mark is None:
            raise Unparsable("an item is not a triple", got=repr(text[:60]), expected=relations.TRIPLE)
        at = mark.end()
    close = _closing(text, at, names)
    type = text[at:close].strip()
    return _Nested(ends[0], ends[1], names.get(type, type)), close + 1


def _closing(text: str, at: int, names: Mapping[str, str]) -> int:
    """Return where the bracket is that closes a triple whose relation begins at a place; its name may hold brackets."""
    for name in sorted(names, key=len, reverse=True):
        if text.startswith(name, at) and text.startswith(_CLOSE, at + len(name)):
            return at + len(name)
    depth = 0
    for place in range(at, len(text)):
        if text[place] in _CLOSE:
            if depth == 0:
                return place
            depth -= 1
        depth += text[place] in _OPEN
    raise Unparsable("a triple does not end", got=repr(text[:60]), expected=relations.TRIPLE)
