"""How often the check of terms flags real questions, how many made-up terms it sees, and how long it takes.

Run: python benchmarks/terms.py rates [--corpora DIR] [--index FILE] [--questions N] [--seed N] [--tune] [--show N]
     python benchmarks/terms.py scale [--names 1000000] [--seed N]

`rates` builds one terminology of all corpora under DIR but those that questions are taken from, and those that share
texts with them (HELD_OUT): no name or word is known for having been seen in the questions. It then asks

- real questions: each flag counts as a false alarm, whatever it stands for;
- made-up terms: a class stem of pharmacology or pathology after random syllables (`stem`), and a known name of which
  the beginning was replaced by that of another (`swap`), in a question; none is in the terminology;
- misspelt names: one letter or character of a known name left out, added, replaced or swapped with the next.

Constants were chosen with --tune, which asks the corpora of TUNE; the others are those to report. --index is where the
terminology is kept; one that is there is taken as it is. `scale` builds one of generated names and times questions.
"""

from __future__ import annotations

import argparse
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from taiyi import catalogue
from taiyi.knowledge.terms import forms
from taiyi.knowledge.terms.build import build
from taiyi.knowledge.terms.checking import Terms
from taiyi.knowledge.terms.corpora import Material, add_text, gather
from taiyi.knowledge.terms.name import Name
from taiyi.schema import Dialogue, Labelled, Pair, Question, Record, Reject, TextToText

TUNE = ("mqp", "medmcqa", "cmid", "med_qa_mainland")
REPORT = (
    "pubmed_qa", "med_qa_us", "medication_qa", "liveqa", "mediqa_rqe", "meqsum",
    "kuake_qic", "kuake_qqr", "covid_similarity", "chinese_medical_dialogue_sample",
)  # fmt: skip
# promptcblue_subset has tasks of CBLUE, among them those of the two corpora of queries.
HELD_OUT = (*TUNE, *REPORT, "promptcblue_subset")
LONGEST = 2000
ASKED = {"en": "What are the side effects and uses of {}?", "zh": "请介绍一下{}的作用和副作用。"}
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprtvz" for vowel in "aeo"]
STEMS = {
    "en": "cycline cyclines statin mab pril olol sartan azole floxacin cillin prazole gliptin tidine dipine itis emia "
    "osis opathy carcinoma",
    "zh": "环素 他汀 沙星 西林 普利 洛尔 沙坦 地平 霉素 单抗 替尼 拉唑 综合征 炎 病 癌",
}
STARTS = "八九丁戊卡罗波兰莫达维塔佐纳雷瑞普伦赛乌佩多"


def questions(record: Record) -> tuple[str, ...]:
    """Return what a record asks."""
    match record:
        case Question():
            return (record.question,)
        case Pair():
            return (record.first, record.second)
        case Labelled():
            return (record.text,)
        case TextToText():
            return (record.source,)
        case Dialogue():
            return tuple(turn.text for turn in record.turns if turn.role == "user")[:1]
        case _:
            return ()


def sample(name: str, root: Path, most: int, seed: int) -> list[str]:
    """Return different questions of a corpus, drawn by the seed."""
    corpus = catalogue.get(name)
    found: dict[str, None] = {}
    for split in corpus.splits:
        if corpus.layout(split, root):
            for record in catalogue.load(corpus, split, root):
                if not isinstance(record, Reject):
                    found |= dict.fromkeys(text[:LONGEST] for text in questions(record) if text.strip())
    texts = sorted(found)
    return random.Random(seed).sample(texts, min(most, len(texts)))


def terminology(path: Path, root: Path) -> None:
    """Build a terminology of all corpora that are not held out."""
    wanted = [c for c in catalogue.all_corpora() if not c.bundled and c.name not in HELD_OUT]
    wanted = [c for c in wanted if any(c.layout(split, root) for split in c.splits)]
    whole = Material()
    for corpus in wanted:
        whole.add(gather(corpus, root))
    build(path, whole, corpora=[corpus.name for corpus in wanted])


