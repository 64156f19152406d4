"""Coreference (COREF): the chains of mentions that refer to the same thing.

Scored as micro-F1 over the links of each record: the unique pairs of texts that stand together in a chain. A text that
a chain holds twice is linked with itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, cast

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Chains, Document, Example, Record, Reject, Score, Shown, Span
from taiyi.tasks import grammars, json_answer, listing
from taiyi.tasks.task import Kind, example, example_id, set_score
from taiyi.tasks.windowed import Windowed, lies, narrowed, text_of
from taiyi.templates import Template, words

MOST_LINKED = 500
"""Mentions of one chain that links are counted of: a model that repeats itself does not take the scorer down."""


class Coreferences(Windowed):
    """Chains of mentions, in the order of the text."""

    name = "coref"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"text"})
    kind: Kind | None = None
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
        gold = self.gold(record, types, window)
        chains, source = gold.items, text_of(record, window)
        marks = words(template.lang)
        prompt, at = template.fill_at("text", text=source)
        if form == "json":
            answer = json_answer.write([list(chain) for chain in chains])
        else:
            answer = "\n".join(marks.semicolon.join(map(listing.escape, chain)) for chain in chains) or marks.none
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=answer,
            gold=gold,
            identifier=example_id(record, template, form, window=window),
            source=Span(at, at + len(source)),
            offset=window.start if window else 0,
        )

    def gold(self, document: Document, types: Sequence[Shown], window: Span | None = None) -> Chains:
        """Return the chains of a document, or those of their parts of two mentions and more that lie in a window."""
        return Chains(items=tuple(_chains(document, narrowed(document, window))))

    def items(self, answer: Answer) -> Mapping[str, Answer]:
        assert isinstance(answer, Chains)
        return {repr(pair): Chains(items=(pair,)) for pair in sorted(_pairs(answer))}

    def parse(self, text: str, example: Example) -> Chains:
        read = _read_json if example.form == "json" else _read_list
        return Chains(items=tuple(dict.fromkeys(read(text, example))))

    def grammar(self, example: Example) -> str:
        if example.source is None:
            return ""
        if example.form == "json":
            return grammars.grammar(
                grammars.array("CHAIN"),
                CHAIN=grammars.array("MENTION", "[]", 2),
                **grammars.quoted_mentions(example.source_text),
            )
        semicolon = grammars.literal(words(example.lang).semicolon)
        return grammars.grammar(
            grammars.several("CHAIN", "\n", or_none=example.lang),
            CHAIN=f"MENTION ({semicolon} MENTION)+",
            **grammars.mentions(example.source_text, listing.escape),
        )

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut_lines(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Chains:
        merged: dict[tuple[str, ...], None] = {}
        for _, answer in answers:
            assert isinstance(answer, Chains)
            merged.update(dict.fromkeys(answer.items))
        return Chains(items=tuple(merged))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Chains)
        assert predicted is None or isinstance(predicted, Chains)
        return set_score(_links(gold), None if predicted is None else _links(predicted), record=record, reason=reason)


def _chains(document: Document, window: Span | None) -> list[tuple[str, ...]]:
    """Return the chains, and the mentions in each, in the order of the text; a mention alone is no chain."""
    entities = {entity.id: entity for entity in document.entities}
    found: list[tuple[int, int, tuple[str, ...]]] = []
    for chain in document.coreferences:
        named = [entities[ref] for ref in dict.fromkeys(chain.entities) if entities[ref].text.strip()]
        members = [entity for entity in named if lies(entity.text, entity.spans, window)]
        members.sort(key=lambda entity: (entity.spans[0].start, -entity.spans[-1].end))
        if len(members) > 1:
            first = members[0].spans[0]
            found.append((first.start, -first.end, tuple(member.text.strip() for member in members)))
    return list(dict.fromkeys(texts for _, _, texts in sorted(found)))


def _pairs(chains: Chains) -> set[tuple[str, str]]:
    """Return the pairs of texts that stand in one chain, whichever comes first."""
    return {pair for chain in chains.items for pair in combinations(sorted(chain[:MOST_LINKED]), 2)}


def _links(chains: Chains) -> set[tuple[str, str]]:
    return {("link", f"{one}\t{other}") for one, other in _pairs(chains)}


def _read_list(text: str, example: Example) -> list[tuple[str, ...]]:
    if not text.strip():
        raise Unparsable("the answer is empty", where=example.id, expected="chains, or the word for none")
    lines = [
        line for line in text.strip().split("\n") if line.strip() and line.strip(" .。") != words(example.lang).none
    ]
    return [tuple(map(listing.unescape, items)) for line in lines if (items := listing.split(line))]


def _read_json(text: str, example: Example) -> list[tuple[str, ...]]:
    value = json_answer.read(text, example.lang)
    chains = list(value.values()) if isinstance(value, dict) else value
    if chains and not all(isinstance(chain, list) for chain in chains):
        raise Unparsable("a chain is no array of texts", where=example.id, got=json_answer.shown(chains))
    return [found for chain in cast("list[list[Any]]", chains) if (found := tuple(json_answer.texts(chain)))]
