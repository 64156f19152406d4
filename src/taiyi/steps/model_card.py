"""The card of an exported model: what it is, what it learned from, which licences bind it, its scores, how to use it.

A model card of the Hugging Face hub: a header in YAML, which the hub reads, and a page in Markdown with the sections of
the hub's own template. Licences of corpora are those of the catalogue; what they ask is read from their names alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from taiyi import __version__, catalogue
from taiyi.build import dataset_card
from taiyi.build.dataset_card import hub_licence
from taiyi.catalogue import Corpus
from taiyi.catalogue.card import TASKS
from taiyi.evaluate import tables
from taiyi.evaluate.report import RunResult
from taiyi.metrics.measures import MEASURES

CARD = "README.md"

Term = Literal["signature", "own", "none", dataset_card.Term]


class _Meaning(NamedTuple):
    """What a term is called, and what it means for passing weights on and for using them."""

    name: str
    passing_on: str
    using: str


# The strictest first. That weights count as made of what they learned from is not settled law: the cautious reading.
_MEANINGS: dict[Term, _Meaning] = {
    "signature": _Meaning(
        "given out on signature only", "do not pass the weights on", "use them as far as those who signed may"
    ),
    "unknown": _Meaning(
        "no licence is stated",
        "nobody but the owners may allow passing the weights on",
        "nothing says what they may be used for",
    ),
    "no derivatives": _Meaning(
        "no derivatives", "do not pass the weights on, which are one", "use them for yourself alone"
    ),
    "no commerce": _Meaning(
        "no commercial use", "pass the weights on under the same condition alone", "use them for no commercial purpose"
    ),
    "share alike": _Meaning("share alike", "pass the weights on under the same licence alone", "use them freely"),
    "own": _Meaning(
        "terms of its own", "read these before the weights are passed on", "read them before the weights are used"
    ),
    "attribution": _Meaning("attribution", "pass the weights on with the names of their sources", "use them freely"),
    "none": _Meaning("nothing", "pass the weights on freely", "use them freely"),
}
_STRICTNESS = tuple(_MEANINGS)
_FREE = re.compile(r"public domain|CC0|unlicense", re.IGNORECASE)


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """What training began from.

    Attributes:
        name: how the card calls it; `scratch` for a model from nothing.
        hub: its id on the hub; empty where it has none.
        licence: as its own card states it.
        corpora: those of the catalogue that its own card names: what it learned from is inherited.
    """

    name: str
    hub: str = ""
    licence: str = "not stated"
    corpora: tuple[str, ...] = ()


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that led to the model: how it was trained, and how many examples it had of what (`corpus task split`)."""

    name: str
    settings: dict[str, Any]
    facts: dict[str, Any]
    counts: dict[str, int]
    kept: int | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that a card tells.

    Attributes:
        name: of the model.
        written: what `train.export.write_model` returns.
        stages: those that led to the model, the first first; none where nothing tells.
        base: what they began from.
        scores: the report of this very model, if it was scored.
        talks: whether it may be able to write texts of its own.
    """

    name: str
    written: dict[str, str]
    stages: tuple[Training, ...]
    base: Base
    scores: RunResult | None = None
    talks: bool = True

    @property
    def corpora(self) -> list[str]:
        """Return what it learned from, its base included, by name."""
        return sorted({key.split()[0] for stage in self.stages for key in stage.counts} | set(self.base.corpora))

    @property
    def over_four_bit(self) -> bool:
        """Whether the weights of the adapter were learned over others than it was merged into."""
        return bool(self.stages) and self.stages[-1].settings.get("method") == "qlora"


def terms(licence: str, access: str = "open") -> list[Term]:
    """Return what a licence asks for, as far as its name and its access say, the strictest first."""
    found: set[Term] = set(dataset_card.terms(licence))
    if access != "open" or re.search(r"data use agreement|\bDUA\b|credentialed", licence, re.IGNORECASE):
        found.add("signature")
    if not found:
        found.add("none" if _FREE.search(licence) else "own")
    return sorted(found, key=_STRICTNESS.index)


def model_card(facts: Facts) -> str:
    """Return the card, in Markdown with its header."""
    entries = [catalogue.get(name) for name in facts.corpora]
    return f"---\n{_header(facts, entries)}\n---\n\n{chr(10).join(_page(facts, entries)).rstrip()}\n"


def _header(facts: Facts, entries: Sequence[Corpus]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    licences = {hub_licence(entry.licence) for entry in entries}
    if facts.base.name != "scratch":
        stated = facts.base.licence
        # Cards of the hub have its own names.
        licences.add(stated if re.fullmatch(r"[a-z0-9.-]+", stated) else hub_licence(stated))
    given: dict[str, Any] = {"license": licences.pop() if len(licences) == 1 else "other"}
    if given["license"] == "other":
        given["license_name"] = "licences-of-base-and-corpora"
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type=r.corpus,
            dataset_name=r.title,
            dataset_config=r.name,
            dataset_split=r.split,
            metric_type=r.metric,
            metric_name=MEASURES[r.metric].title,
            metric_value=round(100 * r.value, 2),
        )
        for r in (facts.scores.results if facts.scores else ())
        if r.value is not None
    ]
    data = ModelCardData(
        model_name=facts.name,
        language=sorted({lang for entry in entries for lang in entry.langs}) or None,
        base_model=facts.base.hub or None,
        datasets=facts.corpora or None,
        pipeline_tag="text-generation",
        library_name="transformers",
        tags=["biomedical", "taiyi"],
        eval_results=results or None,
        **given,
    )
    return data.to_yaml()


def _page(facts: Facts, entries: Sequence[Corpus]) -> Iterator[str]:
    yield from (f"# {facts.name}", "")
    yield from _details(facts)
    yield from _licences(facts.base, entries)
    yield from _uses(facts)
    yield from _start(facts)
    yield from _training(facts)
    yield from _evaluation(facts)
    if entries:
        yield from ("## Citation", "", "What it learned from:", "")
        yield from (f"- {entry.name}: {entry.citation}" for entry in entries)


def _details(facts: Facts) -> Iterator[str]:
    written, base = facts.written, facts.base
    begun = "from nothing, with random weights" if base.name == "scratch" else f"from {base.name}"
    yield from ("## Model Details", "")
    yield f"- **Architecture:** {written['architecture']}, {written['parameters']} weights in {written['dtype']}"
    yield f"- **Begun:** {begun}"
    yield f"- **Answers end with:** `{written['end']}`"
    yield from (f"- **Made by:** Taiyi {__version__}, `taiyi export`", "")
    if facts.over_four_bit:
        yield (
            "**It learned over weights in 4 bit (QLoRA); here its adapter is merged into weights in 16 or 32 bit. They "
            "are not those that it was trained over, so its answers may differ from those that it gave in training.** "
            "Score this form before it is used: `taiyi eval OUT --suite NAME`, where OUT is this folder."
        )
        yield ""
    elif written["method"] == "adapter" and not facts.stages:
        yield (
            "Its adapter is merged in. Nothing here tells whether that was trained over weights in 4 bit; if so, it "
            "fits those and not these: score this form, with `taiyi eval OUT --suite NAME`, where OUT is this folder."
        )
        yield ""


def strictest(sources: Iterable[tuple[str, Sequence[Term]]]) -> str:
    """Say in one sentence what the strictest of several licences means for passing weights on and using them.

    Args:
        sources: the name of each thing that is licensed, with what its licence asks for.
    """
    given = list(sources)
    held: dict[Term, list[str]] = {
        term: names for term in _STRICTNESS if (names := [name for name, asked in given if term in asked])
    }
    if not held:
        return "Nothing here tells what the weights learned from, so nothing tells how they may be passed on or used."
    worst = next(iter(held))
    meaning = _MEANINGS[worst]
    means = [meaning.passing_on, meaning.using]
    if worst != "no commerce" and "no commerce" in held:
        means.append(f"{_MEANINGS['no commerce'].using} (by the licences of {_some(held['no commerce'])})")
    return f"The strictest is: {meaning.name} ({_some(held[worst])}): {'; '.join(means)}."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _licences(base: Base, entries: Sequence[Corpus]) -> Iterator[str]:
    rows = [(entry.name, entry.licence, entry.access, terms(entry.licence, entry.access)) for entry in entries]
    if base.name != "scratch":
        rows.insert(0, (f"base: {base.name}", base.licence, "", terms(base.licence)))
    yield from ("## Licence", "")
    yield from (f"**{strictest((name, asked) for name, _, _, asked in rows)}**", "")
    if rows:
        yield from _table(
            ("Of", "Licence", "Access", "What it asks, as far as its name tells"),
            [(name, said, access, "; ".join(_MEANINGS[t].name for t in asked)) for name, said, access, asked in rows],
        )
        yield from ("", "Read from the names of the licences; the licences themselves decide.", "")


def _uses(facts: Facts) -> Iterator[str]:
    tasks = sorted({key.split()[1] for stage in facts.stages for key in stage.counts})
    yield from ("## Uses", "")
    if tasks:
        named = ", ".join(f"{TASKS[task]} (`{task}`)" if task in TASKS else f"`{task}`" for task in tasks)
        yield f"Research on biomedical texts. Tasks that it was trained on: {named}."
    else:
        yield "Research on biomedical texts."
    yield from ("", "### Out-of-Scope Use", "")
    yield from ("Nothing that it writes is medical advice; it is not for decisions about patients.", "")
    yield from ("## Bias, Risks, and Limitations", "")
    yield (
        "Answers may be wrong, and sound right. It has the errors and the guidelines of the corpora that it learned "
        "from, and knows nothing beyond them and its base."
    )
    yield ""


def _start(facts: Facts) -> Iterator[str]:
    yield from ("## How to Get Started with the Model", "", "With Taiyi, in this folder:", "", "```sh")
    if facts.talks:
        yield "taiyi chat --model ."
    yield from ('taiyi extract "Aspirin can cause asthma." --model .', "```", "")
    yield from ("With transformers:", "", "```python")
    yield from (
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        'folder = "."  # or the id under which it is on the hub',
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
        'model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")',
    )
    if not facts.talks:
        yield from ("```", "")
        yield (
            "It answers with the text of the prompt and tags in it, or with one of a few labels. It was scored with "
            "decoding that may only copy or tag, or choose among them; without that, as with `model.generate`, it is "
            "another system."
        )
        yield ""
        return
    yield from (
        'messages = [{"role": "user", "content": "Does aspirin thin the blood?"}]',
        'prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", '
        "return_dict=True)",
        "answer = model.generate(**prompt, max_new_tokens=128)",
        'print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))',
    )
    yield from ("```", "", "Answers are greedy unless `generate` is told otherwise, as they were scored.", "")


def _training(facts: Facts) -> Iterator[str]:
    yield from ("## Training Details", "")
    if not facts.stages:
        yield from ("How it was trained is not known here: no run tells.", "")
        return
    yield from ("### Training Data", "")
    counts: dict[tuple[str, str], Counter[str]] = {}
    for stage in facts.stages:
        for key, count in stage.counts.items():
            corpus, task, *_ = key.split()
            counts.setdefault((corpus, task), Counter())[stage.name] += count
    names = [stage.name for stage in facts.stages]
    yield from _table(
        ("Corpus", "Task", *(f"Examples of {name}" for name in names)),
        [(*key, *(f"{found[name]:,}" for name in names)) for key, found in sorted(counts.items())],
    )
    yield from ("", "### Training Procedure", "")
    columns = ("Stage", "Kind", "Method", "Examples", "Steps", "Tokens", "Learning rate", "Hours", "Model of")
    yield from (*_table(columns, map(_procedure, facts.stages)), "")


def _procedure(stage: Training) -> tuple[str, ...]:
    told, given = stage.facts, stage.settings
    return (
        stage.name,
        given.get("kind", "sft"),
        given["method"],
        f"{sum(stage.counts.values()):,}",
        f"{told['steps']:,}",
        f"{told['tokens']:,}",
        str(given["learning_rate"]),
        f"{told['seconds'] / 3600:.2f}",
        "the last step" if stage.kept in (None, told["steps"]) else f"step {stage.kept:,}",
    )


def _evaluation(facts: Facts) -> Iterator[str]:
    yield from ("## Evaluation", "")
    if facts.scores is None:
        yield from ("Not scored: `taiyi eval OUT --suite NAME`, where OUT is this folder, scores it.", "")
        return
    adapter = "with its adapter merged into the base, " if facts.written["method"] == "adapter" else ""
    yield (
        f"Scores of the model {adapter}in 32 bit on a CPU or bfloat16 on a GPU, in %, with 95% intervals by bootstrap. "
        f"This form, in {facts.written['dtype']}, may differ a little."
    )
    yield ""
    rows: list[tuple[str, ...]] = []
    for r in facts.scores.results:
        if r.value is None or r.ci_low is None:
            interval = ""
        else:
            interval = f"{tables.percent(r.ci_low)} to {tables.percent(r.ci_high)}"
        metric = MEASURES[r.metric].title
        rows.append((r.title, r.task, r.split, metric, tables.percent(r.value), interval, f"{r.num_records:,}"))
    yield from (*_table(("Test set", "Task", "Split", "Metric", "Score", "95% interval", "n"), rows), "")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"
