"""How events are written and read: a numbered event a line, or an object of JSON each.

Types and roles stand under the names that the prompt shows. Corpora number the roles that several arguments fill
(`Theme2`): a number stays after the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import regex

from taiyi.errors import Unparsable
from taiyi.schema import Example, Filler, Happening, Lang, Shown
from taiyi.tasks import fields, grammars, json_answer, listing
from taiyi.templates import words

_BAR = " | "
_SEVERAL = regex.compile(r"(?<=(?<!\\)(?:\\\\)*)[|｜]")
_BARS = regex.compile(r"[|｜]")
_MARKS = regex.compile(r"[\\|｜]")
_NUMBER = regex.compile(r"\s*(\d{1,9})\s*[.、．)]\s*")
_REFERENCE = regex.compile(r"#\s*(\d{1,9})")
_LIKE_REFERENCE = regex.compile(r"#\s*\d")
# Of numbers, and of roles without names, in grammars.
_ANY_NUMBER = "/[1-9][0-9]{0,2}/"
_ANY_ROLE = r"/[^\s:：|｜\\](?:(?:[^:：|｜\\\n]|\\.)*[^\s:：|｜\\])?/"
_NUMBERED = regex.compile(r"(.*?)(\d+)", regex.DOTALL)


class _Draft(NamedTuple):
    """An event as it is read, before numbers are places; its fillers are role, text and number."""

    number: int
    type: str
    trigger: str
    fillers: list[tuple[str, str, int | None]]


def write(events: Sequence[Happening], form: str, lang: Lang, types: Sequence[Shown], roles: Sequence[Shown]) -> str:
    """Write events in a form of answer, with the names of types and roles as they are shown."""
    kinds, fillings = {t.name: t.shown for t in types}, {r.name: r.shown for r in roles}
    if form == "json":
        return json_answer.write([_object(event, n, kinds, fillings) for n, event in enumerate(events, start=1)])
    colon = words(lang).colon
    lines = (_line(event, n, kinds, fillings, colon) for n, event in enumerate(events, start=1))
    return "\n".join(lines) or words(lang).none


def read(text: str, example: Example) -> list[Happening]:
    """Return the events that a model wrote.

    Raises:
        Unparsable: it wrote something else.
    """
    drafts = (_read_json if example.form == "json" else _read_list)(text, example)
    types, roles = ({s.shown: s.name for s in reversed(shown)} for shown in (example.types, example.roles))
    places: dict[int, int] = {}
    for place, draft in enumerate(drafts):
        places.setdefault(draft.number, place)
    found: list[Happening] = []
    for draft in drafts:
        fillers: dict[Filler, None] = {}
        for role, text, number in draft.fillers:
            # A number that no event has is a text.
            place = None if number is None else places.get(number)
            said = text if place is None else drafts[place].trigger
            fillers[Filler(role=_renamed(role, roles), text=said, event=place)] = None
        type = types.get(draft.type, draft.type)
        found.append(Happening(type=type, trigger=draft.trigger, fillers=tuple(fillers)))
    return found


def grammar(example: Example) -> str:
    """Return the grammar of events; what fills a role is a mention of the source, the number of an event, or one of the
    role's values. Roles that have no names go by any."""
    if example.source is None or not example.types:
        return ""
    types = [t.shown for t in example.types]
    open_roles = [role.shown for role in example.roles if not role.values]
    filled = [(role.shown, value) for role in example.roles for value in role.values]
    if example.form == "json":
        said = [f'{grammars.in_json(role)}, "text": {grammars.in_json(value)}' for role, value in filled]
        named = f'{grammars.either(grammars.in_json(role)[:-1] for role in open_roles)} /[0-9]*"/'
        return grammars.grammar(
            grammars.array("EVENT"),
            EVENT='"{\\"id\\": " NUMBER ", \\"type\\": " TYPE TRIGGER? ", \\"arguments\\": " ARGUMENTS "}"',
            TYPE=grammars.either(map(grammars.in_json, types)),
            TRIGGER='", \\"trigger\\": " MENTION',
            ARGUMENTS=grammars.array("ARGUMENT"),
            ARGUMENT=f'"{{\\"role\\": " (ROLE (TEXT | NUMBERED){_or(said)}) "}}"',
            ROLE=named if open_roles else grammars.STRING,
            TEXT='", \\"text\\": " MENTION',
            NUMBERED='", \\"event\\": " NUMBER',
            NUMBER=_ANY_NUMBER,
            **grammars.quoted_mentions(example.source_text),
        )
    colon = words(example.lang).colon
    said = [_name(role) + colon + _escape(value) for role, value in filled]
    named = f"{grammars.either(map(_name, open_roles))} /[0-9]*/"
    # A mention that reads like the number of an event is marked.
    marked = r' | "\\" MENTION' if _LIKE_REFERENCE.search(example.source_text) else ""
    return grammars.grammar(
        grammars.several("EVENT", "\n", or_none=example.lang),
        EVENT=f'NUMBER ". " TYPE ({grammars.literal(colon)} MENTION)? ({grammars.literal(_BAR)} ARGUMENT)*',
        TYPE=grammars.either(map(_name, types)),
        ARGUMENT=f'ROLE {grammars.literal(colon)} (MENTION | "#" NUMBER{marked}){_or(said)}',
        ROLE=named if open_roles else _ANY_ROLE,
        NUMBER=_ANY_NUMBER,
        **grammars.mentions(example.source_text, _escape),
    )


