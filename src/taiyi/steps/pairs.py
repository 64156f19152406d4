"""Pairs of a right and a wrong answer, made from what a model answers to its training data: what `dpo` learns from."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from taiyi import storage
from taiyi.build.mixture import rank
from taiyi.encoding import Encoder, Row
from taiyi.errors import TaiyiError
from taiyi.evaluate import run as scoring
from taiyi.schema import Example, Prediction, Reject

if TYPE_CHECKING:
    from taiyi.generate import LocalEngine
    from taiyi.train.settings import PreferenceSettings, StageSettings
    from taiyi.train.world import World

FILE = "pairs.parquet"
REJECTS = "rejects.jsonl"
ROWS = "rows"
CUT = "cut at the limit"
RIGHT = "all answers are right"
CLOSE = "no answer is wrong by the margin"
EMPTY = "no answer has a text"
SAME = "right and wrong have the same tokens"

_PART_EXAMPLES = 256
"""How many examples are answered at a time: what a kill may cost."""


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers to an example, one of which is better.

    Attributes:
        example: what is answered.
        right: the better answer.
        wrong: the other, which the model gave.
        right_score: what the better one is worth, from 0 to 1.
        wrong_score: what the other is worth.
        own: whether the better one is the model's too, rather than the gold.
    """

    example: Example
    right: str
    wrong: str
    right_score: float
    wrong_score: float
    own: bool


class _Given(NamedTuple):
    """An answer that the model gave, and what it is worth."""

    text: str
    worth: float
    whole: bool


def make_pairs(
    examples: Sequence[Example],
    engine: LocalEngine,
    settings: PreferenceSettings,
    *,
    seed: int,
    batch_tokens: int,
) -> Iterator[Preference | Reject]:
    """Let a model answer each example, greedily and by chance, and pair a right answer with its worst.

    The right answer is its own if one is worth 1 (the greedy one first) and the settings want it so, else the gold. The
    wrong one is worth the least (of equal ones the greedy one, then the first), and less than the right one. Answers
    that were cut at the limit of tokens are neither.

    Args:
        examples: of training, all with different ids.
        engine: answers with the model that the stage begins from.
        settings: how often it answers, how, and what makes a pair.
        seed: what the sampled answers follow from.
        batch_tokens: how many tokens are answered at once.
    """
    given: dict[str, dict[int, Prediction]] = {example.id: {} for example in examples}
    bounds = {"max_new_tokens": settings.max_new_tokens, "batch_tokens": batch_tokens}
    for greedy in engine.generate(examples, **bounds):
        given[greedy.example][-1] = greedy
    for s in engine.sample(
        examples, answers=settings.answers, temperature=settings.temperature, seed=rank(seed, "pairs"), **bounds
    ):
        given[s.example][s.number] = Prediction(example=s.example, text=s.text, finish=s.finish)
    for example in examples:
        answers = [answer for _, answer in sorted(given[example.id].items())]
        yield _pair(example, [_given(example, answer) for answer in answers], settings)


def _given(example: Example, answer: Prediction) -> _Given:
    worth = scoring.worth(example, scoring.score_alone(example, answer))
    return _Given(answer.text, worth, answer.finish == "stop")


def _pair(example: Example, answers: Sequence[_Given], settings: PreferenceSettings) -> Preference | Reject:
    usable = [answer for answer in answers if answer.whole and answer.text.strip()]
    own = next((answer for answer in usable if answer.worth == 1), None) if settings.right == "own" else None
    gold = Prediction(example=example.id, text=example.answer, finish="stop")
    right = own or _given(example, gold)
    most = min(1 - settings.margin, right.worth)
    wrong = min(usable, key=lambda answer: answer.worth, default=None)
    less = wrong is not None and wrong.worth <= most and wrong.worth < right.worth
    if wrong is not None and less and wrong.text.strip() != right.text.strip():
        return Preference(
            example=example,
            right=right.text,
            wrong=wrong.text,
            right_score=right.worth,
            wrong_score=wrong.worth,
            own=own is not None,
        )
    detail = ", ".join(f"{answer.worth:.2f}" for answer in answers)
    if all(answer.worth == 1 for answer in answers):
        reason = RIGHT
    elif any(not answer.whole and answer.worth < 1 for answer in answers):
        reason = CUT
    else:
        reason = CLOSE if usable else EMPTY
    return Reject(where=example.id, reason=reason, detail=detail)


def encode_pair(pair: Preference, encoder: Encoder, *, max_tokens: int) -> tuple[tuple[Row, Row] | None, list[Reject]]:
    """Encode both answers of a pair, or neither: None where one cannot be encoded, or is longer than `max_tokens`.

    Beside them is told why not, and what of the right answer is not learned as it is (see `train.rows`).
    """
    from taiyi.train.rows import LOST, TOO_LONG, WIDENED

    name = pair.example.id
    try:
        right, wrong = (
            encoder.encode(msgspec.structs.replace(pair.example, answer=answer)) for answer in (pair.right, pair.wrong)
        )
    except TaiyiError as error:
        return None, [Reject(where=name, reason="cannot be encoded", detail=str(error))]
    if (longest := max(len(right.row.ids), len(wrong.row.ids))) > max_tokens:
        return None, [Reject(where=name, reason=TOO_LONG, detail=f"{longest} tokens, at most {max_tokens}")]
    if right.row.ids == wrong.row.ids:
        return None, [Reject(where=name, reason=SAME, detail=pair.right)]
    notes = [
        Reject(where=name, reason=reason, detail="; ".join(mention.text for mention in mentions))
        for reason, mentions in ((LOST, right.lost), (WIDENED, right.widened))
        if mentions
    ]
    return (right.row, wrong.row), notes


