"""The worked examples that a test set's are shown with, drawn from the training split of its corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from taiyi import catalogue, storage
from taiyi.build.collect import Stored
from taiyi.build.few_shot import Shots, balanced, missing
from taiyi.build.instructions import Instructions, task_of
from taiyi.build.mixture import rank
from taiyi.build.settings import DecontaminateSettings
from taiyi.errors import RecipeError, Unparsable
from taiyi.evaluate.suites import TestSet
from taiyi.schema import Example, Lang, Record
from taiyi.steps.cleaning import Paths, matches
from taiyi.steps.rendering import asked
from taiyi.steps.run import Run, at_hand
from taiyi.steps.shards import Made, of_training
from taiyi.tasks import Task

POOL = 32
"""Of how many examples for each that is wanted the balanced ones are chosen."""
_BATCH = 64
# A record of a test set gives itself away by any text, however short.
_STRICT = DecontaminateSettings(text_chars_en=1, text_chars_zh=1)


def draw(run: Run, tests: Mapping[str, Made]) -> dict[str, Shots]:
    """Return what the examples of each test set are shown before them, asked in the same way as these; the same in
    every run of the same seed.

    Of the training split those records count that have nothing in common with a record of the test set: no document, no
    text, and none that is nearly the same.

    Raises:
        RecipeError: a training split is not there, or has too few examples.
    """
    number = run.recipe.evaluate.few_shot
    if not number:
        return {}
    sets = at_hand(run.recipe, run.corpora)
    for test_set in sets:
        corpus = catalogue.get(test_set.corpus)
        if corpus.layout("train", run.corpora) is None:
            raise RecipeError(
                "shots are examples of the training split, which is not there",
                where=test_set.name,
                got=f"{corpus.name} with {', '.join(s for s in corpus.splits if corpus.layout(s, run.corpora))}",
                mend=f"see `taiyi corpora show {corpus.name}` for how to obtain it, or evaluate without few_shot",
            )
    made = of_training(run, sets)
    return {
        test_set.name: _drawn(run, test_set, made[test_set.name], tuple(tests[test_set.name].parts))
        for test_set in sets
    }


def _drawn(run: Run, test_set: TestSet, made: Made, tests: Paths) -> Shots:
    number = run.recipe.evaluate.few_shot
    pools: dict[Lang, list[Example]] = {lang: [] for lang in test_set.langs}
    full = number * POOL
    seen: set[str] = set()
    for example in _candidates(run, test_set, made, tests):
        pool, prompt = pools.get(example.lang, []), example.messages[-1].content
        if len(pool) < full and prompt not in seen:
            pool.append(example)
            seen.add(prompt)
        if all(len(found) >= full for found in pools.values()):
            break
    if few := missing(pools, test_set.langs, number):
        raise RecipeError(
            "the training split has too few examples to show that have nothing in common with the test set",
            where=test_set.name,
            got=", ".join(f"{count} in {lang}" for lang, count in few.items()),
            expected=f"few_shot: {number}",
            mend="ask for fewer",
        )
    return Shots({lang: tuple(balanced(pool, number)) for lang, pool in pools.items()})


def _candidates(run: Run, test_set: TestSet, made: Made, tests: Paths) -> Iterator[Example]:
    """Yield an example of each record that may be shown, those first that the seed ranks first."""
    seed, corpus = run.recipe.seed, catalogue.get(test_set.corpus)
    task = task_of(test_set.task, corpus, run.corpora)
    instructions = Instructions(asked(run, test_set), task, corpus, seed=seed, training=False)
    places = [
        (rank(seed, f"shots/{place}"), number, row)
        for number, part in enumerate(made.parts)
        for row, place in enumerate(storage.read_column(part, "place").to_pylist())
    ]
    places.sort()
    for begin in range(0, len(places), _BATCH):
        stored = _read(made, places[begin : begin + _BATCH])
        shared = matches([one.item() for one in stored], tests, _STRICT)
        for one, match in zip(stored, shared, strict=True):
            if match is None and (example := _example(one.read(), task, instructions, seed)) is not None:
                yield example


def _read(made: Made, places: Sequence[tuple[int, int, int]]) -> list[Stored]:
    found: dict[tuple[int, int], Stored] = {}
    for number in {number for _, number, _ in places}:
        rows = sorted(row for _, of, row in places if of == number)
        keys = ((number, row) for row in rows)
        found.update(zip(keys, storage.read_rows(made.parts[number], Stored, rows), strict=True))
    return [found[number, row] for _, number, row in places]


def _example(record: Record, task: Task, instructions: Instructions, seed: int) -> Example | None:
    """Return one of the examples of a record, drawn by the seed, if there is one whose answer says all of its gold."""
    found = [made for made in instructions.of(record) if isinstance(made, Example)]
    for example in sorted(found, key=lambda example: rank(seed, example.id)):
        with suppress(Unparsable):
            if task.parse(example.answer, example) == example.gold:
                return example
    return None
