"""What keeping answers to a grammar costs, by the length of the source, its language and the size of the vocabulary.

Run: python benchmarks/grammars.py TOKENIZER... [--lengths N...] [--english FILE] [--chinese FILE] [--json FILE]

TOKENIZER is a folder with a tokenizer, or the id of one on the hub. Texts are those of the files, or made: words of
random syllables or characters. Every sixth word is a mention of one of two types. For lists and JSON: compiling the
grammar of the answer, the mask of all tokens that may come next (before each token of the answer), and trying one
token. For tagged answers also the rules of `taiyi.grounding`, which decoding uses for them: what they take before each
token, and for a draft of 24 tokens of the source, beside the same of the grammar.

All times are CPU time of one process, in one thread.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

DRAFT = 24
LENGTHS = (100, 300, 1000, 3000, 10_000)
FORMS = (("ner", "list"), ("re", "list"), ("re", "json"), ("ner", "tagged"))
HANZI = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多"


def words_of(lang: str, length: int, chance: random.Random, text: str) -> Iterator[str]:
    """Yield the words of a text, those of Chinese as one to four characters; of a made one where none is given."""
    if text:
        words = text.split() if lang == "en" else list(_cut("".join(text.split()), chance))
    else:
        syllables = [a + b for a in "bcdfglmnprst" for b in "aeiou"]
        parts = syllables if lang == "en" else list(HANZI)
        known = ["".join(chance.choices(parts, k=chance.randint(1, 4))) for _ in range(2000)]
        marks = ",." if lang == "en" else "，。"
        words = chance.choices(known, [1 / (rank + 1) for rank in range(len(known))], k=length)
        words = [word + (chance.choice(marks) if chance.random() < 0.14 else "") for word in words]
    written = 0
    for word in words:
        if (written := written + len(word) + (lang == "en")) > length:
            return
        yield word


def _cut(text: str, chance: random.Random) -> Iterator[str]:
    while text:
        count = chance.randint(1, 4)
        yield text[:count]
        text = text[count:]


def record_of(lang: str, length: int, given: str) -> Any:
    """Return a document with mentions and relations between neighbours."""
    from taiyi.schema import Argument, Document, Entity, Relation, Span

    chance = random.Random(length)
    text, entities = "", []
    for number, word in enumerate(words_of(lang, length, chance, given)):
        space = " " if text and lang == "en" else ""
        begin = len(text) + len(space)
        text += space + word
        bare = word.rstrip(",.，。")
        if number % 6 == 3 and bare:
            kind = chance.choice(("Chemical", "Disease"))
            spans = (Span(begin, begin + len(bare)),)
            entities.append(Entity(id=f"T{len(entities)}", type=kind, text=bare, spans=spans))
    ends = [Argument(role="", kind="entity", ref=entity.id) for entity in entities]
    pairs = [(one, other) for one, other in zip(ends[::2], ends[1::2], strict=False)][:12]
    relations = tuple(Relation(id=f"R{n}", type="CID", arguments=pair) for n, pair in enumerate(pairs))
    return Document(
        id="made", corpus="made", split="test", lang=lang, text=text, entities=tuple(entities), relations=relations
    )


def example_of(record: Any, task_name: str, form: str) -> Any:
    """Return what is asked about a document."""
    from taiyi import tasks
    from taiyi.schema import Reject, Shown

    task = tasks.get(task_name)
    names = (
        (("CID", "causes"), ("T", "treats")) if task_name == "re" else (("Chemical", "drug"), ("Disease", "illness"))
    )
    types = tuple(Shown(name=name, shown=shown) for name, shown in names)
    made = task.render(record, tasks.load_templates(task, record.lang)[0], form=form, types=types)
    assert not isinstance(made, Reject), made
    return made


def took(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds that something takes, and what comes of it."""
    begin = time.process_time()
    found = work()
    return (time.process_time() - begin) * 1e3, found