class _Id(msgspec.Struct, frozen=True):
    """Of an example, what it is drawn by."""

    id: str


class _Part(NamedTuple):
    """Some of the examples that are answered, by where they are in their file, and the folder of their pairs."""

    path: Path
    places: list[int]
    folder: Path


def prepare_pairs(
    paths: Sequence[Path],
    engine: LocalEngine,
    settings: StageSettings,
    folder: Path,
    *,
    seed: int,
    world: World | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write the pairs of a stage and their rows into a folder: `pairs.parquet`, `rejects.jsonl` and `rows/`.

    Row 2i is the right answer of pair i, row 2i + 1 the wrong one. Called again after a kill it goes on with the part
    that was not done. Returns what it made, in numbers.

    Args:
        paths: the examples of the stage.
        engine: answers with the model that the stage begins from, as it was trained.
        settings: of the stage.
        folder: of the pairs; what is in it is of the same model, examples and settings.
        seed: what is drawn, and the sampled answers, follow from.
        world: processes that answer a part each in turn; every one of them calls this.
        progress: is told how many parts of how many this process has done.
    """
    facts = folder / "facts.json"
    if facts.exists():
        if world is None or world.main:
            storage.remove(folder / "work")
        return storage.read_json(facts, dict[str, Any])
    parts = _parts(paths, settings.preference.examples, seed, folder / "work")
    mine = parts if world is None else parts[world.rank :: world.size]
    for done, part in enumerate(mine, 1):
        _prepare(part, engine, settings, seed)
        progress(done, len(mine))
    if world is not None:
        world.wait()
    if world is None or world.main:
        storage.write_json(_joined(parts, folder), facts)
        storage.remove(folder / "work")
    if world is not None:
        world.wait()
    return storage.read_json(facts, dict[str, Any])


def _parts(paths: Sequence[Path], most: int | None, seed: int, folder: Path) -> list[_Part]:
    """Draw the examples that are answered, by the seed and their ids, and cut them into parts, in order of place."""
    ranked = (
        (rank(seed, f"pairs/{of.id}"), number, row)
        for number, path in enumerate(paths)
        for row, of in enumerate(storage.read_parquet(path, _Id))
    )
    drawn = list(ranked) if most is None else heapq.nsmallest(most, ranked)
    parts: list[_Part] = []
    for number, path in enumerate(paths):
        places = sorted(row for _, of, row in drawn if of == number)
        for at in range(0, len(places), _PART_EXAMPLES):
            parts.append(_Part(path, places[at : at + _PART_EXAMPLES], folder / f"{number:03}-{at:09}"))
    return parts


def _prepare(part: _Part, engine: LocalEngine, settings: StageSettings, seed: int) -> None:
    """Make the pairs of a part unless they are there; its rejects are written last."""
    from taiyi.train import rows

    if (part.folder / REJECTS).exists():
        return
    asked = list(storage.read_rows(part.path, Example, part.places))
    pairs: list[Preference] = []
    encoded: list[Row] = []
    rejects: list[Reject] = []
    for made in make_pairs(asked, engine, settings.preference, seed=seed, batch_tokens=settings.batch_tokens):
        if isinstance(made, Reject):
            rejects.append(made)
            continue
        both, notes = encode_pair(made, engine.encoder, max_tokens=settings.max_tokens)
        rejects += notes
        if both is not None:
            pairs.append(made)
            encoded += both
    rows.write(encoded, part.folder / ROWS)
    storage.write_parquet(pairs, part.folder / FILE, Preference)
    storage.write_jsonl(rejects, part.folder / REJECTS)


def _joined(parts: Sequence[_Part], folder: Path) -> dict[str, Any]:
    from taiyi.train import rows

    encoded = rows.join([part.folder / ROWS for part in parts], folder / ROWS)
    own = 0

    def pairs() -> Iterable[Preference]:
        nonlocal own
        for part in parts:
            for pair in storage.read_parquet(part.folder / FILE, Preference):
                own += pair.own
                yield pair

    num_pairs = storage.write_parquet(pairs(), folder / FILE, Preference)
    reasons: Counter[str] = Counter()
    with storage.writing_jsonl(folder / REJECTS) as lines:
        for part in parts:
            for reject in storage.read_jsonl(part.folder / REJECTS, Reject):
                lines.append(reject)
                reasons[reject.reason] += 1
    return {
        "num_examples": sum(len(part.places) for part in parts),
        "num_pairs": num_pairs,
        "num_own": own,
        "num_rows": len(encoded),
        "num_tokens": encoded.tokens,
        "num_targets": encoded.targets,
        "rejects": dict(reasons.most_common()),
    }
