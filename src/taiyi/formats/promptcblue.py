"""PromptCBLUE's JSON lines: prompts already written out from CBLUE's corpora, and the answers that they ask for.

They are read as what they are, questions, or back into what they were made of: sentences with entities, or with triples
of them (Zhu et al., arXiv:2310.14151). Answers name entities without their places, each as often as it is one; of the
places where a name stands those within a longer name count last. A prompt asks for the types that its sentence has and
some that it has not, so that nothing of a sentence is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from taiyi.formats import checked, json_lines
from taiyi.schema import Argument, Concept, Document, Entity, Lang, Question, Record, Reject, Relation, Span, Split

ANOTHER = "a prompt or an answer in other words"
UNNAMED = "what the answer names is not in the text"
_ENTITY_PROMPTS = (
    "(?P<text>.+)\n问题：句子中的.+实体是什么？\n答：",
    "给出句子中的实体：\n(?P<text>.+)\n医学实体选项：.+\n答：",
    "实体抽取：\n(?P<text>.+)\n选项：.+",
    "(?P<text>.+)\n这个句子里面实体有哪些？\n实体选项：.+\n答：",
)
_TRIPLE_PROMPTS = (
    "找出指定的三元组：\n(?P<text>.+)\n实体间关系：.*",
    "根据给定的实体间的关系，抽取具有这些关系的实体对：\n(?P<text>.+)\n实体间关系标签：.*\n答：",
    "给出句子中的[^：]*关系类型的实体对：(?P<text>.+)",
    "(?P<text>.+)\n这个句子里面具有一定医学关系的实体组有哪些？\n三元组关系选项：.*\n答：",
)
_ENTITIES_BEGIN = "上述句子中的实体包含：\n"
_NAMED = re.compile("(?P<type>.+?)实体：(?P<names>.*)")
_RELATED = re.compile("具有(?P<type>.+?)关系的头尾实体对如下：(?P<pairs>.*)")
_NONE = "没有指定类型的三元组"
_PAIR = re.compile("头实体为(.+?)，尾实体为(.+?)。(?=头实体为|$)")


class Ends(NamedTuple):
    """The types of what a relation joins."""

    head: str
    tail: str


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"input", "target", "task_dataset", ...}` as questions without context.

    The options of a choice stand in the prompt itself. `sample_id` repeats within and between files, so ids are
    `file.position`. An empty target is rejected.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        prompt, target = item.get("input"), item.get("target")
        if not isinstance(prompt, str) or not isinstance(target, str):
            yield Reject(where=where, reason=checked.MALFORMED, detail="input and target were expected")
            continue
        if not target.strip():
            yield Reject(where=where, reason="no answer", detail=checked.shown(item.get("sample_id")))
            continue
        yield checked.record(
            Question,
            where,
            id=f"{path.stem}.{index}",
            corpus=corpus,
            split=split,
            lang=lang,
            kind="simple",
            question=prompt,
            answers=(target,),
        )


def read_entities(
    path: Path, *, corpus: str, split: Split, lang: Lang, types: Mapping[str, str]
) -> Iterator[Record | Reject]:
    """Read prompts that ask for entities as documents; `types` are those of the corpus by the words of the prompts."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text = _text(item, _ENTITY_PROMPTS)
        found = None if text is None else _names(str(item.get("target")), types)
        if text is None or found is None:
            yield Reject(where=where, reason=ANOTHER, detail=checked.shown(item))
            continue
        entities: list[Entity] = []
        places = _places(text, [name for _, name in found])
        for (type, name), times in Counter(found).items():
            if len(places[name]) < times:
                yield Reject(where=where, reason=UNNAMED, detail=checked.shown((type, name, times)))
            # In the order of the text, where it is there more often than it is meant.
            entities += _entities(sorted(places[name][:times]), type, text, len(entities))
        yield checked.record(
            Document, where, id=f"{path.stem}.{index}", corpus=corpus, split=split, lang=lang, text=text,
            entities=tuple(entities),
        )  # fmt: skip


