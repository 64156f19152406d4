"""What a model of a run learned: which tasks of which corpora, and how prompts asked for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taiyi import catalogue, tasks
from taiyi.build.instructions import answer_form, task_of, wordings
from taiyi.build.queries import fixed
from taiyi.checkpoint import Learned
from taiyi.recipe_stages import Stage, begins
from taiyi.steps.run import Run
from taiyi.tasks import PlainText


def learned(run: Run, until: Stage, counts: Mapping[str, Mapping[str, int]]) -> tuple[Learned, ...]:
    """Return what a model was taught that a stage leaves, in the order of the recipe.

    `counts` are by stage how many examples it has of what (`corpus task split`), so that corpora count that are there.
    """
    found: dict[Learned, None] = {}
    for stage in _teaching(run.recipe.stages, until):
        for selection in stage.data:
            there = (
                counts.get(stage.name, {}).get(f"{selection.corpus} {selection.task} {s}") for s in selection.splits
            )
            if not any(there) or isinstance(tasks.get(selection.task), PlainText):
                continue
            corpus = catalogue.get(selection.corpus)
            task = task_of(selection.task, corpus, run.corpora, selection.pairs)
            for lang in corpus.langs:
                sets = fixed(task, corpus, selection, lang)
                types = dict.fromkeys(shown.shown for types in sets for shown in types)
                title = corpus.title if selection.prompt.corpus else ""
                one = Learned(
                    task=selection.task,
                    corpus=corpus.name,
                    lang=lang,
                    form=answer_form(task, selection),
                    types=tuple(types),
                    together=task.kind == "entities" and len(types) > 1 and len(sets) == 1 and selection.query is None,
                    title=title,
                    template=wordings(task, selection, lang, training=True)[0].id,
                )
                found[one] = None
    return tuple(found)


def _teaching(stages: Sequence[Stage], until: Stage) -> list[Stage]:
    """Return the stages whose data a stage's model was trained on: itself, those it began from, what these replay."""
    names: set[str] = set()
    stage: Stage | None = until
    while stage is not None:
        names |= {stage.name, *stage.replay}
        stage = begins(stage, stages[: stages.index(stage)])
    return [stage for stage in stages if stage.name in names]
