"""A prepared study to its Plan; pure."""

import statistics
from collections.abc import Iterator, Sequence
from itertools import takewhile

from distlab.cells import Example, PlannedCell, Prepared
from distlab.config.study import Study
from distlab.plan.records import CellPlan, Plan, ShownPrompt, Spread, Totals
from distlab.samples.cell import Cell


def make_plan(study: Study, prepared: Prepared) -> Plan:
    """Count what ``distlab.run`` would do.

    Args:
        study: What was asked for.
        prepared: Its problems and prompts, and what the store holds.
    """
    cells = tuple(_cell(planned) for planned in prepared.cells)
    return Plan(
        family=study.family.name,
        store=study.store,
        cells=cells,
        totals=_totals(cells),
        prompts=_prompts(prepared.cells),
        notes=tuple(_notes(study, prepared)),
    )


def _cell(planned: PlannedCell) -> CellPlan:
    missing = sum(len(draw.ranks) for draw in planned.draws)
    lengths = planned.prompt_tokens
    return CellPlan(
        cell=planned.cell,
        problems=len(lengths),
        too_long=len(planned.failures),
        held=planned.held,
        missing=missing,
        prompt_tokens=Spread(min(lengths), statistics.median(lengths), max(lengths)),
        max_new_tokens=missing * planned.arm.decoding.max_tokens,
    )


def _totals(cells: Sequence[CellPlan]) -> Totals:
    return Totals(
        problems=sum(cell.problems for cell in cells),
        too_long=sum(cell.too_long for cell in cells),
        held=sum(cell.held for cell in cells),
        missing=sum(cell.missing for cell in cells),
        max_new_tokens=sum(cell.max_new_tokens for cell in cells),
    )


def _prompts(cells: Sequence[PlannedCell]) -> tuple[ShownPrompt, ...]:
    """Arms of a variant share their prompts, so the first cell stands for all of them."""
    shown: dict[tuple[str, str, str], ShownPrompt] = {}
    for planned in cells:
        key = (planned.cell.dataset, planned.cell.prompt, planned.cell.variant)
        if planned.example is not None and key not in shown:
            shown[key] = _shown(planned.cell, planned.example)
    return tuple(shown.values())


def _shown(cell: Cell, example: Example) -> ShownPrompt:
    ids = example.prompt.token_ids
    return ShownPrompt(
        dataset=cell.dataset,
        prompt=cell.prompt,
        variant=cell.variant,
        problem_id=example.prompt.problem_id,
        text=example.prompt.text,
        tokens=len(ids),
        bos=example.bos,
        bos_count=ids.count(example.bos_id) if example.bos_id is not None else 0,
        bos_leading=len(list(takewhile(lambda token: token == example.bos_id, ids))),
        stop=example.prompt.stop,
    )


def _notes(study: Study, prepared: Prepared) -> Iterator[str]:
    yield from study.family.notes
    for dataset in prepared.datasets.values():
        yield from (f"{dataset.name}: {note}" for note in dataset.notes)
    for planned in prepared.cells:
        if planned.differing:
            yield (
                f"{planned.cell.key}: a new cell; the nearest stored one differs in "
                f"{', '.join(planned.differing)}"
            )
        if planned.failures:
            first, *more = planned.failures
            others = f" (and {len(more)} more)" if more else ""
            yield f"{planned.cell.key}: {first.problem_id}{others}: {first.error}"
