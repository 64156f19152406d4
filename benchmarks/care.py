"""How often real questions are taken for emergencies: `python benchmarks/care.py --corpora DIR [--show NAME]`.

Exams and titles of studies are nobody's emergency, so that each of their questions that is flagged is a false alarm;
those of patients have to be read, which `--show` is for.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from taiyi import catalogue
from taiyi.errors import TaiyiError
from taiyi.schema import Dialogue, Labelled, Pair, Question, Record, Reject, TextToText
from taiyi.use import care

CORPORA = {
    "exams and studies": ("med_qa_us", "medmcqa", "med_qa_mainland", "pubmed_qa", "bentsao_llamadata"),
    "patients and consumers": (
        *(
            "kuake_qic",
            "cmid",
            "chinese_medical_dialogue_sample",
            "covid_similarity",
            "kuake_qqr",
            "xywy_disease_subset",
        ),
        *("mqp", "meqsum", "liveqa", "medication_qa"),
    ),
    "clinicians and consumers": ("mediqa_rqe",),
}


def asked(record: Record) -> str:
    """Return what somebody asked in a record."""
    match record:
        case Question():
            return record.question
        case Labelled():
            return record.text
        case Pair():
            return record.first
        case TextToText():
            return record.source
        case Dialogue():
            return next(turn.text for turn in record.turns if turn.role == "user")
        case _:
            raise TypeError(type(record))


def questions(name: str, root: Path) -> Iterator[str]:
    """Yield each question of a corpus once."""
    corpus = catalogue.get(name)
    known: set[str] = set()
    for split in corpus.splits:
        if corpus.layout(split, root):
            for record in catalogue.load(corpus, split, root):
                if not isinstance(record, Reject) and (text := asked(record)) not in known:
                    known.add(text)
                    yield text


def main() -> None:
    """Print a row for each corpus; or what is flagged of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--show", metavar="NAME")
    given = parser.parse_args()
    root = catalogue.corpora_dir(given.corpora)
    if given.show:
        for text in questions(given.show, root):
            if kinds := care.kinds(text):
                print(", ".join(kinds), text.replace("\n", " "), sep="\t")
        return
    for group, names in CORPORA.items():
        print(f"{group}\n| corpus | questions | flagged | of it emergency, poisoning, suicide |\n|---|--:|--:|---|")
        for name in names:
            try:
                found = [care.kinds(text) for text in questions(name, root)]
            except TaiyiError as error:
                print(f"| {name} | {error} | | |")
                continue
            flagged = sum(map(bool, found))
            counts = Counter(kind for kinds in found for kind in kinds)
            by_kind = ", ".join(str(counts[kind]) for kind in ("emergency", "poisoning", "suicide"))
            print(f"| {name} | {len(found):,} | {flagged} ({flagged / max(len(found), 1):.2%}) | {by_kind} |")


if __name__ == "__main__":
    main()
