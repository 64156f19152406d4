"""Records and judgments of the i2b2 obesity challenge of 2008 (Uzuner, JAMIA 2009), which stand in files of their own.

Records: `<root><docs><doc id="1"><text>…</text></doc>…`. Judgments: `<diseaseset><diseases source="textual"><disease
name="Asthma"><doc id="1" judgment="Y"/>…`, by what the text says (textual) or what an expert concludes (intuitive).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from taiyi.errors import FormatError
from taiyi.formats import checked, xml
from taiyi.schema import Labelled, Lang, Record, Reject, Split

JUDGMENTS: Mapping[str, str] = MappingProxyType({"Y": "present", "N": "absent", "Q": "questionable"})
UNMENTIONED = "U"
NO_JUDGMENT = "record without a judgment"
_REPEATED = "second judgment of a disease"
_Judged = defaultdict[str, dict[tuple[str, str], str]]


def read(path: Path, *, corpus: str, split: Split, lang: Lang, judgments: tuple[str, ...]) -> Iterator[Record | Reject]:
    """Read the records of a file; labels are such as `textual: Asthma: present`.

    Of what is not mentioned (`U`) there is no label. Judgments of records of another file are passed over.

    Args:
        judgments: the files of judgments, in the folder of the records.

    Raises:
        FormatError: a file of judgments is not there, or one is not XML.
    """
    judged: _Judged = defaultdict(dict)
    faults: list[tuple[str, Reject]] = []
    for name in judgments:
        source = path.parent / name
        if not source.is_file():
            raise FormatError("the judgments are missing", where=source)
        faults += _judge(source, judged)
    seen: set[str] = set()
    for doc in xml.elements(path, ("doc",), root=("root",)):
        where, key = f"{path.name}:{doc.sourceline}", doc.get("id") or ""
        seen.add(key)
        given = judged.get(key)
        if not key or given is None:
            yield Reject(where=where, reason=NO_JUDGMENT, detail=f"doc {key}")
            continue
        text = doc.find("text")
        yield checked.record(
            Labelled,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            text="" if text is None else "".join(text.itertext()),
            labels=tuple(
                f"{source}: {disease}: {JUDGMENTS[judgment]}"
                for (source, disease), judgment in given.items()
                if judgment != UNMENTIONED
            ),
        )
    yield from (reject for key, reject in faults if key in seen)


def _judge(path: Path, judged: _Judged) -> Iterator[tuple[str, Reject]]:
    """Take the judgments of a file; yield what is wrong with them, by the record that they are of."""
    for group in xml.elements(path, ("diseases",)):
        source = group.get("source") or ""
        for disease in group.findall("disease"):
            name = disease.get("name") or ""
            for doc in disease.findall("doc"):
                where, key, judgment = f"{path.name}:{doc.sourceline}", doc.get("id") or "", doc.get("judgment") or ""
                detail = f"{judgment} for {name} of doc {key}, {source}"
                if judgment != UNMENTIONED and judgment not in JUDGMENTS:
                    yield key, Reject(where=where, reason=checked.MALFORMED, detail=detail)
                elif judged[key].setdefault((source, name), judgment) != judgment:
                    yield key, Reject(where=where, reason=_REPEATED, detail=f"{detail}; the first is kept")