def made_up(terms: Terms, names: list[tuple[str, str, int]], lang: str, kind: str, chance: random.Random) -> str:
    """Return a term that the terminology does not have."""
    own = [name for name, name_lang, _ in names if name_lang == lang]
    while True:
        if kind == "stem":
            start = (
                "".join(chance.choices(SYLLABLES, k=chance.randint(1, 3)))
                if lang == "en"
                else "".join(chance.choices(STARTS, k=chance.randint(1, 2)))
            )
            term = start + chance.choice(STEMS[lang].split())
        else:
            one, other = chance.choice(own), chance.choice(own)
            if lang == "en":
                cut = chance.randint(2, len(one) - 4)
                term = other[: chance.randint(2, 5)] + one[cut:]
            else:
                cut = chance.randint(1, max(1, len(one) - 2))
                term = other[:cut] + one[cut:]
        key = forms.key(term)
        if len(term) > 5 * (lang == "en") and not terms.index.known([key]) and key not in terms.index.units([key]):
            return term


def misspelt(terms: Terms, names: list[tuple[str, str, int]], lang: str, chance: random.Random) -> str:
    """Return a known name with one slip."""
    own = [name for name, name_lang, count in names if name_lang == lang and count > 1 and len(name) > 3]
    letters = "abcdefghijklmnopqrstuvwxyz" if lang == "en" else "".join(own)
    while True:
        name = chance.choice(own)
        at = chance.randrange(1, len(name) - 1)
        new = chance.choice(letters)
        term = chance.choice(
            (name[:at] + name[at + 1 :], name[:at] + new + name[at:], name[:at] + new + name[at + 1 :],
             name[:at] + name[at + 1] + name[at] + name[at + 2 :])
        )  # fmt: skip
        key = forms.key(term)
        if not terms.index.known([key]) and key not in terms.index.units([key]):
            return term


