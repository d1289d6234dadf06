"""Two sides in; which cells, judges and problems of them go together out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from distlab.compare.asked import Sides
from distlab.compare.comparison import Pair
from distlab.compare.problem_pairs import pair_problems
from distlab.compare.side import is_log
from distlab.problems.problem import Problem
from distlab.runs.scored import Judge, JudgedRuns
from distlab.runs.spellings import respelt_sentence
from distlab.store.cell import Cell

_LABELS: Final = ("family", "variant", "decoding", "dataset", "prompt")


def match(sides: Sides, *, any_judges: bool) -> Pair:
    """Put the sides' cells, judges and problems side by side.

    Args:
        sides: The two.
        any_judges: Judges go together that share neither extractor nor grader.
    """
    first, second = sides
    cells = _cells(first.manifest.cells, second.manifest.cells)
    datasets = dict.fromkeys((mine.dataset, other.dataset) for mine, other in cells)
    any_judges |= is_log(first) or is_log(second)
    return Pair(
        first=first,
        second=second,
        cells=cells,
        judges=_judges(_judges_of(first), _judges_of(second), any_judges),
        shared={
            (mine, other): pair_problems(_problems_of(first, mine), _problems_of(second, other))
            for mine, other in datasets
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
        yield (
            "The runs share neither an extractor nor a grader, so no score of theirs compares, "
            "unless --judge names one of each."
        )
    for first, second in pair.cells:
        yield from _cannot_in_cell(pair, first, second)
    for (name, _), shared in pair.shared.items():
        if shared.respelt:
            yield respelt_sentence(shared.respelt, name, "The two runs")


def _cannot_in_cell(pair: Pair, first: Cell, second: Cell) -> Iterator[str]:
    if not pair.problems(first, second).names:
        yield f"The runs share no problem of {first.dataset}, so nothing of {first.key} is paired."
        return
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


def _listed(keys: Sequence[str], limit: int = 3) -> str:
    more = len(keys) - limit
    return ", ".join(keys[:limit]) + (f" and {more} more cells" if more > 0 else "")


def _cells(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[tuple[Cell, Cell], ...]:
    """Cells of equal labels; a label that each side has one of does not count."""
    told = [name for name in _LABELS if any(_is_told(name, cells) for cells in (first, second))]

    def labels(cell: Cell) -> tuple[str, ...]:
        return tuple(getattr(cell, name) for name in told)

    others = {labels(cell): cell for cell in second}
    return tuple((cell, others[labels(cell)]) for cell in first if labels(cell) in others)


def _is_told(name: str, cells: Sequence[Cell]) -> bool:
    """Whether cells have several of a label."""
    return len({getattr(cell, name) for cell in cells}) > 1


def _judges_of(study: JudgedRuns) -> list[Judge]:
    return list(dict.fromkeys(Judge(table.extractor, table.grader) for table in study.tables))


def _judges(
    first: Sequence[Judge], second: Sequence[Judge], any_judges: bool
) -> tuple[tuple[Judge, Judge], ...]:
    """Equal judges; where there are none, judges that share a grader, else an extractor (ours)."""
    same: Sequence[Callable[[Judge, Judge], bool]] = (
        lambda one, other: one == other,
        lambda one, other: one.grader == other.grader,
        lambda one, other: one.extractor == other.extractor,
        lambda one, other: any_judges,
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