def _or(texts: Sequence[str]) -> str:
    return f" | {grammars.either(texts)}" if texts else ""


def _renamed(role: str, names: Mapping[str, str]) -> str:
    """Return what a role is called, that of its name without a number where the role itself has no name."""
    numbered = _NUMBERED.fullmatch(role)
    if role in names or numbered is None or numbered[1] not in names:
        return names.get(role, role)
    return names[numbered[1]] + numbered[2]


# --- how events are written ------------------------------------------------------------------------------------------


def _line(event: Happening, number: int, types: Mapping[str, str], roles: Mapping[str, str], colon: str) -> str:
    parts = [_name(types[event.type]) + (colon + _escape(event.trigger) if event.trigger else "")]
    for filler in event.fillers:
        text = _escape(filler.text) if filler.event is None else f"#{filler.event + 1}"
        if filler.event is None and _REFERENCE.match(text):
            text = "\\" + text
        parts.append(_name(_renamed(filler.role, roles)) + colon + text)
    return f"{number}. " + _BAR.join(parts)


def _name(name: str) -> str:
    return _BARS.sub(lambda match: "\\" + match[0], fields.escape_name(name))


def _escape(text: str) -> str:
    return _MARKS.sub(lambda match: "\\" + match[0], text).replace("\n", "\\n")


def _object(event: Happening, number: int, types: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, Any]:
    arguments = [
        {"role": _renamed(f.role, roles), **({"text": f.text} if f.event is None else {"event": f.event + 1})}
        for f in event.fillers
    ]
    trigger = {"trigger": event.trigger} if event.trigger else {}
    return {"id": number, "type": types[event.type], **trigger, "arguments": arguments}


# --- and read --------------------------------------------------------------------------------------------------------


def _read_list(text: str, example: Example) -> list[_Draft]:
    if not text.strip():
        raise Unparsable("the answer is empty", where=example.id, expected="events, or the word for none")
    found: list[_Draft] = []
    for line in text.strip().split("\n"):
        if not line.strip() or line.strip(" .。") == words(example.lang).none:
            continue
        number = _NUMBER.match(line)
        head, *rest = _SEVERAL.split(line[number.end() if number else 0 :])
        type, trigger = fields.split_name(head) or (listing.unescape(head.strip()), "")
        fillers: list[tuple[str, str, int | None]] = []
        for part in rest:
            pair = fields.split_name(part)
            if pair is None:
                raise Unparsable("an argument names no role", got=repr(part[:60]), expected="role: text")
            reference = _REFERENCE.fullmatch(pair[1])
            fillers.append((pair[0], listing.unescape(pair[1]), int(reference[1]) if reference else None))
        place = int(number[1]) if number else len(found) + 1
        found.append(_Draft(place, type, listing.unescape(trigger), fillers))
    return found


def _read_json(text: str, example: Example) -> list[_Draft]:
    found: list[_Draft] = []
    for row in json_answer.rows(json_answer.read(text, example.lang)):
        type = json_answer.text_of(row, "type")
        trigger = json_answer.text_of(row, "trigger") if row.get("trigger") is not None else ""
        arguments: Any = row.get("arguments", [])
        if not isinstance(arguments, list):
            raise Unparsable("arguments are no array", got=json_answer.shown(arguments))
        fillers: list[tuple[str, str, int | None]] = []
        for argument in json_answer.rows(cast("list[Any]", arguments)):
            place = argument.get("event")
            if isinstance(place, int):
                fillers.append((json_answer.text_of(argument, "role"), f"#{place}", place))
            else:
                fillers.append((json_answer.text_of(argument, "role"), json_answer.text_of(argument, "text"), None))
        number = row.get("id")
        place = number if isinstance(number, int) else len(found) + 1
        found.append(_Draft(place, type, trigger, fillers))
    return found
