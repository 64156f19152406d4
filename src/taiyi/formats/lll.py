"""LLL: sentences with words, agents, targets and genic interactions, as lines of a key and terms.

Nédellec. Learning Language in Logic: Genic Interaction Extraction Challenge. LLL, 2005. An item is a block of lines
`key<TAB>value...` before a blank line; `%` opens a comment. `words` are `word(index,'text',start,end)`, the end counted
in; `agents` and `targets` name words, and `genic_interactions` pairs of them. Lemmas and syntactic relations, of which
the test data has more, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Argument, Document, Entity, Lang, Record, Reject, Relation, Split

BAD_TERM = "malformed term"
DANGLING = "interaction of a word that is neither agent nor target"
REPEATED = "repeated sentence"
_WORD = re.compile(r"word\(([0-9]{1,18}),'(.*)',([0-9]{1,18}),([0-9]{1,18})\)")
_PMID = re.compile(r"([0-9]{1,18})-[0-9]+")
_KEYS = frozenset(
    ("ID", "sentence", "words", "lemmas", "syntactic_relations", "agents", "targets", "genic_interactions")
)
_Block = dict[str, tuple[int, str]]


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, entity_type: str, relation_type: str
) -> Iterator[Record | Reject]:
    """Read sentences; agents and targets are entities with the attribute `role`, named after their word.

    Args:
        entity_type: the type of agents and targets.
        relation_type: the type of the interactions.

    Raises:
        FormatError: the file is not UTF-8, or holds no sentence.
    """
    seen: set[str] = set()
    for block, rejects in _blocks(path):
        yield from rejects
        if not block:
            continue
        number, key = block["ID"]
        where = f"{path.name}:{number}"
        key = key.strip()
        if not key or "sentence" not in block or "words" not in block:
            yield Reject(
                where=where, reason=checked.MALFORMED, detail=f"{checked.shown(key)} has no sentence or no words"
            )
            continue
        if key in seen:
            yield Reject(where=where, reason=REPEATED, detail=f"{key}; the first is kept")
            continue
        seen.add(key)
        text = block["sentence"][1]
        entities, faults = _entities(path, block, text, entity_type)
        relations, dangling = _relations(path, block, {entity.id for entity in entities}, relation_type)
        yield from (*faults, *dangling)
        match = _PMID.fullmatch(key)
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{match[1]}",) if match else (),
            text=text,
            entities=tuple(entities),
            relations=tuple(relations),
        )
    if not seen:
        raise FormatError("the file holds no sentence", where=path, expected="ID, sentence and words, a line each")


def _blocks(path: Path) -> Iterator[tuple[_Block, list[Reject]]]:
    block: _Block = {}
    rejects: list[Reject] = []
    for number, line in lines.numbered(path):
        key, tab, value = line.partition("\t")
        # A block begins at its ID too: not every one has a blank line before it.
        if block and (not line.strip() or key == "ID"):
            yield block, rejects
            block, rejects = {}, []
        if not line.strip() or line.startswith("%"):
            continue
        if not tab or key not in _KEYS or key in block or (key != "ID" and not block):
            rejects.append(Reject(where=f"{path.name}:{number}", reason=checked.MALFORMED, detail=checked.shown(line)))
            continue
        block[key] = (number, value)
    yield block, rejects


def _terms(block: _Block, key: str) -> list[str]:
    return [term.strip() for term in block[key][1].split("\t") if term.strip()] if key in block else []


def _entities(path: Path, block: _Block, text: str, type: str) -> tuple[list[Entity], list[Reject]]:
    words: dict[str, re.Match[str]] = {}
    rejects: list[Reject] = []

    def reject(key: str, detail: str) -> None:
        where = f"{path.name}:{block[key][0]}"
        rejects.append(Reject(where=where, reason=BAD_TERM, detail=checked.shown(detail)))

    for term in _terms(block, "words"):
        if match := _WORD.fullmatch(term):
            words[match[1]] = match
        else:
            reject("words", term)
    roles: dict[str, list[str]] = {}
    for key, role in (("agents", "agent"), ("targets", "target")):
        for term in _terms(block, key):
            match = re.fullmatch(rf"{role}\(([0-9]{{1,18}})\)", term)
            if match and match[1] in words and role not in roles.get(match[1], []):
                roles.setdefault(match[1], []).append(role)
            else:
                reject(key, term)
    entities: list[Entity] = []
    for index, both in roles.items():
        word = words[index]
        where = f"{path.name}:{block['words'][0]}"
        span = (int(word[3]), int(word[4]) + 1)
        entity, fault = checked.mention(text, span, word[2], id=f"T{index}", type=type, where=where)
        rejects += [fault] if fault else []
        if entity:
            entities.append(
                Entity(
                    id=entity.id,
                    type=type,
                    text=entity.text,
                    spans=entity.spans,
                    attributes={"role": "/".join(both)},
                )
            )
    return entities, rejects


def _relations(path: Path, block: _Block, known: set[str], type: str) -> tuple[list[Relation], list[Reject]]:
    relations: list[Relation] = []
    rejects: list[Reject] = []
    for term in _terms(block, "genic_interactions"):
        match = re.fullmatch(r"genic_interaction\(([0-9]{1,18}),\s*([0-9]{1,18})\)", term)
        where = f"{path.name}:{block['genic_interactions'][0]}"
        if not match:
            rejects.append(Reject(where=where, reason=BAD_TERM, detail=checked.shown(term)))
        elif {agent := f"T{match[1]}", target := f"T{match[2]}"} - known:
            rejects.append(Reject(where=where, reason=DANGLING, detail=checked.shown(term)))
        else:
            relations.append(
                Relation(
                    id=f"R{len(relations) + 1}",
                    type=type,
                    arguments=(
                        Argument(role="agent", kind="entity", ref=agent),
                        Argument(role="target", kind="entity", ref=target),
                    ),
                )
            )
    return relations, rejects