def candidates(path: Path) -> list[tuple[str, str, int]]:
    """Return names of drugs and diseases of one word, or of three to eight Han characters, with language and count."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute(
            "SELECT lower(name), lang, sum(count) FROM names WHERE kind != 'other' GROUP BY 1, 2"
        ).fetchall()
    found: list[tuple[str, str, int]] = []
    for text, lang, count in rows:
        right = 8 <= len(text) <= 20 and text.isascii() and text.isalpha()
        if lang == "zh":
            right = 3 <= len(text) <= 8 and all(map(forms.HAN.match, text))
        if right:
            found.append((text, lang, count))
    return sorted(found)


def rates(root: Path, index: Path | None, most: int, seed: int, tune: bool, show: int) -> None:
    """Print the tables of false alarms and of what is seen."""
    with tempfile.TemporaryDirectory() as folder:
        path = index or Path(folder) / "rates.terms"
        if not path.exists():
            terminology(path, root)
        terms = Terms.open(path)
        made = terms.manifest
        print(
            f"{sum(made.names.values()):,} names and {made.num_records:,} texts of {len(made.corpora)} corpora, "
            f"{path.stat().st_size / 1e6:.0f} MB\n"
        )
        print("| Corpus | Questions | Flagged | misspelling | unknown | ms, median | ms, 95% |")
        print("| --- | --: | --: | --: | --: | --: | --: |")
        for name in TUNE if tune else REPORT:
            alarms(terms, name, sample(name, root, most, seed), random.Random(seed), show)
        names = candidates(path)
        print("\n| Language | Made | Terms | Flagged | as misspelling | as unknown | whole span |")
        print("| --- | --- | --: | --: | --: | --: | --: |")
        for lang in ("en", "zh"):
            for kind in ("stem", "swap", "slip"):
                detection(terms, names, lang, kind, random.Random(f"{seed} {tune}"), min(most, 500), show)
        terms.close()


def alarms(terms: Terms, name: str, asked: list[str], chance: random.Random, show: int) -> None:
    """Print how many questions of a corpus have a flag."""
    kinds: Counter[str] = Counter()
    times: list[float] = []
    flagged: list[str] = []
    for text in asked:
        begun = time.process_time()
        found = terms.check(text)
        times.append(1000 * (time.process_time() - begun))
        kinds["any"] += bool(found)
        kinds.update({flag.kind for flag in found})
        flagged += [f"{flag.text} ({flag.kind}: {flag.nearest[0].name} {flag.ending})" for flag in found]
    part = {kind: f"{100 * kinds[kind] / len(asked):.1f}%" for kind in ("any", "misspelling", "unknown")}
    late = statistics.quantiles(times, n=20)[-1]
    print(
        f"| {name} | {len(asked):,} | {part['any']} | {part['misspelling']} | {part['unknown']} "
        f"| {statistics.median(times):.1f} | {late:.1f} |",
        flush=True,
    )
    for line in chance.sample(flagged, min(show, len(flagged))):
        print("   ", line)


def detection(
    terms: Terms, names: list[tuple[str, str, int]], lang: str, kind: str, chance: random.Random, num: int, show: int
) -> None:
    """Print how many made-up terms or misspelt names are flagged, and as what."""
    seen: Counter[str] = Counter()
    missed: list[str] = []
    for _ in range(num):
        term = misspelt(terms, names, lang, chance) if kind == "slip" else made_up(terms, names, lang, kind, chance)
        text = ASKED[lang].format(term)
        start = ASKED[lang].index("{")
        over = [f for f in terms.check(text) if f.span.start < start + len(term) and f.span.end > start]
        seen["any"] += bool(over)
        seen.update({flag.kind for flag in over})
        seen["whole"] += any(flag.text == term for flag in over)
        if not over:
            missed.append(term)
    part = {key: f"{100 * seen[key] / num:.1f}%" for key in ("any", "misspelling", "unknown", "whole")}
    print(f"| {lang} | {kind} | {num} | {part['any']} | {part['misspelling']} | {part['unknown']} | {part['whole']} |")
    if show:
        print("    missed:", ", ".join(missed[:show]))


def generated(num: int, chance: random.Random) -> Iterator[Name]:
    """Yield names of random syllables in the shapes of chemical and disease names, one in five in Chinese."""
    parts = [a + b for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "yl", "en", "or")]
    ends = [
        "cycline",
        "statin",
        "mab",
        "pril",
        "olol",
        "azole",
        "ine",
        "ate",
        "one",
        "amide",
        "itis",
        "emia",
        "osis",
        "oma",
    ]
    heads = ["acid", "disease", "syndrome", "hydrochloride", "deficiency", "tumor", "sulfate", "infection"]
    han = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
    for index in range(num):
        if index % 5 == 0:
            name = "".join(chance.choices(han, k=chance.randint(2, 7))) + chance.choice(("素", "他汀", "病", "综合征"))
            yield Name(name=name, lang="zh", kind="disease", type="t", source="generated", concept=f"G:{index}")
            continue
        name = "".join(chance.choices(parts, k=chance.randint(2, 4))) + chance.choice(ends)
        if index % 2:
            name += f" {chance.choice(heads)}"
        yield Name(name=name, lang="en", kind="drug", type="t", source="generated", concept=f"G:{index}")


def scale(num: int, seed: int) -> None:
    """Print what a terminology of generated names takes: to build, on disk, to open and to ask."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scale.terms"
        begun = time.process_time()
        # The words of the questions are known, as those of any corpus would be.
        words = Material(num_records=2)
        for text in (*ASKED.values(), *ASKED.values()):
            add_text(words, text)
        build(path, words, generated(num, random.Random(seed)))
        built = time.process_time() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{num:,} names: built in {built:.0f} s of CPU, {memory:.0f} MB at most; {path.stat().st_size / 1e6:.0f} MB"
        )
        begun = time.process_time()
        terms = Terms.open(path)
        terms.check("Please introduce the octacyclines among antibiotics")
        print(f"opened and first question: {1000 * (time.process_time() - begun):.1f} ms")
        for lang, ends in (("en", ["cycline", "statin"]), ("zh", ["他汀", "综合征"])):
            times: list[float] = []
            for _ in range(300):
                start = "".join(chance.choices(SYLLABLES if lang == "en" else STARTS, k=3))
                text = ASKED[lang].format(start + chance.choice(ends))
                begun = time.process_time()
                terms.check(text)
                times.append(1000 * (time.process_time() - begun))
            late = statistics.quantiles(times, n=20)[-1]
            print(f"{lang}, one unknown term: median {statistics.median(times):.1f} ms, 95% {late:.1f} ms of CPU")
        terms.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rates", "scale"))
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--names", type=int, default=1_000_000)
    given = parser.parse_args()
    if given.what == "scale":
        scale(given.names, given.seed)
    else:
        root = catalogue.corpora_dir(given.corpora)
        rates(root, given.index, given.questions, given.seed, given.tune, given.show)


if __name__ == "__main__":
    main()