def spread(times: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the 99th percentile."""
    return sum(times) / len(times), sorted(times)[int(0.99 * (len(times) - 1))]


def measure(vocabulary: Any, encoder: Any, example: Any) -> dict[str, Any]:
    """Measure the grammar of an example along its gold answer, of up to 400 tokens."""
    from taiyi import tasks

    tagged = example.tagging is not None
    written, grammar = took(lambda: tasks.grammar(example))
    found: dict[str, Any] = {"grammar_kb": len(grammar.encode()) / 1e3, "written_ms": written}
    if not grammar:
        return found | ({"ours": ours(encoder, example)} if tagged else {})
    found["compile_ms"], held = took(lambda: vocabulary.constraint(grammar))
    if held is None:
        return found
    ids = encoder.tokenizer.encode(example.answer, add_special_tokens=False)[:400]
    masks, tries, allowed = [], [], []
    for token in ids:
        spent, mask = took(lambda: vocabulary.allowed([held]))
        masks.append(spent)
        allowed.append(int(mask.sum()))
        spent, taken = took(lambda token=token: held.take(token))
        tries.append(spent)
        if not taken:
            break
    found |= dict(zip(("mask_ms", "mask_p99_ms"), spread(masks), strict=True))
    found |= {"take_us": 1e3 * sum(tries) / len(tries), "allowed": sorted(allowed)[len(allowed) // 2]}
    found["answer_tokens"] = len(tries)
    if tagged:
        copy = list(encoder.tokenizer.encode(example.tagging.source, add_special_tokens=False)[:DRAFT])
        fresh = vocabulary.constraint(grammar)
        spent, valid = took(lambda: fresh.allowed(copy))
        # The mask at each token of a draft is what decides whether the draft is left there.
        several = []
        for token in copy:
            several.append(took(lambda: vocabulary.allowed([fresh]))[0])
            fresh.take(token)
        found |= {
            "draft_ms": sum(several),
            "draft_valid": valid,
            "draft_check_ms": spent,
            "ours": ours(encoder, example),
        }
    return found


def ours(encoder: Any, example: Any) -> dict[str, float]:
    """Measure the rules of `grounding` along the copy of the source."""
    from taiyi.encoding import Encoder
    from taiyi.grounding import State

    # A fresh one has not yet encoded the source.
    fresh = Encoder(encoder.tokenizer)
    built, prompt = took(lambda: fresh.prompt(example.messages, example.tagging))
    rules = prompt.grounding

    def along(tokens: Sequence[int]) -> int:
        state, choices = State(), 0
        for token in tokens:
            choices += len(rules.allowed(state))
            state = rules.advance(state, token)
        return choices

    spent, choices = took(lambda: along(rules.source))
    draft = min(took(lambda: along(rules.source[:DRAFT]))[0] for _ in range(5))
    count = len(rules.source)
    return {"prompt_ms": built, "token_us": 1e3 * spent / count, "draft_ms": draft, "choices": choices / count}


def main() -> None:
    import torch
    from transformers import AutoTokenizer

    from taiyi.encoding import Encoder
    from taiyi.generate.constrained import Vocabulary

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--english", type=Path)
    parser.add_argument("--chinese", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    files = {"en": given.english, "zh": given.chinese}
    texts = {lang: file.read_text(encoding="utf-8") if file else "" for lang, file in files.items()}
    rows: list[dict[str, Any]] = []
    print("| tokens | language | characters | form | compile | mask | 99th percentile | a token tried | allowed |")
    print("|--:|---|--:|---|--:|--:|--:|--:|--:|")
    for name in given.tokenizers:
        tokenizer = AutoTokenizer.from_pretrained(name)
        encoder = Encoder(tokenizer)
        spent, vocabulary = took(lambda t=tokenizer: Vocabulary(t, {t.eos_token_id}, len(t)))
        rows.append({"tokenizer": name, "tokens": len(tokenizer), "vocabulary_s": spent / 1e3})
        for lang in ("en", "zh"):
            for length in given.lengths:
                record = record_of(lang, length, texts[lang])
                for task, form in FORMS:
                    row = {"tokens": len(tokenizer), "lang": lang, "chars": length, "task": task, "form": form}
                    found = measure(vocabulary, encoder, example_of(record, task, form))
                    rows.append(row | found)
                    print(_line(row | found), flush=True)
    print("\n| tokens | language | characters | grammar: compile | its masks for a draft | ours: prompt and rules "
          "| a draft | a token |\n|--:|---|--:|--:|--:|--:|--:|--:|")  # fmt: skip
    for row in rows:
        if "ours" in row:
            mine = row["ours"]
            grammar = f"{row['compile_ms']:.0f} ms | {row['draft_ms']:.2f} ms" if "draft_ms" in row else "none | "
            print(f"| {row['tokens']:,} | {row['lang']} | {row['chars']:,} | {grammar} | {mine['prompt_ms']:.1f} ms | "
                  f"{mine['draft_ms']:.3f} ms | {mine['token_us']:.1f} µs |")  # fmt: skip
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _line(row: dict[str, Any]) -> str:
    head = f"| {row['tokens']:,} | {row['lang']} | {row['chars']:,} | {row['task']} {row['form']} | "
    if "mask_ms" not in row:
        return head + "none | | | | |"
    return head + (
        f"{row['compile_ms']:.1f} ms | {row['mask_ms']:.2f} ms | {row['mask_p99_ms']:.1f} ms | "
        f"{row['take_us']:.0f} µs | {row['allowed']:,} |"
    )


if __name__ == "__main__":
    main()
