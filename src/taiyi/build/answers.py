"""What records answer to a task, so that the answers of records of equal texts can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
import xxhash

from taiyi import tasks
from taiyi.build.queries import Types, fixed
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.schema import Choice, Example, FreeText, Labels, Lang, Record, Reject
from taiyi.tasks import Task, Whole
from taiyi.templates import Template
from taiyi.text import normalise

# Names, not pieces of the text: "A+" and "A-" are two labels.
_NAMES = frozenset({"type", "role", "concept", "answer"})
_LONGEST = 64


class Answers:
    """Makes the answers of the records of a corpus to a task, without what differs where texts are equal.

    Texts are equal whatever their case, width, spacing and punctuation, and so are pieces of them. Ids, offsets, the
    order of items and the letters of options say nothing.
    """

    def __init__(self, task: Task, corpus: Corpus, merge_types: Mapping[str, str]) -> None:
        # What is asked about one pair after another is answered by the relations of the document.
        self._task = task if isinstance(task, Whole) else tasks.get(tasks.listed_as(task.name))
        self._corpus = corpus
        self._selection = Selection(corpus=corpus.name, task=self._task.name, merge_types=dict(merge_types))
        self._asked: dict[Lang, tuple[Types, Template]] = {}

    def of(self, record: Record) -> str:
        """Return the answer as text, or its hash where it is long; empty where there is none."""
        if record.lang not in self._asked:
            (types, *_) = fixed(self._task, self._corpus, self._selection, record.lang)
            self._asked[record.lang] = types, tasks.load_templates(self._task, record.lang)[0]
        types, template = self._asked[record.lang]
        made = self._task.render(record, template, form=self._task.forms[0], types=types)
        if isinstance(made, Reject):
            return ""
        answer = _bytes(_comparable(made))
        return answer.decode() if len(answer) <= _LONGEST else xxhash.xxh3_128_hexdigest(answer)


def _comparable(example: Example) -> Any:
    gold = example.gold
    match gold:
        case FreeText():
            return gold.text
        case Labels():
            return sorted(gold.items)
        case Choice():
            texts = {shown.name: shown.shown for shown in example.types}
            return _plain(texts.get(gold.key, gold.key))
        case _:
            found = cast("dict[str, Any]", _plain(msgspec.to_builtins(gold)))
            return sorted(found["items"], key=_bytes) if "items" in found else found


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        return value if name in _NAMES else normalise(value) or value
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _plain(field, key) for key, field in fields.items() if key != "span"}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in cast("Sequence[Any]", value)]
    return value


def _bytes(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")
