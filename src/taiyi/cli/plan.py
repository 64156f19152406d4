"""`taiyi plan RECIPE`: what training would take, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taiyi.cli.recipes import CorporaOption, RecipeArgument, RunsOption, WorkersOption, prepared
from taiyi.errors import TaiyiError

if TYPE_CHECKING:
    from taiyi.steps.place import Place
    from taiyi.steps.plan import StagePlan

_GIB = 1 << 30
_UNLIMITED = 1 << 16
"""Columns of what is no terminal."""

DeviceOption = Annotated[
    str,
    typer.Option(
        help="A GPU: a40, a100, a100-40gb, l4, l40s, h100, h200 or 4090; cpu, this machine, which is measured; or"
        " any other with --memory and --tflops."
    ),
]
MemoryOption = Annotated[
    float | None, typer.Option(help="GB of memory of a device, where it is another.", show_default=False)
]
TflopsOption = Annotated[
    float | None,
    typer.Option(
        help="Dense TFLOP/s of a device in bf16, where it is another. A device of your own is taken to reach a"
        " sixteenth of it in fp32.",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(help="A config.json to take the base's shape from, where the base is not there.", show_default=False),
]


def plan(
    recipe: RecipeArgument,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = None,
    device: DeviceOption = "cpu",
    memory: MemoryOption = None,
    tflops: TflopsOption = None,
    devices: Annotated[int, typer.Option(min=1, help="How many devices train together.")] = 1,
    parallel: Annotated[
        Literal["ddp", "fsdp"], typer.Option(help="Whole weights on each device, or a share of them (FSDP2).")
    ] = "ddp",
    share: Annotated[
        float | None,
        typer.Option(min=0.01, max=1.0, help="Share of the device's rate that training reaches.", show_default=False),
    ] = None,
    tokens_per_second: Annotated[
        float | None,
        typer.Option(min=0.01, help="How fast one device trains, where you know it.", show_default=False),
    ] = None,
    base_config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")] = False,
) -> None:
    """Tell what training a recipe would take: rows and tokens, steps, memory on each device, and hours.

    The data and its tokens are made, as training would make them; nothing is trained. The exit code is 1 where a stage
    does not fit the device.

    Example: taiyi plan recipes/demo.yaml --device a40
    """
    from taiyi.steps import plan as planning
    from taiyi.steps.place import Place
    from taiyi.train.devices import device as device_of

    place = Place(
        device=device_of(device, memory, tflops),
        count=devices,
        parallel=parallel,
        share=share,
        tokens_per_second=tokens_per_second,
    )
    stages = planning.plan(prepared(recipe, corpora, runs, workers), place, base_config)
    if as_json:
        _print_json(stages, place)
    else:
        console = Console()
        if not console.is_terminal:
            # A file or a program has no width: its lines are as long as what they say.
            console.width = _UNLIMITED
        _print(console, stages, place)
    if unfit := [stage for stage in stages if not stage.fits]:
        raise TaiyiError(
            "cannot be trained there",
            where=", ".join(f"stage {stage.name}" for stage in unfit),
            got=", ".join(stage.refused or _size(stage.memory.total) for stage in unfit),
            expected=None if all(s.refused for s in unfit) else f"at most {_size(place.memory)} on each device",
            mend="the plan says what else was tried" if any(s.remedies for s in unfit) else None,
        )


def _print_json(stages: list[StagePlan], place: Place) -> None:
    import msgspec

    told: dict[str, Any] = {
        "device": place.device.name,
        "devices": place.count,
        "parallel": place.parallel,
        "memory": place.memory,
        "bf16_tflops": place.device.bf16,
        "fp32_tflops": place.device.fp32,
        "share": place.assumed_share,
        "stages": [
            msgspec.to_builtins(stage) | {"memory": msgspec.to_builtins(stage.memory) | {"total": stage.memory.total}}
            for stage in stages
        ],
        "hours": sum(stage.hours for stage in stages),
    }
    typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())


def _print(console: Console, stages: list[StagePlan], place: Place) -> None:
    _print_rows(console, stages)
    _print_corpora(console, stages)
    _print_steps(console, stages)
    _print_memory(console, stages, place)
    for stage in stages:
        if stage.refused:
            console.print(f"{stage.name}: training would refuse it: {stage.refused}", highlight=False, markup=False)
        for remedy in stage.remedies:
            told = "fits" if remedy.fits else "does not fit"
            console.print(f"{stage.name} with {remedy.change}: {_size(remedy.memory)}, {told}", highlight=False)
        if not stage.fits and not stage.refused and not any(remedy.fits for remedy in stage.remedies):
            console.print(f"{stage.name}: nothing that was tried makes it fit", highlight=False)
        for note in stage.notes:
            console.print(f"{stage.name}: {note}", highlight=False, markup=False)
    hours = sum(stage.hours for stage in stages)
    device, count = place.device, f"{place.count} x " * (place.count > 1)
    speed = (
        f"{place.tokens_per_second:,.0f} tokens/s on each, as given"
        if place.tokens_per_second is not None
        else f"taken to reach {place.assumed_share:.0%} of {'a measured' if place.on_cpu else 'its'} "
        f"{device.bf16:,.2f} TFLOP/s in bf16, {device.fp32:,.2f} in fp32"
    )
    console.print(f"Hours of training on {count}{device.name} ({speed}): {_hours(hours)}", highlight=False)


def _grid(title: str, *names: str) -> Table:
    """Return a table whose first column has names, and the others numbers."""
    grid = Table(title=Text(title), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, name in enumerate(names):
        grid.add_column(name, justify="right" if index else "left", no_wrap=bool(index))
    return grid


def _print_rows(console: Console, stages: list[StagePlan]) -> None:
    grid = _grid(
        "Rows of an epoch", "Stage", "Kind", "Method", "Rows", "Tokens", "Supervised", "Padded", "Saved", "Full"
    )
    for stage in stages:
        packed = ["–"] * 3
        if stage.padded:
            packed = [f"{stage.padded:,}", f"{1 - stage.tokens / stage.padded:.0%}", f"{stage.fill:.1%}"]
        grid.add_row(
            stage.name,
            stage.kind,
            stage.method,
            *(f"{number:,}" for number in (stage.rows, stage.tokens, stage.supervised)),
            *packed,
        )
    console.print(grid, crop=False)
    console.print(
        "Padded: tokens of as many micro-batches with padding, in random order, of which packing saves that share;"
        " Full: how full micro-batches are.",
        highlight=False,
    )
    for stage in stages:
        for reason, count in stage.rejects.items():
            console.print(f"{stage.name}: {count:,} {reason}", highlight=False, markup=False)


def _print_corpora(console: Console, stages: list[StagePlan]) -> None:
    grid = _grid(
        "What they are of", "Corpus", "Task", *(f"{s.name} {what}" for s in stages for what in ("rows", "tokens"))
    )
    parts = sorted({(part.corpus, part.task) for stage in stages for part in stage.corpora})
    for corpus, task in parts:
        cells: list[str] = []
        for stage in stages:
            of = next((part for part in stage.corpora if (part.corpus, part.task) == (corpus, task)), None)
            cells += ["–", "–"] if of is None else [f"{of.rows:,}", f"{of.tokens:,}"]
        grid.add_row(corpus, task, *cells)
    console.print(grid, crop=False)


def _print_steps(console: Console, stages: list[StagePlan]) -> None:
    grid = _grid("Steps", "Stage", "Epochs", "Steps of each", "Steps", "Micro-batches", "Tokens", "Tokens/s", "Hours")
    for stage in stages:
        most = "" if stage.exact else "≤ "
        each = sorted(set(stage.steps_per_epoch))
        grid.add_row(
            stage.name,
            str(len(stage.steps_per_epoch)),
            f"{each[0]:,}" if len(each) == 1 else f"{each[0]:,} to {each[-1]:,}",
            *(f"{most}{number:,}" for number in (stage.steps, stage.micro_batches, stage.seen)),
            f"{stage.tokens_per_second:,.0f}",
            _hours(stage.hours),
        )
    console.print(grid, crop=False)


def _print_memory(console: Console, stages: list[StagePlan], place: Place) -> None:
    names = [stage.name for stage in stages]
    grid = _grid(f"Memory on each device, of {_size(place.memory)}", "", *names)
    grid.add_row("parameters, million", *(f"{stage.parameters / 1e6:,.1f}" for stage in stages))
    grid.add_row("of which learn", *(f"{stage.trained / 1e6:,.1f}" for stage in stages))
    for kind in dict.fromkeys(kind for stage in stages for kind in stage.memory.weights):
        grid.add_row(f"weights, {kind}", *(_size(stage.memory.weights.get(kind, 0)) for stage in stages))
    memories = [stage.memory for stage in stages]
    parts: dict[str, list[int]] = {
        "gradients": [memory.gradients for memory in memories],
        "optimizer": [memory.optimizer for memory in memories],
        "activations, beyond gradients": [memory.activations for memory in memories],
        "gathered and buffers": [memory.communication for memory in memories],
        "framework": [memory.framework for memory in memories],
    }
    if place.on_cpu:
        parts["freed, and kept by the process"] = [memory.kept for memory in memories]
        parts["Python and its libraries"] = [memory.libraries for memory in memories]
    # Before and between steps of training; said where they decide.
    for name, phase in (("whole, while it is loaded", "loading"), ("whole, while it answers", "answering")):
        sizes = [getattr(memory, phase) for memory in memories]
        if any(size == memory.total > memory.training for size, memory in zip(sizes, memories, strict=True)):
            parts["in a step of training"] = [memory.training for memory in memories]
            parts[name] = sizes
    highest = "at the highest" if "in a step of training" in parts else "in all"
    parts[highest] = [memory.total for memory in memories]
    for name, sizes in parts.items():
        grid.add_row(name, *map(_size, sizes), style="bold" if name == highest else None)
    grid.add_row("", *(Text(_verdict(stage), style="" if stage.fits else "red") for stage in stages))
    console.print(grid, crop=False)


def _verdict(stage: StagePlan) -> str:
    return "fits" if stage.fits else "refused" if stage.refused else "does not fit"


def _size(size: float) -> str:
    return f"{size / _GIB:,.2f} GiB" if size >= _GIB else f"{size / (1 << 20):,.1f} MiB"


def _hours(hours: float) -> str:
    return f"{hours:,.1f}" if hours >= 1 else f"{hours:.2f}" if hours >= 0.01 else "below 0.01"