def read_triples(
    path: Path, *, corpus: str, split: Split, lang: Lang, ends: Mapping[str, Ends]
) -> Iterator[Record | Reject]:
    """Read prompts that ask for triples as documents, prompts about one text as one document.

    Entities are what the triples join, wherever they stand, but within longer ones only where they stand nowhere else;
    all mentions of a name are one concept. `ends` are the types that relations join.
    """
    triples: dict[str, dict[tuple[str, str, str], None]] = {}
    first: dict[str, tuple[int, str]] = {}
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text = _text(item, _TRIPLE_PROMPTS)
        found = None if text is None else _triples(str(item.get("target")))
        if text is None or found is None:
            yield Reject(where=where, reason=ANOTHER, detail=checked.shown(item))
            continue
        first.setdefault(text, (index, where))
        for triple in found:
            if triple[1] not in ends:
                yield Reject(where=where, reason="undeclared type", detail=checked.shown(triple))
            elif triple[0] not in text or triple[2] not in text:
                yield Reject(where=where, reason=UNNAMED, detail=checked.shown(triple))
            else:
                triples.setdefault(text, {})[triple] = None
    for text, (index, where) in first.items():
        named = dict.fromkeys(
            one
            for head, relation, tail in triples.get(text, ())
            for one in ((ends[relation].head, head), (ends[relation].tail, tail))
        )
        places = _places(text, [name for _, name in named])
        entities: list[Entity] = []
        for type, name in named:
            alone = [span for span in places[name] if not _nested(span, places)] or places[name]
            entities += _entities(sorted(alone), type, text, len(entities), concept=True)
        relations = tuple(
            Relation(
                id=f"R{number}",
                type=relation,
                arguments=(
                    Argument(role="subject", kind="concept", ref=_concept(ends[relation].head, head)),
                    Argument(role="object", kind="concept", ref=_concept(ends[relation].tail, tail)),
                ),
            )
            for number, (head, relation, tail) in enumerate(triples.get(text, ()), 1)
        )
        yield checked.record(
            Document, where, id=f"{path.stem}.{index}", corpus=corpus, split=split, lang=lang, text=text,
            entities=tuple(entities), relations=relations,
        )  # fmt: skip


def _text(item: Mapping[str, Any], shapes: tuple[str, ...]) -> str | None:
    """Return the text that a prompt asks about; None of another prompt."""
    prompt = item.get("input")
    matches = (re.fullmatch(shape, prompt, re.DOTALL) for shape in shapes) if isinstance(prompt, str) else ()
    return next((match["text"] for match in matches if match), None)


def _names(answer: str, types: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """Return the entities that an answer names, as type and name; None of another answer."""
    if not answer.startswith(_ENTITIES_BEGIN):
        return None
    lines = [_NAMED.fullmatch(line) for line in answer.removeprefix(_ENTITIES_BEGIN).splitlines()]
    if not all(line and line["type"] in types for line in lines):
        return None
    return [(types[line["type"]], name) for line in lines if line for name in line["names"].split("，") if name]


def _triples(answer: str) -> list[tuple[str, str, str]] | None:
    """Return the triples of an answer, as head, relation and tail; None of another answer."""
    found: list[tuple[str, str, str]] = []
    for line in filter(None, answer.splitlines() if answer != _NONE else ()):
        match = _RELATED.fullmatch(line)
        if match is None or _PAIR.sub("", match["pairs"]):
            return None
        found += ((head, match["type"], tail) for head, tail in _PAIR.findall(match["pairs"]))
    return found


def _places(text: str, names: list[str]) -> dict[str, list[Span]]:
    """Return where each name stands in a text, places within a longer name last."""
    found = {name: [Span(m.start(), m.end()) for m in re.finditer(re.escape(name), text)] for name in names}
    return {name: sorted(spans, key=lambda span: (_nested(span, found), span)) for name, spans in found.items()}


def _nested(span: Span, places: Mapping[str, list[Span]]) -> bool:
    longer = (other for spans in places.values() for other in spans if other != span)
    return any(other.start <= span.start and span.end <= other.end for other in longer)


def _entities(spans: list[Span], type: str, text: str, before: int, *, concept: bool = False) -> Iterator[Entity]:
    for number, span in enumerate(spans, before + 1):
        name = text[span.start : span.end]
        concepts = (Concept(db="name", id=_concept(type, name)),) if concept else ()
        yield Entity(id=f"T{number}", type=type, text=name, spans=(span,), concepts=concepts)


def _concept(type: str, name: str) -> str:
    return f"{type}/{name}"
