"""The plans of a sweep's jobs as one bill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from distlab.console.printing import say
from distlab.console.progress import format_seconds
from distlab.escape import terminal
from distlab.placement.memory import gib
from distlab.plan.plan import Plan

_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class BillLine:
    """A job on the bill.

    Attributes:
        number: The job's number, from 0.
        apart: The overrides that set it apart.
        plan: What it would do; None where it cannot be planned.
        error: Why it cannot be planned; empty where it can.
    """

    number: int
    apart: tuple[str, ...]
    plan: Plan | None
    error: str = ""


def render_bill(items: Sequence[BillLine], console: Console) -> None:
    """Print a line per job and the sums.

    Args:
        items: In the order of the jobs.
        console: Where to print.
    """
    plans = [item.plan for item in items if item.plan is not None]
    for note in _notes(plans):
        say(console, f"note: {note}")
    console.print(_table(items, plans))
    for item in items:
        if item.plan is None:
            say(console, f"job {item.number} cannot be planned: {item.error}")
    say(console, _disk(plans))
    if any(_hours(plan) is None for plan in plans):
        say(
            console,
            "hours are of one engine's work at cluster.tokens_per_s, all new tokens drawn; where "
            "that is not known, plan the job alone with --probe",
        )


def _notes(plans: Sequence[Plan]) -> Iterator[str]:
    """Every note once, with the families it is about where it is not about all."""
    about: dict[str, dict[str, None]] = {}
    for plan in plans:
        for note in plan.notes:
            about.setdefault(note, {})[plan.family] = None
    families = {plan.family for plan in plans}
    for note, some in about.items():
        yield note if set(some) == families else f"{', '.join(some)}: {note}"


def _table(items: Sequence[BillLine], plans: Sequence[Plan]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0, show_footer=True)
    table.add_column("job", "total", overflow="fold")
    sums = (
        str(sum(len(plan.cells) for plan in plans)),
        _sum([plan.totals.held for plan in plans]),
        str(sum(plan.totals.missing for plan in plans)),
        f"{sum(plan.totals.max_new_tokens for plan in plans):.3g}",
        "",
        _sum([_hours(plan) for plan in plans]),
        "",
    )
    titles = (
        *("cells", "in\nstore", "samples\nto draw", "new tokens\nat most"),
        *("GPUs\nan engine", "GPU-hours\nat most", "on the clock\nat most"),
    )
    for title, total in zip(titles, sums, strict=True):
        table.add_column(title, total, justify="right")
    for item in items:
        name = " ".join([str(item.number), *item.apart])
        numbers = _numbers(item.plan) if item.plan else [_UNKNOWN] * len(titles)
        table.add_row(terminal(name, None), *numbers)
    return table


def _numbers(plan: Plan) -> list[str]:
    engines, totals = plan.engines, plan.totals
    clock = engines.hours(totals.max_new_tokens)
    return [
        str(len(plan.cells)),
        _UNKNOWN if totals.held is None else str(totals.held),
        str(totals.missing),
        f"{totals.max_new_tokens:.3g}",
        str(engines.group.ranks * engines.group.gpus_per_rank),
        _sum([_hours(plan)]),
        _UNKNOWN if clock is None else format_seconds(clock * 3600),
    ]


def _hours(plan: Plan) -> float | None:
    """GPU-hours, or hours of an engine that holds no GPU."""
    group = plan.engines.group
    alone = plan.engines.engine_hours(plan.totals.max_new_tokens)
    return None if alone is None else alone * (group.ranks if group.gpus_per_rank else 1)


def _sum(numbers: Sequence[float | None]) -> str:
    """The sum of what is known, marked where something is not."""
    known = [number for number in numbers if number is not None]
    if not known:
        return _UNKNOWN
    return f"{sum(known):.6g}{'' if len(known) == len(numbers) else f' + {_UNKNOWN}'}"


def _disk(plans: Sequence[Plan]) -> str:
    weights: dict[str, int | None] = {}
    for plan in plans:
        weights |= dict.fromkeys(plan.engines.checkpoints, plan.engines.weight_bytes)
    known = [size for size in weights.values() if size is not None]
    unknown = len(weights) - len(known)
    more = f" + {unknown} checkpoints of unknown size" if unknown else ""
    samples = gib(sum(plan.totals.max_bytes for plan in plans))
    return (
        f"disk · {gib(sum(known))} of weights{more} where the hub cache is + at most {samples} of "
        "samples, before compression"
    )
