"""Two runs in; which cells, judges and problems of them go together out."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from distlab.compare.comparison import Pair, Shared
from distlab.problems.problem import Problem
from distlab.runs.scored import Judge, JudgedRuns
from distlab.runs.spellings import respelt, respelt_sentence
from distlab.store.cell import Cell


def match(first: JudgedRuns, second: JudgedRuns) -> Pair:
    """Put the runs' cells, judges and problems side by side."""
    return Pair(
        first=first,
        second=second,
        cells=_cells(first.manifest.cells, second.manifest.cells),
        judges=_judges(_judges_of(first), _judges_of(second)),
        shared={
            name: _shared(_problems_of(first, name), _problems_of(second, name))
            for name in dict.fromkeys(cell.dataset for cell in first.manifest.cells)
        },
    )


def cannot(pair: Pair) -> Iterator[str]:
    """What has no counterpart, one sentence each."""
    runs = pair.first.manifest, pair.second.manifest
    for place, (run, other) in enumerate((runs, runs[::-1])):
        matched = {cells[place].key for cells in pair.cells}
        alone = [cell.key for cell in run.cells if cell.key not in matched]
        if alone:
            yield f"{run.run} alone has {_listed(alone)}; {other.run} has nothing to compare."
    if not pair.judges:
        yield "The runs share neither an extractor nor a grader, so no score of theirs compares."
    for first, second in pair.cells:
        yield from _cannot_in_cell(pair, first, second)
    for name, shared in pair.shared.items():
        if shared.changed:
            yield (
                f"{shared.changed} problems of {name} have the same id and another question or "
                "gold in the two runs; they are left out."
            )
        if shared.respelt:
            yield respelt_sentence(shared.respelt, name, "The two runs")


def _cannot_in_cell(pair: Pair, first: Cell, second: Cell) -> Iterator[str]:
    until_solved = first.until_solved or second.until_solved
    if first.until_decided or second.until_decided:
        yield f"{first.key} was drawn until decided: no score of it can be compared."
    elif until_solved:
        compared = "nothing" if first.n != second.n else f"Pass@{first.n} alone"
        yield f"{first.key} was drawn until solved: {compared} can be compared."
    elif first.n != second.n:
        yield (
            f"{first.key} has n = {first.n} and {second.n}: Pass@{min(first.n, second.n)} is "
            "compared, maj@n and CoT-decoding's agg are not."
        )
    if first.kind != second.kind:
        yield f"{first.key} is {first.kind} in one run and {second.kind} in the other."
    if not pair.shared[first.dataset].names:
        yield f"The runs share no problem of {first.dataset}, so nothing of {first.key} is paired."


def _listed(keys: Sequence[str], limit: int = 3) -> str:
    more = len(keys) - limit
    return ", ".join(keys[:limit]) + (f" and {more} more cells" if more > 0 else "")


def _cells(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[tuple[Cell, Cell], ...]:
    """Cells of equal labels; of one family each, whatever the families are called."""
    one_family = all(len({cell.family for cell in cells}) == 1 for cells in (first, second))

    def labels(cell: Cell) -> tuple[str, ...]:
        named = (cell.variant, cell.decoding, cell.dataset, cell.prompt)
        return named if one_family else (cell.family, *named)

    others = {labels(cell): cell for cell in second}
    return tuple((cell, others[labels(cell)]) for cell in first if labels(cell) in others)


def _judges_of(study: JudgedRuns) -> list[Judge]:
    return list(dict.fromkeys(Judge(table.extractor, table.grader) for table in study.tables))


def _judges(first: Sequence[Judge], second: Sequence[Judge]) -> tuple[tuple[Judge, Judge], ...]:
    """Equal judges; where there are none, judges that share a grader, else an extractor (ours)."""
    same: Sequence[Callable[[Judge, Judge], bool]] = (
        lambda one, other: one == other,
        lambda one, other: one.grader == other.grader,
        lambda one, other: one.extractor == other.extractor,
    )
    for alike in same:
        found = [(one, other) for one in first for other in second if alike(one, other)]
        if found:
            return tuple(found)
    return ()


def _problems_of(study: JudgedRuns, dataset: str) -> tuple[Problem, ...]:
    for table in study.tables:
        if table.cell.dataset == dataset:
            return table.problems
    return ()


def _shared(first: Sequence[Problem], second: Sequence[Problem]) -> Shared:
    others = {problem.id: (row, problem) for row, problem in enumerate(second)}
    both = [(row, p, *others[p.id]) for row, p in enumerate(first) if p.id in others]
    same = [
        (row, problem, at)
        for row, problem, at, other in both
        if (problem.question, problem.gold) == (other.question, other.gold)
    ]
    return Shared(
        names=tuple(problem.id for _, problem, _ in same),
        first=np.array([row for row, _, _ in same], dtype=np.int64),
        second=np.array([at for _, _, at in same], dtype=np.int64),
        clusters=tuple(problem.cluster for _, problem, _ in same),
        changed=len(both) - len(same),
        respelt=respelt((problem.id for problem in first), others),
    )
